/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The VMSA: the page with a vCPU's first register state, as each VMM sets it. It is measured, so
 * one bit off is another launch digest.
 *
 * Offsets: AMD APM volume 2, appendix B, table B-4. Values: what each VMM was seen to launch with.
 */
#ifndef ATTESTATION_VMSA_H
#define ATTESTATION_VMSA_H

#include "memory/gpa.h"

#include <stdbool.h>
#include <stdint.h>

#define VMSA_LEN 4096

/* SNP firmware ABI 8.17: KVM gives every VMSA the address ~0, cut to whole pages and 48 bits. */
#define VMSA_GPA UINT64_C(0xFFFFFFFFF000)

#define VMSA_BSP_EIP UINT32_C(0xfffffff0) /* the x86 reset vector */

enum vmsa_vmm {
	VMSA_QEMU,     /* host kernel 6.10 or newer: MXCSR and FCW have their reset values */
	VMSA_QEMU_OLD, /* older host kernels: both are 0 */
	VMSA_EC2,
	VMSA_EC2_OLD, /* before RDX was set */
	VMSA_GCE,
	VMSA_VMMS,
};

struct vmsa_spec {
	enum vmsa_vmm vmm;
	uint32_t signature; /* CPUID 1 EAX; only QEMU shows it to the guest in RDX */
	uint64_t features;  /* SEV_FEATURES; 0 for SEV-ES */
};

/* vmsa_write() - write the page of the first vCPU (bsp), or of one that starts at `eip`. */
void vmsa_write(uint8_t page[VMSA_LEN], const struct vmsa_spec *spec, bool bsp, uint32_t eip);

/* vmsa_write_svsm() - write the page of every vCPU that starts in an SVSM at `entry`. */
void vmsa_write_svsm(uint8_t page[VMSA_LEN], const struct vmsa_spec *spec, gpa_t entry);

/*
 * vmsa_signature() - CPUID 1 EAX of a family, model and stepping as people write them.
 * Return: it; parts beyond 0x10e, 0xff and 0xf are cut.
 */
uint32_t vmsa_signature(uint32_t family, uint32_t model, uint32_t stepping);

/* vmsa_cpu_signature() - look up a CPU model of QEMU ("EPYC-Milan-v2"). Return: 0 if unknown. */
uint32_t vmsa_cpu_signature(const char *model);

#endif
