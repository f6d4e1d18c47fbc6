/* SPDX-License-Identifier: Apache-2.0 */
/* virtio-net with a socket pair in place of the tap: a packet is a header and a frame. */
#include "devices/back/net.h"

#include "base/fd.h"
#include "devices/wire/virtio_net.h"
#include "tests/unit/devices/rig.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#define RX      0u
#define TX      1u
#define CTRL    2u
#define HEADER  12u
#define FRAME   1514u
#define ANSWER  (RIG_DATA + 0x8000u)
#define TRANSIT (RIG_DATA + 0x10000u)

struct fixture {
	struct rig rig;
	struct net *net;
	int host[SPAWN_TAPS_MAX]; /* the host's ends */
	uint8_t packet[HEADER + 65536];
};

static struct net_config basic(void)
{
	return (struct net_config){
		.name = "test",
		.n_pairs = 1,
		.offloads = SPAWN_OFFLOAD_CSUM | SPAWN_OFFLOAD_TSO | SPAWN_OFFLOAD_UFO,
		.mac = {2, 0, 0, 0, 0, 1},
	};
}

static void open_net(struct fixture *f, struct net_config config, uint64_t features)
{
	int taps[SPAWN_TAPS_MAX], pair[2], size = 1 << 20;
	struct err e = ERR_INIT;

	memset(f, 0, sizeof(*f));
	rig_open(&f->rig);
	assert_int_equal(loop_create(&f->rig.loop, &e), 0);
	for (unsigned int i = 0; i < config.n_pairs; i++) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
		setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
		f->host[i] = pair[1];
		taps[i] = pair[0];
	}
	config.loop = f->rig.loop;
	config.taps = taps;
	assert_int_equal(net_create(&f->net, &config, &e), 0);
	rig_serve(&f->rig, net_device(f->net));
	rig_start(&f->rig, 2u * config.n_pairs + 1, features);
	for (size_t i = 0; i < sizeof(f->packet); i++)
		f->packet[i] = (uint8_t)(i * 7 + (i >> 8));
	memset(f->packet, 0, HEADER);
}

static void close_net(struct fixture *f)
{
	vhost_user_server_destroy(f->rig.server);
	f->rig.server = NULL;
	net_destroy(f->net);
	for (unsigned int i = 0; i < SPAWN_TAPS_MAX; i++)
		if (f->host[i])
			fd_drop(&f->host[i]);
	rig_close(&f->rig);
}

/* frame_in() - a frame of len bytes behind a header comes to the tap. */
static void frame_in(struct fixture *f, uint32_t len)
{
	assert_int_equal(send(f->host[0], f->packet, HEADER + len, MSG_DONTWAIT), HEADER + len);
	rig_turn(&f->rig);
}

/* give() - receive buffers n to n + count - 1, of len bytes each, one after another in memory. */
static void give(struct fixture *f, uint16_t n, uint16_t count, uint32_t len)
{
	for (uint16_t i = n; i < n + count; i++) {
		rig_desc(&f->rig, RIG_DESC(RX), i,
			(struct rig_desc){RIG_DATA + (uint64_t)i * len, len, RIG_WRITE, 0});
		rig_offer(&f->rig, RX, i);
	}
	rig_kick(&f->rig, RX);
}

static uint16_t num_buffers(struct fixture *f, uint64_t gpa)
{
	uint16_t n;

	memcpy(&n, (uint8_t *)rig_at(&f->rig, gpa) + 10, sizeof(n));
	return n;
}

/* frame_at() - does guest memory hold the frame of frame_in()? */
static void frame_at(struct fixture *f, uint64_t gpa, uint32_t len)
{
	const uint8_t *at = rig_at(&f->rig, gpa);

	assert_memory_equal(at, f->packet, 10);
	assert_memory_equal(at + HEADER, f->packet + HEADER, len);
}

