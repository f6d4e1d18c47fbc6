/* SPDX-License-Identifier: Apache-2.0 */
#include "devices/back/blk_bounce.h"

#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#define IMAGE (256u * 1024)

static uint8_t image[IMAGE], model[IMAGE], data[IMAGE];
static uint32_t state = 1;

static uint32_t random_below(uint32_t n)
{
	state = state * 1103515245u + 12345u;
	return (state >> 8) % n;
}

/* carry_out() - do what b says to image, as a direct file would. Return: 0 or -errno. */
static int carry_out(struct blk_bounce *b)
{
	struct blk_bounce_op op;
	int rc = 0;

	while (!rc && blk_bounce_next(b, &op)) {
		assert_int_equal(op.at % b->align | op.len % b->align, 0);
		assert_true(op.len <= BLK_BOUNCE_BYTES && op.at + op.len <= IMAGE);
		if (op.write)
			memcpy(image + op.at, b->buffer, op.len);
		else
			memcpy(b->buffer, image + op.at, op.len);
		rc = blk_bounce_done(b, &op, (int)op.len);
	}
	return rc;
}

/* cut() - spread len bytes of data over segments of odd sizes. Return: how many. */
static unsigned int cut(struct iovec *iov, uint64_t len)
{
	unsigned int n = 0;
	uint8_t *at = data;

	while (len) {
		uint64_t part = n == 15 ? len : 1 + random_below((uint32_t)len);

		iov[n++] = (struct iovec){at, part};
		at += part;
		len -= part;
	}
	return n;
}

static void blk_bounce_reads_and_writes_any_sector(void **unused)
{
	struct err e = ERR_INIT;

	(void)unused;
	for (uint32_t align = 512; align <= 65536; align *= 2) {
		struct iovec iov[16];
		struct blk_bounce b;

		assert_int_equal(blk_bounce_init(&b, align, &e), 0);
		for (int i = 0; i < 200; i++) {
			uint64_t at = random_below(IMAGE / 512 - 1) * 512u;
			uint64_t len = 512 * (1 + random_below((uint32_t)(IMAGE - at) / 512));
			bool writes = i % 2;

			for (uint64_t k = 0; k < len; k++)
				data[k] = (uint8_t)random_below(256);
			b.iov = iov;
			b.n_iov = cut(iov, len);
			blk_bounce_begin(&b, writes, at, len);
			assert_int_equal(carry_out(&b), 0);
			if (writes)
				memcpy(model + at, data, len);
			assert_memory_equal(model, image, IMAGE);
			assert_memory_equal(data, image + at, len);
		}
		blk_bounce_fini(&b);
	}
}

static void blk_bounce_fails_when_operation_fails_or_is_short(void **unused)
{
	struct iovec iov = {data, 1024};
	struct blk_bounce_op op;
	struct err e = ERR_INIT;
	struct blk_bounce b;

	(void)unused;
	assert_int_equal(blk_bounce_init(&b, 4096, &e), 0);
	b.iov = &iov;
	b.n_iov = 1;
	blk_bounce_begin(&b, false, 512, 1024);
	assert_true(blk_bounce_next(&b, &op));
	assert_int_equal(blk_bounce_done(&b, &op, -EIO), -EIO);
	assert_int_equal(blk_bounce_done(&b, &op, 1535), -EIO);
	assert_int_equal(blk_bounce_done(&b, &op, 1536), 0);
	assert_false(blk_bounce_next(&b, &op));
	blk_bounce_begin(&b, true, 512, 1024);
	assert_true(blk_bounce_next(&b, &op));
	assert_false(op.write);
	assert_int_equal(blk_bounce_done(&b, &op, 4096), 0);
	assert_true(blk_bounce_next(&b, &op));
	assert_true(op.write);
	assert_int_equal(blk_bounce_done(&b, &op, 4095), -EIO);
	blk_bounce_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blk_bounce_reads_and_writes_any_sector),
		cmocka_unit_test(blk_bounce_fails_when_operation_fails_or_is_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
