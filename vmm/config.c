/* SPDX-License-Identifier: Apache-2.0 */
/* What a user asks for; see vmm/config.h. */
#include "vmm/config.h"

#include "base/fd.h"
#include "base/num.h"
#include "memory/layout.h"
#include "vmm/hv/snp.h"
#include "vmm/hv/vm_type.h"
#include "vmm/keyval.h"
#include "vmm/mem_device.h"
#include "vmm/mem_resize.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const stream_modes[] = {"off", "null", "tty", "file", "pty", "socket", NULL};
static const char *const stream_json[] = {"Off", "Null", "Tty", "File", "Pty", "Socket", NULL};
static const char *const sandbox_modes[] = {"strict", "best-effort", NULL};
static const char *const memory_methods[] = {"acpi", "virtio-mem", NULL};
static const char *const memory_json[] = {"Acpi", "VirtioMem", NULL};
static const char *const levels[] = {"auto", "off", "soft", "sw-protected", "snp", "tdx", NULL};

#define FIELD(type, k, j, kd, member, ...)                                                         \
	{                                                                                          \
		.key = (k), .json = (j), .kind = (kd), .offset = offsetof(type, member),           \
		__VA_ARGS__                                                                        \
	}
#define VM(k, j, kd, member, ...) FIELD(struct vm_config, k, j, kd, member, __VA_ARGS__)

static const struct keyval_field payload_fields[] = {
	VM("kernel", "kernel", KEYVAL_STRING, payload.kernel, .help = "bzImage or ELF vmlinux"),
	VM("initramfs", "initramfs", KEYVAL_STRING, payload.initramfs,
		.help = "initial RAM file system"),
	VM("cmdline", "cmdline", KEYVAL_STRING, payload.cmdline, .help = "kernel command line"),
	VM("firmware", "firmware", KEYVAL_STRING, payload.firmware,
		.help = "OVMF, at levels snp and tdx"),
	VM("host-data", "host_data", KEYVAL_STRING, payload.host_data,
		.help = "SNP: 64 hex digits for the guest's reports"),
	VM("mrconfigid", "mrconfigid", KEYVAL_STRING, payload.mrconfigid,
		.help = "TDX: 96 hex digits for the guest's quotes"),
};

static const struct keyval_field cpus_fields[] = {
	VM("boot", "boot_vcpus", KEYVAL_NUMBER, cpus.boot, .min = 1, .max = CONFIG_MAX_VCPUS,
		.help = "vCPUs at start"),
	VM("max", "max_vcpus", KEYVAL_NUMBER, cpus.max, .max = CONFIG_MAX_VCPUS,
		.help = "vCPUs at most, by vm.resize of the API"),
};

static const struct keyval_field memory_fields[] = {
	VM("size", "size", KEYVAL_SIZE, memory.size, .min = MIB(16), .max = GIB(1024) * 32,
		.help = "RAM, whole MiB"),
	VM("shared_max", NULL, KEYVAL_SIZE, memory.shared_max, .min = MIB(1), .max = GIB(1024) * 32,
		.help = "most bytes the guest may share with devices"),
	VM("hotplug_method", "hotplug_method", KEYVAL_CHOICE, memory.method,
		.names = memory_methods, .json_names = memory_json,
		.help = "how more memory comes by vm.resize"),
	VM("hotplug_size", "hotplug_size", KEYVAL_SIZE, memory.hotplug_size, .max = GIB(1024) * 32,
		.help = "how much more can come"),
	VM("hotplugged_size", "hotplugged_size", KEYVAL_SIZE, memory.hotplugged_size,
		.max = GIB(1024) * 32, .help = "how much of it is there at start"),
	VM("overcommit", "overcommit", KEYVAL_TOGGLE, memory.overcommit,
		.help = "allow more RAM than the host has"),
};

