/* SPDX-License-Identifier: Apache-2.0 */
/* Event logs and the registers that they replay to. */
#include "attestation/event_log.h"
#include "attestation/rtmr.h"
#include "attestation/tdx_quote.h"
#include "base/bytes.h"
#include "tests/unit/attestation/is_hex.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* SHA-384(SHA-384(zeros || SHA-384("one")) || SHA-384("two")), from another program */
static const char one_two[] = "9ab05f5f20b059df7187f2c2d7c61e2bf59482f99cf3f7a4fb8af4660b48b12f"
			      "47f1200d57a0a5f601c987071e885e31";

static uint8_t log_data[2048];
static size_t log_len;

static void put(const void *data, size_t len)
{
	memcpy(log_data + log_len, data, len);
	log_len += len;
}

static void put32(uint32_t v)
{
	put(&v, 4);
}

static void put16(uint16_t v)
{
	put(&v, 2);
}

/* begin() - write the first event; lists SHA-256 and SHA-384. */
static void begin(void)
{
	static const uint8_t zeros[20];

	memset(log_data, 0xaa, sizeof(log_data));
	log_len = 0;
	put32(0);
	put32(EVENT_NO_ACTION);
	put(zeros, 20);
	put32(37);
	put("Spec ID Event03", 16);
	put(zeros, 8);
	put32(2);
	put16(0xb);
	put16(32);
	put16(0xc);
	put16(48);
	put("", 1);
}

static void event(uint32_t index, uint32_t type, const char *text)
{
	uint8_t digest[48];
	struct err e;

	assert_int_equal(digest_of(DIGEST_SHA384, text, strlen(text), digest, &e), 0);
	put32(index);
	put32(type);
	put32(1);
	put16(0xc);
	put(digest, 48);
	put32((uint32_t)strlen(text));
	put(text, strlen(text));
}

static int replay(struct rtmr *r, struct err *e)
{
	return rtmr_replay(r, bytes_of(log_data, log_len), NULL, e);
}

static void rtmr_replays_each_register(void **state)
{
	static const uint8_t zeros[RTMR_LEN];
	struct rtmr r;
	struct err e;

	(void)state;
	begin();
	event(0, 1, "not for an RTMR");
	event(2, 0x80000003, "one");
	event(2, EVENT_NO_ACTION, "not extended");
	event(2, 0xd, "two");
	event(4, 0xd, "last");
	assert_int_equal(replay(&r, &e), 0);
	is_hex(r.value[1], RTMR_LEN, one_two);
	assert_memory_equal(r.value[0], zeros, RTMR_LEN);
	assert_memory_equal(r.value[2], zeros, RTMR_LEN);
	assert_memory_not_equal(r.value[3], zeros, RTMR_LEN);
}

static void rtmr_takes_digests_of_other_listed_algorithms(void **state)
{
	uint8_t digest[48];
	struct rtmr a, b;
	struct err e;

	(void)state;
	begin();
	event(1, 1, "one");
	assert_int_equal(replay(&a, &e), 0);
	begin();
	assert_int_equal(digest_of(DIGEST_SHA384, "one", 3, digest, &e), 0);
	put32(1);
	put32(1);
	put32(2);
	put16(0xb);
	put(digest, 32);
	put16(0xc);
	put(digest, 48);
	put32(0);
	assert_int_equal(replay(&b, &e), 0);
	assert_memory_equal(&a, &b, sizeof(a));
}

static void event_log_ends_in_three_ways(void **state)
{
	static const uint8_t zeros[100];
	struct rtmr a, b;
	struct err e;

	(void)state;
	begin();
	event(1, 1, "one");
	assert_int_equal(replay(&a, &e), 0);
	put32(UINT32_MAX);
	put("garbage", 7);
	assert_int_equal(replay(&b, &e), 0);
	assert_memory_equal(&a, &b, sizeof(a));
	for (size_t n = 1; n < sizeof(zeros); n++) {
		begin();
		event(1, 1, "one");
		put(zeros, n);
		assert_int_equal(replay(&b, &e), 0);
		assert_memory_equal(&a, &b, sizeof(a));
		if (n < 12)
			continue;
		log_data[log_len - 1] = n > 12; /* zeros that end before the log does */
		assert_int_equal(replay(&b, &e), n > 12 ? -EINVAL : 0);
	}
}

