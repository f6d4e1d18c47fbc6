/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct device: one virtio device of the VM: a device process that serves it, and its face on the
 * PCI bus. A new kind of device is a row of the table in device.c.
 */
#ifndef VMM_DEVICE_H
#define VMM_DEVICE_H

#include "base/err.h"
#include "devices/front/irq.h"

#include <sys/types.h>

struct ledger;
struct loop;
struct pci_bus;
struct ram;
struct virtio_pci;
struct vm_config;

/* What every device is made of; all outlives the devices. */
struct device_env {
	struct irq irq;
	struct pci_bus *pci;
	struct ram *ram;
	struct ledger *ledger;
	struct loop *loop;
	int spawner;
	bool best_effort; /* sandboxes of device processes may be incomplete, and say so */
};

struct device {
	char id[32]; /* unique, such as "disk0" */
	const char *kind; /* "blk", "rng", "console" */
	pid_t pid; /* of the device process */
	bool dead; /* the process has ended by itself */
	struct virtio_pci *pci;
};

/*
 * device_start_all() - open what the config's devices need, start their processes, put them on the bus.
 * Return: 0 or -errno; the array is for device_stop_all() also after an error.
 */
int device_start_all(struct device **devices, unsigned int *n, const struct device_env *env,
	const struct vm_config *config, struct err *e) MUST_CHECK;

/* device_stop_all() - take them off the bus and end their processes. */
void device_stop_all(struct device *devices, unsigned int n);

#endif
