/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a digest needs of OVMF's tables, as JSON, for those who have the digest of the firmware
 * but not the file: {"sections":[{"gpa":N,"size":N,"section_type":N},...],
 * "sev_hashes_table_gpa":N,"sev_es_reset_eip":N}, sections in table order.
 */
#ifndef VMM_CLI_METADATA_H
#define VMM_CLI_METADATA_H

#include "base/err.h"

struct ovmf;

/* metadata_read() - read the file at path into *fw. Return: 0, -EINVAL, or why it can't be read. */
int metadata_read(struct ovmf *fw, const char *path, struct err *e) MUST_CHECK;

#endif
