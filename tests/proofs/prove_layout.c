/* SPDX-License-Identifier: Apache-2.0 */
/* Where RAM lies: guest addresses are in a range of it, or they are not. */
#include "tests/proofs/proof.h"

#include "memory/layout.c"

int err_set(struct err *e, int code, const char *fmt, ...)
{
	(void)fmt;
	e->code = code;
	return -code;
}

static struct layout some_layout(void)
{
	struct layout l;
	struct err e;

	ASSUME(!layout_init(&l, nondet_u64(), &e));
	return l;
}

/* The ranges hold all RAM, leave the hole free, and do not overlap. */
void prove_layout_init(void)
{
	struct layout l = some_layout();
	uint64_t sum = 0;

	PROVE(l.n_ranges >= 1 && l.n_ranges <= 2 && !l.ranges[0].gpa.v);
	for (unsigned int i = 0; i < l.n_ranges; i++)
		sum += l.ranges[i].len;
	PROVE(sum == l.ram && l.ranges[0].len <= LAYOUT_HOLE_START);
	PROVE(l.n_ranges == 1 || l.ranges[1].gpa.v == LAYOUT_HOLE_END);
	PROVE(l.end.v == l.ranges[l.n_ranges - 1].gpa.v + l.ranges[l.n_ranges - 1].len);
}

/* What is contained is RAM from its first to its last byte. */
void prove_layout_contains(void)
{
	struct layout l = some_layout();
	gpa_t gpa = gpa_of(nondet_u64());
	uint64_t len = nondet_u64(), in = nondet_u64();

	if (!layout_contains(&l, gpa, len))
		return;
	PROVE(len && gpa.v <= UINT64_MAX - len && gpa.v + len <= l.end.v);
	ASSUME(in < len);
	PROVE(gpa.v + in < LAYOUT_HOLE_START || gpa.v + in >= LAYOUT_HOLE_END);
}

/* No range both contains RAM and avoids it; one that avoids it has no byte of it. */
void prove_layout_avoids(void)
{
	struct layout l = some_layout();
	gpa_t gpa = gpa_of(nondet_u64());
	uint64_t len = nondet_u64(), in = nondet_u64();

	PROVE(!layout_contains(&l, gpa, len) || !layout_avoids(&l, gpa, len));
	ASSUME(layout_avoids(&l, gpa, len) && in < len);
	PROVE(!layout_contains(&l, gpa_of(gpa.v + in), 1));
}
