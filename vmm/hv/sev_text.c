/* SPDX-License-Identifier: Apache-2.0 */
/* SEV's numbers as text; see vmm/hv/sev_text.h. */
#include "vmm/hv/sev_text.h"

#include "base/attr.h"
#include "base/num.h"

#include <stdio.h>

static const char *const errors[] = {
	[0x00] = "SUCCESS",
	[0x01] = "INVALID_PLATFORM_STATE",
	[0x02] = "INVALID_GUEST_STATE",
	[0x03] = "INVALID_CONFIG",
	[0x04] = "INVALID_LENGTH",
	[0x05] = "ALREADY_OWNED",
	[0x06] = "INVALID_CERTIFICATE",
	[0x07] = "POLICY_FAILURE",
	[0x08] = "INACTIVE",
	[0x09] = "INVALID_ADDRESS",
	[0x0a] = "BAD_SIGNATURE",
	[0x0b] = "BAD_MEASUREMENT",
	[0x0c] = "ASID_OWNED",
	[0x0d] = "INVALID_ASID",
	[0x0e] = "WBINVD_REQUIRED",
	[0x0f] = "DFFLUSH_REQUIRED",
	[0x10] = "INVALID_GUEST",
	[0x11] = "INVALID_COMMAND",
	[0x12] = "ACTIVE",
	[0x13] = "HWERROR_PLATFORM",
	[0x14] = "HWERROR_UNSAFE",
	[0x15] = "UNSUPPORTED",
	[0x16] = "INVALID_PARAM",
	[0x17] = "RESOURCE_LIMIT",
	[0x18] = "SECURE_DATA_INVALID",
	[0x19] = "INVALID_PAGE_SIZE",
	[0x1a] = "INVALID_PAGE_STATE",
	[0x1b] = "INVALID_MDATA_ENTRY",
	[0x1c] = "INVALID_PAGE_OWNER",
	[0x1d] = "AEAD_OFLOW",
	[0x1f] = "EXIT_RING_BUFFER",
	[0x20] = "RMP_INIT_REQUIRED",
	[0x21] = "BAD_SVN",
	[0x22] = "BAD_VERSION",
	[0x23] = "SHUTDOWN_REQUIRED",
	[0x24] = "UPDATE_FAILED",
	[0x25] = "RESTORE_REQUIRED",
	[0x26] = "RMP_INITIALIZATION_FAILED",
	[0x27] = "INVALID_KEY",
};

static const char *const hints[] = {
	[0x07] = "the platform or the ID block does not allow this policy",
	[0x0a] = "a signature of the ID block or of its key is wrong",
	[0x0b] = "the ID block is for another launch digest",
	[0x17] = "the firmware has no room for one more guest",
	[0x27] = "the ID block's key is of a kind that the firmware does not know",
};

/* GHCB specification, table "List of Supported Termination Reasons" */
static const char *const general[] = {
	"general: terminated on request",
	"general: the GHCB protocol of this host is not supported",
	"general: this host lacks SEV-SNP features that the guest needs",
};

static const char *const linux_codes[] = {
	"Linux: the address of the GHCB was not accepted",
	"Linux: a page state change failed",
	"Linux: a page could not be validated",
	"Linux: it does not run at VMPL0",
	"Linux: the CPUID page is not valid",
	"Linux: CPUID by the hypervisor failed",
	"Linux: the secrets page is not valid",
	"Linux: there is no SVSM",
	"Linux: an SVSM runs at VMPL0 already",
	"Linux: the SVSM's calling area is not valid",
	"Linux: secure TSC could not be set up",
	"Linux: the SVSM's calling area could not be moved",
	"Linux: secure AVIC could not be set up",
};

const char *sev_text_error(uint32_t code)
{
	if (code == SEV_NO_CALL)
		return "the firmware was not called";
	return code < ARRAY_SIZE(errors) && errors[code] ? errors[code] : "unknown";
}

const char *sev_text_hint(uint32_t code)
{
	return code < ARRAY_SIZE(hints) && hints[code] ? hints[code] : "";
}

void sev_text_termination(char *out, size_t len, uint64_t msr)
{
	unsigned int set = (unsigned int)(msr >> 12 & 0xf), code = (unsigned int)(msr >> 16 & 0xff);
	const char *what = NULL;

	if (set == 0 && code < ARRAY_SIZE(general))
		what = general[code];
	if (set == 1 && code < ARRAY_SIZE(linux_codes))
		what = linux_codes[code];
	snprintf(out, len, "reason set %u code %u%s%s%s", set, code, what ? " (" : "",
		what ? what : "", what ? ")" : "");
}

const char *sev_text_page(enum image_page type)
{
	static const char *const names[] = {
		[IMAGE_NORMAL] = "normal",
		[IMAGE_VMSA] = "VMSA",
		[IMAGE_ZERO] = "zero",
		[IMAGE_UNMEASURED] = "unmeasured",
		[IMAGE_SECRETS] = "secrets",
		[IMAGE_CPUID] = "CPUID",
	};

	return names[type];
}