/* send_out() - the driver offers a frame of len bytes, header apart from data. */
static void send_out(struct fixture *f, uint16_t head, uint32_t len)
{
	memcpy(rig_at(&f->rig, TRANSIT), f->packet, HEADER + len);
	rig_desc(&f->rig, RIG_DESC(TX), head,
		(struct rig_desc){TRANSIT, HEADER, RIG_NEXT, (uint16_t)(head + 1)});
	rig_desc(&f->rig, RIG_DESC(TX), head + 1u, (struct rig_desc){TRANSIT + HEADER, len, 0, 0});
	rig_offer(&f->rig, TX, head);
	rig_kick(&f->rig, TX);
}

static ssize_t frame_out(struct fixture *f, uint8_t *buf, size_t room)
{
	return recv(f->host[0], buf, room, MSG_DONTWAIT);
}

static void net_sends_frame_when_kicked(void **state)
{
	struct fixture f;
	uint8_t got[4096];

	(void)state;
	open_net(&f, basic(), 0);
	send_out(&f, 0, FRAME);
	assert_int_equal(frame_out(&f, got, sizeof(got)), HEADER + FRAME);
	assert_memory_equal(got, f.packet, HEADER + FRAME);
	assert_int_equal(rig_used(&f.rig, TX), 1);
	assert_int_equal(rig_used_len(&f.rig, TX, 0), 0);
	assert_int_equal(rig_count(f.rig.call[TX]), 1);
	close_net(&f);
}

static void net_receives_frame_into_one_buffer(void **state)
{
	struct fixture f;

	(void)state;
	open_net(&f, basic(), 0);
	give(&f, 0, 2, 2048);
	memset(rig_at(&f.rig, RIG_DATA), 0xee, HEADER);
	frame_in(&f, FRAME);
	assert_int_equal(rig_used(&f.rig, RX), 1);
	assert_int_equal(rig_used_len(&f.rig, RX, 0), HEADER + FRAME);
	assert_int_equal(num_buffers(&f, RIG_DATA), 1);
	frame_at(&f, RIG_DATA, FRAME);
	assert_int_equal(rig_count(f.rig.call[RX]), 1);
	close_net(&f);
}

static void net_waits_for_buffers_when_there_are_none(void **state)
{
	struct fixture f;

	(void)state;
	open_net(&f, basic(), 0);
	frame_in(&f, FRAME);
	frame_in(&f, 60);
	assert_int_equal(rig_used(&f.rig, RX), 0);
	give(&f, 0, 2, 2048);
	assert_int_equal(rig_used(&f.rig, RX), 2);
	assert_int_equal(rig_used_len(&f.rig, RX, 1), HEADER + 60);
	close_net(&f);
}

static void net_spreads_frame_over_buffers_when_mergeable(void **state)
{
	struct fixture f;

	(void)state;
	open_net(&f, basic(), VIRTIO_NET_F_MRG_RXBUF);
	give(&f, 0, 40, 2048);
	for (int i = 0; i < 2; i++) { /* the first comes unexpected, the second does not */
		uint64_t at = RIG_DATA + 15u * 2048u * (unsigned int)i;

		frame_in(&f, 30000);
		assert_int_equal(rig_used(&f.rig, RX), 15 * (i + 1));
		assert_int_equal(num_buffers(&f, at), 15);
		frame_at(&f, at, 30000);
		assert_int_equal(rig_used_len(&f.rig, RX, 15u * (unsigned int)i), 2048);
		assert_int_equal(rig_used_len(&f.rig, RX, 15u * (unsigned int)i + 14),
			HEADER + 30000 - 14 * 2048);
	}
	close_net(&f);
}

/* More is held for a frame as large as the last one than the next one takes. */
static void net_gives_back_buffers_that_frame_does_not_take(void **state)
{
	struct fixture f;

	(void)state;
	open_net(&f, basic(), VIRTIO_NET_F_MRG_RXBUF);
	give(&f, 0, 40, 2048);
	frame_in(&f, 30000);
	for (uint16_t i = 0; i < 5; i++) {
		uint64_t at = RIG_DATA + 2048u * (15u + i);

		frame_in(&f, FRAME);
		assert_int_equal(rig_used(&f.rig, RX), 16 + i);
		assert_int_equal(num_buffers(&f, at), 1);
		frame_at(&f, at, FRAME);
	}
	assert_int_equal(rig_count(f.rig.err[RX]), 0);
	close_net(&f);
}

