/* SPDX-License-Identifier: Apache-2.0 */
/* The model's memory: guest_memfd, slots, attributes and what a guest's accesses find there. */
#include "tests/model/model_int.h"

#include <linux/falloc.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#define FLIP_MAX (UINT64_C(1) << 30) /* bytes of a conversion whose pages are poisoned */

long model_create_gmem(struct model_vm *vm, const struct hv_create_guest_memfd *c)
{
	uint64_t flags =
		vm->type ? HV_GUEST_MEMFD_MMAP : HV_GUEST_MEMFD_MMAP | HV_GUEST_MEMFD_INIT_SHARED;
	struct model_gmem *g;
	struct model_fd *f;

	REFUSE(2, c->flags & ~flags, EINVAL);
	REFUSE(2, !c->size || (int64_t)c->size < 0 || c->size % MODEL_PAGE, EINVAL);
	if (the_model.n_gmems == sizeof(the_model.gmems) / sizeof(the_model.gmems[0]))
		return -ENOMEM;
	g = calloc(1, sizeof(*g));
	f = g ? model_open_fd(MODEL_GMEM, vm, 0) : NULL;
	if (!f) {
		free(g);
		return -EMFILE;
	}
	g->vm = vm;
	g->open = true;
	g->n_pages = c->size / MODEL_PAGE;
	g->chunks = calloc((g->n_pages >> 9) + 1, sizeof(*g->chunks));
	vm->n_gmems_open++;
	f->gmem = the_model.gmems[the_model.n_gmems++] = g;
	return f->fd;
}

/* model_gmem_free() - its last descriptor is closed: contents go, the object stays for its slots */
void model_gmem_free(struct model_gmem *g)
{
	for (uint64_t i = 0; i <= g->n_pages >> 9; i++)
		free(g->chunks[i]);
	free(g->chunks);
	g->chunks = NULL;
	g->open = false;
	g->vm->n_gmems_open--;
}

struct model_page *model_page_of(struct model_gmem *g, uint64_t page, bool make)
{
	if (!g->chunks || page >= g->n_pages)
		return NULL;
	if (!g->chunks[page >> 9] && make)
		g->chunks[page >> 9] = calloc(512, sizeof(struct model_page));
	return g->chunks[page >> 9] ? &g->chunks[page >> 9][page & 511] : NULL;
}

/* Bytes are in the vault, a file that has no mapping anywhere. */
int model_page_write(struct model_page *p, size_t at, const void *from, size_t len)
{
	if (!p->bytes)
		p->bytes = ++the_model.vault_pages;
	if (pwrite(the_model.vault, from, len, (off_t)p->bytes * MODEL_PAGE + (off_t)at) < 0)
		return -EIO;
	return 0;
}

void model_page_read(const struct model_page *p, size_t at, void *to, size_t len)
{
	memset(to, 0, len);
	if (p->bytes &&
		pread(the_model.vault, to, len, (off_t)p->bytes * MODEL_PAGE + (off_t)at) < 0)
		memset(to, MODEL_POISON, len);
}

void model_page_drop(struct model_page *p)
{
	*p = (struct model_page){.bytes = 0};
}

int model_fallocate(struct model_gmem *g, int mode, int64_t offset, int64_t len)
{
	uint64_t first = (uint64_t)offset / MODEL_PAGE, n = (uint64_t)len / MODEL_PAGE;

	REFUSE(4, (mode | FALLOC_FL_PUNCH_HOLE) != (FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE),
		EOPNOTSUPP);
	REFUSE(4, offset < 0 || len <= 0 || offset % MODEL_PAGE || len % MODEL_PAGE, EINVAL);
	if (!(mode & FALLOC_FL_PUNCH_HOLE)) {
		REFUSE(4, first + n > g->n_pages, EINVAL);
		return 0;
	}
	for (uint64_t i = first; i < first + n && i < g->n_pages; i++) {
		struct model_page *p = model_page_of(g, i, false);

		if (!p)
			i |= 511;
		else if (!the_model.config.off[4])
			model_page_drop(p);
	}
	return 0;
}

