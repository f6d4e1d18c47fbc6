/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An SEV-SNP chip of the tests' own: ARK, ASK, VCEK or VLEK, CRL and a report, with a sound value
 * for everything. A test changes the parts it is about between snp_scene_start() and _make().
 */
#ifndef TESTS_UNIT_ATTESTATION_SNP_SCENE_H
#define TESTS_UNIT_ATTESTATION_SNP_SCENE_H

#include "attestation/snp_verify.h"
#include "tests/unit/attestation/pki.h"

struct snp_scene {
	const char *line, *product; /* "Milan", "Milan-B0" */
	uint32_t version;
	bool vlek, use_crl;
	struct pki_spec ark, ask, vek;
	struct pki_crl_spec crl;
	uint8_t spl[10];                          /* by extension number 3.N */
	uint8_t ext_data[12][5], ext_text[2][40]; /* what vek.exts point at */
	uint8_t report[SNP_REPORT_LEN];
	int64_t now;
	/* made */
	char names[2][32], oids[10][32];
	EVP_PKEY *rsa, *ec;
	X509 *certs[3]; /* ARK, ASK, VEK */
	struct cert_list chain, roots;
	struct crl list;
};

void snp_scene_start(
	struct snp_scene *s, const char *line, const char *product, uint32_t version, bool vlek);
void snp_scene_make(struct snp_scene *s);
void snp_scene_end(struct snp_scene *s);

/* snp_scene_judge() - parse and verify everything, as the command line does. */
int snp_scene_judge(const struct snp_scene *s, struct err *e);

#endif
