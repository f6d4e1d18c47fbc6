/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fd.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

static void fd_passes_descriptors_with_bytes(void **state)
{
	int sock[2], pipe_ends[2], got[2];
	size_t n = 2;
	char buf[8];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sock), 0);
	assert_int_equal(pipe(pipe_ends), 0);
	assert_int_equal(fd_send(sock[0], "hello", 5, pipe_ends, 2), 0);
	assert_int_equal(fd_recv(sock[1], buf, sizeof(buf), got, &n), 5);
	assert_int_equal(n, 2);
	assert_int_equal(fd_write_full(got[1], "x", 1), 0);
	assert_int_equal(fd_read_full(pipe_ends[0], buf, 1), 0);
	assert_true(fcntl(got[0], F_GETFD) & FD_CLOEXEC);
	for (int i = 0; i < 2; i++)
		close(sock[i]), close(pipe_ends[i]), close(got[i]);
}

static void fd_recv_closes_descriptors_when_too_many_come(void **state)
{
	int sock[2], pipe_ends[2], got[1];
	size_t n = 1;
	char buf[8];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sock), 0);
	assert_int_equal(pipe(pipe_ends), 0);
	assert_int_equal(fd_send(sock[0], "x", 1, pipe_ends, 2), 0);
	assert_int_equal(fd_recv(sock[1], buf, sizeof(buf), got, &n), -EMSGSIZE);
	assert_int_equal(n, 0);
	close(pipe_ends[1]); /* the last write end: the reader must see the end now */
	assert_int_equal(read(pipe_ends[0], buf, 1), 0);
	close(pipe_ends[0]), close(sock[0]), close(sock[1]);
}

static void fd_read_full_reports_early_end(void **state)
{
	int pipe_ends[2];
	char buf[4];

	(void)state;
	assert_int_equal(pipe(pipe_ends), 0);
	assert_int_equal(fd_write_full(pipe_ends[1], "ab", 2), 0);
	close(pipe_ends[1]);
	assert_int_equal(fd_read_full(pipe_ends[0], buf, 4), -EPIPE);
	close(pipe_ends[0]);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(fd_passes_descriptors_with_bytes),
	cmocka_unit_test(fd_recv_closes_descriptors_when_too_many_come),
	cmocka_unit_test(fd_read_full_reports_early_end),
};
UNIT_MAIN(tests)
