/* SPDX-License-Identifier: Apache-2.0 */
/* The wrapped system calls: on the model's descriptors they are the model's, else the kernel's. */
#include "tests/model/model_int.h"

#include <fcntl.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

int __real_ioctl(int fd, unsigned long request, ...);
int __real_open64(const char *path, int flags, ...);
int __real_close(int fd);
int __real_access(const char *path, int mode);
int __real_fallocate64(int fd, int mode, off_t offset, off_t len);
void *__real_mmap64(void *addr, size_t len, int prot, int flags, int fd, off_t offset);
ssize_t __real_read(int fd, void *to, size_t len);

int __wrap_ioctl(int fd, unsigned long request, ...);
int __wrap_open64(const char *path, int flags, ...);
int __wrap_close(int fd);
int __wrap_access(const char *path, int mode);
int __wrap_fallocate64(int fd, int mode, off_t offset, off_t len);
void *__wrap_mmap64(void *addr, size_t len, int prot, int flags, ...);
ssize_t __wrap_read(int fd, void *to, size_t len);

/* wrap_fail() - the call that the configuration wants to fail, counted from 0. Return: 0 or -errno
 */
static long wrap_fail(unsigned long request, void *arg)
{
	struct model *m = &the_model;

	if (m->counts.ioctls++ != m->config.fail_call)
		return 0;
	/* The firmware's code is at 16 in both technologies' commands. */
	if (request == KVM_MEMORY_ENCRYPT_OP && m->config.fail_fw)
		memcpy((uint8_t *)arg + 16, &m->config.fail_fw, 4);
	return -m->config.fail_errno;
}

static long wrap_dispatch(struct model_fd *f, unsigned long request, void *arg)
{
	long rc = wrap_fail(request, arg);

	if (rc)
		return rc;
	switch (f->kind) {
	case MODEL_KVM:
		return model_kvm_ioctl(request, arg);
	case MODEL_VM:
		return model_vm_ioctl(f, request, arg);
	case MODEL_VCPU:
		return model_vcpu_ioctl(f, request, arg);
	default:
		return -ENOTTY;
	}
}

static int wrap_result(long rc)
{
	if (rc < 0)
		errno = (int)-rc;
	return rc < 0 ? -1 : (int)rc;
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	struct model_fd *f;
	va_list ap;
	void *arg;
	long rc;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	pthread_mutex_lock(&model_lock);
	f = model_find(fd);
	if (!f) {
		pthread_mutex_unlock(&model_lock);
		return __real_ioctl(fd, request, arg);
	}
	rc = wrap_dispatch(f, request, arg);
	pthread_mutex_unlock(&model_lock);
	return wrap_result(rc);
}

int __wrap_open64(const char *path, int flags, ...)
{
	struct model_fd *f = NULL;
	mode_t mode = 0;
	va_list ap;

	if (flags & O_CREAT) {
		va_start(ap, flags);
		mode = va_arg(ap, mode_t);
		va_end(ap);
	}
	pthread_mutex_lock(&model_lock);
	if (the_model.up && !strcmp(path, "/dev/kvm"))
		f = model_open_fd(MODEL_KVM, NULL, 0);
	else if (the_model.up && !strcmp(path, "/dev/sev"))
		f = model_open_fd(MODEL_SEV, NULL, 0);
	pthread_mutex_unlock(&model_lock);
	return f ? f->fd : __real_open64(path, flags, mode);
}

int __wrap_access(const char *path, int mode)
{
	return the_model.up && !strcmp(path, "/dev/sev") ? 0 : __real_access(path, mode);
}

/* wrap_closed() - what goes with a descriptor; a VM's keys go with its last one */
static void wrap_closed(struct model_fd *f)
{
	if (f->kind == MODEL_VM)
		f->vm->open = false;
	if (f->kind == MODEL_GMEM)
		model_gmem_free(f->gmem);
	f->kind = MODEL_NONE;
	the_model.counts.fds--;
}

int __wrap_close(int fd)
{
	struct model_fd *f;

	pthread_mutex_lock(&model_lock);
	f = model_find(fd);
	if (f)
		wrap_closed(f);
	pthread_mutex_unlock(&model_lock);
	return __real_close(fd);
}

int __wrap_fallocate64(int fd, int mode, off_t offset, off_t len)
{
	struct model_fd *f;
	int rc;

	pthread_mutex_lock(&model_lock);
	f = model_find(fd);
	rc = f && f->kind == MODEL_GMEM ? model_fallocate(f->gmem, mode, offset, len) : 1;
	pthread_mutex_unlock(&model_lock);
	return rc > 0 ? __real_fallocate64(fd, mode, offset, len) : wrap_result(rc);
}

static bool wrap_is_gmem(int fd, unsigned int rule)
{
	struct model_fd *f;
	bool is;

	pthread_mutex_lock(&model_lock);
	f = model_find(fd);
	is = f && f->kind == MODEL_GMEM && model_broke(rule);
	pthread_mutex_unlock(&model_lock);
	return is;
}

/* As the callers have it: descriptor and offset follow. */
void *__wrap_mmap64(void *addr, size_t len, int prot, int flags, ...)
{
	va_list ap;
	off_t offset;
	int fd;

	va_start(ap, flags);
	fd = va_arg(ap, int);
	offset = va_arg(ap, off_t);
	va_end(ap);
	if (fd >= 0 && wrap_is_gmem(fd, 3)) {
		errno = ENODEV;
		return MAP_FAILED;
	}
	return __real_mmap64(addr, len, prot, flags, fd, offset);
}

ssize_t __wrap_read(int fd, void *to, size_t len)
{
	if (wrap_is_gmem(fd, 3))
		return wrap_result(-EINVAL);
	return __real_read(fd, to, len);
}
