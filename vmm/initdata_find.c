/* SPDX-License-Identifier: Apache-2.0 */
/* Init data among disks; see vmm/initdata_find.h. */
#include "vmm/initdata_find.h"

#include "base/file_map.h"
#include "vmm/config.h"

#include <errno.h>

int initdata_find(struct initdata *out, const struct vm_config *c, struct err *e)
{
	for (unsigned int i = 0; i < c->n_disks; i++) {
		cleanup_file_map struct file_map map = FILE_MAP_INIT;
		struct err ignored = ERR_INIT;
		const char *path = c->disks[i].path;

		if (!path || c->disks[i].has_fd || file_map_open(&map, path, &ignored) ||
			!initdata_is_disk(file_map_bytes(&map)))
			continue;
		if (initdata_of_disk(out, file_map_bytes(&map), e))
			return err_context(e, "'%s'", path);
		return 1;
	}
	return 0;
}
