// SPDX-License-Identifier: GPL-2.0
/*
 * LAB ONLY: a software RMP and a software SEV-SNP firmware below the kernel's
 * own svm/sev.c, so that the launch ioctls can be tried without SNP hardware.
 * Nothing is encrypted and nothing is protected.
 */
#include "swpsp.h"
#include <linux/version.h>
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#define SWPSP_SIG
#include <crypto/sha2.h>
#include <crypto/sig.h>
#else
#include <crypto/hash.h>
#include <crypto/akcipher.h>
#include <linux/scatterlist.h>
#endif
#include <linux/debugfs.h>
#include <linux/miscdevice.h>
#include <linux/moduleparam.h>
#include <linux/random.h>
#include <linux/seq_file.h>
#include <linux/xarray.h>

#define PAR(t, n, v, m) static t swpsp_##n = v; module_param(swpsp_##n, t, m)
PAR(uint, asids, 15, 0444);	/* highest ASID */
PAR(uint, min_sev, 8, 0444);	/* SNP and SEV-ES use 1 .. min_sev - 1 */
PAR(uint, cbit, 51, 0444);
PAR(uint, api, 0x0137, 0644);	/* firmware ABI: major << 8 | minor */
PAR(bool, smt, true, 0644);
/* failure injection: the Nth next command of this id fails with this code; N counts down */
PAR(uint, fail_cmd, 0, 0644);	/* 0: any */
PAR(uint, fail_nth, 0, 0644);	/* 0: off */
PAR(uint, fail_code, 0x1a, 0644);
PAR(int, init_ret, 0, 0644);	/* sev_platform_init returns this */
PAR(bool, cpuid_check, true, 0644);
PAR(uint, refuse_ecx, 0, 0644);	/* further bits that a CPUID page must not have in leaf 1 ECX */
PAR(bool, verbose, false, 0644);
PAR(bool, idle, false, 0644);	/* a vCPU without a step waits for one; else it ends in SHUTDOWN */

static DEFINE_MUTEX(lock);
static struct dentry *dir;
#ifndef SWPSP_SIG
static struct crypto_shash *sha;
#endif

/* ---- RMP: pfn -> value; absent = hypervisor page ---- */
static DEFINE_XARRAY(rmp);
enum { R_ASSIGNED = 1, R_IMMUT = 2, R_VALID = 4, R_VMSA = 8, R_2M = 16, R_CTX = 32 };
#define R_ASID(v) (((v) >> 8) & 0xffff)
#define R_GFN(v) ((v) >> 24)
static unsigned long leaked, rmp_bad;

static unsigned long rget(u64 pfn)
{
	void *e = xa_load(&rmp, pfn);

	return e ? xa_to_value(e) : 0;
}

static int rset(u64 pfn, unsigned long v)
{
	if (!v) {
		xa_erase(&rmp, pfn);
		return 0;
	}
	return xa_err(xa_store(&rmp, pfn, xa_mk_value(v), GFP_KERNEL_ACCOUNT));
}

int swpsp_rmp_lookup(u64 pfn, bool *assigned, int *level)
{
	unsigned long v = rget(pfn), b = rget(ALIGN_DOWN(pfn, 512));

	if (!v && (b & R_2M))
		v = b;
	*assigned = v & R_ASSIGNED;
	*level = v & R_2M ? PG_LEVEL_2M : PG_LEVEL_4K;
	return 0;
}

int swpsp_rmp_private(u64 pfn, u64 gpa, enum pg_level level, u32 asid, bool immutable)
{
	unsigned long v = rget(pfn);

	if (v & R_IMMUT) {
		rmp_bad++;
		return -EFAULT;
	}
	return rset(pfn, R_ASSIGNED | (immutable ? R_IMMUT : 0) | (level > PG_LEVEL_4K ? R_2M : 0) |
		    (unsigned long)asid << 8 | (gpa >> PAGE_SHIFT) << 24);
}

