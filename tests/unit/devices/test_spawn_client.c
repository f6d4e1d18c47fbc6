/* SPDX-License-Identifier: Apache-2.0 */
#include "devices/front/spawn_client.h"

#include "base/fd.h"
#include "base/log.h"
#include "devices/back/spawner.h"
#include "devices/wire/virtio.h"
#include "tests/unit/devices/board.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

static int make_image(void)
{
	int fd = memfd_create("image", MFD_CLOEXEC);

	assert_int_equal(ftruncate(fd, 0x100000), 0);
	return fd;
}

static struct spawn_desc disk(int image)
{
	return (struct spawn_desc){.kind = SPAWN_BLK,
		.flags = SPAWN_BEST_EFFORT,
		.n_queues = 1,
		.name = "disk0",
		.serial = "s",
		.ledger_fd = -1,
		.counters_fd = -1,
		.fds = {image},
		.n_fds = 1};
}

static void spawn_client_gets_a_device_that_works(void **state)
{
	struct spawn_child child;
	struct virtio_pci_desc d;
	struct spawn_desc sd;
	struct err e = ERR_INIT;
	struct board b;
	struct pollfd p = {.events = POLLIN};
	int spawner, status;
	pid_t pid;

	(void)state;
	assert_int_equal(spawner_start(&spawner, &pid, FILTER_KILL, &e), 0);
	board_init(&b);
	sd = disk(make_image());
	assert_int_equal(spawn_device(spawner, &sd, &child, &e), 0);
	fd_drop(&sd.fds[0]);
	assert_true(child.pid > 0);
	p.fd = dup(child.pidfd);
	d = board_desc(&b, child.sock, 1);
	d.pidfd = child.pidfd;
	d.timeout_ms = 5000;
	assert_int_equal(virtio_pci_create(&b.dev, &d, &e), 0);
	board_probe(&b);
	assert_int_equal(board_read(&b, b.config, 8), 0x100000 / 512);
	assert_true(board_start(&b) & VIRTIO_STATUS_DRIVER_OK);
	assert_false(GET(&b, device_status) & VIRTIO_STATUS_NEEDS_RESET);
	assert_int_equal(poll(&p, 1, 0), 0);
	board_fini(&b);
	assert_int_equal(poll(&p, 1, 5000), 1);
	fd_drop(&p.fd);
	fd_drop(&spawner);
	assert_int_equal(waitpid(pid, &status, 0), pid);
}

/* With a fake spawner: what it has to say is put into its end before the question comes. */
static int ask(const struct spawn_reply *reply, size_t len, size_t n_fds, struct err *e)
{
	struct spawn_child child = {-1, -1, 0};
	int pair[2], rc;
	struct spawn_desc sd = disk(STDERR_FILENO);
	const int fds[2] = {STDERR_FILENO, STDERR_FILENO};

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	if (len)
		assert_int_equal(fd_send(pair[1], reply, len, fds, n_fds), 0);
	else
		shutdown(pair[1], SHUT_WR);
	rc = spawn_device(pair[0], &sd, &child, e);
	if (!rc) {
		close(child.sock);
		close(child.pidfd);
	}
	close(pair[0]);
	close(pair[1]);
	return rc;
}

static void spawn_client_checks_the_answer(void **state)
{
	struct spawn_reply good = {.pid = 77}, bad = {.status = -ENOENT};
	struct spawn_reply odd = {.status = 3};
	struct err e = ERR_INIT;

	(void)state;
	memset(bad.text, 'x', sizeof(bad.text)); /* no NUL */
	assert_int_equal(ask(&good, sizeof(good), 1, &e), 0);
	assert_int_equal(ask(&bad, sizeof(bad), 0, &e), -ENOENT);
	assert_non_null(strstr(e.text, "disk0: xxx"));
	assert_int_equal(ask(&good, sizeof(good), 0, &e), -EPROTO);
	assert_int_equal(ask(&good, sizeof(good) - 1, 1, &e), -EPROTO);
	assert_int_equal(ask(&good, sizeof(good), 2, &e), -EMSGSIZE);
	assert_int_equal(ask(&odd, sizeof(odd), 0, &e), -EPROTO);
	assert_int_equal(ask(NULL, 0, 0, &e), -EPIPE);
}

static void spawn_client_refuses_names_that_do_not_fit(void **state)
{
	struct spawn_desc sd = disk(STDERR_FILENO);
	struct spawn_child child;
	struct err e = ERR_INIT;

	(void)state;
	sd.name = "a-name-of-more-than-thirty-two-bytes";
	assert_int_equal(spawn_device(-1, &sd, &child, &e), -EINVAL);
	sd.name = "disk0";
	sd.serial = "a-serial-of-21-bytes-";
	assert_int_equal(spawn_device(-1, &sd, &child, &e), -EINVAL);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(spawn_client_gets_a_device_that_works),
	cmocka_unit_test(spawn_client_checks_the_answer),
	cmocka_unit_test(spawn_client_refuses_names_that_do_not_fit),
};
UNIT_MAIN(tests)
