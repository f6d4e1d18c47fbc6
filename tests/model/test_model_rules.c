/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each rule of the model, broken by a raw call. A row tells what the call answers where the rule
 * holds; with the rule off it answers something else, so the test depends on the rule, and the
 * model has counted the breach, which is what a run of the VMM may never have.
 *
 * With a file's name: compares it with the table that --table prints (docs/kvm-rules.md).
 */
#include "base/bytes.h"
#include "tests/model/model.h"
#include "tests/unit/unit.h"
#include "vmm/hv/kvm_abi.h"
#include "vmm/hv/sev_abi.h"
#include "vmm/hv/tdx_abi.h"
#include "vmm/x86/cpuid.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define RAM_PAGES  16
#define PAGE       4096ull
#define POLICY_MBO 0x30000

/* A VM of raw calls, brought to some stage. */
struct world {
	int kvm, sev, vm, vcpu, gmem;
	uint8_t *shared; /* RAM_PAGES at gpa 0 */
	uint8_t *source; /* one page of bytes 1 */
	struct kvm_run *run;
	long (*script)(struct kvm_run *run); /* of the guest; its answer goes to `said` */
	long said;
};

static long call(int fd, unsigned long request, void *arg)
{
	long rc = ioctl(fd, request, arg);

	return rc < 0 ? -errno : rc;
}

static long value(int fd, unsigned long request, unsigned long arg)
{
	return call(fd, request, (void *)arg);
}

static long sev(const struct world *w, uint32_t id, void *data)
{
	struct hv_sev_cmd c = {.id = id, .data = (uintptr_t)data, .sev_fd = (uint32_t)w->sev};

	return call(w->vm, KVM_MEMORY_ENCRYPT_OP, &c);
}

static long tdx(int fd, uint32_t id, uint32_t flags, void *data)
{
	struct hv_tdx_cmd c = {.id = id, .flags = flags, .data = (uintptr_t)data};

	return call(fd, KVM_MEMORY_ENCRYPT_OP, &c);
}

static int guest(void *ctx, unsigned int vcpu, struct kvm_run *run)
{
	struct world *w = ctx;

	(void)vcpu;
	w->run = run;
	w->said = w->script(run);
	return run->exit_reason == HV_EXIT_REASON_MEMORY_FAULT ? -EFAULT : 0;
}

/* --- the stages of worlds --- */

static void make_vm(struct world *w, unsigned long type)
{
	w->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	w->sev = open("/dev/sev", O_RDWR | O_CLOEXEC);
	w->vm = (int)value(w->kvm, KVM_CREATE_VM, type);
	assert_true(w->vm >= 0);
}

static void make_memory(struct world *w)
{
	struct hv_create_guest_memfd c = {.size = RAM_PAGES * PAGE};
	struct hv_memory_region2 r = {.flags = HV_MEM_GUEST_MEMFD,
		.memory_size = RAM_PAGES * PAGE,
		.userspace_addr = (uintptr_t)w->shared};

	w->gmem = (int)call(w->vm, HV_CREATE_GUEST_MEMFD, &c);
	r.guest_memfd = (uint32_t)w->gmem;
	assert_int_equal(call(w->vm, HV_SET_USER_MEMORY_REGION2, &r), 0);
}

static long attribute(const struct world *w, uint64_t page, uint64_t n, bool private)
{
	struct hv_memory_attributes a = {.address = page * PAGE,
		.size = n * PAGE,
		.attributes = private ? HV_MEMORY_ATTRIBUTE_PRIVATE : 0};

	return call(w->vm, HV_SET_MEMORY_ATTRIBUTES, &a);
}

static void snp_vm(struct world *w)
{
	make_vm(w, HV_VM_SNP);
}

static long snp_init(const struct world *w, uint32_t flags)
{
	struct hv_sev_init init = {.flags = flags};

	return sev(w, HV_SEV_INIT2, &init);
}

