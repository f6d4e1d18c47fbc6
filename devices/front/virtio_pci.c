/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio over PCI with a vhost-user back end; see devices/front/virtio_pci.h.
 *
 * Locks, outermost first: the operation mutex of virtio_common, that of the back end (one
 * vhost-user call at a time), the lock of virtio_common or of the PCI bus, `lock` (interrupt mode,
 * ISR with its line, ioeventfds, configuration bytes), those of MSI-X and PCI lines.
 */
#include "devices/front/virtio_pci.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/num.h"
#include "devices/front/courier.h"
#include "devices/front/msix.h"
#include "devices/front/virtio_common.h"
#include "devices/front/virtio_config.h"
#include "devices/wire/virtio_pci.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#define BAR_SIZE    0x8000
#define PAGE_COMMON 0x0000
#define PAGE_ISR    0x1000
#define PAGE_CONFIG 0x2000
#define PAGE_PBA    0x3000
#define PAGE_NOTIFY 0x4000
#define PAGE_TABLE  0x5000
#define NOTIFY_STEP 4

#define CALLS     (VIRTIO_COMMON_QUEUES + 1) /* one per queue, then the configuration's */
#define ERR_EVENT UINT32_MAX                 /* tag of the err eventfd among the epoll events */

/* Ring features that the transport and the client can pass on. */
#define RING_FEATURES                                                                              \
	(VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX | VIRTIO_F_RING_PACKED | VIRTIO_F_IN_ORDER |  \
		VIRTIO_F_ORDER_PLATFORM)

struct virtio_pci {
	struct virtio_pci_desc desc;
	char name[32];
	struct pci_dev pci;
	unsigned int msix_cap; /* offset in configuration space */
	struct virtio_common common;
	struct msix *msix;
	struct backend back;
	bool suspended; /* the back end is stopped, whatever the driver said; operation mutex */
	bool lost;      /* there is no back end any more; operation mutex */
	int kicks[CALLS], calls[CALLS], err_fd; /* eventfds; the last of kicks is none */
	int events; /* an epoll in the loop: err_fd, and with INTx the calls, tagged by number */
	struct loop_source events_source, sock_source;

	pthread_mutex_t lock;
	uint8_t isr;
	bool msix_on;
	bool active; /* the back end runs the queues */
	bool mapped; /* BAR 0 answers at bar */
	uint64_t bar;
	bool io_on; /* kicks are ioeventfds at io_bar */
	uint64_t io_bar;
	struct virtio_config config;
};

/* --- kicks --- */

static void set_ioeventfds(struct virtio_pci *vp, bool on)
{
	const struct irq *irq = &vp->desc.irq;
	int rc = 0;

	for (unsigned int q = 0; q < vp->desc.n_queues; q++) {
		uint64_t addr = vp->io_bar + PAGE_NOTIFY + q * NOTIFY_STEP;

		rc = on ? irq->ops->ioeventfd_assign(irq->ctx, addr, 0, vp->kicks[q])
			: irq->ops->ioeventfd_deassign(irq->ctx, addr, 0, vp->kicks[q]);
		/* Without it the kick takes the long way through bar_write(). */
		if (rc)
			log_limited(LOG_WARN, vp->name, "ioeventfd: %s", strerror(-rc));
	}
	vp->io_on = on;
}

/* update_ioeventfds() - they exist while the queues run and the BAR answers. Under the lock. */
static void update_ioeventfds(struct virtio_pci *vp)
{
	bool want = vp->active && vp->mapped;

	if (vp->io_on && (!want || vp->io_bar != vp->bar))
		set_ioeventfds(vp, false);
	if (want && !vp->io_on) {
		vp->io_bar = vp->bar;
		set_ioeventfds(vp, true);
	}
}

static void set_active(struct virtio_pci *vp, bool active)
{
	pthread_mutex_lock(&vp->lock);
	vp->active = active;
	update_ioeventfds(vp);
	pthread_mutex_unlock(&vp->lock);
}

static void notify(struct virtio_pci *vp, uint64_t off)
{
	uint64_t q = off / NOTIFY_STEP;
	bool active;

	pthread_mutex_lock(&vp->lock);
	active = vp->active;
	pthread_mutex_unlock(&vp->lock);
	if (active && q < vp->desc.n_queues && off % NOTIFY_STEP == 0)
		eventfd_write(vp->kicks[q], 1);
}

