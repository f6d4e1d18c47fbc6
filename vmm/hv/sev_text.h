/* SPDX-License-Identifier: Apache-2.0 */
/* SEV's numbers as text for people: firmware errors, a guest's reasons to terminate. Pure. */
#ifndef VMM_HV_SEV_TEXT_H
#define VMM_HV_SEV_TEXT_H

#include "memory/image.h"

#include <stddef.h>
#include <stdint.h>

#define SEV_INVALID_PARAM 0x16u
#define SEV_NO_CALL       UINT32_MAX /* KVM failed before it called the firmware */

/*
 * sev_text_error() - a firmware status code (SEV-SNP firmware ABI, AMD 56860, table "Status
 * codes"). Return: its name, "unknown" for others.
 */
const char *sev_text_error(uint32_t code);

/* sev_text_hint() - Return: what to do about a code, "" if nothing special is known. */
const char *sev_text_hint(uint32_t code);

/*
 * sev_text_termination() - why a guest terminated itself: "set 1 code 1 (Linux: page state change
 * failed)". @msr: the GHCB MSR as the guest wrote it (GHCB specification, AMD 56421, 2.3.1)
 */
void sev_text_termination(char *out, size_t len, uint64_t msr);

/* sev_text_page() - Return: what messages call pages of a type. */
const char *sev_text_page(enum image_page type);

#endif
