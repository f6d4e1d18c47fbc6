/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct vm_config from the JSON of vm.create, and back: the field tables of config.c, and beside
 * them tables of what cloud-hypervisor's clients send and Cloister accepts without having it.
 *
 * A key that no table has is ignored, as cloud-hypervisor does, but in `platform` and
 * `confidential` it is an error. A known key with a value that can't be honoured is an error that
 * names its path. null is the same as no key. What is left out of the body has cloud-hypervisor's
 * defaults; the level is then `off`.
 */
#ifndef VMM_CONFIG_JSON_H
#define VMM_CONFIG_JSON_H

#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>

struct config_list;
struct config_rows;
struct vm_config;

/* The JSON of one device to be added. */
struct config_text {
	const char *kind; /* one of vmm/config_list.h, or "vsock" */
	const char *text;
	size_t len;
	size_t n_fds; /* descriptors that came with it; it waits for config_take_fds() */
};

/*
 * config_json_read() - fill *c from the text of a VmConfig, and check it.
 * @c: initialised here; the caller ends it with config_fini(), not after an error
 * @echo: the whole config with its defaults; the caller's
 * Return: 0; -EINVAL, or -EEXIST for an id that is there twice, with the field's path in the
 * message.
 */
int config_json_read(
	struct vm_config *c, json_t **echo, const char *text, size_t len, struct err *e) MUST_CHECK;

/*
 * config_json_add() - append a device from its JSON to the config and its echo.
 * Return: 0 or as above; config and echo are as before then.
 */
int config_json_add(struct vm_config *c, json_t *echo, const struct config_text *text,
	struct err *e) MUST_CHECK;

/*
 * config_json_of_flag() - the JSON of what a flag says that is one of vmm/config_list.h: "disk",
 * "path=F,...".
 * @out: a new object with all fields
 * Return: 0, or -EINVAL with the key named.
 */
int config_json_of_flag(
	json_t **out, const char *flag, const char *value, struct err *e) MUST_CHECK;

/* config_json_last_id() - Return: the id of the device of a kind that was added last. */
const char *config_json_last_id(const struct vm_config *c, const char *kind);

/* config_json_remove() - drop what has an id from config and echo. Return: 0, -ENOENT. */
int config_json_remove(struct vm_config *c, json_t *echo, const char *id) MUST_CHECK;

/*
 * config_json_path() - turn the "--flag: " that a message starts with into the field's path.
 * Return: -e->code.
 */
int config_json_path(struct err *e);

/* config_json_rows() - Return: what an element of a list may have beside its fields. */
const struct config_rows *config_json_rows(const struct config_list *l);

#endif
