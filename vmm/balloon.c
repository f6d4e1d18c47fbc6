/* SPDX-License-Identifier: Apache-2.0 */
/* The monitor's end of a balloon; see vmm/balloon.h. */
#include "vmm/balloon.h"

#include "base/fd.h"
#include "base/loop.h"
#include "devices/front/virtio_pci.h"
#include "devices/wire/virtio_balloon.h"
#include "memory/shared_area.h"
#include "vmm/device.h"

#include <errno.h>
#include <sys/epoll.h>

struct balloon_ear {
	struct device *device;
	struct loop *loop;
	struct loop_source changed; /* the device's descriptor */
	struct balloon_listener listener;
	struct shared_area area;
	struct balloon_state *state; /* in area */
};

int balloon_check(const struct balloon_wish *w, uint64_t ram, struct err *e)
{
	if (w->size == BALLOON_NONE)
		return w->deflate_on_oom || w->free_page_reporting
			? err_set(e, EINVAL, "--balloon: size is missing")
			: 0;
	if (!is_aligned(w->size, VIRTIO_BALLOON_PAGE) || w->size > ram)
		return err_set(e, EINVAL,
			"--balloon: size=%llu is no multiple of 4096, or more than the VM has",
			(unsigned long long)w->size);
	return 0;
}

static uint32_t pages_of(uint64_t size)
{
	return (uint32_t)min_u64(size / VIRTIO_BALLOON_PAGE, UINT32_MAX);
}

int balloon_prepare(const struct balloon_wish *w, int fds[2], struct err *e)
{
	struct shared_area area = {0};
	cleanup_fd int state = -1;
	int rc = shared_area_open(&area, sizeof(struct balloon_state), &state, e);

	if (rc)
		return err_context(e, "--balloon");
	*(struct balloon_state *)area.at = (struct balloon_state){
		.wanted = pages_of(w->size),
		.report = w->free_page_reporting,
		.deflate_on_oom = w->deflate_on_oom,
	};
	shared_area_close(&area);
	rc = fd_event(&fds[1], e);
	if (rc)
		return rc;
	fds[0] = fd_take(&state);
	return 0;
}

static void balloon_changed(void *ctx, uint32_t events)
{
	struct balloon_ear *b = ctx;
	uint64_t count;

	(void)events;
	if (read(b->changed.fd, &count, sizeof(count)) == sizeof(count))
		b->listener.changed(b->listener.ctx);
}

int balloon_listen(struct balloon_ear **out, struct device *d, struct loop *loop,
	const struct balloon_listener *listener, struct err *e)
{
	struct balloon_ear *b = calloc(1, sizeof(*b));
	int rc;

	*out = b;
	if (!b)
		return err_sys(e, ENOMEM, "balloon");
	b->device = d;
	b->loop = loop;
	b->listener = *listener;
	b->changed =
		(struct loop_source){.fd = d->plan.spawn.fds[1], .fn = balloon_changed, .ctx = b};
	rc = shared_area_map(&b->area, d->plan.spawn.fds[0], 0, sizeof(*b->state), e);
	b->state = b->area.at;
	return rc ? rc : loop_add(loop, &b->changed, EPOLLIN, e);
}

void balloon_deafen(struct balloon_ear *b)
{
	if (!b)
		return;
	loop_remove(b->loop, &b->changed);
	shared_area_close(&b->area);
	free(b);
}

int balloon_ask(struct balloon_ear *b, uint64_t size, struct err *e)
{
	__atomic_store_n(&b->state->wanted, pages_of(size), __ATOMIC_RELAXED);
	return virtio_pci_refresh_config(b->device->pci, e);
}

uint64_t balloon_size(const struct balloon_ear *b)
{
	return b ? (uint64_t)__atomic_load_n(&b->state->actual, __ATOMIC_RELAXED) *
			VIRTIO_BALLOON_PAGE
		 : 0;
}
