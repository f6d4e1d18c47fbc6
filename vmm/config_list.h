/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lists of devices in struct vm_config, as a table: what config_json.c and plug.c do to a disk
 * they do to any of them. A new list is a row in config_list.c.
 */
#ifndef VMM_CONFIG_LIST_H
#define VMM_CONFIG_LIST_H

#include "base/err.h"

#include <stdbool.h>

struct vm_config;

struct config_list {
	const char *json; /* in a VmConfig: "disks" */
	const char *kind; /* of one element: "disk" */
	size_t first, stride, count,
		id; /* offsets: of the array and its length; of the element's id */
	/* Append one with the defaults. */
	int (*add)(struct vm_config *c, struct err *e);
	void (*remove)(struct vm_config *c, unsigned int i);
	/* Let it wait for n descriptors that come with the request. */
	int (*await)(void *element, size_t n, struct err *e);
};

/* config_list_of() - Return: list number i, NULL past the last. */
const struct config_list *config_list_of(unsigned int i);

/* config_list_find() - Return: the list of a kind, NULL if there is none. */
const struct config_list *config_list_find(const char *kind);

/* config_list_count() - Return: how many elements it has. */
unsigned int config_list_count(const struct config_list *l, const struct vm_config *c);

/* config_list_at() - Return: element number i, which must be there. */
void *config_list_at(const struct config_list *l, struct vm_config *c, unsigned int i);

/* config_list_id() - Return: the id of element number i, NULL if it has none. */
const char *config_list_id(const struct config_list *l, const struct vm_config *c, unsigned int i);

/*
 * config_list_search() - look in all lists for an id. Return: its list, NULL if it is nowhere.
 * @i: its number in it
 */
const struct config_list *config_list_search(
	const struct vm_config *c, const char *id, unsigned int *i);

/*
 * config_list_name() - give the last element of a list an id if it has none: "_disk3", with a
 * number that no device of this config had. Return: 0; -EINVAL for an id that is too long; -EEXIST
 * for one that is there.
 * @path: of the element, for messages
 */
int config_list_name(const struct config_list *l, struct vm_config *c, const char *path,
	struct err *e) MUST_CHECK;

#endif
