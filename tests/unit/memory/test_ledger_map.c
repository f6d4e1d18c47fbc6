/* SPDX-License-Identifier: Apache-2.0 */
#include "memory/layout.h"
#include "memory/ledger.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A file that may or may not pass for a ledger: a header and `pages` pages of bits, all `bits`. */
static int fake_ledger(const struct ledger_header *header, unsigned int pages, int bits)
{
	uint8_t page[4096];
	int fd = memfd_create("fake", MFD_CLOEXEC);

	assert_true(fd >= 0);
	memset(page, 0, sizeof(page));
	memcpy(page, header, sizeof(*header));
	assert_int_equal(write(fd, page, sizeof(page)), sizeof(page));
	memset(page, bits, sizeof(page));
	for (unsigned int i = 0; i < pages; i++)
		assert_int_equal(write(fd, page, sizeof(page)), sizeof(page));
	return fd;
}

static int open_fake(const struct ledger_header *header, unsigned int pages)
{
	struct ledger_map map;
	struct err e = ERR_INIT;
	int fd = fake_ledger(header, pages, 0), rc = ledger_map_open(&map, fd, &e);

	close(fd);
	ledger_map_close(&map); /* allowed after a failure too */
	return rc;
}

static void ledger_map_refuses_what_is_no_ledger(void **state)
{
	struct ledger_header good = {.magic = LEDGER_MAGIC, .n_pages = 8 * 4096};
	struct ledger_header bad_magic = good, too_many = good, wraps = good;
	struct ledger_map map;
	struct err e = ERR_INIT;
	int fd = memfd_create("short", MFD_CLOEXEC);

	(void)state;
	bad_magic.magic++;
	too_many.n_pages++;
	wraps.n_pages = UINT64_MAX;
	assert_int_equal(open_fake(&good, 1), 0);
	assert_int_equal(open_fake(&good, 0), -EINVAL);
	assert_int_equal(open_fake(&bad_magic, 1), -EINVAL);
	assert_int_equal(open_fake(&too_many, 1), -EINVAL);
	assert_int_equal(open_fake(&wraps, 1), -EINVAL);
	assert_int_equal(write(fd, &good, sizeof(good)), sizeof(good));
	assert_int_equal(ledger_map_open(&map, fd, &e), -EINVAL);
	close(fd);
	assert_int_equal(ledger_map_open(&map, -1, &e), -EBADF);
}

static void ledger_map_reads_the_bit_of_each_page(void **state)
{
	struct ledger_header header = {.magic = LEDGER_MAGIC, .n_pages = 20};
	struct ledger_map map;
	struct err e = ERR_INIT;
	int fd = fake_ledger(&header, 1, 0);
	uint8_t bits[3] = {0x82, 0x01, 0xff}; /* pages 1, 7, 8, 16 to 19; more bits than pages */

	(void)state;
	assert_int_equal(pwrite(fd, bits, sizeof(bits), 4096), 3);
	assert_int_equal(ledger_map_open(&map, fd, &e), 0);
	close(fd); /* the mapping lives on */
	assert_true(ledger_map_shared(&map, gpa_of(0x1000), 0x1000));
	assert_true(ledger_map_shared(&map, gpa_of(0x7000), 0x2000));
	assert_true(ledger_map_shared(&map, gpa_of(0x8fff), 1));
	assert_false(ledger_map_shared(&map, gpa_of(0x8fff), 2));
	assert_false(ledger_map_shared(&map, gpa_of(0x6fff), 2));
	assert_false(ledger_map_shared(&map, gpa_of(0), 0x2000));
	assert_false(ledger_map_shared(&map, gpa_of(0x1000), 0x7000));
	assert_true(ledger_map_shared(&map, gpa_of(0x10000), 0x4000));
	ledger_map_close(&map);
	assert_null(map.header);
}

static void ledger_map_refuses_ranges_outside(void **state)
{
	struct ledger_header header = {.magic = LEDGER_MAGIC, .n_pages = 20};
	struct ledger_map map;
	struct err e = ERR_INIT;
	int fd = fake_ledger(&header, 1, 0xff);

	(void)state;
	assert_int_equal(ledger_map_open(&map, fd, &e), 0);
	close(fd);
	assert_true(ledger_map_shared(&map, gpa_of(0), 20 * 4096));
	assert_false(ledger_map_shared(&map, gpa_of(0), 0));
	assert_false(ledger_map_shared(&map, gpa_of(0), 20 * 4096 + 1));
	assert_false(
		ledger_map_shared(&map, gpa_of(20 * 4096), 1)); /* its bit is set, it is no page */
	assert_false(ledger_map_shared(&map, gpa_of(UINT64_MAX), 1));
	assert_false(ledger_map_shared(&map, gpa_of(UINT64_MAX), 2));
	assert_false(ledger_map_shared(&map, gpa_of(4096), UINT64_MAX));
	ledger_map_close(&map);
}

static void ledger_map_sees_changes_and_cannot_make_them(void **state)
{
	struct layout layout;
	struct ledger *ledger;
	struct ledger_locked locked;
	struct ledger_map map;
	struct err e = ERR_INIT;
	void *writable;
	int fd;

	(void)state;
	assert_int_equal(layout_init(&layout, MIB(64), &e), 0);
	assert_int_equal(ledger_create(&ledger, &layout, false, MIB(64), &e), 0);
	fd = ledger_device_fd(ledger);
	assert_int_equal(ledger_map_open(&map, fd, &e), 0);
	assert_false(ledger_map_shared(&map, gpa_of(MIB(2)), 4096));
	locked = ledger_lock(ledger);
	ledger_set(locked, gpa_of(MIB(2)), 8192, true);
	assert_true(ledger_map_shared(&map, gpa_of(MIB(2)), 8192));
	ledger_set(locked, gpa_of(MIB(2)), 4096, false);
	ledger_unlock(locked);
	assert_false(ledger_map_shared(&map, gpa_of(MIB(2)), 4096));
	assert_true(ledger_map_shared(&map, gpa_of(MIB(2) + 4096), 4096));
	writable = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_equal(writable, MAP_FAILED);
	assert_int_equal(mprotect((void *)(uintptr_t)map.header, 4096, PROT_READ | PROT_WRITE), -1);
	ledger_map_close(&map);
	ledger_destroy(ledger);
}

static void ledger_map_shares_all_at_level_off(void **state)
{
	struct layout layout;
	struct ledger *ledger;
	struct ledger_map map;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(layout_init(&layout, MIB(64), &e), 0);
	assert_int_equal(ledger_create(&ledger, &layout, true, 0, &e), 0);
	assert_int_equal(ledger_map_open(&map, ledger_device_fd(ledger), &e), 0);
	assert_true(ledger_map_shared(&map, gpa_of(0), MIB(64)));
	assert_false(ledger_map_shared(&map, gpa_of(MIB(64) - 1), 2));
	assert_int_equal(ledger_counts(ledger).shared, MIB(64));
	ledger_map_close(&map);
	ledger_destroy(ledger);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(ledger_map_refuses_what_is_no_ledger),
	cmocka_unit_test(ledger_map_reads_the_bit_of_each_page),
	cmocka_unit_test(ledger_map_refuses_ranges_outside),
	cmocka_unit_test(ledger_map_sees_changes_and_cannot_make_them),
	cmocka_unit_test(ledger_map_shares_all_at_level_off),
};
UNIT_MAIN(tests)
