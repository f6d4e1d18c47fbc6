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

struct device_plan;
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
	char id[32];            /* unique, such as "disk0" */
	bool leaving;           /* the guest was asked to let go of it */
	const char *kind;       /* "blk", "rng", "console", "vsock" */
	pid_t pid;              /* of the device process */
	bool dead;              /* the process has ended by itself */
	struct virtio_pci *pci; /* NULL: this entry of the table is free */
};

#define DEVICES_MAX 31 /* entries of a table of devices; slot 0 of the bus is the bridge's */

/*
 * device_start_all() - open what the config's devices need, start their processes, put them on the
 * bus.
 * @devices: becomes a table of DEVICES_MAX entries, for device_stop_all() also after an error
 * Return: 0 or -errno.
 */
int device_start_all(struct device **devices, const struct device_env *env,
	const struct vm_config *config, struct err *e) MUST_CHECK;

/*
 * device_start_one() - one more, at any time; the plan's resources stay the caller's.
 * Return: 0; -EEXIST for an id that is there, -ENOSPC, or -errno. *out: its entry of the table.
 */
int device_start_one(struct device **out, struct device *devices, const struct device_env *env,
	struct device_plan *plan, struct err *e) MUST_CHECK;

/* device_find() - Return: the device with an id, NULL if there is none. */
struct device *device_find(struct device *devices, const char *id);

/* device_slot() - Return: its slot on the bus. */
unsigned int device_slot(const struct device *d);

/* device_stop() - take one off the bus, end its process, free its entry. */
void device_stop(struct device *d);

/* device_stop_all() - the same for all, and free the table. */
void device_stop_all(struct device *devices);

#endif
