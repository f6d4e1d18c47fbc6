/* SPDX-License-Identifier: Apache-2.0 */
/* IGVM files; see vmm/load/igvm.h. Names in capitals are those of the format's definitions. */
#include "vmm/load/igvm.h"

#include <errno.h>
#include <zlib.h>

#define MAGIC        0x4d564749 /* "IGVM" */
#define FIXED_LEN_1  24         /* IGVM_FIXED_HEADER */
#define FIXED_LEN_2  32         /* IGVM_FIXED_HEADER_V2 */
#define CRC_OFFSET   20
#define GPA_BITS     52
#define LARGE_PAGE   MIB(2)
#define KVM_VMSA_GPA UINT64_C(0xFFFFFFFFF000)
#define VMSA_CR0     0x158

/* IGVM_VARIABLE_HEADER_TYPE */
enum igvm_header {
	IGVM_SUPPORTED_PLATFORM = 0x1,
	IGVM_GUEST_POLICY = 0x101,
	IGVM_PAGE_TABLE_RELOCATION_REGION = 0x103,
	IGVM_PARAMETER_AREA = 0x301,
	IGVM_PAGE_DATA = 0x302,
	IGVM_PARAMETER_INSERT = 0x303,
	IGVM_VP_CONTEXT = 0x304,
	IGVM_REQUIRED_MEMORY = 0x305,
	IGVM_RESERVED = 0x306,
	IGVM_ENVIRONMENT_INFO = 0x313,
};
#define IGVM_OPTIONAL (UINT32_C(1) << 31) /* may be skipped by who does not know the type */

/* IGVM_PAGE_DATA_FLAGS */
enum igvm_flags {
	IGVM_IS_2MB_PAGE = 1 << 0,
	IGVM_UNMEASURED = 1 << 1,
	IGVM_SHARED = 1 << 2,
	IGVM_ALL_FLAGS = 7,
};

/* IGVM_PAGE_DATA_TYPE */
enum igvm_data { IGVM_NORMAL, IGVM_SECRETS, IGVM_CPUID, IGVM_CPUID_XF };

struct igvm_area {
	uint32_t index;
	struct bytes data; /* what it begins with; NULL for zeros */
	uint64_t len;
};

struct igvm {
	struct bytes file;    /* cut to the size that the file states */
	struct bytes headers; /* those not read yet */
	uint64_t data_start;  /* page data may not overlap the headers */
	const struct igvm_spec *spec;
	struct image *image;
	uint32_t mask;            /* our platform's bit; 0: not seen yet */
	uint32_t masks;           /* all platforms' bits */
	uint64_t total, measured; /* bytes loaded so far */
	bool has_policy;          /* for our platform */
	struct igvm_area areas[IGVM_AREAS_MAX];
	size_t n_areas;
};

/* igvm_check_crc() - CRC-32 of fixed and variable headers, its own field as 0. */
static bool igvm_check_crc(struct bytes file, size_t fixed_len, struct bytes headers)
{
	static const uint8_t zeros[4];
	uLong crc = crc32_z(0, file.at, CRC_OFFSET);

	crc = crc32_z(crc, zeros, sizeof(zeros));
	crc = crc32_z(crc, file.at + CRC_OFFSET + 4, fixed_len - CRC_OFFSET - 4);
	crc = crc32_z(crc, headers.at, headers.left);
	return crc == load_le32(file.at + CRC_OFFSET);
}

/* igvm_open_headers() - read and check the fixed header. Return: 0 or -EINVAL. */
static int igvm_open_headers(struct igvm *g, struct bytes file, struct err *e)
{
	struct bytes at = file;
	uint32_t magic = bytes_u32(&at), version = bytes_u32(&at);
	uint32_t offset = bytes_u32(&at), len = bytes_u32(&at), total = bytes_u32(&at);
	size_t fixed_len = version == 1 ? FIXED_LEN_1 : FIXED_LEN_2;

	if (at.failed || magic != MAGIC)
		return err_set(e, EINVAL, "IGVM: not an IGVM file");
	if (version != 1 && version != 2)
		return err_set(e, EINVAL, "IGVM: unknown version %u", version);
	if (total > file.left)
		return err_set(e, EINVAL, "IGVM: the file is shorter than it says");
	g->file = bytes_slice(&file, 0, total);
	g->headers = bytes_slice(&g->file, offset, len);
	if (total < fixed_len || offset < fixed_len || g->headers.failed || len > IGVM_HEADERS_MAX)
		return err_set(e, EINVAL, "IGVM: headers lie outside of the file");
	if (!igvm_check_crc(g->file, fixed_len, g->headers))
		return err_set(e, EINVAL, "IGVM: checksum of the headers is wrong");
	/* version 2: architecture 0 is x86-64, and pages have 4096 bytes there */
	if (version == 2 && (load_le32(file.at + 24) || load_le32(file.at + 28) != PAGE_SIZE))
		return err_set(e, EINVAL, "IGVM: not for x86-64 with 4 KiB pages");
	g->data_start = (uint64_t)offset + len;
	return 0;
}

