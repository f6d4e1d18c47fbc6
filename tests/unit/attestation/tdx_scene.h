/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A TDX platform of the tests' own: root CA, PCK, collateral and a quote, with a sound value for
 * everything. A test changes the parts it is about between tdx_scene_start() and _make().
 */
#ifndef TESTS_UNIT_ATTESTATION_TDX_SCENE_H
#define TESTS_UNIT_ATTESTATION_TDX_SCENE_H

#include "attestation/tdx_verify.h"
#include "tests/unit/attestation/pki.h"

enum tdx_who { TDX_ROOT, TDX_CA, TDX_PCK, TDX_SIGNER, TDX_AK, TDX_WHO };

struct tdx_scene {
	/* to change before tdx_scene_make() */
	struct pki_spec certs[TDX_AK]; /* by enum tdx_who */
	struct pki_crl_spec root_crl, pck_crl;
	uint16_t version;
	bool td15, no_chain;
	uint8_t sgx_svn[16], pcesvn;
	uint8_t td[648];                              /* the TD report body */
	uint8_t qe[384];                              /* all but the hash of the attestation key */
	const char *tcb_levels, *modules, *qe_levels; /* the JSON lists */
	const char *tcb_head, *qe_head;               /* members before the dates */
	const char *dates;
	enum tdx_who signs_tcb, signs_qe;
	int64_t now;
	/* made */
	EVP_PKEY *keys[TDX_WHO];
	X509 *made[TDX_AK];
	uint8_t sgx_ext[1024];
	char tcb_info[8192], qe_identity[4096];
	uint8_t quote[8192];
	size_t quote_len;
	struct cert_list roots, signer_chain, pck_chain;
	struct crl crls[2];
};

void tdx_scene_start(struct tdx_scene *s);
void tdx_scene_make(struct tdx_scene *s);
void tdx_scene_end(struct tdx_scene *s);

/* tdx_scene_sign() - a PCS response: {"<member>":<body>,"signature":...} into out. */
void tdx_scene_sign(EVP_PKEY *key, const char *member, const char *body, char *out, size_t size);

/* tdx_scene_judge() - parse and verify everything, as the command line does. */
int tdx_scene_judge(struct tdx_scene *s, struct tdx_verdict *verdict, struct err *e);

#endif
