/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file_map.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void with_file(const char *text, struct file_map *map)
{
	char path[] = "file_map.XXXXXX";
	int fd = mkstemp(path);
	struct err e;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	assert_int_equal(file_map_open(map, path, &e), 0);
	unlink(path);
}

static void file_map_shows_the_bytes(void **state)
{
	struct file_map map;

	(void)state;
	with_file("hello", &map);
	assert_int_equal(map.len, 5);
	assert_memory_equal(map.data, "hello", 5);
	file_map_close(&map);
	assert_null(map.data);
	file_map_close(&map);
}

static void file_map_opens_an_empty_file(void **state)
{
	struct file_map map;

	(void)state;
	with_file("", &map);
	assert_int_equal(map.len, 0);
	assert_non_null(map.data);
	file_map_close(&map);
}

static void file_map_names_the_file_when_it_fails(void **state)
{
	struct file_map map;
	struct err e;

	(void)state;
	assert_int_equal(file_map_open(&map, "no/such.file", &e), -ENOENT);
	assert_non_null(strstr(e.text, "no/such.file: No such file"));
	assert_int_equal(file_map_open(&map, "/", &e), -EINVAL);
	assert_int_equal(file_map_open(&map, "/dev/zero", &e), -EINVAL);
	assert_string_equal(e.text, "/dev/zero: not a regular file");
	assert_null(map.data);
}

static void file_map_does_not_wait_on_a_fifo(void **state)
{
	char path[64];
	struct file_map map;
	struct err e;

	(void)state;
	snprintf(path, sizeof(path), "file_map.fifo.%d", (int)getpid());
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(file_map_open(&map, path, &e), -EINVAL);
	unlink(path);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(file_map_shows_the_bytes),
	cmocka_unit_test(file_map_opens_an_empty_file),
	cmocka_unit_test(file_map_names_the_file_when_it_fails),
	cmocka_unit_test(file_map_does_not_wait_on_a_fifo),
};
UNIT_MAIN(tests)
