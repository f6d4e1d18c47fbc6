/* SPDX-License-Identifier: Apache-2.0 */
#include "devices/back/spawner.h"

#include "base/fd.h"
#include "devices/wire/spawn.h"
#include "devices/wire/virtio_blk.h"
#include "tests/unit/devices/rig.h"
#include "tests/unit/unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

struct fixture {
	struct rig rig;
	int spawner;
	pid_t spawner_pid;
	int pidfd;
	pid_t pid;      /* the device process */
	char text[120]; /* why there is none */
};

static void open_spawner(struct fixture *f)
{
	struct err e = ERR_INIT;

	memset(f, 0, sizeof(*f));
	f->pidfd = -1;
	assert_int_equal(spawner_start(&f->spawner, &f->spawner_pid, FILTER_KILL, &e), 0);
	rig_open(&f->rig);
}

/* gone() - wait until a process has ended. */
static void gone(int pidfd)
{
	struct pollfd p = {.fd = pidfd, .events = POLLIN};

	assert_int_equal(poll(&p, 1, 10000), 1);
}

static void close_spawner(struct fixture *f)
{
	int status;

	fd_drop(&f->spawner);
	assert_int_equal(waitpid(f->spawner_pid, &status, 0), f->spawner_pid);
	assert_int_equal(status, 0);
	if (f->pidfd >= 0)
		gone(f->pidfd); /* the spawner takes its children along */
	fd_drop(&f->pidfd);
	rig_close(&f->rig);
}

static int new_image(void)
{
	int fd = memfd_create("disk", MFD_CLOEXEC);

	assert_int_equal(ftruncate(fd, 1 << 20), 0);
	assert_int_equal(pwrite(fd, "sector two", 10, 1024), 10);
	return fd;
}

/* ask() - request a device process with the given own descriptors. Return: the reply's status. */
static int ask(struct fixture *f, struct spawn_request req, const int *own, size_t n_own)
{
	int ends[2], fds[8], pidfd = -1;
	size_t n_fds = 1, got = 1;
	struct spawn_reply reply;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	f->rig.sock = ends[0];
	fds[0] = ends[1];
	if (req.flags & SPAWN_LEDGER)
		fds[n_fds++] = f->rig.ledger_fd;
	for (size_t i = 0; i < n_own; i++)
		fds[n_fds++] = own[i];
	req.magic = SPAWN_MAGIC;
	/* What the test machine can't do is named in the log; the jail's parts have tests. */
	req.flags |= SPAWN_BEST_EFFORT;
	assert_int_equal(fd_send(f->spawner, &req, sizeof(req), fds, n_fds), 0);
	fd_drop(&ends[1]);
	assert_int_equal(fd_recv(f->spawner, &reply, sizeof(reply), &pidfd, &got), sizeof(reply));
	memcpy(f->text, reply.text, sizeof(f->text));
	if (reply.status == 0) {
		assert_int_equal(got, 1);
		f->pidfd = pidfd;
		f->pid = reply.pid;
	} else {
		assert_int_equal(got, 0);
	}
	return reply.status;
}

static int ask_blk(struct fixture *f)
{
	const struct spawn_request req = {
		.kind = SPAWN_BLK, .flags = SPAWN_LEDGER, .name = "disk0", .n_queues = 1};
	cleanup_fd int image = new_image();

	return ask(f, req, &image, 1);
}

static void kick_and_wait(struct fixture *f, unsigned int q)
{
	struct pollfd p = {.fd = f->rig.call[q], .events = POLLIN};

	rig_kick(&f->rig, q);
	assert_int_equal(poll(&p, 1, 10000), 1);
}

