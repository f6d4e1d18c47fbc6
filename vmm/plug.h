/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices that come and go by the API: into the config and its echo, and, of a VM that is up, into
 * the machine. A new kind is a row of the table in plug.c. Main thread.
 */
#ifndef VMM_PLUG_H
#define VMM_PLUG_H

#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>

struct removals;
struct vm;
struct vm_config;

/* What a device is plugged into. */
struct plug_board {
	struct vm_config *config;
	json_t *echo;
	struct vm *vm;             /* NULL: it is not up, config and echo alone change */
	struct removals *removals; /* what the guest is waited for */
};

/* A request's body. */
struct plug_body {
	const char *json;
	size_t len;
	int *fds; /* descriptors that came with it; -1 in place of each that is taken */
	size_t n_fds;
};

/* What was plugged in. */
struct plugged {
	bool hot; /* into a VM that is up; else slot says nothing */
	unsigned int slot;
	const char *id; /* valid until the next call */
};

/*
 * plug_add() - add a device from the JSON of its section of a VmConfig.
 * @kind: "disk", "net", "fs", "vsock"
 * Return: 0; -EINVAL, -EEXIST for an id that is there, -EBADF for descriptors that don't fit, -EIO
 * if it can't be started. Nothing has changed after an error.
 */
int plug_add(const struct plug_board *b, const char *kind, const struct plug_body *body,
	struct plugged *out, struct err *e) MUST_CHECK;

/*
 * plug_remove() - take the device with an id from the config. A guest that is up is asked to let go
 * of it; when that has happened the device ends. Meanwhile, and if it does not happen in time, a
 * second call asks again, and the id is not free.
 * Return: 0; -ENOENT; -EPERM for one that can't be removed.
 */
int plug_remove(const struct plug_board *b, const char *id, struct err *e) MUST_CHECK;

#endif
