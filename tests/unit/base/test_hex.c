/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hex.h"
#include "tests/unit/unit.h"

static void hex_writes_lower_case(void **state)
{
	char text[HEX_TEXT_LEN(3)];

	(void)state;
	hex_encode(text, "\x00\xaf\x9c", 3);
	assert_string_equal(text, "00af9c");
	hex_encode(text, "", 0);
	assert_string_equal(text, "");
}

static void hex_reads_both_cases(void **state)
{
	uint8_t out[3];

	(void)state;
	assert_int_equal(hex_decode("00aF9C", out, 3), 0);
	assert_memory_equal(out, "\x00\xaf\x9c", 3);
	assert_int_equal(hex_decode("", out, 0), 0);
}

static void hex_refuses_other_lengths_and_characters(void **state)
{
	uint8_t out[3];

	(void)state;
	assert_int_not_equal(hex_decode("00af9", out, 3), 0);
	assert_int_not_equal(hex_decode("00af9c0", out, 3), 0);
	assert_int_not_equal(hex_decode("0x00af", out, 3), 0);
	assert_int_not_equal(hex_decode("00af9g", out, 3), 0);
	assert_int_not_equal(hex_decode("00af9\xff", out, 3), 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(hex_writes_lower_case),
	cmocka_unit_test(hex_reads_both_cases),
	cmocka_unit_test(hex_refuses_other_lengths_and_characters),
};
UNIT_MAIN(tests)
