/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RTMRs: a TD's four runtime measurement registers, replayed from its event log, and as a quote
 * states them. Intel TDX module specification (348549), "RTMR: run-time measurement registers".
 */
#ifndef ATTESTATION_RTMR_H
#define ATTESTATION_RTMR_H

#include "attestation/digest.h"
#include "attestation/trace.h"
#include "base/bytes.h"

#define RTMR_COUNT 4
#define RTMR_LEN   DIGEST_SHA384_LEN

struct rtmr {
	uint8_t value[RTMR_COUNT][RTMR_LEN];
};

/*
 * rtmr_replay() - the registers after all events of a log.
 * @trace: sees each event that extends a register; NULL if nobody looks
 * Return: 0, -EINVAL for a malformed log, -ENOMEM, -EIO.
 */
int rtmr_replay(
	struct rtmr *r, struct bytes log, const struct trace *trace, struct err *e) MUST_CHECK;

struct tdx_quote;

/* rtmr_of_quote() - the registers in a TD quote, which need not be genuine. */
void rtmr_of_quote(struct rtmr *r, const struct tdx_quote *quote);

#endif