static const struct keyval_field confidential_fields[] = {
	VM("level", "level", KEYVAL_CHOICE, confidential.level, .names = levels,
		.help = "auto picks the strongest that the host offers"),
	VM("require", "require", KEYVAL_CHOICE, require, .names = levels + 1,
		.help = "refuse to run at less"),
	VM("policy", "policy", KEYVAL_NUMBER, confidential.policy, .help = "SNP: guest policy"),
	VM("vcpu_type", "vcpu_type", KEYVAL_STRING, confidential.vcpu_type,
		.help = "SNP: CPU by whose signature the guest is measured"),
	VM("id_block", "id_block", KEYVAL_STRING, confidential.id_block,
		.help = "SNP: file with the owner's ID block"),
	VM("id_auth", "id_auth", KEYVAL_STRING, confidential.id_auth,
		.help = "SNP: file with its signatures and keys"),
	VM("expected_digest", "expected_digest", KEYVAL_STRING, confidential.expected_digest,
		.help = "SNP, TDX: launch nothing with another digest"),
	VM("certs", "certs", KEYVAL_STRING, confidential.certs,
		.help = "SNP: file with certificates for the guest's reports"),
	VM("owner", "owner", KEYVAL_STRING, confidential.owner,
		.help = "TDX: 96 hex digits, MROWNER in the guest's quotes"),
	VM("owner_config", "owner_config", KEYVAL_STRING, confidential.owner_config,
		.help = "TDX: 96 hex digits, MROWNERCONFIG"),
	VM("quotes", "quotes", KEYVAL_STRING, confidential.quotes,
		.help = "TDX: quote service, a unix socket or vsock:CID:PORT"),
	VM("shared_max", "shared_max", KEYVAL_SIZE, memory.shared_max, .min = MIB(1),
		.max = GIB(1024) * 32, .help = "most bytes the guest may share with devices"),
};

static const struct keyval_field rng_fields[] = {
	VM("src", "src", KEYVAL_STRING, rng.src, .help = "file that entropy is read from"),
};

static const struct keyval_field balloon_fields[] = {
	VM("size", "size", KEYVAL_SIZE, balloon.size, .max = GIB(1024) * 32,
		.help = "bytes that the guest does without"),
	VM("deflate_on_oom", "deflate_on_oom", KEYVAL_TOGGLE, balloon.deflate_on_oom,
		.help = "let the guest take pages back before it kills processes"),
	VM("free_page_reporting", "free_page_reporting", KEYVAL_TOGGLE, balloon.free_page_reporting,
		.help = "free pages go back to the host"),
};

static const struct keyval_field vsock_fields[] = {
	VM("cid", "cid", KEYVAL_NUMBER, vsock.cid, .min = 3, .max = UINT32_MAX - 1,
		.help = "the guest's context id"),
	VM("socket", "socket", KEYVAL_STRING, vsock.socket,
		.help = "unix socket that the host's clients connect to; the guest's go to "
			"socket_PORT"),
	VM("id", "id", KEYVAL_STRING, vsock.id, .help = "name of the device"),
};

static const struct keyval_field sandbox_fields[] = {
	VM("mode", "mode", KEYVAL_CHOICE, sandbox.mode, .names = sandbox_modes,
		.help = "best-effort goes on without what the host forbids"),
};

#define STREAM_FIELDS(member)                                                                      \
	{                                                                                          \
		VM("mode", "mode", KEYVAL_CHOICE, member.mode, .names = stream_modes,              \
			.json_names = stream_json, .help = "off, null, tty, file, pty or socket"), \
			VM("file", "file", KEYVAL_STRING, member.file, .help = "output file"),     \
			VM("socket", "socket", KEYVAL_STRING, member.socket,                       \
				.help = "unix socket that a client connects to"),                  \
	}
static const struct keyval_field serial_fields[] = STREAM_FIELDS(serial);
static const struct keyval_field console_fields[] = STREAM_FIELDS(console);

/*
 * A limit of an object made by D(): three keys of the command line, an object in JSON with its own
 * table.
 */
