/* SPDX-License-Identifier: Apache-2.0 */
/* A vsock device between a fake guest and host; see tests/unit/devices/vrig.h. */
#include "tests/unit/devices/vrig.h"

#include "base/fd.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* listener() - an abstract socket of a name of the kernel's choice */
static int listener(struct vrig *f)
{
	struct sockaddr_un any = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&any, sizeof(sa_family_t)), 0);
	assert_int_equal(listen(fd, 1024), 0);
	f->addr_len = sizeof(f->addr);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&f->addr, &f->addr_len), 0);
	return fd;
}

void vrig_open(struct vrig *f)
{
	struct vsock_config config = {.name = "test", .cid = CID};
	struct err e = ERR_INIT;
	int ends[2];

	memset(f, 0, sizeof(*f));
	rig_open(&f->rig);
	assert_int_equal(loop_create(&f->rig.loop, &e), 0);
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
	f->dial = ends[0];
	config.dial_fd = ends[1];
	config.listen_fd = listener(f);
	config.loop = f->rig.loop;
	assert_int_equal(vsock_create(&f->vsock, &config, &e), 0);
	rig_serve(&f->rig, vsock_device(f->vsock));
	rig_start(&f->rig, 3, VIRTIO_VSOCK_F_STREAM);
}

void vrig_close(struct vrig *f)
{
	vhost_user_server_destroy(f->rig.server);
	f->rig.server = NULL;
	vsock_destroy(f->vsock);
	fd_drop(&f->dial);
	rig_close(&f->rig);
}

void vrig_give(struct vrig *f, unsigned int n)
{
	while (n--) {
		uint16_t i = f->given++ % RIG_NUM;

		rig_desc(&f->rig, RIG_DESC(RX), i,
			(struct rig_desc){RIG_DATA + BUFFER * i, BUFFER, RIG_WRITE, 0});
		rig_offer(&f->rig, RX, i);
	}
	rig_kick(&f->rig, RX);
}

bool vrig_came(struct vrig *f)
{
	uint32_t id, len;

	rig_turn(&f->rig);
	if (rig_used(&f->rig, RX) == f->seen)
		return false;
	memcpy(&id, rig_at(&f->rig, RIG_USED(RX) + 4 + 8 * (f->seen % RIG_NUM)), sizeof(id));
	len = rig_used_len(&f->rig, RX, f->seen++);
	memcpy(&f->h, rig_at(&f->rig, RIG_DATA + BUFFER * id), HDR);
	memcpy(f->bytes, rig_at(&f->rig, RIG_DATA + BUFFER * id + HDR), BUFFER - HDR);
	assert_int_equal(len, HDR + f->h.len);
	assert_int_equal(f->h.src_cid, VIRTIO_VSOCK_CID_HOST);
	assert_int_equal(f->h.dst_cid, CID);
	assert_int_equal(f->h.type, VIRTIO_VSOCK_TYPE_STREAM);
	return true;
}

void vrig_expect(struct vrig *f, enum virtio_vsock_op op)
{
	assert_true(vrig_came(f));
	assert_int_equal(f->h.op, op);
}

struct virtio_vsock_hdr vrig_header(enum virtio_vsock_op op, uint32_t from, uint32_t to)
{
	return (struct virtio_vsock_hdr){
		.src_cid = CID,
		.dst_cid = VIRTIO_VSOCK_CID_HOST,
		.src_port = from,
		.dst_port = to,
		.type = VIRTIO_VSOCK_TYPE_STREAM,
		.op = (uint16_t)op,
		.buf_alloc = 65536,
	};
}

void vrig_send(struct vrig *f, struct virtio_vsock_hdr h, const void *bytes)
{
	memcpy(rig_at(&f->rig, TX_DATA), &h, HDR);
	memcpy(rig_at(&f->rig, TX_DATA + HDR), bytes, h.len);
	rig_desc(&f->rig, RIG_DESC(TX), 0, (struct rig_desc){TX_DATA, HDR + h.len, 0, 0});
	rig_offer(&f->rig, TX, 0);
	rig_kick(&f->rig, TX);
	assert_int_equal(rig_used(&f->rig, TX), ++f->sent);
}

void vrig_send_op(struct vrig *f, enum virtio_vsock_op op, uint32_t from, uint32_t to)
{
	vrig_send(f, vrig_header(op, from, to), "");
}

void vrig_send_rw(struct vrig *f, uint32_t from, uint32_t to, const void *bytes, uint32_t len)
{
	struct virtio_vsock_hdr h = vrig_header(VIRTIO_VSOCK_OP_RW, from, to);

	h.len = len;
	vrig_send(f, h, bytes);
}

void vrig_send_shutdown(struct vrig *f, uint32_t from, uint32_t to, uint32_t flags)
{
	struct virtio_vsock_hdr h = vrig_header(VIRTIO_VSOCK_OP_SHUTDOWN, from, to);

	h.flags = flags;
	vrig_send(f, h, "");
}

int vrig_client(struct vrig *f, const char *text)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&f->addr, f->addr_len), 0);
	assert_int_equal(fd_write_full(fd, text, strlen(text)), 0);
	rig_turn(&f->rig);
	return fd;
}

void vrig_expect_bytes(struct vrig *f, int fd, const char *text)
{
	char got[64];
	ssize_t n;

	rig_turn(&f->rig);
	n = read(fd, got, sizeof(got));
	assert_int_equal(n, strlen(text));
	assert_memory_equal(got, text, strlen(text));
}

void vrig_expect_end(struct vrig *f, int *fd)
{
	ssize_t n;
	char c;

	rig_turn(&f->rig);
	n = read(*fd, &c, 1);
	assert_true(n == 0 || (n < 0 && errno == ECONNRESET)); /* that: not all was read */
	fd_drop(fd);
}

int vrig_open_stream(struct vrig *f, uint32_t *port)
{
	int fd = vrig_client(f, "CONNECT 1024\n");
	char line[32];

	vrig_give(f, 2);
	vrig_expect(f, VIRTIO_VSOCK_OP_REQUEST);
	assert_int_equal(f->h.dst_port, 1024);
	*port = f->h.src_port;
	vrig_send_op(f, VIRTIO_VSOCK_OP_RESPONSE, 1024, *port);
	snprintf(line, sizeof(line), "OK %u\n", *port);
	vrig_expect_bytes(f, fd, line);
	return fd;
}
