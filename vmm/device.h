/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct device: one virtio device of the VM: a device process that serves it, and its face on the
 * PCI bus. A new kind of device is a function in device_plan.c.
 *
 * A device process that dies is replaced by another one, which gets the same resources and goes on
 * with the requests in flight; the guest notices nothing. After DEVICE_RESTARTS_MAX deaths within
 * DEVICE_RESTART_WINDOW seconds the device shows DEVICE_NEEDS_RESET to the guest and stays dead.
 */
#ifndef VMM_DEVICE_H
#define VMM_DEVICE_H

#include "base/err.h"
#include "devices/front/irq.h"
#include "memory/shared_area.h"
#include "vmm/device_plan.h"

#include <sys/types.h>

struct courier;
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
	struct courier *const *courier; /* started before the first vCPU thread */
	int spawner;
	int console_outlet; /* as for resource_open_console() */
	bool best_effort;   /* sandboxes of device processes may be incomplete, and say so */
	/* Something happened to a device: "device-died", ...; on the loop's thread. */
	void (*event)(void *ctx, const char *id, const char *event);
	void *ctx;
};

#define DEVICE_RESTARTS_MAX   10 /* within DEVICE_RESTART_WINDOW seconds; then the device is dead */
#define DEVICE_RESTART_WINDOW 60

struct device {
	char id[32];                 /* unique, such as "disk0" */
	bool leaving;                /* the guest was asked to let go of it */
	const char *kind;            /* "blk", "rng", "console", "vsock", "fs" */
	pid_t pid;                   /* of the device process; 0: one of others */
	uint64_t asked_ns, ready_ns; /* its start */
	bool dead;                   /* the process has ended by itself, and there is no other */
	struct virtio_pci *pci;      /* NULL: this entry of the table is free */
	/* What another process is started from. */
	const struct device_env *env;
	struct device_plan plan; /* its descriptors are the device's */
	char serial[32];
	char path[108];                         /* of a socket, likewise */
	struct shared_area counters;            /* struct device_counters, which it writes */
	unsigned int deaths;                    /* ever */
	uint64_t death_ns[DEVICE_RESTARTS_MAX]; /* when; a ring, by number of the death */
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
 * device_start_one() - one more, at any time; it takes the plan's resources if that succeeds.
 * Return: 0; -EEXIST for an id that is there, -ENOSPC, or -errno. *out: its entry of the table.
 */
int device_start_one(struct device **out, struct device *devices, const struct device_env *env,
	struct device_plan *plan, struct err *e) MUST_CHECK;

/* device_find() - Return: the device with an id, NULL if there is none. */
struct device *device_find(struct device *devices, const char *id);

/* device_slot() - Return: its slot on the bus. */
unsigned int device_slot(const struct device *d);

/*
 * device_suspend() - every device finishes what is in flight and stands still; device_resume() goes
 * on. No vCPU runs.
 */
void device_suspend(struct device *devices);
void device_resume(struct device *devices);

/*
 * device_resize_disk() - give a disk's image another size and tell the guest. A block device keeps
 * its own, of which the guest is told.
 * @size: bytes, whole sectors of 512
 * Return: 0; -ENOENT for an id of no disk, -EINVAL for a size that can't be, -errno.
 */
int device_resize_disk(
	struct device *devices, const char *id, uint64_t size, struct err *e) MUST_CHECK;

/* device_stop() - take one off the bus, end its process, free its entry. */
void device_stop(struct device *d);

/* device_stop_all() - the same for all, and free the table. */
void device_stop_all(struct device *devices);

#endif