static void net_keeps_frame_until_there_are_buffers(void **state)
{
	struct fixture f;

	(void)state;
	open_net(&f, basic(), VIRTIO_NET_F_MRG_RXBUF);
	give(&f, 0, 3, 2048);
	frame_in(&f, 30000);
	frame_in(&f, 60);
	assert_int_equal(rig_used(&f.rig, RX), 0);
	give(&f, 3, 3, 2048);
	assert_int_equal(rig_used(&f.rig, RX), 0);
	give(&f, 6, 10, 2048);
	assert_int_equal(rig_used(&f.rig, RX), 16);
	assert_int_equal(num_buffers(&f, RIG_DATA), 15);
	frame_at(&f, RIG_DATA, 30000);
	assert_int_equal(rig_used_len(&f.rig, RX, 15), HEADER + 60);
	close_net(&f);
}

static void net_drops_frame_when_buffer_is_too_small(void **state)
{
	struct fixture f;

	(void)state;
	open_net(&f, basic(), 0);
	give(&f, 0, 2, 256);
	frame_in(&f, FRAME);
	assert_int_equal(rig_used(&f.rig, RX), 0);
	frame_in(&f, 60);
	assert_int_equal(rig_used(&f.rig, RX), 1);
	frame_at(&f, RIG_DATA, 60);
	close_net(&f);
}

static void net_drops_frame_when_it_is_as_large_as_no_frame(void **state)
{
	static const uint8_t huge[100000];
	struct fixture f;

	(void)state;
	open_net(&f, basic(), VIRTIO_NET_F_MRG_RXBUF);
	give(&f, 0, 60, 2048);
	assert_int_equal(send(f.host[0], huge, sizeof(huge), 0), sizeof(huge));
	rig_turn(&f.rig);
	assert_int_equal(rig_used(&f.rig, RX), 0);
	frame_in(&f, 60);
	assert_int_equal(rig_used(&f.rig, RX), 1);
	close_net(&f);
}

static void net_waits_when_tap_is_full(void **state)
{
	struct fixture f;
	uint8_t got[4096];
	unsigned int sent = 0, came = 0;

	(void)state;
	open_net(&f, basic(), 0);
	/* As many as fit, each head used again at once. */
	while (rig_used(&f.rig, TX) == sent && sent < 10000)
		send_out(&f, 0, FRAME), sent++;
	assert_in_range(sent, 2, 9999);
	assert_int_equal(rig_used(&f.rig, TX), sent - 1);
	while (frame_out(&f, got, sizeof(got)) > 0)
		came++;
	rig_turn(&f.rig);
	assert_int_equal(rig_used(&f.rig, TX), sent);
	while (frame_out(&f, got, sizeof(got)) > 0)
		came++;
	assert_int_equal(came, sent);
	close_net(&f);
}

static void net_survives_when_tap_goes(void **state)
{
	struct fixture f;

	(void)state;
	open_net(&f, basic(), 0);
	give(&f, 0, 2, 2048);
	fd_drop(&f.host[0]);
	rig_turn(&f.rig);
	assert_int_equal(rig_used(&f.rig, RX), 0);
	send_out(&f, 0, FRAME); /* dropped, and told so */
	assert_int_equal(rig_used(&f.rig, TX), 1);
	assert_int_equal(rig_count(f.rig.err[TX]), 0);
	close_net(&f);
}

static void net_gives_buffers_back_when_queue_stops(void **state)
{
	struct vhost_user_vring_state base = {RX, 0};
	struct vhost_user_header h;
	struct fixture f;

	(void)state;
	open_net(&f, basic(), VIRTIO_NET_F_MRG_RXBUF);
	give(&f, 0, 2, 2048);
	frame_in(&f, 60);
	frame_in(&f, 30000); /* kept, and lost with the stop */
	rig_send(&f.rig, VHOST_USER_GET_VRING_BASE, &base, sizeof(base), -1);
	assert_int_equal(rig_reply(&f.rig, &h, &base, sizeof(base)), sizeof(base));
	assert_int_equal(base.num, 1);
	frame_in(&f, 60);
	assert_int_equal(rig_used(&f.rig, RX), 1);
	close_net(&f);
}

