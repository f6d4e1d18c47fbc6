/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "tests/unit/unit.h"

#include <stdbool.h>
#include <string.h>
#include <unistd.h>

/* Standard error of the test goes into a pipe between these two. */
static int saved_stderr, pipe_end;

static void capture_begin(void)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	saved_stderr = dup(STDERR_FILENO);
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	pipe_end = ends[0];
}

/* capture_end() - what was written since, as text of at most size - 1 bytes. */
static void capture_end(char *text, size_t size)
{
	size_t n = 0;
	ssize_t got;

	dup2(saved_stderr, STDERR_FILENO); /* closes the last write end */
	close(saved_stderr);
	while ((got = read(pipe_end, text + n, size - 1 - n)) > 0)
		n += (size_t)got;
	close(pipe_end);
	text[n] = '\0';
}

static void log_prints_up_to_its_level(void **state)
{
	char text[256];

	(void)state;
	capture_begin();
	log_set_level(LOG_INFO);
	log_info("disk", "opened %d", 3);
	log_debug("disk", "not this");
	log_set_level(LOG_ERROR);
	log_warn("disk", "nor this");
	log_error("vm", "this");
	capture_end(text, sizeof(text));
	assert_int_equal(log_get_level(), LOG_ERROR);
	assert_string_equal(text, "cloister[disk]: opened 3\ncloister[vm]: this\n");
}

static void log_cuts_long_lines_and_ends_them(void **state)
{
	char text[2048], message[1500];

	(void)state;
	memset(message, 'x', sizeof(message) - 1);
	message[sizeof(message) - 1] = '\0';
	capture_begin();
	log_error("vm", "%s", message);
	capture_end(text, sizeof(text));
	assert_in_range(strlen(text), 1000, 1024);
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

static void log_limit_passes_eight_then_powers_of_two(void **state)
{
	struct log_limit limit = {0};

	(void)state;
	for (uint64_t n = 1; n <= 100; n++) {
		bool wanted = n <= 8 || n == 16 || n == 32 || n == 64;

		assert_int_equal(log_limit_pass(&limit), wanted ? n : 0);
	}
	assert_int_equal(limit.seen, 100);
}

static void log_limited_counts_per_call_site(void **state)
{
	char text[4096];
	int lines = 0;

	(void)state;
	log_set_level(LOG_WARN);
	capture_begin();
	for (int i = 0; i < 1000; i++)
		log_limited(LOG_WARN, "guest", "bad ring %d", i);
	for (int i = 0; i < 2; i++)
		log_limited(LOG_WARN, "guest", "another");
	capture_end(text, sizeof(text));
	for (const char *at = text; (at = strchr(at, '\n')); at++)
		lines++;
	/* 1 to 8, 16 to 512; then two of the other site */
	assert_int_equal(lines, 8 + 6 + 2);
	assert_non_null(strstr(text, "cloister[guest]: bad ring 511 (occurrence 512)\n"));
	assert_non_null(strstr(text, "cloister[guest]: another (occurrence 2)\n"));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(log_prints_up_to_its_level),
	cmocka_unit_test(log_cuts_long_lines_and_ends_them),
	cmocka_unit_test(log_limit_passes_eight_then_powers_of_two),
	cmocka_unit_test(log_limited_counts_per_call_site),
};
UNIT_MAIN(tests)
