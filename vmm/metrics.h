/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that is counted of a VM, in the two forms that clients read: an object of objects of
 * integers (vm.counters, as cloud-hypervisor has it) and Prometheus' text format (GET /metrics).
 * Counting costs relaxed stores where things happen; all adding up is done here. What device
 * processes count is shown as it is and used for nothing else. Main thread.
 */
#ifndef VMM_METRICS_H
#define VMM_METRICS_H

#include <jansson.h>

struct vm;

/* metrics_json() - Return: a new reference: vcpu0, ..., memory, launch, and each device by its id.
 */
json_t *metrics_json(struct vm *vm);

/*
 * metrics_text() - in Prometheus' text format, version 0.0.4.
 * @vm: NULL: there is none that is up
 * @state: of the VM, as vm.info says it
 * Return: an allocated string, or NULL.
 */
char *metrics_text(struct vm *vm, const char *state);

#endif
