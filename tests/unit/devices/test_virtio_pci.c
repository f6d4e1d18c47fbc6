/* SPDX-License-Identifier: Apache-2.0 */
#include "devices/front/virtio_pci.h"

#include "base/fd.h"
#include "base/log.h"
#include "devices/wire/virtio.h"
#include "tests/unit/devices/board.h"
#include "tests/unit/devices/fake_peer.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#define RUNNING                                                                                    \
	(VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER | VIRTIO_STATUS_FEATURES_OK |            \
		VIRTIO_STATUS_DRIVER_OK)
#define BROKEN (RUNNING | VIRTIO_STATUS_NEEDS_RESET)
#define BASICS (VIRTIO_F_VERSION_1 | VIRTIO_F_ACCESS_PLATFORM)
#define GSI    17 /* of slot 1 */

struct fixture {
	struct board b;
	struct fake_peer p;
	unsigned int deaths;
};

static bool on_death(void *ctx)
{
	struct fixture *f = ctx;

	f->deaths++;
	return false;
}

static struct fixture *make(uint32_t at, enum peer_fault fault)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct virtio_pci_desc d;
	struct err e = ERR_INIT;

	board_init(&f->b);
	d = board_desc(&f->b, fake_peer_start(&f->p, at, fault), 2);
	d.died = on_death;
	d.died_ctx = f;
	if (fault == PEER_SILENT)
		d.timeout_ms = 500;
	assert_int_equal(virtio_pci_create(&f->b.dev, &d, &e), 0);
	board_probe(&f->b);
	return f;
}

static void drop(struct fixture *f)
{
	board_fini(&f->b);
	fake_peer_join(&f->p);
	free(f);
}

static int setup(void **state)
{
	log_set_level(LOG_ERROR);
	*state = make(0, PEER_HONEST);
	return 0;
}

static int teardown(void **state)
{
	drop(*state);
	return 0;
}

static void virtio_pci_offers_what_both_sides_can(void **state)
{
	struct fixture *f = *state;
	struct board *b = &f->b;

	assert_int_equal(board_cfg_read(b, PCI_VENDOR, 4), 0x10421af4);
	assert_true(board_offered(b) == (BASICS | VIRTIO_F_EVENT_IDX | VIRTIO_BIT(9)));
	for (uint32_t select = 2; select < 70; select++) {
		PUT(b, device_feature_select, select);
		assert_int_equal(GET(b, device_feature), 0);
	}
	assert_int_equal(GET(b, num_queues), 2);
	assert_int_equal(board_read(b, b->config + 4, 4), 0x08070605);
	assert_int_equal(board_read(b, b->config + 12, 8), 0);
	assert_int_equal(board_read(b, b->config + 16, 1), 0);
}

static void virtio_pci_refuses_features_it_must_not_accept(void **state)
{
	struct fixture *f = *state;
	const uint8_t wish = VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER;
	const uint8_t ok = wish | VIRTIO_STATUS_FEATURES_OK;

	assert_int_equal(board_negotiate(&f->b, BASICS), ok);
	assert_int_equal(board_negotiate(&f->b, BASICS | VIRTIO_BIT(9)), ok);
	assert_int_equal(board_negotiate(&f->b, VIRTIO_F_VERSION_1), wish);
	assert_int_equal(board_negotiate(&f->b, VIRTIO_F_ACCESS_PLATFORM), wish);
	assert_int_equal(board_negotiate(&f->b, BASICS | VIRTIO_BIT(3)), wish);
	assert_int_equal(board_negotiate(&f->b, BASICS | VIRTIO_F_NOTIFICATION_DATA), wish);
	assert_int_equal(board_negotiate(&f->b, BASICS), ok);
	/* bits of 64 and above are offered by nobody */
	PUT(&f->b, device_status, 0);
	PUT(&f->b, driver_feature_select, 2);
	PUT(&f->b, driver_feature, 1);
	PUT(&f->b, driver_feature_select, 1);
	PUT(&f->b, driver_feature, BASICS >> 32);
	PUT(&f->b, device_status, ok);
	assert_int_equal(GET(&f->b, device_status), wish);
	/* no DRIVER_OK without FEATURES_OK, no FEATURES_OK without DRIVER */
	PUT(&f->b, device_status, RUNNING);
	assert_int_equal(GET(&f->b, device_status), wish);
	PUT(&f->b, device_status, 0);
	PUT(&f->b, driver_feature_select, 1);
	PUT(&f->b, driver_feature, BASICS >> 32);
	PUT(&f->b, device_status, VIRTIO_STATUS_FEATURES_OK);
	assert_int_equal(GET(&f->b, device_status), 0);
}

