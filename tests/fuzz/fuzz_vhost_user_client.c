/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vhost-user front end with a hostile back end: a device's life from the connection to the end,
 * while everything that the back end ever says lies in the socket already. The input is a list of
 * records: three bytes (request; how; payload size) and the payload. How: bits 0-2 go to the
 * header's flags, xor the right ones; bit 6: a descriptor comes along; bit 7: raw bytes, without
 * a header.
 */
#include "base/bytes.h"
#include "base/fd.h"
#include "base/num.h"
#include "devices/front/vhost_user_client.h"
#include "devices/wire/vhost_user.h"
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#define QUEUES      2
#define CONFIG      16
#define RECORDS_MAX 64

/* say() - put one record into the socket. Return: false at the end of the input. */
static bool say(int sock, int fd, struct bytes *in)
{
	struct vhost_user_header h = {.request = bytes_u8(in)};
	uint8_t how = bytes_u8(in), out[sizeof(h) + 256];
	size_t len = (size_t)min_u64(bytes_u8(in), in->left), head = how & 0x80 ? 0 : sizeof(h);

	if (in->failed)
		return false;
	h.flags = (how & 7u) ^ (VHOST_USER_VERSION | VHOST_USER_REPLY);
	h.size = (uint32_t)len;
	memcpy(out, &h, head);
	bytes_copy(in, out + head, len);
	return !(head + len) || !fd_send(sock, out, head + len, &fd, how >> 6 & 1);
}

/* note() - the result of a call: 0, or an error with a text. Nothing works once it is given up. */
static bool note(const struct vhost_user_client *c, int rc, struct err *e, bool *gone)
{
	assert(!rc || (rc == -e->code && e->text[0]));
	assert(!*gone || rc == -EPIPE || rc == -ENOTSUP);
	*gone = vhost_user_client_given_up(c);
	*e = (struct err)ERR_INIT;
	return !rc;
}

static void live(struct vhost_user_client *c, int fd)
{
	struct vhost_user_record record = {.fd = -1};
	struct vhost_user_ring rings[QUEUES] = {
		{.index = 0, .size = 64, .kick = fd, .call = fd, .err = fd},
		{.index = 1, .size = 8, .kick = fd, .call = fd, .err = fd}};
	struct vhost_user_setup setup = {.features = vhost_user_client_features(c),
		.rings = rings,
		.n_rings = QUEUES,
		.queue_size = 64,
		.record = &record};
	uint32_t bases[QUEUES];
	uint8_t config[CONFIG], byte = 1;
	struct err e = ERR_INIT;
	bool gone = false;

	note(c, vhost_user_client_get_config(c, config, sizeof(config), &e), &e, &gone);
	note(c, vhost_user_client_set_config(c, 3, &byte, 1, &e), &e, &gone);
	for (int i = 0; i < 2; i++) {
		bool ok = note(c, vhost_user_client_start(c, &setup, &e), &e, &gone);

		assert(record.fd != fd && (record.fd < 0 || fcntl(record.fd, F_GETFD) >= 0));
		assert(!ok || !gone);
		if (vhost_user_client_stop(c, bases, &e))
			assert(e.code && e.text[0]);
		gone = vhost_user_client_given_up(c);
		e = (struct err)ERR_INIT;
	}
	fd_drop(&record.fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct vhost_user_memory memory = {.gpa = gpa_of(0), .len = 65536};
	struct vhost_user_client_desc desc = {
		.name = "fuzz", .memory = &memory, .n_memory = 1, .timeout_ms = 1000};
	struct bytes in = bytes_of(data, len);
	struct vhost_user_client *c;
	struct err e = ERR_INIT;
	int ends[2], fd = open("/dev/null", O_RDWR | O_CLOEXEC), next = dup(fd);

	assert(next >= 0 && !close(next));
	assert(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));
	for (int i = 0; i < RECORDS_MAX && say(ends[0], fd, &in); i++)
		continue;
	shutdown(ends[0], SHUT_WR);
	memory.fd = fd;
	desc.sock = ends[1];
	if (vhost_user_client_create(&c, &desc, &e))
		assert(!c && e.code && e.text[0]);
	else
		live(c, fd);
	vhost_user_client_destroy(c);
	fd_drop(&ends[0]);
	ends[1] = dup(fd);
	assert(ends[1] == next); /* no descriptor is left */
	fd_drop(&ends[1]);
	fd_drop(&fd);
	return 0;
}