struct model_slot *model_slot_of(struct model_vm *vm, uint64_t gpa)
{
	for (size_t i = 0; i < MODEL_SLOTS; i++)
		if (vm->slots[i].used &&
			gpa - vm->slots[i].r.guest_phys_addr < vm->slots[i].r.memory_size)
			return &vm->slots[i];
	return NULL;
}

static long region_check_gmem(
	struct model_vm *vm, const struct hv_memory_region2 *r, struct model_gmem **gmem)
{
	int overlap = the_model.config.old_errno ? EINVAL : EEXIST;
	struct model_fd *f = model_find((int)r->guest_memfd);

	REFUSE(5, !f, EBADF);
	REFUSE(5, f && (f->kind != MODEL_GMEM || f->vm != vm), EINVAL);
	if (!f || f->kind != MODEL_GMEM)
		return -EBADF;
	REFUSE(5, r->guest_memfd_offset + r->memory_size > f->gmem->n_pages * MODEL_PAGE, EINVAL);
	for (size_t i = 0; i < MODEL_SLOTS; i++) {
		const struct model_slot *s = &vm->slots[i];

		REFUSE(5,
			s->used && s->gmem == f->gmem &&
				s->r.guest_memfd_offset < r->guest_memfd_offset + r->memory_size &&
				r->guest_memfd_offset < s->r.guest_memfd_offset + s->r.memory_size,
			overlap);
	}
	*gmem = f->gmem;
	return 0;
}

static long region_check(struct model_vm *vm, const struct hv_memory_region2 *r)
{
	const uint32_t log = KVM_MEM_LOG_DIRTY_PAGES | KVM_MEM_READONLY;

	REFUSE(6, r->flags & HV_MEM_GUEST_MEMFD && r->flags & log, EINVAL);
	REFUSE(61, vm->type >= HV_VM_SNP && r->flags & log, EINVAL);
	REFUSE(5, r->flags & ~(log | HV_MEM_GUEST_MEMFD), EINVAL);
	REFUSE(5, (r->memory_size | r->guest_phys_addr | r->userspace_addr) % MODEL_PAGE, EINVAL);
	REFUSE(5, r->flags & HV_MEM_GUEST_MEMFD && r->guest_memfd_offset % MODEL_PAGE, EINVAL);
	REFUSE(61, vm->type && r->slot >> 16, EINVAL);
	REFUSE(5, r->guest_phys_addr + r->memory_size < r->guest_phys_addr, EINVAL);
	return (r->slot & 0xffff) >= MODEL_SLOTS ? -EINVAL : 0;
}

long model_set_region(struct model_vm *vm, const struct hv_memory_region2 *r)
{
	struct model_gmem *gmem = NULL;
	struct model_slot *s;
	long rc = region_check(vm, r);

	if (rc)
		return rc;
	s = &vm->slots[r->slot & 0xffff];
	if (!r->memory_size) {
		REFUSE(5, !s->used, EINVAL);
		s->used = false;
		s->gmem = NULL;
		return 0;
	}
	REFUSE(6, s->used && (s->gmem || r->flags & HV_MEM_GUEST_MEMFD), EINVAL);
	for (size_t i = 0; i < MODEL_SLOTS; i++)
		REFUSE(5,
			vm->slots[i].used && &vm->slots[i] != s &&
				vm->slots[i].r.guest_phys_addr <
					r->guest_phys_addr + r->memory_size &&
				r->guest_phys_addr <
					vm->slots[i].r.guest_phys_addr + vm->slots[i].r.memory_size,
			EEXIST);
	if (r->flags & HV_MEM_GUEST_MEMFD)
		rc = region_check_gmem(vm, r, &gmem);
	if (rc)
		return rc;
	*s = (struct model_slot){.used = true, .r = *r, .gmem = gmem};
	return 0;
}

bool model_is_private(const struct model_vm *vm, uint64_t gfn)
{
	return gfn < MODEL_GFNS && vm->private_bits[gfn / 8] >> gfn % 8 & 1;
}

