/* SPDX-License-Identifier: Apache-2.0 */
/* Asks for a reset: by the reset register, or with `fault=1` by a triple fault. */
#include "guests/lib/guest.h"
#include "guests/lib/io.h"

const char guest_name[] = "reset";

#define PORT_RESET  0x602
#define RESET_VALUE 1
#define PATIENCE    100000 /* exits until the monitor must have stopped this vCPU */

static void triple_fault(void)
{
	struct __attribute__((packed)) {
		uint16_t limit;
		uint64_t base;
	} none = {0, 0};

	__asm__ volatile("lidt %0; ud2" : : "m"(none));
}

void guest_main(void)
{
	print("reset, please\n");
	if (guest_option("fault", 0))
		triple_fault();
	else
		out8(PORT_RESET, RESET_VALUE);
	for (int i = 0; i < PATIENCE; i++)
		in8(PORT_RESET);
	guest_fail("still here", 0);
}
