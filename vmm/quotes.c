/* SPDX-License-Identifier: Apache-2.0 */
/* Quotes for a TD; see vmm/quotes.h. */
#include "vmm/quotes.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "devices/front/courier.h"
#include "vmm/hv/tdx_abi.h"
#include "vmm/quote_socket.h"
#include "vmm/quote_wire.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>

#define STATUS_AT  8u  /* in the header */
#define OUT_LEN_AT 20u /* likewise */
#define MSI_BASE   UINT64_C(0xfee00000)
#define NOTIFY     (UINT32_C(1) << 31) /* quotes.notify: there is one; vCPU << 8, vector */

enum quote_state {
	QUOTE_FREE,
	QUOTE_ASKED,   /* a vCPU thread has filled it */
	QUOTE_SENDING, /* connecting, too */
	QUOTE_WAITING,
};

struct quote {
	struct quotes *quotes;
	enum quote_state state; /* FREE and ASKED: guarded by the lock; then the loop's thread's */
	gpa_t gpa;
	uint64_t len, end_ns;
	struct loop_source link; /* to the service */
	size_t sent, have;
	uint8_t request[QUOTE_WIRE_REQUEST_LEN];
	uint8_t answer[QUOTE_WIRE_PREFIX + QUOTES_BUFFER_MAX];
};

struct quotes {
	struct quotes_desc desc;
	struct quote_socket service;
	struct loop_source wake, timer;
	struct courier *dialer; /* NULL: whoever wants a connection makes it */
	uint32_t notify;        /* atomic */
	pthread_mutex_t lock;
	struct quote all[QUOTES_MAX];
};

/* --- the guest's side --- */

static int quote_tell(struct quotes *q, gpa_t gpa, uint64_t status)
{
	uint8_t bytes[8];

	store_le64(bytes, status);
	return guest_io_write(&q->desc.io, gpa_of(gpa.v + STATUS_AT), bytes, sizeof(bytes));
}

/* quotes_take() - Return: a free one, which others see as taken now, or NULL */
static struct quote *quotes_take(struct quotes *q)
{
	struct quote *r = NULL;

	pthread_mutex_lock(&q->lock);
	for (size_t i = 0; i < QUOTES_MAX && !r; i++)
		if (q->all[i].state == QUOTE_FREE)
			r = &q->all[i];
	if (r) /* the loop does not look at SENDING ones without a link */
		r->state = QUOTE_SENDING;
	pthread_mutex_unlock(&q->lock);
	return r;
}

static void quotes_put(struct quotes *q, struct quote *r, enum quote_state state)
{
	uint64_t one = 1;

	pthread_mutex_lock(&q->lock);
	r->state = state;
	pthread_mutex_unlock(&q->lock);
	if (state == QUOTE_ASKED && write(q->wake.fd, &one, sizeof(one)) < 0)
		return; /* full: the loop is awake */
}

/* quotes_start() - Return: the guest's answer */
static uint64_t quotes_start(struct quotes *q, gpa_t gpa, uint64_t len)
{
	struct quote *r = quotes_take(q);
	uint8_t report[QUOTE_REPORT_LEN];

	if (!r)
		return HV_TDVMCALL_RETRY;
	if (guest_io_read(&q->desc.io, gpa_of(gpa.v + QUOTE_HEADER_LEN), report, sizeof(report)) ||
		quote_tell(q, gpa, QUOTE_IN_FLIGHT)) {
		quotes_put(q, r, QUOTE_FREE);
		return HV_TDVMCALL_INVALID_OPERAND;
	}
	r->gpa = gpa;
	r->len = len;
	r->end_ns = clock_ns() + UINT64_C(1000000) * q->desc.time_limit_ms;
	r->sent = r->have = 0;
	quote_wire_request(r->request, report);
	quotes_put(q, r, QUOTE_ASKED);
	return HV_TDVMCALL_SUCCESS;
}

