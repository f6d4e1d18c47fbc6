/* SPDX-License-Identifier: Apache-2.0 */
/* Mappings shared with other processes; see memory/shared_area.h. */
#include "memory/shared_area.h"

#include "base/fd.h"
#include "base/num.h"
#include "memory/gpa.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int shared_area_open(struct shared_area *a, size_t len, int *fd, struct err *e)
{
	cleanup_fd int made = memfd_create("shared-area", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	*fd = -1;
	if (made < 0 || ftruncate(made, (off_t)len) < 0 ||
		fcntl(made, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		return err_sys(e, errno, "shared area");
	if (shared_area_map(a, made, 0, len, e) < 0)
		return -e->code;
	*fd = fd_take(&made);
	return 0;
}

int shared_area_map(struct shared_area *a, int fd, uint64_t offset, uint64_t len, struct err *e)
{
	struct stat st;
	void *at;

	shared_area_close(a);
	if (fstat(fd, &st) < 0)
		return err_sys(e, errno, "shared area: fstat");
	if (!len || !is_aligned(offset, PAGE_SIZE) || !range_in(offset, len, (uint64_t)st.st_size))
		return err_set(e, EINVAL, "shared area: not inside its descriptor");
	at = mmap(NULL, (size_t)len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)offset);
	if (at == MAP_FAILED)
		return err_sys(e, errno, "shared area: mmap");
	*a = (struct shared_area){.at = at, .len = (size_t)len};
	return 0;
}

void shared_area_close(struct shared_area *a)
{
	if (a->at)
		munmap(a->at, a->len);
	*a = (struct shared_area){0};
}
