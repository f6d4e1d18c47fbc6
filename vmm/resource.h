/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening what device processes work on. They open nothing by path; the monitor does it here,
 * before the VM starts, and hands the descriptors over.
 */
#ifndef VMM_RESOURCE_H
#define VMM_RESOURCE_H

#include "base/err.h"

struct disk_config;
struct stream_config;

/*
 * resource_open_disk() - open a raw image or block device and lock it as a whole, against writers
 * if read-only, else against everybody (open file description lock: lasts as long as any copy of
 * the descriptor).
 * Return: the descriptor, or -errno with the path named.
 */
int resource_open_disk(const struct disk_config *disk, struct err *e) MUST_CHECK;

/* resource_open_rng() - open a source of entropy. Return: the descriptor or -errno. */
int resource_open_rng(const char *src, struct err *e) MUST_CHECK;

/*
 * resource_open_output() - open or make an empty file for output. Does not wait for the reader of a
 * FIFO: that one has none is an error. Return: the descriptor, or -errno, flag and path named.
 */
int resource_open_output(const char *path, const char *flag, struct err *e) MUST_CHECK;

/*
 * resource_open_console() - fds[0] input, fds[1] output, both the caller's.
 * @outlet: descriptor of a pseudoterminal or socket (vmm/outlet.h), stays the caller's; -1: none
 * Return: 0 or -errno.
 */
int resource_open_console(
	const struct stream_config *c, int outlet, int fds[2], struct err *e) MUST_CHECK;

#endif