/*
 * Malformed requests: what they are, what the spec says, and what comes of it. Descriptors of a
 * frame: up to three, len 0 ends the list.
 */
enum outcome { BROKEN, DROPPED };

static const struct malformed {
	const char *what, *spec;
	unsigned int queue;
	struct rig_desc desc[3];
	enum outcome outcome;
} malformed[] = {
	{"frame without header", "5.1.6.2", TX, {{RIG_DATA, HEADER - 1, 0, 0}}, BROKEN},
	{"frame of no bytes", "5.1.6.2", TX, {{RIG_DATA, HEADER, 0, 0}}, DROPPED},
	{"frame with a writable part", "5.1.6.2", TX,
		{{RIG_DATA, HEADER, RIG_NEXT, 1}, {RIG_DATA, 60, RIG_WRITE, 0}}, BROKEN},
	{"frame that is all writable", "5.1.6.2", TX, {{RIG_DATA, 100, RIG_WRITE, 0}}, BROKEN},
	{"frame longer than any", "5.1.6.2", TX,
		{{RIG_DATA, 0x8000, RIG_NEXT, 1}, {RIG_DATA, 0x8000, RIG_NEXT, 2},
			{RIG_DATA, 0x8000, 0, 0}},
		DROPPED},
	{"frame outside of memory", "2.7.5", TX, {{RIG_GPA + RIG_SIZE, 100, 0, 0}}, BROKEN},
	{"frame that wraps", "2.7.5", TX, {{UINT64_MAX - 10, 100, 0, 0}}, BROKEN},
	{"looped frame", "2.7.5.3.1", TX,
		{{RIG_DATA, 100, RIG_NEXT, 1}, {RIG_DATA, 100, RIG_NEXT, 0}}, BROKEN},
	{"receive buffer that is readable", "5.1.6.3", RX, {{RIG_DATA, 2048, 0, 0}}, BROKEN},
	{"receive buffer smaller than a header", "5.1.6.3.1", RX,
		{{RIG_DATA, HEADER - 1, RIG_WRITE, 0}}, BROKEN},
	{"receive buffer outside of memory", "2.7.5", RX,
		{{RIG_GPA + RIG_SIZE, 2048, RIG_WRITE, 0}}, BROKEN},
	{"command without answer", "5.1.6.5", CTRL, {{RIG_DATA, 3, 0, 0}}, BROKEN},
	{"command without command", "5.1.6.5", CTRL,
		{{RIG_DATA, 1, RIG_NEXT, 1}, {RIG_DATA, 1, RIG_WRITE, 0}}, BROKEN},
	{"command that is only an answer", "5.1.6.5", CTRL, {{RIG_DATA, 8, RIG_WRITE, 0}}, BROKEN},
};

static void net_obeys_spec_when_request_is_malformed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(malformed); i++) {
		const struct malformed *m = &malformed[i];
		uint8_t got[64];
		struct fixture f;

		open_net(&f, basic(), 0);
		for (unsigned int d = 0; d < 3 && m->desc[d].len; d++)
			rig_desc(&f.rig, RIG_DESC(m->queue), d, m->desc[d]);
		rig_offer(&f.rig, m->queue, 0);
		rig_kick(&f.rig, m->queue);
		frame_in(&f, 60);
		if (rig_count(f.rig.err[m->queue]) != (m->outcome == BROKEN))
			fail_msg("%s (spec %s): wrong outcome", m->what, m->spec);
		assert_int_equal(rig_used(&f.rig, m->queue), m->outcome == DROPPED);
		assert_int_equal(frame_out(&f, got, sizeof(got)), -1);
		close_net(&f);
	}
}

#define ALL_CTRL                                                                                   \
	(VIRTIO_NET_F_CTRL_VQ | VIRTIO_NET_F_CTRL_RX | VIRTIO_NET_F_CTRL_MAC_ADDR | VIRTIO_NET_F_MQ)

