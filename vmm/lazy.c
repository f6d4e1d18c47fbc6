/* SPDX-License-Identifier: Apache-2.0 */
/* Loading libraries at their first use; see vmm/lazy.h. */
#include "vmm/lazy.h"

#include "base/log.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>

#define PAGE 4096u

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* fail() - the program was linked against a library that this machine has not */
static void fail(const char *what)
{
	log_error("lazy", "%s", what);
	abort();
}

/* protect() - let the slots of a library be written, or not */
static void protect(const struct lazy_library *l, bool writable)
{
	uintptr_t from = (uintptr_t)&lazy_slots[l->first] & ~(uintptr_t)(PAGE - 1);
	uintptr_t to = (uintptr_t)&lazy_slots[l->first + l->n];

	if (mprotect((void *)from, to - from, PROT_READ | (writable ? PROT_WRITE : 0)) < 0)
		fail("mprotect");
}

static void load(const struct lazy_library *l)
{
	void *handle = dlopen(l->soname, RTLD_NOW | RTLD_LOCAL);

	if (!handle)
		fail(dlerror());
	protect(l, true);
	for (unsigned int i = l->first; i < l->first + l->n; i++) {
		void *function = dlsym(handle, lazy_names[i]);

		if (!function)
			fail(dlerror());
		__atomic_store_n(&lazy_slots[i], function, __ATOMIC_RELEASE);
	}
	protect(l, false);
}

void lazy_load(uint64_t i)
{
	size_t l = 0;

	/* Whoever comes second loads again, which gives the same. */
	pthread_mutex_lock(&lock);
	while (i >= (uint64_t)lazy_libraries[l].first + lazy_libraries[l].n)
		l++;
	load(&lazy_libraries[l]);
	pthread_mutex_unlock(&lock);
}

void lazy_load_all(void)
{
	for (size_t l = 0; l < lazy_n_libraries; l++)
		if (lazy_libraries[l].n)
			lazy_load(lazy_libraries[l].first);
}
