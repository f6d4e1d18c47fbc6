/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SEV-SNP attestation report: AMD 56860 (SEV-SNP firmware ABI), table "ATTESTATION_REPORT".
 *
 * snp_report_parse() reads bytes and knows nothing of keys: a parsed report is well formed, not
 * genuine. snp_report_check() refuses what no firmware signs. Byte arrays are as in the report.
 */
#ifndef ATTESTATION_SNP_REPORT_H
#define ATTESTATION_SNP_REPORT_H

#include "attestation/snp_product.h"
#include "base/bytes.h"
#include "base/err.h"

#include <stdbool.h>

#define SNP_REPORT_LEN    1184
#define SNP_REPORT_SIGNED 0x2a0 /* the signature covers the bytes before this */

/* POLICY: 56860, table "Guest Policy Structure" */
#define SNP_POLICY_SMT           (UINT64_C(1) << 16)
#define SNP_POLICY_MIGRATE_MA    (UINT64_C(1) << 18)
#define SNP_POLICY_DEBUG         (UINT64_C(1) << 19)
#define SNP_POLICY_SINGLE_SOCKET (UINT64_C(1) << 20)

enum snp_signing_key { SNP_KEY_VCEK = 0, SNP_KEY_VLEK = 1, SNP_KEY_NONE = 7 };

struct snp_report {
	uint32_t version, guest_svn, vmpl, sig_algo;
	uint64_t policy, platform_info;
	bool author_key_en, mask_chip_key;
	uint32_t signing_key; /* enum snp_signing_key, or a number that has no meaning yet */
	uint32_t flags_reserved;
	uint8_t family_id[16], image_id[16];
	uint8_t report_data[64], measurement[48], host_data[32];
	uint8_t id_key_digest[48], author_key_digest[48];
	uint8_t report_id[32], report_id_ma[32];
	uint8_t current_tcb[8], reported_tcb[8], committed_tcb[8], launch_tcb[8];
	uint8_t cpuid[3]; /* family, model, stepping; zeros before version 3 */
	uint8_t chip_id[64];
	uint8_t sig[96];    /* r and s, big endian */
	bool reserved_set;  /* a reserved byte outside of the policy is not zero */
	const uint8_t *raw; /* SNP_REPORT_LEN bytes, the caller's */
};

/* snp_report_parse() - read a report. Return: 0, or -EINVAL for a wrong length or version. */
int snp_report_parse(struct snp_report *r, struct bytes raw, struct err *e) MUST_CHECK;

/*
 * snp_report_check() - algorithm, signing key, policy and reserved bits are ones that firmware of
 * this report version writes.
 * Return: 0 or -EBADMSG.
 */
int snp_report_check(const struct snp_report *r, struct err *e) MUST_CHECK;

/*
 * snp_report_product() - the product line by the CPUID of the report.
 * Return: it; NULL if the report does not tell (before version 3) or the CPU is unknown.
 */
const struct snp_product *snp_report_product(const struct snp_report *r);

#endif
