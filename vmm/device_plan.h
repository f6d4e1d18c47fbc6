/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct device_plan: what one device of the config needs before it can be started: which back end,
 * what the guest sees, and the opened resources. A new kind of device is a function in
 * device_plan.c, but network devices are in device_plan_nic.c.
 */
#ifndef VMM_DEVICE_PLAN_H
#define VMM_DEVICE_PLAN_H

#include "devices/front/backend_own.h"
#include "devices/front/spawn_client.h"

#include <stdbool.h>

struct mem_region;
struct nic_limit;
struct vm_config;

struct device_plan {
	const char *kind; /* "blk", "net", "rng", "console", "vsock", "fs" */
	struct spawn_desc
		spawn;       /* the descriptors in fds are the plan's; strings are the config's */
	const char *connect; /* path of a socket where a back end of others listens; NULL: spawn */
	struct backend_own own; /* what it leaves to us */
	uint16_t virtio_id;
	uint16_t queue_size;
	bool packed; /* offer packed rings to the guest */
	uint32_t class_code;
	uint32_t config_len; /* bytes of device configuration */
	bool config_live;    /* see struct virtio_pci_desc */
	char name[16];       /* for spawn.name where the config gives none */
};

/*
 * device_plan_next() - plan device number i of the config and open what it works on.
 * @outlet: as for resource_open_console()
 * Return: 1; 0 past the last; -errno, the plan holds nothing then.
 */
int device_plan_next(struct device_plan *p, const struct vm_config *c, int outlet, unsigned int i,
	struct err *e) MUST_CHECK;

/* device_plan_any() - Return: does the config have a device with a process of its own? */
bool device_plan_any(const struct vm_config *c);

/* device_plan_disk() - plan disk number i of the config, to be plugged in. Return: 1 or -errno. */
int device_plan_disk(
	struct device_plan *p, const struct vm_config *c, unsigned int i, struct err *e) MUST_CHECK;

/* device_plan_vsock() - the same for the vsock device; i is not looked at. */
int device_plan_vsock(
	struct device_plan *p, const struct vm_config *c, unsigned int i, struct err *e) MUST_CHECK;

/* device_plan_nic() - the same for network device number i. */
int device_plan_nic(
	struct device_plan *p, const struct vm_config *c, unsigned int i, struct err *e) MUST_CHECK;

/* device_plan_fs() - the same for file system number i. */
int device_plan_fs(
	struct device_plan *p, const struct vm_config *c, unsigned int i, struct err *e) MUST_CHECK;

/*
 * device_plan_mem() - the virtio-mem device, of which wanted bytes are to be plugged at the start.
 * It is none of device_plan_next()'s, as its place is the layout's. Return: 1 or -errno.
 */
int device_plan_mem(struct device_plan *p, const struct mem_region *region, uint64_t wanted,
	struct err *e) MUST_CHECK;

/* device_plan_limit() - Return: a rate limit of the config as back ends take it. */
struct spawn_limit device_plan_limit(const struct nic_limit *l);

/* device_plan_fini() - close what the plan opened; a device process has copies of its own. */
void device_plan_fini(struct device_plan *p);

#endif