/* do_read() - read sector 2 through the device process. */
static void do_read(struct fixture *f)
{
	const struct virtio_blk_header h = {.type = VIRTIO_BLK_T_IN, .sector = 2};

	rig_start(&f->rig, 1, VIRTIO_BLK_F_FLUSH);
	/* A reply says that all before it was handled. */
	rig_ask(&f->rig, VHOST_USER_GET_QUEUE_NUM, "", 0);
	memcpy(rig_at(&f->rig, RIG_DATA), &h, sizeof(h));
	rig_desc(&f->rig, RIG_DESC(0), 0, (struct rig_desc){RIG_DATA, 16, RIG_NEXT, 1});
	rig_desc(&f->rig, RIG_DESC(0), 1, (struct rig_desc){RIG_DATA + 0x1000, 513, RIG_WRITE, 0});
	rig_offer(&f->rig, 0, 0);
	kick_and_wait(f, 0);
	assert_int_equal(rig_used(&f->rig, 0), 1);
	assert_memory_equal(rig_at(&f->rig, RIG_DATA + 0x1000), "sector two", 10);
}

/* count_links() - descriptors of a process whose target has `part` in it; "" counts all. */
static int count_links(pid_t pid, const char *part)
{
	char path[64], target[256];
	struct dirent *entry;
	int n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	if (!dir)
		return -1;
	while ((entry = readdir(dir))) {
		ssize_t len = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);

		if (len < 0)
			continue;
		target[len] = 0;
		n += strstr(target, part) != NULL;
	}
	closedir(dir);
	return n;
}

/* count_maps() - mappings of a process that have `part` in their line. */
static int count_maps(pid_t pid, const char *part)
{
	char path[64], line[512];
	FILE *maps;
	int n = 0;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "r");
	if (!maps)
		return -1;
	while (fgets(line, sizeof(line), maps))
		n += strstr(line, part) != NULL;
	fclose(maps);
	return n;
}

/* status_of() - the value behind `key:` in /proc/PID/status. Return: false if it is not there. */
static bool status_of(pid_t pid, const char *key, char value[64])
{
	char path[64], line[256];
	bool found = false;
	FILE *status;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	status = fopen(path, "r");
	if (!status)
		return false;
	while (!found && fgets(line, sizeof(line), status)) {
		size_t len = strlen(key);

		found = !strncmp(line, key, len) && sscanf(line + len, ": %63s", value) == 1;
	}
	fclose(status);
	return found;
}

/* private_kib() - memory that is a process's alone, in KiB; -1 if its /proc is closed. */
static long private_kib(pid_t pid)
{
	char path[64], line[256];
	long total = 0, kib;
	FILE *rollup;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
	rollup = fopen(path, "r");
	if (!rollup)
		return -1;
	while (fgets(line, sizeof(line), rollup))
		if (sscanf(line, "Private_Clean: %ld", &kib) == 1 ||
			sscanf(line, "Private_Dirty: %ld", &kib) == 1)
			total += kib;
	fclose(rollup);
	return total;
}

static void spawner_starts_disk_that_reads(void **state)
{
	struct fixture f;

	(void)state;
	open_spawner(&f);
	if (ask_blk(&f))
		fail_msg("%s", f.text);
	do_read(&f);
	close_spawner(&f);
}

static void spawner_gives_device_nothing_but_its_own(void **state)
{
	cleanup_fd UNUSED int planted = memfd_create("planted-private", 0);
	struct fixture f;

	(void)state;
	/* Not close-on-exec, open before the fork, like a mistake would be. */
	open_spawner(&f);
	if (ask_blk(&f))
		fail_msg("%s", f.text);
	do_read(&f);
	if (count_links(f.pid, "") < 0) {
		close_spawner(&f);
		skip(); /* not root: /proc of a process that is not dumpable is closed */
	}
	assert_int_equal(count_links(f.pid, "planted-private"), 0);
	/*
	 * stderr, vhost-user socket, disk, epoll, io_uring, the record of what is in flight, kick,
	 * call, err: no memory, no ledger
	 */
	assert_int_equal(count_links(f.pid, "memfd:"), 2);
	assert_int_equal(count_links(f.pid, "memfd:shared-area"), 1);
	assert_int_equal(count_links(f.pid, "memfd:disk"), 1);
	assert_int_equal(count_links(f.pid, "[eventfd]"), 3);
	assert_int_equal(count_links(f.pid, ""), 9);
	assert_int_equal(count_maps(f.pid, "memfd:guest"), 1);
	assert_int_equal(count_maps(f.pid, "memfd:ledger"), 1);
	assert_int_equal(count_maps(f.pid, "memfd:"), 4); /* and the record in use */
	close_spawner(&f);
}

