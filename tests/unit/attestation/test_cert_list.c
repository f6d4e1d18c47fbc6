/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates and revocation lists from files: PEM, DER, and everything in between. */
#include "attestation/cert_list.h"

#include "attestation/crl.h"
#include "tests/unit/attestation/pki.h"
#include "tests/unit/unit.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

static EVP_PKEY *key;
static X509 *cert;
static uint8_t *der;
static size_t der_len, pem_len;
static char pem[16384];

static int setup(void **state)
{
	struct pki_spec spec;

	(void)state;
	key = pki_ec_key("P-256");
	spec = (struct pki_spec){.cn = "A", .key = key, .serial = 1, .ca = true};
	cert = pki_cert(&spec);
	der_len = (size_t)i2d_X509(cert, &der);
	pki_pem(pem, sizeof(pem), &pem_len, (X509 *[]){cert, cert}, 2);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	X509_free(cert);
	EVP_PKEY_free(key);
	OPENSSL_free(der);
	return 0;
}

static int count(const void *text, size_t len)
{
	cleanup_cert_list struct cert_list l = CERT_LIST_INIT;
	struct err e = ERR_INIT;

	return cert_list_parse(&l, bytes_of(text, len), &e) ? -1 : (int)l.n;
}

static void cert_list_reads_pem_and_der(void **state)
{
	char text[16384] = "words before it\n";
	size_t at = strlen(text);

	(void)state;
	assert_int_equal(count(der, der_len), 1);
	assert_int_equal(count(pem, pem_len), 2);
	memcpy(text + at, pem, pem_len);
	assert_int_equal(count(text, at + pem_len), 2);
	assert_int_equal(count(text, at + pem_len + 3), 2); /* zeros, as in quotes */
}

static void cert_list_refuses_every_truncation(void **state)
{
	(void)state;
	for (size_t len = 0; len < der_len; len++)
		assert_int_equal(count(der, len), -1);
	for (size_t len = 0; len < pem_len - 1; len++) {
		int n = count(pem, len);

		/* what ends behind the first certificate, or before the second begins, is whole */
		if (n != -1 && n != 1)
			fail_msg("%zu of %zu bytes are %d certificates", len, pem_len, n);
		if (n == 1)
			assert_true(len >= pem_len / 2 - 1 && len <= pem_len / 2 + 27);
	}
}

static void cert_list_refuses_more_and_other_things(void **state)
{
	char text[16384];
	uint8_t longer[4096];
	size_t len = 0;
	BIO *bio = BIO_new(BIO_s_mem());
	char *data;
	long data_len;

	(void)state;
	for (int i = 0; i < CERT_LIST_MAX + 1; i++)
		pki_pem(text, sizeof(text), &len, &cert, 1);
	assert_int_equal(count(text, len), -1);
	memcpy(longer, der, der_len);
	longer[der_len] = 0;
	assert_int_equal(count(longer, der_len + 1), -1);
	PEM_write_bio_PUBKEY(bio, key);
	PEM_write_bio_X509(bio, cert);
	data_len = BIO_get_mem_data(bio, &data);
	assert_int_equal(count(data, (size_t)data_len), -1);
	BIO_free(bio);
	pem[40] ^= 1;
	assert_int_not_equal(count(pem, pem_len), 2);
	pem[40] ^= 1;
	assert_int_equal(count("", 0), -1);
	assert_int_equal(count("hello", 5), -1);
}

static int crl_ok(const void *text, size_t len)
{
	cleanup_crl struct crl c = CRL_INIT;
	struct err e = ERR_INIT;

	return crl_parse(&c, bytes_of(text, len), &e) == 0;
}

static void crl_reads_one_list(void **state)
{
	struct pki_crl_spec spec = {.issuer = cert, .key = key, .revoked = 7};
	X509_CRL *list = pki_crl(&spec);
	BIO *bio = BIO_new(BIO_s_mem());
	uint8_t *bin = NULL;
	size_t len = (size_t)i2d_X509_CRL(list, &bin);
	char *data;
	long data_len;

	(void)state;
	assert_true(crl_ok(bin, len));
	for (size_t cut = 0; cut < len; cut++)
		assert_false(crl_ok(bin, cut));
	PEM_write_bio_X509_CRL(bio, list);
	data_len = BIO_get_mem_data(bio, &data);
	assert_true(crl_ok(data, (size_t)data_len));
	for (long cut = 0; cut < data_len - 1; cut++)
		assert_false(crl_ok(data, (size_t)cut));
	PEM_write_bio_X509_CRL(bio, list);
	data_len = BIO_get_mem_data(bio, &data);
	assert_false(crl_ok(data, (size_t)data_len)); /* two */
	assert_false(crl_ok(pem, pem_len));
	assert_false(crl_ok(der, der_len));
	BIO_free(bio);
	OPENSSL_free(bin);
	X509_CRL_free(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cert_list_reads_pem_and_der),
		cmocka_unit_test(cert_list_refuses_every_truncation),
		cmocka_unit_test(cert_list_refuses_more_and_other_things),
		cmocka_unit_test(crl_reads_one_list),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
