/* SPDX-License-Identifier: Apache-2.0 */
/* Register by register; whole sequences are in test_virtio_pci.c. */
#include "devices/front/virtio_common.h"

#include "base/log.h"
#include "devices/wire/virtio_pci.h"
#include "tests/unit/unit.h"

#include <errno.h>

#define REG(field)       offsetof(struct virtio_pci_common, field)
#define LEN(field)       (unsigned int)sizeof(((struct virtio_pci_common *)0)->field)
#define GET(f, field)    virtio_common_read(&(f)->c, REG(field), LEN(field))
#define PUT(f, field, v) virtio_common_write(&(f)->c, REG(field), LEN(field), v)
#define OFFERED          (VIRTIO_F_VERSION_1 | VIRTIO_F_ACCESS_PLATFORM | VIRTIO_F_RING_PACKED | 0x5)
#define RUNNING                                                                                    \
	(VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER | VIRTIO_STATUS_FEATURES_OK |            \
		VIRTIO_STATUS_DRIVER_OK)

struct fixture {
	struct virtio_common c;
	struct layout layout;
	unsigned int starts, resets, interrupts;
	int start_rc;
	uint64_t status_seen; /* by a reader while the back end is spoken to */
	uint16_t bound[3];    /* vectors; the last one is the configuration's */
};

static int on_activate(void *ctx)
{
	struct fixture *f = ctx;

	f->starts++;
	f->status_seen = GET(f, device_status);
	PUT(f, queue_size, 2); /* another vCPU tries to change what was checked */
	PUT(f, queue_desc, 0x40);
	return f->start_rc;
}

static void on_reset(void *ctx)
{
	struct fixture *f = ctx;

	f->resets++;
	f->status_seen = GET(f, device_status);
}

static uint16_t on_bind(void *ctx, uint32_t queue, uint16_t vector)
{
	struct fixture *f = ctx;
	uint16_t got = vector < 3 ? vector : VIRTIO_PCI_NO_VECTOR;

	f->bound[queue == VIRTIO_COMMON_CONFIG ? 2 : queue] = got;
	return got;
}

static void on_interrupt(void *ctx)
{
	struct fixture *f = ctx;

	f->interrupts++;
}

static const struct virtio_common_ops ops = {on_activate, on_reset, on_bind, on_interrupt};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct err e = ERR_INIT;
	struct virtio_common_desc d = {.ops = &ops,
		.ctx = f,
		.layout = &f->layout,
		.features = OFFERED,
		.required = VIRTIO_F_VERSION_1,
		.n_queues = 2,
		.max_size = 256};

	log_set_level(LOG_ERROR);
	assert_int_equal(layout_init(&f->layout, GIB(4), &e), 0);
	virtio_common_init(&f->c, &d);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	virtio_common_fini(&f->c);
	free(f);
	return 0;
}

static void negotiate(struct fixture *f, uint64_t features)
{
	PUT(f, device_status, 3);
	PUT(f, driver_feature_select, 0);
	PUT(f, driver_feature, features & UINT32_MAX);
	PUT(f, driver_feature_select, 1);
	PUT(f, driver_feature, features >> 32);
	PUT(f, device_status, 11);
}

static void setup_queue(
	struct fixture *f, uint16_t q, uint64_t desc, uint64_t driver, uint64_t device)
{
	PUT(f, queue_select, q);
	PUT(f, queue_desc, desc);
	PUT(f, queue_driver, driver);
	PUT(f, queue_device, device);
	PUT(f, queue_enable, 1);
}

static void virtio_common_starts_with_the_spec_s_defaults(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(GET(f, device_status), 0);
	assert_int_equal(GET(f, num_queues), 2);
	assert_int_equal(GET(f, config_msix_vector), VIRTIO_PCI_NO_VECTOR);
	for (uint16_t q = 0; q < 2; q++) {
		PUT(f, queue_select, q);
		assert_int_equal(GET(f, queue_size), 256);
		assert_int_equal(GET(f, queue_msix_vector), VIRTIO_PCI_NO_VECTOR);
		assert_int_equal(GET(f, queue_enable), 0);
		assert_int_equal(GET(f, queue_notify_off), q);
	}
}

static void virtio_common_does_not_block_readers_while_it_starts(void **state)
{
	struct fixture *f = *state;

	negotiate(f, VIRTIO_F_VERSION_1);
	setup_queue(f, 0, 0x10000, 0x20000, 0x30000);
	PUT(f, device_status, RUNNING);
	assert_int_equal(f->starts, 1);
	assert_int_equal(f->status_seen, RUNNING & ~VIRTIO_STATUS_DRIVER_OK);
	assert_int_equal(GET(f, device_status), RUNNING);
	assert_int_equal(GET(f, queue_size), 256);
	assert_int_equal(GET(f, queue_desc), 0x10000);
	PUT(f, device_status, RUNNING);
	assert_int_equal(f->starts, 1);
}

