/* SPDX-License-Identifier: Apache-2.0 */
/* Range checks, alignment and bounded readers. */
#include "tests/proofs/proof.h"

#include "base/bytes.c"
#include "memory/gpa.h"

__extension__ typedef unsigned __int128 wide;

/* range_in() is what it would be with numbers that never overflow. */
void prove_range_in(void)
{
	uint64_t start = nondet_u64(), len = nondet_u64(), limit = nondet_u64();

	PROVE(range_in(start, len, limit) == ((wide)start + len <= limit));
}

void prove_align(void)
{
	unsigned int shift = nondet_u8() % 64;
	uint64_t align = UINT64_C(1) << shift, v = nondet_u64(), down = align_down(v, align);

	PROVE(is_aligned(down, align) && down <= v && v - down < align);
	ASSUME(v <= UINT64_MAX - align);
	PROVE(is_aligned(align_up(v, align), align) && align_up(v, align) >= v);
	PROVE(align_up(v, align) - v < align);
}

/* gpa_end() refuses just what wraps. */
void prove_gpa_end(void)
{
	gpa_t a = gpa_of(nondet_u64()), end;
	uint64_t len = nondet_u64();

	if (gpa_end(a, len, &end))
		PROVE((wide)a.v + len == end.v);
	else
		PROVE((wide)a.v + len > UINT64_MAX);
}

/* Whatever is sliced and taken, no reader leaves its buffer, and failure is for ever. */
void prove_bytes(void)
{
	static const uint8_t buffer[16];
	size_t len = nondet_u8() % 17, want = nondet_u64();
	struct bytes all = bytes_of(buffer, len);
	struct bytes part = bytes_slice(&all, nondet_u64(), nondet_u64());
	const uint8_t *p;

	if (!part.failed)
		PROVE(part.at >= buffer && part.at + part.left <= buffer + len);
	p = bytes_take(&part, want);
	PROVE(!p == part.failed);
	if (p)
		PROVE(p >= buffer && p + want <= buffer + len && part.at == p + want);
	if (part.failed)
		PROVE(!part.left && !bytes_take(&part, 1) && bytes_u32(&part) == 0);
}