#define LIMIT(D, k, member)                                                                        \
	D(k "_size", NULL, KEYVAL_SIZE, member.size),                                              \
		D(k "_one_time_burst", NULL, KEYVAL_SIZE, member.one_time_burst),                  \
		D(k "_refill_time", NULL, KEYVAL_NUMBER, member.refill_time)
#define LIMIT_JSON(D, member)                                                                      \
	{                                                                                          \
		D("size", "size", KEYVAL_SIZE, member.size),                                       \
			D("one_time_burst", "one_time_burst", KEYVAL_SIZE, member.one_time_burst), \
			D("refill_time", "refill_time", KEYVAL_NUMBER, member.refill_time),        \
	}

#define DISK(k, j, kd, member, ...) FIELD(struct disk_config, k, j, kd, member, __VA_ARGS__)
static const struct keyval_field disk_fields[] = {
	DISK("path", "path", KEYVAL_STRING, path, .help = "raw image or block device"),
	DISK("readonly", "readonly", KEYVAL_TOGGLE, readonly, .help = "refuse writes"),
	DISK("direct", "direct", KEYVAL_TOGGLE, direct, .help = "bypass the host's page cache"),
	DISK("num_queues", "num_queues", KEYVAL_NUMBER, num_queues, .min = 1, .max = 16,
		.help = "request queues"),
	DISK("queue_size", "queue_size", KEYVAL_NUMBER, queue_size, .min = 16, .max = 1024,
		.help = "entries per queue, a power of two"),
	DISK("packed", "packed", KEYVAL_TOGGLE, packed, .help = "offer packed rings"),
	DISK("serial", "serial", KEYVAL_STRING, serial, .help = "up to 20 characters"),
	LIMIT(DISK, "bw", bandwidth),
	LIMIT(DISK, "ops", ops),
	DISK("vhost_user", "vhost_user", KEYVAL_TOGGLE, vhost_user,
		.help = "a back end that runs already has the disk"),
	DISK("socket", "vhost_socket", KEYVAL_STRING, vhost_socket,
		.help = "unix socket where it listens"),
	DISK("id", "id", KEYVAL_STRING, id, .help = "name of the device"),
};
static const struct keyval_field disk_bandwidth_fields[] = LIMIT_JSON(DISK, bandwidth);
static const struct keyval_field disk_ops_fields[] = LIMIT_JSON(DISK, ops);

#define NET(k, j, kd, member, ...) FIELD(struct nic_config, k, j, kd, member, __VA_ARGS__)
static const struct keyval_field net_fields[] = {
	NET("tap", "tap", KEYVAL_STRING, tap, .help = "name of the tap; made if it is not there"),
	NET("ip", "ip", KEYVAL_STRING, ip, .help = "the host's address on the tap"),
	NET("mask", "mask", KEYVAL_STRING, mask, .help = "its netmask"),
	NET("mac", "mac", KEYVAL_STRING, mac, .help = "the guest's address; random"),
	NET("host_mac", "host_mac", KEYVAL_STRING, host_mac, .help = "the tap's address"),
	NET("mtu", "mtu", KEYVAL_NUMBER, mtu, .min = 68, .max = 65535, .help = "of both ends"),
	NET("fd", NULL, KEYVAL_STRING, fd_list, .help = "inherited taps, N:N or [N,N]"),
	NET("num_queues", "num_queues", KEYVAL_NUMBER, num_queues, .min = 2,
		.max = 2 * NIC_TAPS_MAX, .help = "two for each queue of the tap"),
	NET("queue_size", "queue_size", KEYVAL_NUMBER, queue_size, .min = 16, .max = 1024,
		.help = "entries per queue, a power of two"),
	NET("packed", "packed", KEYVAL_TOGGLE, packed, .help = "offer packed rings"),
	NET("offload_tso", "offload_tso", KEYVAL_TOGGLE, offload_tso),
	NET("offload_ufo", "offload_ufo", KEYVAL_TOGGLE, offload_ufo),
	NET("offload_csum", "offload_csum", KEYVAL_TOGGLE, offload_csum),
	LIMIT(NET, "bw", bandwidth),
	LIMIT(NET, "ops", ops),
	NET("vhost_user", "vhost_user", KEYVAL_TOGGLE, vhost_user,
		.help = "a back end that runs already is the network"),
	NET("socket", "vhost_socket", KEYVAL_STRING, vhost_socket,
		.help = "unix socket where it listens"),
	NET("id", "id", KEYVAL_STRING, id, .help = "name of the device"),
};
static const struct keyval_field net_bandwidth_fields[] = LIMIT_JSON(NET, bandwidth);
static const struct keyval_field net_ops_fields[] = LIMIT_JSON(NET, ops);