/* igvm_data() - find bytes of the file; offset 0 stands for zeros. Return: 0 or -EINVAL. */
static int igvm_data(
	const struct igvm *g, uint32_t offset, uint64_t len, struct bytes *out, struct err *e)
{
	*out = offset ? bytes_slice(&g->file, offset, len) : bytes_of(NULL, 0);
	if (out->failed || (offset && offset < g->data_start))
		return err_set(e, EINVAL, "IGVM: data at %#x lies outside of the file", offset);
	return 0;
}

static int igvm_load(struct igvm *g, struct image_part part, struct err *e)
{
	if (!range_in(part.gpa.v, part.len, UINT64_C(1) << GPA_BITS))
		return err_set(e, EINVAL, "IGVM: page at %#llx lies outside of any guest",
			(unsigned long long)part.gpa.v);
	g->total += part.len;
	g->measured += part.type == IMAGE_NORMAL ? part.len : 0;
	if (part.len > IGVM_BYTES_MAX || g->total > IGVM_BYTES_MAX ||
		g->measured > IGVM_MEASURED_MAX)
		return err_set(e, EINVAL, "IGVM: the file loads too much");
	return image_add(g->image, &part, e);
}

/* igvm_for_us() - check a header's mask. Return: 1 for our platform, 0 for another, -EINVAL. */
static int igvm_for_us(const struct igvm *g, uint32_t mask, struct err *e)
{
	if (!mask || mask & ~g->masks)
		return err_set(
			e, EINVAL, "IGVM: header for platforms %#x that the file lacks", mask);
	return !!(mask & g->mask);
}

static int igvm_platform(struct igvm *g, struct bytes at, struct err *e)
{
	uint32_t mask = bytes_u32(&at);
	uint8_t type;

	bytes_u8(&at); /* highest VTL */
	type = bytes_u8(&at);
	if (at.failed || !mask || mask & (mask - 1) || mask & g->masks)
		return err_set(e, EINVAL, "IGVM: bad mask %#x of a platform", mask);
	g->masks |= mask;
	if (type != g->spec->platform)
		return 0;
	if (g->mask)
		return err_set(e, EINVAL, "IGVM: the same platform twice");
	g->mask = mask;
	return 0;
}

/* igvm_policy() - IGVM_VHS_GUEST_POLICY */
static int igvm_policy(struct igvm *g, struct bytes at, struct err *e)
{
	uint32_t mask;
	int ret;

	bytes_u64(&at); /* the policy is no part of a digest */
	mask = bytes_u32(&at);
	if (at.failed)
		return err_set(e, EINVAL, "IGVM: the guest policy is cut");
	ret = igvm_for_us(g, mask, e);
	g->has_policy |= ret > 0;
	return ret < 0 ? ret : 0;
}

/* igvm_page_type() - Return: how a page is added. To a TD all types of data are the same. */
static enum image_page igvm_page_type(
	const struct igvm_spec *spec, uint32_t flags, uint16_t type, bool empty)
{
	bool snp = spec->platform == IGVM_SNP;

	if (snp && type == IGVM_SECRETS)
		return IMAGE_SECRETS;
	if (snp && type != IGVM_NORMAL)
		return IMAGE_CPUID;
	if (flags & IGVM_UNMEASURED)
		return IMAGE_UNMEASURED;
	return snp && empty && spec->native_zero ? IMAGE_ZERO : IMAGE_NORMAL;
}