static const struct command {
	const char *what;
	uint8_t bytes[24]; /* class, command, data */
	uint32_t len;
	uint8_t answer;
} commands[] = {
	{"promiscuous", {0, 0, 1}, 3, VIRTIO_NET_OK},
	{"promiscuous, neither on nor off", {0, 0, 2}, 3, VIRTIO_NET_ERR},
	{"all multicast, without data", {0, 1}, 2, VIRTIO_NET_ERR},
	{"receive mode that was not offered", {0, 2, 1}, 3, VIRTIO_NET_ERR},
	{"address tables", {1, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 9, 0, 0, 0, 0}, 16, VIRTIO_NET_OK},
	{"address tables, cut", {1, 0, 2, 0, 0, 0, 2, 0, 0, 0, 0, 9, 0, 0, 0, 0}, 16,
		VIRTIO_NET_ERR},
	{"address tables, too many", {1, 0, 255, 255, 255, 255, 0, 0, 0, 0}, 10, VIRTIO_NET_ERR},
	{"address tables, with a rest", {1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7}, 11, VIRTIO_NET_ERR},
	{"address", {1, 1, 2, 0, 0, 0, 0, 8}, 8, VIRTIO_NET_OK},
	{"address, too short", {1, 1, 2, 0, 0, 0, 0}, 7, VIRTIO_NET_ERR},
	{"vlan, which was not offered", {2, 0, 1, 0}, 4, VIRTIO_NET_ERR},
	{"announce, which was not offered", {3, 0}, 2, VIRTIO_NET_ERR},
	{"no pairs", {4, 0, 0, 0}, 4, VIRTIO_NET_ERR},
	{"two pairs", {4, 0, 2, 0}, 4, VIRTIO_NET_OK},
	{"three pairs of two", {4, 0, 3, 0}, 4, VIRTIO_NET_ERR},
	{"offloads, not negotiated", {5, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 10, VIRTIO_NET_ERR},
	{"unknown class", {9, 0, 0}, 3, VIRTIO_NET_ERR},
};

/* command() - Return: the answer of the control queue `q`. */
static uint8_t command(struct fixture *f, unsigned int q, const struct command *c)
{
	uint16_t before = rig_used(&f->rig, q);

	memcpy(rig_at(&f->rig, RIG_DATA), c->bytes, c->len);
	*(uint8_t *)rig_at(&f->rig, ANSWER) = 0xee;
	rig_desc(&f->rig, RIG_DESC(q), 0, (struct rig_desc){RIG_DATA, c->len, RIG_NEXT, 1});
	rig_desc(&f->rig, RIG_DESC(q), 1, (struct rig_desc){ANSWER, 1, RIG_WRITE, 0});
	rig_offer(&f->rig, q, 0);
	rig_kick(&f->rig, q);
	assert_int_equal(rig_used(&f->rig, q), (uint16_t)(before + 1));
	assert_int_equal(rig_used_len(&f->rig, q, before), 1);
	return *(uint8_t *)rig_at(&f->rig, ANSWER);
}

static const struct command no_pairs_yet = {"one pair", {4, 0, 1, 0}, 4, 0};

static void net_ctrl_answers_each_command(void **state)
{
	struct net_config config = basic();
	struct fixture f;

	(void)state;
	config.n_pairs = 1;
	open_net(&f, config,
		VIRTIO_NET_F_CTRL_VQ | VIRTIO_NET_F_CTRL_RX | VIRTIO_NET_F_CTRL_MAC_ADDR);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		uint8_t want = commands[i].answer;

		if (commands[i].bytes[0] == VIRTIO_NET_CTRL_MQ)
			want = VIRTIO_NET_ERR; /* not negotiated here */
		if (command(&f, CTRL, &commands[i]) != want)
			fail_msg("%s: wrong answer", commands[i].what);
	}
	assert_int_equal(command(&f, CTRL, &no_pairs_yet), VIRTIO_NET_ERR);
	close_net(&f);
}