static void virtio_pci_gives_the_back_end_what_was_set_up(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(board_start(&f->b), RUNNING);
	assert_int_equal(f->p.num[0], 64);
	assert_int_equal(f->p.enabled[0], 1);
	assert_int_equal(f->p.enabled[1], 0);
	assert_true(f->p.addr[0].desc == VHOST_USER_CLIENT_BASE + 0x100000);
	assert_true(f->p.addr[0].avail == VHOST_USER_CLIENT_BASE + 0x102000);
	assert_true(f->p.addr[0].used == VHOST_USER_CLIENT_BASE + 0x104000);
	assert_true(f->p.driver_features == (VIRTIO_F_VERSION_1 | VHOST_USER_F_PROTOCOL_FEATURES));
	PUT(&f->b, device_status, 0);
	assert_int_equal(GET(&f->b, device_status), 0);
	assert_int_equal(f->p.seen[VHOST_USER_GET_VRING_BASE], 1);
	assert_int_equal(board_start(&f->b), RUNNING);
	assert_int_equal(f->p.seen[VHOST_USER_SET_VRING_KICK], 2);
}

static void virtio_pci_freezes_queues_once_running(void **state)
{
	struct fixture *f = *state;
	struct board *b = &f->b;
	uint8_t before[56], after[56];

	assert_int_equal(board_start(b), RUNNING);
	for (uint16_t q = 0; q < 2; q++) {
		PUT(b, queue_select, q);
		for (unsigned int i = 0; i < 56; i++)
			before[i] = (uint8_t)board_read(b, b->common + i, 1);
		PUT(b, queue_size, 2);
		PUT(b, queue_msix_vector, 1);
		PUT(b, queue_enable, 1);
		PUT(b, queue_desc, 0xdead0000);
		board_write(b, b->common + REG(queue_driver), 4, 0xdead0000);
		PUT(b, queue_device, 0xdead0000);
		PUT(b, config_msix_vector, 0);
		for (unsigned int i = 0; i < 56; i++)
			after[i] = (uint8_t)board_read(b, b->common + i, 1);
		assert_memory_equal(before, after, 56);
	}
	PUT(b, driver_feature_select, 0);
	PUT(b, driver_feature, 0xffffffff);
	assert_int_equal(GET(b, driver_feature), 0);
	PUT(b, device_status, VIRTIO_STATUS_ACKNOWLEDGE); /* bits can't be taken back */
	assert_int_equal(GET(b, device_status), RUNNING);
}

static void virtio_pci_takes_good_queue_sizes_only(void **state)
{
	struct fixture *f = *state;
	struct board *b = &f->b;

	board_negotiate(b, BASICS);
	PUT(b, queue_select, 1);
	for (uint32_t size = 0; size < 65536; size++) {
		PUT(b, queue_size, 16);
		PUT(b, queue_size, size);
		assert_int_equal(
			GET(b, queue_size), size && size <= 64 && !(size & (size - 1)) ? size : 16);
	}
	PUT(b, queue_enable, 1);
	PUT(b, queue_size, 32);
	assert_int_equal(GET(b, queue_size), 16);
	PUT(b, queue_enable, 0);
	assert_int_equal(GET(b, queue_enable), 1);
	for (uint32_t select = 2; select < 65536; select++) {
		PUT(b, queue_select, select);
		PUT(b, queue_size, 16);
		PUT(b, queue_enable, 1);
		PUT(b, queue_desc, 0x1000);
		assert_int_equal(GET(b, queue_size), 0);
		assert_int_equal(GET(b, queue_enable), 0);
		assert_int_equal(GET(b, queue_desc), 0);
	}
}

