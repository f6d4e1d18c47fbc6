/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio-mem: plugs and unplugs blocks until as many are plugged as the device wants, and uses
 * them. First it asks for what a device must refuse. Memory that was unplugged and is plugged again
 * must be zeros. It ends when none is wanted any more, after some was. With `wrong=1` it sends a
 * request that is too short, and ends when the device needs a reset.
 */
#include "guests/lib/guest.h"
#include "guests/lib/io.h"
#include "guests/lib/paging.h"
#include "guests/lib/virtio.h"

const char guest_name[] = "mem";

#define RINGS    0x800000ull
#define REQUEST  0x810000ull
#define RESPONSE 0x811000ull
#define MARK     0x6d6d6d6d6d6d6d6dull
#define BLOCK    0x200000ull

enum { PLUG, UNPLUG, UNPLUG_ALL, STATE };
enum { ACK, NACK, BUSY, ERROR };
enum { PLUGGED, UNPLUGGED, MIXED };

static struct virtio dev;
static uint64_t region, size;

static uint64_t config64(unsigned int off)
{
	uint64_t low = read32(dev.config + off);

	return low | (uint64_t)read32(dev.config + off + 4) << 32;
}

static uint64_t plugged(void)
{
	return config64(40);
}

static uint64_t wanted(void)
{
	return config64(48);
}

static void send(uint32_t len, uint32_t room)
{
	dev.rings->desc[0] = (struct desc){REQUEST, len, DESC_NEXT, 1};
	dev.rings->desc[1] = (struct desc){RESPONSE, room, DESC_WRITE, 0};
	virtio_offer(&dev, 0);
}

/* ask() - Return: the response's type, and a state above it. */
static uint32_t ask(uint16_t type, uint64_t addr, uint16_t n)
{
	uint32_t id, used;

	write64(REQUEST, type);
	write64(REQUEST + 8, addr);
	write64(REQUEST + 16, n);
	write64(RESPONSE, MARK);
	write64(RESPONSE + 8, MARK);
	send(24, 10);
	if (!virtio_wait(&dev, &id, &used))
		guest_fail("the device does not answer", type);
	expect("bytes of a response", used, 10);
	expect("what is behind it", read64(RESPONSE + 8) >> 16, MARK >> 16);
	return (uint32_t)(read64(RESPONSE) & 0xffff) |
		(uint32_t)(read64(RESPONSE + 8) & 0xffff) << 16;
}

static uint32_t state(uint64_t n)
{
	return ask(STATE, region, (uint16_t)n) >> 16;
}

static void nonsense(void)
{
	expect("a block and a half", ask(PLUG, region + BLOCK / 2, 1), ERROR);
	expect("before the region", ask(PLUG, region - BLOCK, 1), ERROR);
	expect("behind the region", ask(PLUG, region + size, 1), ERROR);
	expect("across its end", ask(STATE, region + size - BLOCK, 2), ERROR);
	expect("beyond all", ask(UNPLUG, 0xffffffffffe00000ull, 2), ERROR);
	expect("no blocks", ask(STATE, region, 0), ERROR);
	expect("no such request", ask(77, region, 1), ERROR);
	expect("what is not plugged", ask(UNPLUG, region, 1), ERROR);
	expect("more than is wanted", ask(PLUG, region, (uint16_t)(wanted() / BLOCK + 1)), NACK);
	expect("nothing is plugged", plugged(), 0);
}

static void try_block(uint64_t n, uint64_t value)
{
	uint64_t at = AIMED_WINDOW + n * BLOCK;

	expect("fresh memory", read64(at) | read64(at + BLOCK - 8), 0);
	write64(at, value);
	write64(at + BLOCK - 8, value);
	expect("what was written", read64(at), value);
}

/* follow() - plug or unplug until it is n blocks; in one request up, block by block down */
static void follow(uint64_t now, uint64_t n)
{
	if (n > now) {
		expect("plugged", ask(PLUG, region + now * BLOCK, (uint16_t)(n - now)), ACK);
		expect("plugged twice", ask(PLUG, region + now * BLOCK, 1), ERROR);
	}
	for (uint64_t i = now; i < n; i++)
		try_block(i, MARK + i);
	for (uint64_t i = now; i > n; i--) {
		expect("still there", read64(AIMED_WINDOW + (i - 1) * BLOCK), MARK + i - 1);
		expect("unplugged", ask(UNPLUG, region + (i - 1) * BLOCK, 1), ACK);
	}
	expect("how much is plugged", plugged(), n * BLOCK);
	if (n)
		expect("the state of those", state(n), PLUGGED);
	if (n < size / BLOCK)
		expect("the state of one more", state(n + 1), n ? MIXED : UNPLUGGED);
	print("HAS %u blocks\n", n);
}

static void wrong(void)
{
	uint32_t id, len;

	write64(REQUEST, PLUG);
	send(23, 10);
	while (virtio_wait(&dev, &id, &len))
		;
	expect("needs a reset", virtio_status(&dev) & VIRTIO_STATUS_NEEDS_RESET,
		VIRTIO_STATUS_NEEDS_RESET);
	guest_pass();
}

void guest_main(void)
{
	uint64_t now = 0, n;

	paging_init();
	virtio_find(&dev, VIRTIO_MEM);
	virtio_reset(&dev);
	virtio_negotiate(&dev, 1ull << 1);
	virtio_set_rings(&dev, RINGS);
	virtio_drive(&dev);
	region = config64(16);
	size = config64(24);
	expect("the size of a block", config64(0), BLOCK);
	expect("the usable region", config64(32), size);
	paging_aim(region);
	if (guest_option("wrong", 0))
		wrong();
	nonsense();
	print("READY at %x, %u MiB\n", region, size >> 20);
	do {
		while ((n = wanted() / BLOCK) == now)
			__asm__ volatile("pause");
		follow(now, n);
		now = n;
	} while (n);
	expect("all of nothing", ask(UNPLUG_ALL, 0, 0), ACK);
	guest_pass();
}
