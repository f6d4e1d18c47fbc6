/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/devices/fake_irq.h"

#include "tests/unit/unit.h"

#include <errno.h>

#define FIRST_MSI 24

static int set_line(void *ctx, unsigned int gsi, bool level)
{
	struct fake_irq *f = ctx;

	assert_true(gsi < FIRST_MSI);
	if (level && !f->level[gsi])
		f->rises[gsi]++;
	f->level[gsi] = level;
	return 0;
}

static int msi_alloc(void *ctx, unsigned int *gsi)
{
	struct fake_irq *f = ctx;

	for (unsigned int i = FIRST_MSI; i < FAKE_GSIS && !f->no_more_gsis; i++) {
		if (f->allocated[i])
			continue;
		f->allocated[i] = true;
		*gsi = i;
		return 0;
	}
	return -ENOSPC;
}

static int msi_update(void *ctx, unsigned int gsi, const struct irq_msi *msg)
{
	struct fake_irq *f = ctx;

	assert_true(f->allocated[gsi]);
	f->msg[gsi] = *msg;
	return 0;
}

static void msi_free(void *ctx, unsigned int gsi)
{
	struct fake_irq *f = ctx;

	assert_true(f->allocated[gsi]);
	assert_int_equal(f->irqfds[gsi], 0);
	f->allocated[gsi] = false;
}

static int irqfd_assign(void *ctx, unsigned int gsi, int fd)
{
	struct fake_irq *f = ctx;

	assert_true(f->allocated[gsi]);
	f->irqfds[gsi]++;
	f->last_fd[gsi] = fd;
	return 0;
}

static int irqfd_deassign(void *ctx, unsigned int gsi, int fd)
{
	struct fake_irq *f = ctx;

	(void)fd;
	assert_true(f->irqfds[gsi] > 0);
	f->irqfds[gsi]--;
	return 0;
}

static int ioeventfd_assign(void *ctx, uint64_t addr, unsigned int len, int fd)
{
	struct fake_irq *f = ctx;

	(void)len;
	for (unsigned int i = 0; i < f->n_io; i++)
		assert_true(f->io[i].addr != addr);
	assert_true(f->n_io < FAKE_GSIS);
	f->io[f->n_io++] = (struct fake_io){.addr = addr, .fd = fd};
	return 0;
}

static int ioeventfd_deassign(void *ctx, uint64_t addr, unsigned int len, int fd)
{
	struct fake_irq *f = ctx;

	(void)len;
	for (unsigned int i = 0; i < f->n_io; i++) {
		if (f->io[i].addr != addr || f->io[i].fd != fd)
			continue;
		f->io[i] = f->io[--f->n_io];
		return 0;
	}
	fail_msg("ioeventfd at 0x%llx was never assigned", (unsigned long long)addr);
	return -ENOENT;
}

/* Each call above under the lock: vCPU threads call at once. */
#define LOCKED(name, params, args)                                                                 \
	static int locked_##name params                                                            \
	{                                                                                          \
		struct fake_irq *f = ctx;                                                          \
		int rc;                                                                            \
                                                                                                   \
		pthread_mutex_lock(&f->lock);                                                      \
		rc = name args;                                                                    \
		pthread_mutex_unlock(&f->lock);                                                    \
		return rc;                                                                         \
	}

LOCKED(set_line, (void *ctx, unsigned int gsi, bool level), (ctx, gsi, level))
LOCKED(msi_alloc, (void *ctx, unsigned int *gsi), (ctx, gsi))
LOCKED(msi_update, (void *ctx, unsigned int gsi, const struct irq_msi *msg), (ctx, gsi, msg))
LOCKED(irqfd_assign, (void *ctx, unsigned int gsi, int fd), (ctx, gsi, fd))
LOCKED(irqfd_deassign, (void *ctx, unsigned int gsi, int fd), (ctx, gsi, fd))
LOCKED(ioeventfd_assign, (void *ctx, uint64_t addr, unsigned int len, int fd), (ctx, addr, len, fd))
LOCKED(ioeventfd_deassign, (void *ctx, uint64_t addr, unsigned int len, int fd),
	(ctx, addr, len, fd))

static void locked_msi_free(void *ctx, unsigned int gsi)
{
	struct fake_irq *f = ctx;

	pthread_mutex_lock(&f->lock);
	msi_free(ctx, gsi);
	pthread_mutex_unlock(&f->lock);
}

static const struct irq_ops fake_ops = {
	.set_line = locked_set_line,
	.msi_alloc = locked_msi_alloc,
	.msi_update = locked_msi_update,
	.msi_free = locked_msi_free,
	.irqfd_assign = locked_irqfd_assign,
	.irqfd_deassign = locked_irqfd_deassign,
	.ioeventfd_assign = locked_ioeventfd_assign,
	.ioeventfd_deassign = locked_ioeventfd_deassign,
};

struct irq fake_irq_of(struct fake_irq *f)
{
	return (struct irq){.ops = &fake_ops, .ctx = f};
}

unsigned int fake_irq_total(const struct fake_irq *f)
{
	unsigned int n = f->n_io;

	for (unsigned int i = 0; i < FAKE_GSIS; i++)
		n += f->irqfds[i] + f->allocated[i];
	return n;
}