/* flip_poison() - what is on the side that is left must not be found there again */
static void flip_poison(struct model_vm *vm, uint64_t gfn, bool private)
{
	struct model_slot *s = model_slot_of(vm, gfn * MODEL_PAGE);
	uint8_t poison[MODEL_PAGE];
	uint64_t at;

	if (!s || !s->gmem)
		return;
	at = gfn * MODEL_PAGE - s->r.guest_phys_addr;
	if (private) {
		unsigned char in = 0;
		void *page = (void *)(s->r.userspace_addr + at);

		if (!mincore(page, MODEL_PAGE, &in) && in & 1)
			memset(page, MODEL_POISON, MODEL_PAGE);
	} else {
		struct model_page *p =
			model_page_of(s->gmem, (s->r.guest_memfd_offset + at) / MODEL_PAGE, false);

		memset(poison, MODEL_POISON, sizeof(poison));
		if (p && p->bytes)
			model_page_write(p, 0, poison, sizeof(poison));
	}
}

/* attributes_set() - one bit per page; whole bytes at once where pages need no look */
static void attributes_set(struct model_vm *vm, uint64_t first, uint64_t n, bool private)
{
	bool poison = n * MODEL_PAGE <= FLIP_MAX && !the_model.config.off[14];

	for (uint64_t i = first; i < first + n;) {
		if (!poison && i % 8 == 0 && first + n - i >= 8) {
			uint64_t bytes = (first + n - i) / 8;

			memset(vm->private_bits + i / 8, private ? 0xff : 0, bytes);
			i += bytes * 8;
			continue;
		}
		if (poison && model_is_private(vm, i) != private)
			flip_poison(vm, i, private);
		if (private)
			vm->private_bits[i / 8] |= (uint8_t)(1u << i % 8);
		else
			vm->private_bits[i / 8] &= (uint8_t) ~(1u << i % 8);
		i++;
	}
}

long model_set_attributes(struct model_vm *vm, const struct hv_memory_attributes *a)
{
	if (the_model.config.no_attributes)
		return -ENOTTY;
	REFUSE(8, a->flags, EINVAL);
	REFUSE(8, a->attributes & ~(vm->type ? HV_MEMORY_ATTRIBUTE_PRIVATE : 0), EINVAL);
	REFUSE(8, !a->size || a->address + a->size < a->address, EINVAL);
	REFUSE(8, (a->address | a->size) % MODEL_PAGE, EINVAL);
	if ((a->address + a->size) / MODEL_PAGE > MODEL_GFNS || a->size > MODEL_GFNS * MODEL_PAGE)
		return -ENOMEM;
	attributes_set(vm, a->address / MODEL_PAGE, a->size / MODEL_PAGE, a->attributes != 0);
	return 0;
}

struct model_page *model_launch_page(struct model_vm *vm, uint64_t gfn)
{
	struct model_slot *s = model_slot_of(vm, gfn * MODEL_PAGE);

	if (!s || !s->gmem)
		return NULL;
	return model_page_of(s->gmem,
		(s->r.guest_memfd_offset + gfn * MODEL_PAGE - s->r.guest_phys_addr) / MODEL_PAGE,
		true);
}

bool model_copy_in(uint64_t addr, void *to, size_t len)
{
	struct iovec local = {to, len}, remote = {(void *)addr, len};

	return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == (ssize_t)len;
}

bool model_copy_out(uint64_t addr, const void *from, size_t len)
{
	struct iovec local = {(void *)(uintptr_t)from, len}, remote = {(void *)addr, len};

	return process_vm_writev(getpid(), &local, 1, &remote, 1, 0) == (ssize_t)len;
}

/* --- a guest's accesses --- */

static int guest_fault(struct kvm_run *run, uint64_t gpa, bool private)
{
	struct hv_memory_fault f = {
		.flags = private ? HV_MEMORY_EXIT_PRIVATE : 0,
		.gpa = the_model.config.off[9] ? gpa : gpa & ~(uint64_t)(MODEL_PAGE - 1),
		.size = MODEL_PAGE,
	};

	run->exit_reason = HV_EXIT_REASON_MEMORY_FAULT;
	memcpy(&run->io, &f, sizeof(f));
	return -EFAULT;
}

