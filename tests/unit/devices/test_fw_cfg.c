/* SPDX-License-Identifier: Apache-2.0 */
#include "devices/front/fw_cfg.h"

#include "base/bytes.h"
#include "devices/front/bus.h"
#include "memory/ledger.h"
#include "memory/ram.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#define PORT   0x510
#define RAM    MIB(16)
#define SHARED MIB(2) /* a page of requests, then pages of data */
#define DATA   (SHARED + PAGE_SIZE)
#define PAGES  4

enum { FAILED = 1, READ = 2, SKIP = 4, SELECT = 8, WRITE = 16 };

struct fixture {
	struct bus *bus;
	struct fw_cfg *cfg;
	struct ram ram;
	struct ledger *ledger;
};

static int no_discard(void *ctx, gpa_t gpa, uint64_t len, bool private_side)
{
	(void)ctx, (void)gpa, (void)len, (void)private_side;
	return 0;
}

static const struct convert_ops ops = {.discard = no_discard};
static const uint8_t kernel[] = "a kernel of many bytes";

static int setup(void **state)
{
	static struct fixture f;
	struct ram_desc desc = {.cbit = UINT64_C(1) << 38, .guest_memfd = -1};
	struct fw_cfg_desc cfg = {.port = PORT};
	struct converter c;
	struct err e = ERR_INIT;

	assert_int_equal(layout_init(&desc.layout, RAM, &e), 0);
	assert_int_equal(ram_init(&f.ram, &desc, &e), 0);
	assert_int_equal(ledger_create(&f.ledger, &f.ram.layout, false, MIB(1), &e), 0);
	c = (struct converter){&f.ram.layout, f.ledger, &ops, &f.ram, false};
	assert_int_equal(convert(&c, gpa_of(SHARED), PAGES * PAGE_SIZE, true), 0);
	assert_int_equal(bus_create(&f.bus, &e), 0);
	cfg.bus = f.bus;
	cfg.io = (struct guest_io){&f.ram, f.ledger};
	assert_int_equal(fw_cfg_create(&f.cfg, &cfg, &e), 0);
	assert_int_equal(fw_cfg_add(f.cfg, FW_CFG_KERNEL_DATA, kernel, sizeof(kernel), &e), 0);
	assert_int_equal(fw_cfg_add_number(f.cfg, FW_CFG_N_CPUS, 0x1234, 2, &e), 0);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	fw_cfg_destroy(f->cfg);
	bus_destroy(f->bus);
	ledger_destroy(f->ledger);
	ram_fini(&f->ram);
	return 0;
}

static void choose(struct fixture *f, uint16_t key)
{
	bus_write(f->bus, BUS_PORT, PORT, &key, 2);
}

static void take(struct fixture *f, void *to, size_t n)
{
	for (size_t i = 0; i < n; i++)
		bus_read(f->bus, BUS_PORT, PORT + 1, (uint8_t *)to + i, 1);
}

/* put a request at `at` and start it in two halves, as firmware does; return its control word */
static uint32_t dma_at(struct fixture *f, uint64_t at, uint32_t control, uint32_t len, uint64_t to)
{
	uint8_t *request = f->ram.shared + at;
	uint32_t high = __builtin_bswap32((uint32_t)(at >> 32));
	uint32_t low = __builtin_bswap32((uint32_t)at);

	store_le32(request, __builtin_bswap32(control));
	store_le32(request + 4, __builtin_bswap32(len));
	store_le64(request + 8, __builtin_bswap64(to));
	bus_write(f->bus, BUS_PORT, PORT + 4, &high, 4);
	bus_write(f->bus, BUS_PORT, PORT + 8, &low, 4);
	return __builtin_bswap32(load_le32(request));
}

static uint32_t dma(struct fixture *f, uint32_t control, uint32_t len, uint64_t to)
{
	return dma_at(f, SHARED, control, len, to);
}

static void fw_cfg_shows_items_by_port(void **state)
{
	struct fixture *f = *state;
	uint8_t got[sizeof(kernel) + 4];
	uint32_t id;

	choose(f, FW_CFG_SIGNATURE);
	take(f, got, 6);
	assert_memory_equal(got, "QEMU\0\0", 6);
	choose(f, FW_CFG_ID);
	take(f, &id, 4);
	assert_int_equal(id, 3);
	choose(f, FW_CFG_KERNEL_DATA);
	take(f, got, sizeof(got));
	assert_memory_equal(got, kernel, sizeof(kernel));
	assert_memory_equal(got + sizeof(kernel), "\0\0\0\0", 4);
	choose(f, FW_CFG_N_CPUS);
	take(f, got, 3);
	assert_memory_equal(got, "\x34\x12\0", 3);
	choose(f, 0x7777); /* nothing there */
	take(f, got, 2);
	assert_memory_equal(got, "\0\0", 2);
}