/* igvm_page() - IGVM_VHS_PAGE_DATA */
static int igvm_page(struct igvm *g, struct bytes at, struct err *e)
{
	uint64_t gpa = bytes_u64(&at), len;
	uint32_t mask = bytes_u32(&at), offset = bytes_u32(&at), flags = bytes_u32(&at);
	uint16_t type = bytes_u16(&at);
	int ret = igvm_for_us(g, mask, e);
	struct bytes data;

	if (ret < 0)
		return ret;
	len = flags & IGVM_IS_2MB_PAGE ? LARGE_PAGE : PAGE_SIZE;
	if (at.failed || flags & ~(uint32_t)IGVM_ALL_FLAGS || type > IGVM_CPUID_XF ||
		!is_aligned(gpa, len))
		return err_set(e, EINVAL, "IGVM: bad page at %#llx", (unsigned long long)gpa);
	if (igvm_data(g, offset, len, &data, e))
		return -EINVAL;
	if (!ret || flags & IGVM_SHARED)
		return 0;
	return igvm_load(g,
		(struct image_part){
			.gpa = gpa_of(gpa),
			.len = len,
			.type = igvm_page_type(g->spec, flags, type, !offset),
			.bytes = data.at,
			.bytes_len = data.left,
		},
		e);
}

/* igvm_find_area() - Return: the parameter area of that index, or NULL. */
static const struct igvm_area *igvm_find_area(const struct igvm *g, uint32_t index)
{
	for (size_t i = 0; i < g->n_areas; i++)
		if (g->areas[i].index == index)
			return &g->areas[i];
	return NULL;
}

/* igvm_area() - IGVM_VHS_PARAMETER_AREA */
static int igvm_area(struct igvm *g, struct bytes at, struct err *e)
{
	uint64_t len = bytes_u64(&at);
	uint32_t index = bytes_u32(&at), offset = bytes_u32(&at);
	struct igvm_area area = {.index = index, .len = len};

	if (at.failed || !area.len || area.len > IGVM_BYTES_MAX || !is_aligned(area.len, PAGE_SIZE))
		return err_set(e, EINVAL, "IGVM: parameter area %u is not whole pages", area.index);
	if (igvm_find_area(g, area.index) || g->n_areas == IGVM_AREAS_MAX)
		return err_set(e, EINVAL, "IGVM: parameter area %u is one too many", area.index);
	if (igvm_data(g, offset, area.len, &area.data, e))
		return -EINVAL;
	g->areas[g->n_areas++] = area;
	return 0;
}

/* igvm_insert() - IGVM_VHS_PARAMETER_INSERT: all pages of the area, their contents unmeasured */
static int igvm_insert(struct igvm *g, struct bytes at, struct err *e)
{
	uint64_t gpa = bytes_u64(&at);
	uint32_t mask = bytes_u32(&at), index = bytes_u32(&at);
	const struct igvm_area *area = igvm_find_area(g, index);
	int ret = igvm_for_us(g, mask, e);

	if (ret < 0)
		return ret;
	if (at.failed || !area)
		return err_set(e, EINVAL, "IGVM: parameter area %u was never declared", index);
	if (!is_aligned(gpa, PAGE_SIZE))
		return err_set(e, EINVAL, "IGVM: bad page at %#llx", (unsigned long long)gpa);
	if (!ret)
		return 0;
	return igvm_load(g,
		(struct image_part){
			.gpa = gpa_of(gpa),
			.len = area->len,
			.type = IMAGE_UNMEASURED,
			.bytes = area->data.at,
			.bytes_len = area->data.left,
		},
		e);
}

/* igvm_vp() - IGVM_VHS_VP_CONTEXT: on SNP a VMSA, at the address that the header gives */
static int igvm_vp(struct igvm *g, struct bytes at, struct err *e)
{
	uint64_t gpa = bytes_u64(&at);
	uint32_t mask = bytes_u32(&at), offset = bytes_u32(&at);
	int ret = igvm_for_us(g, mask, e);
	struct bytes data;

	if (ret < 0)
		return ret;
	if (at.failed || !is_aligned(gpa, PAGE_SIZE))
		return err_set(e, EINVAL, "IGVM: bad vCPU state at %#llx", (unsigned long long)gpa);
	if (!ret || g->spec->platform != IGVM_SNP)
		return 0;
	if (!offset || igvm_data(g, offset, PAGE_SIZE, &data, e))
		return err_set(e, EINVAL, "IGVM: vCPU state without data");
	return igvm_load(g,
		(struct image_part){
			.gpa = gpa_of(gpa),
			.len = PAGE_SIZE,
			.type = IMAGE_VMSA,
			.bytes = data.at,
			.bytes_len = data.left,
		},
		e);
}

