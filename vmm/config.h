/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct vm_config: what a user asks for. The tables in config.c drive the command line, the
 * defaults and the checks.
 */
#ifndef VMM_CONFIG_H
#define VMM_CONFIG_H

#include "base/err.h"
#include "vmm/balloon.h"
#include "vmm/disk.h"
#include "vmm/fs.h"
#include "vmm/nic.h"
#include "vmm/stream.h"
#include "vmm/vsock.h"

#define CONFIG_MAX_VCPUS 64
#define CONFIG_MAX_DISKS 16
#define CONFIG_MAX_NICS  8
#define CONFIG_MAX_FS    4
#define CONFIG_ID_MAX    31 /* characters of a device id */

/* What to do where a part of a device process's sandbox can't be had. */
enum sandbox_mode { SANDBOX_STRICT, SANDBOX_BEST_EFFORT };

enum memory_method { MEMORY_ACPI, MEMORY_VIRTIO }; /* how it comes to a running guest */

struct keyval_section;

struct vm_config {
	struct {
		char *kernel, *initramfs, *cmdline, *firmware, *host_data, *mrconfigid;
	} payload;
	struct {
		uint64_t boot, max; /* max 0: boot */
	} cpus;
	struct {
		uint64_t size, shared_max;              /* bytes; shared_max 0: chosen by size */
		uint64_t hotplug_size, hotplugged_size; /* see vmm/mem_resize.h */
		uint64_t plugged; /* of size: what came by ACPI since, out of hotplug_size */
		int method;       /* enum memory_method */
		bool overcommit;  /* RAM may be larger than the host's */
	} memory;
	struct {
		int level;             /* CONFIG_LEVEL_AUTO or enum level + 1 */
		char *expected_digest; /* levels snp and tdx; this and others: NULL if not given */
		uint64_t policy;       /* level snp, as all but the last three that follow */
		char *vcpu_type, *id_block, *id_auth, *certs, *owner, *owner_config, *quotes;
	} confidential;
	int require; /* enum level: the least that will do */
	struct {
		char *src; /* NULL: no device */
	} rng;
	struct stream_config serial, console;
	struct vsock_config vsock;
	struct balloon_wish balloon;
	struct {
		int mode; /* enum sandbox_mode */
	} sandbox;
	struct disk_config disks[CONFIG_MAX_DISKS];
	unsigned int n_disks;
	struct nic_config nics[CONFIG_MAX_NICS];
	unsigned int n_nics;
	struct fs_config fs[CONFIG_MAX_FS];
	unsigned int n_fs;
	unsigned int n_named; /* devices that were given an id of ours */
	bool xcr0_preset;     /* lab only */
};
#define CONFIG_LEVEL_AUTO 0
/* config_init() - the defaults; config_fini() - free what the config owns. */
void config_init(struct vm_config *c);
void config_fini(struct vm_config *c);

/* config_has_virtio_mem() - Return: can memory come by a virtio-mem device? */
bool config_has_virtio_mem(const struct vm_config *c);

/*
 * config_flag() - take one flag of the command line.
 * @name: without dashes; @value: its argument
 * Return: 0, -ENOENT without a message for an unknown flag, -EINVAL with one.
 */
int config_flag(struct vm_config *c, const char *name, const char *value, struct err *e) MUST_CHECK;

/*
 * config_section() - Return: the table of a section: one of the flags with keys, "disk" (of a
 * struct disk_config), "disk-bandwidth", "disk-ops"; "net", "net-bandwidth" or "net-ops" (of a
 * struct nic_config), "fs" (of a struct fs_config) or "payload"; NULL for other names.
 */
const struct keyval_section *config_section(const char *name);

/* config_add_disk() - Return: a disk with the defaults, appended; NULL if there are too many. */
struct disk_config *config_add_disk(struct vm_config *c);

/* config_remove_disk() - free disk number i; those behind it move up. */
void config_remove_disk(struct vm_config *c, unsigned int i);

/* config_add_nic() - append a network device with the defaults to *out. Return: 0 or -errno. */
int config_add_nic(struct vm_config *c, struct nic_config **out, struct err *e) MUST_CHECK;

/* config_remove_nic() - free network device number i; those behind it move up. */
void config_remove_nic(struct vm_config *c, unsigned int i);

/* config_add_fs() - append a file system with the defaults to *out. Return: 0 or -EINVAL. */
int config_add_fs(struct vm_config *c, struct fs_config **out, struct err *e) MUST_CHECK;

/* config_remove_fs() - free file system number i; those behind it move up. */
void config_remove_fs(struct vm_config *c, unsigned int i);

/*
 * config_take_fds() - move the descriptors that came with a request to what waits for one: disks
 * with has_fd and no fd, then network devices with fds of -1, in their order.
 * @fds: -1 in place of each that was taken
 * Return: 0, or -EBADF if the numbers differ; nothing was taken then.
 */
int config_take_fds(struct vm_config *c, int *fds, size_t n, struct err *e) MUST_CHECK;

/* config_check() - what can be said against the whole. Return: 0 or -EINVAL, the flag named. */
int config_check(const struct vm_config *c, struct err *e) MUST_CHECK;

#endif
