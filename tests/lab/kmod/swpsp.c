// SPDX-License-Identifier: GPL-2.0
/*
 * LAB ONLY: a software RMP and a software SEV-SNP firmware below the kernel's
 * own svm/sev.c, so that the launch ioctls can be tried without SNP hardware.
 * Nothing is encrypted and nothing is protected.
 */
#include "swpsp_int.h"
#include <linux/debugfs.h>
#include <linux/miscdevice.h>
#include <linux/xarray.h>

PAR(int, init_ret, 0, 0644);	/* sev_platform_init returns this */

static struct dentry *dir;
static DEFINE_XARRAY(rmp);
static unsigned long leaked, rmp_bad;

unsigned long swpsp_rget(u64 pfn)
{
	void *e = xa_load(&rmp, pfn);

	return e ? xa_to_value(e) : 0;
}

int swpsp_rset(u64 pfn, unsigned long v)
{
	if (!v) {
		xa_erase(&rmp, pfn);
		return 0;
	}
	return xa_err(xa_store(&rmp, pfn, xa_mk_value(v), GFP_KERNEL_ACCOUNT));
}

int swpsp_rmp_lookup(u64 pfn, bool *assigned, int *level)
{
	unsigned long v = swpsp_rget(pfn), b = swpsp_rget(ALIGN_DOWN(pfn, 512));

	if (!v && (b & R_2M))
		v = b;
	*assigned = v & R_ASSIGNED;
	*level = v & R_2M ? PG_LEVEL_2M : PG_LEVEL_4K;
	return 0;
}

int swpsp_rmp_private(u64 pfn, u64 gpa, enum pg_level level, u32 asid, bool immutable)
{
	unsigned long v = swpsp_rget(pfn);

	if (v & R_IMMUT) {
		rmp_bad++;
		return -EFAULT;
	}
	return swpsp_rset(pfn, R_ASSIGNED | (immutable ? R_IMMUT : 0) | (level > PG_LEVEL_4K ? R_2M : 0) |
		    (unsigned long)asid << 8 | (gpa >> PAGE_SHIFT) << 24);
}

int swpsp_rmp_shared(u64 pfn, enum pg_level level)
{
	if (swpsp_rget(pfn) & R_IMMUT) {	/* RMPUPDATE refuses; must be reclaimed first */
		rmp_bad++;
		return -EFAULT;
	}
	return swpsp_rset(pfn, 0);
}

int swpsp_psmash(u64 pfn)
{
	unsigned long v, b = ALIGN_DOWN(pfn, 512);
	int i, r = 0;

	v = swpsp_rget(b);
	if (!(v & R_2M))
		return -EINVAL;
	v &= ~(unsigned long)R_2M;
	for (i = 0; i < 512 && !r; i++)
		r = swpsp_rset(b + i, v + ((unsigned long)i << 24));
	return r;
}

/* The guest's page is valid and a VMSA from now on, if it has been assigned. Any context. */
void swpsp_rmpadjust(u64 gpa, u32 asid)
{
	unsigned long i, want = R_ASSIGNED | (unsigned long)asid << 8 | gpa >> PAGE_SHIFT << 24;
	void *e;

	xa_for_each(&rmp, i, e) {
		unsigned long v = xa_to_value(e);

		if ((v & ~(unsigned long)R_VALID) != want)
			continue;
		xa_store(&rmp, i, xa_mk_value(v | R_VALID | R_VMSA), GFP_ATOMIC);
		return;
	}
}

void swpsp_leak(u64 pfn, unsigned int n)
{
	leaked += n;
	pr_warn("swpsp: leak pfn %llx + %u\n", pfn, n);
}

/* ---- /dev/sev ---- */
static long dev_ioctl(struct file *f, unsigned int c, unsigned long arg)
{
	struct sev_issue_cmd i;
	long r = 0;

	if (c != SEV_ISSUE_CMD)
		return -EINVAL;
	if (copy_from_user(&i, (void __user *)arg, sizeof(i)))
		return -EFAULT;
	if (i.cmd == SNP_PLATFORM_STATUS) {
		struct sev_user_data_snp_status *s = (void *)get_zeroed_page(GFP_KERNEL);
		struct sev_data_snp_addr a = { s ? __psp_pa(s) : 0 };
		int e = 0;

		if (!s)
			return -ENOMEM;
		r = swpsp_do_cmd(SEV_CMD_SNP_PLATFORM_STATUS, &a, &e);
		i.error = e;
		if (!r && copy_to_user((void __user *)i.data, s, sizeof(*s)))
			r = -EFAULT;
		free_page((unsigned long)s);
	} else {
		r = -EINVAL;
	}
	if (copy_to_user((void __user *)arg, &i, sizeof(i)))
		r = -EFAULT;
	return r;
}

