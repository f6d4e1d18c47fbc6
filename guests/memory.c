/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that comes: polls the registers as the DSDT's methods read them, and writes and reads each
 * piece at both ends. What is behind the last piece must not be memory. After `pieces=N` it ends;
 * with 0, where there are no such registers, never.
 */
#include "guests/lib/guest.h"
#include "guests/lib/io.h"
#include "guests/lib/paging.h"

const char guest_name[] = "memory";

#define PRESENT 0x670
#define ADDED   0x674
#define SELECT  0x678
#define FIRST   0x67c
#define LAST    0x684
#define LENGTH  0x68c
#define STEP    0x8000000ull /* 128 MiB */
#define NO_RAM  0xffffffffffffffffull

static uint64_t in64(uint16_t port)
{
	uint64_t low = in32(port);

	return low | (uint64_t)in32((uint16_t)(port + 4)) << 32;
}

/* try_at() - is there memory at an address of the window? */
static void try_at(uint64_t at, uint64_t value)
{
	expect("fresh memory", read64(at), 0);
	write64(at, value);
	expect("what was written", read64(at), value);
}

static void try_piece(unsigned int n)
{
	uint64_t first, len;

	out32(SELECT, n);
	first = in64(FIRST);
	len = in64(LENGTH);
	expect("the last byte", in64(LAST), first + len - 1);
	expect("alignment", (first | len) % STEP, 0);
	paging_aim(first);
	try_at(AIMED_WINDOW, first + 1);
	try_at(AIMED_WINDOW + len / 2, first + 2);
	try_at(AIMED_WINDOW + len - 8, first + 3);
	expect("what is behind it", read64(AIMED_WINDOW + len), NO_RAM);
	print("CAME piece %u: %u MiB at %x\n", (uint64_t)n, len >> 20, first);
}

/* try_nonsense() - pieces that are not there, halves of registers, writes to what is read only */
static void try_nonsense(uint32_t present)
{
	static const uint32_t numbers[] = {7, 31, 32, 64, 0xffffffff};

	for (unsigned int i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		out32(SELECT, numbers[i]);
		expect("a piece that is not there", in64(FIRST) | in64(LAST) | in64(LENGTH), 0);
	}
	out32(PRESENT, 0xffff);
	out32(ADDED, 0xffff);
	out32(LENGTH, 0xffff);
	out16(SELECT, 0);
	expect("half a register", in16(PRESENT) | in8(ADDED), 0);
	expect("what is there", in32(PRESENT), present);
}

void guest_main(void)
{
	uint64_t pieces = guest_option("pieces", 1), come = 0;

	paging_init();
	if (pieces)
		try_nonsense(0);
	print("READY\n");
	while (!pieces)
		__asm__ volatile("pause");
	while (come < pieces) {
		uint32_t added = in32(ADDED);

		for (unsigned int n = 0; n < 32; n++)
			if (added >> n & 1) {
				try_piece(n);
				come++;
			}
	}
	try_nonsense((1u << come) - 1);
	guest_pass();
}
