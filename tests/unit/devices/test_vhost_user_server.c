/* SPDX-License-Identifier: Apache-2.0 */
#include "devices/back/vhost_user_server.h"

#include "base/fd.h"
#include "tests/unit/devices/rig.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

/* A device that answers each chain with one byte and counts what it is told. */
struct echo {
	struct back_device base;
	unsigned int kicks, drains;
	uint64_t features;
	struct chain chain;
};

static void echo_kicked(void *queue, uint32_t events)
{
	struct virtq *q = queue;
	struct echo *echo = q->device;

	(void)events;
	echo->kicks++;
	while (virtq_pop(q, &echo->chain) > 0)
		virtq_push(q, echo->chain.head, 1);
	virtq_notify(q);
}

static void echo_drain(struct virtq *q)
{
	((struct echo *)q->device)->drains++;
}

static void echo_config(struct back_device *dev, uint8_t *bytes)
{
	(void)dev;
	for (uint8_t i = 0; i < 8; i++)
		bytes[i] = i;
}

static void echo_set_features(struct back_device *dev, uint64_t features)
{
	((struct echo *)dev)->features = features;
}

static const struct back_device_ops echo_ops = {
	.kicked = echo_kicked,
	.drain = echo_drain,
	.config = echo_config,
	.set_features = echo_set_features,
};

struct fixture {
	struct rig rig;
	struct echo echo;
};

static void open_server(struct fixture *f)
{
	struct err e = ERR_INIT;

	memset(f, 0, sizeof(*f));
	rig_open(&f->rig);
	f->echo.base = (struct back_device){.ops = &echo_ops, .name = "test", .n_queues = 2};
	assert_int_equal(loop_create(&f->rig.loop, &e), 0);
	rig_serve(&f->rig, &f->echo.base);
}

static void close_server(struct fixture *f)
{
	rig_close(&f->rig);
}

static void offer(struct fixture *f, unsigned int q)
{
	rig_desc(&f->rig, RIG_DESC(q), 0, (struct rig_desc){RIG_DATA, 1, RIG_WRITE, 0});
	rig_offer(&f->rig, q, 0);
	rig_kick(&f->rig, q);
}

static uint32_t get_base(struct fixture *f, uint32_t q)
{
	struct vhost_user_vring_state state = {q, 0};
	struct vhost_user_header h;

	rig_send(&f->rig, VHOST_USER_GET_VRING_BASE, &state, sizeof(state), -1);
	assert_int_equal(rig_reply(&f->rig, &h, &state, sizeof(state)), sizeof(state));
	assert_int_equal(state.index, q);
	return state.num;
}

static void vhost_user_server_runs_queues_when_front_end_set_all(void **state)
{
	struct fixture f;

	(void)state;
	open_server(&f);
	rig_start(&f.rig, 2, 0);
	assert_int_equal(vhost_user_server_result(f.rig.server), -EINPROGRESS);
	assert_true(f.echo.features & VIRTIO_F_VERSION_1);
	for (unsigned int q = 0; q < 2; q++) {
		offer(&f, q);
		offer(&f, q);
		assert_int_equal(rig_used(&f.rig, q), 2);
		assert_true(rig_count(f.rig.call[q]) > 0);
	}
	assert_int_equal(get_base(&f, 0), 2);
	assert_int_equal(f.echo.drains, 1);
	offer(&f, 0);
	assert_int_equal(rig_used(&f.rig, 0), 2);
	offer(&f, 1);
	assert_int_equal(rig_used(&f.rig, 1), 3);
	close_server(&f);
}

static void vhost_user_server_goes_on_from_base_when_started_again(void **state)
{
	const struct vhost_user_vring_addr addr = {
		.index = 0,
		.desc = RIG_USER,
		.avail = RIG_USER + 0x1000,
		.used = RIG_USER + 0x2000,
	};
	struct vhost_user_vring_state base = {0, 0};
	uint64_t queue = 0;
	struct fixture f;

	(void)state;
	open_server(&f);
	rig_start(&f.rig, 1, 0);
	offer(&f, 0);
	base.num = get_base(&f, 0);
	offer(&f, 0);
	rig_send(&f.rig, VHOST_USER_SET_VRING_BASE, &base, sizeof(base), -1);
	rig_send(&f.rig, VHOST_USER_SET_VRING_ADDR, &addr, sizeof(addr), -1);
	rig_send(&f.rig, VHOST_USER_SET_VRING_KICK, &queue, sizeof(queue), f.rig.kick[0]);
	assert_int_equal(rig_used(&f.rig, 0), 2);
	close_server(&f);
}

