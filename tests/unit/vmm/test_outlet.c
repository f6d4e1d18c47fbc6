/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/outlet.h"

#include "base/fd.h"
#include "base/num.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

static char folder[] = "/tmp/outlet-XXXXXX";
static char path[64];
static struct loop *loop;
static struct err e;

static int prepare(void **state)
{
	(void)state;
	e = (struct err)ERR_INIT;
	if (!mkdtemp(folder) || loop_create(&loop, &e))
		return -1;
	snprintf(path, sizeof(path), "%s/socket", folder);
	return 0;
}

static int clean_up(void **state)
{
	(void)state;
	loop_destroy(loop);
	return rmdir(folder); /* fails if something is left there */
}

static void turn(void)
{
	for (int i = 0; i < 64; i++)
		assert_int_equal(loop_run_once(loop, 0), 0);
}

static struct outlet *open_outlet(int mode)
{
	struct stream_config c = {.mode = mode, .socket = path};
	struct outlet *o;

	assert_int_equal(outlet_create(&o, "serial", &c, loop, &e), 0);
	return o;
}

static int client(void)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(addr.sun_path, path, strlen(path) + 1);
	assert_int_equal(connect(sock, (struct sockaddr *)&addr, sizeof(addr)), 0);
	turn();
	return sock;
}

/* print() - what the guest's side writes; it must never find no room. */
static void print(struct outlet *o, const char *text, size_t len)
{
	assert_int_equal(write(outlet_fd(o), text, len), len);
	turn();
}

static void want(int fd, const char *text)
{
	char got[64] = "";

	assert_int_equal(read(fd, got, sizeof(got) - 1), strlen(text));
	assert_string_equal(got, text);
}

static void outlet_is_none_for_other_modes(void **state)
{
	(void)state;
	for (int mode = STREAM_OFF; mode <= STREAM_FILE; mode++)
		assert_null(open_outlet(mode));
	assert_int_equal(outlet_fd(NULL), -1);
	assert_null(outlet_terminal(NULL));
	outlet_destroy(NULL);
}

static void outlet_keeps_output_for_client_that_comes_late(void **state)
{
	struct outlet *o = open_outlet(STREAM_SOCKET);
	struct stat st;
	int sock;

	(void)state;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	print(o, "early ", 6);
	sock = client();
	print(o, "late", 4);
	want(sock, "early late");
	assert_int_equal(write(sock, "typed", 5), 5);
	turn();
	want(outlet_fd(o), "typed");
	close(sock);
	outlet_destroy(o);
}

static void outlet_keeps_the_latest_when_nobody_reads(void **state)
{
	struct outlet *o = open_outlet(STREAM_SOCKET);
	static char line[4096], got[2 * OUTLET_KEPT];
	size_t have = 0;
	ssize_t n;
	int sock;

	(void)state;
	for (char c = 'a'; c <= 'z'; c++) { /* 104 KiB */
		memset(line, c, sizeof(line));
		print(o, line, sizeof(line));
	}
	sock = client();
	while ((n = recv(sock, got + have, sizeof(got) - have, MSG_DONTWAIT)) > 0) {
		have += (size_t)n;
		turn();
	}
	assert_int_equal(have, OUTLET_KEPT);
	assert_int_equal(got[0], 'z' - OUTLET_KEPT / sizeof(line) + 1);
	assert_int_equal(got[have - 1], 'z');
	close(sock);
	outlet_destroy(o);
}

static void outlet_never_waits_for_slow_client(void **state)
{
	struct outlet *o = open_outlet(STREAM_SOCKET);
	static char line[4096];
	int sock = client();

	(void)state;
	for (int i = 0; i < 512; i++) /* 2 MiB */
		print(o, line, sizeof(line));
	print(o, "end", 3);
	close(sock);
	turn();
	sock = client();
	assert_true(recv(sock, line, sizeof(line), MSG_DONTWAIT) > 0);
	close(sock);
	outlet_destroy(o);
}

