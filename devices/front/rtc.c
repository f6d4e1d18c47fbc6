/* SPDX-License-Identifier: Apache-2.0 */
/* The CMOS clock; see devices/front/rtc.h. Register numbers are those of the MC146818 data sheet.
 */
#include "devices/front/rtc.h"

#include <errno.h>
#include <pthread.h>

#define CMOS_BYTES 128

enum {
	REG_SECONDS = 0,
	REG_MINUTES = 2,
	REG_HOURS = 4,
	REG_WEEKDAY = 6,
	REG_DAY = 7,
	REG_MONTH = 8,
	REG_YEAR = 9,
	REG_A = 10,
	REG_B = 11,
	REG_C = 12,
	REG_D = 13,
};

#define A_32KHZ 0x26 /* 32768 Hz time base, UIP clear */
#define B_24H   0x02 /* 24 hours, BCD, no interrupts */
#define D_VALID 0x80 /* the battery is good */

struct rtc {
	struct rtc_desc desc;
	struct bus_region region;
	pthread_mutex_t lock;
	uint8_t index;
	struct tm taken;          /* the snapshot */
	uint8_t cmos[CMOS_BYTES]; /* registers that are mere memory */
};

static time_t host_now(void)
{
	return time(NULL);
}

static void take(struct rtc *r)
{
	time_t now = r->desc.now();

	gmtime_r(&now, &r->taken);
}

static uint8_t bcd(int v)
{
	return (uint8_t)(v / 10 % 10 << 4 | v % 10);
}

static uint8_t read_time(const struct tm *tm, uint8_t reg)
{
	switch (reg) {
	case REG_SECONDS:
		return bcd(tm->tm_sec);
	case REG_MINUTES:
		return bcd(tm->tm_min);
	case REG_HOURS:
		return bcd(tm->tm_hour);
	case REG_WEEKDAY:
		return bcd(tm->tm_wday + 1);
	case REG_DAY:
		return bcd(tm->tm_mday);
	case REG_MONTH:
		return bcd(tm->tm_mon + 1);
	case REG_YEAR:
		return bcd(tm->tm_year % 100);
	default:
		return bcd((tm->tm_year + 1900) / 100);
	}
}

static uint8_t read_reg(struct rtc *r, uint8_t reg)
{
	switch (reg) {
	case REG_A:
		take(r);
		return A_32KHZ;
	case REG_B:
		return B_24H;
	case REG_C:
		return 0;
	case REG_D:
		return D_VALID;
	case REG_SECONDS:
		take(r);
		return read_time(&r->taken, reg);
	case REG_MINUTES:
	case REG_HOURS:
	case REG_WEEKDAY:
	case REG_DAY:
	case REG_MONTH:
	case REG_YEAR:
	case RTC_CENTURY:
		return read_time(&r->taken, reg);
	default:
		return r->cmos[reg];
	}
}

/* The index register can't be read back: all ones, as on a PC. */
static uint64_t rtc_read(void *ctx, uint64_t off, unsigned int len)
{
	struct rtc *r = ctx;
	uint64_t value = UINT64_MAX;

	if (off != 1 || len != 1)
		return value;
	pthread_mutex_lock(&r->lock);
	value = read_reg(r, r->index);
	pthread_mutex_unlock(&r->lock);
	return value;
}

static void rtc_write(void *ctx, uint64_t off, unsigned int len, uint64_t value)
{
	struct rtc *r = ctx;

	if (len != 1)
		return;
	pthread_mutex_lock(&r->lock);
	if (off == 0)
		r->index = value % CMOS_BYTES; /* bit 7 is the NMI mask: not wired */
	else
		r->cmos[r->index] = (uint8_t)value;
	pthread_mutex_unlock(&r->lock);
}

static const struct bus_ops rtc_ops = {.read = rtc_read, .write = rtc_write};

int rtc_create(struct rtc **out, const struct rtc_desc *desc, struct err *e)
{
	cleanup_free struct rtc *r = calloc(1, sizeof(*r));

	*out = NULL;
	if (!r)
		return err_sys(e, ENOMEM, "rtc");
	r->desc = *desc;
	if (!r->desc.now)
		r->desc.now = host_now;
	take(r);
	pthread_mutex_init(&r->lock, NULL);
	r->region = (struct bus_region){
		.space = BUS_PORT, .base = desc->port, .len = RTC_PORTS, .ops = &rtc_ops, .ctx = r};
	if (bus_add(desc->bus, &r->region, e))
		return err_context(e, "rtc");
	*out = take_ptr(r);
	return 0;
}

void rtc_destroy(struct rtc *rtc)
{
	if (!rtc)
		return;
	bus_remove(rtc->desc.bus, &rtc->region);
	pthread_mutex_destroy(&rtc->lock);
	free(rtc);
}
