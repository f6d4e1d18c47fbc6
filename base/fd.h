/* SPDX-License-Identifier: Apache-2.0 */
/*
 * File descriptors: ownership of locals, complete reads and writes, passing over unix sockets.
 * Every descriptor made here is close-on-exec.
 */
#ifndef BASE_FD_H
#define BASE_FD_H

#include "base/attr.h"
#include "base/err.h"

#include <stdint.h>
#include <sys/types.h>
#include <unistd.h>

#define FD_PASS_MAX 20 /* descriptors in one message */

/* fd_drop() - close *fd unless it is negative, and make it -1; errno is kept. */
void fd_drop(int *fd);
#define cleanup_fd CLEANUP(fd_drop)

/* fd_take() - move a descriptor out of an owning local. Return: it; *fd is -1 now. */
static inline int fd_take(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

/* fd_event() - a non-blocking eventfd at *fd, -1 after an error. Return: 0 or -errno. */
int fd_event(int *fd, struct err *e) MUST_CHECK;

/* fd_read_full() - read exactly len bytes. Return: 0, -EPIPE at an early end, or -errno. */
int fd_read_full(int fd, void *buf, size_t len) MUST_CHECK;

/* fd_write_full() - write exactly len bytes. Return: 0 or -errno. */
int fd_write_full(int fd, const void *buf, size_t len) MUST_CHECK;

/* fd_pread_full() - read exactly len bytes at off. Return: 0, -EPIPE at an early end, or -errno. */
int fd_pread_full(int fd, void *buf, size_t len, off_t off) MUST_CHECK;

/*
 * fd_send() - send len (>= 1) bytes and n_fds descriptors (at most FD_PASS_MAX) in one message on
 * a unix socket; the rest of a short send is sent too. The descriptors stay the caller's.
 * Return: 0 or -errno.
 */
int fd_send(int sock, const void *buf, size_t len, const int *fds, size_t n_fds) MUST_CHECK;

/*
 * fd_recv() - receive up to len bytes and up to *n_fds descriptors from one message.
 * @fds: filled with descriptors that the caller now owns; *n_fds becomes their number. More than
 *       there is room for are closed and the call fails with -EMSGSIZE.
 * Return: bytes received, 0 at the end of the stream, or -errno.
 */
ssize_t fd_recv(int sock, void *buf, size_t len, int *fds, size_t *n_fds) MUST_CHECK;

#endif