#define FS(k, j, kd, member, ...) FIELD(struct fs_config, k, j, kd, member, __VA_ARGS__)
static const struct keyval_field fs_fields[] = {
	FS("tag", "tag", KEYVAL_STRING, tag, .help = "the guest mounts it by this name"),
	FS("socket", "socket", KEYVAL_STRING, socket, .help = "unix socket of a virtiofsd"),
	FS("num_queues", "num_queues", KEYVAL_NUMBER, num_queues, .min = 1, .max = 16,
		.help = "request queues"),
	FS("queue_size", "queue_size", KEYVAL_NUMBER, queue_size, .min = 16, .max = 1024,
		.help = "entries per queue, a power of two"),
	FS("id", "id", KEYVAL_STRING, id, .help = "name of the device"),
};

#define SECTION(n, f, b)                                                                           \
	{                                                                                          \
		.name = (n), .fields = (f), .n_fields = ARRAY_SIZE(f), .bare = (b)                 \
	}
static const struct keyval_section sections[] = {
	SECTION("cpus", cpus_fields, NULL),
	SECTION("memory", memory_fields, NULL),
	SECTION("confidential", confidential_fields, "level"),
	SECTION("rng", rng_fields, NULL),
	SECTION("serial", serial_fields, "mode"),
	SECTION("console", console_fields, "mode"),
	SECTION("vsock", vsock_fields, NULL),
	SECTION("balloon", balloon_fields, NULL),
	SECTION("sandbox", sandbox_fields, "mode"),
};
static const struct keyval_section disk_section = SECTION("disk", disk_fields, NULL);
static const struct keyval_section disk_bandwidth_section =
	SECTION("disk-bandwidth", disk_bandwidth_fields, NULL);
static const struct keyval_section disk_ops_section = SECTION("disk-ops", disk_ops_fields, NULL);
static const struct keyval_section net_section = SECTION("net", net_fields, NULL);
static const struct keyval_section net_bandwidth_section =
	SECTION("net-bandwidth", net_bandwidth_fields, NULL);
static const struct keyval_section net_ops_section = SECTION("net-ops", net_ops_fields, NULL);
static const struct keyval_section fs_section = SECTION("fs", fs_fields, NULL);
static const struct keyval_section payload_section = SECTION("payload", payload_fields, NULL);

void config_init(struct vm_config *c)
{
	memset(c, 0, sizeof(*c));
	c->cpus.boot = 1;
	c->memory.size = MIB(512);
	c->balloon.size = BALLOON_NONE;
	c->serial.mode = STREAM_TTY;
	c->console.mode = STREAM_OFF;
	c->confidential.level = CONFIG_LEVEL_AUTO;
	c->confidential.policy = SNP_POLICY_DEFAULT;
	c->require = LEVEL_OFF;
}

void config_fini(struct vm_config *c)
{
	keyval_free(&payload_section, c);
	for (size_t i = 0; i < ARRAY_SIZE(sections); i++)
		keyval_free(&sections[i], c);
	while (c->n_disks)
		config_remove_disk(c, c->n_disks - 1);
	while (c->n_nics)
		config_remove_nic(c, c->n_nics - 1);
	while (c->n_fs)
		config_remove_fs(c, c->n_fs - 1);
	memset(c, 0, sizeof(*c));
}