static long snp_start(const struct world *w, uint64_t policy)
{
	struct hv_snp_launch_start s = {.policy = policy};

	return sev(w, HV_SEV_SNP_LAUNCH_START, &s);
}

static long snp_update(const struct world *w, uint64_t gfn, uint8_t type, void *from)
{
	struct hv_snp_launch_update u = {
		.gfn_start = gfn, .uaddr = (uintptr_t)from, .len = PAGE, .type = type};

	return sev(w, HV_SEV_SNP_LAUNCH_UPDATE, &u);
}

static long snp_finish(const struct world *w)
{
	struct hv_snp_launch_finish f = {.flags = 0};

	return sev(w, HV_SEV_SNP_LAUNCH_FINISH, &f);
}

static void snp_inited(struct world *w)
{
	snp_vm(w);
	assert_int_equal(snp_init(w, 0), 0);
	make_memory(w);
	assert_int_equal(attribute(w, 0, RAM_PAGES, true), 0);
}

static void snp_started(struct world *w)
{
	snp_inited(w);
	assert_int_equal(snp_start(w, POLICY_MBO), 0);
}

static void snp_vcpu(struct world *w)
{
	snp_started(w);
	assert_int_equal(value(w->vm, KVM_CREATE_IRQCHIP, 0), 0);
	w->vcpu = (int)value(w->vm, KVM_CREATE_VCPU, 0);
	assert_true(w->vcpu >= 0);
}

static void snp_runs(struct world *w)
{
	snp_vcpu(w);
	assert_int_equal(snp_update(w, 1, HV_SNP_PAGE_NORMAL, w->source), 0);
	assert_int_equal(snp_update(w, 2, HV_SNP_PAGE_SECRETS, w->source), 0);
	assert_int_equal(snp_finish(w), 0);
}

static void tdx_vm(struct world *w)
{
	struct kvm_enable_cap split = {.cap = KVM_CAP_SPLIT_IRQCHIP, .args = {24}};

	make_vm(w, HV_VM_TDX);
	assert_int_equal(call(w->vm, KVM_ENABLE_CAP, &split), 0);
}

static long tdx_init(const struct world *w, uint64_t attributes)
{
	struct hv_tdx_init_vm *v = calloc(1, sizeof(*v));
	long rc;

	assert_non_null(v);
	v->attributes = attributes;
	v->xfam = 3;
	v->nent = 1;
	v->entries[0] = (struct kvm_cpuid_entry2){.function = 0x80000008, .eax = 48 << 16};
	rc = tdx(w->vm, HV_TDX_INIT_VM, 0, v);
	free(v);
	return rc;
}

static void tdx_vcpu(struct world *w)
{
	tdx_vm(w);
	assert_int_equal(tdx_init(w, 0), 0);
	make_memory(w);
	assert_int_equal(attribute(w, 0, RAM_PAGES, true), 0);
	w->vcpu = (int)value(w->vm, KVM_CREATE_VCPU, 0);
	assert_true(w->vcpu >= 0);
}

static void tdx_vcpu_up(struct world *w)
{
	struct cpuid_table t = {.head.nent = 1, .entries = {{.function = 1, .ecx = 1u << 21}}};

	tdx_vcpu(w);
	assert_int_equal(call(w->vcpu, KVM_SET_CPUID2, &t.head), 0);
	assert_int_equal(tdx(w->vcpu, HV_TDX_INIT_VCPU, 0, NULL), 0);
}

static void tdx_runs(struct world *w)
{
	tdx_vcpu_up(w);
	assert_int_equal(tdx(w->vm, HV_TDX_FINALIZE_VM, 0, NULL), 0);
}

static long tdx_add(const struct world *w, uint64_t page, uint32_t flags)
{
	struct hv_tdx_init_mem_region r = {(uintptr_t)w->source, page * PAGE, 1};

	return tdx(w->vcpu, HV_TDX_INIT_MEM_REGION, flags, &r);
}

