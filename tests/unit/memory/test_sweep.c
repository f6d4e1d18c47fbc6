/* SPDX-License-Identifier: Apache-2.0 */
#include "memory/convert.h"
#include "memory/ledger.h"
#include "memory/ram.h"
#include "memory/sweep.h"
#include "tests/unit/unit.h"

#include <string.h>

static const struct convert_ops ops = {.discard = ram_discard};

static void sweep_frees_what_was_touched_but_never_shared(void **state)
{
	struct ram_desc desc = {.cbit = UINT64_C(1) << 38, .guest_memfd = -1};
	uint64_t private_bytes, shared_bytes;
	struct err e = ERR_INIT;
	struct ledger *ledger;
	struct ram ram;
	struct converter c;

	(void)state;
	assert_int_equal(layout_init(&desc.layout, MIB(64), &e), 0);
	assert_int_equal(ram_init(&ram, &desc, &e), 0);
	assert_int_equal(ledger_create(&ledger, &desc.layout, false, MIB(32), &e), 0);
	c = (struct converter){&ram.layout, ledger, &ops, &ram};
	assert_int_equal(convert(&c, gpa_of(MIB(8)), MIB(1), true), 0);
	memset(ram.shared + MIB(2), 0xaa, MIB(10)); /* 1 MiB of it is shared */
	assert_int_equal(sweep_shared(&ram, ledger, MIB(9)), 0); /* within the slack */
	assert_int_equal(ram.shared[MIB(2)], 0xaa);
	assert_int_equal(sweep_shared(&ram, ledger, MIB(9) - 4096), MIB(9));
	assert_int_equal(ram_resident(&ram, &private_bytes, &shared_bytes), 0);
	assert_int_equal(shared_bytes, MIB(1));
	assert_int_equal(ram.shared[MIB(8)], 0xaa);
	assert_int_equal(ram.shared[MIB(9) - 1], 0xaa);
	ledger_destroy(ledger);
	ram_fini(&ram);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(sweep_frees_what_was_touched_but_never_shared),
};
UNIT_MAIN(tests)
