/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that is wiped; see attestation/wiped_memory.h. */
#include "attestation/wiped_memory.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

static void *wiped_memory_alloc(size_t len, const char *file, int line)
{
	(void)file, (void)line;
	return malloc(len);
}

static void wiped_memory_free(void *p, const char *file, int line)
{
	(void)file, (void)line;
	if (p)
		explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

/* wiped_memory_grow() - never in place, so that realloc() cannot leave a copy behind. */
static void *wiped_memory_grow(void *p, size_t len, const char *file, int line)
{
	size_t old = p ? malloc_usable_size(p) : 0;
	void *to = len ? malloc(len) : NULL;

	if (to && p)
		memcpy(to, p, old < len ? old : len);
	if (to || !len)
		wiped_memory_free(p, file, line);
	return to;
}

bool wiped_memory_install(void)
{
	return CRYPTO_set_mem_functions(wiped_memory_alloc, wiped_memory_grow, wiped_memory_free);
}
