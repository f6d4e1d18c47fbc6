/* SPDX-License-Identifier: Apache-2.0 */
#include "devices/front/pci.h"

#include "base/bytes.h"
#include "base/num.h"
#include "tests/unit/devices/fake_irq.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#define ECAM   UINT64_C(0xe0000000)
#define WINDOW UINT64_C(0xc0000000)
#define LEN    UINT64_C(0x01000000)
#define PORT   0xcf8

struct card {
	struct pci_dev pci;
	uint64_t at[PCI_BARS]; /* 0: not mapped */
	unsigned int moves, caps;
	uint64_t last_off, last_value;
	unsigned int last_len, last_bar;
};

struct fixture {
	struct bus *bus;
	struct fake_irq irq;
	struct pci_bus *pci;
};

static uint64_t card_read(void *ctx, unsigned int bar, uint64_t off, unsigned int len)
{
	struct card *c = ctx;

	assert_true(off + len <= c->pci.bars[bar].size);
	return 0x11223344 + bar;
}

static void card_write(void *ctx, unsigned int bar, uint64_t off, unsigned int len, uint64_t value)
{
	struct card *c = ctx;

	assert_true(off + len <= c->pci.bars[bar].size);
	c->last_bar = bar;
	c->last_off = off;
	c->last_len = len;
	c->last_value = value;
}

static void card_moved(void *ctx, unsigned int bar, uint64_t addr, bool mapped)
{
	struct card *c = ctx;

	c->moves++;
	c->at[bar] = mapped ? addr : 0;
}

static void card_cap(void *ctx, unsigned int off, unsigned int len)
{
	struct card *c = ctx;

	(void)off;
	(void)len;
	c->caps++;
}

static const struct pci_dev_ops card_ops = {card_read, card_write, card_moved, card_cap};

static const struct pci_ident card_ident = {.vendor = 0x1234,
	.device = 0x5678,
	.sub_vendor = 0x9abc,
	.sub_id = 0xdef0,
	.class_code = PCI_CLASS_STORAGE,
	.revision = 7,
	.intx = true};