static void net_limits_frames_each_way(void **state)
{
	struct net_config config = basic();
	uint8_t got[4096];
	struct fixture f;

	(void)state;
	config.limits.ops = (struct spawn_limit){2, 0, 3600000};
	open_net(&f, config, 0);
	give(&f, 0, 4, 2048);
	for (int i = 0; i < 4; i++)
		frame_in(&f, 60);
	assert_int_equal(rig_used(&f.rig, RX), 2);
	for (uint16_t i = 0; i < 4; i++)
		send_out(&f, (uint16_t)(2 * i), 60);
	assert_int_equal(rig_used(&f.rig, TX), 2);
	for (int i = 0; i < 2; i++)
		assert_int_equal(frame_out(&f, got, sizeof(got)), HEADER + 60);
	assert_int_equal(frame_out(&f, got, sizeof(got)), -1);
	close_net(&f);
}

static void net_goes_on_when_limit_allows(void **state)
{
	struct net_config config = basic();
	struct fixture f;

	(void)state;
	config.limits.bytes = (struct spawn_limit){120, 0, 20};
	open_net(&f, config, 0);
	for (uint16_t i = 0; i < 6; i++)
		send_out(&f, (uint16_t)(2 * i), 60);
	while (rig_used(&f.rig, TX) < 6)
		assert_int_equal(loop_run_once(f.rig.loop, 5000), 0);
	close_net(&f);
}

static void net_tells_its_configuration(void **state)
{
	struct net_config config = basic();
	struct virtio_net_config told;
	uint8_t bytes[256] = {0};
	struct back_device *dev;
	struct fixture f;

	(void)state;
	config.mtu = 1400;
	open_net(&f, config, 0);
	dev = net_device(f.net);
	dev->ops->config(dev, bytes);
	memcpy(&told, bytes, sizeof(told));
	assert_memory_equal(told.mac, config.mac, 6);
	assert_int_equal(told.status, VIRTIO_NET_S_LINK_UP);
	assert_int_equal(told.mtu, 1400);
	assert_int_equal(told.max_virtqueue_pairs, 1);
	assert_true(dev->features & VIRTIO_NET_F_MTU);
	/* A socket offloads nothing. */
	assert_false(dev->features & (VIRTIO_NET_F_CSUM | VIRTIO_NET_F_GUEST_TSO4));
	close_net(&f);
}

static void net_refuses_descriptor_that_is_no_tap(void **state)
{
	struct net_config config = basic();
	struct err e = ERR_INIT;
	struct net *net;
	int ends[2];

	(void)state;
	assert_int_equal(loop_create(&config.loop, &e), 0);
	assert_int_equal(pipe(ends), 0);
	config.taps = &ends[0];
	assert_int_equal(net_create(&net, &config, &e), -EBADF);
	close(ends[1]);
	/* These pass bytes, but know no frames. */
	config.taps = &(int){open("/dev/null", O_RDWR | O_CLOEXEC)};
	assert_int_equal(net_create(&net, &config, &e), -ENOTTY);
	assert_non_null(strstr(e.text, "neither one of a tap"));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	config.taps = &ends[0];
	assert_int_equal(net_create(&net, &config, &e), -ENOTTY);
	close(ends[1]);
	loop_destroy(config.loop);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(net_sends_frame_when_kicked),
	cmocka_unit_test(net_receives_frame_into_one_buffer),
	cmocka_unit_test(net_waits_for_buffers_when_there_are_none),
	cmocka_unit_test(net_spreads_frame_over_buffers_when_mergeable),
	cmocka_unit_test(net_gives_back_buffers_that_frame_does_not_take),
	cmocka_unit_test(net_keeps_frame_until_there_are_buffers),
	cmocka_unit_test(net_drops_frame_when_buffer_is_too_small),
	cmocka_unit_test(net_drops_frame_when_it_is_as_large_as_no_frame),
	cmocka_unit_test(net_waits_when_tap_is_full),
	cmocka_unit_test(net_survives_when_tap_goes),
	cmocka_unit_test(net_gives_buffers_back_when_queue_stops),
	cmocka_unit_test(net_obeys_spec_when_request_is_malformed),
	cmocka_unit_test(net_ctrl_answers_each_command),
	cmocka_unit_test(net_limits_frames_each_way),
	cmocka_unit_test(net_goes_on_when_limit_allows),
	cmocka_unit_test(net_tells_its_configuration),
	cmocka_unit_test(net_refuses_descriptor_that_is_no_tap),
};
UNIT_MAIN(tests)
