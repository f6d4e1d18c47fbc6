/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a TD asks of the monitor (TDVMCALLs; Intel, GHCI, section 3) as KVM hands it on, and its
 * last words. MapGPA comes as a hypercall, pieces of 2 MiB at a time: vmm/hv/kvm_vcpu.c.
 */
#include "vmm/hv/kvm.h"
#include "vmm/hv/tdx.h"
#include "vmm/hv/tdx_abi.h"

#include <stdio.h>
#include <string.h>

/* tdx_exit_of() - the union of the run page, at the same place as run->io */
static struct hv_tdx_exit tdx_exit_of(const struct kvm_run *run)
{
	struct hv_tdx_exit x;

	memcpy(&x, &run->io, sizeof(x));
	return x;
}

void hv_tdx_answer(struct hv_vcpu *vcpu, uint64_t status)
{
	memcpy((uint8_t *)&vcpu->run->io + offsetof(struct hv_tdx_exit, ret), &status,
		sizeof(status));
}

/* tdx_exit_info() - GetTdVmCallInfo, leaf 1: which calls there are beside those always there */
static void tdx_exit_info(struct hv_vcpu *vcpu, struct hv_tdx_exit *x)
{
	x->ret = HV_TDVMCALL_SUCCESS;
	x->info.r11 = vcpu->hv->tdx_calls & HV_TDVMCALL_INFO_NOTIFY;
	x->info.r12 = x->info.r13 = x->info.r14 = 0;
	memcpy(&vcpu->run->io, x, sizeof(*x));
}

void kvm_tdx_exit(struct hv_vcpu *vcpu, struct hv_exit *exit)
{
	struct hv_tdx_exit x = tdx_exit_of(vcpu->run);

	exit->kind = HV_EXIT_AGAIN;
	switch (x.nr) {
	case HV_TDVMCALL_GET_INFO:
		if (x.info.leaf == 1)
			tdx_exit_info(vcpu, &x);
		break;
	case HV_TDVMCALL_GET_QUOTE:
		exit->kind = HV_EXIT_QUOTE;
		exit->quote.gpa = gpa_of(x.quote.gpa);
		exit->quote.len = x.quote.size;
		break;
	case HV_TDVMCALL_SETUP_NOTIFY:
		if (x.vector < 32 || x.vector > 255)
			break;
		exit->kind = HV_EXIT_NOTIFY;
		exit->vector = (uint8_t)x.vector;
		break;
	default:
		break;
	}
}

/* The last words: 16 registers in their order, text in eight of them (GHCI)
 */
void kvm_tdx_exit_fatal(const struct kvm_run *run, struct hv_exit *exit)
{
	static const uint8_t order[] = {
		14, 15, 3, 7, 6, 8, 9, 2}; /* R14 R15 RBX RDI RSI R8 R9 RDX */
	const bool full = run->system_event.ndata == 16;
	char words[sizeof(order) * 8 + 1] = "";

	for (size_t i = 0; i < sizeof(order) && full; i++)
		memcpy(words + 8 * i, &run->system_event.data[order[i]], 8);
	for (char *at = words; *at; at++)
		if (*at < ' ' || *at > '~')
			*at = '?';
	exit->kind = HV_EXIT_FAILED;
	snprintf(exit->text, sizeof(exit->text), "the guest reports a fatal error, code %#llx%s%s",
		full ? (unsigned long long)run->system_event.data[12] : 0, *words ? ": " : "",
		words);
}
