/* SPDX-License-Identifier: Apache-2.0 */
/* Virtio devices of a VM; see vmm/device.h. */
#include "vmm/device.h"

#include "base/log.h"
#include "devices/front/vhost_user_client.h"
#include "devices/front/virtio_pci.h"
#include "memory/ledger.h"
#include "memory/ram.h"
#include "vmm/config.h"
#include "vmm/device_plan.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void device_died(void *ctx)
{
	struct device *d = ctx;

	d->dead = true;
	log_error("device", "%s: its process %d has ended; the VM goes on without the device",
		d->id, (int)d->pid);
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
		.virtio_id = p->virtio_id,
		.class_code = p->class_code,
		.n_queues = p->spawn.n_queues,
		.max_queue_size = p->queue_size,
		.config_len = p->config_len,
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

static int device_start(
	struct device *d, const struct device_env *env, struct device_plan *p, struct err *e)
{
	struct spawn_child child;
	int rc;

	d->kind = p->kind;
	snprintf(d->id, sizeof(d->id), "%s", p->spawn.name);
	p->spawn.ledger_fd = ledger_device_fd(env->ledger);
	if (env->best_effort)
		p->spawn.flags |= SPAWN_BEST_EFFORT;
	rc = spawn_device(env->spawner, &p->spawn, &child, e);
	if (rc)
		return rc;
	d->pid = child.pid;
	return device_attach(d, env, p, &child, e) ? err_context(e, "%s", d->id) : 0;
}

int device_start_one(struct device **out, struct device *devices, const struct device_env *env,
	struct device_plan *plan, struct err *e)
{
	struct device *d = devices;
	int rc;

	if (device_find(devices, plan->spawn.name))
		return err_set(
			e, EEXIST, "'%s' is the id of a device that is there", plan->spawn.name);
	while (d < devices + DEVICES_MAX && d->pci)
		d++;
	if (d == devices + DEVICES_MAX)
		return err_set(e, ENOSPC, "there are %d devices already", DEVICES_MAX);
	*d = (struct device){0};
	rc = device_start(d, env, plan, e);
	if (rc)
		device_stop(d);
	*out = d;
	return rc;
}

int device_start_all(struct device **devices, const struct device_env *env,
	const struct vm_config *config, struct err *e)
{
	struct device_plan plan;
	struct device *started;
	int rc;

	*devices = calloc(DEVICES_MAX, sizeof(**devices));
	if (!*devices)
		return err_sys(e, ENOMEM, "devices");
	for (unsigned int i = 0; (rc = device_plan_next(&plan, config, i, e)) > 0; i++) {
		rc = device_start_one(&started, *devices, env, &plan, e);
		device_plan_fini(&plan);
		if (rc)
			return rc;
	}
	return rc;
}

struct device *device_find(struct device *devices, const char *id)
{
	for (unsigned int i = 0; i < DEVICES_MAX; i++)
		if (devices[i].pci && !strcmp(devices[i].id, id))
			return &devices[i];
	return NULL;
}

unsigned int device_slot(const struct device *d)
{
	return virtio_pci_slot(d->pci);
}

void device_stop(struct device *d)
{
	virtio_pci_destroy(d->pci);
	d->pci = NULL;
}

void device_stop_all(struct device *devices)
{
	for (unsigned int i = 0; devices && i < DEVICES_MAX; i++)
		device_stop(&devices[i]);
	free(devices);
}
