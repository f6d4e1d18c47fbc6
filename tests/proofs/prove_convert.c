/* SPDX-License-Identifier: Apache-2.0 */
/* convert(), for whatever a guest asks for: on PAGES pages above the first MiB. */
#include "tests/proofs/proof.h"

#include "memory/convert.c"
#include "memory/ledger.c"

#define FIRST (LAYOUT_LOW_LEN >> PAGE_SHIFT)
#define PAGES 4

static uint8_t bits[(FIRST + PAGES) / 8 + 8];
static unsigned int discards;
static bool refuses;

bool layout_contains(const struct layout *layout, gpa_t gpa, uint64_t len)
{
	gpa_t end;

	(void)layout;
	return len && gpa_end(gpa, len, &end) && end.v <= (FIRST + PAGES) << PAGE_SHIFT;
}

bool layout_avoids(const struct layout *layout, gpa_t gpa, uint64_t len)
{
	(void)layout, (void)gpa, (void)len;
	return false;
}

void log_line(enum log_level level, const char *tag, const char *fmt, ...)
{
	(void)level, (void)tag, (void)fmt;
}

uint64_t log_limit_pass(struct log_limit *limit)
{
	(void)limit;
	return 0;
}

static bool is_shared(uint64_t page)
{
	return bits[page / 8] >> (page % 8) & 1;
}

static int op_set_private(void *ctx, gpa_t gpa, uint64_t len, bool private)
{
	(void)ctx, (void)private;
	PROVE(len && gpa.v >= LAYOUT_LOW_LEN && gpa.v + len <= (FIRST + PAGES) << PAGE_SHIFT);
	return refuses ? -EIO : 0;
}

/* What is discarded is, to devices, private at that moment. */
static int op_discard(void *ctx, gpa_t gpa, uint64_t len, bool private_side)
{
	uint64_t in = nondet_u8();

	(void)ctx, (void)private_side;
	ASSUME(in < len >> PAGE_SHIFT);
	PROVE(!is_shared((gpa.v >> PAGE_SHIFT) + in));
	discards++;
	return 0;
}

void prove_convert(void)
{
	static const struct convert_ops ops = {op_set_private, op_discard};
	struct ledger l = {.bits = bits, .bits_len = sizeof(bits)};
	struct converter c = {.ledger = &l, .ops = &ops};
	uint64_t gpa = nondet_u64(), len = nondet_u64(), in = nondet_u8(), before = 0, after = 0;
	bool to_shared = nondet_bool(), was;
	int rc;

	bits[FIRST / 8] = nondet_u8();
	refuses = nondet_bool();
	for (uint64_t i = 0; i < PAGES; i++)
		before += is_shared(FIRST + i);
	l.counts.shared = before * PAGE_SIZE;
	l.counts.budget = nondet_u8() % (PAGES + 1) * PAGE_SIZE;
	ASSUME(l.counts.shared <= l.counts.budget && in < PAGES);
	ASSUME(gpa >= LAYOUT_LOW_LEN); /* the first MiB: tests/unit/memory/test_convert.c */
	was = is_shared(FIRST + in);
	rc = convert(&c, gpa_of(gpa), len, to_shared);
	for (uint64_t i = 0; i < PAGES; i++)
		after += is_shared(FIRST + i);
	PROVE(l.counts.shared == after * PAGE_SIZE && l.counts.shared <= l.counts.budget);
	if (rc == -EINVAL || rc == -ENOSPC || (rc && refuses))
		PROVE(before == after && is_shared(FIRST + in) == was && !discards);
	if (!rc)
		PROVE(is_shared(FIRST + in) ==
			(((FIRST + in) << PAGE_SHIFT) - gpa < len ? to_shared : was));
}
