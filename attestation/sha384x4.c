/* SPDX-License-Identifier: Apache-2.0 */
/* Four hashes at once; see attestation/sha384x4.h. Section numbers: FIPS 180-4. */
#include "attestation/sha384x4.h"

#include "base/attr.h"
#include "base/bytes.h"

#include <endian.h>
#include <string.h>

#define BLOCK_LEN 128
#define ROUNDS    80
#define WORDS     16
#define ON_AVX2   __attribute__((target("avx2")))
#define ALWAYS    __attribute__((always_inline))

typedef uint64_t lanes __attribute__((vector_size(8 * SHA384X4_LANES)));

/* clang-format off */
/* 4.2.3: the cube roots of the first 80 primes */
static const uint64_t constants[ROUNDS] = {
	0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc,
	0x3956c25bf348b538, 0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118,
	0xd807aa98a3030242, 0x12835b0145706fbe, 0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2,
	0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235, 0xc19bf174cf692694,
	0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
	0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5,
	0x983e5152ee66dfab, 0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4,
	0xc6e00bf33da88fc2, 0xd5a79147930aa725, 0x06ca6351e003826f, 0x142929670a0e6e70,
	0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed, 0x53380d139d95b3df,
	0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
	0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30,
	0xd192e819d6ef5218, 0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8,
	0x19a4c116b8d2d0c8, 0x1e376c085141ab53, 0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8,
	0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373, 0x682e6ff3d6b2b8a3,
	0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
	0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b,
	0xca273eceea26619c, 0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178,
	0x06f067aa72176fba, 0x0a637dc5a2c898a6, 0x113f9804bef90dae, 0x1b710b35131c471b,
	0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc, 0x431d67c49c100d4c,
	0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817,
};

/* 5.3.4: the square roots of the 9th to 16th prime */
static const uint64_t initial[8] = {
	0xcbbb9d5dc1059ed8, 0x629a292a367cd507, 0x9159015a3070dd17, 0x152fecd8f70e5939,
	0x67332667ffc00b31, 0x8eb44a8768581511, 0xdb0c2e0d64f98fa7, 0x47b5481dbefa4fa4,
};
/* clang-format on */

ON_AVX2 ALWAYS static inline lanes rotate(lanes x, int n)
{
	return x >> n | x << (64 - n);
}

/* schedule_next() - 6.4.2 step 1: word t takes the place of word t - 16. */
ON_AVX2 ALWAYS static inline void schedule_next(lanes w[WORDS], int t)
{
	lanes a = w[(t + 1) % WORDS], b = w[(t + 14) % WORDS];

	/* 4.1.3: sigma 0 and sigma 1 */
	w[t % WORDS] += (rotate(a, 1) ^ rotate(a, 8) ^ a >> 7) + w[(t + 9) % WORDS] +
		(rotate(b, 19) ^ rotate(b, 61) ^ b >> 6);
}

/* round_one() - 6.4.2 step 3 for word t; v[] turns by one place each round, so it stays put. */
ON_AVX2 ALWAYS static inline void round_one(lanes v[8], lanes word, int t)
{
	const lanes a = v[(80 - t) % 8], b = v[(81 - t) % 8], c = v[(82 - t) % 8];
	const lanes e = v[(84 - t) % 8], f = v[(85 - t) % 8], g = v[(86 - t) % 8];
	lanes *d = &v[(83 - t) % 8], *h = &v[(87 - t) % 8];
	lanes t1 = *h + (rotate(e, 14) ^ rotate(e, 18) ^ rotate(e, 41)) + (g ^ (e & (f ^ g))) +
		constants[t] + word;

	*d += t1;
	*h = t1 + (rotate(a, 28) ^ rotate(a, 34) ^ rotate(a, 39)) + ((a & b) | (c & (a | b)));
}

/* block_add() - 6.4.2: one block of each message. */
ON_AVX2 static void block_add(lanes state[8], lanes w[WORDS])
{
	lanes v[8];

	for (int i = 0; i < 8; i++)
		v[i] = state[i];
#pragma GCC unroll 16
	for (int t = 0; t < WORDS; t++)
		round_one(v, w[t], t);
	for (int group = WORDS; group < ROUNDS; group += WORDS)
#pragma GCC unroll 16
		for (int t = 0; t < WORDS; t++) {
			schedule_next(w, t);
			round_one(v, w[t], group + t);
		}
	for (int i = 0; i < 8; i++)
		state[i] += v[i];
}

/* block_load() - word i of every message, big endian, becomes w[i]. */
ON_AVX2 static void block_load(
	lanes w[WORDS], const uint8_t *const message[SHA384X4_LANES], size_t at)
{
	for (size_t i = 0; i < WORDS; i++)
		for (size_t lane = 0; lane < SHA384X4_LANES; lane++)
			w[i][lane] = htobe64(load_le64(message[lane] + at + 8 * i));
}

/* block_last() - 5.1.2: the padding of a message that ends with a block. */
ON_AVX2 static void block_last(lanes w[WORDS])
{
	memset(w, 0, WORDS * sizeof(*w));
	for (size_t lane = 0; lane < SHA384X4_LANES; lane++) {
		w[0][lane] = UINT64_C(1) << 63;
		w[WORDS - 1][lane] = 8 * SHA384X4_LEN;
	}
}

bool sha384x4_usable(void)
{
	return __builtin_cpu_supports("avx2");
}

ON_AVX2 void sha384x4_pages(
	const uint8_t *const page[SHA384X4_LANES], uint8_t out[SHA384X4_LANES][DIGEST_SHA384_LEN])
{
	lanes state[8], w[WORDS];

	for (size_t i = 0; i < 8; i++)
		for (size_t lane = 0; lane < SHA384X4_LANES; lane++)
			state[i][lane] = initial[i];
	for (size_t at = 0; at < SHA384X4_LEN; at += BLOCK_LEN) {
		block_load(w, page, at);
		block_add(state, w);
	}
	block_last(w);
	block_add(state, w);
	/* 6.5: the first six words */
	for (size_t i = 0; i < DIGEST_SHA384_LEN / 8; i++)
		for (size_t lane = 0; lane < SHA384X4_LANES; lane++)
			store_le64(out[lane] + 8 * i, htobe64(state[i][lane]));
}
