/* SPDX-License-Identifier: Apache-2.0 */
/* The common configuration registers; see devices/front/virtio_common.h. */
#include "devices/front/virtio_common.h"

#include "base/log.h"
#include "base/num.h"
#include "devices/wire/virtio_pci.h"
#include "devices/wire/virtio_ring.h"

#include <assert.h>
#include <string.h>

#define DRIVER_BITS                                                                                \
	(VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER | VIRTIO_STATUS_DRIVER_OK |              \
		VIRTIO_STATUS_FEATURES_OK | VIRTIO_STATUS_FAILED)

static void clear(struct virtio_common *c)
{
	c->device_select = c->driver_select = 0;
	c->driver_features = 0;
	c->beyond = c->frozen = false;
	c->status = 0;
	c->queue_select = 0;
	c->config_vector = VIRTIO_PCI_NO_VECTOR;
	for (unsigned int i = 0; i < c->desc.n_queues; i++)
		c->queues[i] = (struct virtio_queue){
			.size = c->desc.max_size, .vector = VIRTIO_PCI_NO_VECTOR};
}

void virtio_common_init(struct virtio_common *c, const struct virtio_common_desc *desc)
{
	assert(desc->n_queues >= 1 && desc->n_queues <= VIRTIO_COMMON_QUEUES);
	memset(c, 0, sizeof(*c));
	c->desc = *desc;
	pthread_mutex_init(&c->operation, NULL);
	pthread_mutex_init(&c->lock, NULL);
	clear(c);
}

void virtio_common_fini(struct virtio_common *c)
{
	pthread_mutex_destroy(&c->lock);
	pthread_mutex_destroy(&c->operation);
}

static struct virtio_queue *selected(struct virtio_common *c)
{
	return c->queue_select < c->desc.n_queues ? &c->queues[c->queue_select] : NULL;
}

/* half() - Return: the 32 feature bits that a select register chooses. */
static uint32_t half(uint64_t features, uint32_t select)
{
	return select < 2 ? (uint32_t)(features >> 32 * select) : 0;
}

static void render(struct virtio_common *c, struct virtio_pci_common *r)
{
	const struct virtio_queue *q = selected(c);

	r->device_feature_select = c->device_select;
	r->device_feature = half(c->desc.features, c->device_select);
	r->driver_feature_select = c->driver_select;
	r->driver_feature = half(c->driver_features, c->driver_select);
	r->config_msix_vector = c->config_vector;
	r->num_queues = c->desc.n_queues;
	r->device_status = c->status;
	r->config_generation = c->generation;
	r->queue_select = c->queue_select;
	r->queue_msix_vector = VIRTIO_PCI_NO_VECTOR;
	if (!q)
		return;
	r->queue_size = q->size;
	r->queue_msix_vector = q->vector;
	r->queue_enable = q->enabled;
	r->queue_notify_off = c->queue_select;
	r->queue_desc = q->desc.v;
	r->queue_driver = q->driver.v;
	r->queue_device = q->device.v;
}

uint64_t virtio_common_read(struct virtio_common *c, uint64_t off, unsigned int len)
{
	struct virtio_pci_common r = {0};
	uint64_t v = 0;

	if (!range_in(off, len, sizeof(r)))
		return 0;
	pthread_mutex_lock(&c->lock);
	render(c, &r);
	pthread_mutex_unlock(&c->lock);
	memcpy(&v, (const uint8_t *)&r + off, len);
	return v;
}

static void write_driver_feature(struct virtio_common *c, uint32_t v)
{
	unsigned int shift = 32 * c->driver_select;

	if (c->status & VIRTIO_STATUS_FEATURES_OK)
		return;
	if (c->driver_select >= 2)
		c->beyond |= v != 0;
	else
		c->driver_features = (c->driver_features & ~((uint64_t)UINT32_MAX << shift)) |
			(uint64_t)v << shift;
}

static void write_queue_size(struct virtio_common *c, struct virtio_queue *q, uint16_t v)
{
	if (v && v <= c->desc.max_size && !(v & (v - 1)))
		q->size = v;
	else
		log_limited(LOG_DEBUG, "virtio", "driver asks for a queue of %u entries", v);
}

