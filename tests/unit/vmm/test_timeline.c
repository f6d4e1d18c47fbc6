/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fd.h"
#include "tests/unit/unit.h"
#include "vmm/timeline.h"
#include "vmm/timeline_text.h"

#include <jansson.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void say(struct timeline *t, const char *text)
{
	while (*text)
		timeline_byte(t, (uint8_t)*text++);
}

/* written() - the timeline as text; the caller frees it */
static char *written(struct timeline *t, bool svg)
{
	cleanup_fd int fd = memfd_create("timeline", MFD_CLOEXEC);
	char *text = calloc(1, 1 << 16);

	assert_int_equal(timeline_write(t, fd, svg), 0);
	assert_true(pread(fd, text, (1 << 16) - 1, 0) > 0);
	return text;
}

static unsigned int count(const char *text, const char *what)
{
	unsigned int n = 0;

	while ((text = strstr(text, what))) {
		n++;
		text += strlen(what);
	}
	return n;
}

static void timeline_marks_first_line_with_text(void **state)
{
	struct err e = ERR_INIT;
	struct timeline *t;
	char *text;

	(void)state;
	assert_int_equal(timeline_create(&t, &e), 0);
	assert_true(timeline_watch_for(t, "my marker"));
	say(t, "\x1b[0mLinux version 6.1\nthis is my marker, and\nagain my marker\nhost login:");
	text = written(t, false);
	assert_int_equal(count(text, "\"first output\""), 1);
	assert_int_equal(count(text, "\"kernel speaks\""), 1);
	assert_int_equal(count(text, "\"my marker\""), 1);
	assert_int_equal(count(text, "\"login prompt\""), 1);
	assert_int_equal(count(text, "\"init starts\""), 0);
	free(text);
	timeline_destroy(t);
}

static void timeline_marks_each_code_once(void **state)
{
	struct err e = ERR_INIT;
	struct timeline *t;
	char *text;

	(void)state;
	assert_int_equal(timeline_create(&t, &e), 0);
	for (unsigned int i = 0; i < 3; i++) {
		timeline_code(t, 0x41);
		timeline_code(t, 0xff);
	}
	text = written(t, false);
	assert_int_equal(count(text, "\"debug port 0x41\""), 1);
	assert_int_equal(count(text, "\"debug port 0xff\""), 1);
	free(text);
	timeline_destroy(t);
}

static void timeline_keeps_its_bounds_when_the_guest_talks_much(void **state)
{
	struct err e = ERR_INIT;
	struct timeline *t;
	char *text;

	(void)state;
	assert_int_equal(timeline_create(&t, &e), 0);
	for (unsigned int i = 0; i < 5000; i++)
		timeline_byte(t, 'x');
	for (unsigned int i = 0; i < 256; i++)
		timeline_code(t, (uint8_t)i);
	text = written(t, true);
	assert_int_equal(count(text, "debug port"), TIMELINE_MAX - 2);
	free(text);
	timeline_destroy(t);
}

static void timeline_escapes_names_for_both_forms(void **state)
{
	static const char name[] = "<b> & \"q\" \x01\xc3";
	struct err e = ERR_INIT;
	struct timeline *t;
	json_t *all;
	char *text;

	(void)state;
	assert_int_equal(timeline_create(&t, &e), 0);
	assert_true(timeline_watch_for(t, "<b> & \"q\""));
	say(t, name);
	say(t, "\n");
	text = written(t, true);
	assert_int_equal(count(text, "&#60;b&#62; &#38; \"q\""), 1);
	assert_int_equal(count(text, "<b>"), 0);
	free(text);
	text = written(t, false);
	all = json_loads(text, 0, NULL);
	assert_non_null(all);
	json_decref(all);
	free(text);
	timeline_destroy(t);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(timeline_marks_first_line_with_text),
	cmocka_unit_test(timeline_marks_each_code_once),
	cmocka_unit_test(timeline_keeps_its_bounds_when_the_guest_talks_much),
	cmocka_unit_test(timeline_escapes_names_for_both_forms),
};
UNIT_MAIN(tests)
