/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vm.resize: other numbers of vCPUs and bytes for a VM, up or not. A size that can be changed is a
 * row of the table in resize.c. Main thread.
 */
#ifndef VMM_RESIZE_H
#define VMM_RESIZE_H

#include "base/err.h"
#include "vmm/hv/vm_type.h"

struct plug_board;
struct plug_body;

/*
 * resize_vm() - do what a VmResize in JSON asks for: desired_vcpus, desired_ram, desired_balloon;
 * what is absent, null or as it is asks for nothing. All is checked before anything is changed.
 * @level: the one that the VM runs at, or will
 * Return: 0; -EINVAL; -EACCES: the level forbids it; -ENOSYS: it can't be changed yet; -EAGAIN: a
 * change before this one is not complete; -errno: it failed.
 */
int resize_vm(const struct plug_board *b, const struct plug_body *body, enum level level,
	struct err *e) MUST_CHECK;

/* resize_done() - vCPUs have gone: were they all that was asked for? */
void resize_done(const struct plug_board *b);

/*
 * resize_late() - the guest has not let go of vCPUs in time: they stay, and count again.
 * Return: how many there are.
 */
uint64_t resize_late(const struct plug_board *b);

#define RESIZE_VCPUS "(vcpus)" /* what struct removals knows vCPUs by */

#endif
