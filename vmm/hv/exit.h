/* SPDX-License-Identifier: Apache-2.0 */
/* struct hv_exit: why a vCPU came back from the guest, decoded; see hv_vcpu_run() in vmm/hv/hv.h.
 */
#ifndef VMM_HV_EXIT_H
#define VMM_HV_EXIT_H

#include "memory/gpa.h"

/* Why hv_vcpu_run() came back. */
enum hv_exit_kind {
	HV_EXIT_AGAIN,   /* nothing to do, run on */
	HV_EXIT_STOPPED, /* hv_vcpu_kick() */
	HV_EXIT_PORT,
	HV_EXIT_MMIO,
	HV_EXIT_CONVERT,
	HV_EXIT_CERTS,  /* level snp: the guest wants a report with certificates */
	HV_EXIT_QUOTE,  /* level tdx: the guest wants a quote */
	HV_EXIT_NOTIFY, /* level tdx: it wants to be told by an interrupt when one is there */
	HV_EXIT_RESET,  /* triple fault or a reset that KVM reports */
	HV_EXIT_FAILED, /* the vCPU can't go on; the text says why */
};
#define HV_EXIT_KINDS (HV_EXIT_FAILED + 1)

struct hv_exit {
	enum hv_exit_kind kind;
	union {
		struct {
			uint64_t addr;
			uint8_t *data; /* count items of len bytes each; in and out */
			unsigned int len, count;
			bool write;
		} io;
		struct {
			gpa_t gpa;
			uint64_t len;
			bool to_shared;
			bool implicit; /* the guest just touched it: no answer, but it must work */
		} convert;
		struct {
			gpa_t gpa;      /* where they go */
			uint64_t pages; /* how many fit */
		} certs;
		struct {
			gpa_t gpa; /* its buffer */
			uint64_t len;
		} quote;
		uint8_t vector;
		char text[160];
	};
};

#endif
