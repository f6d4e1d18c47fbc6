/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct pck: the certificate of a platform's provisioning certification key, and its SGX
 * extension (Intel SGX PCK Certificate and CRL Profile Specification, section 1.3.5).
 */
#ifndef ATTESTATION_PCK_H
#define ATTESTATION_PCK_H

#include "base/bytes.h"
#include "base/err.h"

#include <openssl/types.h>

struct pck {
	X509 *cert;          /* the caller's */
	uint8_t sgx_svn[16]; /* TCB component SVNs 1 to 16 */
	uint32_t pcesvn;
	uint8_t cpusvn[16];
	uint8_t pceid[2], fmspc[6];
};

/*
 * pck_parse() - read the SGX extension: each needed member exactly once.
 * Return: 0 or -EINVAL.
 */
int pck_parse(struct pck *p, X509 *cert, struct err *e) MUST_CHECK;

#endif