/* write_part() - all of a 64-bit register or one half of it. */
static void write_part(gpa_t *reg, uint64_t off, unsigned int len, uint64_t v)
{
	memcpy((uint8_t *)&reg->v + off % 8, &v, len);
}

/* write_queue() - Return: false if off is no register of a queue. */
static bool write_queue(struct virtio_common *c, uint64_t off, unsigned int len, uint64_t v)
{
	struct virtio_queue *q = selected(c);
	bool word = len == 2, address = (len == 4 && off % 4 == 0) || (len == 8 && off % 8 == 0);

	if (off < offsetof(struct virtio_pci_common, queue_size))
		return false;
	if (!q || q->enabled || c->frozen)
		return true;
	if (off == offsetof(struct virtio_pci_common, queue_size) && word)
		write_queue_size(c, q, (uint16_t)v);
	else if (off == offsetof(struct virtio_pci_common, queue_msix_vector) && word)
		q->vector = c->desc.ops->bind(c->desc.ctx, c->queue_select, (uint16_t)v);
	else if (off == offsetof(struct virtio_pci_common, queue_enable) && word)
		q->enabled = v == 1;
	else if (off >= offsetof(struct virtio_pci_common, queue_device) && address)
		write_part(&q->device, off, len, v);
	else if (off >= offsetof(struct virtio_pci_common, queue_driver) && address)
		write_part(&q->driver, off, len, v);
	else if (off >= offsetof(struct virtio_pci_common, queue_desc) && address)
		write_part(&q->desc, off, len, v);
	return true;
}

/* write_plain() - registers other than the status. Under the lock. */
static void write_plain(struct virtio_common *c, uint64_t off, unsigned int len, uint64_t v)
{
	if (write_queue(c, off, len, v))
		return;
	if (off == offsetof(struct virtio_pci_common, device_feature_select) && len == 4)
		c->device_select = (uint32_t)v;
	else if (off == offsetof(struct virtio_pci_common, driver_feature_select) && len == 4)
		c->driver_select = (uint32_t)v;
	else if (off == offsetof(struct virtio_pci_common, driver_feature) && len == 4)
		write_driver_feature(c, (uint32_t)v);
	else if (off == offsetof(struct virtio_pci_common, queue_select) && len == 2)
		c->queue_select = (uint16_t)v;
	else if (off == offsetof(struct virtio_pci_common, config_msix_vector) && len == 2 &&
		!c->frozen)
		c->config_vector =
			c->desc.ops->bind(c->desc.ctx, VIRTIO_COMMON_CONFIG, (uint16_t)v);
}

static bool features_ok(const struct virtio_common *c)
{
	uint64_t extra = c->driver_features & ~c->desc.features;
	uint64_t missing = c->desc.required & ~c->driver_features;

	if (!extra && !missing && !c->beyond)
		return true;
	log_limited(LOG_WARN, "virtio",
		"features refused: 0x%llx not offered, 0x%llx required and not accepted",
		(unsigned long long)extra, (unsigned long long)missing);
	return false;
}

/* area_ok() - Return: true if [at, at+len) is aligned and lies in RAM. */
static bool area_ok(const struct virtio_common *c, gpa_t at, uint64_t len, uint64_t align)
{
	return is_aligned(at.v, align) && layout_contains(c->desc.layout, at, len);
}

static bool queue_ok(const struct virtio_common *c, const struct virtio_queue *q)
{
	if (c->driver_features & VIRTIO_F_RING_PACKED)
		return area_ok(c, q->desc, VRING_DESC_BYTES(q->size), 16) &&
			area_ok(c, q->driver, sizeof(struct vring_packed_event), 4) &&
			area_ok(c, q->device, sizeof(struct vring_packed_event), 4);
	return area_ok(c, q->desc, VRING_DESC_BYTES(q->size), 16) &&
		area_ok(c, q->driver, VRING_AVAIL_BYTES(q->size), 2) &&
		area_ok(c, q->device, VRING_USED_BYTES(q->size), 4);
}

static bool queues_ok(const struct virtio_common *c)
{
	for (unsigned int i = 0; i < c->desc.n_queues; i++) {
		if (!c->queues[i].enabled || queue_ok(c, &c->queues[i]))
			continue;
		log_limited(LOG_WARN, "virtio", "queue %u lies outside of RAM or is unaligned", i);
		return false;
	}
	return true;
}

