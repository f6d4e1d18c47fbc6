/* SPDX-License-Identifier: Apache-2.0 */
/* What a guest asks of the monitor for its attestation: certificates, quotes. */
#ifndef VMM_VCPU_ASK_H
#define VMM_VCPU_ASK_H

struct hv_exit;
struct vcpu;

/* vcpu_ask() - answer HV_EXIT_CERTS, HV_EXIT_QUOTE or HV_EXIT_NOTIFY; on the vCPU's thread. */
void vcpu_ask(struct vcpu *v, const struct hv_exit *exit);

#endif