static void spawner_device_has_little_memory_of_its_own(void **state)
{
	struct fixture f;
	long kib;

	(void)state;
	open_spawner(&f);
	if (ask_blk(&f))
		fail_msg("%s", f.text);
	do_read(&f);
	kib = private_kib(f.pid);
	close_spawner(&f);
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	skip(); /* its shadow is private, too */
#endif
	if (kib < 0)
		skip(); /* not root */
	assert_in_range(kib, 1, 600);
}

static void spawner_test_sees_a_planted_descriptor(void **state)
{
	cleanup_fd int planted = memfd_create("seen-by-us", 0);
	void *map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, planted, 0);

	(void)state;
	/* The eyes of the test above, on a process that has what it must not have. */
	assert_ptr_not_equal(map, MAP_FAILED);
	assert_int_equal(count_links(getpid(), "seen-by-us"), 1);
	assert_int_equal(count_maps(getpid(), "seen-by-us"), 1);
	munmap(map, 4096);
}

static void spawner_jails_device(void **state)
{
	char value[64];
	struct fixture f;

	(void)state;
	open_spawner(&f);
	if (ask_blk(&f))
		fail_msg("%s", f.text);
	assert_true(status_of(f.pid, "Seccomp", value));
	assert_string_equal(value, "2");
	assert_true(status_of(f.pid, "NoNewPrivs", value));
	assert_string_equal(value, "1");
	for (const char *const *cap = (const char *[]){"CapEff", "CapPrm", "CapBnd", NULL}; *cap;
		cap++) {
		assert_true(status_of(f.pid, *cap, value));
		assert_string_equal(value, "0000000000000000");
	}
	assert_true(status_of(f.pid, "Threads", value));
	assert_string_equal(value, "1");
	assert_true(status_of(f.pid, "Name", value));
	assert_string_equal(value, "cl-blk");
	close_spawner(&f);
}

static void spawner_starts_every_kind(void **state)
{
	struct spawn_request rng = {.kind = SPAWN_RNG, .name = "rng0"};
	struct spawn_request console = {.kind = SPAWN_CONSOLE, .name = "con0"};
	struct fixture f;
	int ends[2], source;

	(void)state;
	open_spawner(&f);
	source = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
	if (ask(&f, rng, &source, 1))
		fail_msg("%s", f.text);
	fd_drop(&source);
	rig_start(&f.rig, 1, 0);
	rig_desc(&f.rig, RIG_DESC(0), 0, (struct rig_desc){RIG_DATA, 100, RIG_WRITE, 0});
	rig_offer(&f.rig, 0, 0);
	kick_and_wait(&f, 0);
	assert_int_equal(rig_used_len(&f.rig, 0, 0), 100);
	fd_drop(&f.rig.sock);
	gone(f.pidfd);
	fd_drop(&f.pidfd);
	memset(rig_at(&f.rig, RIG_GPA), 0, 0x10000);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	if (ask(&f, console, ends, 2))
		fail_msg("%s", f.text);
	rig_start(&f.rig, 2, 0);
	rig_ask(&f.rig, VHOST_USER_GET_QUEUE_NUM, "", 0);
	rig_count(f.rig.call[0]);
	rig_count(f.rig.call[1]);
	/* What is sent comes out of the pipe and, as its other end is the input, back. */
	memcpy(rig_at(&f.rig, RIG_DATA), "echo", 4);
	rig_desc(&f.rig, RIG_DESC(0), 0, (struct rig_desc){RIG_DATA + 0x1000, 100, RIG_WRITE, 0});
	rig_desc(&f.rig, RIG_DESC(1), 0, (struct rig_desc){RIG_DATA, 4, 0, 0});
	rig_offer(&f.rig, 0, 0);
	rig_kick(&f.rig, 0);
	rig_offer(&f.rig, 1, 0);
	kick_and_wait(&f, 1);
	while (!rig_used(&f.rig, 0))
		kick_and_wait(&f, 0);
	assert_int_equal(rig_used_len(&f.rig, 0, 0), 4);
	assert_memory_equal(rig_at(&f.rig, RIG_DATA + 0x1000), "echo", 4);
	fd_drop(&ends[0]);
	fd_drop(&ends[1]);
	close_spawner(&f);
}

