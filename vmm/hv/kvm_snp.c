/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SNP launch on KVM; see vmm/hv/snp.h.
 *
 * Pages reach KVM in runs: neighbours of one type in one call, copied to memory of our own first,
 * so that nobody changes a file between its measurement and its launch. KVM may take a part of a
 * run, and a signal may end a call before its first page: what is left is given again.
 */
#include "vmm/hv/snp.h"

#include "base/log.h"
#include "memory/image.h"
#include "vmm/hv/kvm.h"
#include "vmm/hv/sev_abi.h"
#include "vmm/hv/sev_text.h"
#include "vmm/x86/cpuid_page.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define SNP_TRIES_BUSY 1000 /* calls in a row that KVM asks to repeat */
#define SNP_TRIES_EIO  4    /* EIO without a firmware code: a signal, or a page KVM can't take */
#define SNP_TRIES_PAGE 4    /* corrections of a CPUID page */

_Static_assert(
	SNP_HOST_DATA_LEN == sizeof(((struct hv_snp_launch_finish *)0)->host_data), "HOST_DATA");

/* Types of pages, as launch commands number them. VMSA: none, KVM makes those. */
static const uint8_t snp_types[] = {
	[IMAGE_NORMAL] = HV_SNP_PAGE_NORMAL,
	[IMAGE_VMSA] = 0,
	[IMAGE_ZERO] = HV_SNP_PAGE_ZERO,
	[IMAGE_UNMEASURED] = HV_SNP_PAGE_UNMEASURED,
	[IMAGE_SECRETS] = HV_SNP_PAGE_SECRETS,
	[IMAGE_CPUID] = HV_SNP_PAGE_CPUID,
};

/* Neighbouring parts of one type, parts[first] on. */
struct snp_run {
	const struct image_part *first;
	size_t n;
	uint64_t len;
};

struct snp_state {
	struct hv *hv;
	const struct snp_launch *desc;
	struct snp_counts *counts;
};

/* snp_command() - one launch command. Return: 0 or -errno, the firmware's code in *fw */
static int snp_command(struct hv *hv, uint32_t id, void *data, uint32_t *fw)
{
	struct hv_sev_cmd c = {.id = id, .data = (uintptr_t)data, .sev_fd = (uint32_t)hv->sev_fd};
	int rc = ioctl(hv->vm_fd, KVM_MEMORY_ENCRYPT_OP, &c) < 0 ? -errno : 0;

	*fw = c.error;
	return rc;
}

/* snp_error() - a message with the firmware's code where it gave one */
static int snp_error(struct err *e, int rc, uint32_t fw, const char *what)
{
	const char *hint = sev_text_hint(fw);

	if (!fw)
		return err_sys(e, -rc, "%s", what);
	return err_set(e, -rc, "%s: firmware error %#x (%s)%s%s", what, fw, sev_text_error(fw),
		*hint ? ": " : "", hint);
}

int kvm_snp_init(struct hv *hv, struct err *e)
{
	struct hv_sev_init init = {.vmsa_features = 0};
	uint32_t fw;
	int rc;

	hv->sev_fd = open("/dev/sev", O_RDWR | O_CLOEXEC);
	if (hv->sev_fd < 0)
		return err_sys(e, errno, "/dev/sev");
	rc = snp_command(hv, HV_SEV_INIT2, &init, &fw);
	if (rc == -EBUSY)
		return err_set(e, EBUSY,
			"KVM_SEV_INIT2: all of this host's SNP guests are in use "
			"(kvm_amd's ASIDs; see the BIOS setting for the minimum SEV ASID)");
	if (rc)
		return snp_error(e, rc, fw, "KVM_SEV_INIT2");
	if (!hv->desc.req_certs)
		return 0;
	rc = snp_command(hv, HV_SEV_SNP_ENABLE_REQ_CERTS, NULL, &fw);
	if (rc == -EINVAL)
		return err_set(e, EOPNOTSUPP,
			"--confidential: certs: KVM doesn't ask for certificates here "
			"(KVM_SEV_SNP_ENABLE_REQ_CERTS, Linux 7.0 or later)");
	return rc ? snp_error(e, rc, fw, "KVM_SEV_SNP_ENABLE_REQ_CERTS") : 0;
}

