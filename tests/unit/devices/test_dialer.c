/* SPDX-License-Identifier: Apache-2.0 */
#include "devices/back/dialer.h"

#include "base/fd.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static bool there(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISSOCK(st.st_mode);
}

/* What a device process has of a dialer, given up as if that had ended. */
static void ends_close(struct dialer_ends *ends)
{
	fd_drop(&ends->listen);
	fd_drop(&ends->dial);
}

static void dialer_leaves_socket_to_successor(void **state)
{
	char dir[] = "/tmp/dialer-XXXXXX", path[64];
	struct dialer_ends first_ends, second_ends;
	struct dialer first, second;
	struct err e = ERR_INIT;
	struct loop *loop;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/socket", dir);
	assert_int_equal(loop_create(&loop, &e), 0);
	assert_int_equal(dialer_init(&first, loop, path, &first_ends, &e), 0);
	assert_int_equal(dialer_init(&second, loop, path, &second_ends, &e), -EADDRINUSE);
	ends_close(&first_ends);
	e = (struct err)ERR_INIT;
	assert_int_equal(dialer_init(&second, loop, path, &second_ends, &e), 0);
	dialer_disown(&first);
	dialer_fini(&first);
	assert_true(there(path));
	dialer_fini(&second);
	assert_false(there(path));
	ends_close(&second_ends);
	loop_destroy(loop);
	assert_int_equal(rmdir(dir), 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(dialer_leaves_socket_to_successor),
};
UNIT_MAIN(tests)
