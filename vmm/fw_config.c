/* SPDX-License-Identifier: Apache-2.0 */
/* What firmware is told; see vmm/fw_config.h. */
#include "vmm/fw_config.h"

#include "base/file_map.h"
#include "base/log.h"
#include "devices/front/fw_cfg.h"
#include "memory/ram.h"
#include "vmm/config.h"
#include "vmm/load/bzimage.h"
#include "vmm/x86/acpi_loader.h"
#include "vmm/x86/e820.h"
#include "vmm/x86/map.h"

#include <errno.h>
#include <string.h>

#define E820_ENTRY 20 /* address, length, type */

struct fw_config {
	struct fw_cfg *device;
	struct file_map kernel, initramfs;
	uint8_t e820[E820_MAX * E820_ENTRY];
	struct acpi_loader acpi;
};

/* config_setup_len() - bytes of a bzImage that run in real mode (Linux, boot.rst), else 0 */
static size_t config_setup_len(const struct file_map *kernel)
{
	struct bytes file = file_map_bytes(kernel);
	size_t len;

	if (!bzimage_is(file))
		return 0;
	len = ((size_t)(kernel->data[0x1f1] ?: 4) + 1) * 512;
	return len < kernel->len ? len : 0;
}

/* config_add() - a number and what it is the length of */
static int config_add(struct fw_cfg *d, const enum fw_cfg_key keys[2], const void *data, size_t len,
	struct err *e)
{
	int rc = len > UINT32_MAX ? err_set(e, EFBIG, "fw_cfg: 4 GiB and more")
				  : fw_cfg_add_number(d, keys[0], (uint32_t)len, 4, e);

	return rc ? rc : fw_cfg_add(d, keys[1], data, len, e);
}

static int config_add_kernel(struct fw_config *f, const struct vm_config *c, struct err *e)
{
	static const enum fw_cfg_key setup[2] = {FW_CFG_SETUP_SIZE, FW_CFG_SETUP_DATA};
	static const enum fw_cfg_key kernel[2] = {FW_CFG_KERNEL_SIZE, FW_CFG_KERNEL_DATA};
	size_t len;
	int rc = file_map_open(&f->kernel, c->payload.kernel, e);

	if (rc)
		return err_context(e, "--kernel");
	if (f->kernel.len < 2 || memcmp(f->kernel.data, "MZ", 2))
		log_warn("load", "--kernel: '%s' is no EFI program: OVMF will not start it",
			c->payload.kernel);
	len = config_setup_len(&f->kernel);
	rc = config_add(f->device, setup, f->kernel.data, len, e);
	return rc ? rc
		  : config_add(f->device, kernel, f->kernel.data + len, f->kernel.len - len, e);
}

static int config_add_payload(struct fw_config *f, const struct vm_config *c, struct err *e)
{
	static const enum fw_cfg_key initrd[2] = {FW_CFG_INITRD_SIZE, FW_CFG_INITRD_DATA};
	static const enum fw_cfg_key cmdline[2] = {FW_CFG_CMDLINE_SIZE, FW_CFG_CMDLINE_DATA};
	const char *text = c->payload.cmdline ?: "";
	int rc;

	if (!c->payload.kernel)
		return 0;
	rc = config_add_kernel(f, c, e);
	if (!rc && c->payload.initramfs && file_map_open(&f->initramfs, c->payload.initramfs, e))
		rc = err_context(e, "--initramfs");
	if (!rc && c->payload.initramfs)
		rc = config_add(f->device, initrd, f->initramfs.data, f->initramfs.len, e);
	return rc ? rc : config_add(f->device, cmdline, text, strlen(text) + 1, e);
}

/* config_add_e820() - the ranges of RAM; firmware itself reserves what it takes of them */
static int config_add_e820(struct fw_config *f, const struct layout *layout, struct err *e)
{
	uint8_t *at = f->e820;

	for (unsigned int i = 0; i < layout->n_ranges; i++, at += E820_ENTRY) {
		store_le64(at, layout->ranges[i].gpa.v);
		store_le64(at + 8, layout->ranges[i].len);
		store_le32(at + 16, E820_RAM);
	}
	return fw_cfg_add_file(f->device, "etc/e820", f->e820, (size_t)(at - f->e820), e);
}

static int config_add_acpi(struct fw_config *f, const struct vm_config *c, struct err *e)
{
	const struct acpi_desc desc = {
		.n_vcpus = (unsigned int)c->cpus.boot,
		.serial = c->serial.mode != STREAM_OFF,
	};
	const struct acpi_loader *l = &f->acpi;
	int rc = acpi_loader_fill(&f->acpi, &desc, e);

	if (rc)
		return err_context(e, "--cpus");
	rc = fw_cfg_add_file(f->device, ACPI_LOADER_RSDP, l->rsdp, l->rsdp_len, e);
	if (!rc)
		rc = fw_cfg_add_file(f->device, ACPI_LOADER_TABLES, l->tables, l->tables_len, e);
	return rc ? rc
		  : fw_cfg_add_file(f->device, ACPI_LOADER_SCRIPT, l->script, l->script_len, e);
}

static int config_fill(
	struct fw_config *f, const struct layout *layout, const struct vm_config *c, struct err *e)
{
	uint32_t n = (uint32_t)c->cpus.boot;
	int rc = fw_cfg_add_number(f->device, FW_CFG_N_CPUS, n, 2, e);

	if (!rc)
		rc = fw_cfg_add_number(f->device, FW_CFG_MAX_CPUS, n, 2, e);
	if (!rc)
		rc = config_add_e820(f, layout, e);
	if (!rc)
		rc = config_add_acpi(f, c, e);
	return rc ? rc : config_add_payload(f, c, e);
}

int fw_config_create(struct fw_config **out, struct bus *bus, const struct guest_io *io,
	const struct vm_config *config, struct err *e)
{
	struct fw_config *f = calloc(1, sizeof(*f));
	int rc;

	*out = NULL;
	if (!f)
		return err_sys(e, ENOMEM, "fw_cfg");
	rc = fw_cfg_create(&f->device, &(struct fw_cfg_desc){bus, MAP_PORT_FW_CFG, *io}, e);
	if (!rc)
		rc = config_fill(f, &io->ram->layout, config, e);
	if (rc) {
		fw_config_destroy(f);
		return rc;
	}
	*out = f;
	return 0;
}

void fw_config_destroy(struct fw_config *f)
{
	if (!f)
		return;
	fw_cfg_destroy(f->device);
	file_map_close(&f->kernel);
	file_map_close(&f->initramfs);
	free(f);
}
