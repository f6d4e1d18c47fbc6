/* SPDX-License-Identifier: Apache-2.0 */
/* Planning of devices; see vmm/device_plan.h. */
#include "vmm/device_plan.h"

#include "base/fd.h"
#include "devices/wire/pci.h"
#include "devices/wire/virtio.h"
#include "vmm/config.h"
#include "vmm/mem_device.h"
#include "vmm/resource.h"

#include <stdio.h>
#include <string.h>

void device_plan_fini(struct device_plan *p)
{
	while (p->spawn.n_fds)
		fd_drop(&p->spawn.fds[--p->spawn.n_fds]);
}

/* device_plan_hold() - the plan owns the one descriptor, or there is none: a negative errno */
static int device_plan_hold(struct device_plan *p, int fd)
{
	if (fd < 0)
		return fd;
	p->spawn.fds[p->spawn.n_fds++] = fd;
	return 1;
}

struct spawn_limit device_plan_limit(const struct nic_limit *l)
{
	return (struct spawn_limit){l->size, l->one_time_burst, l->refill_time};
}

int device_plan_disk(
	struct device_plan *p, const struct vm_config *config, unsigned int index, struct err *e)
{
	const struct disk_config *c = &config->disks[index];

	*p = (struct device_plan){
		.kind = "blk",
		.spawn = {.kind = SPAWN_BLK},
		.virtio_id = VIRTIO_ID_BLOCK,
		.class_code = PCI_CLASS_STORAGE,
		.config_len = 60, /* spec 5.2.4 */
	};
	snprintf(p->name, sizeof(p->name), "disk%u", index);
	p->spawn.name = c->id ? c->id : p->name;
	p->spawn.serial = c->serial;
	p->spawn.n_queues = (uint16_t)c->num_queues;
	p->spawn.flags = c->readonly ? SPAWN_READ_ONLY : 0;
	p->spawn.limits.bytes = device_plan_limit(&c->bandwidth);
	p->spawn.limits.ops = device_plan_limit(&c->ops);
	p->queue_size = (uint16_t)c->queue_size;
	p->packed = c->packed;
	p->connect = c->vhost_socket;
	if (p->connect)
		return 1;
	return device_plan_hold(p, resource_open_disk(c, e));
}

static int device_plan_rng(struct device_plan *p, const char *src, struct err *e)
{
	*p = (struct device_plan){
		.kind = "rng",
		.spawn = {.kind = SPAWN_RNG, .n_queues = 1},
		.virtio_id = VIRTIO_ID_RNG,
		.class_code = PCI_CLASS_OTHER,
		.queue_size = 64,
	};
	p->spawn.name = "rng0";
	return device_plan_hold(p, resource_open_rng(src, e));
}

static int device_plan_console(
	struct device_plan *p, const struct stream_config *c, int outlet, struct err *e)
{
	int rc;

	*p = (struct device_plan){
		.kind = "console",
		.spawn = {.kind = SPAWN_CONSOLE, .n_queues = 2},
		.virtio_id = VIRTIO_ID_CONSOLE,
		.class_code = PCI_CLASS_SERIAL,
		.queue_size = 128,
		.config_len = 12, /* spec 5.3.4 */
	};
	p->spawn.name = "console0";
	rc = resource_open_console(c, outlet, p->spawn.fds, e);
	if (rc)
		return rc;
	p->spawn.n_fds = 2;
	return 1;
}

/* The spawner makes what it works on. */
int device_plan_vsock(
	struct device_plan *p, const struct vm_config *config, unsigned int i, struct err *e)
{
	const struct vsock_config *c = &config->vsock;

	(void)i, (void)e;
	*p = (struct device_plan){
		.kind = "vsock",
		.spawn = {.kind = SPAWN_VSOCK, .n_queues = 3},
		.virtio_id = VIRTIO_ID_VSOCK,
		.class_code = PCI_CLASS_OTHER,
		.queue_size = 128,
		.config_len = 8, /* spec 5.10.4 */
	};
	p->spawn.name = c->id ? c->id : "vsock0";
	p->spawn.cid = (uint32_t)c->cid;
	p->spawn.path = c->socket;
	return 1;
}

int device_plan_fs(
	struct device_plan *p, const struct vm_config *config, unsigned int i, struct err *e)
{
	const struct fs_config *c = &config->fs[i];

	(void)e;
	*p = (struct device_plan){
		.kind = "fs",
		.connect = c->socket,
		.own.len = FS_CONFIG_LEN,
		.virtio_id = VIRTIO_ID_FS,
		.class_code = PCI_CLASS_STORAGE,
		.queue_size = (uint16_t)c->queue_size,
		.config_len = FS_CONFIG_LEN,
	};
	snprintf(p->name, sizeof(p->name), "fs%u", i);
	p->spawn.name = c->id ? c->id : p->name;
	p->spawn.n_queues = (uint16_t)(c->num_queues + 1); /* and the one of high priority */
	fs_device_config(c, p->own.config);
	return 1;
}

static int device_plan_balloon(struct device_plan *p, const struct balloon_wish *w, struct err *e)
{
	*p = (struct device_plan){
		.kind = "balloon",
		.spawn = {.kind = SPAWN_BALLOON},
		.virtio_id = VIRTIO_ID_BALLOON,
		.class_code = PCI_CLASS_OTHER,
		.queue_size = 128,
		.config_len = 8, /* spec 5.5.4 */
	};
	p->spawn.name = "balloon0";
	p->spawn.n_queues = w->free_page_reporting ? 3 : 2;
	if (balloon_prepare(w, p->spawn.fds, e) < 0)
		return -e->code;
	p->spawn.n_fds = 2;
	return 1;
}

int device_plan_mem(
	struct device_plan *p, const struct mem_region *region, uint64_t wanted, struct err *e)
{
	*p = (struct device_plan){
		.kind = "mem",
		.spawn = {.kind = SPAWN_MEM, .name = MEM_DEVICE_ID, .n_queues = 1},
		.virtio_id = VIRTIO_ID_MEM,
		.class_code = PCI_CLASS_OTHER,
		.queue_size = 128,
		.config_len = 56, /* spec 5.15.4 */
		.config_live = true,
	};
	if (mem_device_prepare(region, wanted, p->spawn.fds, e) < 0)
		return -e->code;
	p->spawn.n_fds = 2;
	return 1;
}

bool device_plan_any(const struct vm_config *c)
{
	return c->n_disks || c->n_nics || c->rng.src || c->console.mode != STREAM_OFF ||
		c->vsock.socket || c->n_fs || c->balloon.size != BALLOON_NONE ||
		config_has_virtio_mem(c);
}

int device_plan_next(
	struct device_plan *p, const struct vm_config *c, int outlet, unsigned int i, struct err *e)
{
	if (i < c->n_disks)
		return device_plan_disk(p, c, i, e);
	i -= c->n_disks;
	if (i < c->n_nics)
		return device_plan_nic(p, c, i, e);
	i -= c->n_nics;
	if (c->rng.src && i-- == 0)
		return device_plan_rng(p, c->rng.src, e);
	if (c->console.mode != STREAM_OFF && i-- == 0)
		return device_plan_console(p, &c->console, outlet, e);
	if (c->vsock.socket && i-- == 0)
		return device_plan_vsock(p, c, 0, e);
	if (i < c->n_fs)
		return device_plan_fs(p, c, i, e);
	i -= c->n_fs;
	if (c->balloon.size != BALLOON_NONE && i == 0)
		return device_plan_balloon(p, &c->balloon, e);
	return 0;
}
