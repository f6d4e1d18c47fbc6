/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"
#include "vmm/hv/sev_text.h"

static void sev_text_names_firmware_errors(void **state)
{
	(void)state;
	assert_string_equal(sev_text_error(0x0b), "BAD_MEASUREMENT");
	assert_string_equal(sev_text_error(0x27), "INVALID_KEY");
	assert_string_equal(sev_text_error(0x1e), "unknown"); /* a gap in the table */
	assert_string_equal(sev_text_error(0x28), "unknown");
	assert_string_equal(sev_text_error(UINT32_MAX), "the firmware was not called");
	assert_string_equal(sev_text_hint(0x0b), "the ID block is for another launch digest");
	assert_string_equal(sev_text_hint(0x01), "");
	assert_string_equal(sev_text_hint(UINT32_MAX), "");
}

static void sev_text_tells_why_a_guest_terminated(void **state)
{
	static const struct {
		uint64_t msr;
		const char *text;
	} cases[] = {
		{0x100, "reason set 0 code 0 (general: terminated on request)"},
		{0x2100 | 5 << 16, "reason set 2 code 5"},
		{0x1100 | 1 << 16, "reason set 1 code 1 (Linux: a page state change failed)"},
		{0x1100 | 12 << 16, "reason set 1 code 12 (Linux: secure AVIC could not be set up)"},
		{0x1100 | 13 << 16, "reason set 1 code 13"},
		{0x0100 | 3 << 16, "reason set 0 code 3"},
		{UINT64_MAX, "reason set 15 code 255"},
	};
	char text[96];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sev_text_termination(text, sizeof(text), cases[i].msr);
		assert_string_equal(text, cases[i].text);
	}
	sev_text_termination(text, 8, 0x100);
	assert_string_equal(text, "reason ");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(sev_text_names_firmware_errors),
	cmocka_unit_test(sev_text_tells_why_a_guest_terminated),
};

UNIT_MAIN(tests)