int swpsp_rmp_shared(u64 pfn, enum pg_level level)
{
	if (rget(pfn) & R_IMMUT) {	/* RMPUPDATE refuses; must be reclaimed first */
		rmp_bad++;
		return -EFAULT;
	}
	return rset(pfn, 0);
}

int swpsp_psmash(u64 pfn)
{
	unsigned long v, b = ALIGN_DOWN(pfn, 512);
	int i, r = 0;

	v = rget(b);
	if (!(v & R_2M))
		return -EINVAL;
	v &= ~(unsigned long)R_2M;
	for (i = 0; i < 512 && !r; i++)
		r = rset(b + i, v + ((unsigned long)i << 24));
	return r;
}

void swpsp_leak(u64 pfn, unsigned int n)
{
	leaked += n;
	pr_warn("swpsp: leak pfn %llx + %u\n", pfn, n);
}

/* ---- firmware ---- */
enum { G_INIT, G_LAUNCH, G_RUNNING };
struct guest {
	struct list_head list;
	u64 paddr, policy;
	u32 asid, state, id_block, author;
	u8 ld[48], host_data[32], gosvw[16], family[16], image[16], idkey[48], authkey[48];
	u32 svn, vcek_off;
	unsigned int n[SNP_PAGE_TYPE_MAX];
};
static LIST_HEAD(guests);
static unsigned long asid_dirty[16];	/* needs DF_FLUSH before it is given out again */
static char last[4096];		/* the last FINISHed guest */
static unsigned int ncmd;

static int digest(const void *p, unsigned int n, u8 *out)
{
#ifdef SWPSP_SIG
	sha384(p, n, out);
	return 0;
#else
	return crypto_shash_tfm_digest(sha, p, n, out);
#endif
}

static struct guest *ctx(u64 paddr)
{
	struct guest *g;

	list_for_each_entry(g, &guests, list)
		if (g->paddr == paddr)
			return g;
	return NULL;
}

static void *phys(u64 pa)
{
	return __va(__sme_clr(pa));
}

static int measure(struct guest *g, int type, u64 gpa, const void *page, int imi, u32 perm)
{
	struct {
		u8 ld[48], contents[48];
		__le16 len;
		u8 type, imi, vmpl3, vmpl2, vmpl1, rsvd;
		__le64 gpa;
	} __packed i = { .len = cpu_to_le16(0x70), .type = type, .imi = imi, .vmpl1 = perm,
		.vmpl2 = perm >> 8, .vmpl3 = perm >> 16, .gpa = cpu_to_le64(gpa) };

	BUILD_BUG_ON(sizeof(i) != 0x70);
	memcpy(i.ld, g->ld, 48);
	if (type == SNP_PAGE_TYPE_NORMAL || type == SNP_PAGE_TYPE_VMSA)
		if (digest(page, PAGE_SIZE, i.contents))
			return SEV_RET_HWSEV_RET_PLATFORM;
	if (digest(&i, sizeof(i), g->ld))
		return SEV_RET_HWSEV_RET_PLATFORM;
	g->n[type]++;
	return 0;
}

struct cpuid_fn { __le32 eax_in, ecx_in; __le64 xcr0, xss; __le32 eax, ebx, ecx, edx; __le64 rsvd; } __packed;

