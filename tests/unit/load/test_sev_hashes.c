/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hex.h"
#include "tests/unit/unit.h"
#include "vmm/load/sev_hashes.h"

/* computed with another program from the format's description */
static const char known[] = "06d63894224fc94cb479a793d411fd21a800"
			    "d82dd09720bd944caa78e7714d36ab2a3200"
			    "c801d8e83dec6220b30fe179a8aabec923c8977255530ecc7dc23b95a6959bbc"
			    "31f7ba442f3ad74b9af141e29169781d3200"
			    "09e6c018d2c8c4903308613dd1b72484d57eadf12ec50ddc8f52e5accce470f2"
			    "3794e74dd2ab7f42b835d5b172d2045b3200"
			    "6923dd1bc0460082c5d55a831908c24a282860b7f1cd6c2b79cf1bc8857c639c"
			    "0000000000000000";

static void sev_hashes_writes_the_known_table(void **state)
{
	uint8_t table[SEV_HASHES_TABLE];
	char text[HEX_TEXT_LEN(SEV_HASHES_TABLE)];
	struct sev_hashes h;
	struct err e;

	(void)state;
	assert_int_equal(sev_hashes_file(h.kernel, bytes_of("kernel", 6), &e), 0);
	assert_int_equal(sev_hashes_file(h.initrd, bytes_of("initrd", 6), &e), 0);
	assert_int_equal(sev_hashes_cmdline(h.cmdline, "quiet", &e), 0);
	sev_hashes_write(table, &h);
	hex_encode(text, table, sizeof(table));
	assert_string_equal(text, known);
}

static void sev_hashes_of_nothing(void **state)
{
	char text[HEX_TEXT_LEN(SEV_HASHES_LEN)];
	uint8_t out[SEV_HASHES_LEN];
	struct err e;

	(void)state;
	assert_int_equal(sev_hashes_file(out, bytes_of("", 0), &e), 0);
	hex_encode(text, out, sizeof(out));
	assert_string_equal(
		text, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	/* no command line is one NUL */
	assert_int_equal(sev_hashes_cmdline(out, "", &e), 0);
	hex_encode(text, out, sizeof(out));
	assert_string_equal(
		text, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(sev_hashes_writes_the_known_table),
	cmocka_unit_test(sev_hashes_of_nothing),
};
UNIT_MAIN(tests)