static void outlet_has_one_client_at_a_time(void **state)
{
	struct outlet *o = open_outlet(STREAM_SOCKET);
	int first = client(), second = client();
	char byte;

	(void)state;
	assert_int_equal(recv(second, &byte, 1, 0), 0);
	close(second);
	print(o, "one", 3);
	want(first, "one");
	assert_int_equal(shutdown(first, SHUT_WR), 0); /* reads on */
	turn();
	print(o, "two", 3);
	want(first, "two");
	close(first);
	turn();
	second = client();
	print(o, "three", 5);
	want(second, "three");
	close(second);
	outlet_destroy(o);
}

static void outlet_holds_input_that_guest_does_not_take(void **state)
{
	struct outlet *o = open_outlet(STREAM_SOCKET);
	static char sent[4096], got[4096];
	int sock = client(), flags = fcntl(sock, F_GETFL);
	size_t in = 0, out = 0;
	ssize_t n;

	(void)state;
	assert_int_equal(fcntl(sock, F_SETFL, flags | O_NONBLOCK), 0);
	do {
		n = write(sock, sent, sizeof(sent));
		in += n > 0 ? (size_t)n : 0;
		turn();
	} while (n > 0);
	assert_int_equal(errno, EAGAIN);
	for (int idle = 0; idle < 3; turn()) {
		n = read(outlet_fd(o), got, sizeof(got));
		out += n > 0 ? (size_t)n : 0;
		idle = n > 0 ? 0 : idle + 1;
	}
	assert_int_equal(out, in);
	close(sock);
	outlet_destroy(o);
}

static void outlet_refuses_path_that_is_taken(void **state)
{
	struct outlet *o = open_outlet(STREAM_SOCKET), *other;
	struct stream_config c = {.mode = STREAM_SOCKET, .socket = path};
	int fd;

	(void)state;
	assert_int_equal(outlet_create(&other, "console", &c, loop, &e), -EBUSY);
	assert_non_null(strstr(e.text, "--console"));
	outlet_destroy(o);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	close(fd);
	assert_int_equal(outlet_create(&other, "console", &c, loop, &e), -EEXIST);
	assert_non_null(strstr(e.text, path));
	assert_int_equal(unlink(path), 0);
}

static void outlet_terminal_passes_every_byte(void **state)
{
	static const char bytes[] = "a\r\n\003\004b";
	struct outlet *o = open_outlet(STREAM_PTY);
	char byte;
	int fd;

	(void)state;
	assert_int_equal(read(outlet_fd(o), &byte, 1), -1); /* nobody there: no error, no end */
	assert_int_equal(errno, EAGAIN);
	for (int i = 0; i < 2; i++) { /* who goes may come again */
		fd = open(outlet_terminal(o), O_RDWR | O_NOCTTY | O_CLOEXEC);
		assert_true(fd >= 0);
		print(o, bytes, sizeof(bytes) - 1);
		want(fd, bytes);
		assert_int_equal(write(fd, bytes, sizeof(bytes) - 1), sizeof(bytes) - 1);
		want(outlet_fd(o), bytes);
		close(fd);
	}
	outlet_destroy(o);
}

static void outlet_terminal_does_not_wait_for_reader(void **state)
{
	struct outlet *o = open_outlet(STREAM_PTY);
	static char line[4096];
	ssize_t n = 1;

	(void)state;
	for (int i = 0; i < 1024 && n > 0; i++)
		n = write(outlet_fd(o), line, sizeof(line));
	assert_int_equal(n, -1);
	assert_int_equal(errno, EAGAIN);
	outlet_destroy(o);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(outlet_is_none_for_other_modes),
	cmocka_unit_test(outlet_keeps_output_for_client_that_comes_late),
	cmocka_unit_test(outlet_keeps_the_latest_when_nobody_reads),
	cmocka_unit_test(outlet_never_waits_for_slow_client),
	cmocka_unit_test(outlet_has_one_client_at_a_time),
	cmocka_unit_test(outlet_holds_input_that_guest_does_not_take),
	cmocka_unit_test(outlet_refuses_path_that_is_taken),
	cmocka_unit_test(outlet_terminal_passes_every_byte),
	cmocka_unit_test(outlet_terminal_does_not_wait_for_reader),
};

int main(void)
{
	return cmocka_run_group_tests_name("outlet", tests, prepare, clean_up);
}
