/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct outlet: the host's end of a serial port or console whose stream goes to a new
 * pseudoterminal or to the client of a unix socket.
 *
 * Invariants:
 * 1. The guest never waits for a client: of what nobody has read yet, a socket keeps the last
 *    OUTLET_KEPT bytes, for a slow client as for the next one; a pseudoterminal keeps what the
 *    kernel does.
 * 2. One client at a time; another one is turned away, and may come when the first has gone.
 * Threads: the loop's.
 */
#ifndef VMM_OUTLET_H
#define VMM_OUTLET_H

#include "base/loop.h"
#include "vmm/stream.h"

#define OUTLET_KEPT 65536u

struct outlet;

/*
 * outlet_create() - open what the stream's mode asks for; *out is NULL for modes that need nothing
 * of the kind.
 * @flag: "serial" or "console", for messages; @loop: outlives the outlet
 * Return: 0 or -errno, with flag and path named.
 */
int outlet_create(struct outlet **out, const char *flag, const struct stream_config *c,
	struct loop *loop, struct err *e) MUST_CHECK;

/* outlet_destroy() - hand over what the client takes at once, and close. NULL is allowed. */
void outlet_destroy(struct outlet *outlet);

/* outlet_fd() - Return: what guest output is written to and input read from, non-blocking, the
 * outlet's; -1 for NULL.
 */
int outlet_fd(const struct outlet *outlet);

/* outlet_terminal() - Return: path of the pseudoterminal, the outlet's; NULL: it is none. */
const char *outlet_terminal(const struct outlet *outlet);

#endif
