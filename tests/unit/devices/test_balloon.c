/* SPDX-License-Identifier: Apache-2.0 */
#include "devices/back/balloon.h"

#include "base/bytes.h"
#include "base/fd.h"
#include "devices/wire/virtio_balloon.h"
#include "memory/shared_area.h"
#include "tests/unit/devices/rig.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define PAGE 4096u

struct fixture {
	struct rig rig;
	struct balloon *balloon;
	struct shared_area area;
	struct balloon_state *state;
	int changed; /* the test's copy */
};

static void open_balloon(struct fixture *f, const struct balloon_state *state)
{
	struct balloon_config config = {.name = "test"};
	struct err e = ERR_INIT;

	memset(f, 0, sizeof(*f));
	rig_open(&f->rig);
	assert_int_equal(loop_create(&f->rig.loop, &e), 0);
	assert_int_equal(shared_area_open(&f->area, sizeof(*f->state), &config.state_fd, &e), 0);
	f->state = f->area.at;
	*f->state = *state;
	assert_int_equal(fd_event(&f->changed, &e), 0);
	config.changed_fd = fcntl(f->changed, F_DUPFD_CLOEXEC, 3);
	config.loop = f->rig.loop;
	assert_int_equal(balloon_create(&f->balloon, &config, &e), 0);
	rig_serve(&f->rig, balloon_device(f->balloon));
	memset(rig_at(&f->rig, RIG_DATA), 0x6b, 0x40000);
	rig_start(&f->rig, balloon_device(f->balloon)->n_queues, 0);
}

static void close_balloon(struct fixture *f)
{
	vhost_user_server_destroy(f->rig.server);
	f->rig.server = NULL;
	balloon_destroy(f->balloon);
	shared_area_close(&f->area);
	fd_drop(&f->changed);
	rig_close(&f->rig);
}

/* offer() - one chain of one descriptor in queue q */
static void offer(struct fixture *f, unsigned int q, uint64_t addr, uint32_t len, uint16_t flags)
{
	rig_desc(&f->rig, RIG_DESC(q), 0, (struct rig_desc){addr, len, flags, 0});
	rig_offer(&f->rig, q, 0);
	rig_kick(&f->rig, q);
}

static void put_numbers(struct fixture *f, const uint32_t *numbers, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		store_le32((uint8_t *)rig_at(&f->rig, RIG_DATA) + 4 * i, numbers[i]);
	offer(f, 0, RIG_DATA, 4 * n, 0);
}

/* expect_page() - page n behind the numbers is gone, or is as it was */
static void expect_page(struct fixture *f, uint32_t n, bool gone)
{
	const uint8_t *at = rig_at(&f->rig, RIG_DATA + n * PAGE);

	for (unsigned int i = 0; i < PAGE; i++)
		assert_int_equal(at[i], gone ? 0 : 0x6b);
}

static uint64_t backing(const struct fixture *f)
{
	struct stat st;

	assert_int_equal(fstat(f->rig.mem_fd, &st), 0);
	return (uint64_t)st.st_blocks * 512;
}

static void balloon_gives_back_what_goes_into_it(void **state)
{
	const uint32_t first = RIG_DATA / PAGE,
		       numbers[] = {first + 9, first + 8, first + 7, first + 3, first + 4,
			       first + 12, first + 6};
	struct fixture f;
	uint64_t before;

	(void)state;
	open_balloon(&f, &(struct balloon_state){0});
	put_numbers(&f, (const uint32_t[]){UINT32_MAX}, 1); /* the ring has its pages then */
	before = backing(&f);
	put_numbers(&f, numbers, 7);
	assert_int_equal(rig_used(&f.rig, 0), 2);
	assert_int_equal(rig_used_len(&f.rig, 0, 1), 0);
	assert_int_equal(before - backing(&f), 7 * PAGE);
	for (uint32_t n = 1; n < 14; n++)
		expect_page(&f, n, n == 3 || n == 4 || (n >= 6 && n <= 9) || n == 12);
	close_balloon(&f);
}

static void balloon_ignores_numbers_of_no_page(void **state)
{
	const uint32_t first = RIG_DATA / PAGE,
		       numbers[] = {UINT32_MAX, 0, RIG_GPA / PAGE - 1, (RIG_GPA + RIG_SIZE) / PAGE,
			       first + 2, 0x80000000};
	struct fixture f;

	(void)state;
	open_balloon(&f, &(struct balloon_state){0});
	rig_share(&f.rig, RIG_DATA + 5 * PAGE, PAGE, false);
	put_numbers(&f, numbers, 6);
	assert_int_equal(rig_used(&f.rig, 0), 1);
	expect_page(&f, 1, false);
	expect_page(&f, 2, true);
	put_numbers(&f, (const uint32_t[]){first + 5}, 1); /* private: not the guest's here */
	expect_page(&f, 5, false);
	offer(&f, 0, RIG_DATA, 3, 0); /* less than a number */
	assert_int_equal(rig_used(&f.rig, 0), 3);
	assert_int_equal(rig_count(f.rig.err[0]), 0);
	close_balloon(&f);
}