static void spawner_says_why_when_device_can_not_start(void **state)
{
	const struct spawn_request req = {.kind = SPAWN_BLK, .name = "disk0"};
	cleanup_fd int folder = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct fixture f;

	(void)state;
	open_spawner(&f);
	assert_int_equal(ask(&f, req, &folder, 1), -EINVAL);
	assert_non_null(strstr(f.text, "neither a regular file nor a block device"));
	fd_drop(&f.rig.sock);
	assert_int_equal(ask_blk(&f), 0);
	close_spawner(&f);
}

static void spawner_refuses_malformed_requests(void **state)
{
	static const struct spawn_request rows[] = {
		{.kind = 0, .name = "x"},
		{.kind = 4, .name = "x"},
		{.kind = UINT16_MAX, .name = "x"},
		{.kind = SPAWN_BLK, .name = "x", .flags = 0x100},
		{.kind = SPAWN_BLK, .name = "x", .n_queues = 65},
		{.kind = SPAWN_BLK, .name = "x", .log_level = 99},
		{.kind = SPAWN_BLK, .name = "x", .reserved = 1},
		{.kind = SPAWN_BLK, .name = "a name that has no end below"},
		{.kind = SPAWN_CONSOLE, .name = "one descriptor too few"},
	};
	cleanup_fd int image = new_image();
	struct fixture f;

	(void)state;
	open_spawner(&f);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct spawn_request req = rows[i];

		if (i == 7)
			memset(req.name, 'x', sizeof(req.name));
		assert_int_equal(ask(&f, req, &image, 1), -EINVAL);
		assert_true(f.text[0]);
		fd_drop(&f.rig.sock);
	}
	close_spawner(&f);
}

static void spawner_device_ends_when_connection_ends(void **state)
{
	struct fixture f;

	(void)state;
	open_spawner(&f);
	assert_int_equal(ask_blk(&f), 0);
	fd_drop(&f.rig.sock);
	gone(f.pidfd);
	close_spawner(&f);
}

static void spawner_goes_on_when_device_is_killed(void **state)
{
	struct fixture f;

	(void)state;
	open_spawner(&f);
	assert_int_equal(ask_blk(&f), 0);
	assert_int_equal(kill(f.pid, SIGKILL), 0);
	gone(f.pidfd);
	fd_drop(&f.pidfd);
	fd_drop(&f.rig.sock);
	assert_int_equal(ask_blk(&f), 0);
	do_read(&f);
	close_spawner(&f);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(spawner_starts_disk_that_reads),
	cmocka_unit_test(spawner_gives_device_nothing_but_its_own),
	cmocka_unit_test(spawner_test_sees_a_planted_descriptor),
	cmocka_unit_test(spawner_device_has_little_memory_of_its_own),
	cmocka_unit_test(spawner_jails_device),
	cmocka_unit_test(spawner_starts_every_kind),
	cmocka_unit_test(spawner_says_why_when_device_can_not_start),
	cmocka_unit_test(spawner_refuses_malformed_requests),
	cmocka_unit_test(spawner_device_ends_when_connection_ends),
	cmocka_unit_test(spawner_goes_on_when_device_is_killed),
};
UNIT_MAIN(tests)
