/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Predicting launch digests: what firmware, kernel and vCPUs will measure to, on which platform.
 *
 * Loaders make the same launch image that a launch would use; this file only says which image and
 * which digest belong to a mode. Pure: bytes in, digest out.
 */
#ifndef VMM_MEASURE_H
#define VMM_MEASURE_H

#include "attestation/digest.h"
#include "attestation/trace.h"
#include "base/bytes.h"

#include <stdbool.h>

#define MEASURE_VCPUS_MAX 4096 /* KVM_MAX_VCPUS on x86, at most */
#define MEASURE_PAGE      4096

enum measure_mode {
	MEASURE_SEV,
	MEASURE_SEVES,
	MEASURE_SNP,
	MEASURE_SNP_OVMF_HASH, /* SNP after the firmware pages: a seed for later runs */
	MEASURE_SNP_SVSM,
	MEASURE_TDX,
	MEASURE_IGVM_SNP,
	MEASURE_IGVM_TDX,
};

struct measure_vmm; /* a row of what VMMs do differently */
struct sev_hashes;
struct ovmf;

struct measure_spec {
	enum measure_mode mode;
	struct bytes firmware;       /* all but IGVM modes, and SNP with metadata */
	struct bytes svsm;           /* MEASURE_SNP_SVSM */
	uint64_t vars_size;          /* MEASURE_SNP_SVSM: bytes between SVSM and firmware */
	struct bytes igvm;           /* IGVM modes */
	const struct ovmf *metadata; /* MEASURE_SNP with a seed: in place of the firmware */
	const uint8_t *seed; /* MEASURE_SNP: digest after the firmware; NULL: measure that too */
	const struct sev_hashes *hashes; /* SEV, SEV-ES, SNP: a kernel's; NULL for none */
	const struct measure_vmm *vmm;
	uint32_t vcpus;            /* SEV-ES, SNP, SVSM: 1 to MEASURE_VCPUS_MAX */
	uint32_t signature;        /* CPUID 1 EAX */
	uint64_t features;         /* SNP, SVSM: SEV_FEATURES */
	bool two_pass;             /* TDX: per section all pages added, then all extended */
	bool native_zero;          /* IGVM on SNP: pages without data are ZERO pages */
	bool check_kvm;            /* IGVM on SNP: refuse what KVM cannot launch */
	const struct trace *trace; /* NULL: nobody looks */
};

struct measure_result {
	uint8_t digest[DIGEST_MAX_LEN];
	size_t len;
	bool has_vmsa; /* SEV-ES, SNP, SVSM: the pages of the first and of every other vCPU */
	uint8_t bsp[MEASURE_PAGE], ap[MEASURE_PAGE];
};

/* measure_find_vmm() - look up "QEMU", "ec2", "gce", ... Return: the row, NULL if unknown. */
const struct measure_vmm *measure_find_vmm(const char *name);

/* measure_needs_signature() - Return: true if the VMM shows the guest the CPU's signature. */
bool measure_needs_signature(const struct measure_vmm *vmm);

/*
 * measure_digest() - predict.
 * Return: 0; -EINVAL for firmware, IGVM files or numbers that cannot be launched so, -EEXIST for
 * pages that overlap, -ENOMEM, -EIO.
 */
int measure_digest(
	const struct measure_spec *spec, struct measure_result *out, struct err *e) MUST_CHECK;

#endif