static int config_path(char **to, const char *name, const char *value, struct err *e)
{
	if (*to)
		return err_set(e, EINVAL, "--%s: is given twice", name);
	if (!*value && strcmp(name, "cmdline"))
		return err_set(e, EINVAL, "--%s: needs a file name", name);
	*to = strdup(value);
	return *to ? 0 : err_sys(e, ENOMEM, "--%s", name);
}

const struct keyval_section *config_section(const char *name)
{
	static const struct keyval_section *const others[] = {&disk_section,
		&disk_bandwidth_section, &disk_ops_section, &net_section, &net_bandwidth_section,
		&net_ops_section, &fs_section, &payload_section};

	for (size_t i = 0; i < ARRAY_SIZE(sections); i++)
		if (!strcmp(name, sections[i].name))
			return &sections[i];
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (!strcmp(name, others[i]->name))
			return others[i];
	return NULL;
}

struct disk_config *config_add_disk(struct vm_config *c)
{
	struct disk_config *d = &c->disks[c->n_disks];

	if (c->n_disks == CONFIG_MAX_DISKS)
		return NULL;
	*d = (struct disk_config){.num_queues = 1, .queue_size = 128};
	c->n_disks++;
	return d;
}

void config_remove_disk(struct vm_config *c, unsigned int i)
{
	struct disk_config *d = &c->disks[i];

	keyval_free(&disk_section, d);
	if (d->has_fd)
		fd_drop(&d->fd);
	memmove(d, d + 1, (--c->n_disks - i) * sizeof(*d));
}

int config_add_nic(struct vm_config *c, struct nic_config **out, struct err *e)
{
	if (c->n_nics == CONFIG_MAX_NICS)
		return err_set(e, EINVAL, "--net: more than %d network devices", CONFIG_MAX_NICS);
	*out = &c->nics[c->n_nics];
	if (nic_init(*out, e) < 0)
		return -e->code;
	c->n_nics++;
	return 0;
}

void config_remove_nic(struct vm_config *c, unsigned int i)
{
	struct nic_config *n = &c->nics[i];

	keyval_free(&net_section, n);
	while (n->n_fds)
		fd_drop(&n->fds[--n->n_fds]);
	memmove(n, n + 1, (--c->n_nics - i) * sizeof(*n));
}

int config_add_fs(struct vm_config *c, struct fs_config **out, struct err *e)
{
	if (c->n_fs == CONFIG_MAX_FS)
		return err_set(e, EINVAL, "--fs: more than %d file systems", CONFIG_MAX_FS);
	*out = &c->fs[c->n_fs++];
	fs_init(*out);
	return 0;
}

void config_remove_fs(struct vm_config *c, unsigned int i)
{
	struct fs_config *f = &c->fs[i];

	keyval_free(&fs_section, f);
	memmove(f, f + 1, (--c->n_fs - i) * sizeof(*f));
}

/* config_take_nic_fds() - Return: how many descriptors wait; those in fds are taken, if not NULL */
static size_t config_take_nic_fds(struct vm_config *c, int *fds)
{
	size_t wanted = 0;

	for (unsigned int i = 0; i < c->n_nics; i++)
		for (unsigned int j = 0; j < c->nics[i].n_fds; j++) {
			int *fd = &c->nics[i].fds[j];

			if (*fd >= 0)
				continue;
			wanted++;
			if (fds)
				*fd = fd_take(fds++);
		}
	return wanted;
}

int config_take_fds(struct vm_config *c, int *fds, size_t n, struct err *e)
{
	size_t wanted = config_take_nic_fds(c, NULL);

	for (unsigned int i = 0; i < c->n_disks; i++)
		wanted += c->disks[i].has_fd && c->disks[i].fd < 0;
	if (wanted != n)
		return err_set(e, EBADF, "%zu descriptors came, the body speaks of %zu", n, wanted);
	for (unsigned int i = 0; i < c->n_disks; i++)
		if (c->disks[i].has_fd && c->disks[i].fd < 0)
			c->disks[i].fd = fd_take(fds++);
	config_take_nic_fds(c, fds);
	return 0;
}