static void balloon_reports_whole_pages_only(void **state)
{
	struct fixture f;

	(void)state;
	open_balloon(&f, &(struct balloon_state){.report = 1});
	assert_int_equal(balloon_device(f.balloon)->features, VIRTIO_BALLOON_F_REPORTING);
	offer(&f, 2, RIG_DATA + PAGE + 1, 4 * PAGE, RIG_WRITE);
	offer(&f, 2, RIG_DATA + 8 * PAGE + 1, PAGE, RIG_WRITE);
	assert_int_equal(rig_used(&f.rig, 2), 2);
	for (uint32_t n = 0; n < 12; n++)
		expect_page(&f, n, n >= 2 && n <= 4);
	close_balloon(&f);
}

/* What a driver may offer wrongly; the device needs a reset, and no page is given back. */
static const struct malformed {
	const char *what, *section;
	unsigned int queue;
	uint64_t addr;
	uint32_t len;
	uint16_t flags; /* with RIG_NEXT: of itself */
} malformed[] = {
	{"writable, to inflate", "5.5.6", 0, RIG_DATA, PAGE, RIG_WRITE},
	{"writable, to deflate", "5.5.6", 1, RIG_DATA, PAGE, RIG_WRITE},
	{"readable, reported", "5.5.6.7", 2, RIG_DATA, PAGE, 0},
	{"no bytes", "2.7.5", 0, RIG_DATA, 0, 0},
	{"no bytes, reported", "2.7.5", 2, RIG_DATA, 0, RIG_WRITE},
	{"beyond memory", "2.7.5", 0, RIG_GPA + RIG_SIZE - 4, 8, 0},
	{"beyond memory, reported", "2.7.5", 2, RIG_GPA + RIG_SIZE - PAGE, 2 * PAGE, RIG_WRITE},
	{"over-long", "2.7.5", 2, RIG_DATA, UINT32_MAX, RIG_WRITE},
	{"looped", "2.7.5.3.1", 0, RIG_DATA, PAGE, RIG_NEXT},
	{"looped, reported", "2.7.5.3.1", 2, RIG_DATA, PAGE, RIG_NEXT | RIG_WRITE},
};

static void balloon_breaks_when_request_is_malformed(void **state)
{
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(malformed); i++) {
		const struct malformed *m = &malformed[i];

		open_balloon(&f, &(struct balloon_state){.report = 1});
		offer(&f, m->queue, m->addr, m->len, m->flags);
		if (rig_count(f.rig.err[m->queue]) != 1 || rig_used(&f.rig, m->queue) != 0)
			fail_msg("%s (%s): accepted", m->what, m->section);
		expect_page(&f, 0, false);
		close_balloon(&f);
	}
}

static void ask_config(struct fixture *f, struct virtio_balloon_config *config)
{
	struct vhost_user_config c = {.size = sizeof(*config)};
	struct vhost_user_header h;

	rig_send(&f->rig, VHOST_USER_GET_CONFIG, &c, 12 + c.size, -1);
	assert_int_equal(rig_reply(&f->rig, &h, &c, sizeof(c)), 12 + c.size);
	memcpy(config, c.bytes, sizeof(*config));
}

static void balloon_tells_sizes_both_ways(void **state)
{
	struct vhost_user_config c = {.offset = 4, .size = 4, .bytes = {9}};
	struct virtio_balloon_config config;
	struct fixture f;

	(void)state;
	open_balloon(&f, &(struct balloon_state){.wanted = 77, .actual = 5, .deflate_on_oom = 1});
	assert_int_equal(balloon_device(f.balloon)->features, VIRTIO_BALLOON_F_DEFLATE_ON_OOM);
	ask_config(&f, &config);
	assert_int_equal(config.num_pages, 77);
	assert_int_equal(config.actual, 5);
	rig_send(&f.rig, VHOST_USER_SET_CONFIG, &c, 12 + c.size, -1);
	rig_turn(&f.rig);
	assert_int_equal(f.state->actual, 9);
	assert_int_equal(rig_count(f.changed), 1);
	c.offset = 0; /* not the driver's to write */
	rig_send(&f.rig, VHOST_USER_SET_CONFIG, &c, 12 + c.size, -1);
	rig_turn(&f.rig);
	ask_config(&f, &config);
	assert_int_equal(config.num_pages, 77);
	assert_int_equal(rig_count(f.changed), 0);
	close_balloon(&f);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(balloon_gives_back_what_goes_into_it),
	cmocka_unit_test(balloon_ignores_numbers_of_no_page),
	cmocka_unit_test(balloon_reports_whole_pages_only),
	cmocka_unit_test(balloon_breaks_when_request_is_malformed),
	cmocka_unit_test(balloon_tells_sizes_both_ways),
};
UNIT_MAIN(tests)
