/* SPDX-License-Identifier: Apache-2.0 */
#include "devices/back/mem.h"

#include "base/fd.h"
#include "devices/wire/virtio_mem.h"
#include "memory/shared_area.h"
#include "tests/unit/devices/rig.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#define BLOCK    VIRTIO_MEM_BLOCK
#define N        4u                                 /* blocks of the region */
#define REGION   UINT64_C(0x40000000)               /* guest address */
#define USER     (RIG_USER + UINT64_C(0x100000000)) /* the front end's name for it */
#define REQUEST  RIG_DATA
#define RESPONSE (RIG_DATA + 0x1000u)

struct fixture {
	struct rig rig;
	struct mem *mem;
	struct shared_area area;
	struct mem_state *state;
	int changed, state_fd, region_fd; /* the test's */
	uint8_t *region;
	uint16_t used;
};

static void serve(struct fixture *f)
{
	struct mem_config config = {.name = "test", .loop = f->rig.loop};
	struct vhost_user_mem_reg one = {.region = {REGION, N * BLOCK, USER, 0}};
	struct err e = ERR_INIT;

	config.state_fd = fcntl(f->state_fd, F_DUPFD_CLOEXEC, 3);
	config.changed_fd = fcntl(f->changed, F_DUPFD_CLOEXEC, 3);
	assert_int_equal(mem_create(&f->mem, &config, &e), 0);
	rig_serve(&f->rig, mem_device(f->mem));
	rig_start(&f->rig, 1, 0);
	rig_send(&f->rig, VHOST_USER_ADD_MEM_REG, &one, sizeof(one), f->region_fd);
	rig_turn(&f->rig);
}

static void open_mem(struct fixture *f, unsigned int wanted)
{
	struct err e = ERR_INIT;

	memset(f, 0, sizeof(*f));
	rig_open(&f->rig);
	/* The region is above what the rig's ledger knows: the front end of this test has none. */
	fd_drop(&f->rig.ledger_fd);
	assert_int_equal(loop_create(&f->rig.loop, &e), 0);
	assert_int_equal(shared_area_open(&f->area, sizeof(*f->state) + N, &f->state_fd, &e), 0);
	f->state = f->area.at;
	f->state->addr = REGION;
	f->state->region = N * BLOCK;
	f->state->wanted = wanted * BLOCK;
	assert_int_equal(fd_event(&f->changed, &e), 0);
	f->region_fd = memfd_create("region", MFD_CLOEXEC);
	assert_int_equal(ftruncate(f->region_fd, N * BLOCK), 0);
	f->region = mmap(NULL, N * BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, f->region_fd, 0);
	assert_ptr_not_equal(f->region, MAP_FAILED);
	serve(f);
}

static void unserve(struct fixture *f)
{
	vhost_user_server_destroy(f->rig.server);
	f->rig.server = NULL;
	mem_destroy(f->mem);
}

static void close_mem(struct fixture *f)
{
	unserve(f);
	shared_area_close(&f->area);
	munmap(f->region, N * BLOCK);
	fd_drop(&f->region_fd);
	fd_drop(&f->state_fd);
	fd_drop(&f->changed);
	rig_close(&f->rig);
}

static void offer(struct fixture *f, const struct virtio_mem_request *r, const struct rig_desc d[2])
{
	memcpy(rig_at(&f->rig, REQUEST), r, sizeof(*r));
	memset(rig_at(&f->rig, RESPONSE), 0xee, 64);
	rig_desc(&f->rig, RIG_DESC(0), 0, d[0]);
	rig_desc(&f->rig, RIG_DESC(0), 1, d[1]);
	rig_offer(&f->rig, 0, 0);
	rig_kick(&f->rig, 0);
}

static const struct rig_desc usual[] = {{REQUEST, sizeof(struct virtio_mem_request), RIG_NEXT, 1},
	{RESPONSE, sizeof(struct virtio_mem_response), RIG_WRITE, 0}};