static void virtio_pci_needs_reset_when_rings_lie_outside_ram(void **state)
{
	struct fixture *f = *state;
	static const uint64_t bad[][3] = {
		{BOARD_RAM, 0x2000, 0x4000},      /* outside */
		{0x1000, BOARD_RAM - 64, 0x4000}, /* over the end */
		{0x1000, 0x2000, UINT64_MAX - 3}, /* wraps */
		{0x1008, 0x2000, 0x4000}, {0x1000, 0x2001, 0x4000}, {0x1000, 0x2000, 0x4002},
		{BOARD_ECAM, 0x2000, 0x4000}, /* a device */
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		board_negotiate(&f->b, BASICS);
		PUT(&f->b, queue_select, 1);
		PUT(&f->b, queue_desc, bad[i][0]);
		PUT(&f->b, queue_driver, bad[i][1]);
		PUT(&f->b, queue_device, bad[i][2]);
		PUT(&f->b, queue_enable, 1);
		PUT(&f->b, device_status, RUNNING);
		assert_int_equal(GET(&f->b, device_status), BROKEN);
	}
	assert_int_equal(f->p.seen[VHOST_USER_SET_VRING_ADDR], 0);
	assert_int_equal(board_start(&f->b), RUNNING);
}

static void virtio_pci_has_ioeventfds_while_running_and_mapped(void **state)
{
	struct fixture *f = *state;
	struct board *b = &f->b;

	assert_int_equal(b->irq.n_io, 0);
	board_start(b);
	assert_int_equal(b->irq.n_io, 2);
	assert_int_equal(b->irq.io[0].addr, b->notify);
	assert_int_equal(b->irq.io[1].addr, b->notify + 4);
	board_cfg_write(b, PCI_BAR(0), 4, BOARD_WINDOW + 0x100000);
	assert_int_equal(b->irq.n_io, 2);
	assert_int_equal(b->irq.io[0].addr, b->notify - b->bar + BOARD_WINDOW + 0x100000);
	board_cfg_write(b, PCI_COMMAND, 2, 0);
	assert_int_equal(b->irq.n_io, 0);
	board_cfg_write(b, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	board_cfg_write(b, PCI_BAR(0), 4, b->bar);
	assert_int_equal(b->irq.n_io, 2);
	PUT(b, device_status, 0);
	assert_int_equal(b->irq.n_io, 0);
}

static bool signalled(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 0) > 0;
}

static void virtio_pci_kicks_without_ioeventfd_too(void **state)
{
	struct fixture *f = *state;
	struct board *b = &f->b;
	eventfd_t n;

	board_write(b, b->notify, 2, 0); /* nobody listens yet */
	board_start(b);
	assert_false(signalled(f->p.kick[0]));
	for (unsigned int off = 0; off < 0x1000; off++)
		if (off)
			board_write(b, b->notify + off, 2, 0);
	assert_false(signalled(f->p.kick[0]));
	board_write(b, b->notify, 2, 0);
	assert_int_equal(eventfd_read(f->p.kick[0], &n), 0);
	assert_int_equal(n, 1);
}

static void virtio_pci_raises_intx_and_lowers_it_on_isr_read(void **state)
{
	struct fixture *f = *state;
	struct board *b = &f->b;

	board_start(b);
	eventfd_write(f->p.call[0], 1);
	board_turn(b);
	assert_true(b->irq.level[GSI]);
	assert_int_equal(board_cfg_read(b, PCI_STATUS, 2) & PCI_STATUS_INTX, PCI_STATUS_INTX);
	assert_int_equal(board_read(b, b->isr, 1), VIRTIO_PCI_ISR_QUEUE);
	assert_false(b->irq.level[GSI]);
	assert_int_equal(board_read(b, b->isr, 1), 0);
	board_turn(b);
	assert_int_equal(b->irq.rises[GSI], 1);
}

