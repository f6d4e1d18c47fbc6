/* SPDX-License-Identifier: Apache-2.0 */
#include "devices/back/queue_stats.h"

#include "base/attr.h"
#include "tests/unit/unit.h"

#include <string.h>

static void counters_bucket_is_power_of_two_microseconds(void **state)
{
	static const struct {
		uint64_t ns;
		unsigned int bucket;
	} rows[] = {
		{0, 0},
		{999, 0},
		{1000, 1},
		{1999, 1},
		{2000, 2},
		{3999, 2},
		{4000, 3},
		{1000000, 10}, /* 1,000 us */
		{4194303999, 22},
		{4194304000, 23}, /* 2^22 us, the last */
		{UINT64_MAX, 23},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(counters_bucket(rows[i].ns), rows[i].bucket);
}

static void queue_stats_counts_request_with_its_latency(void **state)
{
	static struct device_counters page;
	static struct queue_stats s;
	uint64_t sum = 0;

	(void)state;
	memset(&page, 0, sizeof(page));
	s = (struct queue_stats){.counters = &page.queues[3]};
	queue_stats_take(&s, 7);
	queue_stats_finish(&s, 7);
	for (unsigned int i = 0; i < COUNTERS_BUCKETS; i++)
		sum += page.queues[3].latency[i];
	assert_int_equal(page.queues[3].requests, 1);
	assert_int_equal(sum, 1);
	assert_int_equal(page.queues[2].requests, 0);
}

static void queue_stats_counts_no_latency_when_chain_was_taken_elsewhere(void **state)
{
	static struct device_counters page;
	static struct queue_stats s;

	(void)state;
	memset(&page, 0, sizeof(page));
	s = (struct queue_stats){.counters = &page.queues[0]};
	queue_stats_finish(&s, 7);
	assert_int_equal(page.queues[0].requests, 1);
	assert_int_equal(page.queues[0].latency_ns, 0);
	assert_int_equal(page.queues[0].latency[0], 0);
}

static void queue_stats_tells_data_by_direction(void **state)
{
	static struct device_counters page;
	static struct queue_stats s;

	(void)state;
	memset(&page, 0, sizeof(page));
	s = (struct queue_stats){.counters = &page.queues[0]};
	queue_stats_move(&s, true, 512);
	queue_stats_move(&s, false, 4096);
	queue_stats_move(&s, false, 1);
	queue_stats_error(&s);
	queue_stats_refuse(&s);
	queue_stats_call(&s);
	assert_int_equal(page.queues[0].out_ops, 1);
	assert_int_equal(page.queues[0].out_bytes, 512);
	assert_int_equal(page.queues[0].in_ops, 2);
	assert_int_equal(page.queues[0].in_bytes, 4097);
	assert_int_equal(page.queues[0].errors, 1);
	assert_int_equal(page.queues[0].refused, 1);
	assert_int_equal(page.queues[0].calls, 1);
}

static void queue_stats_does_nothing_without_area(void **state)
{
	(void)state;
	queue_stats_take(NULL, 0);
	queue_stats_finish(NULL, 0);
	queue_stats_move(NULL, true, 1);
	queue_stats_error(NULL);
	queue_stats_refuse(NULL);
	queue_stats_call(NULL);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(counters_bucket_is_power_of_two_microseconds),
	cmocka_unit_test(queue_stats_counts_request_with_its_latency),
	cmocka_unit_test(queue_stats_counts_no_latency_when_chain_was_taken_elsewhere),
	cmocka_unit_test(queue_stats_tells_data_by_direction),
	cmocka_unit_test(queue_stats_does_nothing_without_area),
};
UNIT_MAIN(tests)
