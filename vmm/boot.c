/* SPDX-License-Identifier: Apache-2.0 */
/* What a VM boots; see vmm/boot.h. */
#include "vmm/boot.h"

#include "memory/layout.h"
#include "vmm/load/initramfs.h"
#include "vmm/x86/acpi.h"
#include "vmm/x86/boot_params.h"
#include "vmm/x86/e820.h"
#include "vmm/x86/gdt.h"
#include "vmm/x86/map.h"
#include "vmm/x86/page_tables.h"
#include "vmm/x86/pvh.h"

#include <errno.h>
#include <string.h>

_Static_assert(MAP_PAGE_TABLES + PAGE_TABLES_LEN <= MAP_CMDLINE, "page tables overlap");
_Static_assert(MAP_GDT / PAGE_SIZE == (MAP_GDT + GDT_LEN - 1) / PAGE_SIZE, "GDT crosses a page");

/*
 * boot_part() - add zeroed memory for [addr, addr+len) to the image, in whole pages.
 * @at: becomes the byte at addr; owned by the image
 */
static int boot_part(uint8_t **at, struct image *image, uint64_t addr, uint64_t len, struct err *e)
{
	uint64_t start = align_down(addr, PAGE_SIZE),
		 size = align_up(addr + len, PAGE_SIZE) - start;
	uint8_t *memory = calloc(1, size);
	struct image_part part = {.gpa = gpa_of(start),
		.len = size,
		.type = IMAGE_NORMAL,
		.bytes = memory,
		.bytes_len = size};

	if (!memory)
		return err_sys(e, ENOMEM, "boot data");
	*at = memory + (addr - start);
	return image_own(image, memory, e) ? -e->code : image_add(image, &part, e);
}

static int boot_cmdline(struct image *image, const struct boot_request *req,
	const struct kernel *kernel, struct err *e)
{
	const char *text = req->cmdline ? req->cmdline : "";
	uint64_t max = min_u64(kernel->cmdline_max, MAP_CMDLINE_MAX - 1);
	size_t len = strlen(text);
	uint8_t *at;

	if (len > max)
		return err_set(e, E2BIG, "--cmdline: %zu characters, the kernel takes at most %llu",
			len, (unsigned long long)max);
	if (boot_part(&at, image, MAP_CMDLINE, len + 1, e))
		return -e->code;
	memcpy(at, text, len);
	return 0;
}

static int boot_acpi(struct image *image, const struct boot_request *req, struct err *e)
{
	struct acpi_desc desc = {
		.addr = MAP_ACPI,
		.n_vcpus = req->n_vcpus,
		.n_later = req->n_later,
		.cpu_plug = req->cpu_plug,
		.mem_plug = req->mem_plug,
		.serial = req->serial,
	};
	uint8_t *at;

	if (boot_part(&at, image, MAP_ACPI, MAP_ACPI_LEN, e))
		return -e->code;
	return acpi_fill(at, MAP_ACPI_LEN, &desc, e) ? err_context(e, "--cpus") : 0;
}

static int boot_linux(struct boot *boot, const struct boot_request *req,
	const struct kernel *kernel, gpa_t initrd, struct err *e)
{
	struct boot_params_desc desc = {
		.setup_header = kernel->setup_header,
		.cmdline = MAP_CMDLINE,
		.cmdline_max = kernel->cmdline_max,
		.initrd = (uint32_t)initrd.v,
		.initrd_len = (uint32_t)req->initramfs.left,
		.rsdp = MAP_ACPI,
	};
	uint8_t *params, *tables;

	if (boot_part(&params, &boot->image, MAP_BOOT_PARAMS, BOOT_PARAMS_LEN, e) ||
		boot_part(&tables, &boot->image, MAP_PAGE_TABLES, PAGE_TABLES_LEN, e))
		return -e->code;
	desc.n_e820 = e820_fill(desc.e820, req->layout);
	boot_params_fill(params, &desc);
	page_tables_fill(tables, MAP_PAGE_TABLES, req->cbit);
	boot->entry.rsi = MAP_BOOT_PARAMS;
	boot->entry.cr3 = MAP_PAGE_TABLES | req->cbit;
	return 0;
}

static int boot_pvh(struct boot *boot, const struct boot_request *req, gpa_t initrd, struct err *e)
{
	struct pvh_desc desc = {
		.addr = MAP_PVH_INFO,
		.cmdline = MAP_CMDLINE,
		.initrd = initrd.v,
		.initrd_len = req->initramfs.left,
		.rsdp = MAP_ACPI,
	};
	uint8_t *info;

	if (boot_part(&info, &boot->image, MAP_PVH_INFO, PVH_LEN, e))
		return -e->code;
	desc.n_e820 = e820_fill(desc.e820, req->layout);
	pvh_fill(info, &desc);
	boot->entry.rbx = MAP_PVH_INFO;
	return 0;
}

/* boot_data() - everything in the first MiB */
static int boot_data(struct boot *boot, const struct boot_request *req, const struct kernel *kernel,
	gpa_t initrd, struct err *e)
{
	uint8_t *gdt;

	if (boot_part(&gdt, &boot->image, MAP_GDT, GDT_LEN, e))
		return -e->code;
	gdt_fill(gdt, kernel->mode);
	boot->entry.mode = kernel->mode;
	boot->entry.rip = kernel->entry;
	boot->entry.gdt = MAP_GDT;
	boot->entry.gdt_limit = GDT_LEN - 1;
	if (boot_cmdline(&boot->image, req, kernel, e) || boot_acpi(&boot->image, req, e))
		return -e->code;
	if (kernel->mode == X86_PROTECTED32)
		return boot_pvh(boot, req, initrd, e);
	return boot_linux(boot, req, kernel, initrd, e);
}

static int boot_load(struct boot *boot, const struct boot_request *req, struct err *e)
{
	struct kernel kernel;
	struct kernel_request kr = {.file = req->kernel,
		.name = req->kernel_name,
		.layout = req->layout,
		.need_sev_guest = req->need_sev_guest};
	struct initramfs_request ir = {.file = req->initramfs,
		.name = req->initramfs_name,
		.layout = req->layout,
		.kernel = &kernel};
	gpa_t initrd = gpa_of(0);

	if (kernel_load(&kernel, &boot->image, &kr, e))
		return -e->code;
	if (req->initramfs_name && initramfs_load(&initrd, &boot->image, &ir, e))
		return -e->code;
	boot->format = kernel.format;
	boot->sev_guest = kernel.sev_guest;
	memcpy(boot->version, kernel.version, sizeof(boot->version));
	return boot_data(boot, req, &kernel, initrd, e);
}

int boot_build(struct boot *boot, const struct boot_request *req, struct err *e)
{
	int rc;

	memset(boot, 0, sizeof(*boot));
	image_init(&boot->image);
	rc = boot_load(boot, req, e);
	if (rc)
		image_fini(&boot->image);
	return rc;
}