static void vhost_user_server_stops_device_when_ring_is_malformed(void **state)
{
	struct fixture f;

	(void)state;
	open_server(&f);
	rig_start(&f.rig, 2, 0);
	rig_offer(&f.rig, 0, RIG_NUM);
	rig_kick(&f.rig, 0);
	assert_int_equal(rig_count(f.rig.err[0]), 1);
	offer(&f, 1);
	assert_int_equal(rig_used(&f.rig, 1), 0);
	assert_int_equal(vhost_user_server_result(f.rig.server), -EINPROGRESS);
	/* A reset brings it back. */
	rig_send(&f.rig, VHOST_USER_RESET_DEVICE, "", 0, -1);
	memset(rig_at(&f.rig, RIG_GPA), 0, 0x10000);
	rig_start(&f.rig, 2, 0);
	offer(&f, 0);
	assert_int_equal(rig_used(&f.rig, 0), 1);
	close_server(&f);
}

static void vhost_user_server_drains_and_breaks_when_memory_goes(void **state)
{
	const struct vhost_user_mem_reg reg = {0, {RIG_GPA, RIG_SIZE, RIG_USER, 0}};
	struct fixture f;

	(void)state;
	open_server(&f);
	rig_start(&f.rig, 1, 0);
	rig_send(&f.rig, VHOST_USER_REM_MEM_REG, &reg, sizeof(reg), -1);
	assert_int_equal(f.echo.drains, 1);
	assert_int_equal(rig_count(f.rig.err[0]), 1);
	offer(&f, 0);
	assert_int_equal(rig_used(&f.rig, 0), 0);
	assert_int_equal(vhost_user_server_result(f.rig.server), -EINPROGRESS);
	close_server(&f);
}

static void vhost_user_server_breaks_queue_when_guest_chose_bad_ring(void **state)
{
	struct vhost_user_vring_state num = {0, 12};
	struct fixture f;

	(void)state;
	open_server(&f);
	rig_send(&f.rig, VHOST_USER_SET_VRING_NUM, &num, sizeof(num), -1);
	num.num = 0;
	rig_start(&f.rig, 1, 0);
	get_base(&f, 0);
	num.num = 12;
	rig_send(&f.rig, VHOST_USER_SET_VRING_NUM, &num, sizeof(num), -1);
	rig_count(f.rig.err[0]);
	{
		const struct vhost_user_vring_addr addr = {.desc = 1, .avail = 2, .used = 3};
		uint64_t queue = 0;

		rig_send(&f.rig, VHOST_USER_SET_VRING_ADDR, &addr, sizeof(addr), -1);
		rig_send(&f.rig, VHOST_USER_SET_VRING_KICK, &queue, sizeof(queue), f.rig.kick[0]);
	}
	assert_int_equal(rig_count(f.rig.err[0]), 1);
	assert_int_equal(vhost_user_server_result(f.rig.server), -EINPROGRESS);
	close_server(&f);
}

static void vhost_user_server_answers_config(void **state)
{
	struct vhost_user_config c = {.offset = 2, .size = 4};
	struct vhost_user_header h;
	struct fixture f;

	(void)state;
	open_server(&f);
	rig_send(&f.rig, VHOST_USER_GET_CONFIG, &c, 12 + c.size, -1);
	assert_int_equal(rig_reply(&f.rig, &h, &c, sizeof(c)), 12 + 4);
	assert_memory_equal(c.bytes, "\2\3\4\5", 4);
	/* The guest may write its configuration space; that ends nothing. */
	rig_send(&f.rig, VHOST_USER_SET_CONFIG, &c, 12 + c.size, -1);
	assert_int_equal(vhost_user_server_result(f.rig.server), -EINPROGRESS);
	close_server(&f);
}

static void vhost_user_server_acks_when_asked(void **state)
{
	const uint32_t id = VHOST_USER_SET_OWNER;
	const struct vhost_user_header ask = {id, VHOST_USER_VERSION | VHOST_USER_NEED_REPLY, 0};
	uint64_t value = VHOST_USER_PROTOCOL_F_REPLY_ACK;
	struct vhost_user_header h;
	struct fixture f;

	(void)state;
	open_server(&f);
	rig_send(&f.rig, VHOST_USER_SET_PROTOCOL_FEATURES, &value, sizeof(value), -1);
	assert_int_equal(fd_write_full(f.rig.sock, &ask, sizeof(ask)), 0);
	rig_turn(&f.rig);
	assert_int_equal(rig_reply(&f.rig, &h, &value, sizeof(value)), 8);
	assert_int_equal(h.request, id);
	assert_int_equal(value, 0);
	close_server(&f);
}

