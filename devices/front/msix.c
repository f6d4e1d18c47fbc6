/* SPDX-License-Identifier: Apache-2.0 */
/* MSI-X; see devices/front/msix.h. */
#include "devices/front/msix.h"

#include "base/log.h"
#include "base/num.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>

struct vector {
	struct pci_msix_entry entry;
	unsigned int gsi;
	unsigned int users; /* sources bound; gsi is valid if not 0 */
};

struct source {
	int fd;
	uint16_t vector; /* MSIX_NONE: unbound */
	bool assigned;   /* fd is an irqfd on the vector's GSI */
};

struct msix {
	struct irq irq;
	pthread_mutex_t lock;
	uint16_t control;
	unsigned int n_vectors, n_sources;
	struct vector *vectors;
	struct source *sources;
};

int msix_create(struct msix **out, const struct msix_desc *desc, struct err *e)
{
	struct msix *m = calloc(1, sizeof(*m));

	assert(desc->n_vectors >= 1 && desc->n_vectors <= PCI_MSIX_MAX);
	*out = NULL;
	if (!m)
		return err_sys(e, ENOMEM, "MSI-X");
	pthread_mutex_init(&m->lock, NULL);
	m->irq = desc->irq;
	m->vectors = calloc(desc->n_vectors, sizeof(*m->vectors));
	m->sources = calloc(desc->n_sources, sizeof(*m->sources));
	if (!m->vectors || !m->sources)
		goto fail;
	m->n_vectors = desc->n_vectors;
	m->n_sources = desc->n_sources;
	for (unsigned int i = 0; i < m->n_vectors; i++)
		m->vectors[i].entry.control = PCI_MSIX_MASKED;
	for (unsigned int i = 0; i < m->n_sources; i++)
		m->sources[i] = (struct source){.fd = desc->fds[i], .vector = MSIX_NONE};
	*out = m;
	return 0;
fail:
	msix_destroy(m);
	return err_sys(e, ENOMEM, "MSI-X");
}

void msix_destroy(struct msix *m)
{
	if (!m)
		return;
	for (unsigned int i = 0; i < m->n_sources; i++)
		msix_bind(m, i, MSIX_NONE);
	pthread_mutex_destroy(&m->lock);
	free(m->vectors);
	free(m->sources);
	free(m);
}

static bool is_live(const struct msix *m, const struct vector *v)
{
	return (m->control & PCI_MSIX_ENABLE) && !(m->control & PCI_MSIX_MASK_ALL) &&
		!(v->entry.control & PCI_MSIX_MASKED);
}

/*
 * connect_source() - make the eventfd an irqfd. What was pending is taken out before and signalled
 * again after, so that it is delivered once and the count stays a true pending bit.
 */
static void connect_source(struct msix *m, struct source *s, unsigned int gsi)
{
	eventfd_t pending = 0;
	int rc;

	if (eventfd_read(s->fd, &pending))
		pending = 0;
	rc = m->irq.ops->irqfd_assign(m->irq.ctx, gsi, s->fd);
	if (rc)
		log_limited(LOG_ERROR, "msix", "irqfd on GSI %u: %s", gsi, strerror(-rc));
	else
		s->assigned = true;
	if (pending)
		eventfd_write(s->fd, 1);
}

static void disconnect_source(struct msix *m, struct source *s, unsigned int gsi)
{
	int rc = m->irq.ops->irqfd_deassign(m->irq.ctx, gsi, s->fd);

	if (rc)
		log_limited(LOG_ERROR, "msix", "irqfd off GSI %u: %s", gsi, strerror(-rc));
	s->assigned = false;
}

static void update_source(struct msix *m, struct source *s)
{
	const struct vector *v;
	bool live;

	if (s->vector == MSIX_NONE)
		return;
	v = &m->vectors[s->vector];
	live = is_live(m, v);
	if (live && !s->assigned)
		connect_source(m, s, v->gsi);
	else if (!live && s->assigned)
		disconnect_source(m, s, v->gsi);
}

static void update_route(struct msix *m, const struct vector *v)
{
	const struct pci_msix_entry *t = &v->entry;
	struct irq_msi msg = {
		.address = (uint64_t)t->addr_hi << 32 | (t->addr_lo & ~3u), .data = t->data};
	int rc;

	if (!v->users || !is_live(m, v))
		return;
	rc = m->irq.ops->msi_update(m->irq.ctx, v->gsi, &msg);
	if (rc)
		log_limited(LOG_ERROR, "msix", "route of GSI %u: %s", v->gsi, strerror(-rc));
}

