/* SPDX-License-Identifier: Apache-2.0 */
/* The attestation report; see attestation/snp_report.h. Offsets: 56860, "ATTESTATION_REPORT". */
#include "attestation/snp_report.h"

#include <errno.h>
#include <string.h>

/* SNP_POLICY: bit 17 is one, bits 26 and up have no meaning yet (56860, "Guest Policy Structure")
 */
#define POLICY_ONE      (UINT64_C(1) << 17)
#define POLICY_RESERVED (~UINT64_C(0) << 26)

#define SIG_ALGO_P384_SHA384 1  /* 56860, "Digital Signature Algorithm Encodings" */
#define SIG_NUMBER           72 /* 56860, "Format for an ECDSA P-384 with SHA-384 Signature" */
#define SIG_USED             48

/* take_zeros() - Return: true if one of the next len bytes is set. */
static bool take_zeros(struct bytes *b, size_t len)
{
	const uint8_t *at = bytes_take(b, len);

	for (size_t i = 0; at && i < len; i++)
		if (at[i])
			return true;
	return false;
}

/* take_number() - one little-endian signature number as 48 big-endian bytes. Return: as above. */
static bool take_number(struct bytes *b, uint8_t *out)
{
	const uint8_t *at = bytes_take(b, SIG_USED);

	for (size_t i = 0; at && i < SIG_USED; i++)
		out[SIG_USED - 1 - i] = at[i];
	return take_zeros(b, SIG_NUMBER - SIG_USED);
}

/* parse_flags() - the dword at 0x48. */
static void parse_flags(struct snp_report *r, uint32_t flags)
{
	r->author_key_en = flags & 1;
	r->mask_chip_key = flags >> 1 & 1;
	r->signing_key = flags >> 2 & 7;
	r->flags_reserved = flags >> 5;
}

/* parse_head() - 0x000 to 0x17f. */
static void parse_head(struct snp_report *r, struct bytes *b)
{
	r->version = bytes_u32(b);
	r->guest_svn = bytes_u32(b);
	r->policy = bytes_u64(b);
	bytes_copy(b, r->family_id, sizeof(r->family_id));
	bytes_copy(b, r->image_id, sizeof(r->image_id));
	r->vmpl = bytes_u32(b);
	r->sig_algo = bytes_u32(b);
	bytes_copy(b, r->current_tcb, sizeof(r->current_tcb));
	r->platform_info = bytes_u64(b);
	parse_flags(r, bytes_u32(b));
	r->reserved_set |= take_zeros(b, 4);
	bytes_copy(b, r->report_data, sizeof(r->report_data));
	bytes_copy(b, r->measurement, sizeof(r->measurement));
	bytes_copy(b, r->host_data, sizeof(r->host_data));
	bytes_copy(b, r->id_key_digest, sizeof(r->id_key_digest));
	bytes_copy(b, r->author_key_digest, sizeof(r->author_key_digest));
	bytes_copy(b, r->report_id, sizeof(r->report_id));
	bytes_copy(b, r->report_id_ma, sizeof(r->report_id_ma));
}

/* parse_platform() - 0x180 to 0x29f; what newer versions added is reserved in older ones. */
static void parse_platform(struct snp_report *r, struct bytes *b)
{
	bytes_copy(b, r->reported_tcb, sizeof(r->reported_tcb));
	if (r->version >= 3)
		bytes_copy(b, r->cpuid, sizeof(r->cpuid));
	r->reserved_set |= take_zeros(b, r->version >= 3 ? 21 : 24);
	bytes_copy(b, r->chip_id, sizeof(r->chip_id));
	bytes_copy(b, r->committed_tcb, sizeof(r->committed_tcb));
	for (int i = 0; i < 2; i++) { /* current, then committed: build, minor, major */
		bytes_take(b, 3);
		r->reserved_set |= take_zeros(b, 1);
	}
	bytes_copy(b, r->launch_tcb, sizeof(r->launch_tcb));
	if (r->version >= 5)
		bytes_take(b, 16); /* launch and current mitigation vectors */
	r->reserved_set |= take_zeros(b, r->version >= 5 ? 0x98 : 0xa8);
}

int snp_report_parse(struct snp_report *r, struct bytes raw, struct err *e)
{
	struct bytes b = raw;

	memset(r, 0, sizeof(*r));
	if (raw.left != SNP_REPORT_LEN)
		return err_set(
			e, EINVAL, "a report has %d bytes, not %zu", SNP_REPORT_LEN, raw.left);
	r->raw = raw.at;
	parse_head(r, &b);
	if (r->version < 2 || r->version > 5)
		return err_set(e, EINVAL, "report version %u is not 2 to 5", r->version);
	parse_platform(r, &b);
	r->reserved_set |= take_number(&b, r->sig);
	r->reserved_set |= take_number(&b, r->sig + SIG_USED);
	r->reserved_set |= take_zeros(&b, b.left);
	return 0;
}

/* check_key() - 56860, "SNP_GUEST_REQUEST, MSG_REPORT_REQ": which key signs, if any does. */
static int check_key(const struct snp_report *r, struct err *e)
{
	if (r->sig_algo != SIG_ALGO_P384_SHA384)
		return err_set(e, EBADMSG, "signature algorithm %u is unknown", r->sig_algo);
	if (r->signing_key == SNP_KEY_NONE)
		return err_set(e, EBADMSG, "the report says that nobody signed it");
	if (r->signing_key != SNP_KEY_VCEK && r->signing_key != SNP_KEY_VLEK)
		return err_set(e, EBADMSG, "signing key %u is unknown", r->signing_key);
	if (r->mask_chip_key && r->signing_key == SNP_KEY_VCEK)
		return err_set(e, EBADMSG, "signed with a chip key that the platform masks");
	return 0;
}

int snp_report_check(const struct snp_report *r, struct err *e)
{
	if (check_key(r, e))
		return -e->code;
	if (!(r->policy & POLICY_ONE) || r->policy & POLICY_RESERVED)
		return err_set(e, EBADMSG, "policy 0x%llx breaks its reserved bits",
			(unsigned long long)r->policy);
	if (r->vmpl > 3)
		return err_set(e, EBADMSG, "VMPL %u is none", r->vmpl);
	if (r->reserved_set || r->flags_reserved)
		return err_set(e, EBADMSG, "a reserved byte is not zero");
	return 0;
}

const struct snp_product *snp_report_product(const struct snp_report *r)
{
	return r->version < 3 ? NULL : snp_product_by_cpuid(r->cpuid[0], r->cpuid[1]);
}
