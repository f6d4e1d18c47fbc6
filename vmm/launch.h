/* SPDX-License-Identifier: Apache-2.0 */
/* The load stage: payload files and command line into a launch image, the image into memory. */
#ifndef VMM_LAUNCH_H
#define VMM_LAUNCH_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct vm;
struct vm_config;

/*
 * launch_load() - map the payload, build the launch image and write it to memory; sets vm->entry and
 * vm->kernel_version. Return: 0 or -errno.
 */
int launch_load(struct vm *vm, struct err *e) MUST_CHECK;

/* launch_shared_budget() - most bytes the guest may share: as configured, or sized for its devices. */
uint64_t launch_shared_budget(const struct vm_config *config);

/*
 * launch_cmdline() - the kernel command line, allocated: the user's, or console=ttyS0, with what the
 * board needs unless the user gave it: reboot=a, since Linux on hardware-reduced ACPI would reset by
 * EFI, which is not there; above level off swiotlb= sized for the devices, since Linux's own default
 * takes 6 % of RAM and seconds to clear. Return: the text or NULL without memory.
 */
char *launch_cmdline(const struct vm_config *config, bool confidential);

/* launch_check_host_memory() - refuse more RAM than this host has. Return: 0 or -EINVAL. */
int launch_check_host_memory(uint64_t ram, struct err *e) MUST_CHECK;

#endif
