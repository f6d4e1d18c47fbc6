/* SPDX-License-Identifier: Apache-2.0 */
/* Virtio devices of a VM; see vmm/device.h. */
#include "vmm/device.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "devices/front/vhost_user_client.h"
#include "devices/front/virtio_pci.h"
#include "devices/wire/counters.h"
#include "devices/wire/virtio.h"
#include "memory/ledger.h"
#include "memory/ram.h"
#include "vmm/config.h"
#include "vmm/mem_device.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* device_may_restart() - count a death. Return: false if there were too many in a short time. */
static bool device_may_restart(struct device *d)
{
	uint64_t now = clock_ns(), *at = &d->death_ns[d->deaths % DEVICE_RESTARTS_MAX];
	bool may = d->deaths < DEVICE_RESTARTS_MAX ||
		now - *at > DEVICE_RESTART_WINDOW * UINT64_C(1000000000);

	*at = now;
	d->deaths++;
	return may;
}

/* device_restart() - one more process. Return: 0; -EAGAIN to try another one; -errno. */
static int device_restart(struct device *d, struct err *e)
{
	struct spawn_child child;
	int rc = spawn_device(d->env->spawner, &d->plan.spawn, &child, e);

	if (rc)
		return rc == -ECHILD ? -EAGAIN : rc; /* died while it started */
	d->pid = child.pid;
	return virtio_pci_replace(d->pci, child.sock, child.pidfd, e) ? -EAGAIN : 0;
}

/* device_died() - Return: true if the device goes on with another process. */
static bool device_died(void *ctx)
{
	struct device *d = ctx;
	int old = (int)d->pid, rc = -EAGAIN;

	while (!d->plan.connect && rc == -EAGAIN && device_may_restart(d)) {
		struct err e = ERR_INIT;

		rc = device_restart(d, &e);
		if (!rc)
			log_warn("device", "%s: its process %d has ended; process %d goes on",
				d->id, old, (int)d->pid);
		else
			log_error("device", "%s: restart: %s", d->id, e.text);
	}
	d->dead = rc != 0;
	d->env->event(d->env->ctx, d->id, d->dead ? "device-died" : "device-replaced");
	if (d->plan.connect)
		log_error(
			"device", "%s: its back end has hung up; the VM goes on without it", d->id);
	else if (d->dead)
		log_error("device", "%s: its process %d has ended; the VM goes on without it",
			d->id, old);
	return !d->dead;
}

/* device_memory() - what a device process may map: at a level above off no low memory */
static unsigned int device_memory(const struct ram *ram, struct vhost_user_memory *out)
{
	const struct layout_range *plug = &ram->layout.plug;
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
	if (plug->len)
		out[n++] = (struct vhost_user_memory){
			plug->gpa, plug->len, ram->shared_fd, plug->gpa.v};
	return n;
}

/* device_attach() - put a device whose process runs on the bus; takes the child's descriptors */
static int device_attach(struct device *d, const struct device_env *env,
	const struct device_plan *p, const struct spawn_child *child, struct err *e)
{
	struct vhost_user_memory memory[ARRAY_SIZE(env->ram->layout.ranges) + 1];
	struct virtio_pci_desc desc = {
		.pci = env->pci,
		.loop = env->loop,
		.irq = env->irq,
		.courier = env->courier,
		.layout = &env->ram->layout,
		.name = d->id,
		.virtio_id = p->virtio_id,
		.class_code = p->class_code,
		.n_queues = p->spawn.n_queues,
		.max_queue_size = p->queue_size,
		.config_len = p->config_len,
		.config_live = p->config_live,
		.withheld = p->packed ? 0 : VIRTIO_F_RING_PACKED,
		.require_access_platform = env->ram->cbit || env->ram->dual,
		.sock = child->sock,
		.pidfd = child->pidfd,
		.own = &p->own,
		.memory = memory,
		.n_memory = device_memory(env->ram, memory),
		.died = device_died,
		.died_ctx = d,
	};

	return virtio_pci_create(&d->pci, &desc, e);
}

/* device_keep() - have what another process needs, beyond the life of the config */
static void device_keep(struct device *d, const struct device_env *env, struct device_plan *p)
{
	d->env = env;
	d->plan = *p;
	p->spawn.n_fds = 0;
	d->plan.spawn.name = d->id;
	d->plan.connect = p->connect ? d->id : NULL; /* that it was connected to */
	if (p->spawn.serial) {
		snprintf(d->serial, sizeof(d->serial), "%s", p->spawn.serial);
		d->plan.spawn.serial = d->serial;
	}
	if (p->spawn.path) {
		snprintf(d->path, sizeof(d->path), "%s", p->spawn.path);
		d->plan.spawn.path = d->path;
	}
}