static void enable_msix(struct board *b, unsigned int vector)
{
	uint64_t table = b->bar + (board_cfg_read(b, b->msix + 4, 4) & ~7u);

	board_write(b, table + vector * 16, 4, 0xfee00000);
	board_write(b, table + vector * 16 + 8, 4, 0x40 + vector);
	board_write(b, table + vector * 16 + 12, 4, 0);
	board_cfg_write(b, b->msix + 2, 2, PCI_MSIX_ENABLE);
}

static void virtio_pci_leaves_calls_to_irqfds_with_msix(void **state)
{
	struct fixture *f = *state;
	struct board *b = &f->b;
	eventfd_t n;

	assert_int_equal(board_cfg_read(b, b->msix + 2, 2), 2); /* three vectors */
	enable_msix(b, 2);
	board_negotiate(b, BASICS);
	PUT(b, queue_select, 0);
	PUT(b, queue_msix_vector, 3);
	assert_int_equal(GET(b, queue_msix_vector), VIRTIO_PCI_NO_VECTOR);
	PUT(b, queue_msix_vector, 2);
	assert_int_equal(GET(b, queue_msix_vector), 2);
	board_queue(b, 0, 64);
	PUT(b, device_status, RUNNING);
	assert_int_equal(b->irq.irqfds[24], 1);
	assert_int_equal(b->irq.msg[24].data, 0x42);
	eventfd_write(f->p.call[0], 1);
	board_turn(b);
	assert_false(b->irq.level[GSI]);
	assert_true(signalled(f->p.call[0]));
	/* back to INTx: what nobody took becomes a line */
	board_cfg_write(b, b->msix + 2, 2, 0);
	board_turn(b);
	assert_true(b->irq.level[GSI]);
	assert_int_equal(eventfd_read(f->p.call[0], &n), -1);
	PUT(b, device_status, 0);
	assert_false(b->irq.level[GSI]);
	assert_false(b->irq.allocated[24]);
}

static void virtio_pci_needs_reset_when_the_back_end_reports_a_bad_ring(void **state)
{
	struct fixture *f = *state;
	struct board *b = &f->b;

	board_start(b);
	eventfd_write(f->p.err[0], 1);
	board_turn(b);
	assert_int_equal(GET(b, device_status), BROKEN);
	assert_int_equal(board_read(b, b->isr, 1), VIRTIO_PCI_ISR_CONFIG);
	assert_int_equal(board_start(b), RUNNING);
}

static void virtio_pci_needs_reset_when_the_back_end_dies(void **state)
{
	struct fixture *f = *state;
	struct board *b = &f->b;

	board_start(b);
	shutdown(f->p.sock, SHUT_RDWR);
	board_turn(b);
	assert_int_equal(f->deaths, 1);
	assert_int_equal(GET(b, device_status), BROKEN);
	assert_int_equal(board_read(b, b->isr, 1), VIRTIO_PCI_ISR_CONFIG);
	/* the driver may reset, but not start again */
	assert_int_equal(board_start(b), BROKEN);
	assert_int_equal(f->deaths, 1);
}

static void virtio_pci_passes_configuration_writes_on(void **state)
{
	struct fixture *f = *state;
	struct board *b = &f->b;
	uint8_t generation = (uint8_t)GET(b, config_generation);
	struct err e = ERR_INIT;

	board_write(b, b->config + 1, 1, 0x77);
	assert_int_equal(board_read(b, b->config, 4), 0x04037701);
	board_write(b, b->config + 14, 4, 0x88888888);
	assert_int_equal(f->p.seen[VHOST_USER_SET_CONFIG], 1);
	board_start(b);
	f->p.config[0] = 0x99;
	assert_int_equal(virtio_pci_refresh_config(b->dev, &e), 0);
	assert_int_equal(board_read(b, b->config, 4), 0x04037799);
	assert_int_not_equal(GET(b, config_generation), generation);
	board_turn(b);
	assert_int_equal(board_read(b, b->isr, 1), VIRTIO_PCI_ISR_CONFIG);
}

