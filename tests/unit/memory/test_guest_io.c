/* SPDX-License-Identifier: Apache-2.0 */
#include "memory/guest_io.h"
#include "memory/ledger.h"
#include "memory/ram.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#define SIZE MIB(64)

struct fixture {
	struct ram ram;
	struct ledger *ledger;
	struct converter converter;
	struct guest_io io;
};

static int discard(void *ctx, gpa_t gpa, uint64_t len, bool private_side)
{
	return ram_discard(ctx, gpa, len, private_side);
}

static const struct convert_ops ops = {.discard = discard};

static void up(struct fixture *f, uint64_t cbit)
{
	struct ram_desc desc = {.cbit = cbit, .guest_memfd = -1};
	struct err e = ERR_INIT;

	memset(f, 0, sizeof(*f));
	assert_int_equal(layout_init(&desc.layout, SIZE, &e), 0);
	assert_int_equal(ram_init(&f->ram, &desc, &e), 0);
	assert_int_equal(ledger_create(&f->ledger, &f->ram.layout, !cbit, SIZE, &e), 0);
	f->converter = (struct converter){&f->ram.layout, f->ledger, &ops, &f->ram, false};
	f->io = (struct guest_io){&f->ram, f->ledger};
}

static void down(struct fixture *f)
{
	ledger_destroy(f->ledger);
	ram_fini(&f->ram);
}

static void guest_io_copies_both_ways_when_shared(void **state)
{
	static uint8_t data[200000], back[200000];
	struct fixture f;

	(void)state;
	up(&f, UINT64_C(1) << 38);
	assert_int_equal(convert(&f.converter, gpa_of(MIB(2)), MIB(1), true), 0);
	memset(data, 0xa5, sizeof(data));
	/* neither its start nor its end is a page's */
	assert_int_equal(guest_io_write(&f.io, gpa_of(MIB(2) + 77), data, sizeof(data)), 0);
	assert_memory_equal(f.ram.shared + MIB(2) + 77, data, sizeof(data));
	assert_int_equal(guest_io_read(&f.io, gpa_of(MIB(2) + 77), back, sizeof(back)), 0);
	assert_memory_equal(back, data, sizeof(data));
	assert_int_equal(guest_io_fill(&f.io, gpa_of(MIB(2) + 78), 3), 0);
	assert_memory_equal(f.ram.shared + MIB(2) + 76, "\0\xa5\0\0\0\xa5", 6);
	down(&f);
}

static void guest_io_refuses_a_range_when_one_page_is_private(void **state)
{
	static uint8_t data[3 * 4096];
	struct fixture f;

	(void)state;
	up(&f, UINT64_C(1) << 38);
	memset(data, 1, sizeof(data));
	assert_int_equal(convert(&f.converter, gpa_of(MIB(2)), 2 * PAGE_SIZE, true), 0);
	assert_int_equal(guest_io_write(&f.io, gpa_of(MIB(2)), data, sizeof(data)), -EFAULT);
	assert_int_equal(
		guest_io_write(&f.io, gpa_of(MIB(2) + 2 * PAGE_SIZE - 1), data, 2), -EFAULT);
	assert_int_equal(guest_io_read(&f.io, gpa_of(MIB(2) - 1), data, 2), -EFAULT);
	assert_int_equal(guest_io_write(&f.io, gpa_of(MIB(2)), data, 2 * PAGE_SIZE), 0);
	/* nothing came to the pages that are private */
	for (unsigned int i = 0; i < PAGE_SIZE; i++)
		assert_int_equal(f.ram.shared[MIB(2) + 2 * PAGE_SIZE + i], 0);
	down(&f);
}

static void guest_io_refuses_what_is_no_ram(void **state)
{
	uint8_t data[16] = {0};
	struct fixture f;

	(void)state;
	up(&f, 0); /* all RAM is shared */
	assert_int_equal(guest_io_write(&f.io, gpa_of(0), data, sizeof(data)), 0);
	assert_int_equal(guest_io_write(&f.io, gpa_of(SIZE - 8), data, sizeof(data)), -EFAULT);
	assert_int_equal(guest_io_read(&f.io, gpa_of(SIZE), data, 1), -EFAULT);
	assert_int_equal(guest_io_read(&f.io, gpa_of(UINT64_MAX - 3), data, 8), -EFAULT);
	assert_int_equal(guest_io_fill(&f.io, gpa_of(UINT64_C(1) << 38), 8), -EFAULT);
	down(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(guest_io_copies_both_ways_when_shared),
		cmocka_unit_test(guest_io_refuses_a_range_when_one_page_is_private),
		cmocka_unit_test(guest_io_refuses_what_is_no_ram),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