static void vhost_user_server_waits_when_message_comes_in_pieces(void **state)
{
	const uint64_t value = VHOST_USER_PROTOCOL_F_MQ;
	struct vhost_user_header h = {
		VHOST_USER_SET_PROTOCOL_FEATURES, VHOST_USER_VERSION, sizeof(value)};
	uint8_t out[sizeof(h) + sizeof(value)];
	struct fixture f;

	(void)state;
	open_server(&f);
	memcpy(out, &h, sizeof(h));
	memcpy(out + sizeof(h), &value, sizeof(value));
	for (size_t i = 0; i < sizeof(out); i++) {
		assert_int_equal(fd_write_full(f.rig.sock, out + i, 1), 0);
		rig_turn(&f.rig);
	}
	assert_int_equal(rig_ask(&f.rig, VHOST_USER_GET_QUEUE_NUM, "", 0), 2);
	close_server(&f);
}

static void vhost_user_server_ends_cleanly_when_front_end_goes(void **state)
{
	struct fixture f;

	(void)state;
	open_server(&f);
	rig_start(&f.rig, 1, 0);
	fd_drop(&f.rig.sock);
	rig_turn(&f.rig);
	assert_int_equal(vhost_user_server_result(f.rig.server), 0);
	close_server(&f);
}

/* Messages that no front end may send. payload is zeros up to size but for its first 24 bytes. */
static const struct bad_message {
	const char *what;
	uint32_t id, flags, size;
	uint64_t words[3];
	bool with_fd;
} bad_messages[] = {
	{"message 0", 0, 1, 0},
	{"message that does not exist", 1000, 1, 0},
	{"message largest", UINT32_MAX, 1, 0},
	{"log base, not offered", VHOST_USER_SET_LOG_BASE, 1, 8},
	{"version 0", VHOST_USER_GET_FEATURES, 0, 0},
	{"version 2", VHOST_USER_GET_FEATURES, 2, 0},
	{"a reply", VHOST_USER_GET_FEATURES, 5, 0},
	{"unknown flag", VHOST_USER_GET_FEATURES, 0x11, 0},
	{"payload where none is", VHOST_USER_GET_FEATURES, 1, 8},
	{"payload too short", VHOST_USER_SET_FEATURES, 1, 4},
	{"payload too long", VHOST_USER_SET_FEATURES, 1, 16},
	{"payload of 4 GiB", VHOST_USER_SET_MEM_TABLE, 1, UINT32_MAX},
	{"descriptor where none is", VHOST_USER_GET_FEATURES, 1, 0, {0}, true},
	{"features not offered", VHOST_USER_SET_FEATURES, 1, 8, {VHOST_F_LOG_ALL}},
	{"protocol features not offered", VHOST_USER_SET_PROTOCOL_FEATURES, 1, 8, {1u << 30}},
	{"queue out of range", VHOST_USER_SET_VRING_NUM, 1, 8, {2}},
	{"queue largest", VHOST_USER_SET_VRING_NUM, 1, 8, {UINT32_MAX}},
	{"ring address, queue out of range", VHOST_USER_SET_VRING_ADDR, 1, 40, {2}},
	{"ring logging", VHOST_USER_SET_VRING_ADDR, 1, 40, {UINT64_C(1) << 32}},
	{"base too large", VHOST_USER_SET_VRING_BASE, 1, 8, {UINT64_C(65536) << 32}},
	{"get base out of range", VHOST_USER_GET_VRING_BASE, 1, 8, {7}},
	{"enable 2", VHOST_USER_SET_VRING_ENABLE, 1, 8, {UINT64_C(2) << 32}},
	{"kick without descriptor", VHOST_USER_SET_VRING_KICK, 1, 8, {0}},
	{"kick of no descriptor", VHOST_USER_SET_VRING_KICK, 1, 8, {VHOST_USER_NO_FD}},
	{"kick with both", VHOST_USER_SET_VRING_KICK, 1, 8, {VHOST_USER_NO_FD}, true},
	{"kick, queue out of range", VHOST_USER_SET_VRING_KICK, 1, 8, {9}, true},
	{"call, unknown bits", VHOST_USER_SET_VRING_CALL, 1, 8, {0x200}, true},
	{"memory table without descriptor", VHOST_USER_SET_MEM_TABLE, 1, 40, {1}},
	{"memory table of 9", VHOST_USER_SET_MEM_TABLE, 1, 264, {9}, true},
	{"memory table shorter than it says", VHOST_USER_SET_MEM_TABLE, 1, 39, {1, RIG_GPA, 4096},
		true},
	{"memory table of no bytes", VHOST_USER_SET_MEM_TABLE, 1, 0},
	{"region of no bytes", VHOST_USER_SET_MEM_TABLE, 1, 40, {1, RIG_GPA, 0}, true},
	{"region misaligned", VHOST_USER_SET_MEM_TABLE, 1, 40, {1, RIG_GPA + 1, 4096}, true},
	{"region wraps", VHOST_USER_SET_MEM_TABLE, 1, 40, {1, -UINT64_C(4096), 8192}, true},
	{"region outside of file", VHOST_USER_ADD_MEM_REG, 1, 40, {0, 0, 1u << 30}, true},
	{"region without descriptor", VHOST_USER_ADD_MEM_REG, 1, 40, {0, 0, 4096}},
	{"region that is not there", VHOST_USER_REM_MEM_REG, 1, 40, {0, 0, 4096}},
	{"config beyond its end", VHOST_USER_GET_CONFIG, 1, 16, {UINT64_C(4) << 32 | 253}},
	{"config longer than message", VHOST_USER_GET_CONFIG, 1, 16, {UINT64_C(5) << 32}},
	{"config without its header", VHOST_USER_GET_CONFIG, 1, 8},
	{"config, offset wraps", VHOST_USER_GET_CONFIG, 1, 16, {UINT64_C(4) << 32 | UINT32_MAX}},
};

