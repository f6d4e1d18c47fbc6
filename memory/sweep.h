/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeping one copy of memory: a guest with two aliases can touch the shared one of a page that it
 * never shared, and so make the host hold the page twice. No device sees such pages. The sweep
 * frees them; it is called regularly (vmm/sweeper.h), so that the excess is short-lived.
 */
#ifndef MEMORY_SWEEP_H
#define MEMORY_SWEEP_H

#include <stdint.h>

struct ledger;
struct ram;

/*
 * sweep_shared() - free pages of the shared object that the ledger calls private, if the object has
 * grown by more than slack bytes beyond what is shared. Linux touches up to 2 MiB of its own before
 * it announces them, so slack should be larger. Any thread.
 * Return: bytes freed, 0 if there was no need, or -errno.
 */
int64_t sweep_shared(const struct ram *ram, struct ledger *ledger, uint64_t slack);

#endif