/* A small part of what firmware checks; it corrects the page and refuses it. */
static int cpuid_page(u32 *p)
{
	struct cpuid_fn *f = (void *)(p + 4);
	u32 i, n = p[0];
	bool bad = false;

	if (n > 64)
		return SEV_RET_INVALID_PARAM;
#define FIX(reg, bits) do { if (f[i].reg & (bits)) { f[i].reg &= ~(bits); bad = true; } } while (0)
#define SET(reg, val) do { if (f[i].reg != (val)) { f[i].reg = (val); bad = true; } } while (0)
	for (i = 0; i < n; i++) {
		switch (f[i].eax_in) {
		case 1:
			FIX(ecx, BIT(24) | swpsp_refuse_ecx);	/* TSC deadline */
			break;
		case 7:
			if (f[i].ecx_in)
				break;
			FIX(ebx, BIT(1));		/* TSC_ADJUST */
			FIX(edx, 0xfc000000);		/* SPEC_CTRL .. SSBD */
			break;
		case 0xd:
			if (f[i].ecx_in < 2 && f[i].xcr0 == 1)
				SET(ebx, 0x240);
			break;
		case 0x80000008:
			FIX(ebx, BIT(25));		/* VIRT_SSBD */
			break;
		}
	}
	return bad ? SEV_RET_INVALID_PARAM : 0;
}

static int f_update(struct sev_data_snp_launch_update *d)
{
	struct guest *g = ctx(d->gctx_paddr);
	u64 pfn = __sme_clr(d->address) >> PAGE_SHIFT;
	unsigned long v = rget(pfn);
	void *page = phys(d->address);
	int r;

	if (!g)
		return SEV_RET_INVALID_GUEST;
	if (g->state != G_LAUNCH)
		return SEV_RET_INVALID_GUEST_STATE;
	if (!g->asid)
		return SEV_RET_INACTIVE;
	if (!PAGE_ALIGNED(__sme_clr(d->address)))
		return SEV_RET_INVALID_ADDRESS;
	if (d->rsvd || d->rsvd2 || d->rsvd3 || d->rsvd4 || !d->page_type || d->page_type >= SNP_PAGE_TYPE_MAX)
		return SEV_RET_INVALID_PARAM;
	if (d->page_size != !!(v & R_2M))
		return SEV_RET_INVALID_PAGE_SIZE;
	if ((v & (R_ASSIGNED | R_IMMUT | R_VALID | R_CTX)) != (R_ASSIGNED | R_IMMUT) || !R_ASID(v))
		return SEV_RET_INVALID_PAGE_STATE;	/* not Pre-Guest */
	if (R_ASID(v) != g->asid)
		return SEV_RET_INVALID_PAGE_OWNER;
	if (d->page_size)
		return SEV_RET_UNSUPPORTED;
	if (d->page_type == SNP_PAGE_TYPE_CPUID && swpsp_cpuid_check && cpuid_page(page))
		return SEV_RET_INVALID_PARAM;
	r = measure(g, d->page_type, (u64)R_GFN(v) << PAGE_SHIFT, page, d->imi_page,
		    d->vmpl1_perms | d->vmpl2_perms << 8 | d->vmpl3_perms << 16);
	if (r)
		return r;
	if (d->page_type == SNP_PAGE_TYPE_ZERO)
		memset(page, 0, PAGE_SIZE);
	if (d->page_type == SNP_PAGE_TYPE_SECRET) {
		memset(page, 0, PAGE_SIZE);
		*(u32 *)page = 3;
		memcpy(page + 0x10, g->gosvw, 16);
		get_random_bytes(page + 0x20, 4 * 32);
	}
	v = (v & ~(unsigned long)R_IMMUT) | R_VALID | (d->page_type == SNP_PAGE_TYPE_VMSA ? R_VMSA : 0);
	return rset(pfn, v) ? SEV_RET_RESOURCE_LIMIT : 0;
}

static void show(struct seq_file *s, struct guest *g, char *b, size_t n)
{
	static const char *const st[] = { "init", "launch", "running" };
	int o = 0;

	o += scnprintf(b + o, n - o, "ld %*phN\nstate %s\nasid %u\npolicy 0x%llx\nhost_data %*phN\n", 48, g->ld,
		       st[g->state], g->asid, g->policy, 32, g->host_data);
	o += scnprintf(b + o, n - o, "id_block %u\nauthor_key %u\nvcek_off %u\nsvn %u\nfamily %*phN\nimage %*phN\n",
		       g->id_block, g->author, g->vcek_off, g->svn, 16, g->family, 16, g->image);
	o += scnprintf(b + o, n - o, "id_key %*phN\nauthor_key_digest %*phN\n", 48, g->idkey, 48, g->authkey);
	o += scnprintf(b + o, n - o, "pages normal %u vmsa %u zero %u unmeasured %u secrets %u cpuid %u\n",
		       g->n[1], g->n[2], g->n[3], g->n[4], g->n[5], g->n[6]);
	if (s)
		seq_puts(s, b);
}