static void event_log_refuses_malformed_events(void **state)
{
	struct rtmr r;
	struct err e;

	(void)state;
	begin();
	event(5, 1, "no such register");
	assert_int_equal(replay(&r, &e), -EINVAL);
	begin();
	put32(1), put32(1), put32(1), put16(0x12), put(log_data, 48), put32(0);
	assert_int_equal(replay(&r, &e), -EINVAL); /* unlisted algorithm */
	begin();
	put32(1), put32(1), put32(1), put16(0xb), put(log_data, 32), put32(0);
	assert_int_equal(replay(&r, &e), -EINVAL); /* no SHA-384 */
	begin();
	put32(1), put32(1), put32(0), put32(0);
	assert_int_equal(replay(&r, &e), -EINVAL); /* no digest at all */
	begin();
	put32(1), put32(1), put32(UINT32_MAX), put16(0xc), put(log_data, 48), put32(0);
	assert_int_equal(replay(&r, &e), -EINVAL); /* count */
	begin();
	put32(1), put32(1), put32(2), put16(0xc), put(log_data, 48), put16(0xc), put(log_data, 48);
	put32(0);
	assert_int_equal(replay(&r, &e), -EINVAL); /* SHA-384 twice */
	begin();
	put32(1), put32(1), put32(1), put16(0xc), put(log_data, 48), put32(UINT32_MAX);
	assert_int_equal(replay(&r, &e), -EINVAL); /* data past the end */
}

static void event_log_refuses_a_bad_first_event(void **state)
{
	static const struct {
		size_t at;
		uint32_t value;
	} rows[] = {
		{4, 4},
		{28, 0},
		{28, 36},
		{28, UINT32_MAX},
		{32, 0},
		{44, 0x00323074},
		{56, 0},
		{56, 17},
		{56, UINT32_MAX},
		{64, 0x0030000d},
		{64, 0x0031000c},
		{68, 0xaaaaaaff},
	};
	struct rtmr r;
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin();
		memcpy(log_data + rows[i].at, &rows[i].value, 4);
		if (!replay(&r, &e))
			fail_msg("row %zu was accepted", i);
	}
}

static void event_log_refuses_or_replays_every_truncation(void **state)
{
	struct rtmr r;
	struct err e;

	(void)state;
	begin();
	event(1, 1, "one");
	event(2, 1, "two");
	for (size_t cut = 0; cut < log_len; cut++) {
		uint8_t *copy = malloc(cut + 1);
		int ret;

		memcpy(copy, log_data, cut);
		ret = rtmr_replay(&r, bytes_of(copy, cut), NULL, &e);
		/* after the first event, and after the second, a log may end */
		assert_int_equal(!ret, cut == 69 || cut == 69 + 69);
		free(copy);
	}
}

static void see(void *to, const struct trace_step *step)
{
	*(size_t *)to += !strcmp(step->what, "RTMR0 0x80000001") && step->len == 3;
}

static void rtmr_shows_each_event(void **state)
{
	size_t n = 0;
	const struct trace trace = {see, &n};
	struct rtmr r;
	struct err e;

	(void)state;
	begin();
	event(0, 0x80000001, "one");
	event(1, 0x80000001, "one");
	event(1, 0x80000001, "two");
	assert_int_equal(rtmr_replay(&r, bytes_of(log_data, log_len), &trace, &e), 0);
	assert_int_equal(n, 2);
}

static void rtmr_takes_the_registers_of_a_quote(void **state)
{
	uint8_t values[RTMR_COUNT][RTMR_LEN];
	struct tdx_quote quote = {.version = 4};
	struct rtmr r;

	(void)state;
	for (size_t i = 0; i < RTMR_COUNT; i++) {
		memset(values[i], (int)i + 1, RTMR_LEN);
		quote.rtmr[i] = values[i];
	}
	rtmr_of_quote(&r, &quote);
	assert_memory_equal(r.value, values, sizeof(values));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(rtmr_replays_each_register),
	cmocka_unit_test(rtmr_takes_digests_of_other_listed_algorithms),
	cmocka_unit_test(event_log_ends_in_three_ways),
	cmocka_unit_test(event_log_refuses_malformed_events),
	cmocka_unit_test(event_log_refuses_a_bad_first_event),
	cmocka_unit_test(event_log_refuses_or_replays_every_truncation),
	cmocka_unit_test(rtmr_shows_each_event),
	cmocka_unit_test(rtmr_takes_the_registers_of_a_quote),
};
UNIT_MAIN(tests)