static int config_disk(struct vm_config *c, const char *value, struct err *e)
{
	struct disk_config *d = config_add_disk(c);

	if (!d)
		return err_set(e, EINVAL, "--disk: more than %d disks", CONFIG_MAX_DISKS);
	return keyval_parse(&disk_section, d, value, e);
}

static int config_net(struct vm_config *c, const char *value, struct err *e)
{
	struct nic_config *n;

	if (config_add_nic(c, &n, e) < 0)
		return -e->code;
	if (keyval_parse(&net_section, n, value, e) < 0)
		return -e->code;
	return nic_take_list(n, e);
}

static int config_fs(struct vm_config *c, const char *value, struct err *e)
{
	struct fs_config *f;

	if (config_add_fs(c, &f, e) < 0)
		return -e->code;
	return keyval_parse(&fs_section, f, value, e);
}

static int config_require(struct vm_config *c, const char *value, struct err *e)
{
	const struct vm_type *type = vm_type_find(value);

	if (!type)
		return err_set(e, EINVAL,
			"--require: level '%s' is none of: off, soft, sw-protected, snp, tdx",
			value);
	c->require = (int)type->level;
	return 0;
}

/* config_stream_mode() - `file=F` alone says mode file, `socket=P` mode socket */
static void config_stream_mode(struct stream_config *s)
{
	if (s->socket)
		s->mode = STREAM_SOCKET;
	else if (s->file && s->mode != STREAM_PTY)
		s->mode = STREAM_FILE;
}

int config_flag(struct vm_config *c, const char *name, const char *value, struct err *e)
{
	if (!strcmp(name, "kernel"))
		return config_path(&c->payload.kernel, name, value, e);
	if (!strcmp(name, "initramfs"))
		return config_path(&c->payload.initramfs, name, value, e);
	if (!strcmp(name, "cmdline"))
		return config_path(&c->payload.cmdline, name, value, e);
	if (!strcmp(name, "firmware"))
		return config_path(&c->payload.firmware, name, value, e);
	if (!strcmp(name, "host-data"))
		return config_path(&c->payload.host_data, name, value, e);
	if (!strcmp(name, "mrconfigid"))
		return config_path(&c->payload.mrconfigid, name, value, e);
	if (!strcmp(name, "disk"))
		return config_disk(c, value, e);
	if (!strcmp(name, "net"))
		return config_net(c, value, e);
	if (!strcmp(name, "fs"))
		return config_fs(c, value, e);
	if (!strcmp(name, "require"))
		return config_require(c, value, e);
	for (size_t i = 0; i < ARRAY_SIZE(sections); i++)
		if (!strcmp(name, sections[i].name)) {
			int rc = keyval_parse(&sections[i], c, value, e);

			config_stream_mode(&c->serial);
			config_stream_mode(&c->console);
			return rc;
		}
	return -ENOENT;
}

static int config_check_stream(const struct stream_config *s, const char *name, struct err *e)
{
	if (s->mode == STREAM_FILE && !s->file)
		return err_set(e, EINVAL, "--%s: mode file needs file=F", name);
	if (s->mode == STREAM_SOCKET && (!s->socket || !*s->socket))
		return err_set(e, EINVAL, "--%s: mode socket needs socket=PATH", name);
	if (s->mode == STREAM_SOCKET && s->file)
		return err_set(e, EINVAL, "--%s: has both file and socket", name);
	if (s->socket && strlen(s->socket) > VSOCK_SOCKET_MAX)
		return err_set(e, EINVAL, "--%s: socket '%.40s...' has more than %d characters",
			name, s->socket, VSOCK_SOCKET_MAX);
	return 0;
}

