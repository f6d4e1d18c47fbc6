/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compiler attributes and the clean-up helpers for locals.
 *
 * A local that owns something says so where it is declared:
 *     cleanup_free char *text = NULL;
 *     cleanup_fd int fd = -1;            (base/fd.h)
 * and gives ownership away with take_ptr()/fd_take().
 */
#ifndef BASE_ATTR_H
#define BASE_ATTR_H

#include <stddef.h>
#include <stdlib.h>

#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define MUST_CHECK             __attribute__((warn_unused_result))
#define UNUSED                 __attribute__((unused))
#define CLEANUP(fn)            __attribute__((cleanup(fn)))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* free_ptr() - free what a local pointer points at; argument is the local's address. */
static inline void free_ptr(void *p)
{
	free(*(void **)p);
}
#define cleanup_free CLEANUP(free_ptr)

/* take_ptr() - move a pointer out of an owning local. Return: the pointer; the local is NULL. */
#define take_ptr(p)                                                                                \
	__extension__({                                                                            \
		__typeof__(p) taken_ = (p);                                                        \
		(p) = NULL;                                                                        \
		taken_;                                                                            \
	})

#endif
