/* SPDX-License-Identifier: Apache-2.0 */
/* The PCI bus: configuration mechanisms, slots, interrupt lines; see devices/front/pci.h. */
#include "devices/front/pci.h"

#include "base/bytes.h"
#include "base/num.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#define DATA_OFF 4 /* of the data register from the address register */

struct pci_bus {
	struct pci_bus_desc desc;
	struct bus_region mech1, ecam;
	pthread_mutex_t lock; /* slots, address and all configuration spaces */
	struct pci_dev *slots[PCI_SLOTS];
	uint32_t address;             /* mechanism 1 */
	pthread_mutex_t line_lock;    /* asserting, pci_dev.intx */
	uint32_t asserting[PCI_GSIS]; /* bit s: slot s pulls this GSI */
	struct pci_dev bridge;
};

bool pci_in_window(const struct pci_bus *pci, uint64_t addr, uint64_t size)
{
	const struct pci_window *w = &pci->desc.window;

	return addr >= w->base && range_in(addr - w->base, size, w->len);
}

/* drive_line() - bring the GSI in line with the function's pin. Under line_lock. */
static void drive_line(struct pci_bus *pci, struct pci_dev *dev)
{
	unsigned int i = dev->slot % PCI_GSIS;
	uint32_t before = pci->asserting[i], bit = UINT32_C(1) << dev->slot;

	if (dev->intx && !(pci_dev_command(dev) & PCI_COMMAND_INTX_OFF))
		pci->asserting[i] |= bit;
	else
		pci->asserting[i] &= ~bit;
	if (!before != !pci->asserting[i])
		pci->desc.irq.ops->set_line(
			pci->desc.irq.ctx, pci->desc.gsi_base + i, pci->asserting[i]);
}

void pci_set_intx(struct pci_dev *dev, bool level)
{
	struct pci_bus *pci = dev->bus;

	if (!pci)
		return;
	pthread_mutex_lock(&pci->line_lock);
	dev->intx = level;
	drive_line(pci, dev);
	pthread_mutex_unlock(&pci->line_lock);
}

/* in_window_cap() - does [off, off+len) touch the data register of the access window? */
static bool in_window_cap(const struct pci_dev *dev, unsigned int off, unsigned int len)
{
	return dev->window && off < dev->window + 20 && off + len > dev->window + 16;
}

/* Called and returns with the lock held, but lets it go around the access to the device. */
static void use_window(struct pci_bus *pci, struct pci_dev *dev, bool write)
{
	uint8_t cap[20];
	uint32_t value;

	memcpy(cap, dev->config + dev->window, sizeof(cap));
	pthread_mutex_unlock(&pci->lock);
	value = pci_dev_window_access(dev, cap, write);
	pthread_mutex_lock(&pci->lock);
	if (!write)
		store_le32(dev->config + dev->window + 16, value);
}

static uint64_t config_read(
	struct pci_bus *pci, unsigned int slot, unsigned int off, unsigned int len)
{
	uint64_t v = UINT64_MAX;
	struct pci_dev *dev;

	if (off + len > PCI_CONFIG_LEN)
		return v;
	pthread_mutex_lock(&pci->lock);
	dev = pci->slots[slot];
	if (dev) {
		if (in_window_cap(dev, off, len))
			use_window(pci, dev, false);
		pthread_mutex_lock(&pci->line_lock);
		v = pci_dev_config_read(dev, off, len);
		pthread_mutex_unlock(&pci->line_lock);
	}
	pthread_mutex_unlock(&pci->lock);
	return v;
}

static void write_dev(
	struct pci_bus *pci, struct pci_dev *dev, unsigned int off, unsigned int len, uint64_t v)
{
	pthread_mutex_lock(&pci->line_lock);
	pci_dev_config_write(dev, off, len, v);
	drive_line(pci, dev);
	pthread_mutex_unlock(&pci->line_lock);
	if (off < PCI_BAR(PCI_BARS))
		pci_dev_remap(dev, pci->desc.bus, true);
	if (dev->ops && off + len > PCI_HEADER_LEN)
		dev->ops->cap_written(dev->ctx, off, len);
	if (in_window_cap(dev, off, len))
		use_window(pci, dev, true);
}

