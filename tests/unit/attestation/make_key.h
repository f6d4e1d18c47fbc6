/* SPDX-License-Identifier: Apache-2.0 */
/* Fresh keys for tests, as PEM: no private key lies in the tree. */
#ifndef TESTS_UNIT_ATTESTATION_MAKE_KEY_H
#define TESTS_UNIT_ATTESTATION_MAKE_KEY_H

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#define MAKE_KEY_MAX 1024

/* make_key() - write a private key on the curve ("P-384"), encrypted if there is a password. */
static inline void make_key(char pem[MAKE_KEY_MAX], const char *curve, const char *password)
{
	const EVP_CIPHER *cipher = password ? EVP_aes_128_cbc() : NULL;
	EVP_PKEY *key = EVP_EC_gen(curve);
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long len;

	assert_int_equal(PEM_write_bio_PrivateKey(bio, key, cipher, (const unsigned char *)password,
				 password ? (int)strlen(password) : 0, NULL, NULL),
		1);
	len = BIO_get_mem_data(bio, &text);
	assert_true(len > 0 && len < MAKE_KEY_MAX);
	memcpy(pem, text, (size_t)len);
	pem[len] = '\0';
	BIO_free(bio);
	EVP_PKEY_free(key);
}

#endif