/* --- interrupts --- */

static void watch_calls(struct virtio_pci *vp, bool on)
{
	for (uint32_t i = 0; i <= vp->desc.n_queues; i++) {
		struct epoll_event ev = {.events = EPOLLIN, .data.u32 = i};

		if (epoll_ctl(vp->events, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, vp->calls[i], &ev))
			log_limited(LOG_ERROR, vp->name, "epoll_ctl: %s", strerror(errno));
	}
}

/* set_msix() - the guest wrote MSI-X's control: events go to the irqfds or to the main thread. */
static void set_msix(struct virtio_pci *vp, uint16_t control)
{
	bool on = control & PCI_MSIX_ENABLE;

	pthread_mutex_lock(&vp->lock);
	if (on != vp->msix_on) {
		vp->msix_on = on;
		watch_calls(vp, !on);
		vp->isr = 0;
		pci_set_intx(&vp->pci, false);
	}
	msix_set_control(vp->msix, control);
	pthread_mutex_unlock(&vp->lock);
}

/* raise_intx() - one call eventfd was signalled while MSI-X is off. Under the lock. */
static void raise_intx(struct virtio_pci *vp, uint32_t call)
{
	eventfd_t n;

	if (eventfd_read(vp->calls[call], &n))
		return;
	vp->isr |= call == vp->desc.n_queues ? VIRTIO_PCI_ISR_CONFIG : VIRTIO_PCI_ISR_QUEUE;
	pci_set_intx(&vp->pci, true);
}

static void on_events(void *ctx, uint32_t events)
{
	struct virtio_pci *vp = ctx;
	struct epoll_event ready[16];
	bool broken = false;
	eventfd_t count;
	int n;

	(void)events;
	pthread_mutex_lock(&vp->lock);
	n = epoll_wait(vp->events, ready, ARRAY_SIZE(ready), 0);
	for (int i = 0; i < n; i++) {
		if (ready[i].data.u32 == ERR_EVENT)
			broken = !eventfd_read(vp->err_fd, &count) && vp->active;
		else if (!vp->msix_on)
			raise_intx(vp, ready[i].data.u32);
	}
	pthread_mutex_unlock(&vp->lock);
	if (broken) {
		log_limited(LOG_WARN, vp->name, "the back end reports a broken ring");
		virtio_common_broken(&vp->common);
	}
}

static uint8_t read_isr(struct virtio_pci *vp)
{
	uint8_t isr;

	pthread_mutex_lock(&vp->lock);
	isr = vp->isr;
	vp->isr = 0;
	pci_set_intx(&vp->pci, false);
	pthread_mutex_unlock(&vp->lock);
	return isr;
}

static uint16_t op_bind(void *ctx, uint32_t queue, uint16_t vector)
{
	struct virtio_pci *vp = ctx;

	return msix_bind(
		vp->msix, queue == VIRTIO_COMMON_CONFIG ? vp->desc.n_queues : queue, vector);
}

static void op_config_interrupt(void *ctx)
{
	struct virtio_pci *vp = ctx;

	eventfd_write(vp->calls[vp->desc.n_queues], 1);
}

/* --- the back end --- */

static unsigned int collect_rings(const struct virtio_pci *vp, struct vhost_user_ring *rings)
{
	unsigned int n = 0;

	for (uint32_t i = 0; i < vp->desc.n_queues; i++) {
		const struct virtio_queue *q = &vp->common.queues[i];

		if (q->enabled)
			rings[n++] = (struct vhost_user_ring){.index = i,
				.size = q->size,
				.desc = q->desc,
				.avail = q->driver,
				.used = q->device,
				.kick = vp->kicks[i],
				.call = vp->calls[i],
				.err = vp->err_fd};
	}
	return n;
}

/* start_rings() - have the back end run what the driver set up. Operation mutex. */
static int start_rings(struct virtio_pci *vp, struct err *e)
{
	struct vhost_user_ring rings[VIRTIO_COMMON_QUEUES];
	unsigned int n = collect_rings(vp, rings);
	int rc = backend_start(&vp->back, vp->common.driver_features, rings, n, e);

	/* One that died in between is found by its hangup, and the next one starts all this. */
	return rc && vp->desc.died && !vp->lost && backend_gone(&vp->back) ? 0 : rc;
}