/* ask() - Return: the type of the response; of STATE: 16 and the state. */
static unsigned int ask(struct fixture *f, uint16_t type, uint64_t addr, uint16_t n)
{
	const struct virtio_mem_request r = {.type = type, .addr = addr, .nb_blocks = n};
	struct virtio_mem_response resp;

	offer(f, &r, usual);
	f->used++;
	assert_int_equal(rig_used(&f->rig, 0), f->used);
	assert_int_equal(rig_used_len(&f->rig, 0, f->used - 1u), sizeof(resp));
	memcpy(&resp, rig_at(&f->rig, RESPONSE), sizeof(resp));
	assert_int_equal(*(uint8_t *)rig_at(&f->rig, RESPONSE + sizeof(resp)), 0xee);
	if (type == VIRTIO_MEM_REQ_STATE && resp.type == VIRTIO_MEM_RESP_ACK)
		return 16u + resp.state;
	assert_int_equal(resp.state, 0);
	return resp.type;
}

static uint64_t at(unsigned int block)
{
	return REGION + (uint64_t)block * BLOCK;
}

static void mem_plugs_up_to_what_is_wanted(void **state)
{
	struct fixture f;

	(void)state;
	open_mem(&f, 3);
	assert_int_equal(ask(&f, VIRTIO_MEM_REQ_STATE, at(0), 4), 16 + VIRTIO_MEM_UNPLUGGED);
	assert_int_equal(ask(&f, VIRTIO_MEM_REQ_PLUG, at(0), 4), VIRTIO_MEM_RESP_NACK);
	assert_int_equal(ask(&f, VIRTIO_MEM_REQ_PLUG, at(1), 2), VIRTIO_MEM_RESP_ACK);
	assert_int_equal(f.state->plugged, 2 * BLOCK);
	assert_int_equal(rig_count(f.changed), 1);
	assert_int_equal(ask(&f, VIRTIO_MEM_REQ_PLUG, at(2), 1), VIRTIO_MEM_RESP_ERROR);
	assert_int_equal(ask(&f, VIRTIO_MEM_REQ_PLUG, at(0), 1), VIRTIO_MEM_RESP_ACK);
	assert_int_equal(ask(&f, VIRTIO_MEM_REQ_PLUG, at(3), 1), VIRTIO_MEM_RESP_NACK);
	assert_int_equal(ask(&f, VIRTIO_MEM_REQ_STATE, at(0), 3), 16 + VIRTIO_MEM_PLUGGED);
	assert_int_equal(ask(&f, VIRTIO_MEM_REQ_STATE, at(2), 2), 16 + VIRTIO_MEM_MIXED);
	assert_int_equal(f.state->plugged, 3 * BLOCK);
	close_mem(&f);
}

static void mem_gives_back_what_is_unplugged(void **state)
{
	struct fixture f;

	(void)state;
	open_mem(&f, 4);
	assert_int_equal(ask(&f, VIRTIO_MEM_REQ_PLUG, at(0), 4), VIRTIO_MEM_RESP_ACK);
	for (unsigned int i = 0; i < N; i++)
		f.region[i * BLOCK] = f.region[i * BLOCK + BLOCK - 1] = 0x6b;
	assert_int_equal(ask(&f, VIRTIO_MEM_REQ_UNPLUG, at(1), 2), VIRTIO_MEM_RESP_ACK);
	for (unsigned int i = 0; i < N; i++) {
		assert_int_equal(f.region[i * BLOCK], i == 0 || i == 3 ? 0x6b : 0);
		assert_int_equal(f.region[i * BLOCK + BLOCK - 1], i == 0 || i == 3 ? 0x6b : 0);
	}
	assert_int_equal(ask(&f, VIRTIO_MEM_REQ_UNPLUG, at(0), 2), VIRTIO_MEM_RESP_ERROR);
	assert_int_equal(f.region[0], 0x6b);
	assert_int_equal(f.state->plugged, 2 * BLOCK);
	assert_int_equal(ask(&f, VIRTIO_MEM_REQ_UNPLUG_ALL, 0, 0), VIRTIO_MEM_RESP_ACK);
	assert_int_equal(f.region[0] | f.region[3 * BLOCK], 0);
	assert_int_equal(f.state->plugged, 0);
	close_mem(&f);
}

