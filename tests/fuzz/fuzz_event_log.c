/* SPDX-License-Identifier: Apache-2.0 */
/* rtmr_replay() on event logs. */
#include "attestation/event_log.h"

#include "attestation/rtmr.h"
#include "tests/fuzz/fuzz.h"

#include <assert.h>

static void fuzz_events(const uint8_t *data, size_t len)
{
	struct event_log l;
	struct event event;
	struct err e = ERR_INIT;
	size_t left;

	if (event_log_start(&l, bytes_of(data, len), &e))
		return;
	left = l.left.left;
	while (event_log_next(&l, &event, &e) > 0) {
		assert(l.left.left < left); /* it gets on, so it ends */
		left = l.left.left;
		assert(event.digest >= data && event.digest + 48 <= data + len);
		assert(event.data.at >= data && event.data.at + event.data.left <= data + len);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct rtmr r;
	struct err e = ERR_INIT;

	fuzz_events(data, len);
	if (rtmr_replay(&r, bytes_of(data, len), NULL, &e))
		assert(e.code && e.text[0]);
	return 0;
}
