/* SPDX-License-Identifier: Apache-2.0 */
/* Init data among a VM's disks, where Kata's Go runtime puts it; see attestation/initdata.h. */
#ifndef VMM_INITDATA_FIND_H
#define VMM_INITDATA_FIND_H

#include "attestation/initdata.h"

struct vm_config;

/*
 * initdata_find() - read the first disk that is an image file named by path and begins as init data
 * does. A disk that can't be read is left to whoever opens it to use it.
 * Return: 1: found; 0: none has; -errno: it is malformed, and its path is named.
 */
int initdata_find(struct initdata *out, const struct vm_config *c, struct err *e) MUST_CHECK;

#endif