/* BAR 0: 32 bits, 4 KiB; BAR 2: 64 bits, 64 KiB; three capabilities, the last one a window. */
static void init_card(struct card *c)
{
	uint8_t body[18] = {[0] = 20};

	memset(c, 0, sizeof(*c));
	pci_dev_init(&c->pci, &card_ident, &card_ops, c);
	pci_dev_add_bar(&c->pci, 0, 0x1000, 0);
	pci_dev_add_bar(&c->pci, 2, 0x10000, PCI_BAR_IS_64);
	pci_dev_add_cap(&c->pci, PCI_CAP_MSIX, body, 10);
	pci_dev_add_cap(&c->pci, PCI_CAP_VENDOR, body, 14);
	pci_dev_add_window(&c->pci, pci_dev_add_cap(&c->pci, PCI_CAP_VENDOR, body, 18));
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct pci_bus_desc d = {
		.window = {WINDOW, LEN}, .ecam = ECAM, .port = PORT, .gsi_base = 16};
	struct err e = ERR_INIT;

	assert_int_equal(bus_create(&f->bus, &e), 0);
	d.bus = f->bus;
	d.irq = fake_irq_of(&f->irq);
	assert_int_equal(pci_bus_create(&f->pci, &d, &e), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	pci_bus_destroy(f->pci);
	bus_destroy(f->bus);
	free(f);
	return 0;
}

static void attach(struct fixture *f, struct card *c, unsigned int slot)
{
	struct err e = ERR_INIT;

	init_card(c);
	assert_int_equal(pci_attach(f->pci, &c->pci, slot, &e), 0);
}

static uint64_t cfg_read(struct fixture *f, unsigned int slot, unsigned int off, unsigned int len)
{
	uint64_t v = 0;

	bus_read(f->bus, BUS_MMIO, ECAM + slot * 0x8000 + off, &v, len);
	return v;
}

static void cfg_write(
	struct fixture *f, unsigned int slot, unsigned int off, unsigned int len, uint64_t v)
{
	bus_write(f->bus, BUS_MMIO, ECAM + slot * 0x8000 + off, &v, len);
}

static uint64_t ones(unsigned int len)
{
	return UINT64_MAX >> (64 - 8 * len);
}

static uint64_t mech1_read(struct fixture *f, uint32_t address, unsigned int in, unsigned int len)
{
	uint64_t v = 0;

	bus_write(f->bus, BUS_PORT, PORT, &address, 4);
	bus_read(f->bus, BUS_PORT, PORT + 4 + in, &v, len);
	return v;
}

static void pci_shows_ident_and_bridge(void **state)
{
	struct fixture *f = *state;
	struct card c;

	attach(f, &c, 0);
	assert_int_equal(c.pci.slot, 1);
	assert_int_equal(cfg_read(f, 1, 0, 4), 0x56781234);
	assert_int_equal(cfg_read(f, 1, 8, 4), PCI_CLASS_STORAGE << 8 | 7);
	assert_int_equal(cfg_read(f, 1, 0x2c, 4), 0xdef09abc);
	assert_int_equal(cfg_read(f, 1, PCI_INT_PIN, 1), 1);
	assert_int_equal(cfg_read(f, 1, PCI_INT_LINE, 1), 17);
	assert_int_equal(cfg_read(f, 0, PCI_CLASS + 1, 2), 0x0600);
	assert_int_equal(cfg_read(f, 2, 0, 4), 0xffffffff);
	pci_detach(&c.pci);
	assert_int_equal(cfg_read(f, 1, 0, 4), 0xffffffff);
	pci_detach(&c.pci);
}

static void pci_reads_alike_by_both_mechanisms(void **state)
{
	struct fixture *f = *state;
	static const unsigned int lens[] = {1, 2, 4, 8};
	struct card c;

	attach(f, &c, 5);
	for (unsigned int off = 0; off < 4096; off++)
		for (unsigned int l = 0; l < ARRAY_SIZE(lens); l++) {
			unsigned int len = lens[l];
			uint64_t want = ones(len), v = cfg_read(f, 5, off, len);

			/* the access window at the end reads the BAR: its bytes change when looked
			 * at */
			if (off + len > c.pci.window + 16 && off < c.pci.window + 20)
				continue;
			if (off + len <= PCI_CONFIG_LEN) {
				want = 0;
				memcpy(&want, c.pci.config + off, len);
			}
			assert_true(v == want);
			if (off < 256 && off % 4 + len <= 4)
				assert_true(mech1_read(f, 0x80002800 | (off & 0xfc), off & 3,
						    len) == want);
		}
	pci_detach(&c.pci);
}

static void pci_answers_ones_where_nothing_is_selected(void **state)
{
	static const uint32_t nobody[] = {0x00002800, 0x80012800, 0x80002900, 0x80003000};
	struct fixture *f = *state;
	struct card c;
	uint32_t v;

	attach(f, &c, 5);
	for (unsigned int i = 0; i < ARRAY_SIZE(nobody); i++)
		assert_int_equal(mech1_read(f, nobody[i], 0, 4), 0xffffffff);
	assert_int_equal(mech1_read(f, 0x80002803, 0, 4), 0x56781234);
	bus_read(f->bus, BUS_PORT, PORT, &v, 4);
	assert_int_equal(v, 0x80002800);
	bus_read(f->bus, BUS_PORT, PORT, &v, 2);
	assert_int_equal(v & 0xffff, 0xffff);
	bus_read(f->bus, BUS_PORT, PORT + 2, &v, 4);
	assert_int_equal(v, 0xffffffff);
	assert_int_equal(cfg_read(f, 5, 0x1000, 4), 0xffffffff); /* function 1 */
	pci_detach(&c.pci);
}

static void pci_keeps_read_only_bits_when_all_is_written(void **state)
{
	struct fixture *f = *state;
	struct card c;
	uint8_t before[PCI_CONFIG_LEN];

	attach(f, &c, 1);
	memcpy(before, c.pci.config, sizeof(before));
	for (unsigned int len = 1; len <= 8; len *= 2)
		for (unsigned int off = 0; off < 4096; off++) {
			cfg_write(f, 1, off, len, UINT64_MAX);
			cfg_write(f, 1, off, len, 0);
		}
	for (unsigned int i = 0; i < PCI_CONFIG_LEN; i++)
		assert_int_equal(c.pci.config[i] & ~c.pci.mask[i], before[i] & ~c.pci.mask[i]);
	assert_int_equal(cfg_read(f, 1, PCI_INT_LINE, 2), 0x0100);
	assert_true(c.caps > 0);
	pci_detach(&c.pci);
}

static void pci_sizes_bars(void **state)
{
	struct fixture *f = *state;
	struct card c;

	attach(f, &c, 1);
	assert_int_equal(cfg_read(f, 1, PCI_BAR(0), 4), WINDOW);
	assert_int_equal(cfg_read(f, 1, PCI_BAR(2), 4), (WINDOW + 0x10000) | 4);
	assert_int_equal(cfg_read(f, 1, PCI_BAR(3), 4), 0);
	for (unsigned int i = 0; i < 6; i++)
		cfg_write(f, 1, PCI_BAR(i), 4, UINT32_MAX);
	cfg_write(f, 1, 0x30, 4, UINT32_MAX);
	assert_int_equal(cfg_read(f, 1, PCI_BAR(0), 4), 0xfffff000);
	assert_int_equal(cfg_read(f, 1, PCI_BAR(1), 4), 0);
	assert_int_equal(cfg_read(f, 1, PCI_BAR(2), 4), 0xffff0004);
	assert_int_equal(cfg_read(f, 1, PCI_BAR(3), 4), 0xffffffff);
	assert_int_equal(cfg_read(f, 1, PCI_BAR(4), 4), 0);
	assert_int_equal(cfg_read(f, 1, 0x30, 4), 0);
	assert_int_equal(c.moves, 0);
	pci_detach(&c.pci);
}

static uint32_t mem_read(struct fixture *f, uint64_t addr)
{
	uint32_t v;

	bus_read(f->bus, BUS_MMIO, addr, &v, 4);
	return v;
}

static void pci_maps_bars_only_when_memory_is_enabled(void **state)
{
	struct fixture *f = *state;
	struct card c;

	attach(f, &c, 1);
	assert_int_equal(mem_read(f, WINDOW), 0xffffffff);
	cfg_write(f, 1, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	assert_int_equal(mem_read(f, WINDOW + 0xffc), 0x11223344);
	assert_int_equal(mem_read(f, WINDOW + 0x1000), 0xffffffff);
	assert_int_equal(mem_read(f, WINDOW + 0x10000), 0x11223346);
	cfg_write(f, 1, PCI_COMMAND, 2, 0);
	assert_int_equal(mem_read(f, WINDOW), 0xffffffff);
	assert_int_equal(c.at[0], 0);
	assert_int_equal(c.moves, 4);
	pci_detach(&c.pci);
}

static void pci_moves_bars_within_the_window_only(void **state)
{
	struct fixture *f = *state;
	struct card c;

	attach(f, &c, 1);
	cfg_write(f, 1, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	cfg_write(f, 1, PCI_BAR(0), 4, WINDOW + 0x5000);
	assert_int_equal(mem_read(f, WINDOW), 0xffffffff);
	assert_int_equal(mem_read(f, WINDOW + 0x5000), 0x11223344);
	cfg_write(f, 1, PCI_BAR(0), 4, UINT32_MAX);
	assert_int_equal(c.at[0], 0);
	cfg_write(f, 1, PCI_BAR(0), 4, 0x1000);
	assert_int_equal(c.at[0], 0);
	cfg_write(f, 1, PCI_BAR(0), 4, ECAM);
	assert_int_equal(c.at[0], 0);
	cfg_write(f, 1, PCI_BAR(0), 4, WINDOW + 0x10000); /* where BAR 2 is */
	assert_int_equal(c.at[0], 0);
	cfg_write(f, 1, PCI_BAR(3), 4, 1); /* BAR 2 goes above 4 GiB */
	assert_int_equal(c.at[2], 0);
	cfg_write(f, 1, PCI_BAR(0), 4, WINDOW + 0x10000);
	assert_int_equal(c.at[0], WINDOW + 0x10000);
	pci_detach(&c.pci);
	assert_int_equal(c.at[0], 0);
	assert_int_equal(mem_read(f, WINDOW + 0x10000), 0xffffffff);
}

static void pci_lists_capabilities_in_a_chain(void **state)
{
	struct fixture *f = *state;
	unsigned int at, n = 0;
	struct card c;

	attach(f, &c, 1);
	assert_int_equal(cfg_read(f, 1, PCI_STATUS, 2), PCI_STATUS_CAPS);
	for (at = (unsigned int)cfg_read(f, 1, PCI_CAP_PTR, 1); at;
		at = (unsigned int)cfg_read(f, 1, at + 1, 1), n++) {
		assert_true(at >= PCI_HEADER_LEN && at % 4 == 0);
		assert_int_equal(cfg_read(f, 1, at, 1), n ? PCI_CAP_VENDOR : PCI_CAP_MSIX);
	}
	assert_int_equal(n, 3);
	pci_detach(&c.pci);
}

static void pci_window_reaches_bars_and_no_further(void **state)
{
	struct fixture *f = *state;
	struct card c;
	unsigned int w;

	attach(f, &c, 1);
	w = c.pci.window;
	cfg_write(f, 1, w + 4, 1, 2);
	cfg_write(f, 1, w + 8, 4, 0xfffc);
	cfg_write(f, 1, w + 12, 4, 4);
	assert_int_equal(cfg_read(f, 1, w + 16, 4), 0x11223346);
	cfg_write(f, 1, w + 12, 4, 2);
	cfg_write(f, 1, w + 16, 4, 0xdeadbeef);
	assert_int_equal(c.last_off, 0xfffc);
	assert_int_equal(c.last_value, 0xbeef);
	assert_int_equal(c.last_len, 2);
	for (uint32_t len = 0; len < 300; len++) {
		cfg_write(f, 1, w + 12, 4, len);
		cfg_write(f, 1, w + 8, 4, 0x10000 - len + (len ? 1 : 0));
		assert_int_equal(cfg_read(f, 1, w + 16, 4), 0xffffffff);
	}
	cfg_write(f, 1, w + 12, 4, 4);
	cfg_write(f, 1, w + 8, 4, 0xfffffffc);
	assert_int_equal(cfg_read(f, 1, w + 16, 4), 0xffffffff);
	cfg_write(f, 1, w + 8, 4, 0);
	for (unsigned int bar = 0; bar < 256; bar++) {
		cfg_write(f, 1, w + 4, 1, bar);
		assert_true((cfg_read(f, 1, w + 16, 4) != 0xffffffff) == (bar == 0 || bar == 2));
	}
	pci_detach(&c.pci);
}

static void pci_ors_lines_of_slots_that_share_a_gsi(void **state)
{
	struct fixture *f = *state;
	struct card a, b;

	attach(f, &a, 3);
	attach(f, &b, 11);
	pci_set_intx(&a.pci, true);
	pci_set_intx(&b.pci, true);
	pci_set_intx(&a.pci, false);
	assert_true(f->irq.level[19]);
	assert_int_equal(f->irq.rises[19], 1);
	assert_int_equal(cfg_read(f, 11, PCI_STATUS, 2) & PCI_STATUS_INTX, PCI_STATUS_INTX);
	assert_int_equal(cfg_read(f, 3, PCI_STATUS, 2) & PCI_STATUS_INTX, 0);
	cfg_write(f, 11, PCI_COMMAND, 2, PCI_COMMAND_INTX_OFF);
	assert_false(f->irq.level[19]);
	cfg_write(f, 11, PCI_COMMAND, 2, 0);
	assert_true(f->irq.level[19]);
	pci_detach(&b.pci);
	assert_false(f->irq.level[19]);
	pci_detach(&a.pci);
}

static void pci_hands_out_slots_until_none_is_left(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	static struct card c[32];

	attach(f, &c[0], 2);
	for (unsigned int i = 1; i < 31; i++)
		attach(f, &c[i], 0);
	assert_int_equal(c[1].pci.slot, 1);
	assert_int_equal(c[2].pci.slot, 3);
	init_card(&c[31]);
	assert_int_equal(pci_attach(f->pci, &c[31].pci, 0, &e), -ENOSPC);
	assert_int_equal(pci_attach(f->pci, &c[31].pci, 2, &e), -EBUSY);
	assert_int_equal(pci_attach(f->pci, &c[31].pci, 32, &e), -EINVAL);
	for (unsigned int i = 0; i < 31; i++)
		for (unsigned int j = 0; j < i; j++)
			assert_true(c[i].pci.bars[2].home != c[j].pci.bars[2].home);
	pci_detach(&c[7].pci);
	assert_int_equal(pci_attach(f->pci, &c[31].pci, 0, &e), 0);
	assert_int_equal(c[31].pci.slot, 8);
	for (unsigned int i = 0; i < 32; i++)
		pci_detach(&c[i].pci);
}

static void pci_refuses_bars_that_do_not_fit(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	struct card c, d;

	init_card(&c);
	pci_dev_add_bar(&c.pci, 4, 2 * LEN, 0);
	assert_int_equal(pci_attach(f->pci, &c.pci, 0, &e), -ENOSPC);
	attach(f, &d, 0);
	assert_int_equal(d.pci.slot, 1);
	pci_detach(&d.pci);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
static const struct CMUnitTest tests[] = {
	CASE(pci_shows_ident_and_bridge),
	CASE(pci_reads_alike_by_both_mechanisms),
	CASE(pci_answers_ones_where_nothing_is_selected),
	CASE(pci_keeps_read_only_bits_when_all_is_written),
	CASE(pci_sizes_bars),
	CASE(pci_maps_bars_only_when_memory_is_enabled),
	CASE(pci_moves_bars_within_the_window_only),
	CASE(pci_lists_capabilities_in_a_chain),
	CASE(pci_window_reaches_bars_and_no_further),
	CASE(pci_ors_lines_of_slots_that_share_a_gsi),
	CASE(pci_hands_out_slots_until_none_is_left),
	CASE(pci_refuses_bars_that_do_not_fit),
};
UNIT_MAIN(tests)