static int op_activate(void *ctx)
{
	struct virtio_pci *vp = ctx;
	struct err e = ERR_INIT;
	int rc;

	set_active(vp, true);
	rc = start_rings(vp, &e);
	if (rc)
		log_limited(LOG_WARN, vp->name, "start: %s", e.text);
	return rc;
}

static void op_reset(void *ctx)
{
	struct virtio_pci *vp = ctx;
	eventfd_t n;

	set_active(vp, false);
	backend_reset(&vp->back);
	for (unsigned int i = 0; i < vp->desc.n_queues; i++)
		eventfd_read(vp->kicks[i], &n);
	for (unsigned int i = 0; i <= vp->desc.n_queues; i++)
		eventfd_read(vp->calls[i], &n);
	eventfd_read(vp->err_fd, &n);
	read_isr(vp);
}

static const struct virtio_common_ops common_ops = {
	.activate = op_activate,
	.reset = op_reset,
	.bind = op_bind,
	.config_interrupt = op_config_interrupt,
};

/* --- device configuration --- */

int virtio_pci_refresh_config(struct virtio_pci *vp, struct err *e)
{
	int rc = virtio_config_fetch(&vp->config, e);

	/* Of a live one the driver may have read a part of what is new. */
	if (rc > 0 || (!rc && vp->desc.config_live))
		virtio_common_changed(&vp->common);
	return rc < 0 ? rc : 0;
}

static void read_live(void *ctx)
{
	struct virtio_pci *vp = ctx;
	struct err e = ERR_INIT;

	if (virtio_config_fetch(&vp->config, &e) < 0)
		log_limited(LOG_DEBUG, vp->name, "configuration: %s", e.text);
}

static uint64_t read_config(struct virtio_pci *vp, uint64_t off, unsigned int len)
{
	if (vp->desc.config_live)
		courier_run_at(vp->desc.courier, read_live, vp);
	return virtio_config_read(&vp->config, off, len);
}

static void write_config(struct virtio_pci *vp, uint64_t off, unsigned int len, uint64_t value)
{
	struct err e = ERR_INIT;

	if (virtio_config_write(&vp->config, off, value, len, &e) < 0)
		log_limited(LOG_DEBUG, vp->name, "configuration: %s", e.text);
}

/* --- a back end's death, and pauses --- */

static void on_hangup(void *ctx, uint32_t events)
{
	struct virtio_pci *vp = ctx;

	(void)events;
	loop_remove(vp->desc.loop, &vp->sock_source);
	if (vp->desc.died && vp->desc.died(vp->desc.died_ctx))
		return;
	log_warn(vp->name, "the back end is gone; the device needs a reset");
	pthread_mutex_lock(&vp->common.operation);
	vp->lost = true;
	virtio_common_broken(&vp->common);
	pthread_mutex_unlock(&vp->common.operation);
}

static int watch_backend(struct virtio_pci *vp, struct err *e)
{
	vp->sock_source =
		(struct loop_source){.fd = backend_fd(&vp->back), .fn = on_hangup, .ctx = vp};
	return loop_add(vp->desc.loop, &vp->sock_source, EPOLLRDHUP, e);
}

/* running() - should the back end run the rings? Operation mutex. */
static bool running(struct virtio_pci *vp)
{
	bool active;

	pthread_mutex_lock(&vp->lock);
	active = vp->active && !vp->suspended && !vp->lost;
	pthread_mutex_unlock(&vp->lock);
	return active && !virtio_common_is_broken(&vp->common);
}

int virtio_pci_replace(struct virtio_pci *vp, int sock, int pidfd, struct err *e)
{
	int rc;

	pthread_mutex_lock(&vp->common.operation);
	loop_remove(vp->desc.loop, &vp->sock_source);
	rc = backend_connect(&vp->back, sock, pidfd, e);
	if (!rc)
		rc = virtio_pci_refresh_config(vp, e);
	if (!rc && running(vp))
		rc = start_rings(vp, e);
	if (!rc)
		rc = watch_backend(vp, e);
	pthread_mutex_unlock(&vp->common.operation);
	return rc;
}