/* ---- ECDSA P-384 of the ID block: our little-endian r, s to DER, verified by the kernel's ecdsa ---- */
static u8 *der_int(u8 *o, const u8 *le)
{
	int n = 48;

	while (n > 1 && !le[n - 1])
		n--;
	*o++ = 2;
	*o++ = n + (le[n - 1] >> 7);
	if (le[n - 1] >> 7)
		*o++ = 0;
	while (n)
		*o++ = le[--n];
	return o;
}

static int ecdsa(const u8 *sig, const u8 *key, const void *msg, unsigned int len)
{
	u8 *b = kzalloc(512, GFP_KERNEL), *pub = b + 256, *e;
	int r = -ENOMEM, i, n;
	u8 dg[48];

	if (!b)
		return r;
	pub[0] = 4;
	for (i = 0; i < 48; i++) {
		pub[1 + i] = key[4 + 47 - i];
		pub[49 + i] = key[4 + 72 + 47 - i];
	}
	e = der_int(der_int(b + 2, sig), sig + 72);
	b[0] = 0x30;
	b[1] = e - b - 2;
	n = e - b;
	r = digest(msg, len, dg);
#ifndef SWPSP_SIG	/* before 6.13 */
	if (!r) {
		struct crypto_akcipher *t = crypto_alloc_akcipher("ecdsa-nist-p384", 0, 0);
		struct akcipher_request *q;
		struct scatterlist sg;
		DECLARE_CRYPTO_WAIT(w);

		if (IS_ERR(t)) {
			pr_warn_once("swpsp: no ecdsa-nist-p384: ID block signatures not checked\n");
			kfree(b);
			return 0;
		}
		memcpy(b + n, dg, 48);
		r = crypto_akcipher_set_pub_key(t, pub, 97);
		q = akcipher_request_alloc(t, GFP_KERNEL);
		if (!r && q) {
			sg_init_one(&sg, b, n + 48);
			akcipher_request_set_crypt(q, &sg, NULL, n, 48);
			akcipher_request_set_callback(q, CRYPTO_TFM_REQ_MAY_SLEEP, crypto_req_done, &w);
			r = crypto_wait_req(crypto_akcipher_verify(q), &w);
		}
		akcipher_request_free(q);
		crypto_free_akcipher(t);
	}
#else
	if (!r) {
		struct crypto_sig *t = crypto_alloc_sig("x962(ecdsa-nist-p384)", 0, 0);

		if (IS_ERR(t)) {
			pr_warn_once("swpsp: no x962(ecdsa-nist-p384): ID block signatures not checked\n");
			kfree(b);
			return 0;
		}
		r = crypto_sig_set_pubkey(t, pub, 97);
		if (!r)
			r = crypto_sig_verify(t, b, n, dg, 48);
		crypto_free_sig(t);
	}
#endif
	kfree(b);
	return r;
}

