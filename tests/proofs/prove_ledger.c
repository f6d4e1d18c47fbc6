/* SPDX-License-Identifier: Apache-2.0 */
/* Transitions of the ledger, with PAGES pages. */
#include "tests/proofs/proof.h"

#include "memory/ledger.c"
#include "memory/ledger_map.c"

#define PAGES 8

static uint8_t bits[8]; /* the product has whole pages of them */

static unsigned int count_shared(void)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < PAGES; i++)
		n += bits[i / 8] >> (i % 8) & 1;
	return n;
}

/* some_ledger() - any state that obeys the ledger's invariants */
static void some_ledger(struct ledger *l)
{
	for (unsigned int i = 0; i < PAGES / 8; i++)
		bits[i] = nondet_u8();
	l->bits = bits;
	l->bits_len = sizeof(bits);
	l->counts.ram = PAGES * PAGE_SIZE;
	l->counts.shared = count_shared() * PAGE_SIZE;
	l->counts.budget = nondet_u64() % (PAGES + 1) * PAGE_SIZE;
	ASSUME(l->counts.shared <= l->counts.budget);
}

static bool is_shared(uint64_t page)
{
	return bits[page / 8] >> (page % 8) & 1;
}

/* A run is the first one that is to be changed, all of it, and what is left begins behind it. */
void prove_ledger_run(void)
{
	struct ledger l;
	struct ledger_locked locked = {&l};
	uint64_t first = nondet_u8() % PAGES, n = nondet_u8() % (PAGES + 1 - first),
		 in = nondet_u8();
	gpa_t gpa = gpa_of(first << PAGE_SHIFT), run;
	uint64_t len = n << PAGE_SHIFT, run_len, page;
	bool to_shared = nondet_bool(), found;

	some_ledger(&l);
	found = ledger_run(locked, to_shared, &gpa, &len, &run, &run_len);
	ASSUME(in >= first && in < first + n);
	if (!found) {
		PROVE(is_shared(in) == to_shared);
		return;
	}
	PROVE(run.v >= first << PAGE_SHIFT && run_len &&
		run.v + run_len <= (first + n) << PAGE_SHIFT);
	PROVE(gpa.v == run.v + run_len && gpa.v + len == (first + n) << PAGE_SHIFT);
	page = in << PAGE_SHIFT;
	if (page < run.v)
		PROVE(is_shared(in) == to_shared);
	else if (page < run.v + run_len)
		PROVE(is_shared(in) != to_shared);
	else if (page == gpa.v)
		PROVE(is_shared(in) == to_shared);
}

/* Setting a run changes its pages and no other one, and the count says how many are shared. */
void prove_ledger_set(void)
{
	struct ledger l;
	struct ledger_locked locked = {&l};
	uint64_t first = nondet_u8() % PAGES, n = nondet_u8() % (PAGES + 1 - first),
		 in = nondet_u8();
	bool shared = nondet_bool(), before;

	some_ledger(&l);
	for (uint64_t i = 0; i < PAGES; i++)
		ASSUME(i < first || i >= first + n || is_shared(i) != shared); /* as runs are */
	ASSUME(!shared || l.counts.shared + n * PAGE_SIZE <= l.counts.budget);
	ASSUME(in < PAGES);
	before = is_shared(in);
	ledger_set(locked, gpa_of(first << PAGE_SHIFT), n << PAGE_SHIFT, shared);
	PROVE(is_shared(in) == (in >= first && in < first + n ? shared : before));
	PROVE(l.counts.shared == count_shared() * PAGE_SIZE);
	PROVE(l.counts.shared <= l.counts.budget);
}

/* There is room if and only if sharing the private pages of the range stays within the budget. */
void prove_ledger_room(void)
{
	struct ledger l;
	struct ledger_locked locked = {&l};
	uint64_t first = nondet_u8() % PAGES, n = nondet_u8() % (PAGES + 1 - first), fresh = 0;

	some_ledger(&l);
	for (uint64_t i = 0; i < PAGES; i++)
		fresh += i >= first && i < first + n && !is_shared(i);
	PROVE(ledger_room(locked, gpa_of(first << PAGE_SHIFT), n << PAGE_SHIFT) ==
		(l.counts.shared + fresh * PAGE_SIZE <= l.counts.budget));
}

/* A device process takes a range for shared only if each of its pages is, whatever it asks. */
void prove_ledger_map_shared(void)
{
	struct ledger_map map = {.n_pages = PAGES, .bits = bits};
	gpa_t gpa = gpa_of(nondet_u64());
	uint64_t len = nondet_u64(), in = nondet_u64();

	for (unsigned int i = 0; i < PAGES / 8; i++)
		bits[i] = nondet_u8();
	if (!ledger_map_shared(&map, gpa, len))
		return;
	PROVE(len && gpa.v <= UINT64_MAX - len && gpa.v + len <= PAGES * PAGE_SIZE);
	ASSUME(in < len);
	PROVE(is_shared((gpa.v + in) >> PAGE_SHIFT));
}
