/* SPDX-License-Identifier: Apache-2.0 */
/* Dates as seconds; see attestation/utc.h. The Gregorian calendar, before its beginning too. */
#include "attestation/utc.h"

#include <errno.h>
#include <stdbool.h>

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* days_before() - days from 0001-01-01 to the first day of a year. */
static int64_t days_before(int year)
{
	int64_t y = year - 1;

	return 365 * y + y / 4 - y / 100 + y / 400;
}

int utc_epoch(const struct utc *t, int64_t *out)
{
	static const int month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int64_t days;
	int last;

	if (t->year < 1 || t->year > 9999 || t->month < 1 || t->month > 12)
		return -EINVAL;
	last = month_days[t->month - 1] + (t->month == 2 && is_leap(t->year));
	if (t->day < 1 || t->day > last || t->hour < 0 || t->hour > 23 || t->minute < 0 ||
		t->minute > 59 || t->second < 0 || t->second > 59)
		return -EINVAL;
	days = days_before(t->year) - days_before(1970) + t->day - 1;
	for (int m = 1; m < t->month; m++)
		days += month_days[m - 1] + (m == 2 && is_leap(t->year));
	*out = ((days * 24 + t->hour) * 60 + t->minute) * 60 + t->second;
	return 0;
}