static int f_finish(struct sev_data_snp_launch_finish *d)
{
	struct guest *g = ctx(d->gctx_paddr);

	if (!g)
		return SEV_RET_INVALID_GUEST;
	if (g->state != G_LAUNCH)
		return SEV_RET_INVALID_GUEST_STATE;
	if (d->rsvd || (d->auth_key_en && !d->id_block_en))
		return SEV_RET_INVALID_PARAM;
	if (d->id_block_en) {
		u8 *b = phys(d->id_block_paddr), *a = phys(d->id_auth_paddr);

		if (memcmp(b, g->ld, 48))
			return SEV_RET_BAD_MEASUREMENT;
		if (*(u32 *)(b + 0x50) != 1)
			return SEV_RET_BAD_VERSION;
		if (*(u64 *)(b + 0x58) != g->policy)
			return SEV_RET_POLICY_FAILURE;
		if (*(u32 *)a != 1 || *(u32 *)(a + 0x240) != 2 ||
		    (d->auth_key_en && (*(u32 *)(a + 4) != 1 || *(u32 *)(a + 0x880) != 2)))
			return SEV_RET_INVALID_KEY;
		if (ecdsa(a + 0x40, a + 0x240, b, 96) ||
		    (d->auth_key_en && ecdsa(a + 0x680, a + 0x880, a + 0x240, 0x404)))
			return SEV_RET_BAD_SIGNATURE;
		memcpy(g->family, b + 0x30, 16);
		memcpy(g->image, b + 0x40, 16);
		g->svn = *(u32 *)(b + 0x54);
		digest(a + 0x240, 0x404, g->idkey);
		if (d->auth_key_en)
			digest(a + 0x880, 0x404, g->authkey);
	}
	g->id_block = d->id_block_en;
	g->author = d->auth_key_en;
	g->vcek_off = d->vcek_disabled;
	memcpy(g->host_data, d->host_data, 32);
	g->state = G_RUNNING;
	show(NULL, g, last, sizeof(last));
	pr_info("swpsp: finish asid=%u ld=%*phN\n", g->asid, 48, g->ld);
	return 0;
}

static int f_start(struct sev_data_snp_launch_start *d)
{
	struct guest *g = ctx(d->gctx_paddr);

	if (!g)
		return SEV_RET_INVALID_GUEST;
	if (g->state != G_INIT)
		return SEV_RET_INVALID_GUEST_STATE;
	if (d->rsvd)
		return SEV_RET_INVALID_PARAM;
	if ((d->policy & 0xffff) > swpsp_api || !(d->policy & BIT_ULL(17)) ||
	    (swpsp_smt && !(d->policy & BIT_ULL(16))))
		return SEV_RET_POLICY_FAILURE;
	g->policy = d->policy;
	memcpy(g->gosvw, d->gosvw, 16);
	memset(g->ld, 0, 48);
	g->state = G_LAUNCH;
	return 0;
}

static int f_activate(struct sev_data_snp_activate *d)
{
	struct guest *g = ctx(d->gctx_paddr), *o;

	if (!g)
		return SEV_RET_INVALID_GUEST;
	if (g->state == G_INIT)
		return SEV_RET_INVALID_GUEST_STATE;
	if (g->asid)
		return SEV_RET_ACTIVE;
	if (!d->asid || d->asid > swpsp_asids || d->asid >= 1024)
		return SEV_RET_INVALID_ASID;
	list_for_each_entry(o, &guests, list)
		if (o->asid == d->asid)
			return SEV_RET_ASID_OWNED;
	if (test_bit(d->asid, asid_dirty))
		return SEV_RET_DFFLUSH_REQUIRED;
	g->asid = d->asid;
	return 0;
}

static int f_gctx(struct sev_data_snp_addr *d)
{
	u64 pfn = __sme_clr(d->address) >> PAGE_SHIFT;
	unsigned long v = rget(pfn);
	struct guest *g;

	if ((v & (R_ASSIGNED | R_IMMUT | R_CTX)) != (R_ASSIGNED | R_IMMUT) || R_ASID(v))
		return SEV_RET_INVALID_PAGE_STATE;	/* not Firmware */
	g = kzalloc(sizeof(*g), GFP_KERNEL);
	if (!g || rset(pfn, v | R_CTX)) {
		kfree(g);
		return SEV_RET_RESOURCE_LIMIT;
	}
	g->paddr = d->address;
	list_add_tail(&g->list, &guests);
	return 0;
}

