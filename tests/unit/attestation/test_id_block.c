/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/id_block.h"
#include "base/bytes.h"
#include "tests/unit/unit.h"

#include "tests/unit/attestation/make_key.h"

#include <errno.h>
#include <string.h>

/* Offsets in the ID authentication information, from the specification's table */
#define AUTH_SIGNATURE     0x40
#define AUTH_ID_KEY        0x240
#define AUTH_KEY_SIGNATURE 0x680
#define AUTH_AUTHOR_KEY    0x880

static char id_pem[MAKE_KEY_MAX], author_pem[MAKE_KEY_MAX], other_pem[MAKE_KEY_MAX];
static struct id_block made;

static struct bytes text_of(const char *s)
{
	return bytes_of(s, strlen(s));
}

static const struct id_block_spec spec = {
	.launch_digest = {1, 2, 3},
	.family_id = {4},
	.image_id = {5},
	.guest_svn = 6,
	.policy = 0x30000,
};

static int setup(void **state)
{
	struct err e;

	(void)state;
	if (!*id_pem) {
		make_key(id_pem, "P-384", NULL);
		make_key(author_pem, "P-384", NULL);
	}
	return id_block_sign(&made, &spec, text_of(id_pem), text_of(author_pem), &e);
}

static int verify(struct err *e)
{
	return id_block_verify(
		bytes_of(made.block, ID_BLOCK_LEN), bytes_of(made.auth, ID_BLOCK_AUTH_LEN), e);
}

static void id_block_verifies_what_it_made(void **state)
{
	uint8_t digest[ID_BLOCK_KEY_LEN];
	struct err e;

	(void)state;
	assert_int_equal(verify(&e), 0);
	assert_int_equal(digest_of(DIGEST_SHA384, made.auth + AUTH_ID_KEY, 1028, digest, &e), 0);
	assert_memory_equal(made.id_key_digest, digest, sizeof(digest));
	assert_int_equal(
		digest_of(DIGEST_SHA384, made.auth + AUTH_AUTHOR_KEY, 1028, digest, &e), 0);
	assert_memory_equal(made.author_key_digest, digest, sizeof(digest));
}

static void id_block_has_the_layout_of_the_table(void **state)
{
	(void)state;
	assert_memory_equal(made.block, spec.launch_digest, 48);
	assert_int_equal(made.block[0x30], 4);
	assert_int_equal(made.block[0x40], 5);
	assert_int_equal(load_le32(made.block + 0x50), 1);
	assert_int_equal(load_le32(made.block + 0x54), 6);
	assert_int_equal(load_le64(made.block + 0x58), 0x30000);
	assert_int_equal(load_le32(made.auth), 1);
	assert_int_equal(load_le32(made.auth + 4), 1);
	assert_int_equal(load_le32(made.auth + AUTH_ID_KEY), 2);
	assert_int_equal(load_le32(made.auth + AUTH_AUTHOR_KEY), 2);
}

/* Every byte that is signed, is a key, a signature or reserved counts. */
static void id_block_refuses_any_changed_byte(void **state)
{
	struct err e;

	(void)state;
	for (size_t i = 0; i < ID_BLOCK_LEN; i++) {
		made.block[i] ^= 1;
		assert_int_equal(verify(&e), -EBADMSG);
		made.block[i] ^= 1;
	}
	for (size_t i = 0; i < ID_BLOCK_AUTH_LEN; i += i < 0x60 ? 1 : 5) {
		made.auth[i] ^= 0x80;
		if (verify(&e) != -EBADMSG)
			fail_msg("byte %#zx of the authentication does not count", i);
		made.auth[i] ^= 0x80;
	}
	assert_int_equal(verify(&e), 0);
}

static void id_block_refuses_zero_signatures_and_keys(void **state)
{
	struct err e;

	(void)state;
	memset(made.auth + AUTH_SIGNATURE, 0, 144);
	assert_int_equal(verify(&e), -EBADMSG);
	setup(state);
	memset(made.auth + AUTH_KEY_SIGNATURE, 0xff, 144);
	assert_int_equal(verify(&e), -EBADMSG);
	setup(state);
	memset(made.auth + AUTH_ID_KEY + 4, 0, 144);
	assert_int_equal(verify(&e), -EBADMSG);
}

static void id_block_refuses_other_lengths(void **state)
{
	struct err e;

	(void)state;
	for (size_t len = 0; len < ID_BLOCK_LEN; len++)
		assert_int_equal(id_block_verify(bytes_of(made.block, len),
					 bytes_of(made.auth, ID_BLOCK_AUTH_LEN), &e),
			-EINVAL);
	assert_int_equal(id_block_verify(bytes_of(made.block, ID_BLOCK_LEN),
				 bytes_of(made.auth, ID_BLOCK_AUTH_LEN - 1), &e),
		-EINVAL);
}

static void id_block_refuses_other_keys(void **state)
{
	struct err e;

	(void)state;
	make_key(other_pem, "P-256", NULL);
	assert_int_equal(
		id_block_sign(&made, &spec, text_of(other_pem), text_of(author_pem), &e), -EINVAL);
	assert_non_null(strstr(e.text, "P-384"));
	assert_int_equal(
		id_block_sign(&made, &spec, text_of(id_pem), text_of(other_pem), &e), -EINVAL);
	assert_non_null(strstr(e.text, "author key"));
	make_key(other_pem, "P-521", NULL);
	assert_int_equal(
		id_block_sign(&made, &spec, text_of(other_pem), text_of(author_pem), &e), -EINVAL);
	make_key(other_pem, "P-384", "secret");
	assert_int_equal(
		id_block_sign(&made, &spec, text_of(other_pem), text_of(author_pem), &e), -EINVAL);
	assert_int_equal(
		id_block_sign(&made, &spec, text_of(""), text_of(author_pem), &e), -EINVAL);
}

static void id_block_refuses_every_truncated_key(void **state)
{
	size_t len = strlen(id_pem);
	struct err e;

	(void)state;
	for (size_t cut = 0; cut + 2 < len; cut++)
		assert_int_equal(
			id_block_sign(&made, &spec, bytes_of(id_pem, cut), text_of(author_pem), &e),
			-EINVAL);
	assert_null(strstr(e.text, "MI")); /* nothing of the key */
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup(id_block_verifies_what_it_made, setup),
	cmocka_unit_test_setup(id_block_has_the_layout_of_the_table, setup),
	cmocka_unit_test_setup(id_block_refuses_any_changed_byte, setup),
	cmocka_unit_test_setup(id_block_refuses_zero_signatures_and_keys, setup),
	cmocka_unit_test_setup(id_block_refuses_other_lengths, setup),
	cmocka_unit_test_setup(id_block_refuses_other_keys, setup),
	cmocka_unit_test_setup(id_block_refuses_every_truncated_key, setup),
};
UNIT_MAIN(tests)