void hv_snp_answer_certs(struct hv_vcpu *vcpu, int rc, uint64_t pages)
{
	struct hv_req_certs *req = (void *)&vcpu->run->io;

	/* KVM takes these values alone. */
	req->ret = !rc ? 0 : rc == -ENOSPC ? ENOSPC : rc == -EAGAIN ? EAGAIN : EIO;
	req->npages = pages;
}

static int snp_start(struct snp_state *s, struct err *e)
{
	struct hv_snp_launch_start start = {.policy = s->desc->policy};
	uint32_t fw;
	int rc = snp_command(s->hv, HV_SEV_SNP_LAUNCH_START, &start, &fw);

	s->counts->ioctls++;
	if (rc == -EINVAL && !fw)
		return err_set(e, EINVAL, "SNP_LAUNCH_START: KVM does not allow policy %#llx",
			(unsigned long long)s->desc->policy);
	return rc ? snp_error(e, rc, fw, "SNP_LAUNCH_START") : 0;
}

/* snp_give() - a run of pages, until KVM has all of it; a CPUID page as firmware last left it */
static int snp_give(struct snp_state *s, struct hv_snp_launch_update *u, uint32_t *fw)
{
	unsigned int busy = 0, eio = 0;

	while (u->len) {
		uint64_t before = u->len;
		int rc = snp_command(s->hv, HV_SEV_SNP_LAUNCH_UPDATE, u, fw);

		s->counts->ioctls++;
		if (!rc && u->len < before) {
			busy = eio = 0;
			continue;
		}
		if (!rc || rc == -EAGAIN || rc == -EINTR) {
			if (++busy >= SNP_TRIES_BUSY)
				return rc ? rc : -EBUSY;
			continue;
		}
		if (rc != -EIO || *fw || ++eio >= SNP_TRIES_EIO)
			return rc;
	}
	return 0;
}

/* snp_corrected() - say what the firmware changed. Return: 0, or -EPERM where that is refused */
static int snp_corrected(
	struct snp_state *s, const uint8_t *before, const uint8_t *after, struct err *e)
{
	struct cpuid_page_entry d[2];
	unsigned int at = 0, n = 0;

	while (cpuid_page_differ(before, after, &at, d)) {
		log_warn("snp",
			"firmware corrects CPUID %#x.%u: %08x %08x %08x %08x becomes %08x %08x %08x %08x",
			d[0].leaf, d[0].subleaf, d[0].regs[0], d[0].regs[1], d[0].regs[2],
			d[0].regs[3], d[1].regs[0], d[1].regs[1], d[1].regs[2], d[1].regs[3]);
		n++;
	}
	s->counts->corrections += n;
	if (!n)
		return err_set(
			e, EINVAL, "the firmware refuses the CPUID page and does not say why");
	if (s->desc->exact_cpuid)
		return err_set(e, EPERM,
			"--require: the firmware offers the guest another CPU: it changed %u CPUID "
			"leaves (see the log)",
			n);
	return 0;
}

/* snp_give_cpuid() - the CPUID page; the firmware may hand it back corrected */
static int snp_give_cpuid(
	struct snp_state *s, const struct hv_snp_launch_update *run, uint8_t *page, struct err *e)
{
	uint8_t before[CPUID_PAGE_LEN];
	struct cpuid_table t = {.head.nent = CPUID_MAX_ENTRIES};
	uint32_t fw = 0;
	int rc;

	if (ioctl(s->desc->first->fd, KVM_GET_CPUID2, &t.head) < 0)
		return err_sys(e, errno, "KVM_GET_CPUID2");
	rc = cpuid_page_fill(page, &t, e);
	if (rc)
		return rc;
	for (unsigned int i = 0; i < SNP_TRIES_PAGE; i++) {
		struct hv_snp_launch_update u = *run;

		memcpy(before, page, sizeof(before));
		rc = snp_give(s, &u, &fw);
		if (rc != -EIO || fw != SEV_INVALID_PARAM)
			break;
		rc = snp_corrected(s, before, page, e);
		if (rc)
			return rc;
		rc = -EIO;
	}
	return rc ? snp_error(e, rc, fw, "SNP_LAUNCH_UPDATE of the CPUID page") : 0;
}

