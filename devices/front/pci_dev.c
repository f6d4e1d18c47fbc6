/* SPDX-License-Identifier: Apache-2.0 */
/* One PCI function; see devices/front/pci_dev.h. */
#include "devices/front/pci_dev.h"

#include "base/bytes.h"
#include "base/log.h"
#include "base/num.h"
#include "devices/front/pci.h"

#include <assert.h>
#include <string.h>

#define COMMAND_BITS                                                                               \
	(PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_OFF | 0x0140u /* PERR, SERR    \
										   */)

void pci_dev_init(struct pci_dev *dev, const struct pci_ident *ident, const struct pci_dev_ops *ops,
	void *ctx)
{
	memset(dev, 0, sizeof(*dev));
	dev->ops = ops;
	dev->ctx = ctx;
	dev->cap_end = PCI_HEADER_LEN;
	store_le16(dev->config + PCI_VENDOR, ident->vendor);
	store_le16(dev->config + PCI_DEVICE, ident->device);
	store_le32(dev->config + PCI_REVISION, ident->class_code << 8 | ident->revision);
	store_le16(dev->config + PCI_SUB_VENDOR, ident->sub_vendor);
	store_le16(dev->config + PCI_SUB_ID, ident->sub_id);
	dev->config[PCI_INT_PIN] = ident->intx;
	pci_dev_allow(dev, PCI_COMMAND, COMMAND_BITS);
	if (ident->intx)
		pci_dev_allow(dev, PCI_INT_LINE, 0xff);
}

void pci_dev_allow(struct pci_dev *dev, unsigned int off, uint32_t mask)
{
	assert(off + 4 <= PCI_CONFIG_LEN);
	store_le32(dev->mask + off, mask);
}

void pci_dev_add_bar(struct pci_dev *dev, unsigned int bar, uint64_t size, unsigned int flags)
{
	bool is_64 = flags & PCI_BAR_IS_64;

	assert(bar < PCI_BARS && size >= 16 && is_aligned(size, size) && !(size & (size - 1)));
	assert(!is_64 || bar + 1 < PCI_BARS);
	dev->bars[bar] = (struct pci_bar){.dev = dev, .size = size, .is_64 = is_64};
	store_le32(dev->config + PCI_BAR(bar), flags);
	pci_dev_allow(dev, PCI_BAR(bar), (uint32_t) ~(size - 1));
	if (is_64)
		pci_dev_allow(dev, PCI_BAR(bar + 1), (uint32_t)(~(size - 1) >> 32));
}

unsigned int pci_dev_add_cap(struct pci_dev *dev, uint8_t id, const void *body, size_t len)
{
	unsigned int off = dev->cap_end;

	assert(off + 2 + len <= PCI_CONFIG_LEN);
	dev->config[off] = id;
	memcpy(dev->config + off + 2, body, len);
	dev->config[dev->last_cap ? dev->last_cap + 1 : PCI_CAP_PTR] = (uint8_t)off;
	dev->config[PCI_STATUS] |= PCI_STATUS_CAPS;
	dev->last_cap = off;
	dev->cap_end = (unsigned int)align_up(off + 2 + len, 4);
	return off;
}

void pci_dev_add_window(struct pci_dev *dev, unsigned int off)
{
	dev->window = off;
	pci_dev_allow(dev, off + 4, 0xff);        /* bar */
	pci_dev_allow(dev, off + 8, UINT32_MAX);  /* offset */
	pci_dev_allow(dev, off + 12, UINT32_MAX); /* length */
	pci_dev_allow(dev, off + 16, UINT32_MAX); /* pci_cfg_data */
}

uint16_t pci_dev_command(const struct pci_dev *dev)
{
	return load_le16(dev->config + PCI_COMMAND);
}

static uint64_t bar_read(void *ctx, uint64_t off, unsigned int len)
{
	struct pci_bar *bar = ctx;
	struct pci_dev *dev = bar->dev;

	return dev->ops->bar_read(dev->ctx, (unsigned int)(bar - dev->bars), off, len);
}

