/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON report of a VM: level, ledger, resident memory, devices, times; `run --report`. */
#ifndef VMM_REPORT_H
#define VMM_REPORT_H

#include "base/err.h"

#include <jansson.h>

struct vm;

/*
 * report_write() - write the report to a file, whole or not at all (a new file is renamed over it);
 * a pipe, terminal or device is written to.
 * Main thread. Return: 0 or -errno.
 */
int report_write(struct vm *vm, const char *path, struct err *e) MUST_CHECK;

/*
 * report_probe() - before the VM runs: can a report be written there? Leaves nothing behind.
 * Return: 0 or -errno.
 */
int report_probe(const char *path, struct err *e) MUST_CHECK;

/* report_ledger() - Return: the ledger's figures, a new reference. Main thread. */
json_t *report_ledger(struct vm *vm);

#endif
