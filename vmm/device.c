/* SPDX-License-Identifier: Apache-2.0 */
/* Virtio devices of a VM; see vmm/device.h. */
#include "vmm/device.h"

#include "base/fd.h"
#include "base/log.h"
#include "devices/front/spawn_client.h"
#include "devices/front/vhost_user_client.h"
#include "devices/front/virtio_pci.h"
#include "devices/wire/pci.h"
#include "devices/wire/virtio.h"
#include "memory/ledger.h"
#include "memory/ram.h"
#include "vmm/config.h"
#include "vmm/resource.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define DEVICES_MAX (CONFIG_MAX_DISKS + 2)

/* A kind of device: which back end serves it and what the guest sees. */
struct device_kind {
	const char *name;
	enum spawn_kind spawn;
	enum virtio_id virtio_id;
	uint32_t class_code;
	uint32_t config_len; /* bytes of device configuration: spec 5.2.4, 5.3.4, 5.4.4 */
};

static const struct device_kind blk = {
	"blk", SPAWN_BLK, VIRTIO_ID_BLOCK, PCI_CLASS_STORAGE, 60};
static const struct device_kind rng = {"rng", SPAWN_RNG, VIRTIO_ID_RNG, PCI_CLASS_OTHER, 0};
static const struct device_kind console = {
	"console", SPAWN_CONSOLE, VIRTIO_ID_CONSOLE, PCI_CLASS_SERIAL, 12};

/* One device to start. The descriptors in spawn.fds are the plan's. */
struct device_plan {
	const struct device_kind *kind;
	struct spawn_desc spawn;
	uint16_t queue_size;
	char name[16];
};

static void device_plan_init(struct device_plan *p, const struct device_kind *kind)
{
	*p = (struct device_plan){
		.kind = kind,
		.spawn = {.kind = kind->spawn, .n_queues = 1, .fds = {-1, -1}},
		.queue_size = 128,
	};
}

static void device_plan_fini(struct device_plan *p)
{
	fd_drop(&p->spawn.fds[0]);
	fd_drop(&p->spawn.fds[1]);
}

static int device_plan_disk(struct device_plan *p, const struct disk_config *c, unsigned int index,
	struct err *e)
{
	device_plan_init(p, &blk);
	snprintf(p->name, sizeof(p->name), "disk%u", index);
	p->spawn.name = c->id ? c->id : p->name;
	p->spawn.serial = c->serial;
	p->spawn.n_queues = (uint16_t)c->num_queues;
	p->spawn.flags = (c->readonly ? SPAWN_READ_ONLY : 0) | (c->direct ? SPAWN_DIRECT : 0);
	p->queue_size = (uint16_t)c->queue_size;
	p->spawn.fds[0] = resource_open_disk(c, e);
	return p->spawn.fds[0] < 0 ? p->spawn.fds[0] : 1;
}

static int device_plan_rng(struct device_plan *p, const char *src, struct err *e)
{
	device_plan_init(p, &rng);
	p->spawn.name = "rng0";
	p->spawn.fds[0] = resource_open_rng(src, e);
	return p->spawn.fds[0] < 0 ? p->spawn.fds[0] : 1;
}

static int device_plan_console(struct device_plan *p, const struct stream_config *c, struct err *e)
{
	int rc;

	device_plan_init(p, &console);
	p->spawn.name = "console0";
	p->spawn.n_queues = 2; /* receive and transmit */
	rc = resource_open_console(c, p->spawn.fds, e);
	return rc ? rc : 1;
}

/* device_plan_next() - plan device i of the config. Return: 1, 0 past the last, or -errno. */
static int device_plan_next(struct device_plan *p, const struct vm_config *c, unsigned int i,
	struct err *e)
{
	if (i < c->n_disks)
		return device_plan_disk(p, &c->disks[i], i, e);
	i -= c->n_disks;
	if (c->rng.src && i-- == 0)
		return device_plan_rng(p, c->rng.src, e);
	if (c->console.mode != STREAM_OFF && i == 0)
		return device_plan_console(p, &c->console, e);
	return 0;
}

static void device_died(void *ctx)
{
	struct device *d = ctx;

	d->dead = true;
	log_error("device", "%s: its process %d has ended; the VM goes on without the device", d->id,
		(int)d->pid);
}

/* device_memory() - what a device process may map: at a level above off no low memory */
static unsigned int device_memory(const struct ram *ram, struct vhost_user_memory *out)
{
	unsigned int n = 0;

	for (; n < ram->layout.n_ranges; n++) {
		const struct layout_range *r = &ram->layout.ranges[n];
		uint64_t skip = ram->cbit && !r->gpa.v ? LAYOUT_LOW_LEN : 0;

		out[n] = (struct vhost_user_memory){
			.gpa = gpa_plus(r->gpa, skip),
			.len = r->len - skip,
			.fd = ram->shared_fd,
			.offset = r->gpa.v + skip,
		};
	}
	return n;
}

/* device_attach() - put a device whose process runs on the bus; takes the child's descriptors */
static int device_attach(struct device *d, const struct device_env *env,
	const struct device_plan *p, const struct spawn_child *child, struct err *e)
{
	struct vhost_user_memory memory[ARRAY_SIZE(env->ram->layout.ranges)];
	struct virtio_pci_desc desc = {
		.pci = env->pci,
		.loop = env->loop,
		.irq = env->irq,
		.layout = &env->ram->layout,
		.name = d->id,
		.virtio_id = (uint16_t)p->kind->virtio_id,
		.class_code = p->kind->class_code,
		.n_queues = p->spawn.n_queues,
		.max_queue_size = p->queue_size,
		.config_len = p->kind->config_len,
		.require_access_platform = env->ram->cbit != 0,
		.sock = child->sock,
		.pidfd = child->pidfd,
		.memory = memory,
		.n_memory = device_memory(env->ram, memory),
		.died = device_died,
		.died_ctx = d,
	};

	return virtio_pci_create(&d->pci, &desc, e);
}

static int device_start(struct device *d, const struct device_env *env, struct device_plan *p,
	struct err *e)
{
	struct spawn_child child;
	int rc;

	d->kind = p->kind->name;
	snprintf(d->id, sizeof(d->id), "%s", p->spawn.name);
	p->spawn.ledger_fd = ledger_device_fd(env->ledger);
	if (env->best_effort)
		p->spawn.flags |= SPAWN_BEST_EFFORT;
	rc = spawn_device(env->spawner, &p->spawn, &child, e);
	if (rc)
		return err_context(e, "%s", d->id);
	d->pid = child.pid;
	return device_attach(d, env, p, &child, e) ? err_context(e, "%s", d->id) : 0;
}

int device_start_all(struct device **devices, unsigned int *n, const struct device_env *env,
	const struct vm_config *config, struct err *e)
{
	struct device_plan plan;
	int rc;

	*n = 0;
	*devices = calloc(DEVICES_MAX, sizeof(**devices));
	if (!*devices)
		return err_sys(e, ENOMEM, "devices");
	while ((rc = device_plan_next(&plan, config, *n, e)) > 0) {
		rc = device_start(&(*devices)[(*n)++], env, &plan, e);
		device_plan_fini(&plan);
		if (rc)
			return rc;
	}
	return rc;
}

void device_stop_all(struct device *devices, unsigned int n)
{
	while (n)
		virtio_pci_destroy(devices[--n].pci);
	free(devices);
}
