/* SPDX-License-Identifier: Apache-2.0 */
/* RTMRs; see attestation/rtmr.h. */
#include "attestation/rtmr.h"

#include "attestation/event_log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define QUOTE_HEADER_LEN 48
#define QUOTE_TEE_TDX    0x81
#define BODY_TD_10       2 /* version 5: TD report of TDX 1.0 */
#define BODY_TD_15       3
#define BODY_TD_10_LEN   584
#define BODY_TD_15_LEN   648
#define BODY_RTMR        328 /* offset of RTMR0 */

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

int rtmr_of_quote(struct rtmr *r, struct bytes quote, struct err *e)
{
	struct bytes body = quote;
	uint16_t version = bytes_u16(&body), type = 0;
	uint32_t tee, len = BODY_TD_10_LEN;

	bytes_u16(&body); /* type of the attestation key */
	tee = bytes_u32(&body);
	bytes_take(&body, QUOTE_HEADER_LEN - 8);
	if (version == 5) { /* Intel DCAP quote format, version 5: the body says what it is */
		type = bytes_u16(&body);
		len = bytes_u32(&body);
	}
	if (body.failed || (version != 4 && version != 5) || tee != QUOTE_TEE_TDX)
		return err_set(e, EINVAL, "not a TDX quote of version 4 or 5");
	if (version == 5 && !(type == BODY_TD_10 && len == BODY_TD_10_LEN) &&
		!(type == BODY_TD_15 && len == BODY_TD_15_LEN))
		return err_set(e, EINVAL, "the quote's body is not that of a TD");
	body = bytes_slice(&body, 0, len);
	bytes_take(&body, BODY_RTMR);
	bytes_copy(&body, r->value, sizeof(r->value));
	return body.failed ? err_set(e, EINVAL, "the quote is cut") : 0;
}