static struct model_vm *guest_vm(const struct kvm_run *run)
{
	for (unsigned int i = 0; i < the_model.n_vms; i++)
		for (unsigned int v = 0; v < the_model.vms[i]->n_vcpus; v++)
			if (the_model.vms[i]->vcpus[v]->run == run)
				return the_model.vms[i];
	return NULL;
}

/* guest_resolve() - private: the page; shared: its address. Return: 0 or as model_guest_read() */
static int guest_resolve(
	struct kvm_run *run, uint64_t gpa, bool private, struct model_page **page, uint8_t **host)
{
	struct model_vm *vm = guest_vm(run);
	struct model_slot *s = model_slot_of(vm, gpa);

	*page = NULL;
	if (!s && !private)
		return -ENXIO;
	if (s && private && s->gmem && !s->gmem->open && the_model.config.off[7])
		return -ENXIO;
	if (!s || (private && (!s->gmem || !s->gmem->open)) ||
		(model_is_private(vm, gpa / MODEL_PAGE) != private && !the_model.config.off[10]))
		return guest_fault(run, gpa, private);
	if (private) {
		*page = model_launch_page(vm, gpa / MODEL_PAGE);
		if ((*page)->state == PAGE_EMPTY)
			(*page)->state = PAGE_PENDING;
	} else {
		*host = (uint8_t *)s->r.userspace_addr + (gpa - s->r.guest_phys_addr);
	}
	return 0;
}

static int guest_access(struct kvm_run *run, uint64_t gpa, bool private, void *data, long len)
{
	struct model_page *page;
	uint8_t *host = NULL;
	int rc;

	pthread_mutex_lock(&model_lock);
	rc = guest_resolve(run, gpa, private, &page, &host);
	if (!rc && page && page->state == PAGE_PENDING && !the_model.config.off[47])
		rc = -EPERM; /* #VC or #VE: the guest must accept it first */
	if (!rc && page && len < 0)
		model_page_write(page, gpa % MODEL_PAGE, data, (size_t)-len);
	else if (!rc && page)
		model_page_read(page, gpa % MODEL_PAGE, data, (size_t)len);
	else if (!rc && len < 0)
		memcpy(host, data, (size_t)-len);
	else if (!rc)
		memcpy(data, host, (size_t)len);
	pthread_mutex_unlock(&model_lock);
	return rc;
}

int model_guest_read(struct kvm_run *run, uint64_t gpa, bool private, void *to, size_t len)
{
	return guest_access(run, gpa, private, to, (long)len);
}

int model_guest_write(struct kvm_run *run, uint64_t gpa, bool private, const void *from, size_t len)
{
	return guest_access(run, gpa, private, (void *)(uintptr_t)from, -(long)len);
}

int model_guest_accept(struct kvm_run *run, uint64_t gpa)
{
	struct model_page *page;
	uint8_t *host = NULL;
	int rc;

	pthread_mutex_lock(&model_lock);
	rc = guest_resolve(run, gpa, true, &page, &host);
	if (!rc && page->state != PAGE_PENDING)
		rc = -EEXIST;
	if (!rc)
		page->state = PAGE_ACCEPTED;
	pthread_mutex_unlock(&model_lock);
	return rc;
}

int model_guest_map(struct kvm_run *run, uint64_t gpa, uint64_t pages, bool private)
{
	struct model_vm *vm = guest_vm(run);

	if (!vm->hypercalls && !the_model.config.off[12])
		return -ENOSYS;
	run->exit_reason = KVM_EXIT_HYPERCALL;
	run->hypercall.nr = HV_HC_MAP_GPA_RANGE;
	run->hypercall.args[0] = gpa;
	run->hypercall.args[1] = pages;
	run->hypercall.args[2] = private ? HV_HC_MAP_ENCRYPTED : 0;
	run->hypercall.ret = 0;
	return 0;
}
