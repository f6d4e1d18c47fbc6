/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct certs: the certificates that a guest gets with an attestation report: a file as AMD's GHCB
 * specification lays it out ("SNP Extended Guest Request"), for instance by `snphost export`. Read
 * once, when the VM is made; a guest that asks gets it copied into pages that it shares.
 */
#ifndef VMM_CERTS_H
#define VMM_CERTS_H

#include "base/err.h"
#include "memory/guest_io.h"

#include <stdint.h>

#define CERTS_MAX_LEN KIB(64)

struct certs {
	struct guest_io io; /* set by who has the guest's memory */
	uint8_t *table;     /* whole pages; NULL: none */
	size_t len;
};

/*
 * certs_init() - read the file and check it: a table of {GUID, offset, length}, ended by one of
 * zeros, and what it points to. certs_fini() gives it back. Return: 0, -EINVAL with the reason, or
 * -errno of the file.
 */
int certs_init(struct certs *c, const char *path, struct err *e) MUST_CHECK;

/* certs_fini() - free; allowed on a zeroed struct. */
void certs_fini(struct certs *c);

/*
 * certs_give() - answer a guest: the table goes to `pages` shared pages at gpa. Any thread.
 * Return: 0; -ENOSPC: too few pages; -EFAULT: not shared RAM.
 */
int certs_give(const struct certs *c, gpa_t gpa, uint64_t pages);

/* certs_pages() - Return: pages that a guest needs for the table. */
uint64_t certs_pages(const struct certs *c);

#endif
