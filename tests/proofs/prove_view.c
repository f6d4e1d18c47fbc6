/* SPDX-License-Identifier: Apache-2.0 */
/* Translation of addresses in device processes, with REGIONS regions that may lie anywhere. */
#include "tests/proofs/proof.h"

#include "memory/view.c"

#define REGIONS 2

static uint8_t memory[REGIONS][1];
static bool refused;

int err_set(struct err *e, int code, const char *fmt, ...)
{
	(void)fmt;
	e->code = code;
	return -code;
}

bool ledger_map_shared(const struct ledger_map *map, gpa_t gpa, uint64_t len)
{
	(void)map, (void)gpa;
	return len && !refused;
}

/* some_view() - regions that view_check() has let in; host addresses are only counted with */
static void some_view(struct view *v)
{
	struct err e;

	v->has_ledger = nondet_bool();
	v->n_regions = 0;
	refused = nondet_bool();
	for (unsigned int i = 0; i < REGIONS; i++) {
		struct view_spec s = {nondet_u64(), nondet_u64(), nondet_u64(), nondet_u64()};

		ASSUME(!view_check(v, &s, &e));
		v->regions[v->n_regions++] = (struct view_region){.gpa = gpa_of(s.gpa),
			.size = s.size,
			.user_addr = s.user_addr,
			.host = memory[i]};
	}
}

/* Regions that were let in overlap nowhere, and none of them wraps. */
void prove_view_check(void)
{
	struct view v;
	uint64_t at = nondet_u64();
	unsigned int in = 0;

	some_view(&v);
	for (unsigned int i = 0; i < v.n_regions; i++) {
		PROVE(v.regions[i].gpa.v <= UINT64_MAX - v.regions[i].size);
		in += at >= v.regions[i].gpa.v && at - v.regions[i].gpa.v < v.regions[i].size;
	}
	PROVE(in <= 1);
}

/* A front end's range becomes guest memory of one region, from its first to its last byte. */
void prove_view_from_user(void)
{
	struct view v;
	uint64_t addr = nondet_u64(), len = nondet_u64();
	gpa_t gpa;
	bool fits = false;

	some_view(&v);
	if (view_from_user(&v, addr, len, &gpa))
		return;
	for (unsigned int i = 0; i < v.n_regions; i++)
		fits |= gpa.v >= v.regions[i].gpa.v &&
			range_in(gpa.v - v.regions[i].gpa.v, len, v.regions[i].size);
	PROVE(fits);
}

/* No buffer is resolved that the ledger does not let pass; all entries together are its length. */
void prove_view_iov(void)
{
	struct view v;
	struct iovec iov[REGIONS];
	uint64_t len = nondet_u64(), sum = 0;
	int n;

	some_view(&v);
	n = view_iov(&v, gpa_of(nondet_u64()), len, iov, nondet_u8() % (REGIONS + 1));
	PROVE(n != 0 && n <= REGIONS);
	if (n < 0)
		return;
	PROVE(!v.has_ledger || !refused);
	for (int i = 0; i < n; i++)
		sum += iov[i].iov_len;
	PROVE(sum == len);
}