static const struct file_operations sev_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = dev_ioctl,
};
static struct miscdevice dev = { .minor = MISC_DYNAMIC_MINOR, .name = "sev", .fops = &sev_fops };

int swpsp_external(struct file *f, unsigned int cmd, void *data, int *err)
{
	if (!f || f->f_op != &sev_fops)
		return -EBADF;
	return swpsp_do_cmd(cmd, data, err);
}

void *swpsp_copy_blob(u64 uaddr, u32 len)
{
	if (!uaddr || !len || len > SZ_16K)
		return ERR_PTR(-EINVAL);
	return memdup_user(u64_to_user_ptr(uaddr), len);
}

void *swpsp_alloc_fw_page(gfp_t mask)
{
	struct page *p = alloc_page(mask);

	if (!p)
		return NULL;
	if (swpsp_rmp_private(page_to_pfn(p), 0, PG_LEVEL_4K, 0, true)) {
		__free_page(p);
		return NULL;
	}
	return page_address(p);
}

void swpsp_free_fw_page(void *a)
{
	struct page *p;
	struct sev_data_snp_page_reclaim d;

	if (!a)
		return;
	p = virt_to_page(a);
	d.paddr = __psp_pa(a);
	if (swpsp_do_cmd(SEV_CMD_SNP_PAGE_RECLAIM, &d, NULL) ||
	    swpsp_rmp_shared(page_to_pfn(p), PG_LEVEL_4K))
		swpsp_leak(page_to_pfn(p), 1);
	else
		__free_page(p);
}

/* asked by newer kernels only */
static unsigned long swpsp_policy_bits = 0x3ffffff; module_param(swpsp_policy_bits, ulong, 0644);
PAR(uint, vm_types, 0x1c, 0444);

bool swpsp_no_ciphertext_hiding(void)
{
	return false;
}

u64 swpsp_policy(void)
{
	return swpsp_policy_bits;
}

int swpsp_vmtypes(void)
{
	return swpsp_vm_types;
}

static int last_show(struct seq_file *s, void *p)
{
	swpsp_show_last(s);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(last);

static int guests_show(struct seq_file *s, void *p)
{
	swpsp_show_guests(s);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(guests);

static int stat_show(struct seq_file *s, void *p)
{
	unsigned long i, fwp = 0, pre = 0, val = 0, inv = 0, vm = 0;
	void *e;

	xa_for_each(&rmp, i, e) {
		unsigned long v = xa_to_value(e);

		if (!R_ASID(v))
			fwp++;
		else if (v & R_VMSA)
			vm++;
		else if (v & R_IMMUT)
			pre++;
		else if (v & R_VALID)
			val++;
		else
			inv++;
	}
	seq_printf(s, "firmware %lu preguest %lu valid %lu invalid %lu vmsa %lu leaked %lu rmpfail %lu cmds %u\n",
		   fwp, pre, val, inv, vm, leaked, rmp_bad, swpsp_commands());
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stat);

int swpsp_platform_init(struct sev_platform_init_args *args)
{
	int r;

	if (!args->probe)
		return swpsp_init_ret;
	r = misc_register(&dev);
	if (r)
		return r;
	r = swpsp_crypto_init();
	if (r) {
		misc_deregister(&dev);
		return r;
	}
	dir = debugfs_create_dir("swpsp", NULL);
	debugfs_create_file("last", 0444, dir, NULL, &last_fops);
	debugfs_create_file("guests", 0444, dir, NULL, &guests_fops);
	swpsp_guest_files(dir);
	debugfs_create_file("rmp", 0444, dir, NULL, &stat_fops);
	pr_info("swpsp: software PSP, lab only: nothing is protected\n");
	return 0;
}

void swpsp_platform_shutdown(void)
{
	debugfs_remove_recursive(dir);
	misc_deregister(&dev);
	swpsp_crypto_exit();
	xa_destroy(&rmp);
}
