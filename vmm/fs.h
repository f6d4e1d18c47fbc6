/* SPDX-License-Identifier: Apache-2.0 */
/* struct fs_config: what a user asks for with --fs, one shared file system of a daemon's. */
#ifndef VMM_FS_H
#define VMM_FS_H

#include "base/err.h"

#include <stdint.h>

#define FS_TAG_MAX    36 /* bytes: spec 5.11.4 */
#define FS_CONFIG_LEN 40 /* of the device configuration */

struct fs_config {
	char *tag;                       /* the guest mounts it by this name */
	char *socket;                    /* where the daemon listens: vhost-user */
	uint64_t num_queues, queue_size; /* of requests; there is one more of high priority */
	char *id;
};

/* fs_init() - the defaults. */
void fs_init(struct fs_config *f);

/* fs_check() - what can be said against number i. Return: 0 or -EINVAL. */
int fs_check(const struct fs_config *f, unsigned int i, struct err *e) MUST_CHECK;

/* fs_device_config() - the device configuration, which the daemon does not have (spec 5.11.4). */
void fs_device_config(const struct fs_config *f, uint8_t bytes[FS_CONFIG_LEN]);

#endif
