/* SPDX-License-Identifier: Apache-2.0 */
/* struct sweeper: calls sweep_shared() (memory/sweep.h) once a second, in the main thread. */
#ifndef VMM_SWEEPER_H
#define VMM_SWEEPER_H

#include "base/err.h"

struct ledger;
struct loop;
struct ram;
struct sweeper;

/* sweeper_create() - begin; ram and ledger outlive the sweeper. Return: 0 or -errno. */
int sweeper_create(struct sweeper **out, struct loop *loop, const struct ram *ram,
	struct ledger *ledger, struct err *e) MUST_CHECK;

/* sweeper_destroy() - end; NULL is allowed. */
void sweeper_destroy(struct sweeper *sweeper);

#endif
