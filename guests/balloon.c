/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A balloon: does what the device's configuration asks for. Pages that go into the balloon must be
 * zeros afterwards, as their backing is gone; their neighbours must be as they were. Then it
 * reports free memory and looks at that. It ends when the balloon was full and is to be empty
 * again. With `wrong=1` it sends what a device must not take, and ends when the device needs a
 * reset.
 */
#include "guests/lib/guest.h"
#include "guests/lib/io.h"
#include "guests/lib/paging.h"
#include "guests/lib/virtio.h"

const char guest_name[] = "balloon";

#define RINGS    0x800000ull  /* a page for each queue */
#define NUMBERS  0x810000ull  /* page numbers for the device */
#define PAGES    0x1000000ull /* what goes into the balloon, and a page on both sides */
#define REPORTED 0x2000000ull /* what is reported as free: 2 MiB */
#define LARGE    0x200000ull
#define MAX      1024u /* pages per request */
#define MARK     0x6b6b6b6b6b6b6b6bull

#define F_DEFLATE_ON_OOM (1ull << 2)
#define F_REPORTING      (1ull << 5)

static struct virtio queues[3]; /* inflate, deflate, report */

static uint32_t wanted(void)
{
	return read32(queues[0].config);
}

static void request(struct virtio *v, uint64_t addr, uint32_t len, uint16_t flags)
{
	uint32_t id, used;

	v->rings->desc[0] = (struct desc){addr, len, flags, 0};
	virtio_offer(v, 0);
	if (!virtio_wait(v, &id, &used))
		guest_fail("the balloon does not answer", v->queue);
}

/* put() - n pages from `at` into the balloon or out of it, the last ones first, as Linux does */
static void put(struct virtio *v, uint64_t at, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		write32(NUMBERS + i * 4, (uint32_t)(at / PAGE) + n - 1 - i);
	request(v, NUMBERS, n * 4, 0);
}

static void mark(uint64_t at, uint64_t len)
{
	for (uint64_t i = 0; i < len; i += PAGE)
		write64(at + i, MARK);
}

static void expect_all(const char *what, uint64_t at, uint64_t len, uint64_t value)
{
	for (uint64_t i = 0; i < len; i += PAGE)
		expect(what, read64(at + i), value);
}

static void inflate(uint32_t n)
{
	uint64_t len = n * PAGE;

	mark(PAGES - PAGE, len + 2 * PAGE);
	for (uint32_t done = 0; done < n; done += MAX)
		put(&queues[0], PAGES + done * PAGE, n - done < MAX ? n - done : MAX);
	write32(queues[0].config + 4, n);
	print("FULL %u pages\n", (uint64_t)n);
	while (wanted() == n)
		__asm__ volatile("pause");
	expect_all("a page before the balloon", PAGES - PAGE, PAGE, MARK);
	expect_all("a page behind the balloon", PAGES + len, PAGE, MARK);
	expect_all("a page of the balloon", PAGES, len, 0);
	for (uint32_t done = 0; done < n; done += MAX)
		put(&queues[1], PAGES + done * PAGE, n - done < MAX ? n - done : MAX);
	write32(queues[0].config + 4, 0);
	print("EMPTY\n");
}

static void report(void)
{
	mark(REPORTED - PAGE, LARGE + 2 * PAGE);
	/* Not whole pages at both ends: these pages stay. */
	request(&queues[2], REPORTED - 8, (uint32_t)LARGE + 16, DESC_WRITE);
	expect_all("a page before what was reported", REPORTED - PAGE, PAGE, MARK);
	expect_all("a page behind what was reported", REPORTED + LARGE, PAGE, MARK);
	expect_all("a page that was reported", REPORTED, LARGE, 0);
	print("REPORTED\n");
}

/* wrong() - numbers of no page are ignored, a chain of the wrong direction breaks the ring */
static void wrong(void)
{
	uint32_t id, len;

	write32(NUMBERS, 0xffffffff);
	write32(NUMBERS + 4, (uint32_t)(0xc0000000 / PAGE));
	write32(NUMBERS + 8, 0xffff); /* the last bytes are no number */
	mark(PAGES, PAGE);
	request(&queues[0], NUMBERS, 11, 0);
	request(&queues[0], NUMBERS, 1, 0);
	expect_all("a page that is not in the balloon", PAGES, PAGE, MARK);
	write32(queues[0].config, 7); /* not the driver's */
	expect("what the balloon should have", wanted(), 0);
	queues[0].rings->desc[0] = (struct desc){NUMBERS, 4, DESC_WRITE, 0};
	virtio_offer(&queues[0], 0);
	while (virtio_wait(&queues[0], &id, &len))
		;
	expect("needs a reset", virtio_status(&queues[0]) & VIRTIO_STATUS_NEEDS_RESET,
		VIRTIO_STATUS_NEEDS_RESET);
	guest_pass();
}

void guest_main(void)
{
	uint32_t n;

	paging_init();
	virtio_find(&queues[0], VIRTIO_BALLOON);
	virtio_reset(&queues[0]);
	virtio_negotiate(&queues[0], F_DEFLATE_ON_OOM | F_REPORTING);
	expect("its features", queues[0].features & (F_DEFLATE_ON_OOM | F_REPORTING),
		F_DEFLATE_ON_OOM | F_REPORTING);
	for (uint16_t i = 0; i < 3; i++) {
		queues[i] = queues[0];
		queues[i].queue = i;
		virtio_set_rings(&queues[i], RINGS + i * PAGE);
	}
	virtio_drive(&queues[0]);
	if (guest_option("wrong", 0))
		wrong();
	print("READY\n");
	report();
	while (!(n = wanted()))
		__asm__ volatile("pause");
	inflate(n);
	guest_pass();
}