static void virtio_common_shows_the_reset_when_it_is_done(void **state)
{
	struct fixture *f = *state;

	negotiate(f, VIRTIO_F_VERSION_1);
	PUT(f, config_msix_vector, 1);
	PUT(f, queue_msix_vector, 2);
	PUT(f, device_status, RUNNING);
	PUT(f, device_status, 0);
	assert_int_equal(f->resets, 1);
	assert_int_equal(f->status_seen, RUNNING);
	assert_int_equal(GET(f, device_status), 0);
	assert_int_equal(f->bound[0], VIRTIO_PCI_NO_VECTOR);
	assert_int_equal(f->bound[2], VIRTIO_PCI_NO_VECTOR);
	assert_int_equal(GET(f, driver_feature), 0);
}

static void virtio_common_needs_reset_when_the_start_fails(void **state)
{
	struct fixture *f = *state;

	f->start_rc = -EIO;
	negotiate(f, VIRTIO_F_VERSION_1);
	PUT(f, device_status, RUNNING);
	assert_int_equal(GET(f, device_status), RUNNING | VIRTIO_STATUS_NEEDS_RESET);
	assert_int_equal(f->interrupts, 1);
	virtio_common_broken(&f->c);
	assert_int_equal(f->interrupts, 1);
}

static void virtio_common_takes_areas_above_4g_and_not_across_the_hole(void **state)
{
	struct fixture *f = *state;

	negotiate(f, VIRTIO_F_VERSION_1);
	setup_queue(f, 0, GIB(4), GIB(5) - 4096, GIB(3) - 4096);
	PUT(f, device_status, RUNNING);
	assert_int_equal(GET(f, device_status), RUNNING);
	PUT(f, device_status, 0);
	negotiate(f, VIRTIO_F_VERSION_1);
	setup_queue(f, 0, GIB(3) - 2048, 0x1000, 0x2000);
	PUT(f, device_status, RUNNING);
	assert_int_equal(GET(f, device_status), RUNNING | VIRTIO_STATUS_NEEDS_RESET);
	assert_int_equal(f->starts, 1);
}

static void virtio_common_checks_packed_rings_by_their_own_sizes(void **state)
{
	struct fixture *f = *state;
	const uint64_t end = GIB(5);

	negotiate(f, VIRTIO_F_VERSION_1 | VIRTIO_F_RING_PACKED);
	setup_queue(f, 1, 0x10000, end - 4, end - 8);
	PUT(f, device_status, RUNNING);
	assert_int_equal(GET(f, device_status), RUNNING);
	PUT(f, device_status, 0);
	negotiate(f, VIRTIO_F_VERSION_1);
	setup_queue(f, 1, 0x10000, end - 4, end - 8);
	PUT(f, device_status, RUNNING);
	assert_int_equal(GET(f, device_status), RUNNING | VIRTIO_STATUS_NEEDS_RESET);
}

static void virtio_common_tells_of_changes_only_to_a_running_driver(void **state)
{
	struct fixture *f = *state;

	virtio_common_changed(&f->c);
	virtio_common_broken(&f->c);
	assert_int_equal(f->interrupts, 0);
	assert_int_equal(GET(f, config_generation), 1);
	assert_int_equal(GET(f, device_status), VIRTIO_STATUS_NEEDS_RESET);
	PUT(f, device_status, 0);
	negotiate(f, VIRTIO_F_VERSION_1);
	PUT(f, device_status, RUNNING);
	virtio_common_changed(&f->c);
	assert_int_equal(f->interrupts, 1);
	assert_int_equal(GET(f, config_generation), 2);
}

static void virtio_common_ignores_accesses_of_other_sizes(void **state)
{
	struct fixture *f = *state;

	PUT(f, queue_select, 1);
	for (uint64_t off = 0; off < 80; off++)
		for (unsigned int len = 1; len <= 8; len *= 2) {
			bool whole = (off == 20 && len == 1) ||
				(off >= 22 && off < 32 && off != 30 && len == 2) ||
				(off == 16 && len == 2) || (off < 16 && off % 4 == 0 && len == 4) ||
				(off >= 32 && off % len == 0 && len >= 4);

			if (!whole)
				virtio_common_write(&f->c, off, len, UINT64_C(0x0101010101010101));
		}
	assert_int_equal(GET(f, queue_select), 1);
	assert_int_equal(GET(f, queue_size), 256);
	assert_int_equal(GET(f, queue_desc) | GET(f, queue_driver) | GET(f, queue_device), 0);
	assert_int_equal(GET(f, device_feature_select), 0);
	assert_int_equal(GET(f, device_status), 0);
	assert_int_equal(virtio_common_read(&f->c, 53, 4), 0);
	assert_int_equal(virtio_common_read(&f->c, UINT64_MAX, 8), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
static const struct CMUnitTest tests[] = {
	CASE(virtio_common_starts_with_the_spec_s_defaults),
	CASE(virtio_common_does_not_block_readers_while_it_starts),
	CASE(virtio_common_shows_the_reset_when_it_is_done),
	CASE(virtio_common_needs_reset_when_the_start_fails),
	CASE(virtio_common_takes_areas_above_4g_and_not_across_the_hole),
	CASE(virtio_common_checks_packed_rings_by_their_own_sizes),
	CASE(virtio_common_tells_of_changes_only_to_a_running_driver),
	CASE(virtio_common_ignores_accesses_of_other_sizes),
};
UNIT_MAIN(tests)
