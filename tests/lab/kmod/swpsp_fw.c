// SPDX-License-Identifier: GPL-2.0
/* LAB ONLY: a software SEV-SNP firmware. It knows its interface as its authors read it. */
#include "swpsp_int.h"
#include <linux/random.h>

PAR(uint, asids, 15, 0444);	/* highest ASID */
PAR(uint, min_sev, 8, 0444);	/* SNP and SEV-ES use 1 .. min_sev - 1 */
PAR(uint, cbit, 51, 0444);
PAR(uint, api, 0x0137, 0644);	/* firmware ABI: major << 8 | minor */
PAR(bool, smt, true, 0644);
/* failure injection: the Nth next command of this id fails with this code; N counts down */
PAR(uint, fail_cmd, 0, 0644);	/* 0: any */
PAR(uint, fail_nth, 0, 0644);	/* 0: off */
PAR(uint, fail_code, 0x1a, 0644);
PAR(bool, cpuid_check, true, 0644);
PAR(uint, refuse_ecx, 0, 0644);	/* further bits that a CPUID page must not have in leaf 1 ECX */
PAR(bool, verbose, false, 0644);

static DEFINE_MUTEX(lock);
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
		if (swpsp_digest(page, PAGE_SIZE, i.contents))
			return SEV_RET_HWSEV_RET_PLATFORM;
	if (swpsp_digest(&i, sizeof(i), g->ld))
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
	unsigned long v = swpsp_rget(pfn);
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
	return swpsp_rset(pfn, v) ? SEV_RET_RESOURCE_LIMIT : 0;
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
		if (swpsp_ecdsa(a + 0x40, a + 0x240, b, 96) ||
		    (d->auth_key_en && swpsp_ecdsa(a + 0x680, a + 0x880, a + 0x240, 0x404)))
			return SEV_RET_BAD_SIGNATURE;
		memcpy(g->family, b + 0x30, 16);
		memcpy(g->image, b + 0x40, 16);
		g->svn = *(u32 *)(b + 0x54);
		swpsp_digest(a + 0x240, 0x404, g->idkey);
		if (d->auth_key_en)
			swpsp_digest(a + 0x880, 0x404, g->authkey);
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
	unsigned long v = swpsp_rget(pfn);
	struct guest *g;

	if ((v & (R_ASSIGNED | R_IMMUT | R_CTX)) != (R_ASSIGNED | R_IMMUT) || R_ASID(v))
		return SEV_RET_INVALID_PAGE_STATE;	/* not Firmware */
	g = kzalloc(sizeof(*g), GFP_KERNEL);
	if (!g || swpsp_rset(pfn, v | R_CTX)) {
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
	swpsp_rset(pfn, swpsp_rget(pfn) & ~(unsigned long)R_CTX);
	return 0;
}

static int f_reclaim(struct sev_data_snp_page_reclaim *d)
{
	u64 pfn = __sme_clr(d->paddr) >> PAGE_SHIFT;
	unsigned long v = swpsp_rget(pfn);

	if (!(v & R_IMMUT) || (v & R_CTX))
		return SEV_RET_INVALID_PAGE_STATE;
	swpsp_rset(pfn, R_ASSIGNED);		/* Reclaim state */
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

void swpsp_show_last(struct seq_file *s)
{
	mutex_lock(&lock);
	seq_puts(s, last);
	mutex_unlock(&lock);
}

void swpsp_show_guests(struct seq_file *s)
{
	struct guest *g;
	char *b = kmalloc(4096, GFP_KERNEL);

	if (!b)
		return;
	mutex_lock(&lock);
	list_for_each_entry(g, &guests, list)
		show(s, g, b, 4096);
	mutex_unlock(&lock);
	kfree(b);
}

unsigned int swpsp_commands(void)
{
	return ncmd;
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
