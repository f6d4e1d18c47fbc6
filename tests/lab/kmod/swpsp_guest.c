// SPDX-License-Identifier: GPL-2.0
/* LAB ONLY: the scripted guest: what "VMRUN" of an SEV-ES or SNP vCPU does in the lab. */
#include "swpsp_int.h"
#include <linux/debugfs.h>

PAR(bool, idle, false, 0644);	/* a vCPU without a step waits for one; else it ends in SHUTDOWN */

struct step { u32 vcpu, code; u64 info1, info2, ghcb; } __packed;
#define NSTEP 512
static struct step steps[NSTEP];
static struct { u32 vcpu, code; u64 ghcb, vmsa; } entered[NSTEP];
static unsigned int nstep, nentered;
static DEFINE_RAW_SPINLOCK(slock);

/*
 * A step of our own: the guest makes its page at info1 a VMSA, as RMPADJUST does. It enters again
 * at once.
 */
#define STEP_RMPADJUST 0xfffffff0u

static struct step next(u32 vcpu)
{
	struct step s = { .code = swpsp_idle ? SVM_EXIT_INTR : SVM_EXIT_SHUTDOWN };
	unsigned int i;

	for (i = 0; i < nstep; i++)
		if (steps[i].vcpu == vcpu) {
			s = steps[i];
			memmove(steps + i, steps + i + 1, (--nstep - i) * sizeof(s));
			break;
		}
	return s;
}

static u32 asid_of(struct kvm_vcpu *vcpu)
{
	return to_kvm_svm(vcpu->kvm)->sev_info.asid;
}

/* The guest address of the page whose state the vCPU is to be entered with; -1: it has none. */
static u64 vmsa_of(struct kvm_vcpu *vcpu)
{
	u64 pa = to_svm(vcpu)->vmcb->control.vmsa_pa;
	unsigned long v = VALID_PAGE(pa) ? swpsp_rget(pa >> PAGE_SHIFT) : 0;

	if ((v & (R_ASSIGNED | R_VMSA)) != (R_ASSIGNED | R_VMSA) || R_ASID(v) != asid_of(vcpu))
		return -1;
	return (u64)R_GFN(v) << PAGE_SHIFT;
}

/*
 * Called with interrupts off. A vCPU without a step left is interrupted at once, again and again
 * (swpsp_idle), or ends in a shutdown exit.
 */
void swpsp_vmrun(struct kvm_vcpu *vcpu)
{
	struct vmcb_control_area *c = &to_svm(vcpu)->vmcb->control;
	u64 vmsa = vmsa_of(vcpu);
	struct step s;

	raw_spin_lock(&slock);
	s = next(vcpu->vcpu_id);
	while (s.code == STEP_RMPADJUST) {
		swpsp_rmpadjust(s.info1, asid_of(vcpu));
		s = next(vcpu->vcpu_id);
	}
	if (sev_snp_guest(vcpu->kvm) && vmsa == -1)	/* as hardware does */
		s = (struct step) { .vcpu = vcpu->vcpu_id, .code = SVM_EXIT_ERR };
	if (nentered < NSTEP && s.code != SVM_EXIT_INTR) {
		entered[nentered].vcpu = vcpu->vcpu_id;
		entered[nentered].code = s.code;
		entered[nentered].vmsa = vmsa;
		entered[nentered++].ghcb = c->ghcb_gpa;
	}
	raw_spin_unlock(&slock);
	c->exit_code = s.code;
#ifndef SWPSP_SIG	/* newer: one u64 exit_code */
	c->exit_code_hi = s.code == SVM_EXIT_ERR ? -1 : 0;
#endif
	c->exit_info_1 = s.info1;
	c->exit_info_2 = s.info2;
	c->exit_int_info = 0;
	c->event_inj = 0;
	if (s.code == SVM_EXIT_VMGEXIT && s.ghcb)
		c->ghcb_gpa = s.ghcb;
}

static ssize_t script_write(struct file *f, const char __user *u, size_t n, loff_t *p)
{
	struct step *b;

	if (!n || n % sizeof(*b) || n > sizeof(steps))
		return -EINVAL;
	b = memdup_user(u, n);
	if (IS_ERR(b))
		return PTR_ERR(b);
	raw_spin_lock_irq(&slock);
	nstep = n / sizeof(*b);
	nentered = 0;
	memcpy(steps, b, n);
	raw_spin_unlock_irq(&slock);
	kfree(b);
	return n;
}
static const struct file_operations script_fops = { .owner = THIS_MODULE, .open = simple_open, .write = script_write };

/* GHCB MSR value at each entry: what the guest would have read there */
static int entered_show(struct seq_file *s, void *p)
{
	unsigned int i;

	for (i = 0; i < nentered; i++)
		seq_printf(s, "vcpu %u vmsa 0x%llx ghcb 0x%llx then exit 0x%x\n", entered[i].vcpu,
			   entered[i].vmsa, entered[i].ghcb, entered[i].code);
	seq_printf(s, "left %u\n", nstep);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(entered);

void swpsp_guest_files(struct dentry *dir)
{
	debugfs_create_file("script", 0200, dir, NULL, &script_fops);
	debugfs_create_file("entered", 0444, dir, NULL, &entered_fops);
}