/* --- the breaches --- */

static void nothing(struct world *w)
{
	w->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
}

static long r1(struct world *w)
{
	return value(w->kvm, KVM_CREATE_VM, 2) < 0 ? -EINVAL : 0;
}

static long r2(struct world *w)
{
	struct hv_create_guest_memfd c = {.size = PAGE, .flags = HV_GUEST_MEMFD_INIT_SHARED};

	return call(w->vm, HV_CREATE_GUEST_MEMFD, &c) < 0 ? -EINVAL : 0;
}

static long r3(struct world *w)
{
	void *p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, w->gmem, 0);

	return p == MAP_FAILED ? -errno : munmap(p, PAGE);
}

static long r4(struct world *w)
{
	return fallocate(w->gmem, FALLOC_FL_ZERO_RANGE, 0, PAGE) < 0 ? -errno : 0;
}

static long r5(struct world *w)
{
	struct hv_memory_region2 r = {
		.slot = 1, .guest_phys_addr = PAGE, .memory_size = PAGE, .userspace_addr = 0};

	return call(w->vm, HV_SET_USER_MEMORY_REGION2, &r);
}

static long r6(struct world *w)
{
	struct hv_memory_region2 r = {.memory_size = PAGE, .userspace_addr = (uintptr_t)w->shared};

	return call(w->vm, HV_SET_USER_MEMORY_REGION2, &r);
}

static long read_private(struct kvm_run *run)
{
	uint8_t byte = 0;
	long rc = model_guest_read(run, PAGE, true, &byte, 1);

	return rc ? rc : byte;
}

static long said(struct world *w, long (*script)(struct kvm_run *run))
{
	w->script = script;
	value(w->vcpu, KVM_RUN, 0);
	return w->said;
}

static long r7(struct world *w)
{
	close(w->gmem);
	return said(w, read_private);
}

static long r8(struct world *w)
{
	struct hv_memory_attributes a = {.size = PAGE, .flags = 1};

	return call(w->vm, HV_SET_MEMORY_ATTRIBUTES, &a);
}

static long read_unaligned(struct kvm_run *run)
{
	struct hv_memory_fault f;
	uint8_t byte;

	model_guest_read(run, PAGE + 5, false, &byte, 1);
	memcpy(&f, &run->io, sizeof(f));
	return (long)f.gpa;
}

static long r9(struct world *w)
{
	return said(w, read_unaligned);
}

static long read_shared(struct kvm_run *run)
{
	uint8_t byte;

	return model_guest_read(run, PAGE, false, &byte, 1);
}

static long r10(struct world *w)
{
	return said(w, read_shared);
}

static long r12(struct world *w)
{
	struct kvm_enable_cap c = {.cap = KVM_CAP_EXIT_HYPERCALL, .args = {1}};

	return call(w->vm, KVM_ENABLE_CAP, &c);
}

/* To shared and back, without the discard that a VMM owes: poison, not the guest's old bytes. */
static long r14(struct world *w)
{
	attribute(w, 1, 1, false);
	attribute(w, 1, 1, true);
	return said(w, read_private);
}

static long r20(struct world *w)
{
	return snp_init(w, 0);
}

static long r21(struct world *w)
{
	return snp_init(w, 1);
}

static long r22(struct world *w)
{
	return sev(w, 5, w->source);
}

static long r23(struct world *w)
{
	return snp_start(w, 0);
}

static long r24(struct world *w)
{
	snp_update(w, 1, HV_SNP_PAGE_NORMAL, w->source);
	return snp_update(w, 1, HV_SNP_PAGE_NORMAL, w->source);
}

static long r26(struct world *w)
{
	void *p = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long rc = snp_update(w, 1, HV_SNP_PAGE_NORMAL, p);

	munmap(p, PAGE);
	return rc;
}

static long r27(struct world *w)
{
	return snp_update(w, 1, HV_SNP_PAGE_CPUID, w->source); /* a count of 0x01010101 */
}

