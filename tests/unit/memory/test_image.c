/* SPDX-License-Identifier: Apache-2.0 */
#include "memory/image.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static int add(struct image *image, uint64_t gpa, uint64_t len, size_t bytes_len)
{
	static const char bytes[8192];
	struct image_part part = {.gpa = gpa_of(gpa), .len = len, .bytes_len = bytes_len};
	struct err e = ERR_INIT;
	int rc;

	part.bytes = bytes_len ? bytes : NULL;
	rc = image_add(image, &part, &e);
	assert_int_equal(rc, -e.code);
	assert_int_equal(rc != 0, e.text[0] != '\0');
	return rc;
}

static void image_keeps_order_of_parts(void **state)
{
	struct image image;

	(void)state;
	image_init(&image);
	assert_int_equal(image_end(&image).v, 0);
	assert_int_equal(add(&image, MIB(2), 4096, 0), 0);
	assert_int_equal(add(&image, MIB(1), 4096, 0), 0);
	assert_int_equal(add(&image, MIB(4), 4096, 0), 0);
	assert_int_equal(image.n_parts, 3);
	assert_int_equal(image.parts[0].gpa.v, MIB(2));
	assert_int_equal(image.parts[1].gpa.v, MIB(1));
	assert_int_equal(image.parts[2].gpa.v, MIB(4));
	assert_int_equal(image_end(&image).v, MIB(4) + 4096);
	image_fini(&image);
	assert_int_equal(image.n_parts, 0);
}

static void image_rounds_length_up_to_pages(void **state)
{
	struct image image;

	(void)state;
	image_init(&image);
	assert_int_equal(add(&image, 0, 1, 0), 0);
	assert_int_equal(add(&image, 0x1000, 0, 4097), 0);
	assert_int_equal(add(&image, 0x3000, 8192, 100), 0);
	assert_int_equal(image.parts[0].len, 4096);
	assert_int_equal(image.parts[1].len, 8192);
	assert_int_equal(image.parts[1].bytes_len, 4097);
	assert_int_equal(image.parts[2].len, 8192);
	assert_int_equal(image.parts[2].bytes_len, 100);
	image_fini(&image);
}

static void image_refuses_bad_parts(void **state)
{
	struct image image;

	(void)state;
	image_init(&image);
	assert_int_equal(add(&image, 0x1000, 0, 0), -EINVAL);
	assert_int_equal(add(&image, 0x1001, 4096, 0), -EINVAL);
	assert_int_equal(add(&image, 0x1000, UINT64_MAX, 0), -EINVAL); /* rounding up wraps */
	assert_int_equal(add(&image, 0x1000, UINT64_MAX - 4095, 0), -EINVAL); /* the end wraps */
	assert_int_equal(add(&image, UINT64_MAX - 4095, 8192, 0), -EINVAL);
	assert_int_equal(image.n_parts, 0);
	assert_int_equal(add(&image, 0x1000, 4096, 0), 0);
	image_fini(&image);
}

static void image_refuses_overlap_however_it_lies(void **state)
{
	struct image image;

	(void)state;
	image_init(&image);
	assert_int_equal(add(&image, 0x4000, 0x4000, 0), 0);
	assert_int_equal(add(&image, 0x4000, 0x4000, 0), -EEXIST);
	assert_int_equal(add(&image, 0x3000, 0x1001, 0), -EEXIST);
	assert_int_equal(add(&image, 0x7000, 0x1000, 0), -EEXIST);
	assert_int_equal(add(&image, 0x5000, 0x1000, 0), -EEXIST);
	assert_int_equal(add(&image, 0, 0x10000, 0), -EEXIST);
	assert_int_equal(image.n_parts, 1);
	assert_int_equal(add(&image, 0x3000, 0x1000, 0), 0);
	assert_int_equal(add(&image, 0x8000, 0x1000, 0), 0);
	image_fini(&image);
}

/* Whether the memory is freed is for the sanitizers to see; the mapping is looked for here. */
static void image_frees_what_it_owns(void **state)
{
	struct image image;
	struct err e = ERR_INIT;
	unsigned char resident;
	void *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	assert_true(map != MAP_FAILED);
	image_init(&image);
	assert_int_equal(image_own(&image, malloc(100), &e), 0);
	assert_int_equal(image_own_map(&image, map, 4096, &e), 0);
	assert_int_equal(image_own(&image, malloc(100), &e), 0);
	assert_int_equal(mincore(map, 4096, &resident), 0);
	image_fini(&image);
	assert_int_equal(mincore(map, 4096, &resident), -1);
	assert_null(image.owned);
	image_fini(&image); /* and again: it is an empty image now */
}

static void image_lets_vcpu_states_share_an_address(void **state)
{
	struct image_part part = {.gpa = gpa_of(0x1000), .len = 4096, .type = IMAGE_VMSA};
	struct image image;
	struct err e;

	(void)state;
	image_init(&image);
	assert_int_equal(image_add(&image, &part, &e), 0);
	assert_int_equal(image_add(&image, &part, &e), 0);
	assert_int_equal(image.n_parts, 2);
	part.type = IMAGE_NORMAL;
	assert_int_equal(image_add(&image, &part, &e), -EEXIST);
	part.gpa = gpa_of(0x2000);
	assert_int_equal(image_add(&image, &part, &e), 0);
	part.type = IMAGE_VMSA;
	assert_int_equal(image_add(&image, &part, &e), -EEXIST);
	image_fini(&image);
}

static void image_takes_many_parts(void **state)
{
	struct image image;

	(void)state;
	image_init(&image);
	for (uint64_t i = 0; i < 20000; i++)
		assert_int_equal(add(&image, i * 7919 % 20000 * 4096, 4096, 0), 0);
	assert_int_equal(image_bytes(&image), 20000 * 4096);
	assert_int_equal(add(&image, 777 * 4096, 4096, 0), -EEXIST);
	image_fini(&image);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(image_keeps_order_of_parts),
	cmocka_unit_test(image_rounds_length_up_to_pages),
	cmocka_unit_test(image_refuses_bad_parts),
	cmocka_unit_test(image_refuses_overlap_however_it_lies),
	cmocka_unit_test(image_frees_what_it_owns),
	cmocka_unit_test(image_lets_vcpu_states_share_an_address),
	cmocka_unit_test(image_takes_many_parts),
};
UNIT_MAIN(tests)