static void vhost_user_server_hangs_up_when_message_is_malformed(void **state)
{
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad_messages); i++) {
		const struct bad_message *m = &bad_messages[i];
		const struct vhost_user_header h = {m->id, m->flags, m->size};
		uint8_t out[sizeof(h) + 512] = {0};
		size_t len = sizeof(h) + min_u64(m->size, 512);

		open_server(&f);
		memcpy(out, &h, sizeof(h));
		memcpy(out + sizeof(h), m->words, sizeof(m->words));
		assert_int_equal(fd_send(f.rig.sock, out, len, &f.rig.mem_fd, m->with_fd), 0);
		rig_turn(&f.rig);
		if (vhost_user_server_result(f.rig.server) >= 0 ||
			vhost_user_server_result(f.rig.server) == -EINPROGRESS)
			fail_msg("accepted: %s", m->what);
		close_server(&f);
	}
}

static void vhost_user_server_refuses_overlapping_regions(void **state)
{
	const struct vhost_user_mem_reg reg = {
		0, {RIG_GPA + RIG_SIZE - 4096, 8192, RIG_USER + (UINT64_C(1) << 40), 0}};
	struct fixture f;

	(void)state;
	open_server(&f);
	rig_memory(&f.rig);
	rig_send(&f.rig, VHOST_USER_ADD_MEM_REG, &reg, sizeof(reg), f.rig.mem_fd);
	assert_int_equal(vhost_user_server_result(f.rig.server), -EINVAL);
	close_server(&f);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(vhost_user_server_runs_queues_when_front_end_set_all),
	cmocka_unit_test(vhost_user_server_goes_on_from_base_when_started_again),
	cmocka_unit_test(vhost_user_server_stops_device_when_ring_is_malformed),
	cmocka_unit_test(vhost_user_server_drains_and_breaks_when_memory_goes),
	cmocka_unit_test(vhost_user_server_breaks_queue_when_guest_chose_bad_ring),
	cmocka_unit_test(vhost_user_server_answers_config),
	cmocka_unit_test(vhost_user_server_acks_when_asked),
	cmocka_unit_test(vhost_user_server_waits_when_message_comes_in_pieces),
	cmocka_unit_test(vhost_user_server_ends_cleanly_when_front_end_goes),
	cmocka_unit_test(vhost_user_server_hangs_up_when_message_is_malformed),
	cmocka_unit_test(vhost_user_server_refuses_overlapping_regions),
};
UNIT_MAIN(tests)
