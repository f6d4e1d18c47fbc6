/* SPDX-License-Identifier: Apache-2.0 */
/* The load stage; see vmm/launch.h. */
#include "vmm/launch.h"

#include "base/file_map.h"
#include "base/log.h"
#include "vmm/boot.h"
#include "vmm/vm.h"
#include "vmm/x86/copyin.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysinfo.h>

#define SLAB          2048u   /* Linux IO_TLB_SIZE */
#define BOUNCE_BASE   MIB(4)  /* console, rng and a margin */
#define BOUNCE_DEVICE MIB(4)  /* per disk */
#define BOUNCE_PAIR   MIB(16) /* per pair of network queues: 256 frames of 64 KiB */
#define BOUNCE_VSOCK  MIB(8)  /* a transmit queue full of the largest packets */
#define SHARED_EXTRA  MIB(32) /* rings, coherent allocations, the guest's own shared data */

/* launch_bounce() - bytes of bounce memory that the guest should set aside */
static uint64_t launch_bounce(const struct vm_config *config)
{
	uint64_t pairs = 0;

	for (unsigned int i = 0; i < config->n_nics; i++)
		pairs += config->nics[i].num_queues / 2;
	return BOUNCE_BASE + config->n_disks * BOUNCE_DEVICE + pairs * BOUNCE_PAIR +
		(config->vsock.socket ? BOUNCE_VSOCK : 0);
}

uint64_t launch_shared_budget(const struct vm_config *config)
{
	uint64_t budget = config->memory.shared_max;

	/* A guest with its own swiotlb= may need more; a quarter of RAM leaves room for that. */
	if (!budget)
		budget = max_u64(launch_bounce(config) + SHARED_EXTRA, config->memory.size / 4);
	return min_u64(align_down(budget, PAGE_SIZE), config->memory.size);
}

/* launch_given() - is the kernel's own parameter there, not a module's that ends like it? */
static bool launch_given(const char *cmdline, const char *name)
{
	for (const char *at = cmdline; (at = strstr(at, name)); at++)
		if (at == cmdline || at[-1] == ' ' || at[-1] == '"')
			return true;
	return false;
}

char *launch_cmdline(const struct vm_config *config, bool confidential)
{
	const char *given = config->payload.cmdline ? config->payload.cmdline : "console=ttyS0";
	const char *reboot = launch_given(given, "reboot=") ? "" : "reboot=a ";
	char bounce[32] = "", *text;

	if (confidential && !launch_given(given, "swiotlb="))
		snprintf(bounce, sizeof(bounce), "swiotlb=%llu ",
			(unsigned long long)(launch_bounce(config) / SLAB));
	/* In front: what follows a "--" is init's, not the kernel's. */
	if (asprintf(&text, "%s%s%s", reboot, bounce, given) < 0)
		return NULL;
	return text;
}

int launch_check_host_memory(uint64_t ram, struct err *e)
{
	struct sysinfo info;
	uint64_t have;

	if (sysinfo(&info) < 0)
		return err_sys(e, errno, "sysinfo");
	have = (uint64_t)(info.totalram + info.totalswap) * info.mem_unit;
	if (ram > have)
		return err_set(e, EINVAL,
			"--memory: size=%lluM is more than the host's %lluM; give less, or overcommit=on",
			(unsigned long long)(ram >> 20), (unsigned long long)(have >> 20));
	return 0;
}

static int launch_map(struct file_map *map, const char *path, const char *flag, struct err *e)
{
	if (!path)
		return 0;
	if (file_map_open(map, path, e))
		return err_context(e, "--%s", flag);
	return 0;
}

/* launch_place() - build the image, aim the entry at the stub where one must copy, fill memory */
static int launch_place(struct vm *vm, const struct boot_request *req, struct err *e)
{
	struct boot boot;
	int rc = boot_build(&boot, req, e);

	if (rc)
		return rc;
	if (vm->type->alias && !vm->ram.mappable)
		rc = copyin_add(&boot.image, &boot.entry, vm->ram.cbit, e);
	if (!rc)
		rc = ram_load(&vm->ram, &boot.image, e);
	image_fini(&boot.image);
	vm->entry = boot.entry;
	snprintf(vm->kernel_version, sizeof(vm->kernel_version), "%s", boot.version);
	log_info("load", "kernel %s", boot.version);
	return rc;
}

int launch_load(struct vm *vm, struct err *e)
{
	const struct vm_config *c = vm->config;
	cleanup_file_map struct file_map kernel = FILE_MAP_INIT, initramfs = FILE_MAP_INIT;
	cleanup_free char *cmdline = launch_cmdline(c, vm->type->alias);
	struct boot_request req = {
		.kernel_name = c->payload.kernel,
		.initramfs_name = c->payload.initramfs,
		.cmdline = cmdline,
		.layout = &vm->ram.layout,
		.n_vcpus = vm->n_vcpus,
		.n_later = vm->n_vcpus - (unsigned int)c->cpus.boot,
		.cpu_plug = vm->machine.cpus,
		.mem_plug = vm->machine.mem_plug,
		.cbit = vm->ram.cbit,
		.need_sev_guest = vm->type->alias,
		.serial = c->serial.mode != STREAM_OFF,
	};
	int rc;

	if (!cmdline)
		return err_sys(e, ENOMEM, "--cmdline");
	rc = launch_map(&kernel, c->payload.kernel, "kernel", e);
	if (!rc)
		rc = launch_map(&initramfs, c->payload.initramfs, "initramfs", e);
	if (rc)
		return rc;
	req.kernel = file_map_bytes(&kernel);
	req.initramfs = file_map_bytes(&initramfs);
	return launch_place(vm, &req, e);
}
