/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conversions, by hypercall or doorbell: what is converted loses its contents, in both directions,
 * its neighbours keep theirs, and requests that make no sense are refused. Needs a level with a
 * C-bit.
 */
#include "guests/lib/guest.h"
#include "guests/lib/paging.h"

const char guest_name[] = "convert";

#define AREA    0x800000ull /* 8 MiB: nothing else is there */
#define PAGES   16ull
#define WORDS   (PAGE / 8)
#define PATTERN 0x5ec4e7ull

static void check_page(const char *what, const uint64_t *page, uint64_t want)
{
	for (uint64_t i = 0; i < WORDS; i += 8)
		expect(what, page[i], want);
}

static void write_page(uint64_t *page, uint64_t v)
{
	for (uint64_t i = 0; i < WORDS; i += 8)
		page[i] = v;
}

static void check_round(uint64_t gpa)
{
	uint64_t *private = private_side(gpa), *shared = shared_side(gpa);

	write_page(private, PATTERN);
	check_page("private page keeps what was written", private, PATTERN);
	expect("to shared", convert(gpa, 1, 0), 0);
	check_page("shared page starts as zeros", shared, 0);
	write_page(shared, PATTERN + 1);
	check_page("shared page keeps what was written", shared, PATTERN + 1);
	expect("to shared again", convert(gpa, 1, 0), 0);
	check_page("a page that is shared already keeps its contents", shared, PATTERN + 1);
	expect("to private", convert(gpa, 1, 1), 0);
	check_page("private page starts as zeros", private, 0);
}

static void check_range(void)
{
	for (uint64_t i = 0; i < PAGES; i++)
		write_page(private_side(AREA + i * PAGE), PATTERN + i);
	expect("range to shared", convert(AREA + PAGE, PAGES - 2, 0), 0);
	for (uint64_t i = 1; i < PAGES - 1; i++)
		check_page("page of a range is zeros", shared_side(AREA + i * PAGE), 0);
	check_page("page before the range", private_side(AREA), PATTERN);
	check_page("page after the range", private_side(AREA + (PAGES - 1) * PAGE),
		PATTERN + PAGES - 1);
	expect("range to private", convert(AREA, PAGES, 1), 0);
	for (uint64_t i = 1; i < PAGES - 1; i++)
		check_page("page of a range is zeros again", private_side(AREA + i * PAGE), 0);
	check_page("private page in a range to private", private_side(AREA), PATTERN);
}

static void expect_refused(const char *what, uint64_t gpa, uint64_t n_pages)
{
	if (!convert(gpa, n_pages, 0))
		guest_fail(what, gpa);
}

void guest_main(void)
{
	if (!paging_cbit())
		guest_fail("no C-bit in the page tables", 0);
	check_round(AREA);
	check_round(AREA + 5 * PAGE);
	check_range();
	expect_refused("nothing at all was shared", AREA, 0);
	expect_refused("low memory was shared", 0, 1);
	expect_refused("the end of low memory was shared", 0xff000, 2);
	expect_refused("a range beyond RAM was shared", AREA, 0x100000);
	expect_refused("the devices' addresses were shared", 0xc0000000, 1);
	expect_refused("a wrapping range was shared", AREA, 0xffffffff);
	check_page("refused requests change nothing", private_side(AREA), PATTERN);
}