static void bar_write(void *ctx, uint64_t off, unsigned int len, uint64_t value)
{
	struct pci_bar *bar = ctx;
	struct pci_dev *dev = bar->dev;

	dev->ops->bar_write(dev->ctx, (unsigned int)(bar - dev->bars), off, len, value);
}

static const struct bus_ops bar_ops = {.read = bar_read, .write = bar_write};

static uint64_t bar_address(const struct pci_dev *dev, unsigned int i)
{
	uint64_t addr = load_le32(dev->config + PCI_BAR(i)) & ~UINT32_C(0xf);

	if (dev->bars[i].is_64)
		addr |= (uint64_t)load_le32(dev->config + PCI_BAR(i + 1)) << 32;
	return addr;
}

static void unmap_bar(struct pci_dev *dev, struct bus *bus, unsigned int i)
{
	struct pci_bar *bar = &dev->bars[i];

	bar->mapped = false;
	bus_remove(bus, &bar->region);
	dev->ops->bar_moved(dev->ctx, i, bar->region.base, false);
}

static void map_bar(struct pci_dev *dev, struct bus *bus, unsigned int i, uint64_t addr)
{
	struct pci_bar *bar = &dev->bars[i];
	struct err e = ERR_INIT;

	bar->region = (struct bus_region){
		.space = BUS_MMIO, .base = addr, .len = bar->size, .ops = &bar_ops, .ctx = bar};
	if (bus_add(bus, &bar->region, &e)) {
		log_limited(LOG_WARN, "pci", "slot %u BAR %u: %s", dev->slot, i, e.text);
		return;
	}
	bar->mapped = true;
	dev->ops->bar_moved(dev->ctx, i, addr, true);
}

void pci_dev_remap(struct pci_dev *dev, struct bus *bus, bool on)
{
	bool enabled = on && (pci_dev_command(dev) & PCI_COMMAND_MEMORY);

	for (unsigned int i = 0; i < PCI_BARS; i++) {
		struct pci_bar *bar = &dev->bars[i];
		uint64_t addr = bar_address(dev, i);
		bool want = bar->size && enabled && pci_in_window(dev->bus, addr, bar->size);

		if (bar->mapped && (!want || bar->region.base != addr))
			unmap_bar(dev, bus, i);
		if (want && !bar->mapped)
			map_bar(dev, bus, i, addr);
	}
}

uint64_t pci_dev_config_read(const struct pci_dev *dev, unsigned int off, unsigned int len)
{
	uint64_t v = 0;

	memcpy(&v, dev->config + off, len);
	if (dev->intx && off <= PCI_STATUS && off + len > PCI_STATUS)
		v |= (uint64_t)PCI_STATUS_INTX << 8 * (PCI_STATUS - off);
	return v;
}

void pci_dev_config_write(struct pci_dev *dev, unsigned int off, unsigned int len, uint64_t v)
{
	for (unsigned int i = 0; i < len; i++) {
		uint8_t mask = dev->mask[off + i];
		uint8_t byte = (uint8_t)(v >> 8 * i);

		dev->config[off + i] = (uint8_t)((dev->config[off + i] & ~mask) | (byte & mask));
	}
}

uint32_t pci_dev_window_access(struct pci_dev *dev, const uint8_t cap[20], bool write)
{
	unsigned int bar = cap[4];
	uint32_t off = load_le32(cap + 8), len = load_le32(cap + 12);

	if (bar >= PCI_BARS || (len != 1 && len != 2 && len != 4) || !is_aligned(off, len) ||
		!range_in(off, len, dev->bars[bar].size))
		return UINT32_MAX;
	if (!write)
		return (uint32_t)dev->ops->bar_read(dev->ctx, bar, off, len);
	dev->ops->bar_write(
		dev->ctx, bar, off, len, load_le32(cap + 16) & (UINT32_MAX >> (32 - 8 * len)));
	return 0;
}