/* snp_give_run() - one run from memory of our own */
static int snp_give_run(
	struct snp_state *s, const struct snp_run *run, uint8_t *copy, struct err *e)
{
	enum image_page type = run->first->type;
	struct hv_snp_launch_update u = {
		.gfn_start = run->first->gpa.v >> PAGE_SHIFT,
		.uaddr = type == IMAGE_ZERO ? 0 : (uintptr_t)copy,
		.len = run->len,
		.type = snp_types[type],
	};
	char what[80];
	uint32_t fw = 0;
	uint64_t at = 0;
	int rc;

	s->counts->runs++;
	s->counts->pages += run->len >> PAGE_SHIFT;
	if (type == IMAGE_CPUID && run->len == PAGE_SIZE)
		return snp_give_cpuid(s, &u, copy, e);
	if (type == IMAGE_CPUID)
		return err_set(e, EINVAL, "firmware: more than one CPUID page in a row");
	for (size_t i = 0; i < run->n; at += run->first[i++].len)
		if (run->first[i].bytes_len)
			memcpy(copy + at, run->first[i].bytes, run->first[i].bytes_len);
	rc = snp_give(s, &u, &fw);
	snprintf(what, sizeof(what), "SNP_LAUNCH_UPDATE of a %s page at %#llx", sev_text_page(type),
		(unsigned long long)u.gfn_start << PAGE_SHIFT);
	return rc ? snp_error(e, rc, fw, what) : 0;
}

static int snp_copy_run(struct snp_state *s, const struct snp_run *run, struct err *e)
{
	uint8_t *copy =
		mmap(NULL, run->len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int rc;

	if (copy == MAP_FAILED)
		return err_sys(e, errno, "launch image");
	rc = snp_give_run(s, run, copy, e);
	munmap(copy, run->len);
	return rc;
}

static int snp_update(struct snp_state *s, const struct image *image, struct err *e)
{
	const struct image_part *end = image->parts + image->n_parts;
	int rc = 0;

	for (const struct image_part *p = image->parts; p < end && !rc;) {
		struct snp_run run = {.first = p};

		do
			run.len += p++->len;
		while (p < end && p->type == run.first->type &&
			p->gpa.v == run.first->gpa.v + run.len);
		run.n = (size_t)(p - run.first);
		if (run.first->type != IMAGE_VMSA)
			rc = snp_copy_run(s, &run, e);
	}
	return rc;
}

/* snp_finish() - measure the vCPUs, check the ID block; nothing can be repeated after a failure */
static int snp_finish(struct snp_state *s, struct err *e)
{
	const struct snp_launch *d = s->desc;
	struct hv_snp_launch_finish f = {
		.id_block_uaddr = (uintptr_t)d->id_block,
		.id_auth_uaddr = (uintptr_t)d->id_auth,
		.id_block_en = d->id_block != NULL,
		.auth_key_en = d->id_block && d->author_key,
	};
	uint32_t fw;
	int rc;

	memcpy(f.host_data, d->host_data, sizeof(f.host_data));
	rc = snp_command(s->hv, HV_SEV_SNP_LAUNCH_FINISH, &f, &fw);
	s->counts->ioctls++;
	return rc ? snp_error(e, rc, fw, "SNP_LAUNCH_FINISH") : 0;
}

int hv_snp_launch(
	struct hv *hv, const struct snp_launch *desc, struct snp_counts *counts, struct err *e)
{
	struct snp_state s = {.hv = hv, .desc = desc, .counts = counts};
	sigset_t all, before;
	int rc;

	*counts = (struct snp_counts){.ioctls = 0};
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = snp_start(&s, e);
	if (!rc)
		rc = snp_update(&s, desc->image, e);
	if (!rc)
		rc = snp_finish(&s, e);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}
