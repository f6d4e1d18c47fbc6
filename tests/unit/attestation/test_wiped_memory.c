/* SPDX-License-Identifier: Apache-2.0 */
/* A private key that was used and dropped is nowhere in this process any more. */
#include "attestation/private_key.h"
#include "attestation/wiped_memory.h"
#include "tests/unit/unit.h"

#include "tests/unit/attestation/make_key.h"

#include <fcntl.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <unistd.h>

#define MASK  0x5a /* so that the scan does not find what it compares with */
#define PIECE 16

static uint8_t masked[PRIVATE_KEY_MAX], chunk[1 << 16];

/* is_piece() - Return: true if 16 bytes of the number stand here, in either order. */
static bool is_piece(const uint8_t *at, size_t offset)
{
	size_t same = 0, reverse = 0;

	for (size_t i = 0; i < PIECE; i++) {
		same += (at[i] ^ MASK) == masked[offset + i];
		reverse += (at[i] ^ MASK) == masked[sizeof(masked) - 1 - offset - i];
	}
	return same == PIECE || reverse == PIECE;
}

static size_t scan_range(int mem, size_t from, size_t to)
{
	size_t found = 0;

	for (size_t at = from; at + PIECE <= to; at += sizeof(chunk) - PIECE) {
		ssize_t n = pread(
			mem, chunk, sizeof(chunk) < to - at ? sizeof(chunk) : to - at, (off_t)at);

		for (ssize_t i = 0; i + PIECE <= n; i++)
			for (size_t offset = 0; offset + PIECE <= sizeof(masked); offset += PIECE)
				found += is_piece(chunk + i, offset);
	}
	memset(chunk, 0, sizeof(chunk));
	return found;
}

/* scan() - Return: how many pieces of the number are in this process's writable memory. */
static size_t scan(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	int mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	size_t from, to, found = 0;
	char line[512], mode[5];

	assert_non_null(maps);
	assert_true(mem >= 0);
	while (fgets(line, sizeof(line), maps))
		if (sscanf(line, "%zx-%zx %4s", &from, &to, mode) == 3 && !strcmp(mode, "rw-p"))
			found += scan_range(mem, from, to);
	fclose(maps);
	close(mem);
	return found;
}

/* remember() - note a key's secret number, masked. */
static void remember(const struct private_key *key)
{
	BIGNUM *number = NULL;

	assert_int_equal(EVP_PKEY_get_bn_param(key->pkey, OSSL_PKEY_PARAM_PRIV_KEY, &number), 1);
	BN_bn2binpad(number, masked, sizeof(masked));
	BN_clear_free(number);
	for (size_t i = 0; i < sizeof(masked); i++)
		masked[i] ^= MASK;
}

static void wiped_memory_leaves_no_key_behind(void **state)
{
	uint8_t rs[2 * PRIVATE_KEY_MAX];
	static char pem[MAKE_KEY_MAX];
	struct private_key key;
	struct err e;

	(void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	skip(); /* its shadow is too large to look through */
#endif
	make_key(pem, "P-384", NULL);
	assert_int_equal(private_key_load(&key, bytes_of(pem, strlen(pem)), "key", &e), 0);
	remember(&key);
	assert_true(scan() > 0); /* it can be found */
	assert_int_equal(private_key_sign(&key, bytes_of("text", 4), rs, &e), 0);
	private_key_drop(&key);
	assert_int_equal(scan(), 0);
}

static void wiped_memory_grows_and_shrinks(void **state)
{
	uint8_t *p = OPENSSL_malloc(100);

	(void)state;
	memset(p, 7, 100);
	p = OPENSSL_realloc(p, 100000);
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(p[i], 7);
	p = OPENSSL_realloc(p, 10);
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(p[i], 7);
	OPENSSL_free(p);
	OPENSSL_free(NULL);
	p = OPENSSL_realloc(NULL, 10);
	assert_non_null(p);
	assert_null(OPENSSL_realloc(p, 0));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(wiped_memory_leaves_no_key_behind),
	cmocka_unit_test(wiped_memory_grows_and_shrinks),
};

int main(void)
{
	if (!wiped_memory_install())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
