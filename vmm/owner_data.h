/* SPDX-License-Identifier: Apache-2.0 */
/* struct owner_data: what a guest's owner wants to find in its reports: HOSTDATA, MRCONFIGID. */
#ifndef VMM_OWNER_DATA_H
#define VMM_OWNER_DATA_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct vm_config;

struct owner_data {
	const char *flag,
		*text; /* hexadecimal digits or Base64, as Kata's Rust runtime has it; NULL */
	uint8_t *out;  /* len bytes */
	size_t len;
};

/*
 * owner_data_read() - as given, else the digest of init data among the disks, else zeros.
 * Return: 0 or -errno with the flag named.
 */
int owner_data_read(
	const struct owner_data *d, const struct vm_config *config, struct err *e) MUST_CHECK;

#endif