uint64_t quotes_ask(struct quotes *q, gpa_t gpa, uint64_t len)
{
	uint8_t header[QUOTE_HEADER_LEN];
	uint32_t in_len;

	if (!len)
		return HV_TDVMCALL_INVALID_OPERAND;
	if (!is_aligned(gpa.v, PAGE_SIZE) || !is_aligned(len, PAGE_SIZE))
		return HV_TDVMCALL_ALIGN_ERROR;
	if (len > QUOTES_BUFFER_MAX || gpa.v + len < gpa.v ||
		guest_io_read(&q->desc.io, gpa, header, sizeof(header)))
		return HV_TDVMCALL_INVALID_OPERAND;
	in_len = load_le32(header + 16);
	if (load_le64(header) != QUOTE_VERSION || in_len > len - QUOTE_HEADER_LEN)
		return HV_TDVMCALL_INVALID_OPERAND;
	if (q->desc.service && in_len == QUOTE_REPORT_LEN)
		return quotes_start(q, gpa, len);
	return quote_tell(q, gpa, q->desc.service ? QUOTE_ERROR : QUOTE_UNAVAILABLE)
		? HV_TDVMCALL_INVALID_OPERAND
		: HV_TDVMCALL_SUCCESS;
}

void quotes_notify(struct quotes *q, unsigned int vcpu, uint8_t vector)
{
	__atomic_store_n(&q->notify, NOTIFY | vcpu << 8 | vector, __ATOMIC_RELEASE);
}

/* --- the service's side: on the loop's thread --- */

/* quote_end() - the guest gets its quote, or (NULL: why) that there is none */
static void quote_end(struct quote *r, const struct bytes *quote, const char *why)
{
	struct quotes *q = r->quotes;
	uint32_t to = __atomic_load_n(&q->notify, __ATOMIC_ACQUIRE);
	uint8_t len[4];
	int rc = 0;

	loop_remove(q->desc.loop, &r->link);
	fd_drop(&r->link.fd);
	store_le32(len, quote ? (uint32_t)quote->left : 0);
	if (quote)
		rc = guest_io_write(
			&q->desc.io, gpa_of(r->gpa.v + QUOTE_HEADER_LEN), quote->at, quote->left);
	else
		log_limited(LOG_WARN, "quote", "no quote for the guest: %s", why);
	if (!rc)
		rc = guest_io_write(&q->desc.io, gpa_of(r->gpa.v + OUT_LEN_AT), len, sizeof(len));
	if (!rc)
		rc = quote_tell(q, r->gpa, quote ? QUOTE_DONE : QUOTE_ERROR);
	if (rc)
		log_limited(LOG_WARN, "quote", "the guest has taken back the memory for its quote");
	quotes_put(q, r, QUOTE_FREE);
	if (to & NOTIFY && q->desc.send(q->desc.ctx, MSI_BASE | (to & 0xff00) << 4, to & 0xff))
		log_limited(LOG_WARN, "quote", "the guest can't be told");
}

static void quote_send(struct quote *r)
{
	struct iovec iov = {r->request + r->sent, sizeof(r->request) - r->sent};
	const struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n = sendmsg(r->link.fd, &m, MSG_NOSIGNAL);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n < 0) {
		quote_end(r, NULL, "the quote service takes no request");
		return;
	}
	r->sent += (size_t)n;
	if (r->sent < sizeof(r->request))
		return;
	quotes_put(r->quotes, r, QUOTE_WAITING);
	if (loop_modify(r->quotes->desc.loop, &r->link, EPOLLIN))
		quote_end(r, NULL, "epoll");
}

static void quote_receive(struct quote *r)
{
	struct iovec iov = {r->answer + r->have, QUOTE_WIRE_PREFIX + r->len - r->have};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n = recvmsg(r->link.fd, &m, 0);
	struct bytes quote;
	int rc;

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		quote_end(r, NULL, "the quote service hung up");
		return;
	}
	r->have += (size_t)n;
	rc = quote_wire_answer(bytes_of(r->answer, r->have), r->len, &quote);
	if (!rc)
		quote_end(r, &quote, NULL);
	else if (rc != -EAGAIN)
		quote_end(r, NULL,
			rc == -EREMOTEIO ? "the quote service reports an error"
					 : "the quote service's answer makes no sense");
}

static void quote_ready(void *ctx, uint32_t events)
{
	struct quote *r = ctx;

	(void)events; /* errors come out of the calls */
	if (r->state == QUOTE_SENDING)
		quote_send(r);
	else
		quote_receive(r);
}

static void quote_dial(void *ctx)
{
	struct quote *r = ctx;

	r->link.fd = quote_socket_connect(&r->quotes->service);
}

