/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vCPUs that come and go: polls the registers as the DSDT's methods read them. Each vCPU that comes
 * is started and says that it runs; the guest lets go of what it is asked to. After `goes=N` of these
 * it ends. With `stubborn=1` it first lets go of what nobody asked for; with `deaf=1` it hears of
 * nothing.
 */
#include "guests/lib/guest.h"
#include "guests/lib/io.h"

const char guest_name[] = "cpus";

#define CPUS_PRESENT 0x620
#define CPUS_ADDED   0x628
#define CPUS_ASKED   0x630
#define CPUS_EJECT   0x638

#define ICR_LOW   0xfee00300ull /* SDM volume 3, 11.6.1 */
#define ICR_HIGH  0xfee00310ull
#define ICR_INIT  0x00004500u
#define ICR_START 0x00004600u

#define CODE_PAGE 8u       /* where it starts, in real mode: page 8 */
#define FLAG      0x8800ull /* what the code below counts up */
#define PATIENCE  20000000u

/* lock incb 0x8800 - CS base; then wait for ever. CS is 0x0800, DS is 0. */
static const uint8_t code[] = {0xf0, 0xfe, 0x06, 0x00, 0x88, 0xfa, 0xf4, 0xeb, 0xfd};

static void start(unsigned int n)
{
	uint8_t before = read8(FLAG);

	for (unsigned int i = 0; i < sizeof(code); i++)
		write8(CODE_PAGE * 0x1000 + i, code[i]);
	write32(ICR_HIGH, n << 24);
	write32(ICR_LOW, ICR_INIT);
	write32(ICR_HIGH, n << 24);
	write32(ICR_LOW, ICR_START | CODE_PAGE);
	for (unsigned int i = 0; read8(FLAG) == before; i++) {
		if (i == PATIENCE)
			guest_fail("a vCPU that came does not run", n);
		__asm__ volatile("pause");
	}
	print("CAME cpu %u\n", (uint64_t)n);
}

static void let_go(unsigned int n)
{
	expect("it is there", in32(CPUS_PRESENT) >> n & 1, 1);
	out32(CPUS_EJECT, n);
	expect("it is gone at once", in32(CPUS_PRESENT) >> n & 1, 0);
	print("WENT cpu %u\n", (uint64_t)n);
}

void guest_main(void)
{
	uint64_t goes = guest_option("goes", 1);

	if (guest_option("stubborn", 0)) {
		uint32_t present = in32(CPUS_PRESENT);

		for (unsigned int n = 0; n < 70; n++)
			out32(CPUS_EJECT, n);
		expect("nobody was asked to go", in32(CPUS_PRESENT), present);
	}
	print("READY\n");
	while (guest_option("deaf", 0))
		__asm__ volatile("pause");
	while (goes) {
		uint32_t added = in32(CPUS_ADDED), asked = in32(CPUS_ASKED);

		for (unsigned int n = 0; n < 32; n++)
			if (added >> n & 1)
				start(n);
		for (unsigned int n = 0; n < 32; n++)
			if (asked >> n & 1) {
				let_go(n);
				goes--;
			}
	}
	guest_pass();
}
