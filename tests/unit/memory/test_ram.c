/* SPDX-License-Identifier: Apache-2.0 */
#include "memory/image.h"
#include "memory/ram.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define CBIT (UINT64_C(1) << 38)

static struct ram ram_up(uint64_t size, uint64_t cbit)
{
	struct ram_desc desc = {.cbit = cbit, .guest_memfd = -1};
	struct err e = ERR_INIT;
	struct ram ram;

	assert_int_equal(layout_init(&desc.layout, size, &e), 0);
	assert_int_equal(ram_init(&ram, &desc, &e), 0);
	return ram;
}

static void ram_has_one_object_at_level_off(void **state)
{
	struct ram ram = ram_up(GIB(6), 0);
	struct ram_slot slots[RAM_MAX_SLOTS];

	(void)state;
	assert_int_equal(ram_slots(&ram, slots), 2);
	assert_int_equal(slots[0].len, LAYOUT_HOLE_START);
	assert_int_equal(slots[1].gpa, LAYOUT_HOLE_END);
	assert_int_equal(slots[1].len, GIB(3));
	assert_ptr_equal(slots[1].host, ram.shared + LAYOUT_HOLE_END);
	assert_null(ram.private);
	/* a huge page here can be one for the guest */
	assert_int_equal((uintptr_t)ram.shared % (2U << 20), 0);
	ram_fini(&ram);
}

static void ram_splits_aliases_above_level_off(void **state)
{
	struct ram ram = ram_up(GIB(6), CBIT);
	struct ram_slot s[RAM_MAX_SLOTS];

	(void)state;
	assert_int_equal(ram_slots(&ram, s), 6);
	/* the first MiB is one memory in both aliases, and no shared object */
	assert_int_equal(s[0].gpa, 0);
	assert_int_equal(s[1].gpa, CBIT);
	assert_ptr_equal(s[0].host, s[1].host);
	for (int i = 2; i < 6; i++) {
		assert_int_equal(s[i].private, (s[i].gpa & CBIT) != 0);
		assert_ptr_equal(
			s[i].host, (s[i].private ? ram.private : ram.shared) + (s[i].gpa & ~CBIT));
	}
	ram_fini(&ram);
}

static void ram_has_both_sides_in_one_slot_when_dual(void **state)
{
	struct ram_desc desc = {.dual = true, .guest_memfd = dup(0)};
	struct ram_slot s[RAM_MAX_SLOTS];
	struct err e = ERR_INIT;
	struct ram ram;
	int fd = desc.guest_memfd;

	(void)state;
	assert_int_equal(layout_init(&desc.layout, GIB(6), &e), 0);
	assert_int_equal(ram_private_len(&desc), GIB(7));
	assert_int_equal(layout_init(&desc.layout, GIB(1), &e), 0);
	assert_int_equal(ram_private_len(&desc), GIB(1));
	desc.rom = (struct layout_range){gpa_of(GIB(4) - MIB(4)), MIB(4)};
	assert_int_equal(ram_private_len(&desc), GIB(4));
	assert_int_equal(ram_init(&ram, &desc, &e), 0);
	assert_int_equal(ram_slots(&ram, s), 2);
	assert_int_equal(s[0].gpa, 0); /* the first MiB too */
	assert_int_equal(s[0].len, GIB(1));
	assert_ptr_equal(s[0].host, ram.shared);
	assert_int_equal(s[1].gpa, GIB(4) - MIB(4));
	assert_null(s[1].host); /* firmware has no shared side */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(s[i].guest_memfd, fd);
		assert_int_equal(s[i].offset, s[i].gpa);
		assert_true(s[i].private);
	}
	assert_int_equal(ram_seal(&ram, false, &e), 0);
	assert_int_equal(ram.private_fd, fd); /* pages that are shared must be freed through it */
	ram_fini(&ram);
}