/* igvm_header() - act on one variable header. Return: 0 or -errno. */
static int igvm_header(struct igvm *g, uint32_t type, struct bytes data, struct err *e)
{
	switch (type) {
	case IGVM_SUPPORTED_PLATFORM:
		return igvm_platform(g, data, e);
	case IGVM_GUEST_POLICY:
		return igvm_policy(g, data, e);
	case IGVM_PARAMETER_AREA:
		return igvm_area(g, data, e);
	case IGVM_PAGE_DATA:
		return igvm_page(g, data, e);
	case IGVM_PARAMETER_INSERT:
		return igvm_insert(g, data, e);
	case IGVM_VP_CONTEXT:
		return igvm_vp(g, data, e);
	case IGVM_RESERVED:
		break;
	default: /* known, and nothing that a launch measures */
		if (type > IGVM_GUEST_POLICY && type <= IGVM_PAGE_TABLE_RELOCATION_REGION)
			return 0;
		if (type >= IGVM_REQUIRED_MEMORY && type <= IGVM_ENVIRONMENT_INFO)
			return 0;
	}
	return err_set(e, EINVAL, "IGVM: unknown header type %#x", type);
}

/* igvm_phase() - Return: the part of the headers to which a type belongs; they come in order. */
static unsigned int igvm_phase(uint32_t type)
{
	return type <= 0x100 ? 0 : type <= 0x300 ? 1 : 2;
}

/* igvm_walk() - act on every variable header: IGVM_VHS_VARIABLE_HEADER, data, padding to 8. */
static int igvm_walk(struct igvm *g, struct err *e)
{
	unsigned int phase = 0;
	int ret = 0;

	while (!ret && g->headers.left) {
		uint32_t type = bytes_u32(&g->headers), len = bytes_u32(&g->headers);
		struct bytes data = bytes_slice(&g->headers, 0, len);

		if (data.failed)
			return err_set(e, EINVAL, "IGVM: header of type %#x is cut", type);
		bytes_take(&g->headers, min_u64(align_up(len, 8), g->headers.left));
		if (type & IGVM_OPTIONAL)
			continue;
		if (igvm_phase(type) < phase)
			return err_set(e, EINVAL, "IGVM: header of type %#x is out of order", type);
		phase = igvm_phase(type);
		ret = igvm_header(g, type, data, e);
	}
	return ret;
}

int igvm_image_add(
	struct image *image, struct bytes file, const struct igvm_spec *spec, struct err *e)
{
	cleanup_free struct igvm *g = calloc(1, sizeof(*g));
	int ret;

	if (!g)
		return err_sys(e, ENOMEM, "IGVM");
	g->image = image;
	g->spec = spec;
	ret = igvm_open_headers(g, file, e);
	if (!ret)
		ret = igvm_walk(g, e);
	if (!ret && !g->mask)
		ret = err_set(e, EINVAL, "IGVM: the file is not for this platform");
	/* SNP_LAUNCH_START needs one */
	if (!ret && spec->platform == IGVM_SNP && !g->has_policy)
		ret = err_set(e, EINVAL, "IGVM: the file has no SNP guest policy");
	return ret;
}

int igvm_check_kvm(const struct image *image, struct err *e)
{
	const struct image_part *last = image->n_parts ? &image->parts[image->n_parts - 1] : NULL;
	size_t n = 0;
	uint64_t cr0;

	for (size_t i = 0; i < image->n_parts; i++)
		n += image->parts[i].type == IMAGE_VMSA;
	if (n != 1 || last->type != IMAGE_VMSA)
		return err_set(
			e, EINVAL, "KVM cannot launch it: %zu vCPU states, needs one, last", n);
	if (last->gpa.v != KVM_VMSA_GPA)
		return err_set(e, EINVAL, "KVM cannot launch it: vCPU state at %#llx, not %#llx",
			(unsigned long long)last->gpa.v, (unsigned long long)KVM_VMSA_GPA);
	cr0 = load_le64((const uint8_t *)last->bytes + VMSA_CR0);
	if (cr0 != 0x31 && cr0 != 0x30)
		return err_set(e, EINVAL, "KVM cannot launch it: CR0 is %#llx, not 0x30 or 0x31",
			(unsigned long long)cr0);
	return 0;
}