static int f_decommission(struct sev_data_snp_addr *d)
{
	struct guest *g = ctx(d->address);
	u64 pfn = __sme_clr(d->address) >> PAGE_SHIFT;

	if (!g)
		return SEV_RET_INVALID_GUEST;
	if (g->asid)
		__set_bit(g->asid, asid_dirty);
	list_del(&g->list);
	kfree(g);
	rset(pfn, rget(pfn) & ~(unsigned long)R_CTX);
	return 0;
}

static int f_reclaim(struct sev_data_snp_page_reclaim *d)
{
	u64 pfn = __sme_clr(d->paddr) >> PAGE_SHIFT;
	unsigned long v = rget(pfn);

	if (!(v & R_IMMUT) || (v & R_CTX))
		return SEV_RET_INVALID_PAGE_STATE;
	rset(pfn, R_ASSIGNED);		/* Reclaim state */
	return 0;
}

static int f_status(struct sev_data_snp_addr *d)
{
	struct sev_user_data_snp_status *s = phys(d->address);
	struct guest *g;

	memset(s, 0, sizeof(*s));
	s->api_major = swpsp_api >> 8;
	s->api_minor = swpsp_api;
	s->state = 1;
	s->is_rmp_initialized = 1;
	list_for_each_entry(g, &guests, list)
		s->guest_count++;
	return 0;
}

static int fw(int cmd, void *d)
{
	switch (cmd) {
	case SEV_CMD_SNP_GCTX_CREATE: return f_gctx(d);
	case SEV_CMD_SNP_LAUNCH_START: return f_start(d);
	case SEV_CMD_SNP_ACTIVATE: return f_activate(d);
	case SEV_CMD_SNP_LAUNCH_UPDATE: return f_update(d);
	case SEV_CMD_SNP_LAUNCH_FINISH: return f_finish(d);
	case SEV_CMD_SNP_DECOMMISSION: return f_decommission(d);
	case SEV_CMD_SNP_PAGE_RECLAIM: return f_reclaim(d);
	case SEV_CMD_SNP_PLATFORM_STATUS: return f_status(d);
	case SEV_CMD_SNP_DF_FLUSH:
		memset(asid_dirty, 0, sizeof(asid_dirty));
		return 0;
	case SEV_CMD_SNP_GUEST_REQUEST: {	/* no message crypto: an echo with a mark */
		struct sev_data_snp_guest_request *q = d;
		struct guest *g = ctx(q->gctx_paddr);

		if (!g)
			return SEV_RET_INVALID_GUEST;
		if (g->state != G_RUNNING)
			return SEV_RET_INVALID_GUEST_STATE;
		memcpy(phys(q->res_paddr), phys(q->req_paddr), PAGE_SIZE);
		memcpy(phys(q->res_paddr) + 0x60, "SWPSP-ECHO", 10);
		return 0;
	}
	case SEV_CMD_SNP_GUEST_STATUS: {
		struct sev_data_snp_guest_status *s = d;
		struct guest *g = ctx(s->gctx_paddr);

		if (!g)
			return SEV_RET_INVALID_GUEST;
		memset(phys(s->address), 0, 64);
		*(u64 *)phys(s->address) = g->policy;
		*(u32 *)(phys(s->address) + 8) = g->asid;
		*(u8 *)(phys(s->address) + 12) = g->state;
		return 0;
	}
	}
	return SEV_RET_INVALID_COMMAND;
}

