/* SPDX-License-Identifier: Apache-2.0 */
/* `cloister ctl top`: what a VM does, second by second. */
#ifndef VMM_CLI_TOP_H
#define VMM_CLI_TOP_H

#include "base/err.h"

/*
 * top_run() - ask the daemon again and again and print rates: vCPU exits, conversions, shared
 * memory. A terminal is redrawn, else the tables follow each other.
 * @rounds: how many tables; 0: until interrupted
 * Return: 0, or -errno: no daemon, or no VM that is up.
 */
int top_run(const char *socket, unsigned int rounds, struct err *e) MUST_CHECK;

#endif
