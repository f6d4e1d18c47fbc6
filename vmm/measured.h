/* SPDX-License-Identifier: Apache-2.0 */
/* What a running VM was launched with, as JSON: GET vm.measurement. */
#ifndef VMM_MEASURED_H
#define VMM_MEASURED_H

#include <jansson.h>

struct vm;

/*
 * measured_json() - digest, what went into it, and what a report says beside it (docs/api.md).
 * Main thread; a VM at a level that is attested. Return: a new reference.
 */
json_t *measured_json(const struct vm *vm);

#endif
