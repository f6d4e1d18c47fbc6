/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON report; see vmm/report.h. */
#include "vmm/report.h"

#include "base/fd.h"
#include "memory/ledger.h"
#include "vmm/vm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const ends[] = {
	[VM_RUNNING] = "running",
	[VM_POWEROFF] = "poweroff",
	[VM_RESET] = "reset",
	[VM_FAILED] = "failed",
	[VM_STOPPED] = "stopped",
};

static void set_bytes(json_t *to, const char *key, uint64_t bytes)
{
	json_object_set_new(to, key, json_integer((json_int_t)bytes));
}

json_t *report_ledger(struct vm *vm)
{
	struct ledger_counts c = ledger_counts(vm->ledger);
	json_t *o = json_object();

	set_bytes(o, "ram", c.ram);
	set_bytes(o, "private", c.ram - c.shared);
	set_bytes(o, "shared", c.shared);
	set_bytes(o, "peak", c.peak);
	set_bytes(o, "budget", c.budget);
	set_bytes(o, "conversions", c.conversions);
	set_bytes(o, "refused", c.refused);
	return o;
}

static json_t *report_resident(struct vm *vm)
{
	uint64_t private_bytes, shared_bytes;
	json_t *o;

	if (ram_resident(&vm->ram, &private_bytes, &shared_bytes))
		return json_null();
	o = json_object();
	set_bytes(o, "private", private_bytes);
	set_bytes(o, "shared", shared_bytes);
	return o;
}

static json_t *report_stages(const struct vm *vm)
{
	json_t *o = json_object();
	uint64_t before = vm->created_ns;

	for (unsigned int i = 0; vm_stage_name(i); i++) {
		json_object_set_new(
			o, vm_stage_name(i), json_real((double)(vm->stage_ns[i] - before) / 1e6));
		before = vm->stage_ns[i];
	}
	return o;
}

static json_t *report_devices(const struct vm *vm)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < DEVICES_MAX; i++) {
		const struct device *d = &vm->machine.devices[i];

		if (!d->pci)
			continue;
		json_array_append_new(list,
			json_pack("{s:s,s:s,s:i,s:b,s:i}", "id", d->id, "kind", d->kind, "pid",
				(int)d->pid, "alive", !d->dead, "deaths", (int)d->deaths));
	}
	return list;
}

static json_t *report_make(struct vm *vm)
{
	json_t *o = json_pack("{s:s,s:s,s:s,s:i,s:s}", "level", vm->type->name, "label",
		vm->type->label, "end", ends[__atomic_load_n(&vm->end, __ATOMIC_ACQUIRE)], "pid",
		(int)getpid(), "backing",
		vm->ram.guest_memfd              ? "guest_memfd"
			: vm->ram.cbit           ? "private memfd"
			: vm->ram.shared_fd >= 0 ? "memfd"
						 : "anonymous memory");
	uint64_t exits = 0;

	for (unsigned int i = 0; i < vm->n_vcpus * HV_EXIT_KINDS; i++)
		exits += vcpu_exits(
			&vm->vcpus[i / HV_EXIT_KINDS], (enum hv_exit_kind)(i % HV_EXIT_KINDS));
	json_object_set_new(o, "kernel", json_string(vm->kernel_version));
	json_object_set_new(o, "ledger", report_ledger(vm));
	json_object_set_new(o, "resident", report_resident(vm));
	json_object_set_new(o, "devices", report_devices(vm));
	json_object_set_new(o, "stages_ms", report_stages(vm));
	json_object_set_new(o, "exits", json_integer((json_int_t)exits));
	return o;
}

/* report_dump() - write it to an opened file. Return: 0 or -errno. */
static int report_dump(const json_t *report, const char *path, int flags, struct err *e)
{
	cleanup_fd int fd = open(path, O_WRONLY | O_CLOEXEC | flags, 0600);

	if (fd < 0)
		return err_sys(e, errno, "--report: '%s'", path);
	errno = EIO;
	return json_dumpfd(report, fd, JSON_INDENT(2)) ? err_sys(e, errno, "--report: '%s'", path)
						       : 0;
}

/* report_name() - the new file that is to take the old one's place. Return: 0 or -errno. */
static int report_name(char *to, size_t size, const char *path, struct err *e)
{
	if (snprintf(to, size, "%s.%d", path, (int)getpid()) >= (int)size)
		return err_set(e, ENAMETOOLONG, "--report: the file name is too long");
	return 0;
}

/* report_replace() - a new file takes the place of the old one. Return: 0 or -errno. */
static int report_replace(const json_t *report, const char *path, struct err *e)
{
	char tmp[4096];
	int rc = report_name(tmp, sizeof(tmp), path, e);

	if (!rc)
		rc = report_dump(report, tmp, O_CREAT | O_EXCL, e);
	if (rc == -EEXIST || rc == -ENAMETOOLONG)
		return rc; /* not ours to remove */
	if (!rc && rename(tmp, path) < 0)
		rc = err_sys(e, errno, "--report: '%s'", path);
	if (rc)
		unlink(tmp);
	return rc;
}

/* A pipe, a terminal or /dev/null is written to, not replaced. */
static bool report_in_place(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

int report_probe(const char *path, struct err *e)
{
	cleanup_fd int fd = -1;
	struct stat st;
	char tmp[4096];
	int rc;

	if (!*path)
		return err_set(e, EINVAL, "--report: needs a file name");
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return err_set(e, EISDIR, "--report: '%s' is a directory", path);
	if (report_in_place(path)) /* a pipe may have no reader yet: rights only */
		return faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) < 0
			? err_sys(e, errno, "--report: '%s'", path)
			: 0;
	rc = report_name(tmp, sizeof(tmp), path, e);
	if (rc)
		return rc;
	fd = open(tmp, O_WRONLY | O_CLOEXEC | O_CREAT | O_EXCL, 0600);
	if (fd < 0)
		return err_sys(e, errno, "--report: '%s'", path);
	unlink(tmp);
	return 0;
}

int report_write(struct vm *vm, const char *path, struct err *e)
{
	json_t *report = report_make(vm);
	int rc;

	if (report_in_place(path))
		rc = report_dump(report, path, O_NONBLOCK | O_NOCTTY, e);
	else
		rc = report_replace(report, path, e);
	json_decref(report);
	return rc;
}