void virtio_pci_suspend(struct virtio_pci *vp)
{
	struct err e = ERR_INIT;

	pthread_mutex_lock(&vp->common.operation);
	if (running(vp) && backend_suspend(&vp->back, &e)) {
		log_warn(vp->name, "pause: %s", e.text);
		backend_kill(&vp->back); /* the one after it goes on from the record */
	}
	vp->suspended = true;
	pthread_mutex_unlock(&vp->common.operation);
}

void virtio_pci_resume(struct virtio_pci *vp)
{
	struct err e = ERR_INIT;

	pthread_mutex_lock(&vp->common.operation);
	vp->suspended = false;
	if (running(vp) && start_rings(vp, &e)) {
		log_warn(vp->name, "resume: %s", e.text);
		virtio_common_broken(&vp->common);
	}
	pthread_mutex_unlock(&vp->common.operation);
}

/* --- BAR and capabilities --- */

static uint64_t op_bar_read(void *ctx, unsigned int bar, uint64_t off, unsigned int len)
{
	struct virtio_pci *vp = ctx;
	uint64_t in = off & 0xfff;

	(void)bar;
	switch (off & ~UINT64_C(0xfff)) {
	case PAGE_COMMON:
		return virtio_common_read(&vp->common, in, len);
	case PAGE_ISR:
		return in ? 0 : read_isr(vp);
	case PAGE_CONFIG:
		return read_config(vp, in, len);
	case PAGE_PBA:
		return msix_pba_read(vp->msix, in, len);
	case PAGE_TABLE:
		return msix_table_read(vp->msix, in, len);
	default:
		return 0;
	}
}

struct slow_write { /* to a register that may talk to the back end */
	struct virtio_pci *vp;
	uint64_t off, value;
	unsigned int len;
};

static void slow_write(void *ctx)
{
	const struct slow_write *w = ctx;

	if (w->off < PAGE_ISR)
		virtio_common_write(&w->vp->common, w->off, w->len, w->value);
	else
		write_config(w->vp, w->off - PAGE_CONFIG, w->len, w->value);
}

static void op_bar_write(
	void *ctx, unsigned int bar, uint64_t off, unsigned int len, uint64_t value)
{
	struct virtio_pci *vp = ctx;
	uint64_t in = off & 0xfff;
	struct slow_write slow = {vp, off, value, len};

	(void)bar;
	switch (off & ~UINT64_C(0xfff)) {
	case PAGE_COMMON:
		if (virtio_common_is_status(in, len))
			courier_run_at(vp->desc.courier, slow_write, &slow);
		else
			virtio_common_write(&vp->common, in, len, value);
		break;
	case PAGE_CONFIG:
		if (range_in(in, len, vp->desc.config_len))
			courier_run_at(vp->desc.courier, slow_write, &slow);
		break;
	case PAGE_NOTIFY:
		notify(vp, in);
		break;
	case PAGE_TABLE:
		msix_table_write(vp->msix, in, len, value);
		break;
	default:
		break;
	}
}

static void op_bar_moved(void *ctx, unsigned int bar, uint64_t addr, bool mapped)
{
	struct virtio_pci *vp = ctx;

	(void)bar;
	pthread_mutex_lock(&vp->lock);
	vp->bar = addr;
	vp->mapped = mapped;
	update_ioeventfds(vp);
	pthread_mutex_unlock(&vp->lock);
}

static void op_cap_written(void *ctx, unsigned int off, unsigned int len)
{
	struct virtio_pci *vp = ctx;
	unsigned int control = vp->msix_cap + 2;

	if (off < control + 2 && off + len > control)
		set_msix(vp, (uint16_t)pci_dev_config_read(&vp->pci, control, 2));
}

static const struct pci_dev_ops pci_ops = {
	.bar_read = op_bar_read,
	.bar_write = op_bar_write,
	.bar_moved = op_bar_moved,
	.cap_written = op_cap_written,
};

static unsigned int add_virtio_cap(
	struct virtio_pci *vp, enum virtio_pci_cfg type, uint32_t offset, uint32_t length)
{
	bool extra = type == VIRTIO_PCI_CFG_NOTIFY || type == VIRTIO_PCI_CFG_ACCESS;
	struct virtio_pci_cap cap = {
		.cap_len = extra ? VIRTIO_PCI_CAP_EXTRA_LEN : VIRTIO_PCI_CAP_LEN,
		.cfg_type = (uint8_t)type,
		.offset = offset,
		.length = length,
		.extra = type == VIRTIO_PCI_CFG_NOTIFY ? NOTIFY_STEP : 0};

