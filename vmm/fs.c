/* SPDX-License-Identifier: Apache-2.0 */
/* What a user asks for with --fs; see vmm/fs.h. */
#include "vmm/fs.h"

#include <errno.h>
#include <string.h>

void fs_init(struct fs_config *f)
{
	*f = (struct fs_config){.num_queues = 1, .queue_size = 1024};
}

int fs_check(const struct fs_config *f, unsigned int i, struct err *e)
{
	if (!f->tag || !*f->tag)
		return err_set(e, EINVAL, "--fs: file system %u has no tag=NAME", i);
	if (strlen(f->tag) > FS_TAG_MAX)
		return err_set(
			e, EINVAL, "--fs: tag '%.40s' has more than %d bytes", f->tag, FS_TAG_MAX);
	if (!f->socket || !*f->socket)
		return err_set(e, EINVAL, "--fs: file system %u has no socket=PATH", i);
	if (f->queue_size & (f->queue_size - 1))
		return err_set(e, EINVAL, "--fs: queue_size=%llu is not a power of two",
			(unsigned long long)f->queue_size);
	return 0;
}

void fs_device_config(const struct fs_config *f, uint8_t bytes[FS_CONFIG_LEN])
{
	uint32_t n = (uint32_t)f->num_queues;

	memset(bytes, 0, FS_CONFIG_LEN);
	memcpy(bytes, f->tag, strlen(f->tag));
	memcpy(bytes + FS_TAG_MAX, &n, sizeof(n));
}