static long read_secrets(struct kvm_run *run)
{
	uint8_t byte = 0;
	long rc = model_guest_read(run, 2 * PAGE, true, &byte, 1);

	return rc ? rc : byte;
}

static long r28(struct world *w)
{
	return said(w, read_secrets);
}

static long r29(struct world *w)
{
	struct hv_snp_launch_finish f = {.flags = 1};

	return sev(w, HV_SEV_SNP_LAUNCH_FINISH, &f);
}

static long r30(struct world *w)
{
	return snp_finish(w);
}

static long end_quietly(struct kvm_run *run)
{
	run->exit_reason = KVM_EXIT_SHUTDOWN;
	return 0;
}

static long r31(struct world *w)
{
	w->script = end_quietly;
	return value(w->vcpu, KVM_RUN, 0);
}

static long digest_word(void)
{
	uint8_t d[MODEL_DIGEST] = {0};

	model_digest(d);
	return (long)load_le32(d);
}

static long r32(struct world *w)
{
	memset(w->source, 0, PAGE);
	snp_update(w, 1, HV_SNP_PAGE_NORMAL, w->source);
	snp_finish(w);
	return digest_word();
}

static long r33(struct world *w)
{
	return sev(w, HV_SEV_SNP_ENABLE_REQ_CERTS, w->source);
}

static long r40(struct world *w)
{
	return tdx(w->vm, HV_TDX_CAPABILITIES, 1, w->source);
}

static long r41(struct world *w)
{
	return value(w->vm, KVM_CREATE_VCPU, 0) < 0 ? -EIO : 0;
}

static long r42(struct world *w)
{
	return tdx_init(w, 1);
}

static long r43(struct world *w)
{
	return tdx(w->vcpu, HV_TDX_INIT_VCPU, 0, NULL);
}

static long r44(struct world *w)
{
	attribute(w, 1, 1, false);
	return tdx_add(w, 1, 0);
}

static long r45(struct world *w)
{
	assert_int_equal(tdx_add(w, 1, 0), 0);
	tdx(w->vm, HV_TDX_FINALIZE_VM, 0, NULL);
	return digest_word();
}

static long r46(struct world *w)
{
	return tdx(w->vm, HV_TDX_FINALIZE_VM, 0, NULL);
}

static long r47(struct world *w)
{
	return said(w, read_private);
}

static long die(struct kvm_run *run)
{
	run->exit_reason = KVM_EXIT_SYSTEM_EVENT;
	return 0;
}

static long r50(struct world *w)
{
	said(w, die);
	return value(w->vcpu, KVM_RUN, 0);
}

static long r60(struct world *w)
{
	return value(w->vm, KVM_CREATE_IRQCHIP, 0);
}

static long r61(struct world *w)
{
	struct hv_memory_region2 r = {.slot = 1,
		.flags = KVM_MEM_READONLY,
		.guest_phys_addr = PAGE * 64,
		.memory_size = PAGE,
		.userspace_addr = (uintptr_t)w->shared};

	return call(w->vm, HV_SET_USER_MEMORY_REGION2, &r);
}

#define SNP_RUN "model_snp: launch"
#define TDX_RUN "model_tdx: launch"
#define BOTH    "model_snp, model_tdx: launch"