/* What a driver may ask wrongly, by section of the specification. */
static void mem_obeys_spec_when_request_is_malformed(void **state)
{
	static const struct {
		const char *what, *spec;
		uint16_t type, n;
		uint64_t addr;
	} rows[] = {
		{"no blocks", "5.15.6.2", VIRTIO_MEM_REQ_PLUG, 0, REGION},
		{"half a block", "5.15.6.2", VIRTIO_MEM_REQ_PLUG, 1, REGION + BLOCK / 2},
		{"before the region", "5.15.6.2", VIRTIO_MEM_REQ_PLUG, 1, REGION - BLOCK},
		{"behind the region", "5.15.6.2", VIRTIO_MEM_REQ_STATE, 1, REGION + N * BLOCK},
		{"beyond capacity", "5.15.6.2", VIRTIO_MEM_REQ_PLUG, N + 1, REGION},
		{"most blocks", "5.15.6.2", VIRTIO_MEM_REQ_STATE, UINT16_MAX, REGION},
		{"wrapping", "5.15.6.2", VIRTIO_MEM_REQ_UNPLUG, 2, -(uint64_t)BLOCK},
		{"unplugged already", "5.15.6.4", VIRTIO_MEM_REQ_UNPLUG, 1, REGION},
		{"unknown type", "5.15.6", 4, 1, REGION},
		{"unknown type", "5.15.6", UINT16_MAX, 1, REGION},
	};
	struct fixture f;

	(void)state;
	open_mem(&f, N);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (ask(&f, rows[i].type, rows[i].addr, rows[i].n) != VIRTIO_MEM_RESP_ERROR)
			fail_msg("%s (%s): no error", rows[i].what, rows[i].spec);
	assert_int_equal(f.state->plugged, 0);
	assert_int_equal(rig_count(f.rig.err[0]), 0);
	close_mem(&f);
}

static void mem_breaks_when_chain_is_malformed(void **state)
{
	static const struct {
		const char *what, *spec;
		struct rig_desc d[2];
	} rows[] = {
		{"short request", "5.15.6",
			{{REQUEST, 23, RIG_NEXT, 1}, {RESPONSE, 10, RIG_WRITE, 0}}},
		{"short response", "5.15.6",
			{{REQUEST, 24, RIG_NEXT, 1}, {RESPONSE, 9, RIG_WRITE, 0}}},
		{"no response", "5.15.6", {{REQUEST, 24, 0, 0}}},
		{"wrong direction", "5.15.6", {{REQUEST, 24, RIG_WRITE, 0}}},
		{"no bytes", "2.7.5", {{REQUEST, 24, RIG_NEXT, 1}, {RESPONSE, 0, RIG_WRITE, 0}}},
		{"readable behind writable", "2.7.4.2",
			{{RESPONSE, 10, RIG_NEXT | RIG_WRITE, 1}, {REQUEST, 24, 0, 0}}},
		{"beyond memory", "2.7.5",
			{{RIG_GPA + RIG_SIZE - 8, 24, RIG_NEXT, 1}, {RESPONSE, 10, RIG_WRITE, 0}}},
		{"looped", "2.7.5.3.1", {{REQUEST, 24, RIG_NEXT, 0}}},
	};
	const struct virtio_mem_request r = {
		.type = VIRTIO_MEM_REQ_PLUG, .addr = REGION, .nb_blocks = 1};
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		open_mem(&f, N);
		offer(&f, &r, rows[i].d);
		if (rig_count(f.rig.err[0]) != 1 || rig_used(&f.rig, 0) || f.state->plugged)
			fail_msg("%s (%s): accepted", rows[i].what, rows[i].spec);
		close_mem(&f);
	}
}

/* A request that overlaps its own response is copied before it is answered. */
static void mem_answers_when_response_overlaps_request(void **state)
{
	const struct virtio_mem_request r = {
		.type = VIRTIO_MEM_REQ_PLUG, .addr = REGION, .nb_blocks = 1};
	const struct rig_desc d[] = {{REQUEST, 24, RIG_NEXT, 1},
		{REQUEST, sizeof(struct virtio_mem_response), RIG_WRITE, 0}};
	struct fixture f;

	(void)state;
	open_mem(&f, N);
	offer(&f, &r, d);
	assert_int_equal(rig_used(&f.rig, 0), 1);
	assert_int_equal(*(uint8_t *)rig_at(&f.rig, REQUEST), VIRTIO_MEM_RESP_ACK);
	assert_int_equal(f.state->plugged, BLOCK);
	close_mem(&f);
}

