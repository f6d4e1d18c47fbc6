/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SEV hash table: what ties a kernel, its initrd and its command line to the launch digest
 * when the firmware gets them from outside. Format: QEMU's and edk2's "SEV hashes table".
 */
#ifndef VMM_LOAD_SEV_HASHES_H
#define VMM_LOAD_SEV_HASHES_H

#include "base/bytes.h"
#include "base/err.h"

#define SEV_HASHES_LEN   32
#define SEV_HASHES_TABLE 176 /* bytes of the table, with its padding to 16 */

struct sev_hashes { /* SHA-256 each */
	uint8_t kernel[SEV_HASHES_LEN];
	uint8_t initrd[SEV_HASHES_LEN];
	uint8_t cmdline[SEV_HASHES_LEN];
};

/*
 * sev_hashes_file() - hash an initrd; empty bytes when there is none.
 * The kernel is hashed the same way: over the file as it is, before any patch of its header.
 * Return: 0, -ENOMEM or -EIO.
 */
int sev_hashes_file(uint8_t out[SEV_HASHES_LEN], struct bytes file, struct err *e) MUST_CHECK;

/* sev_hashes_cmdline() - hash a command line with its NUL; "" for none. Return: 0 or -errno. */
int sev_hashes_cmdline(uint8_t out[SEV_HASHES_LEN], const char *cmdline, struct err *e) MUST_CHECK;

/* sev_hashes_write() - write the table. */
void sev_hashes_write(uint8_t table[SEV_HASHES_TABLE], const struct sev_hashes *hashes);

#endif