static void fw_cfg_lists_files(void **state)
{
	struct fixture *f = *state;
	uint8_t dir[4 + 2 * 64], got[5];
	struct err e = ERR_INIT;
	char name[FW_CFG_NAME_MAX + 2];

	assert_int_equal(fw_cfg_add_file(f->cfg, "etc/e820", "12345", 5, &e), 0);
	assert_int_equal(fw_cfg_add_file(f->cfg, "etc/none", "", 0, &e), 0);
	choose(f, FW_CFG_FILE_DIR);
	take(f, dir, sizeof(dir));
	assert_memory_equal(dir,
		"\0\0\0\2" /* files */ "\0\0\0\5" /* bytes */ "\0\x20\0\0"
		"etc/e820",
		20);
	assert_memory_equal(dir + 4 + 64,
		"\0\0\0\0\0\x21\0\0"
		"etc/none",
		16);
	choose(f, 0x20);
	take(f, got, 5);
	assert_memory_equal(got, "12345", 5);
	memset(name, 'x', sizeof(name));
	name[FW_CFG_NAME_MAX + 1] = '\0';
	assert_int_equal(fw_cfg_add_file(f->cfg, name, "", 0, &e), -ENAMETOOLONG);
	assert_int_equal(fw_cfg_add(f->cfg, FW_CFG_KERNEL_DATA, "", 0, &e), -EEXIST);
}

static void fw_cfg_copies_by_dma_when_shared(void **state)
{
	struct fixture *f = *state;
	const uint8_t *data = f->ram.shared + DATA;
	uint64_t magic;

	bus_read(f->bus, BUS_PORT, PORT + 4, &magic, 8);
	assert_memory_equal(&magic, "QEMU CFG", 8);
	memset(f->ram.shared + DATA, 0xee, 64);
	/* select and read, behind the end too */
	assert_int_equal(
		dma(f, FW_CFG_KERNEL_DATA << 16 | SELECT | READ, sizeof(kernel) + 4, DATA), 0);
	assert_memory_equal(data, kernel, sizeof(kernel));
	assert_memory_equal(data + sizeof(kernel), "\0\0\0\0\xee", 5);
	/* skip, then go on where that ended */
	assert_int_equal(dma(f, FW_CFG_KERNEL_DATA << 16 | SELECT | SKIP, 2, 0), 0);
	assert_int_equal(dma(f, READ, 6, DATA), 0);
	assert_memory_equal(data, "kernel", 6);
}

static void fw_cfg_fails_dma_when_memory_is_private(void **state)
{
	struct fixture *f = *state;
	const uint64_t last = SHARED + PAGES * PAGE_SIZE - 4;
	const uint32_t whole = FW_CFG_KERNEL_DATA << 16 | SELECT | READ;

	assert_int_equal(dma(f, whole, sizeof(kernel), MIB(4)), FAILED);
	assert_int_equal(dma(f, whole, sizeof(kernel), last), FAILED);
	assert_int_equal(dma(f, whole, sizeof(kernel), RAM), FAILED);
	assert_int_equal(dma(f, whole, UINT32_MAX, DATA), FAILED);
	assert_int_equal(dma(f, whole, 8, UINT64_MAX - 3), FAILED);
	assert_int_equal(dma(f, SELECT | WRITE, 4, DATA), FAILED);
	for (unsigned int i = 0; i < 64; i++)
		assert_int_equal(f->ram.shared[MIB(4) + i], 0);
	/* a request that is itself private is not even read: its control word stays */
	assert_int_equal(dma_at(f, MIB(4), whole, 4, DATA), whole);
	assert_int_equal(dma_at(f, last, whole, 4, DATA), whole);
	/* and it still works */
	assert_int_equal(dma(f, whole, sizeof(kernel), DATA), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(fw_cfg_shows_items_by_port, setup, teardown),
		cmocka_unit_test_setup_teardown(fw_cfg_lists_files, setup, teardown),
		cmocka_unit_test_setup_teardown(fw_cfg_copies_by_dma_when_shared, setup, teardown),
		cmocka_unit_test_setup_teardown(
			fw_cfg_fails_dma_when_memory_is_private, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