static int config_check_disk(const struct disk_config *d, unsigned int i, struct err *e)
{
	if (d->vhost_user != !!d->vhost_socket)
		return err_set(e, EINVAL,
			"--disk: vhost_user=on and socket=PATH (vhost_socket of the API) go together");
	if (d->vhost_user &&
		(d->path || d->has_fd || d->serial || d->readonly || d->direct ||
			d->bandwidth.size || d->ops.size))
		return err_set(e, EINVAL,
			"--disk: with vhost_user=on its back end decides on all but num_queues, "
			"queue_size, packed and id");
	if (!d->vhost_user && !d->has_fd && (!d->path || !*d->path))
		return err_set(e, EINVAL, "--disk: disk %u has no path=F", i);
	if (d->queue_size & (d->queue_size - 1))
		return err_set(e, EINVAL, "--disk: queue_size=%llu is not a power of two",
			(unsigned long long)d->queue_size);
	if (d->serial && strlen(d->serial) > 20)
		return err_set(
			e, EINVAL, "--disk: serial '%s' has more than 20 characters", d->serial);
	return 0;
}

/*
 * config_id() - Return: the id of device number i, its own or what it gets without one (in name);
 * NULL past the last. *flag: how it was asked for; *given: it is its own.
 */
static const char *config_id(
	const struct vm_config *c, unsigned int i, char name[16], const char **flag, bool *given)
{
	static const char *const fixed[] = {"rng0", "console0", "balloon0", MEM_DEVICE_ID};
	const char *id = NULL;

	*given = false;
	if (i < c->n_disks) {
		*flag = "disk";
		id = c->disks[i].id;
	} else if ((i -= c->n_disks) < c->n_nics) {
		*flag = "net";
		id = c->nics[i].id;
	} else if ((i -= c->n_nics) == 0) {
		*flag = "vsock";
		id = c->vsock.id;
	} else if (--i < c->n_fs) {
		*flag = "fs";
		id = c->fs[i].id;
	} else {
		i -= c->n_fs;
		return i < ARRAY_SIZE(fixed) ? fixed[i] : NULL;
	}
	*given = id;
	snprintf(name, 16, "%s%u", *flag, i);
	return id ? id : name;
}

static int config_check_id(const struct vm_config *c, unsigned int i, struct err *e)
{
	char name[16], other_name[16];
	const char *flag, *other_flag, *other, *id;
	bool given, other_given;

	id = config_id(c, i, name, &flag, &given);
	if (!given)
		return 0;
	if (!*id || strlen(id) > CONFIG_ID_MAX)
		return err_set(e, EINVAL, "--%s: id '%.40s' has not 1 to %d characters", flag, id,
			CONFIG_ID_MAX);
	for (unsigned int j = 0;; j++) {
		other = config_id(c, j, other_name, &other_flag, &other_given);
		if (!other)
			return 0;
		if (j != i && !strcmp(other, id))
			return err_set(e, EINVAL,
				other_given ? "--%s: id '%s' is given twice"
					    : "--%s: id '%s' is another device's",
				flag, id);
	}
}

/* config_check_ids() - ids name devices in the report, the log and the API: they are unique */
static int config_check_ids(const struct vm_config *c, struct err *e)
{
	int rc = 0;

	for (unsigned int i = 0; i <= c->n_disks + c->n_nics + c->n_fs && !rc; i++) /* and vsock */
		rc = config_check_id(c, i, e);
	return rc;
}

