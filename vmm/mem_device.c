/* SPDX-License-Identifier: Apache-2.0 */
/* The monitor's end of a virtio-mem device; see vmm/mem_device.h. */
#include "vmm/mem_device.h"

#include "base/fd.h"
#include "base/loop.h"
#include "devices/front/virtio_pci.h"
#include "devices/wire/virtio_mem.h"
#include "memory/shared_area.h"
#include "vmm/device.h"

#include <errno.h>
#include <sys/epoll.h>

struct mem_device {
	struct device *device;
	struct loop *loop;
	struct loop_source source; /* the device's eventfd */
	struct mem_listener listener;
	struct shared_area area;
	struct mem_state *state; /* in area */
	uint64_t region;
};

int mem_device_prepare(const struct mem_region *region, uint64_t wanted, int fds[2], struct err *e)
{
	struct shared_area area = {0};
	cleanup_fd int state = -1;
	int rc = shared_area_open(
		&area, sizeof(struct mem_state) + region->len / VIRTIO_MEM_BLOCK, &state, e);

	if (rc)
		return err_context(e, MEM_DEVICE_ID);
	*(struct mem_state *)area.at =
		(struct mem_state){.addr = region->addr, .region = region->len, .wanted = wanted};
	shared_area_close(&area);
	rc = fd_event(&fds[1], e);
	if (rc)
		return rc;
	fds[0] = fd_take(&state);
	return 0;
}

static void mem_device_changed(void *ctx, uint32_t events)
{
	struct mem_device *m = ctx;
	uint64_t count;

	(void)events;
	if (read(m->source.fd, &count, sizeof(count)) == sizeof(count))
		m->listener.changed(m->listener.ctx);
}

int mem_device_listen(struct mem_device **out, struct device *d, struct loop *loop,
	const struct mem_listener *listener, struct err *e)
{
	struct mem_device *m = calloc(1, sizeof(*m));
	int rc;

	*out = m;
	if (!m)
		return err_sys(e, ENOMEM, MEM_DEVICE_ID);
	m->device = d;
	m->loop = loop;
	m->listener = *listener;
	m->source = (struct loop_source){
		.fd = d->plan.spawn.fds[1], .fn = mem_device_changed, .ctx = m};
	rc = shared_area_map(&m->area, d->plan.spawn.fds[0], 0, sizeof(*m->state), e);
	if (rc)
		return rc;
	m->state = m->area.at;
	m->region = m->state->region;
	return loop_add(loop, &m->source, EPOLLIN, e);
}

void mem_device_deafen(struct mem_device *m)
{
	if (!m)
		return;
	loop_remove(m->loop, &m->source);
	shared_area_close(&m->area);
	free(m);
}

int mem_device_ask(struct mem_device *m, uint64_t bytes, struct err *e)
{
	__atomic_store_n(&m->state->wanted, bytes, __ATOMIC_RELAXED);
	return virtio_pci_refresh_config(m->device->pci, e);
}

uint64_t mem_device_plugged(const struct mem_device *m)
{
	return m ? min_u64(__atomic_load_n(&m->state->plugged, __ATOMIC_RELAXED), m->region) : 0;
}