static const struct row {
	unsigned int rule;
	const char *what;
	void (*stage)(struct world *w);
	long (*breach)(struct world *w);
	long answer;
	bool silent; /* not a refusal, so nothing is counted */
	const char *run;
} rows[] = {
	{1, "VM types that the host lacks", nothing, r1, -EINVAL, false, BOTH},
	{2, "flags and size of a guest_memfd", snp_vm, r2, -EINVAL, false, BOTH},
	{3, "nobody maps private memory", snp_inited, r3, -ENODEV, false, BOTH},
	{4, "modes of fallocate", snp_inited, r4, -EOPNOTSUPP, false, BOTH},
	{5, "checks of a memory slot", snp_inited, r5, -EEXIST, false, BOTH},
	{6, "a private slot can't be changed", snp_inited, r6, -EINVAL, false, BOTH},
	{7, "a closed guest_memfd backs nothing", snp_runs, r7, -EFAULT, true, BOTH},
	{8, "checks of attributes", snp_inited, r8, -EINVAL, false, BOTH},
	{9, "form of a memory fault", snp_runs, r9, PAGE, true, BOTH},
	{10, "access of the wrong kind faults", snp_runs, r10, -EFAULT, true, BOTH},
	{12, "hypercalls that can exit", snp_vm, r12, -EINVAL, false, BOTH},
	{14, "a conversion destroys data", snp_runs, r14, MODEL_POISON, true, BOTH},
	{20, "INIT2 once, vCPUs after it", snp_inited, r20, -EPERM, false, SNP_RUN},
	{21, "arguments of INIT2", snp_vm, r21, -EINVAL, false, SNP_RUN},
	{22, "no SEV command for an SNP guest", snp_inited, r22, -EPERM, false, SNP_RUN},
	{23, "policy of LAUNCH_START", snp_inited, r23, -EINVAL, false, SNP_RUN},
	{24, "a page is launched once", snp_started, r24, -EIO, false, SNP_RUN},
	{26, "a source without backing", snp_started, r26, -EIO, false, SNP_RUN},
	{27, "firmware checks the CPUID page", snp_started, r27, -EIO, false, SNP_RUN},
	{28, "firmware fills the secrets page", snp_runs, r28, 0x5e, true, SNP_RUN},
	{29, "arguments of LAUNCH_FINISH", snp_started, r29, -EINVAL, false, SNP_RUN},
	{30, "LAUNCH_FINISH once", snp_runs, r30, -EINVAL, false, SNP_RUN},
	{31, "no KVM_RUN before LAUNCH_FINISH", snp_vcpu, r31, -EINVAL, false, SNP_RUN},
	{32, "launch digest of a page", snp_started, r32, 2312627430, true, SNP_RUN},
	{33, "REQ_CERTS before vCPUs", snp_vcpu, r33, -EINVAL, false, SNP_RUN},
	{40, "arguments of CAPABILITIES", tdx_vm, r40, -EINVAL, false, TDX_RUN},
	{41, "vCPUs after INIT_VM", tdx_vm, r41, -EIO, false, TDX_RUN},
	{42, "attributes of INIT_VM", tdx_vm, r42, -EINVAL, false, TDX_RUN},
	{43, "CPUID before INIT_VCPU", tdx_vcpu, r43, -EINVAL, false, TDX_RUN},
	{44, "a page to add is private", tdx_vcpu_up, r44, -EINVAL, false, TDX_RUN},
	{45, "MRTD of a page", tdx_vcpu_up, r45, 1874844412, true, TDX_RUN},
	{46, "FINALIZE once", tdx_runs, r46, -EINVAL, false, TDX_RUN},
	{47, "memory is accepted before use", tdx_runs, r47, -EPERM, true, TDX_RUN},
	{50, "a TD that gave up stays down", tdx_runs, r50, -EIO, false, TDX_RUN},
	{60, "a TD has local APICs alone", tdx_vm, r60, -EINVAL, false, TDX_RUN},
	{61, "no read-only slot", snp_inited, r61, -EINVAL, false, BOTH},
};