static void virtio_pci_is_reached_through_the_access_window(void **state)
{
	struct fixture *f = *state;
	struct board *b = &f->b;
	unsigned int w = (unsigned int)b->window;

	board_cfg_write(b, PCI_COMMAND, 2, 0);
	board_cfg_write(b, w + 4, 1, 0);
	board_cfg_write(b, w + 8, 4, REG(device_status));
	board_cfg_write(b, w + 12, 4, 1);
	board_cfg_write(b, w + 16, 1, VIRTIO_STATUS_ACKNOWLEDGE);
	assert_int_equal(board_cfg_read(b, w + 16, 1), VIRTIO_STATUS_ACKNOWLEDGE);
	board_cfg_write(b, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	assert_int_equal(GET(b, device_status), VIRTIO_STATUS_ACKNOWLEDGE);
}

static void virtio_pci_survives_any_access(void **state)
{
	struct fixture *f = *state;
	struct board *b = &f->b;
	uint32_t seed = 1;

	for (unsigned int len = 1; len <= 8; len *= 2)
		for (unsigned int off = 0; off + len <= 0x8000; off++) {
			board_read(b, b->bar + off, len);
			board_write(b, b->bar + off, len, UINT64_MAX);
		}
	for (unsigned int i = 0; i < 20000; i++) {
		unsigned int off, len;
		uint64_t v;

		seed = seed * 1664525 + 1013904223;
		off = seed >> 8 & 63;
		len = 1u << (seed >> 30);
		v = seed >> 20 & 15 ? seed & 0xf : seed * UINT64_C(0x100000001);
		board_write(b, b->common + off, len, v);
	}
	PUT(b, device_status, 0);
	assert_int_equal(board_start(b), RUNNING);
}

struct vcpu {
	struct board *b;
	uint32_t seed;
	pthread_t thread;
};

static uint32_t next(struct vcpu *v)
{
	v->seed = v->seed * 1664525 + 1013904223;
	return v->seed >> 8;
}

/* A guest gone wild: status, vectors, MSI-X, BARs, reads, in any order. */
static void *run_wild(void *ctx)
{
	static const uint8_t statuses[] = {0, 1, 3, 11, 15};
	struct vcpu *v = ctx;
	struct board *b = v->b;

	for (int i = 0; i < 3000; i++) {
		uint32_t r = next(v);

		switch (r % 8) {
		case 0:
			PUT(b, device_status, statuses[r / 8 % 5]);
			break;
		case 1:
			PUT(b, queue_msix_vector, r / 8 % 4);
			break;
		case 2:
			board_queue(b, (uint16_t)(r / 8 % 3), 64);
			break;
		case 3:
			board_cfg_write(b, b->msix + 2, 2, r / 8 % 4 << 14);
			break;
		case 4:
			board_cfg_write(b, PCI_COMMAND, 2, r / 8 % 2 * PCI_COMMAND_MEMORY);
			break;
		case 5:
			board_cfg_write(b, PCI_BAR(0), 4, BOARD_WINDOW + r / 8 % 2 * 0x8000);
			break;
		case 6:
			board_write(b, b->bar + 0x5000 + r / 8 % 4 * 16 + 12, 4, r / 64 % 2);
			break;
		default:
			board_read(b, b->bar + r / 8 % 0x6000, 1);
			PUT(b, driver_feature, 3);
			break;
		}
	}
	return NULL;
}

static void virtio_pci_stands_several_wild_vcpus(void **state)
{
	struct fixture *f = *state;
	struct vcpu v[3] = {{.seed = 1}, {.seed = 22}, {.seed = 333}};

	for (int i = 0; i < 3; i++) {
		v[i].b = &f->b;
		assert_int_equal(pthread_create(&v[i].thread, NULL, run_wild, &v[i]), 0);
	}
	for (int i = 0; i < 2000; i++)
		assert_int_equal(loop_run_once(f->b.loop, 0), 0);
	for (int i = 0; i < 3; i++)
		pthread_join(v[i].thread, NULL);
	board_cfg_write(&f->b, f->b.msix + 2, 2, 0);
	board_cfg_write(&f->b, PCI_BAR(0), 4, f->b.bar);
	board_cfg_write(&f->b, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	assert_int_equal(board_start(&f->b), RUNNING);
	eventfd_write(f->p.call[0], 1);
	board_turn(&f->b);
	assert_int_equal(board_read(&f->b, f->b.isr, 1), VIRTIO_PCI_ISR_QUEUE);
}

static void virtio_pci_bounds_what_a_silent_back_end_costs(void **state)
{
	static const uint32_t at[] = {VHOST_USER_SET_VRING_ADDR, VHOST_USER_GET_VRING_BASE};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(at); i++) {
		struct fixture *f = make(at[i], PEER_SILENT);
		uint8_t status = board_start(&f->b);

		assert_int_equal(status, at[i] == VHOST_USER_GET_VRING_BASE ? RUNNING : BROKEN);
		PUT(&f->b, device_status, 0);
		assert_int_equal(GET(&f->b, device_status), 0);
		assert_int_equal(board_start(&f->b), BROKEN);
		drop(f);
	}
}

static void create_with(struct virtio_pci_desc *d, struct board *b, struct fake_peer *p, int want)
{
	struct err e = ERR_INIT;

	assert_int_equal(virtio_pci_create(&b->dev, d, &e), want);
	assert_null(b->dev);
	assert_int_equal(strncmp(e.text, "disk0", 5), 0);
	fake_peer_join(p);
	assert_int_equal(fake_irq_total(&b->irq), 0);
}

static void virtio_pci_fails_cleanly_at_creation(void **state)
{
	struct virtio_pci_desc d;
	struct fake_peer p;
	struct board b;

	(void)state;
	board_init(&b);
	d = board_desc(&b, fake_peer_start(&p, 0, PEER_HONEST), 5);
	create_with(&d, &b, &p, -EINVAL);
	d = board_desc(&b, fake_peer_start(&p, 0, PEER_HONEST), 0);
	create_with(&d, &b, &p, -EINVAL);
	d = board_desc(&b, fake_peer_start(&p, 0, PEER_HONEST), 1);
	d.max_queue_size = 48;
	create_with(&d, &b, &p, -EINVAL);
	d = board_desc(&b, fake_peer_start(&p, VHOST_USER_GET_CONFIG, PEER_WRONG_CONTENT), 1);
	create_with(&d, &b, &p, -EPROTO);
	d = board_desc(&b, fake_peer_start(&p, VHOST_USER_GET_FEATURES, PEER_DIES), 1);
	create_with(&d, &b, &p, -EPIPE);
	board_fini(&b);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
static const struct CMUnitTest tests[] = {
	CASE(virtio_pci_offers_what_both_sides_can),
	CASE(virtio_pci_refuses_features_it_must_not_accept),
	CASE(virtio_pci_gives_the_back_end_what_was_set_up),
	CASE(virtio_pci_freezes_queues_once_running),
	CASE(virtio_pci_takes_good_queue_sizes_only),
	CASE(virtio_pci_needs_reset_when_rings_lie_outside_ram),
	CASE(virtio_pci_has_ioeventfds_while_running_and_mapped),
	CASE(virtio_pci_kicks_without_ioeventfd_too),
	CASE(virtio_pci_raises_intx_and_lowers_it_on_isr_read),
	CASE(virtio_pci_leaves_calls_to_irqfds_with_msix),
	CASE(virtio_pci_needs_reset_when_the_back_end_reports_a_bad_ring),
	CASE(virtio_pci_needs_reset_when_the_back_end_dies),
	CASE(virtio_pci_passes_configuration_writes_on),
	CASE(virtio_pci_is_reached_through_the_access_window),
	CASE(virtio_pci_survives_any_access),
	CASE(virtio_pci_stands_several_wild_vcpus),
	cmocka_unit_test(virtio_pci_bounds_what_a_silent_back_end_costs),
	cmocka_unit_test(virtio_pci_fails_cleanly_at_creation),
};
UNIT_MAIN(tests)