	return pci_dev_add_cap(&vp->pci, PCI_CAP_VENDOR, &cap, cap.cap_len - 2u);
}

static void add_caps(struct virtio_pci *vp)
{
	const struct pci_msix_cap msix = {
		.control = vp->desc.n_queues, /* table size - 1: a vector more than queues */
		.table = PAGE_TABLE,
		.pba = PAGE_PBA,
	};

	vp->msix_cap = pci_dev_add_cap(&vp->pci, PCI_CAP_MSIX, &msix, sizeof(msix));
	pci_dev_allow(&vp->pci, vp->msix_cap, (PCI_MSIX_ENABLE | PCI_MSIX_MASK_ALL) << 16);
	add_virtio_cap(vp, VIRTIO_PCI_CFG_COMMON, PAGE_COMMON, sizeof(struct virtio_pci_common));
	add_virtio_cap(vp, VIRTIO_PCI_CFG_ISR, PAGE_ISR, 1);
	add_virtio_cap(vp, VIRTIO_PCI_CFG_NOTIFY, PAGE_NOTIFY, vp->desc.n_queues * NOTIFY_STEP);
	if (vp->desc.config_len)
		add_virtio_cap(vp, VIRTIO_PCI_CFG_DEVICE, PAGE_CONFIG, vp->desc.config_len);
	pci_dev_add_window(&vp->pci, add_virtio_cap(vp, VIRTIO_PCI_CFG_ACCESS, 0, 0));
}

/* --- creation, in the order of the functions below --- */

static void init_pci(struct virtio_pci *vp)
{
	const struct pci_ident ident = {.vendor = VIRTIO_PCI_VENDOR,
		.device = (uint16_t)(VIRTIO_PCI_DEVICE_BASE + vp->desc.virtio_id),
		.sub_vendor = VIRTIO_PCI_VENDOR,
		.sub_id = VIRTIO_PCI_SUB_ID,
		.class_code = vp->desc.class_code,
		.revision = 1,
		.intx = true};

	pci_dev_init(&vp->pci, &ident, &pci_ops, vp);
	pci_dev_add_bar(&vp->pci, 0, BAR_SIZE, 0);
	add_caps(vp);
}

static void init(struct virtio_pci *vp, const struct virtio_pci_desc *desc)
{
	const struct backend_desc back = {.name = vp->name,
		.memory = desc->memory,
		.n_memory = desc->n_memory,
		.timeout_ms = desc->timeout_ms,
		.n_queues = desc->n_queues,
		.own = desc->own};

	vp->desc = *desc;
	snprintf(vp->name, sizeof(vp->name), "%s", desc->name);
	vp->desc.name = vp->name;
	vp->desc.memory = NULL; /* and own: the back end has its copy; the caller's may go */
	backend_init(&vp->back, &back);
	pthread_mutex_init(&vp->lock, NULL);
	virtio_config_init(&vp->config, &vp->back, vp->desc.config_len);
	for (unsigned int i = 0; i < CALLS; i++)
		vp->kicks[i] = vp->calls[i] = -1;
	vp->err_fd = vp->events = vp->events_source.fd = vp->sock_source.fd = -1;
	init_pci(vp);
}

static int check_desc(const struct virtio_pci_desc *d, struct err *e)
{
	if (d->n_queues < 1 || d->n_queues > VIRTIO_COMMON_QUEUES)
		return err_set(e, EINVAL, "%s: %u queues: 1 to %u are possible", d->name,
			d->n_queues, VIRTIO_COMMON_QUEUES);
	if (!d->max_queue_size || d->max_queue_size > VIRTIO_QUEUE_SIZE_MAX ||
		(d->max_queue_size & (d->max_queue_size - 1)))
		return err_set(e, EINVAL, "%s: queue size %u: a power of two up to %u is possible",
			d->name, d->max_queue_size, VIRTIO_QUEUE_SIZE_MAX);
	if (d->config_len > VHOST_USER_CLIENT_CONFIG_MAX)
		return err_set(e, EINVAL, "%s: %u bytes of configuration", d->name, d->config_len);
	return 0;
}

