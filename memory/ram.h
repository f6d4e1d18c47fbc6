/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct ram: the backing objects of guest RAM and where they appear in guest address space.
 *
 * Level off: one sparse memfd holds all RAM and is what devices share; anonymous memory, which the
 *   kernel gives in huge pages, where no device process will ever be.
 * Levels above: three objects.
 *   low      the first MiB, anonymous memory of the monitor, seen at gpa 0 and at the C-bit alias
 *   private  the rest, seen at gpa | C-bit: a guest_memfd, or a memfd where KVM has none
 *   shared   a sparse memfd, seen at gpa from 1 MiB on; the only object that devices get
 *
 * Invariants: 1. the offset of a page in its object is its gpa; 2. descriptor and mapping of the
 * private object never leave this process; 3. after ram_seal() the private descriptor is closed
 * where the object is mapped and the kernel can free its pages through the mapping,
 * and a guest_memfd is mapped read-only (KVM's instruction emulation reads through the mapping;
 * guest writes do not go through it).
 */
#ifndef MEMORY_RAM_H
#define MEMORY_RAM_H

#include "memory/convert.h"
#include "memory/layout.h"

struct image;

/* One memory slot for the hypervisor. */
struct ram_slot {
	uint64_t gpa; /* with the C-bit, if the slot is of the private alias */
	uint64_t len;
	void *host;      /* address in this process */
	int guest_memfd; /* -1: the slot is backed by host alone */
	uint64_t offset; /* in guest_memfd */
	bool private;    /* carries KVM's PRIVATE attribute where the level has attributes */
};

#define RAM_MAX_SLOTS 6

struct ram {
	struct layout layout;
	uint64_t cbit;           /* the mask, 0 at level off and with both sides at one gpa */
	bool dual;               /* both sides at one gpa */
	struct layout_range rom; /* private memory for firmware, outside RAM; len 0: none */
	int shared_fd;           /* -1: anonymous memory */
	int private_fd;          /* -1 at level off and after ram_seal() */
	bool guest_memfd;        /* the private object is one */
	bool mappable;           /* the private object can be mapped here */
	uint8_t *shared, *private, *low; /* mappings; NULL where there is no such object */
	size_t map_len;                  /* of shared and of private */
};

/* How to make a ram. */
struct ram_desc {
	struct layout layout;
	uint64_t cbit;   /* 0: level off */
	int guest_memfd; /* for the private object, of layout.end bytes; taken; -1: use a memfd */
	bool mappable;   /* the guest_memfd has the MMAP flag */
	bool dual;  /* one slot has both sides of a page; needs a guest_memfd, of ram_private_len()
		     */
	bool alone; /* level off: nobody will share RAM with this process */
	struct layout_range rom; /* dual: firmware below 4 GiB; len 0: none */
};

/* ram_private_len() - Return: bytes that the private object needs. */
uint64_t ram_private_len(const struct ram_desc *desc);

/*
 * ram_init() - make the objects. desc->guest_memfd belongs to ram even on failure.
 * Return: 0, or -errno; ram_fini() is allowed then.
 */
int ram_init(struct ram *ram, const struct ram_desc *desc, struct err *e) MUST_CHECK;

/* ram_fini() - unmap and close everything. */
void ram_fini(struct ram *ram);

/* ram_slots() - list the memory slots in out[RAM_MAX_SLOTS]. Return: their number. */
unsigned int ram_slots(const struct ram *ram, struct ram_slot *out);

/*
 * ram_plug_slot() - the slot of a part of the layout's room for more memory, level off.
 * @offset: from its beginning
 * Return: it.
 */
struct ram_slot ram_plug_slot(const struct ram *ram, uint64_t offset, uint64_t len);

/*
 * ram_load() - write a launch image: at a level above off into low and private memory. Touches
 * only the pages that have bytes. A private object that can't be mapped is not written: see
 * vmm/x86/stub.h, which has the guest copy from the shared side, where this function puts it then.
 * Return: 0, -EINVAL if a part is not in RAM.
 */
int ram_load(struct ram *ram, const struct image *image, struct err *e) MUST_CHECK;

/*
 * ram_seal() - loading is over: close the private descriptor and write-protect the mapping.
 * @keep_writable: KVM emulates guest writes through the mapping (a KVM without hardware support)
 * Return: 0 or -errno.
 */
int ram_seal(struct ram *ram, bool keep_writable, struct err *e) MUST_CHECK;

/* ram_discard() - the discard slot of struct convert_ops; ctx is a struct ram. */
int ram_discard(void *ctx, gpa_t gpa, uint64_t len, bool private_side);

/*
 * ram_resident() - count resident bytes of each object, by asking the kernel; for reports.
 * Return: 0 or -errno. Slow: linear in RAM.
 */
int ram_resident(const struct ram *ram, uint64_t *private_bytes, uint64_t *shared_bytes);

#endif
