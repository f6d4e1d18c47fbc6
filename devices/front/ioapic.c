/* SPDX-License-Identifier: Apache-2.0 */
/* An I/O APIC that sends MSIs; see devices/front/ioapic.h. */
#include "devices/front/ioapic.h"

#include <errno.h>
#include <pthread.h>

/* Intel 82093AA datasheet (290566), section 3 */
#define REG_SELECT 0x00
#define REG_WINDOW 0x10

#define INDEX_ID       0x00
#define INDEX_VERSION  0x01
#define INDEX_ENTRIES  0x10 /* two per pin: low, high */
#define VERSION        (0x11u | (IOAPIC_PINS - 1) << 16)
#define ID_MASK        0x0f000000u
#define ENTRY_MASKED   (UINT64_C(1) << 16)
#define ENTRY_LOGICAL  (UINT64_C(1) << 11)
#define ENTRY_WRITABLE UINT64_C(0xff00000000012fff) /* not: status, remote IRR, trigger mode */
#define DELIVERY_MODE  0x700u
#define DELIVERY_EXT   0x700u /* of a PIC, which is not there */

#define MSI_ADDRESS     UINT64_C(0xfee00000)
#define MSI_DESTINATION 12
#define MSI_LOGICAL     (UINT64_C(1) << 2)

struct ioapic {
	struct ioapic_desc desc;
	struct bus_region region;
	pthread_mutex_t lock; /* over all below */
	uint64_t entries[IOAPIC_PINS];
	uint32_t high, waiting; /* pins: driven so now; with an edge that was not sent */
	uint32_t id;
	uint8_t index;
};

/* ioapic_deliver() - send what waits at a pin that is not masked; under the lock */
static int ioapic_deliver(struct ioapic *io, unsigned int pin)
{
	uint64_t entry = io->entries[pin];
	uint32_t data = (uint32_t)entry & (0xff | DELIVERY_MODE);
	uint64_t address = MSI_ADDRESS | entry >> 56 << MSI_DESTINATION;

	if (!(io->waiting >> pin & 1) || entry & ENTRY_MASKED)
		return 0;
	io->waiting &= ~(UINT32_C(1) << pin);
	if ((data & DELIVERY_MODE) == DELIVERY_EXT)
		return 0;
	return io->desc.send(
		io->desc.ctx, address | (entry & ENTRY_LOGICAL ? MSI_LOGICAL : 0), data);
}

int ioapic_set_line(struct ioapic *io, unsigned int pin, bool high)
{
	uint32_t bit = UINT32_C(1) << pin % IOAPIC_PINS;
	int rc = 0;

	if (pin >= IOAPIC_PINS)
		return -EINVAL;
	pthread_mutex_lock(&io->lock);
	if (high && !(io->high & bit)) {
		io->waiting |= bit;
		rc = ioapic_deliver(io, pin);
	}
	io->high = high ? io->high | bit : io->high & ~bit;
	pthread_mutex_unlock(&io->lock);
	return rc;
}

static uint32_t ioapic_get(const struct ioapic *io)
{
	unsigned int n = io->index - INDEX_ENTRIES;

	if (io->index == INDEX_ID)
		return io->id;
	if (io->index == INDEX_VERSION)
		return VERSION;
	if (io->index < INDEX_ENTRIES || n >= 2 * IOAPIC_PINS)
		return 0;
	return (uint32_t)(io->entries[n / 2] >> (n % 2 * 32));
}

static void ioapic_set(struct ioapic *io, uint32_t value)
{
	unsigned int n = io->index - INDEX_ENTRIES, shift = n % 2 * 32;
	uint64_t *entry;

	if (io->index == INDEX_ID)
		io->id = value & ID_MASK;
	if (io->index < INDEX_ENTRIES || n >= 2 * IOAPIC_PINS)
		return;
	entry = &io->entries[n / 2];
	*entry = (*entry & ~(UINT64_C(0xffffffff) << shift)) | (uint64_t)value << shift;
	*entry &= ENTRY_WRITABLE;
	(void)ioapic_deliver(io, n / 2); /* the guest's own doing if it goes nowhere */
}

static uint64_t ioapic_read(void *ctx, uint64_t off, unsigned int len)
{
	struct ioapic *io = ctx;
	uint64_t value = 0;

	(void)len;
	pthread_mutex_lock(&io->lock);
	if (off == REG_SELECT)
		value = io->index;
	else if (off == REG_WINDOW)
		value = ioapic_get(io);
	pthread_mutex_unlock(&io->lock);
	return value;
}

static void ioapic_write(void *ctx, uint64_t off, unsigned int len, uint64_t value)
{
	struct ioapic *io = ctx;

	pthread_mutex_lock(&io->lock);
	if (off == REG_SELECT)
		io->index = (uint8_t)value;
	else if (off == REG_WINDOW && len >= 4)
		ioapic_set(io, (uint32_t)value);
	pthread_mutex_unlock(&io->lock);
}

static const struct bus_ops ioapic_ops = {.read = ioapic_read, .write = ioapic_write};

int ioapic_create(struct ioapic **out, const struct ioapic_desc *desc, struct err *e)
{
	cleanup_free struct ioapic *io = calloc(1, sizeof(*io));

	*out = NULL;
	if (!io)
		return err_sys(e, ENOMEM, "IOAPIC");
	io->desc = *desc;
	for (unsigned int pin = 0; pin < IOAPIC_PINS; pin++)
		io->entries[pin] = ENTRY_MASKED;
	io->region = (struct bus_region){BUS_MMIO, desc->base, IOAPIC_LEN, &ioapic_ops, io};
	if (bus_add(desc->bus, &io->region, e))
		return err_context(e, "IOAPIC");
	pthread_mutex_init(&io->lock, NULL);
	*out = take_ptr(io);
	return 0;
}

void ioapic_destroy(struct ioapic *io)
{
	if (!io)
		return;
	bus_remove(io->desc.bus, &io->region);
	pthread_mutex_destroy(&io->lock);
	free(io);
}
