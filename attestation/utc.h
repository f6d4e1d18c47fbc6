/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A date and time in UTC as seconds since 1970. Pure, unlike timegm(3), which reads the zone of the
 * machine and counts leap seconds where that zone does.
 */
#ifndef ATTESTATION_UTC_H
#define ATTESTATION_UTC_H

#include "base/attr.h"

#include <stdint.h>

struct utc {
	int year, month, day; /* 1 to 9999, 1 to 12, 1 to 31 */
	int hour, minute, second;
};

/* utc_epoch() - Return: 0 and the seconds in *out, or -EINVAL if there is no such time. */
int utc_epoch(const struct utc *t, int64_t *out) MUST_CHECK;

#endif
