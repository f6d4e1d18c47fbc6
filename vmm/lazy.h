/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Libraries that most runs never need (signatures, decompression) are not loaded at the start: a
 * stub stands for each of their functions and loads its library at the first call. Which functions
 * there are is found out at build time (vmm/lazy_stubs.py), from what the program's own libraries
 * leave undefined. Programs that are not linked with the stubs load these libraries as usual.
 *
 * The table that stubs jump through is read-only but for the moment of loading.
 */
#ifndef VMM_LAZY_H
#define VMM_LAZY_H

#include <stddef.h>
#include <stdint.h>

/* Made by lazy_stubs.py. */
struct lazy_library {
	const char *soname;
	uint16_t first, n; /* its functions */
};
extern const struct lazy_library lazy_libraries[];
extern const size_t lazy_n_libraries;
extern const char *const lazy_names[]; /* of all functions */
extern void *lazy_slots[] __attribute__((visibility("hidden")));

/* lazy_load() - load the library of function i; ends the process if it is not there. Any thread. */
void lazy_load(uint64_t i);

/*
 * lazy_load_all() - load all, for a process that will confine itself before it knows what it needs.
 * NULL in programs without stubs.
 */
void lazy_load_all(void) __attribute__((weak));

#endif
