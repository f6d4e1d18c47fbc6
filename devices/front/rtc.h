/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct rtc: the PC's real-time clock (MC146818) and its CMOS bytes, two ports: index and data.
 *
 * The time is the host's, in UTC, BCD, 24 hours; a guest can't set it. There are no alarms and no
 * periodic interrupt. An update is never in progress (UIP reads 0), so nobody waits for one; that
 * a set of reads is of one moment is seen to by a snapshot: reading the seconds or register A
 * takes it, the other time registers answer from it.
 *
 * Threads: any vCPU; a mutex of its own, taken last.
 */
#ifndef DEVICES_FRONT_RTC_H
#define DEVICES_FRONT_RTC_H

#include "devices/front/bus.h"

#include <time.h>

#define RTC_PORTS   2
#define RTC_CENTURY 0x32 /* index of the century's register, for the FADT */

struct rtc;

struct rtc_desc {
	struct bus *bus;
	uint16_t port;       /* of the index register */
	time_t (*now)(void); /* NULL: the host's clock */
};

/* rtc_create() - claim the ports. Return: 0, -errno of bus_add(), -ENOMEM. */
int rtc_create(struct rtc **out, const struct rtc_desc *desc, struct err *e) MUST_CHECK;

/* rtc_destroy() - give them back; no vCPU may be running in them. NULL is allowed. */
void rtc_destroy(struct rtc *rtc);

#endif