static void config_write(
	struct pci_bus *pci, unsigned int slot, unsigned int off, unsigned int len, uint64_t v)
{
	if (off + len > PCI_CONFIG_LEN)
		return;
	pthread_mutex_lock(&pci->lock);
	if (pci->slots[slot])
		write_dev(pci, pci->slots[slot], off, len, v);
	pthread_mutex_unlock(&pci->lock);
}

static uint64_t ecam_read(void *ctx, uint64_t off, unsigned int len)
{
	if (off >> 12 & 7) /* function */
		return UINT64_MAX;
	return config_read(ctx, off >> 15 & 31, off & (PCI_ECAM_LEN - 1), len);
}

static void ecam_write(void *ctx, uint64_t off, unsigned int len, uint64_t value)
{
	if (!(off >> 12 & 7))
		config_write(ctx, off >> 15 & 31, off & (PCI_ECAM_LEN - 1), len, value);
}

static const struct bus_ops ecam_ops = {.read = ecam_read, .write = ecam_write};

/* selected() - Return: true if the address register names a function that could be here. */
static bool selected(uint32_t address)
{
	return (address & PCI_MECH1_ENABLE) && !(address & 0x00ffff00 & ~UINT32_C(0xf800));
}

static uint32_t get_address(struct pci_bus *pci)
{
	uint32_t address;

	pthread_mutex_lock(&pci->lock);
	address = pci->address;
	pthread_mutex_unlock(&pci->lock);
	return address;
}

static uint64_t mech1_read(void *ctx, uint64_t off, unsigned int len)
{
	uint32_t address = get_address(ctx);

	if (off == 0 && len == 4)
		return address;
	if (off < DATA_OFF || !selected(address))
		return UINT64_MAX;
	return config_read(ctx, address >> 11 & 31, (address & 0xfc) + (off & 3), len);
}

static void mech1_write(void *ctx, uint64_t off, unsigned int len, uint64_t value)
{
	struct pci_bus *pci = ctx;
	uint32_t address = get_address(pci);

	if (off == 0 && len == 4) {
		pthread_mutex_lock(&pci->lock);
		pci->address = (uint32_t)value & (PCI_MECH1_ENABLE | 0x00fffffc);
		pthread_mutex_unlock(&pci->lock);
	} else if (off >= DATA_OFF && selected(address)) {
		config_write(pci, address >> 11 & 31, (address & 0xfc) + (off & 3), len, value);
	}
}

static const struct bus_ops mech1_ops = {.read = mech1_read, .write = mech1_write};

/* clash() - Return: end of a BAR at home in [addr, addr+size), 0 if there is none. */
static uint64_t clash(const struct pci_bus *pci, uint64_t addr, uint64_t size)
{
	for (unsigned int s = 0; s < PCI_SLOTS; s++)
		for (unsigned int i = 0; pci->slots[s] && i < PCI_BARS; i++) {
			const struct pci_bar *b = &pci->slots[s]->bars[i];

			if (b->size && b->home < addr + size && addr < b->home + b->size)
				return b->home + b->size;
		}
	return 0;
}

/* place() - the lowest aligned address that no BAR is at home at. Return: 0 if there is none. */
static uint64_t place(const struct pci_bus *pci, uint64_t size)
{
	uint64_t addr = align_up(pci->desc.window.base, size), end;

	while (pci_in_window(pci, addr, size)) {
		end = clash(pci, addr, size);
		if (!end)
			return addr;
		addr = align_up(end, size);
	}
	return 0;
}

/* place_bars() - give each BAR its home. The function is in its slot already. */
static int place_bars(struct pci_bus *pci, struct pci_dev *dev)
{
	for (unsigned int i = 0; i < PCI_BARS; i++) {
		struct pci_bar *bar = &dev->bars[i];
		uint32_t flags = load_le32(dev->config + PCI_BAR(i));

		if (!bar->size)
			continue;
		bar->home = place(pci, bar->size);
		if (!bar->home || (!bar->is_64 && bar->home + bar->size > GIB(4)))
			return -ENOSPC;
		store_le32(dev->config + PCI_BAR(i), (uint32_t)bar->home | flags);
		if (bar->is_64)
			store_le32(dev->config + PCI_BAR(i + 1), (uint32_t)(bar->home >> 32));
	}
	return 0;
}

