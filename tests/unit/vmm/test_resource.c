/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/resource.h"

#include "base/fd.h"
#include "tests/unit/unit.h"
#include "vmm/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char folder[] = "/tmp/resource-XXXXXX";
static char path[64];
static struct err e;

static int prepare(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int clean_up(void **state)
{
	(void)state;
	return rmdir(folder);
}

static const char *file(off_t len)
{
	cleanup_fd int fd = -1;

	e = (struct err)ERR_INIT;
	snprintf(path, sizeof(path), "%s/file", folder);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, len), 0);
	return path;
}

static const char *fifo(void)
{
	e = (struct err)ERR_INIT;
	snprintf(path, sizeof(path), "%s/fifo", folder);
	assert_int_equal(mkfifo(path, 0600), 0);
	return path;
}

static int open_disk(const char *name, bool readonly)
{
	struct disk_config disk = {.path = (char *)(uintptr_t)name, .readonly = readonly};

	e = (struct err)ERR_INIT;
	return resource_open_disk(&disk, &e);
}

static void resource_locks_a_disk_against_all_when_writable(void **state)
{
	const char *name = file(4096);
	int first = open_disk(name, false);

	(void)state;
	assert_true(first >= 0);
	assert_int_equal(fcntl(first, F_GETFD), FD_CLOEXEC);
	assert_int_equal(open_disk(name, false), -EBUSY);
	assert_non_null(strstr(e.text, name));
	assert_int_equal(open_disk(name, true), -EBUSY);
	close(first);
	first = open_disk(name, false);
	assert_true(first >= 0);
	close(first);
	unlink(name);
}

static void resource_shares_a_disk_when_all_only_read(void **state)
{
	const char *name = file(4096);
	int first = open_disk(name, true), second = open_disk(name, true);

	(void)state;
	assert_true(first >= 0);
	assert_true(second >= 0);
	assert_int_equal(open_disk(name, false), -EBUSY);
	close(first);
	close(second);
	unlink(name);
}

static void resource_names_what_is_no_disk(void **state)
{
	(void)state;
	assert_int_equal(open_disk(folder, false), -EISDIR);
	assert_int_equal(open_disk(folder, true), -EISDIR);
	assert_int_equal(open_disk(file(511), false), -EINVAL);
	assert_non_null(strstr(e.text, "512"));
	unlink(path);
	assert_int_equal(open_disk(path, false), -ENOENT);
	assert_int_equal(open_disk(fifo(), true), -EINVAL);
	assert_int_equal(open_disk(path, false), -EINVAL);
	assert_non_null(strstr(e.text, path));
	unlink(path);
	assert_int_equal(open_disk("/dev/null", true), -EINVAL);
}

static void resource_does_not_wait_for_the_reader_of_a_fifo(void **state)
{
	struct stream_config c = {.mode = STREAM_FILE, .file = path};
	int fds[2] = {-1, -1}, reader;

	(void)state;
	fifo();
	assert_int_equal(resource_open_console(&c, -1, fds, &e), -ENXIO);
	assert_non_null(strstr(e.text, "--console"));
	assert_int_equal(fds[0], -1);
	reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_int_equal(resource_open_console(&c, -1, fds, &e), 0);
	assert_false(fcntl(fds[1], F_GETFL) & O_NONBLOCK);
	assert_int_equal(write(fds[1], "x", 1), 1);
	close(fds[0]);
	close(fds[1]);
	close(reader);
	unlink(path);
}

static void resource_opens_no_folder_as_entropy(void **state)
{
	int fd = resource_open_rng("/dev/zero", &e);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(resource_open_rng(folder, &e), -EISDIR);
	assert_int_equal(resource_open_rng("/nonexistent", &e), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(resource_locks_a_disk_against_all_when_writable),
		cmocka_unit_test(resource_shares_a_disk_when_all_only_read),
		cmocka_unit_test(resource_names_what_is_no_disk),
		cmocka_unit_test(resource_does_not_wait_for_the_reader_of_a_fifo),
		cmocka_unit_test(resource_opens_no_folder_as_entropy),
	};

	return cmocka_run_group_tests(tests, prepare, clean_up);
}