/* update_vector() - after a change of the entry or the control register: route first, then irqfds.
 */
static void update_vector(struct msix *m, unsigned int i)
{
	update_route(m, &m->vectors[i]);
	for (unsigned int s = 0; s < m->n_sources; s++)
		if (m->sources[s].vector == i)
			update_source(m, &m->sources[s]);
}

void msix_set_control(struct msix *m, uint16_t control)
{
	pthread_mutex_lock(&m->lock);
	control &= PCI_MSIX_ENABLE | PCI_MSIX_MASK_ALL;
	if (control != m->control) {
		m->control = control;
		for (unsigned int i = 0; i < m->n_vectors; i++)
			update_vector(m, i);
	}
	pthread_mutex_unlock(&m->lock);
}

bool msix_enabled(struct msix *m)
{
	bool on;

	pthread_mutex_lock(&m->lock);
	on = m->control & PCI_MSIX_ENABLE;
	pthread_mutex_unlock(&m->lock);
	return on;
}

static void unbind(struct msix *m, struct source *s)
{
	struct vector *v;

	if (s->vector == MSIX_NONE)
		return;
	v = &m->vectors[s->vector];
	if (s->assigned)
		disconnect_source(m, s, v->gsi);
	s->vector = MSIX_NONE;
	if (!--v->users)
		m->irq.ops->msi_free(m->irq.ctx, v->gsi);
}

static void bind_to(struct msix *m, struct source *s, uint16_t vector)
{
	struct vector *v;

	if (vector >= m->n_vectors)
		return;
	v = &m->vectors[vector];
	if (!v->users && m->irq.ops->msi_alloc(m->irq.ctx, &v->gsi)) {
		log_limited(LOG_WARN, "msix", "no GSI left for vector %u", vector);
		return;
	}
	s->vector = vector;
	if (!v->users++)
		update_route(m, v);
	update_source(m, s);
}

uint16_t msix_bind(struct msix *m, unsigned int source, uint16_t vector)
{
	struct source *s = &m->sources[source];
	uint16_t bound;

	assert(source < m->n_sources);
	pthread_mutex_lock(&m->lock);
	if (s->vector != vector) {
		unbind(m, s);
		bind_to(m, s, vector);
	}
	bound = s->vector;
	pthread_mutex_unlock(&m->lock);
	return bound;
}

uint64_t msix_table_read(struct msix *m, uint64_t off, unsigned int len)
{
	uint64_t v = 0;
	uint64_t i = off / sizeof(struct pci_msix_entry);
	unsigned int in = off % sizeof(struct pci_msix_entry);

	if (i >= m->n_vectors || in + len > sizeof(struct pci_msix_entry))
		return 0;
	pthread_mutex_lock(&m->lock);
	memcpy(&v, (const uint8_t *)&m->vectors[i].entry + in, len);
	pthread_mutex_unlock(&m->lock);
	return v;
}

void msix_table_write(struct msix *m, uint64_t off, unsigned int len, uint64_t value)
{
	uint64_t i = off / sizeof(struct pci_msix_entry);
	unsigned int in = off % sizeof(struct pci_msix_entry);
	struct pci_msix_entry *t;

	if (i >= m->n_vectors || (len != 4 && len != 8) || !is_aligned(off, len))
		return;
	pthread_mutex_lock(&m->lock);
	t = &m->vectors[i].entry;
	memcpy((uint8_t *)t + in, &value, len);
	t->control &= PCI_MSIX_MASKED;
	update_vector(m, (unsigned int)i);
	pthread_mutex_unlock(&m->lock);
}

static bool is_pending(const struct msix *m, unsigned int vector)
{
	for (unsigned int i = 0; i < m->n_sources; i++) {
		const struct source *s = &m->sources[i];
		struct pollfd p = {.fd = s->fd, .events = POLLIN};

		if (s->vector == vector && !s->assigned && poll(&p, 1, 0) > 0)
			return true;
	}
	return false;
}

uint64_t msix_pba_read(struct msix *m, uint64_t off, unsigned int len)
{
	uint64_t v = 0;

	pthread_mutex_lock(&m->lock);
	for (unsigned int bit = 0; bit < 8 * len && off * 8 + bit < m->n_vectors; bit++)
		if (is_pending(m, (unsigned int)(off * 8 + bit)))
			v |= UINT64_C(1) << bit;
	pthread_mutex_unlock(&m->lock);
	return v;
}