/* config_check_keys() - what a level has not is refused, since it would not hold there */
static int config_check_keys(const struct vm_config *c, bool snp, bool tdx, struct err *e)
{
	const struct {
		const char *name;
		bool given, snp, tdx;
	} keys[] = {
		{"--firmware", c->payload.firmware, true, true},
		{"--host-data", c->payload.host_data, true, false},
		{"--mrconfigid", c->payload.mrconfigid, false, true},
		{"--confidential.expected_digest", c->confidential.expected_digest, true, true},
		{"--confidential.policy", c->confidential.policy != SNP_POLICY_DEFAULT, true,
			false},
		{"--confidential.vcpu_type", c->confidential.vcpu_type, true, false},
		{"--confidential.id_block", c->confidential.id_block, true, false},
		{"--confidential.id_auth", c->confidential.id_auth, true, false},
		{"--confidential.certs", c->confidential.certs, true, false},
		{"--confidential.owner", c->confidential.owner, false, true},
		{"--confidential.owner_config", c->confidential.owner_config, false, true},
		{"--confidential.quotes", c->confidential.quotes, false, true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (keys[i].given && !(snp && keys[i].snp) && !(tdx && keys[i].tdx))
			return err_set(e, EINVAL, "%s: goes with level %s alone", keys[i].name,
				!keys[i].tdx           ? "snp"
					: !keys[i].snp ? "tdx"
						       : "snp or tdx");
	return 0;
}

/* config_check_launch() - what is booted, and what the level needs for that */
static int config_check_launch(const struct vm_config *c, struct err *e)
{
	bool snp = c->confidential.level == (int)LEVEL_SNP + 1;
	bool tdx = c->confidential.level == (int)LEVEL_TDX + 1;
	int rc = config_check_keys(c, snp, tdx, e);

	if (rc)
		return rc;
	if (!snp && !tdx)
		return c->payload.kernel
			? 0
			: err_set(e, EINVAL,
				  "--kernel: is missing; give a bzImage or an ELF vmlinux");
	if (!c->payload.firmware)
		return err_set(e, EINVAL, "--firmware: is missing; level %s needs OVMF for %s",
			levels[c->confidential.level], snp ? "SEV-SNP" : "TDX");
	if (!c->payload.kernel && (c->payload.initramfs || c->payload.cmdline))
		return err_set(
			e, EINVAL, "--kernel: is missing; --initramfs and --cmdline need it");
	if (!c->confidential.id_block != !c->confidential.id_auth)
		return err_set(e, EINVAL, "--confidential: id_block and id_auth go together");
	return 0;
}

bool config_has_virtio_mem(const struct vm_config *c)
{
	return c->memory.method == MEMORY_VIRTIO && c->memory.hotplug_size;
}

int config_check(const struct vm_config *c, struct err *e)
{
	int rc = config_check_launch(c, e);

	if (rc)
		return rc;
	if (!is_aligned(c->memory.size, MIB(1)))
		return err_set(e, EINVAL, "--memory: size=%llu is not a whole number of MiB",
			(unsigned long long)c->memory.size);
	if (c->memory.hotplugged_size > c->memory.hotplug_size)
		return err_set(e, EINVAL, "--memory: hotplugged_size is more than hotplug_size");
	if (config_has_virtio_mem(c) &&
		!is_aligned(c->memory.hotplug_size | c->memory.hotplugged_size, LAYOUT_PLUG_STEP))
		return err_set(e, EINVAL,
			"--memory: hotplug_size and hotplugged_size are multiples of 128 MiB "
			"with virtio-mem");
	if (c->cpus.max && c->cpus.max < c->cpus.boot)
		return err_set(e, EINVAL, "--cpus: max=%llu is less than boot=%llu",
			(unsigned long long)c->cpus.max, (unsigned long long)c->cpus.boot);
	rc = config_check_stream(&c->serial, "serial", e);
	if (!rc)
		rc = config_check_stream(&c->console, "console", e);
	if (!rc)
		rc = vsock_check(&c->vsock, e);
	if (!rc)
		rc = balloon_check(&c->balloon, mem_resize_now(c), e);
	for (unsigned int i = 0; i < c->n_disks && !rc; i++)
		rc = config_check_disk(&c->disks[i], i, e);
	for (unsigned int i = 0; i < c->n_nics && !rc; i++)
		rc = nic_check(&c->nics[i], e);
	for (unsigned int i = 0; i < c->n_fs && !rc; i++)
		rc = fs_check(&c->fs[i], i, e);
	if (!rc)
		rc = config_check_ids(c, e);
	if (!rc && c->confidential.level != CONFIG_LEVEL_AUTO &&
		c->confidential.level - 1 < c->require)
		rc = err_set(e, EINVAL, "--confidential: level %s is weaker than --require %s",
			levels[c->confidential.level], levels[c->require + 1]);
	return rc;
}