int swpsp_do_cmd(int cmd, void *data, int *err)
{
	int e;

	mutex_lock(&lock);
	ncmd++;
	if (swpsp_fail_nth && (!swpsp_fail_cmd || swpsp_fail_cmd == cmd) && !--swpsp_fail_nth)
		e = swpsp_fail_code;
	else
		e = fw(cmd, data);
	mutex_unlock(&lock);
	if (err)
		*err = e;
	if (swpsp_verbose || e)
		pr_info("swpsp: cmd 0x%x -> 0x%x\n", cmd, e);
	return e ? -EIO : 0;
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

void swpsp_cpuid(u32 fn, u32 *a, u32 *b, u32 *c, u32 *d)
{
	if (fn != 0x8000001f) {
		cpuid(fn, a, b, c, d);
		return;
	}
	*a = 0x1f;
	*b = swpsp_cbit | 1 << 6;
	*c = swpsp_asids;
	*d = swpsp_min_sev;
}

/* ---- scripted guest: what "VMRUN" of an SEV-ES or SNP vCPU does in the lab ---- */
struct step { u32 vcpu, code; u64 info1, info2, ghcb; } __packed;
#define NSTEP 512
static struct step steps[NSTEP];
static struct { u32 vcpu, code; u64 ghcb; } entered[NSTEP];
static unsigned int nstep, nentered;
static DEFINE_RAW_SPINLOCK(slock);

/*
 * Called with interrupts off. A vCPU without a step left is interrupted at once, again and again
 * (swpsp_idle), or ends in a shutdown exit.
 */
void swpsp_vmrun(struct kvm_vcpu *vcpu)
{
	struct vmcb_control_area *c = &to_svm(vcpu)->vmcb->control;
	struct step s = { .code = swpsp_idle ? SVM_EXIT_INTR : SVM_EXIT_SHUTDOWN };
	unsigned int i;

	raw_spin_lock(&slock);
	for (i = 0; i < nstep; i++)
		if (steps[i].vcpu == vcpu->vcpu_id) {
			s = steps[i];
			memmove(steps + i, steps + i + 1, (--nstep - i) * sizeof(s));
			break;
		}
	if (nentered < NSTEP && s.code != SVM_EXIT_INTR) {
		entered[nentered].vcpu = vcpu->vcpu_id;
		entered[nentered].code = s.code;
		entered[nentered++].ghcb = c->ghcb_gpa;
	}
	raw_spin_unlock(&slock);
	c->exit_code = s.code;
#ifndef SWPSP_SIG	/* newer: one u64 exit_code */
	c->exit_code_hi = 0;
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
		seq_printf(s, "vcpu %u ghcb 0x%llx then exit 0x%x\n", entered[i].vcpu, entered[i].ghcb, entered[i].code);
	seq_printf(s, "left %u\n", nstep);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(entered);

static int last_show(struct seq_file *s, void *p)
{
	mutex_lock(&lock);
	seq_puts(s, last);
	mutex_unlock(&lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(last);

static int guests_show(struct seq_file *s, void *p)
{
	struct guest *g;
	char *b = kmalloc(4096, GFP_KERNEL);

	if (!b)
		return -ENOMEM;
	mutex_lock(&lock);
	list_for_each_entry(g, &guests, list)
		show(s, g, b, 4096);
	mutex_unlock(&lock);
	kfree(b);
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
		   fwp, pre, val, inv, vm, leaked, rmp_bad, ncmd);
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
#ifndef SWPSP_SIG
	sha = crypto_alloc_shash("sha384", 0, 0);
	if (IS_ERR(sha)) {
		misc_deregister(&dev);
		return PTR_ERR(sha);
	}
#endif
	dir = debugfs_create_dir("swpsp", NULL);
	debugfs_create_file("last", 0444, dir, NULL, &last_fops);
	debugfs_create_file("guests", 0444, dir, NULL, &guests_fops);
	debugfs_create_file("script", 0200, dir, NULL, &script_fops);
	debugfs_create_file("entered", 0444, dir, NULL, &entered_fops);
	debugfs_create_file("rmp", 0444, dir, NULL, &stat_fops);
	pr_info("swpsp: software PSP, lab only: nothing is protected\n");
	return 0;
}

void swpsp_platform_shutdown(void)
{
	debugfs_remove_recursive(dir);
	misc_deregister(&dev);
#ifndef SWPSP_SIG
	crypto_free_shash(sha);
#endif
	xa_destroy(&rmp);
}
