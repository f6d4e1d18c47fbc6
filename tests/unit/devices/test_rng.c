/* SPDX-License-Identifier: Apache-2.0 */
#include "devices/back/rng.h"

#include "base/fd.h"
#include "tests/unit/devices/rig.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

struct fixture {
	struct rig rig;
	struct rng *rng;
	int pipe[2]; /* source; [1] is the test's */
};

static void open_rng(struct fixture *f)
{
	struct rng_config config = {.name = "test"};
	struct err e = ERR_INIT;

	memset(f, 0, sizeof(*f));
	rig_open(&f->rig);
	assert_int_equal(pipe2(f->pipe, O_CLOEXEC), 0);
	assert_int_equal(loop_create(&f->rig.loop, &e), 0);
	config.loop = f->rig.loop;
	config.source_fd = f->pipe[0];
	assert_int_equal(rng_create(&f->rng, &config, &e), 0);
	rig_serve(&f->rig, rng_device(f->rng));
	rig_start(&f->rig, 1, 0);
}

static void close_rng(struct fixture *f)
{
	vhost_user_server_destroy(f->rig.server);
	f->rig.server = NULL;
	rng_destroy(f->rng);
	fd_drop(&f->pipe[1]);
	rig_close(&f->rig);
}

static void ask(struct fixture *f, uint32_t len)
{
	rig_desc(&f->rig, RIG_DESC(0), 0, (struct rig_desc){RIG_DATA, len, RIG_WRITE, 0});
	rig_offer(&f->rig, 0, 0);
	rig_kick(&f->rig, 0);
}

static void rng_gives_what_source_has(void **state)
{
	struct fixture f;

	(void)state;
	open_rng(&f);
	assert_int_equal(fd_write_full(f.pipe[1], "entropy", 7), 0);
	ask(&f, 4);
	assert_int_equal(rig_used(&f.rig, 0), 1);
	assert_int_equal(rig_used_len(&f.rig, 0, 0), 4);
	assert_memory_equal(rig_at(&f.rig, RIG_DATA), "entr", 4);
	ask(&f, 4);
	assert_int_equal(rig_used_len(&f.rig, 0, 1), 3);
	close_rng(&f);
}

static void rng_waits_when_source_is_empty(void **state)
{
	struct fixture f;

	(void)state;
	open_rng(&f);
	ask(&f, 4);
	assert_int_equal(rig_used(&f.rig, 0), 0);
	assert_int_equal(fd_write_full(f.pipe[1], "late", 4), 0);
	rig_turn(&f.rig);
	assert_int_equal(rig_used(&f.rig, 0), 1);
	assert_memory_equal(rig_at(&f.rig, RIG_DATA), "late", 4);
	assert_int_equal(rig_count(f.rig.call[0]), 1);
	close_rng(&f);
}

static void rng_gives_request_back_when_queue_stops(void **state)
{
	struct vhost_user_vring_state base = {0, 0};
	struct vhost_user_header h;
	struct fixture f;

	(void)state;
	open_rng(&f);
	ask(&f, 4);
	rig_send(&f.rig, VHOST_USER_GET_VRING_BASE, &base, sizeof(base), -1);
	assert_int_equal(rig_reply(&f.rig, &h, &base, sizeof(base)), sizeof(base));
	assert_int_equal(base.num, 0);
	assert_int_equal(fd_write_full(f.pipe[1], "late", 4), 0);
	rig_turn(&f.rig);
	assert_int_equal(rig_used(&f.rig, 0), 0);
	close_rng(&f);
}

static void rng_gives_at_most_a_chunk(void **state)
{
	struct fixture f;
	struct err e = ERR_INIT;
	struct rng_config config = {.name = "test"};

	(void)state;
	memset(&f, 0, sizeof(f));
	f.pipe[1] = -1;
	rig_open(&f.rig);
	assert_int_equal(loop_create(&f.rig.loop, &e), 0);
	config.loop = f.rig.loop;
	config.source_fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
	assert_int_equal(rng_create(&f.rng, &config, &e), 0);
	rig_serve(&f.rig, rng_device(f.rng));
	rig_start(&f.rig, 1, 0);
	ask(&f, 2 * RNG_CHUNK);
	assert_int_equal(rig_used_len(&f.rig, 0, 0), RNG_CHUNK);
	close_rng(&f);
}

/* What a driver may ask wrongly; the device needs a reset, whatever the source has. */
static const struct malformed {
	const char *what, *section;
	struct rig_desc d[2];
	bool private; /* the first buffer */
} malformed[] = {
	{"readable", "5.4.6.1", {{RIG_DATA, 4, 0, 0}}, false},
	{"partly readable", "5.4.6.1", {{RIG_DATA, 4, RIG_NEXT, 1}, {RIG_DATA, 4, RIG_WRITE, 0}},
		false},
	{"no bytes", "2.7.5", {{RIG_DATA, 0, RIG_WRITE, 0}}, false},
	{"beyond memory", "2.7.5", {{RIG_GPA + RIG_SIZE - 2, 4, RIG_WRITE, 0}}, false},
	{"over 4 GiB", "2.7.5", {{RIG_DATA, UINT32_MAX, RIG_WRITE, 0}}, false},
	{"looped", "2.7.5.3.1", {{RIG_DATA, 4, RIG_WRITE | RIG_NEXT, 0}}, false},
	{"private", "ledger", {{RIG_DATA, 4, RIG_WRITE, 0}}, true},
};

static void rng_breaks_when_request_is_malformed(void **state)
{
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(malformed); i++) {
		const struct malformed *m = &malformed[i];

		open_rng(&f);
		assert_int_equal(fd_write_full(f.pipe[1], "entropy", 7), 0);
		rig_share(&f.rig, RIG_DATA, 1, !m->private);
		rig_desc(&f.rig, RIG_DESC(0), 0, m->d[0]);
		rig_desc(&f.rig, RIG_DESC(0), 1, m->d[1]);
		rig_offer(&f.rig, 0, 0);
		rig_kick(&f.rig, 0);
		if (rig_count(f.rig.err[0]) != 1 || rig_used(&f.rig, 0) != 0)
			fail_msg("%s (%s): accepted", m->what, m->section);
		assert_int_equal(*(uint8_t *)rig_at(&f.rig, RIG_DATA), 0);
		close_rng(&f);
	}
}

static void rng_stays_quiet_when_source_has_ended(void **state)
{
	struct fixture f;

	(void)state;
	open_rng(&f);
	fd_drop(&f.pipe[1]);
	ask(&f, 4);
	ask(&f, 4);
	assert_int_equal(rig_used(&f.rig, 0), 0);
	assert_int_equal(rig_count(f.rig.err[0]), 0);
	close_rng(&f);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(rng_gives_what_source_has),
	cmocka_unit_test(rng_waits_when_source_is_empty),
	cmocka_unit_test(rng_gives_request_back_when_queue_stops),
	cmocka_unit_test(rng_gives_at_most_a_chunk),
	cmocka_unit_test(rng_breaks_when_request_is_malformed),
	cmocka_unit_test(rng_stays_quiet_when_source_has_ended),
};
UNIT_MAIN(tests)