static unsigned int lowest_free(const struct pci_bus *pci)
{
	unsigned int slot = 1;

	while (slot < PCI_SLOTS && pci->slots[slot])
		slot++;
	return slot;
}

static int attach_locked(struct pci_bus *pci, struct pci_dev *dev, unsigned int slot, struct err *e)
{
	if (!slot)
		slot = lowest_free(pci);
	if (slot >= PCI_SLOTS)
		return err_set(e, ENOSPC, "no free PCI slot");
	if (pci->slots[slot])
		return err_set(e, EBUSY, "PCI slot %u is taken", slot);
	dev->slot = slot;
	dev->bus = pci;
	if (dev->config[PCI_INT_PIN])
		dev->config[PCI_INT_LINE] = (uint8_t)(pci->desc.gsi_base + slot % PCI_GSIS);
	pci->slots[slot] = dev;
	if (!place_bars(pci, dev))
		return 0;
	pci->slots[slot] = NULL;
	dev->bus = NULL;
	return err_set(e, ENOSPC, "no room for the BARs of PCI slot %u", slot);
}

int pci_attach(struct pci_bus *pci, struct pci_dev *dev, unsigned int slot, struct err *e)
{
	int rc;

	if (slot >= PCI_SLOTS)
		return err_set(e, EINVAL, "PCI slot %u: there are 31", slot);
	pthread_mutex_lock(&pci->lock);
	rc = attach_locked(pci, dev, slot, e);
	pthread_mutex_unlock(&pci->lock);
	return rc;
}

void pci_detach(struct pci_dev *dev)
{
	struct pci_bus *pci = dev->bus;

	if (!pci)
		return;
	pthread_mutex_lock(&pci->lock);
	pci->slots[dev->slot] = NULL;
	pci_dev_remap(dev, pci->desc.bus, false);
	pthread_mutex_unlock(&pci->lock);
	bus_sync(pci->desc.bus);
	pci_set_intx(dev, false);
	dev->bus = NULL;
}

int pci_bus_create(struct pci_bus **out, const struct pci_bus_desc *desc, struct err *e)
{
	static const struct pci_ident bridge = {.vendor = 0x1b36, /* Red Hat */
		.device = 0x0008,                                 /* a generic PCIe host bridge */
		.class_code = PCI_CLASS_HOST_BRIDGE};
	struct pci_bus *pci = calloc(1, sizeof(*pci));

	*out = NULL;
	if (!pci)
		return err_sys(e, ENOMEM, "PCI bus");
	pci->desc = *desc;
	pthread_mutex_init(&pci->lock, NULL);
	pthread_mutex_init(&pci->line_lock, NULL);
	pci_dev_init(&pci->bridge, &bridge, NULL, NULL);
	pci->slots[0] = &pci->bridge;
	pci->mech1 = (struct bus_region){BUS_PORT, desc->port, PCI_MECH1_PORTS, &mech1_ops, pci};
	pci->ecam = (struct bus_region){BUS_MMIO, desc->ecam, PCI_ECAM_BYTES, &ecam_ops, pci};
	if (bus_add(desc->bus, &pci->mech1, e) || bus_add(desc->bus, &pci->ecam, e))
		goto fail;
	*out = pci;
	return 0;
fail:
	pci_bus_destroy(pci);
	return err_context(e, "PCI bus");
}

void pci_bus_destroy(struct pci_bus *pci)
{
	if (!pci)
		return;
	bus_remove(pci->desc.bus, &pci->mech1);
	bus_remove(pci->desc.bus, &pci->ecam);
	pthread_mutex_destroy(&pci->line_lock);
	pthread_mutex_destroy(&pci->lock);
	free(pci);
}
