/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages of a quote service (Intel's QGS): a length, big-endian, then a message whose numbers are
 * little-endian. Intel, Quote Generation Service, qgs_msg_lib.h. Pure.
 */
#ifndef VMM_QUOTE_WIRE_H
#define VMM_QUOTE_WIRE_H

#include "base/bytes.h"

#define QUOTE_REPORT_LEN       1024u /* a TDREPORT */
#define QUOTE_WIRE_PREFIX      4u
#define QUOTE_WIRE_HEAD        24u /* of a message, with the sizes behind its header */
#define QUOTE_WIRE_REQUEST_LEN (QUOTE_WIRE_PREFIX + QUOTE_WIRE_HEAD + QUOTE_REPORT_LEN)

/* quote_wire_request() - ask for the quote of a report. */
void quote_wire_request(
	uint8_t out[QUOTE_WIRE_REQUEST_LEN], const uint8_t report[QUOTE_REPORT_LEN]);

/*
 * quote_wire_answer() - look for a whole answer in what has come so far.
 * @room: most bytes that the message, without its prefix, may have
 * @quote: points into the input
 * Return: 0; -EAGAIN if more has to come; -EPROTO for anything but an answer with a quote;
 * -EREMOTEIO if the service names an error.
 */
int quote_wire_answer(struct bytes have, size_t room, struct bytes *quote);

#endif
