/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct fw_config: what firmware finds in its configuration device: the kernel as it was given,
 * initramfs and command line, the map of RAM, the ACPI tables, the number of CPUs. OVMF compares
 * what it reads with the hashes that were measured.
 */
#ifndef VMM_FW_CONFIG_H
#define VMM_FW_CONFIG_H

#include "base/err.h"
#include "memory/guest_io.h"

struct bus;
struct fw_config;
struct vm_config;

/*
 * fw_config_create() - open the files and add the device to the bus. Files must not change while
 * the guest starts. Return: 0, or -errno with the flag named.
 */
int fw_config_create(struct fw_config **out, struct bus *bus, const struct guest_io *io,
	const struct vm_config *config, struct err *e) MUST_CHECK;

/* fw_config_destroy() - free; no vCPU runs. NULL is allowed. */
void fw_config_destroy(struct fw_config *f);

#endif
