/* SPDX-License-Identifier: Apache-2.0 */
/* RTMRs; see attestation/rtmr.h. */
#include "attestation/rtmr.h"

#include "attestation/event_log.h"
#include "attestation/tdx_quote.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

_Static_assert(RTMR_COUNT == TDX_QUOTE_RTMRS, "registers of a quote");

/* rtmr_show() - tell the trace about an event that extended a register. */
static void rtmr_show(const struct trace *trace, const struct event *event, const uint8_t *running)
{
	char what[32];

	snprintf(what, sizeof(what), "RTMR%u %#x", event->index - 1, event->type);
	trace->step(trace->to,
		&(struct trace_step){
			.what = what,
			.gpa = gpa_of(TRACE_NO_GPA),
			.len = event->data.left,
			.contents = event->digest,
			.running = running,
			.digest_len = RTMR_LEN,
		});
}

/* rtmr_extend() - TDG.MR.RTMR.EXTEND: RTMR = SHA-384(RTMR || digest) */
static int rtmr_extend(
	struct rtmr *r, struct digest *hash, const struct event *event, struct err *e)
{
	uint8_t *value;

	/* TDX virtual firmware design guide 8.1: event index 0 is MRTD, 1 to 4 are the RTMRs */
	if (event->type == EVENT_NO_ACTION || !event->index)
		return 0;
	if (event->index > RTMR_COUNT)
		return err_set(e, EINVAL, "event log: no register %u", event->index);
	value = r->value[event->index - 1];
	digest_update(hash, value, RTMR_LEN);
	digest_update(hash, event->digest, RTMR_LEN);
	return digest_final(hash, value, e);
}

int rtmr_replay(struct rtmr *r, struct bytes log, const struct trace *trace, struct err *e)
{
	cleanup_digest struct digest hash = DIGEST_INIT;
	struct event_log l;
	struct event event;
	int ret = event_log_start(&l, log, e);

	memset(r, 0, sizeof(*r));
	if (!ret)
		ret = digest_init(&hash, DIGEST_SHA384, e);
	if (ret)
		return ret;
	while ((ret = event_log_next(&l, &event, e)) > 0) {
		ret = rtmr_extend(r, &hash, &event, e);
		if (ret)
			return ret;
		if (trace && event.index && event.type != EVENT_NO_ACTION)
			rtmr_show(trace, &event, r->value[event.index - 1]);
	}
	return ret;
}

void rtmr_of_quote(struct rtmr *r, const struct tdx_quote *quote)
{
	for (size_t i = 0; i < RTMR_COUNT; i++)
		memcpy(r->value[i], quote->rtmr[i], RTMR_LEN);
}
