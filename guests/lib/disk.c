/* SPDX-License-Identifier: Apache-2.0 */
/* virtio-blk requests; see guests/lib/disk.h. */
#include "guests/lib/disk.h"

#include "guests/lib/guest.h"
#include "guests/lib/io.h"
#include "guests/lib/paging.h"

void disk_share(void)
{
	if (paging_cbit())
		expect("sharing the disk's pages", convert(DISK_AREA, DISK_PAGES, 0), 0);
}

void disk_chain(struct virtio *v, uint32_t type, uint64_t sector, uint32_t len)
{
	volatile struct disk_header *header = shared_side(DISK_HEADER);
	volatile struct desc *desc = v->rings->desc;
	uint16_t data_flags = type == DISK_OUT ? DESC_NEXT : DESC_NEXT | DESC_WRITE;
	uint16_t n = 0;

	header->type = type;
	header->reserved = 0;
	header->sector = sector;
	write8((uint64_t)shared_side(DISK_STATUS), DISK_NOTHING);
	desc[n].addr = DISK_HEADER;
	desc[n].len = sizeof(*header);
	desc[n].flags = DESC_NEXT;
	desc[n].next = 1;
	n++;
	if (len) {
		desc[n].addr = DISK_DATA;
		desc[n].len = len;
		desc[n].flags = data_flags;
		desc[n].next = 2;
		n++;
	}
	desc[n].addr = DISK_STATUS;
	desc[n].len = 1;
	desc[n].flags = DESC_WRITE;
	desc[n].next = 0;
}

uint8_t disk_request(struct virtio *v, uint32_t type, uint64_t sector, uint32_t len)
{
	uint32_t id, used_len, want_len;
	uint8_t status;

	disk_chain(v, type, sector, len);
	virtio_offer(v, 0);
	if (!virtio_wait(v, &id, &used_len))
		return DISK_NOTHING;
	status = read8((uint64_t)shared_side(DISK_STATUS));
	want_len = type == DISK_OUT || !len ? 1 : len + 1;
	expect("id of the used element", id, 0);
	if (status == DISK_OK)
		expect("length of the used element", used_len, want_len);
	return status;
}
