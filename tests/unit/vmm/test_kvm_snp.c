/* SPDX-License-Identifier: Apache-2.0 */
/* The SNP launch against a KVM of our own: ioctl() is replaced, see meson.build. */
#include "memory/image.h"
#include "tests/unit/unit.h"
#include "vmm/hv/kvm.h"
#include "vmm/hv/sev_abi.h"
#include "vmm/hv/sev_text.h"
#include "vmm/hv/snp.h"
#include "vmm/x86/cpuid_page.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>

enum { VM_FD = 1000, SEV_FD, VCPU_FD };

/* What the fake KVM does, and what it saw. */
static struct {
	uint64_t at_most;    /* bytes that one UPDATE takes; 0: all */
	int error;           /* UPDATEs end with this errno ... */
	unsigned int errors; /* ... this many times before each that works */
	unsigned int left;
	uint32_t fw;  /* the firmware's code beside the error */
	bool correct; /* the CPUID page is corrected once */
	unsigned int starts, updates, finishes, taken;
	uint64_t pages, next[8];
	uint8_t host_data;
} kvm;

static int refuse(int error)
{
	errno = error;
	return -1;
}

static int update(struct hv_sev_cmd *c)
{
	struct hv_snp_launch_update *u = (void *)(uintptr_t)c->data;
	uint64_t len = kvm.at_most ? min_u64(kvm.at_most, u->len) : u->len;

	kvm.updates++;
	if (kvm.left) {
		kvm.left--;
		c->error = kvm.fw;
		return refuse(kvm.error);
	}
	kvm.left = kvm.errors;
	if (u->type == HV_SNP_PAGE_CPUID && kvm.correct) {
		uint8_t *page = (void *)(uintptr_t)u->uaddr;

		kvm.correct = false;
		page[16 + 24] ^= 1; /* EAX of the first leaf */
		c->error = SEV_INVALID_PARAM;
		return refuse(EIO);
	}
	/* contents go with their address: every page starts with the low byte of its number */
	if (u->type == HV_SNP_PAGE_NORMAL)
		for (uint64_t i = 0; i < len; i += PAGE_SIZE)
			assert_int_equal(((uint8_t *)(uintptr_t)u->uaddr)[i],
				(uint8_t)(u->gfn_start + i / PAGE_SIZE));
	kvm.taken++;
	kvm.pages += len / PAGE_SIZE;
	u->gfn_start += len / PAGE_SIZE;
	u->len -= len;
	if (u->type != HV_SNP_PAGE_ZERO)
		u->uaddr += len;
	return 0;
}

static int encrypt_op(struct hv_sev_cmd *c)
{
	assert_int_equal(c->sev_fd, SEV_FD);
	switch (c->id) {
	case HV_SEV_SNP_LAUNCH_START:
		kvm.starts++;
		return 0;
	case HV_SEV_SNP_LAUNCH_UPDATE:
		return update(c);
	case HV_SEV_SNP_LAUNCH_FINISH:
		kvm.finishes++;
		kvm.host_data = ((struct hv_snp_launch_finish *)(uintptr_t)c->data)->host_data[31];
		return 0;
	}
	return refuse(EINVAL);
}

int __wrap_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...)
{
	struct kvm_cpuid2 *table;
	va_list ap;
	void *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (fd == VM_FD && request == KVM_MEMORY_ENCRYPT_OP)
		return encrypt_op(arg);
	assert_int_equal(fd, VCPU_FD);
	assert_int_equal(request, KVM_GET_CPUID2);
	table = arg;
	table->nent = 1;
	table->entries[0] = (struct kvm_cpuid_entry2){.function = 0, .eax = 0x10};
	return 0;
}

#define BIG (MIB(16) / PAGE_SIZE)

/* 16 MiB in three parts, then zeros, secrets, the CPUID page, and an unmeasured part elsewhere */
static void fill(struct image *image, uint8_t *bytes)
{
	const struct image_part parts[] = {
		{gpa_of(0xff000000), MIB(8), IMAGE_NORMAL, bytes, MIB(8)},
		{gpa_of(0xff800000), MIB(4), IMAGE_NORMAL, bytes + MIB(8), MIB(4)},
		{gpa_of(0xffc00000), MIB(4), IMAGE_NORMAL, bytes + MIB(12), MIB(4)},
		{gpa_of(0x800000), 9 * PAGE_SIZE, IMAGE_ZERO, NULL, 0},
		{gpa_of(0x80d000), PAGE_SIZE, IMAGE_SECRETS, NULL, 0},
		{gpa_of(0x80e000), PAGE_SIZE, IMAGE_CPUID, NULL, 0},
		{gpa_of(0x900000), PAGE_SIZE, IMAGE_UNMEASURED, bytes, 100},
	};
	struct err e = ERR_INIT;

	for (uint64_t i = 0; i < BIG; i++)
		bytes[i * PAGE_SIZE] = (uint8_t)(0xff000 + i);
	image_init(image);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		assert_int_equal(image_add(image, &parts[i], &e), 0);
}

