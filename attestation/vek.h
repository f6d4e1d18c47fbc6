/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct vek: what a VCEK or VLEK certificate says about its chip and TCB (AMD 57230, "VCEK
 * certificate extensions"), and the chain ARK -> ASK or ASVK -> VCEK or VLEK that vouches for it.
 */
#ifndef ATTESTATION_VEK_H
#define ATTESTATION_VEK_H

#include "attestation/cert_list.h"
#include "attestation/crl.h"
#include "attestation/snp_product.h"

#include <stdbool.h>

#define VEK_PRODUCT_MAX 32
#define VEK_HWID_MAX    64

struct vek {
	X509 *cert;                    /* the caller's */
	char product[VEK_PRODUCT_MAX]; /* as the certificate has it: "Milan-B0" */
	const struct snp_product *line;
	uint8_t tcb[SNP_TCB_LEN]; /* in the layout of a report's TCB version */
	uint8_t hwid[VEK_HWID_MAX];
	bool vlek; /* a provider's key: no hwid */
};

/* vek_parse() - read the extensions. cert must outlive v. Return: 0, or -EINVAL. */
int vek_parse(struct vek *v, X509 *cert, struct err *e) MUST_CHECK;

struct vek_chain {
	const struct cert_list *chain; /* exactly the ASK or ASVK and the ARK, in any order */
	const struct cert_list *roots; /* trusted; only self-signed certificates of it count */
	const struct crl *crl;         /* the ARK's, or NULL */
	int64_t now;                   /* seconds since 1970 */
};

/*
 * vek_check_chain() - the certificate is genuine, valid now, not revoked, and of the ARK's product.
 * Return: 0, -EKEYREJECTED or -EKEYREVOKED.
 */
int vek_check_chain(const struct vek *v, const struct vek_chain *c, struct err *e) MUST_CHECK;

#endif
