/* SPDX-License-Identifier: Apache-2.0 */
/* An SEV-SNP chip for tests; see snp_scene.h. */
#include "tests/unit/attestation/snp_scene.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

static const uint8_t chip[64] = {0xc4, 0x0f, 0xee, 1, 2, 3, 4, 5, 6};

static size_t ia5(uint8_t *out, const char *text)
{
	out[0] = 0x16;
	out[1] = (uint8_t)strlen(text);
	memcpy(out + 2, text, strlen(text));
	return strlen(text) + 2;
}

/* fill_exts() - what KDS writes into a certificate of this product. */
static void fill_exts(struct snp_scene *s)
{
	struct pki_ext *x = s->vek.exts;
	bool turin = !strcmp(s->line, "Turin");

	memcpy(s->ext_data[0], (uint8_t[]){2, 1, turin}, 3);
	*x++ = (struct pki_ext){"1.3.6.1.4.1.3704.1.1", s->ext_data[0], 3};
	*x++ = (struct pki_ext){
		"1.3.6.1.4.1.3704.1.2", s->ext_text[0], ia5(s->ext_text[0], s->product)};
	for (int n = 1; n <= 9; n++) {
		bool wide = s->spl[n] & 0x80;

		if (n == 9 && !turin)
			continue;
		snprintf(s->oids[n], sizeof(s->oids[n]), "1.3.6.1.4.1.3704.1.3.%d", n);
		memcpy(s->ext_data[n],
			(uint8_t[]){2, wide ? 2 : 1, wide ? 0 : s->spl[n], s->spl[n]}, 4);
		*x++ = (struct pki_ext){s->oids[n], s->ext_data[n], wide ? 4 : 3};
	}
	if (s->vlek)
		*x++ = (struct pki_ext){
			"1.3.6.1.4.1.3704.1.5", s->ext_text[1], ia5(s->ext_text[1], "CN=provider")};
	else
		*x++ = (struct pki_ext){"1.3.6.1.4.1.3704.1.4", chip, turin ? 8 : 64};
}

static void fill_report(struct snp_scene *s)
{
	uint8_t *r = s->report;
	bool turin = !strcmp(s->line, "Turin");

	store_le32(r, s->version);
	store_le64(r + 8, 0x30000);
	store_le32(r + 0x34, 1);
	store_le32(r + 0x48, s->vlek ? 1 << 2 : 0);
	memset(r + 0x50, 0x50, 64);
	memset(r + 0x90, 0x90, 48);
	memset(r + 0xc0, 0xc0, 32);
	if (turin)
		memcpy(r + 0x180,
			(uint8_t[]){s->spl[9], s->spl[1], s->spl[2], s->spl[3], 0, 0, 0, s->spl[8]},
			8);
	else
		memcpy(r + 0x180,
			(uint8_t[]){s->spl[1], s->spl[2], 0, 0, 0, 0, s->spl[3], s->spl[8]}, 8);
	if (s->version >= 3) {
		r[0x188] = turin ? 0x1a : 0x19;
		r[0x189] = !strcmp(s->line, "Genoa") ? 0x11 : 2;
		r[0x18a] = 1;
	}
	memcpy(r + 0x1a0, chip, turin ? 8 : 64);
}

void snp_scene_start(
	struct snp_scene *s, const char *line, const char *product, uint32_t version, bool vlek)
{
	*s = (struct snp_scene){.line = line,
		.product = product,
		.version = version,
		.vlek = vlek,
		.now = PKI_NOW,

		.spl = {0, 3, 0, 8, 0, 0, 0, 0, 0xd2, 2}};
	snprintf(s->names[0], sizeof(s->names[0]), "ARK-%s", line);
	snprintf(s->names[1], sizeof(s->names[1]), vlek ? "SEV-VLEK-%s" : "SEV-%s", line);
	s->rsa = pki_rsa();
	s->ec = pki_ec_key("P-384");
	s->ark = (struct pki_spec){
		.cn = s->names[0], .key = s->rsa, .serial = 1, .ca = true, .pss = true};
	s->ask = (struct pki_spec){.cn = s->names[1],
		.key = s->rsa,
		.issuer_key = s->rsa,
		.serial = 0x1001,
		.ca = true,
		.pss = true,
		.constraints = "critical,CA:TRUE,pathlen:0",
		.usage = "critical,keyCertSign"};
	s->vek = (struct pki_spec){.cn = vlek ? "SEV-VLEK" : "SEV-VCEK",
		.key = s->ec,
		.issuer_key = s->rsa,
		.pss = true,
		.constraints = "",
		.usage = ""};
	s->crl = (struct pki_crl_spec){.key = s->rsa, .pss = true};
	fill_exts(s);
	fill_report(s);
}

static void sign_report(struct snp_scene *s)
{
	uint8_t raw[96];

	pki_sign_raw(s->ec, "SHA384", bytes_of(s->report, SNP_REPORT_SIGNED), raw, 48);
	for (int i = 0; i < 48; i++) {
		s->report[0x2a0 + i] = raw[47 - i];
		s->report[0x2a0 + 72 + i] = raw[95 - i];
	}
}

void snp_scene_make(struct snp_scene *s)
{
	s->certs[0] = pki_cert(&s->ark);
	s->ask.issuer = s->ask.issuer ? s->ask.issuer : s->certs[0];
	s->certs[1] = pki_cert(&s->ask);
	s->vek.issuer = s->certs[1];
	s->certs[2] = pki_cert(&s->vek);
	s->chain = (struct cert_list){{s->certs[1], s->certs[0]}, 2};
	s->roots = (struct cert_list){{s->certs[0]}, 1};
	s->crl.issuer = s->crl.issuer ? s->crl.issuer : s->certs[0];
	s->list.list = pki_crl(&s->crl);
	sign_report(s);
}

void snp_scene_end(struct snp_scene *s)
{
	for (int i = 0; i < 3; i++)
		X509_free(s->certs[i]);
	crl_fini(&s->list);
	EVP_PKEY_free(s->rsa);
	EVP_PKEY_free(s->ec);
}

int snp_scene_judge(const struct snp_scene *s, struct err *e)
{
	const struct vek_chain links = {&s->chain, &s->roots, s->use_crl ? &s->list : NULL, s->now};
	struct snp_report report;
	struct vek vek;

	return snp_report_parse(&report, bytes_of(s->report, sizeof(s->report)), e)
		?: vek_parse(&vek, s->certs[2], e)
		?: vek_check_chain(&vek, &links, e)
		?: snp_verify(&report, &vek, e);
}
