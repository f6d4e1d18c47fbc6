/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vCPUs that come to a VM that is up, and go. The guest learns of them by ACPI; what it does is its
 * own business. A vCPU that has gone keeps its place in KVM, which can't give it back, and is used
 * again for the next one that comes. Main thread.
 */
#ifndef VMM_VCPU_PLUG_H
#define VMM_VCPU_PLUG_H

#include "base/err.h"
#include "vmm/hv/vm_type.h"

#include <stdbool.h>

struct vm;
struct vm_config;

/* vcpu_plug_most() - Return: how many vCPUs a VM of a config can have at a level. */
unsigned int vcpu_plug_most(const struct vm_config *c, enum level level);

/* vcpu_plug_can() - can vCPUs come and go? For a VM whose level is known. */
bool vcpu_plug_can(const struct vm *vm);

/* vcpu_plug_count() - Return: how many are there, without those that are asked to go. */
unsigned int vcpu_plug_count(const struct vm *vm);

/*
 * vcpu_plug_resize() - have n vCPUs, 1 to vcpu_plug_most(). More are there when it returns; of
 * fewer the guest is asked to let go, and vcpu_plug_eject() notes when it has.
 * @going: called with the index of each that is asked to go
 * Return: 0; -errno: fewer have come.
 */
int vcpu_plug_resize(struct vm *vm, unsigned int n, struct err *e) MUST_CHECK;

/* vcpu_plug_leaving() - has the guest not yet let go of what it was asked to? */
bool vcpu_plug_leaving(const struct vm *vm);

/* vcpu_plug_keep() - take back all that the guest was asked for and has not done. */
void vcpu_plug_keep(struct vm *vm);

/* vcpu_plug_eject() - end the threads of the vCPUs that the guest has let go of, and tell. */
void vcpu_plug_eject(struct vm *vm);

#endif
