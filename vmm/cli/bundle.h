/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reference bundle: one signed JSON file with the digests of a VM configuration for several
 * numbers of vCPUs, for who verifies reports. Its format is in docs/reference-bundle.md.
 */
#ifndef VMM_CLI_BUNDLE_H
#define VMM_CLI_BUNDLE_H

#include "base/err.h"

#include <stdbool.h>

struct measure_spec;

struct bundle_spec {
	const struct measure_spec *measure; /* its vcpus are not looked at */
	const char *mode, *vmm;             /* as on the command line */
	const char *vcpus; /* numbers of vCPUs: "1,2,4-8"; NULL where they do not count */
	const char *key;   /* file with a PEM private key, P-256 or P-384 */
	const char *path;  /* where to write; "-" for stdout */
};

/*
 * bundle_write() - predict, sign and write.
 * Return: 0; -EINVAL for a bad list, key or configuration; -errno of reading and writing files.
 */
int bundle_write(const struct bundle_spec *spec, struct err *e) MUST_CHECK;

#endif
