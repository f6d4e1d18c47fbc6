/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct quotes: a TD asks for quotes of its reports in memory that it shares (Intel, GHCI 3.3,
 * GetQuote); the monitor relays them to a quote service on the host, at a unix socket or by vsock,
 * and puts the answer into the same memory.
 *
 * Invariants:
 * 1. No vCPU waits for the service: it gets "in flight" at once, and the guest polls or takes an
 *    interrupt (SetupEventNotifyInterrupt).
 * 2. At most QUOTES_MAX are in flight, each on a connection of its own and for a limited time.
 * 3. A request is copied once. Nothing is allocated after quotes_create().
 * 4. The status is written last: a guest that sees it sees the quote.
 * Threads: vCPU threads ask; the loop's does the rest, but connecting, which one of its own does.
 */
#ifndef VMM_QUOTES_H
#define VMM_QUOTES_H

#include "base/loop.h"
#include "memory/guest_io.h"

#define QUOTES_MAX        16u
#define QUOTES_BUFFER_MAX KIB(128) /* of a guest's, header and all */
#define QUOTES_SECONDS    30u

/* The buffer's header: version, status, length of the report, length of the quote. */
#define QUOTE_HEADER_LEN  24u
#define QUOTE_VERSION     1u
#define QUOTE_DONE        UINT64_C(0)
#define QUOTE_IN_FLIGHT   UINT64_MAX
#define QUOTE_ERROR       UINT64_C(0x8000000000000000)
#define QUOTE_UNAVAILABLE UINT64_C(0x8000000000000001)

struct courier;
struct quotes;

struct quotes_desc {
	struct loop *loop;   /* outlives it, as all that follows */
	struct guest_io io;  /* the guest's memory */
	const char *service; /* path of a unix socket, or vsock:CID:PORT; NULL: there is none */
	unsigned int time_limit_ms; /* of a quote; 0: QUOTES_SECONDS */
	/* Sends an interrupt to the guest. Return: 0 or -errno. */
	int (*send)(void *ctx, uint64_t address, uint32_t data);
	void *ctx;
};

/* quotes_create() - Return: 0 or -errno, with the flag named; *out is NULL then. */
int quotes_create(struct quotes **out, const struct quotes_desc *desc, struct err *e) MUST_CHECK;

/* quotes_dial_by() - let this thread make the connections; it is the quotes' now. */
void quotes_dial_by(struct quotes *q, struct courier *dialer);

/* quotes_destroy() - forget what is in flight; no vCPU may be running. NULL is allowed. */
void quotes_destroy(struct quotes *q);

/*
 * quotes_ask() - a guest's request, unchecked. Any vCPU thread.
 * @gpa, @len: its buffer
 * Return: the guest's answer, HV_TDVMCALL_* (vmm/hv/tdx_abi.h).
 */
uint64_t quotes_ask(struct quotes *q, gpa_t gpa, uint64_t len);

/* quotes_notify() - from now on this interrupt of a vCPU tells that a quote is there. */
void quotes_notify(struct quotes *q, unsigned int vcpu, uint8_t vector);

#endif