/* set_broken() - under the lock. */
static void set_broken(struct virtio_common *c)
{
	if (c->status & VIRTIO_STATUS_NEEDS_RESET)
		return;
	c->status |= VIRTIO_STATUS_NEEDS_RESET;
	if (c->status & VIRTIO_STATUS_DRIVER_OK)
		c->desc.ops->config_interrupt(c->desc.ctx);
}

/* start() - the driver set DRIVER_OK. The operation mutex is held, the lock is not. */
static void start(struct virtio_common *c)
{
	bool ok;

	pthread_mutex_lock(&c->lock);
	c->frozen = true;
	ok = queues_ok(c) && !(c->status & VIRTIO_STATUS_NEEDS_RESET);
	pthread_mutex_unlock(&c->lock);
	ok = ok && !c->desc.ops->activate(c->desc.ctx);
	pthread_mutex_lock(&c->lock);
	c->status |= VIRTIO_STATUS_DRIVER_OK;
	if (!ok)
		set_broken(c);
	pthread_mutex_unlock(&c->lock);
}

static void reset(struct virtio_common *c)
{
	c->desc.ops->reset(c->desc.ctx);
	pthread_mutex_lock(&c->lock);
	c->desc.ops->bind(c->desc.ctx, VIRTIO_COMMON_CONFIG, VIRTIO_PCI_NO_VECTOR);
	for (unsigned int i = 0; i < c->desc.n_queues; i++)
		c->desc.ops->bind(c->desc.ctx, i, VIRTIO_PCI_NO_VECTOR);
	clear(c);
	pthread_mutex_unlock(&c->lock);
}

/* add_status() - take new bits but DRIVER_OK. Return: true if DRIVER_OK is new and allowed. */
static bool add_status(struct virtio_common *c, uint8_t v)
{
	uint8_t fresh = (uint8_t)(v & DRIVER_BITS & ~c->status);

	c->status |=
		fresh & (VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER | VIRTIO_STATUS_FAILED);
	if ((fresh & VIRTIO_STATUS_FEATURES_OK) && (c->status & VIRTIO_STATUS_DRIVER) &&
		features_ok(c))
		c->status |= VIRTIO_STATUS_FEATURES_OK;
	return (fresh & VIRTIO_STATUS_DRIVER_OK) && (c->status & VIRTIO_STATUS_FEATURES_OK);
}

static void write_status(struct virtio_common *c, uint8_t v)
{
	bool go = false;

	pthread_mutex_lock(&c->operation);
	if (v) {
		pthread_mutex_lock(&c->lock);
		go = add_status(c, v);
		pthread_mutex_unlock(&c->lock);
	} else {
		reset(c);
	}
	if (go)
		start(c);
	pthread_mutex_unlock(&c->operation);
}

bool virtio_common_is_status(uint64_t off, unsigned int len)
{
	return off == offsetof(struct virtio_pci_common, device_status) && len == 1;
}

void virtio_common_write(struct virtio_common *c, uint64_t off, unsigned int len, uint64_t value)
{
	if (!range_in(off, len, sizeof(struct virtio_pci_common)))
		return;
	if (virtio_common_is_status(off, len)) {
		write_status(c, (uint8_t)value);
		return;
	}
	pthread_mutex_lock(&c->lock);
	write_plain(c, off, len, value);
	pthread_mutex_unlock(&c->lock);
}

void virtio_common_broken(struct virtio_common *c)
{
	pthread_mutex_lock(&c->lock);
	set_broken(c);
	pthread_mutex_unlock(&c->lock);
}

bool virtio_common_is_broken(struct virtio_common *c)
{
	bool broken;

	pthread_mutex_lock(&c->lock);
	broken = c->status & VIRTIO_STATUS_NEEDS_RESET;
	pthread_mutex_unlock(&c->lock);
	return broken;
}

void virtio_common_changed(struct virtio_common *c)
{
	pthread_mutex_lock(&c->lock);
	c->generation++;
	if (c->status & VIRTIO_STATUS_DRIVER_OK)
		c->desc.ops->config_interrupt(c->desc.ctx);
	pthread_mutex_unlock(&c->lock);
}
