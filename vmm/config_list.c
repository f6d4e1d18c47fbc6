/* SPDX-License-Identifier: Apache-2.0 */
/* The lists of devices; see vmm/config_list.h. */
#include "vmm/config_list.h"

#include "vmm/config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int disk_add(struct vm_config *c, struct err *e)
{
	return config_add_disk(c) ? 0 : err_set(e, EINVAL, "disks: more than %d", CONFIG_MAX_DISKS);
}

static int disk_await(void *element, size_t n, struct err *e)
{
	struct disk_config *d = element;

	if (n > 1)
		return err_set(e, EBADF, "a disk has one descriptor, not %zu", n);
	d->has_fd = n;
	d->fd = -1;
	return 0;
}

static int nic_add(struct vm_config *c, struct err *e)
{
	struct nic_config *n;

	return config_add_nic(c, &n, e);
}

static int nic_await(void *element, size_t n, struct err *e)
{
	struct nic_config *nic = element;

	if (n > NIC_TAPS_MAX || (n && n != nic->num_queues / 2))
		return err_set(e, EBADF, "%zu descriptors for num_queues %llu, two for each", n,
			(unsigned long long)nic->num_queues);
	nic->n_fds = (unsigned int)n;
	for (size_t i = 0; i < n; i++)
		nic->fds[i] = -1;
	return 0;
}

static int fs_add(struct vm_config *c, struct err *e)
{
	struct fs_config *f;

	return config_add_fs(c, &f, e);
}

static int fs_await(void *element, size_t n, struct err *e)
{
	(void)element;
	return n ? err_set(e, EBADF, "a file system has no descriptor") : 0;
}

#define LIST(j, k, array, n, type, ...)                                                            \
	{                                                                                          \
		.json = (j), .kind = (k), .first = offsetof(struct vm_config, array),              \
		.stride = sizeof(type), .count = offsetof(struct vm_config, n),                    \
		.id = offsetof(type, id), __VA_ARGS__                                              \
	}
static const struct config_list lists[] = {
	LIST("disks", "disk", disks, n_disks, struct disk_config, .add = disk_add,
		.remove = config_remove_disk, .await = disk_await),
	LIST("net", "net", nics, n_nics, struct nic_config, .add = nic_add,
		.remove = config_remove_nic, .await = nic_await),
	LIST("fs", "fs", fs, n_fs, struct fs_config, .add = fs_add, .remove = config_remove_fs,
		.await = fs_await),
};

const struct config_list *config_list_of(unsigned int i)
{
	return i < ARRAY_SIZE(lists) ? &lists[i] : NULL;
}

const struct config_list *config_list_find(const char *kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		if (!strcmp(lists[i].kind, kind))
			return &lists[i];
	return NULL;
}

unsigned int config_list_count(const struct config_list *l, const struct vm_config *c)
{
	return *(const unsigned int *)((const char *)c + l->count);
}

void *config_list_at(const struct config_list *l, struct vm_config *c, unsigned int i)
{
	return (char *)c + l->first + i * l->stride;
}

const char *config_list_id(const struct config_list *l, const struct vm_config *c, unsigned int i)
{
	return *(char *const *)((const char *)c + l->first + i * l->stride + l->id);
}

const struct config_list *config_list_search(
	const struct vm_config *c, const char *id, unsigned int *i)
{
	for (size_t n = 0; n < ARRAY_SIZE(lists); n++)
		for (*i = 0; *i < config_list_count(&lists[n], c); ++*i) {
			const char *other = config_list_id(&lists[n], c, *i);

			if (other && !strcmp(other, id))
				return &lists[n];
		}
	return NULL;
}

/* config_list_invent() - Return: an id that no device has, NULL without memory */
static char *config_list_invent(const struct config_list *l, struct vm_config *c)
{
	char name[24];
	unsigned int i;

	do
		snprintf(name, sizeof(name), "_%s%u", l->kind, c->n_named++);
	while (config_list_search(c, name, &i));
	return strdup(name);
}

int config_list_name(
	const struct config_list *l, struct vm_config *c, const char *path, struct err *e)
{
	unsigned int last = config_list_count(l, c) - 1, i;
	char **id = (char **)((char *)config_list_at(l, c, last) + l->id);

	if (!*id) {
		*id = config_list_invent(l, c);
		return *id ? 0 : err_sys(e, ENOMEM, "%s", path);
	}
	if (!**id || strlen(*id) >= CONFIG_ID_MAX)
		return err_set(
			e, EINVAL, "%s.id: must have 1 to %d characters", path, CONFIG_ID_MAX - 1);
	if (config_list_search(c, *id, &i) != l || i != last)
		return err_set(e, EEXIST, "%s.id: '%s' is there twice", path, *id);
	return 0;
}