/* device_connect() - to a back end that somebody else has started. Return: 0 or -errno. */
static int device_connect(const struct device_plan *p, struct spawn_child *child, struct err *e)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	cleanup_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (strlen(p->connect) >= sizeof(addr.sun_path))
		return err_set(e, EINVAL, "%s: socket '%s' has more than %zu characters",
			p->spawn.name, p->connect, sizeof(addr.sun_path) - 1);
	memcpy(addr.sun_path, p->connect, strlen(p->connect));
	if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return err_sys(e, errno, "%s: socket '%s'", p->spawn.name, p->connect);
	*child = (struct spawn_child){.sock = fd_take(&fd), .pidfd = -1};
	return 0;
}

static int device_start(
	struct device *d, const struct device_env *env, struct device_plan *p, struct err *e)
{
	struct spawn_child child;
	int rc;

	d->asked_ns = clock_ns();
	d->kind = p->kind;
	snprintf(d->id, sizeof(d->id), "%s", p->spawn.name);
	p->spawn.ledger_fd = ledger_device_fd(env->ledger);
	rc = shared_area_open(
		&d->counters, sizeof(struct device_counters), &d->plan.spawn.counters_fd, e);
	if (rc)
		return rc;
	p->spawn.counters_fd = d->plan.spawn.counters_fd;
	if (env->best_effort)
		p->spawn.flags |= SPAWN_BEST_EFFORT;
	rc = p->connect ? device_connect(p, &child, e)
			: spawn_device(env->spawner, &p->spawn, &child, e);
	if (rc)
		return rc;
	d->pid = child.pid;
	if (device_attach(d, env, p, &child, e))
		return err_context(e, "%s", d->id);
	device_keep(d, env, p);
	d->ready_ns = clock_ns();
	return 0;
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

/* device_may_have_balloon() - level off; above, an empty one is left out (see vm_choose_type()) */
static bool device_may_have_balloon(const struct device_env *env)
{
	return !env->ram->cbit && !env->ram->dual;
}

/* device_start_mem() - the virtio-mem device, if the config has one. Return: 0 or -errno. */
static int device_start_mem(struct device *devices, const struct device_env *env,
	const struct vm_config *config, struct err *e)
{
	const struct layout_range *plug = &env->ram->layout.plug;
	const struct mem_region region = {plug->gpa.v, plug->len};
	struct device_plan plan;
	struct device *started;
	int rc;

	if (!plug->len || !config_has_virtio_mem(config))
		return 0;
	rc = device_plan_mem(&plan, &region, config->memory.hotplugged_size, e);
	if (rc < 0)
		return rc;
	rc = device_start_one(&started, devices, env, &plan, e);
	device_plan_fini(&plan);
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
	for (unsigned int i = 0;
		(rc = device_plan_next(&plan, config, env->console_outlet, i, e)) > 0; i++) {
		if (plan.spawn.kind != SPAWN_BALLOON || device_may_have_balloon(env))
			rc = device_start_one(&started, *devices, env, &plan, e);
		device_plan_fini(&plan);
		if (rc < 0)
			return rc;
	}
	return rc < 0 ? rc : device_start_mem(*devices, env, config, e);
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

/* device_set_size() - of a disk's image, where it is a file. Return: 0 or -errno. */
static int device_set_size(const struct device *d, uint64_t size, struct err *e)
{
	int fd = d->plan.spawn.fds[0];
	struct stat st;

	if (!size || size % 512 || size > INT64_MAX)
		return err_set(e, EINVAL, "%s: a size of whole sectors of 512 bytes", d->id);
	if (d->plan.spawn.flags & SPAWN_READ_ONLY)
		return err_set(e, EINVAL, "%s: is read-only", d->id);
	if (fstat(fd, &st) < 0)
		return err_sys(e, errno, "%s", d->id);
	if (S_ISREG(st.st_mode) && ftruncate(fd, (off_t)size) < 0)
		return err_sys(e, errno, "%s: size", d->id);
	return 0;
}

int device_resize_disk(struct device *devices, const char *id, uint64_t size, struct err *e)
{
	struct device *d = device_find(devices, id);
	int rc;

	if (!d || d->plan.spawn.kind != SPAWN_BLK || d->plan.connect)
		return err_set(e, ENOENT, "there is no disk '%s'", id);
	rc = device_set_size(d, size, e);
	return rc ? rc : virtio_pci_refresh_config(d->pci, e);
}

void device_suspend(struct device *devices)
{
	for (unsigned int i = 0; i < DEVICES_MAX; i++)
		if (devices[i].pci)
			virtio_pci_suspend(devices[i].pci);
}

void device_resume(struct device *devices)
{
	for (unsigned int i = 0; i < DEVICES_MAX; i++)
		if (devices[i].pci)
			virtio_pci_resume(devices[i].pci);
}

void device_stop(struct device *d)
{
	virtio_pci_destroy(d->pci);
	d->pci = NULL;
	if (d->counters.at)
		fd_drop(&d->plan.spawn.counters_fd);
	shared_area_close(&d->counters);
	device_plan_fini(&d->plan);
}

void device_stop_all(struct device *devices)
{
	for (unsigned int i = 0; devices && i < DEVICES_MAX; i++)
		device_stop(&devices[i]);
	free(devices);
}
