/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A library to preload into cloister: of all calls of the C library below, in all processes and
 * threads of one run, it makes one fail, and says which. FAULTS names a file of one page, a struct
 * faults, that the test (faults.py) shares with them.
 *
 * Modes: the errno that the table below gives to each call; EINTR, of calls that wait or transfer;
 * half of what was to be transferred; or the process dies there, as if it were killed.
 */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum mode { FAIL, INTERRUPT, SHORT, DIE };

#define FRAMES 12

struct faults {
	uint64_t count;  /* calls so far */
	uint64_t at;     /* the one to fail; 0: none */
	uint64_t mode;   /* enum mode */
	uint64_t done;   /* it has failed */
	int64_t blocks;  /* of memory that are allocated in the process that mapped this first */
	uint64_t used;   /* a process has mapped this */
	char name[64];   /* of the call that failed */
	char thread[16]; /* that made it */
	uint64_t base;   /* where the program lies */
	void *stack[FRAMES];
};

static struct faults *faults;
static bool is_first;
static __thread char thread_name[16] __attribute__((tls_model("initial-exec")));

/* Neither allocates nor makes system calls, but for the one that hits: filters are on by then. */
static bool hit(const char *name, enum mode mode)
{
	uint64_t nth;

	if (!faults || (faults->mode != mode && (faults->mode != DIE || mode != FAIL)))
		return false;
	nth = __atomic_add_fetch(&faults->count, 1, __ATOMIC_RELAXED);
	if (nth != __atomic_load_n(&faults->at, __ATOMIC_RELAXED))
		return false;
	strncpy(faults->name, name, sizeof(faults->name) - 1);
	memcpy(faults->thread, thread_name, sizeof(faults->thread));
	backtrace(faults->stack, FRAMES);
	__atomic_store_n(&faults->done, 1, __ATOMIC_RELEASE);
	if (faults->mode == DIE)
		__builtin_trap();
	return true;
}

static void *real(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("FAULTS");
	bool ours = !strncmp(program_invocation_short_name, "cloister", 8);
	int fd = path && ours ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *page =
		fd < 0 ? MAP_FAILED : mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (fd >= 0)
		close(fd);
	if (page == MAP_FAILED)
		return;
	/* The first time it loads a library, whose calls are not counted. */
	backtrace(((struct faults *)page)->stack, 1);
	faults = page;
	faults->base = getauxval(AT_PHDR) & ~UINT64_C(0xfff);
	is_first = !faults->used;
	faults->used = 1;
	unsetenv("FAULTS");
	unsetenv("LD_PRELOAD");
}

/* --- calls that return -1 and set errno --- */

/*
 * Arguments are passed on as words, more of them than the call has: that harms nothing here. The
 * functions have names of their own for the compiler, which knows others of these types.
 */
