/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/pcs_doc.h"

#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#define DATES "\"issueDate\":\"2027-01-01T00:00:00Z\",\"nextUpdate\":\"2027-02-01T00:00:00Z\""
#define SIG                                                                                        \
	"\"00000000000000000000000000000000000000000000000000000000000000000000000000000000000000" \
	"000000000000000000000000000000000000000000\""

static void check_span(const char *text, const char *want)
{
	struct bytes span = pcs_doc_span(bytes_of(text, strlen(text)), "m");

	if (!want) {
		assert_true(span.failed);
		return;
	}
	assert_false(span.failed);
	assert_int_equal(span.left, strlen(want));
	assert_memory_equal(span.at, want, span.left);
}

static void pcs_doc_span_is_the_text_as_it_stands(void **state)
{
	(void)state;
	check_span("{\"m\":{\"a\":1}}", "{\"a\":1}");
	check_span(" {\n\t\"m\" : { \"a\" : [1, {}] } , \"x\":1}", "{ \"a\" : [1, {}] }");
	check_span("{\"x\":\"{\\\"m\\\":1\",\"m\":{}}", "{}");
	check_span("{\"x\":\"\\\\\",\"m\":[\"]\",\"}\"]}", "[\"]\",\"}\"]");
	check_span("{\"x\":{\"m\":1},\"m\":2}", "2");
	check_span("{\"x\":{\"m\":1}}", NULL);
	check_span("{\"mm\":1,\"\":2}", NULL);
	check_span("{\"\\u006d\":1}", NULL);
	check_span("{}", NULL);
}

static int parse(const char *text, struct pcs_doc *d)
{
	struct err e = ERR_INIT;

	return pcs_doc_parse(d, bytes_of(text, strlen(text)), "tcbInfo", &e);
}

static void pcs_doc_parses_what_it_spans(void **state)
{
	cleanup_pcs_doc struct pcs_doc d = PCS_DOC_INIT;

	(void)state;
	assert_int_equal(parse("{\"tcbInfo\": {" DATES "} ,\"signature\":" SIG "}\n", &d), 0);
	assert_int_equal(d.issued, 1798761600);
	assert_int_equal(d.next_update - d.issued, 31 * 86400);
	assert_memory_equal(d.raw.at, "{" DATES "}", d.raw.left);
}

static void pcs_doc_refuses_ambiguous_and_damaged_text(void **state)
{
	static const char *const texts[] = {
		"",
		"{}",
		"[]",
		"{\"tcbInfo\":{" DATES "}}",
		"{\"tcbInfo\":{" DATES "},\"signature\":\"00\"}",
		"{\"tcbInfo\":[" SIG "],\"signature\":" SIG "}",
		"{\"tcbInfo\":{" DATES "},\"tcbInfo\":{" DATES "},\"signature\":" SIG "}",
		"{\"tcbInfo\":{" DATES "},\"tcb\\u0049nfo\":{},\"signature\":" SIG "}",
		"{\"tcb\\u0049nfo\":{" DATES "},\"signature\":" SIG "}",
		"{\"tcbInfo\":{" DATES "," DATES "},\"signature\":" SIG "}",
		"{\"tcbInfo\":{\"issueDate\":\"2027-01-01\"},\"signature\":" SIG "}",
		"{\"tcbInfo\":{" DATES "},\"signature\":" SIG "}{}",
	};
	struct pcs_doc d;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (!parse(texts[i], &d))
			fail_msg("accepted: %s", texts[i]);
}

static void pcs_doc_refuses_every_truncation(void **state)
{
	static const char text[] = "{\"tcbInfo\":{" DATES "},\"signature\":" SIG "}";
	struct err e = ERR_INIT;
	struct pcs_doc d;

	(void)state;
	for (size_t len = 0; len < sizeof(text) - 1; len++)
		assert_int_not_equal(pcs_doc_parse(&d, bytes_of(text, len), "tcbInfo", &e), 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(pcs_doc_span_is_the_text_as_it_stands),
	cmocka_unit_test(pcs_doc_parses_what_it_spans),
	cmocka_unit_test(pcs_doc_refuses_ambiguous_and_damaged_text),
	cmocka_unit_test(pcs_doc_refuses_every_truncation),
};

UNIT_MAIN(tests)
