/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The firmware configuration device, by a guest that owns its ports and its shared pages. Input: a
 * list of {8 bits of what, 8 bits of port, 64 bits of value}; DMA requests lie in the shared pages,
 * which the input fills too. Private memory must stay as it is.
 */
#include "devices/front/fw_cfg.h"

#include "base/bytes.h"
#include "devices/front/bus.h"
#include "memory/ledger.h"
#include "memory/ram.h"
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <string.h>

#define PORT   0x510
#define RAM    MIB(16)
#define SHARED MIB(2)
#define PAGES  2

static int no_discard(void *ctx, gpa_t gpa, uint64_t len, bool private_side)
{
	(void)ctx, (void)gpa, (void)len, (void)private_side;
	return 0;
}

struct fuzz {
	struct bus *bus;
	struct ram ram;
	struct ledger *ledger;
	struct fw_cfg *cfg;
};

static void fuzz_up(struct fuzz *f)
{
	static const struct convert_ops ops = {.discard = no_discard};
	struct ram_desc desc = {.cbit = UINT64_C(1) << 38, .guest_memfd = -1};
	struct fw_cfg_desc cfg = {.port = PORT};
	struct err e = ERR_INIT;
	struct converter c;
	int rc = layout_init(&desc.layout, RAM, &e);

	rc |= ram_init(&f->ram, &desc, &e);
	rc |= ledger_create(&f->ledger, &f->ram.layout, false, MIB(1), &e);
	c = (struct converter){&f->ram.layout, f->ledger, &ops, &f->ram, false};
	rc |= convert(&c, gpa_of(SHARED), PAGES * PAGE_SIZE, true);
	rc |= bus_create(&f->bus, &e);
	cfg.bus = f->bus;
	cfg.io = (struct guest_io){&f->ram, f->ledger};
	rc |= fw_cfg_create(&f->cfg, &cfg, &e);
	rc |= fw_cfg_add(f->cfg, FW_CFG_KERNEL_DATA, "kernel", 6, &e);
	rc |= fw_cfg_add_file(f->cfg, "etc/file", "file", 4, &e);
	assert(!rc);
}

static void fuzz_down(struct fuzz *f)
{
	fw_cfg_destroy(f->cfg);
	bus_destroy(f->bus);
	ledger_destroy(f->ledger);
	ram_fini(&f->ram);
}

/* fuzz_step() - one access, or one word of a DMA request */
static void fuzz_step(struct fuzz *f, struct bytes *b)
{
	uint8_t what = bytes_u8(b), port = bytes_u8(b);
	uint64_t value = bytes_u64(b);
	unsigned int len = 1u << (what >> 2 & 3);

	if (what & 1)
		memcpy(f->ram.shared + SHARED + port * 8, &value, sizeof(value));
	else if (what & 2)
		bus_write(f->bus, BUS_PORT, PORT + port % FW_CFG_PORTS, &value, len);
	else
		bus_read(f->bus, BUS_PORT, PORT + port % FW_CFG_PORTS, &value, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes b = bytes_of(data, size);
	struct fuzz f = {.cfg = NULL};
	uint64_t private_bytes, shared_bytes;

	fuzz_up(&f);
	while (b.left && !b.failed)
		fuzz_step(&f, &b);
	/* nothing was written but the shared pages */
	assert(!ram_resident(&f.ram, &private_bytes, &shared_bytes));
	assert(shared_bytes <= PAGES * PAGE_SIZE && !private_bytes);
	fuzz_down(&f);
	return 0;
}