/* Rules that are no check of the model's: shown by runs, or not at all yet. */
static const struct {
	unsigned int rule;
	const char *what, *where;
} others[] = {
	{11, "KVM_PRE_FAULT_MEMORY", "no test: the VMM does not call it"},
	{13, "merging of page state changes", "tests/lab/test_snp.py"},
	{15, "a page is punched when it becomes shared", "no test on the model"},
	{25, "partial progress", "model_snp: launch_goes_on_after_partial_progress"},
	{34, "every section is launched once", "model_snp: model_measures_what_is_predicted"},
	{48, "the TD HOB", "model_vm: td_finds_its_memory_described"},
	{49, "TDVMCALLs", "model_td: td_gets_a_quote_in_memory_that_it_shares; test_quotes"},
	{62, "a reset ends the VM", "no test on the model"},
	{63, "every call may be interrupted",
		"model_snp, model_tdx: launch_leaves_nothing_when_any_call_fails"},
	{64, "a failed launch leaves nothing",
		"model_snp, model_tdx: launch_leaves_nothing_when_any_call_fails"},
};

static long breach(const struct row *row, bool off, unsigned int *counted)
{
	struct world w = {.vcpu = -1, .gmem = -1};
	struct model_config m = {.fail_call = MODEL_NO_CALL, .guest = guest, .ctx = &w};
	struct model_counts n;
	long rc;

	m.off[row->rule] = off;
	model_start(&m);
	w.shared = mmap(
		NULL, RAM_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	w.source = aligned_alloc(PAGE, PAGE);
	assert_non_null(w.source);
	memset(w.source, 1, PAGE);
	row->stage(&w);
	assert_int_equal(model_broken(), 0);
	rc = row->breach(&w);
	model_counts(&n);
	*counted = n.broken[row->rule];
	model_stop();
	munmap(w.shared, RAM_PAGES * PAGE);
	free(w.source);
	return rc;
}

static void rule_is_kept_and_counted(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned int counted;
		long rc = breach(&rows[i], false, &counted);

		if (rc != rows[i].answer || (!counted && !rows[i].silent))
			fail_msg("R%u (%s): answer %ld, counted %u", rows[i].rule, rows[i].what, rc,
				counted);
		rc = breach(&rows[i], true, &counted);
		if (rc == rows[i].answer || counted)
			fail_msg("R%u (%s) is off: answer %ld, counted %u", rows[i].rule,
				rows[i].what, rc, counted);
	}
}

static void table(FILE *to)
{
	fprintf(to,
		"# Rules of KVM, firmware and TDX module in the model hypervisor\n\n"
		"Generated by `test_model_rules --table`; a test compares. \"raw call\": "
		"`tests/model/test_model_rules.c` breaks the\nrule by a raw call, sees the "
		"answer, and sees another one when the rule is off in the model.\n\"no breach\": "
		"the test whose runs of the VMM end with no rule broken.\n\n"
		"| rule | what | when removed from the model | when the VMM breaks it |\n"
		"|---|---|---|---|\n");
	for (unsigned int rule = 1; rule < MODEL_RULES; rule++) {
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
			if (rows[i].rule == rule && rows[i].silent)
				fprintf(to, "| R%u | %s | raw call | - |\n", rule, rows[i].what);
			else if (rows[i].rule == rule)
				fprintf(to, "| R%u | %s | raw call | no breach: %s |\n", rule,
					rows[i].what, rows[i].run);
		for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
			if (others[i].rule == rule)
				fprintf(to, "| R%u | %s | - | %s |\n", rule, others[i].what,
					others[i].where);
	}
}

static const char *doc;

static void table_is_the_one_in_docs(void **state)
{
	char *have, *want;
	size_t n;
	FILE *f = open_memstream(&want, &n);

	(void)state;
	assert_non_null(f);
	table(f);
	fclose(f);
	f = fopen(doc, "re");
	assert_non_null(f);
	have = calloc(1, n + 1);
	assert_non_null(have);
	assert_int_equal(fread(have, 1, n + 1, f), n);
	fclose(f);
	assert_memory_equal(have, want, n);
	free(have);
	free(want);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rule_is_kept_and_counted),
		cmocka_unit_test(table_is_the_one_in_docs),
	};

	if (argc != 2)
		return 2;
	if (!strcmp(argv[1], "--table")) {
		table(stdout);
		return 0;
	}
	doc = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