#define WORDS    long a, long b, long c, long d, long e, long f
#define ARGS     a, b, c, d, e, f
#define FUNCTION long (*)(WORDS)
#define CALL(name, code, how, condition)                                                           \
	long faulty_##name(WORDS) __asm__(#name);                                                  \
	long faulty_##name(WORDS)                                                                  \
	{                                                                                          \
		static long (*next)(WORDS);                                                        \
                                                                                                   \
		if (!next)                                                                         \
			next = (FUNCTION)real(#name);                                              \
		if ((condition) && (hit(#name, FAIL) || ((how) && hit(#name, INTERRUPT)))) {       \
			errno = faults->mode == FAIL ? (code) : EINTR;                             \
			return -1;                                                                 \
		}                                                                                  \
		return next(ARGS);                                                                 \
	}
#define FAILS(name, code) CALL(name, code, false, true)
#define WAITS(name, code) CALL(name, code, true, true)

FAILS(accept4, EMFILE)
FAILS(bind, ENOMEM)
FAILS(chdir, ENOMEM)
FAILS(connect, ECONNREFUSED)
FAILS(dup2, EMFILE)
FAILS(epoll_create1, EMFILE)
FAILS(epoll_ctl, ENOMEM)
FAILS(eventfd, EMFILE)
FAILS(fallocate64, ENOSPC)
FAILS(fchmod, EIO)
FAILS(fcntl64, EIO)
FAILS(fstat64, EIO)
FAILS(ftruncate64, ENOSPC)
FAILS(getrlimit64, EPERM)
FAILS(io_uring_setup, ENOMEM)
WAITS(ioctl, ENOMEM)
FAILS(listen, ENOMEM)
FAILS(lseek64, EIO)
FAILS(madvise, ENOMEM)
FAILS(memfd_create, EMFILE)
FAILS(mount, ENOMEM)
FAILS(mprotect, ENOMEM)
WAITS(open64, EMFILE)
FAILS(pipe2, EMFILE)
FAILS(rename, EIO)
FAILS(setrlimit64, EPERM)
FAILS(sigaction, EINVAL)
FAILS(signalfd, EMFILE)
FAILS(socket, EMFILE)
FAILS(socketpair, EMFILE)
FAILS(syscall, ENOMEM)
FAILS(sysinfo, EIO)
FAILS(timerfd_create, EMFILE)
FAILS(umount2, EIO)
WAITS(waitpid, ECHILD)
CALL(epoll_wait, EINTR, true, faults && faults->mode == INTERRUPT)
CALL(poll, EINTR, true, faults && faults->mode == INTERRUPT)

/* --- transfers: of eight bytes, as eventfds have them, they can't fail --- */

#define TRANSFER(name, code)                                                                       \
	long faulty_##name(WORDS) __asm__(#name);                                                  \
	long faulty_##name(WORDS)                                                                  \
	{                                                                                          \
		static long (*next)(WORDS);                                                        \
                                                                                                   \
		if (!next)                                                                         \
			next = (FUNCTION)real(#name);                                              \
		if (c != 8 && (hit(#name, FAIL) || hit(#name, INTERRUPT))) {                       \
			errno = faults->mode == FAIL ? (code) : EINTR;                             \
			return -1;                                                                 \
		}                                                                                  \
		if (c != 8 && c > 1 && hit(#name, SHORT))                                          \
			c /= 2;                                                                    \
		return next(ARGS);                                                                 \
	}
TRANSFER(read, EIO)
TRANSFER(write, EIO)
TRANSFER(pread64, EIO)
TRANSFER(pwrite64, EIO)
WAITS(readv, EIO)
WAITS(writev, EIO)
WAITS(sendmsg, EPIPE)
WAITS(recvmsg, ECONNRESET)
WAITS(send, EPIPE)

/* --- others --- */

void *mmap64(void *at, size_t len, int prot, int flags, int fd, off_t off)
{
	static void *(*next)(void *, size_t, int, int, int, off_t);

	if (!next)
		next = (void *(*)(void *, size_t, int, int, int, off_t))real("mmap64");
	if (hit("mmap", FAIL)) {
		errno = ENOMEM;
		return MAP_FAILED;
	}
	return next(at, len, prot, flags, fd, off);
}

pid_t fork(void)
{
	static pid_t (*next)(void);
	pid_t pid;

	if (!next)
		next = (pid_t(*)(void))real("fork");
	if (hit("fork", FAIL)) {
		errno = EAGAIN;
		return -1;
	}
	pid = next();
	if (!pid)
		is_first = false;
	return pid;
}

static int named(const char *name, int rc)
{
	size_t n = strnlen(name, sizeof(thread_name) - 1);

	memcpy(thread_name, name, n);
	thread_name[n] = '\0';
	return rc;
}

int pthread_setname_np(pthread_t thread, const char *name)
{
	static int (*next)(pthread_t, const char *);

	if (!next)
		next = (int (*)(pthread_t, const char *))real("pthread_setname_np");
	return named(name, hit("pthread_setname_np", FAIL) ? ERANGE : next(thread, name));
}

int prctl(int option, ...)
{
	static int (*next)(int, ...);
	unsigned long a[4];
	va_list ap;

	va_start(ap, option);
	for (int i = 0; i < 4; i++)
		a[i] = va_arg(ap, unsigned long);
	va_end(ap);
	if (!next)
		next = (int (*)(int, ...))real("prctl");
	if (hit("prctl", FAIL)) {
		errno = EPERM;
		return -1;
	}
	return option == PR_SET_NAME ? named((const char *)a[0], next(option, a[0], 0, 0, 0))
				     : next(option, a[0], a[1], a[2], a[3]);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *), void *ctx)
{
	static int (*next)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

	if (!next)
		next = (int (*)(pthread_t *, const pthread_attr_t *, void *(*)(void *),
			void *))real("pthread_create");
	return hit("pthread_create", FAIL) ? EAGAIN : next(thread, attr, fn, ctx);
}

/* --- memory: counted in the first process, too --- */

void *__libc_malloc(size_t len);
void *__libc_calloc(size_t n, size_t len);
void *__libc_realloc(void *old, size_t len);
void __libc_free(void *p);

static void *counted(void *p, int by)
{
	if (is_first && p)
		__atomic_add_fetch(&faults->blocks, by, __ATOMIC_RELAXED);
	return p;
}

static bool no_memory(const char *name)
{
	bool failed = hit(name, FAIL);

	if (failed)
		errno = ENOMEM;
	return failed;
}

void *malloc(size_t len)
{
	return no_memory("malloc") ? NULL : counted(__libc_malloc(len), 1);
}

void *calloc(size_t n, size_t len)
{
	return no_memory("calloc") ? NULL : counted(__libc_calloc(n, len), 1);
}

void *realloc(void *old, size_t len)
{
	void *p = no_memory("realloc") ? NULL : __libc_realloc(old, len);

	return old ? p : counted(p, 1);
}

void free(void *p)
{
	counted(p, -1);
	__libc_free(p);
}