/* The process died behind the change and before the answer, or before the change was complete. */
static void mem_repeats_a_request_that_a_process_died_of(void **state)
{
	struct fixture f;

	(void)state;
	open_mem(&f, 2);
	f.state->step = (struct virtio_mem_request){
		.type = VIRTIO_MEM_REQ_PLUG, .addr = at(1), .nb_blocks = 2};
	f.state->stepping = 1;
	f.state->blocks[1] = 1;
	f.state->plugged = 77;
	unserve(&f);
	serve(&f);
	assert_int_equal(f.state->plugged, BLOCK);
	assert_int_equal(ask(&f, VIRTIO_MEM_REQ_PLUG, at(1), 2), VIRTIO_MEM_RESP_ACK);
	assert_int_equal(f.state->plugged, 2 * BLOCK);
	assert_int_equal(ask(&f, VIRTIO_MEM_REQ_PLUG, at(1), 2), VIRTIO_MEM_RESP_ERROR);
	assert_int_equal(ask(&f, VIRTIO_MEM_REQ_STATE, at(0), 2), 16 + VIRTIO_MEM_MIXED);
	close_mem(&f);
}

static void mem_tells_its_region(void **state)
{
	struct vhost_user_config c = {.size = sizeof(struct virtio_mem_config)};
	struct virtio_mem_config config;
	struct vhost_user_header h;
	struct fixture f;

	(void)state;
	open_mem(&f, 3);
	assert_int_equal(ask(&f, VIRTIO_MEM_REQ_PLUG, at(0), 1), VIRTIO_MEM_RESP_ACK);
	f.state->addr = 0; /* nobody looks any more */
	rig_send(&f.rig, VHOST_USER_GET_CONFIG, &c, 12 + c.size, -1);
	assert_int_equal(rig_reply(&f.rig, &h, &c, sizeof(c)), 12 + c.size);
	memcpy(&config, c.bytes, sizeof(config));
	assert_int_equal(config.block_size, BLOCK);
	assert_int_equal(config.addr, REGION);
	assert_int_equal(config.region_size, N * BLOCK);
	assert_int_equal(config.usable_region_size, N * BLOCK);
	assert_int_equal(config.plugged_size, BLOCK);
	assert_int_equal(config.requested_size, 3 * BLOCK);
	close_mem(&f);
}

static void mem_refuses_a_state_that_does_not_fit(void **state)
{
	static const struct {
		uint64_t addr, region;
	} rows[] = {{REGION + 1, BLOCK}, {REGION, BLOCK + 1}, {REGION, 5 * 4096 * (uint64_t)BLOCK},
		{-(uint64_t)BLOCK, 2 * BLOCK}, {REGION, -(uint64_t)BLOCK}};
	struct err e = ERR_INIT;
	struct shared_area area;
	struct mem *mem;
	int fd;

	(void)state;
	assert_int_equal(shared_area_open(&area, sizeof(struct mem_state) + 1, &fd, &e), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct mem_config config = {.name = "test", .changed_fd = -1};

		((struct mem_state *)area.at)->addr = rows[i].addr;
		((struct mem_state *)area.at)->region = rows[i].region;
		config.state_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
		assert_int_equal(mem_create(&mem, &config, &e), -EINVAL);
		assert_null(mem);
	}
	shared_area_close(&area);
	fd_drop(&fd);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(mem_plugs_up_to_what_is_wanted),
	cmocka_unit_test(mem_gives_back_what_is_unplugged),
	cmocka_unit_test(mem_obeys_spec_when_request_is_malformed),
	cmocka_unit_test(mem_breaks_when_chain_is_malformed),
	cmocka_unit_test(mem_answers_when_response_overlaps_request),
	cmocka_unit_test(mem_repeats_a_request_that_a_process_died_of),
	cmocka_unit_test(mem_tells_its_region),
	cmocka_unit_test(mem_refuses_a_state_that_does_not_fit),
};
UNIT_MAIN(tests)