static int make_eventfds(struct virtio_pci *vp, struct err *e)
{
	int rc = fd_event(&vp->err_fd, e);

	for (unsigned int i = 0; i < vp->desc.n_queues && !rc; i++)
		rc = fd_event(&vp->kicks[i], e);
	for (unsigned int i = 0; i <= vp->desc.n_queues && !rc; i++)
		rc = fd_event(&vp->calls[i], e);
	return rc;
}

static int connect_backend(struct virtio_pci *vp, struct err *e)
{
	int rc = backend_connect(&vp->back, fd_take(&vp->desc.sock), fd_take(&vp->desc.pidfd), e);

	return rc ? rc : virtio_config_fetch(&vp->config, e);
}

static void init_common(struct virtio_pci *vp)
{
	uint64_t offered = vp->back.features & ~vp->desc.withheld;
	struct virtio_common_desc d = {.ops = &common_ops,
		.ctx = vp,
		.layout = vp->desc.layout,
		.features = (offered & (VIRTIO_F_DEVICE_MASK | RING_FEATURES)) |
			VIRTIO_F_VERSION_1 | VIRTIO_F_ACCESS_PLATFORM,
		.required = VIRTIO_F_VERSION_1,
		.n_queues = vp->desc.n_queues,
		.max_size = vp->desc.max_queue_size};

	if (vp->desc.require_access_platform)
		d.required |= VIRTIO_F_ACCESS_PLATFORM;
	virtio_common_init(&vp->common, &d);
}

static int make_msix(struct virtio_pci *vp, struct err *e)
{
	struct msix_desc d = {.irq = vp->desc.irq,
		.n_vectors = vp->desc.n_queues + 1u,
		.fds = vp->calls,
		.n_sources = vp->desc.n_queues + 1u};

	return msix_create(&vp->msix, &d, e);
}

static int watch(struct virtio_pci *vp, struct err *e)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.u32 = ERR_EVENT};
	int rc;

	vp->events = epoll_create1(EPOLL_CLOEXEC);
	if (vp->events < 0 || epoll_ctl(vp->events, EPOLL_CTL_ADD, vp->err_fd, &ev))
		return err_sys(e, errno, "%s: epoll", vp->name);
	watch_calls(vp, true);
	vp->events_source = (struct loop_source){.fd = vp->events, .fn = on_events, .ctx = vp};
	rc = loop_add(vp->desc.loop, &vp->events_source, EPOLLIN, e);
	return rc ? rc : watch_backend(vp, e);
}

int virtio_pci_create(struct virtio_pci **out, const struct virtio_pci_desc *desc, struct err *e)
{
	cleanup_fd int sock = desc->sock, pidfd = desc->pidfd;
	struct virtio_pci *vp = calloc(1, sizeof(*vp));

	*out = NULL;
	if (!vp)
		return err_sys(e, ENOMEM, "%s", desc->name);
	init(vp, desc);
	vp->desc.sock = fd_take(&sock);
	vp->desc.pidfd = fd_take(&pidfd);
	if (check_desc(desc, e) || make_eventfds(vp, e) || connect_backend(vp, e) < 0)
		goto fail;
	init_common(vp);
	if (make_msix(vp, e) || watch(vp, e) || pci_attach(desc->pci, &vp->pci, desc->slot, e))
		goto fail;
	*out = vp;
	return 0;
fail:
	virtio_pci_destroy(vp);
	return -e->code;
}

void virtio_pci_destroy(struct virtio_pci *vp)
{
	if (!vp)
		return;
	pci_detach(&vp->pci);
	loop_remove(vp->desc.loop, &vp->events_source);
	loop_remove(vp->desc.loop, &vp->sock_source);
	backend_fini(&vp->back);
	fd_drop(&vp->desc.sock);
	fd_drop(&vp->desc.pidfd);
	msix_destroy(vp->msix);
	if (vp->common.desc.ops)
		virtio_common_fini(&vp->common);
	for (unsigned int i = 0; i < CALLS; i++) {
		fd_drop(&vp->kicks[i]);
		fd_drop(&vp->calls[i]);
	}
	fd_drop(&vp->err_fd);
	fd_drop(&vp->events);
	pthread_mutex_destroy(&vp->lock);
	virtio_config_fini(&vp->config);
	free(vp);
}

unsigned int virtio_pci_slot(const struct virtio_pci *vp)
{
	return vp->pci.slot;
}