#define RUNS  5
#define PAGES (BIG + 9 + 3)

static int launch(struct snp_counts *counts, bool exact, struct err *e)
{
	static uint8_t bytes[MIB(16)];
	struct hv hv = {.vm_fd = VM_FD, .sev_fd = SEV_FD};
	struct hv_vcpu vcpu = {.fd = VCPU_FD};
	struct snp_launch l = {.first = &vcpu, .exact_cpuid = exact};
	struct image image;
	int rc;

	fill(&image, bytes);
	l.image = &image;
	l.host_data[31] = 7;
	rc = hv_snp_launch(&hv, &l, counts, e);
	image_fini(&image);
	return rc;
}

static int reset(void **state)
{
	(void)state;
	memset(&kvm, 0, sizeof(kvm));
	return 0;
}

static void hv_snp_launch_gives_each_run_at_once(void **state)
{
	struct snp_counts c;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(launch(&c, true, &e), 0);
	assert_int_equal(kvm.pages, PAGES);
	assert_int_equal(c.pages, PAGES);
	assert_int_equal(c.runs, RUNS);
	assert_int_equal(kvm.updates, RUNS); /* one call for 16 MiB */
	assert_int_equal(c.ioctls, RUNS + 2);
	assert_int_equal(kvm.host_data, 7);
}

static void hv_snp_launch_goes_on_when_a_part_is_taken(void **state)
{
	struct snp_counts c;
	struct err e = ERR_INIT;

	(void)state;
	kvm.at_most = MIB(1) + 3 * PAGE_SIZE;
	assert_int_equal(launch(&c, true, &e), 0);
	assert_int_equal(kvm.pages, PAGES);
	assert_int_equal(c.runs, RUNS);
	assert_int_equal(c.ioctls, 2 + 16 + RUNS - 1);
}

static void hv_snp_launch_repeats_what_kvm_wants_repeated(void **state)
{
	static const int errors[] = {EAGAIN, EINTR, EIO};

	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		struct snp_counts c;
		struct err e = ERR_INIT;

		reset(state);
		kvm.at_most = MIB(2);
		kvm.error = errors[i];
		kvm.errors = kvm.left = 3;
		assert_int_equal(launch(&c, true, &e), 0);
		assert_int_equal(kvm.pages, PAGES);
		assert_int_equal(kvm.updates, 4 * kvm.taken);
		assert_int_equal(c.ioctls, kvm.updates + 2);
		assert_int_equal(kvm.finishes, 1);
	}
}

static void hv_snp_launch_gives_up_when_it_never_ends(void **state)
{
	static const struct {
		int error;
		uint32_t fw;
		unsigned int calls;
		const char *says;
	} rows[] = {
		{EAGAIN, 0, 1000, "a normal page at 0xff000000"},
		{EIO, 0, 4, "a normal page at 0xff000000"},
		{EIO, 0x1a, 1, "0x1a (INVALID_PAGE_STATE)"}, /* the firmware has spoken */
		{ENOMEM, 0, 1, "Cannot allocate memory"},
		{EFAULT, 0, 1, "a normal page at 0xff000000"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct snp_counts c;
		struct err e = ERR_INIT;

		reset(state);
		kvm.error = rows[i].error;
		kvm.fw = rows[i].fw;
		kvm.left = UINT32_MAX;
		assert_int_equal(launch(&c, true, &e), -rows[i].error);
		assert_int_equal(kvm.updates, rows[i].calls);
		assert_int_equal(kvm.finishes, 0);
		if (!strstr(e.text, rows[i].says))
			fail_msg("%s: %s", rows[i].says, e.text);
	}
}

static void hv_snp_launch_takes_a_corrected_cpuid_page_unless_exact(void **state)
{
	struct snp_counts c;
	struct err e = ERR_INIT;

	kvm.correct = true;
	assert_int_equal(launch(&c, false, &e), 0);
	assert_int_equal(c.corrections, 1);
	assert_int_equal(c.ioctls, RUNS + 3); /* that page twice */
	assert_true(c.ioctls <= 2 * c.runs + 2);
	reset(state);
	kvm.correct = true;
	assert_int_equal(launch(&c, true, &e), -EPERM);
	assert_int_equal(kvm.finishes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(hv_snp_launch_gives_each_run_at_once, reset),
		cmocka_unit_test_setup(hv_snp_launch_goes_on_when_a_part_is_taken, reset),
		cmocka_unit_test_setup(hv_snp_launch_repeats_what_kvm_wants_repeated, reset),
		cmocka_unit_test_setup(hv_snp_launch_gives_up_when_it_never_ends, reset),
		cmocka_unit_test_setup(
			hv_snp_launch_takes_a_corrected_cpuid_page_unless_exact, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
