/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct event_log: the CC event log (CCEL) that TD firmware keeps, event by event.
 *
 * Format: TCG PC Client platform firmware profile, section 10 "event logging", crypto-agile form,
 * with SHA-384 digests. The log comes from the guest and is hostile until a replay of it equals
 * signed registers.
 */
#ifndef ATTESTATION_EVENT_LOG_H
#define ATTESTATION_EVENT_LOG_H

#include "base/bytes.h"
#include "base/err.h"

#define EVENT_LOG_ALGORITHMS 16
#define EVENT_LOG_MAX        (64u << 20) /* bytes; real ones have up to 256 KiB */
#define EVENT_NO_ACTION      3           /* information only, never extended */

struct event_log {
	struct bytes left;
	struct {
		uint16_t id, size; /* TPM_ALG_ID, bytes of its digest */
	} algorithms[EVENT_LOG_ALGORITHMS];
	size_t n_algorithms;
};

struct event {
	uint32_t index; /* 0: MRTD, 1 to 4: RTMR0 to RTMR3 */
	uint32_t type;
	const uint8_t *digest; /* SHA-384, in the log */
	struct bytes data;
};

/*
 * event_log_start() - read the first event, which says what digests the others carry.
 * @log: stays the caller's and must outlive its use
 * Return: 0 or -EINVAL.
 */
int event_log_start(struct event_log *l, struct bytes log, struct err *e) MUST_CHECK;

/*
 * event_log_next() - read one more event.
 * Return: 1 with an event; 0 at the end of the log, which is the end of the bytes, 0xffffffff, or
 * zeros up to the end; -EINVAL.
 */
int event_log_next(struct event_log *l, struct event *event, struct err *e) MUST_CHECK;

#endif