static void quote_connect(struct quote *r)
{
	struct err e = ERR_INIT;

	quotes_put(r->quotes, r, QUOTE_SENDING);
	courier_run(r->quotes->dialer, quote_dial, r);
	if (r->link.fd < 0)
		quote_end(r, NULL, strerrordesc_np(-r->link.fd));
	else if (loop_add(r->quotes->desc.loop, &r->link, EPOLLOUT, &e))
		quote_end(r, NULL, e.text);
}

/* quotes_arm() - wake up when the first one is late */
static void quotes_arm(struct quotes *q)
{
	struct itimerspec t = {0};
	uint64_t first = 0;

	for (struct quote *r = q->all; r < q->all + QUOTES_MAX; r++)
		if (r->link.fd >= 0 && (!first || r->end_ns < first))
			first = r->end_ns;
	t.it_value.tv_sec = (time_t)(first / 1000000000);
	t.it_value.tv_nsec = (long)(first % 1000000000);
	timerfd_settime(q->timer.fd, TFD_TIMER_ABSTIME, &t, NULL);
}

static void quotes_woken(void *ctx, uint32_t events)
{
	struct quotes *q = ctx;
	uint64_t n;

	(void)events;
	if (read(q->wake.fd, &n, sizeof(n)) < 0)
		return;
	for (struct quote *r = q->all; r < q->all + QUOTES_MAX; r++) {
		bool asked;

		pthread_mutex_lock(&q->lock);
		asked = r->state == QUOTE_ASKED;
		pthread_mutex_unlock(&q->lock);
		if (asked)
			quote_connect(r);
	}
	quotes_arm(q);
}

static void quotes_late(void *ctx, uint32_t events)
{
	struct quotes *q = ctx;
	uint64_t now = clock_ns(), n;

	(void)events;
	if (read(q->timer.fd, &n, sizeof(n)) < 0)
		return;
	for (struct quote *r = q->all; r < q->all + QUOTES_MAX; r++)
		if (r->link.fd >= 0 && r->end_ns <= now)
			quote_end(r, NULL, "the quote service does not answer");
	quotes_arm(q);
}

/* --- both --- */

static int quotes_init(struct quotes *q, struct err *e)
{
	int rc = 0;

	pthread_mutex_init(&q->lock, NULL);
	q->wake = (struct loop_source){.fd = -1, .fn = quotes_woken, .ctx = q};
	q->timer = (struct loop_source){.fd = -1, .fn = quotes_late, .ctx = q};
	for (struct quote *r = q->all; r < q->all + QUOTES_MAX; r++) {
		r->quotes = q;
		r->link = (struct loop_source){.fd = -1, .fn = quote_ready, .ctx = r};
	}
	if (!q->desc.service)
		return 0;
	rc = quote_socket_parse(&q->service, q->desc.service, e);
	if (!rc)
		rc = fd_event(&q->wake.fd, e);
	if (rc)
		return rc;
	q->timer.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (q->timer.fd < 0)
		return err_sys(e, errno, "quotes");
	rc = loop_add(q->desc.loop, &q->wake, EPOLLIN, e);
	return rc ? rc : loop_add(q->desc.loop, &q->timer, EPOLLIN, e);
}

int quotes_create(struct quotes **out, const struct quotes_desc *desc, struct err *e)
{
	struct quotes *q = calloc(1, sizeof(*q));
	int rc;

	*out = NULL;
	if (!q)
		return err_sys(e, ENOMEM, "quotes");
	q->desc = *desc;
	if (!q->desc.time_limit_ms)
		q->desc.time_limit_ms = 1000 * QUOTES_SECONDS;
	rc = quotes_init(q, e);
	if (rc)
		quotes_destroy(q);
	else
		*out = q;
	return rc;
}

void quotes_dial_by(struct quotes *q, struct courier *dialer)
{
	q->dialer = dialer;
}

void quotes_destroy(struct quotes *q)
{
	if (!q)
		return;
	for (struct quote *r = q->all; r < q->all + QUOTES_MAX; r++) {
		loop_remove(q->desc.loop, &r->link);
		fd_drop(&r->link.fd);
	}
	loop_remove(q->desc.loop, &q->timer);
	loop_remove(q->desc.loop, &q->wake);
	fd_drop(&q->timer.fd);
	fd_drop(&q->wake.fd);
	courier_destroy(q->dialer);
	pthread_mutex_destroy(&q->lock);
	free(q);
}