static void ram_loads_private_and_low_memory_only(void **state)
{
	struct ram ram = ram_up(MIB(64), CBIT);
	char low[] = "low", high[] = "high";
	struct image_part parts[] = {
		{.gpa = gpa_of(0x7000), .len = 4096, .bytes = low, .bytes_len = 3},
		{.gpa = gpa_of(MIB(2)), .len = MIB(32), .bytes = high, .bytes_len = 4},
	};
	uint64_t private_bytes, shared_bytes;
	struct err e = ERR_INIT;
	struct image image;

	(void)state;
	image_init(&image);
	for (int i = 0; i < 2; i++)
		assert_int_equal(image_add(&image, &parts[i], &e), 0);
	assert_int_equal(ram_load(&ram, &image, &e), 0);
	assert_memory_equal(ram.low + 0x7000, "low", 4);
	assert_memory_equal(ram.private + MIB(2), "high", 5);
	assert_int_equal(ram_resident(&ram, &private_bytes, &shared_bytes), 0);
	assert_int_equal(private_bytes, 4096); /* 32 MiB of zeros cost nothing */
	assert_int_equal(shared_bytes, 0);
	assert_int_equal(ram_seal(&ram, false, &e), 0);
	assert_int_equal(ram.private_fd, -1);
	assert_int_equal(ram_discard(&ram, gpa_of(MIB(2)), 4096, true), 0);
	assert_int_equal(ram_resident(&ram, &private_bytes, &shared_bytes), 0);
	assert_int_equal(private_bytes, 0);
	ram.shared[MIB(4)] = 1;
	assert_int_equal(ram_discard(&ram, gpa_of(MIB(4)), 4096, false), 0);
	assert_int_equal(ram.shared[MIB(4)], 0);
	image_fini(&image);
	ram_fini(&ram);
}

static void ram_load_refuses_part_beyond_memory(void **state)
{
	struct ram ram = ram_up(MIB(64), 0);
	struct image_part part = {.gpa = gpa_of(MIB(64) - 4096), .len = 8192};
	struct err e = ERR_INIT;
	struct image image;

	(void)state;
	image_init(&image);
	assert_int_equal(image_add(&image, &part, &e), 0);
	assert_int_equal(ram_load(&ram, &image, &e), -EINVAL);
	assert_non_null(strstr(e.text, "do not fit"));
	image_fini(&image);
	ram_fini(&ram);
}

static void ram_is_anonymous_when_alone(void **state)
{
	struct ram_desc desc = {.guest_memfd = -1, .alone = true};
	uint64_t private_bytes, shared_bytes;
	struct ram_slot slots[RAM_MAX_SLOTS];
	struct image_part part = {
		.gpa = gpa_of(MIB(2)), .len = 5, .bytes = (const uint8_t *)"bytes", .bytes_len = 5};
	struct err e = ERR_INIT;
	struct image image;
	struct ram ram;

	(void)state;
	assert_int_equal(layout_init(&desc.layout, MIB(64), &e), 0);
	assert_int_equal(ram_init(&ram, &desc, &e), 0);
	assert_int_equal(ram.shared_fd, -1);
	assert_int_equal(ram_slots(&ram, slots), 1);
	assert_int_equal((uintptr_t)ram.shared % (2U << 20), 0);
	assert_int_equal(ram_resident(&ram, &private_bytes, &shared_bytes), 0);
	assert_int_equal(shared_bytes, 0);
	image_init(&image);
	assert_int_equal(image_add(&image, &part, &e), 0);
	assert_int_equal(ram_load(&ram, &image, &e), 0);
	assert_memory_equal(ram.shared + MIB(2), "bytes", 5);
	assert_int_equal(ram_resident(&ram, &private_bytes, &shared_bytes), 0);
	assert_in_range(shared_bytes, 4096, 2 << 20);
	assert_int_equal(private_bytes, 0);
	image_fini(&image);
	ram_fini(&ram);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(ram_has_one_object_at_level_off),
	cmocka_unit_test(ram_is_anonymous_when_alone),
	cmocka_unit_test(ram_splits_aliases_above_level_off),
	cmocka_unit_test(ram_has_both_sides_in_one_slot_when_dual),
	cmocka_unit_test(ram_loads_private_and_low_memory_only),
	cmocka_unit_test(ram_load_refuses_part_beyond_memory),
};
UNIT_MAIN(tests)
