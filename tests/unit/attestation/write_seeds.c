/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes a sound TD quote and a sound SNP report, with everything that their verification needs,
 * into a directory: input for tests and the benchmark of `cloister verify`, seeds for fuzz targets.
 * Usage: write_seeds DIRECTORY
 */
#include "tests/unit/attestation/snp_scene.h"
#include "tests/unit/attestation/tdx_scene.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *dir;

static void write_file(const char *name, const void *data, size_t len)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "we");
	if (!f || fwrite(data, 1, len, f) != len || fclose(f)) {
		perror(path);
		abort();
	}
}

static void write_pem(const char *name, X509 *const *certs, int n)
{
	char text[16384];
	size_t len = 0;

	pki_pem(text, sizeof(text), &len, certs, n);
	write_file(name, text, len);
}

static void write_crl(const char *name, X509_CRL *list)
{
	uint8_t *der = NULL;
	int len = i2d_X509_CRL(list, &der);

	write_file(name, der, (size_t)len);
	OPENSSL_free(der);
}

static void write_tdx(void)
{
	static struct tdx_scene s;

	tdx_scene_start(&s);
	s.pck_crl.revoked = 7;
	tdx_scene_make(&s);
	write_file("quote", s.quote, s.quote_len);
	write_file("tcb_info", s.tcb_info, strlen(s.tcb_info));
	write_file("qe_identity", s.qe_identity, strlen(s.qe_identity));
	write_pem("root", s.roots.certs, 1);
	write_pem("signer_chain", s.signer_chain.certs, 2);
	write_pem("pck_chain", s.pck_chain.certs, 3);
	write_crl("root_crl", s.crls[0].list);
	write_crl("pck_crl", s.crls[1].list);
	tdx_scene_end(&s);
}

static void write_snp(void)
{
	static struct snp_scene s;

	snp_scene_start(&s, "Genoa", "Genoa-B1", 3, false);
	snp_scene_make(&s);
	write_file("report", s.report, sizeof(s.report));
	write_pem("vek", &s.certs[2], 1);
	write_pem("ask_ark", s.chain.certs, 2);
	write_pem("ark", s.roots.certs, 1);
	write_crl("ark_crl", s.list.list);
	snp_scene_end(&s);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	dir = argv[1];
	write_tdx();
	write_snp();
	return 0;
}
