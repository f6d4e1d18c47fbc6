/* SPDX-License-Identifier: Apache-2.0 */
/* struct disk_config: what a user asks for with --disk, one disk. */
#ifndef VMM_DISK_H
#define VMM_DISK_H

#include "vmm/nic.h"

#include <stdbool.h>
#include <stdint.h>

struct disk_config {
	char *path;
	bool readonly, direct, packed; /* packed: offer such rings */
	uint64_t num_queues, queue_size;
	struct nic_limit bandwidth, ops; /* of all queues together; bandwidth in bytes */
	char *serial, *id;
	bool has_fd;
	int fd; /* has_fd: the image, opened already; the config's */
	bool vhost_user;
	char *vhost_socket; /* vhost_user: where a back end listens; there is no path then */
};

#endif
