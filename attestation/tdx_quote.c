/* SPDX-License-Identifier: Apache-2.0 */
/* TD quotes; see attestation/tdx_quote.h. Section numbers: TDX DCAP Quoting Library API. */
#include "attestation/tdx_quote.h"

#include <errno.h>
#include <string.h>

#define KEY_TYPE_P256  2    /* A.3.1 */
#define TEE_TDX        0x81 /* A.3.1 */
#define BODY_TD10      2    /* A.4.2 */
#define BODY_TD15      3
#define BODY_TD10_LEN  584
#define BODY_TD15_LEN  648
#define CERT_QE_REPORT 6 /* A.3.9 */
#define QE_REPORT_LEN  384

static const uint8_t intel_qe_vendor[16] = {0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9, 0x94,
	0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07};

/* parse_header() - A.3.1: 48 bytes. */
static int parse_header(struct tdx_quote *q, struct bytes *b, struct err *e)
{
	uint16_t key_type;
	uint32_t tee;
	const uint8_t *vendor;

	q->version = bytes_u16(b);
	key_type = bytes_u16(b);
	tee = bytes_u32(b);
	bytes_take(b, 4);
	vendor = bytes_take(b, sizeof(intel_qe_vendor));
	bytes_take(b, 20); /* user data of the quoting enclave */
	if (b->failed)
		return err_set(e, EINVAL, "the quote is cut in its header");
	if (q->version != 4 && q->version != 5)
		return err_set(e, EINVAL, "quote version %u is not 4 or 5", q->version);
	if (key_type != KEY_TYPE_P256)
		return err_set(e, EINVAL, "attestation key type %u is not ECDSA P-256", key_type);
	if (tee != TEE_TDX)
		return err_set(e, EINVAL, "TEE type 0x%x is not TDX", tee);
	if (memcmp(vendor, intel_qe_vendor, sizeof(intel_qe_vendor)) != 0)
		return err_set(e, EINVAL, "the quoting enclave is not Intel's");
	return 0;
}

/* parse_body_kind() - A.4.2: version 5 says which body follows. */
static int parse_body_kind(struct tdx_quote *q, struct bytes *b, struct err *e)
{
	uint16_t type = BODY_TD10;
	uint32_t size = BODY_TD10_LEN;

	if (q->version == 5) {
		type = bytes_u16(b);
		size = bytes_u32(b);
	}
	q->td15 = type == BODY_TD15;
	if (b->failed || (type != BODY_TD10 && type != BODY_TD15) ||
		size != (q->td15 ? BODY_TD15_LEN : BODY_TD10_LEN))
		return err_set(e, EINVAL, "quote body of type %u and %u bytes is no TD report",
			type, size);
	return 0;
}

/* parse_body() - A.3.2 and A.4.3. */
static void parse_body(struct tdx_quote *q, struct bytes *b)
{
	q->tee_tcb_svn = bytes_take(b, 16);
	q->mr_seam = bytes_take(b, 48);
	q->mrsigner_seam = bytes_take(b, 48);
	q->seam_attributes = bytes_take(b, 8);
	q->td_attributes = bytes_take(b, 8);
	q->xfam = bytes_take(b, 8);
	q->mrtd = bytes_take(b, 48);
	q->mr_config_id = bytes_take(b, 48);
	q->mr_owner = bytes_take(b, 48);
	q->mr_owner_config = bytes_take(b, 48);
	for (int i = 0; i < TDX_QUOTE_RTMRS; i++)
		q->rtmr[i] = bytes_take(b, 48);
	q->report_data = bytes_take(b, 64);
	if (!q->td15)
		return;
	q->tee_tcb_svn2 = bytes_take(b, 16);
	q->mr_servicetd = bytes_take(b, 48);
}

/* cert_data_fits() - A.3.9: types 1 to 3 are a PPID (plain, RSA-2048, RSA-3072) and 20 bytes. */
static bool cert_data_fits(const struct tdx_quote *q)
{
	static const size_t len[] = {[1] = 36, [2] = 276, [3] = 404};

	if (q->cert_type < 1 || q->cert_type > TDX_CERT_PEM)
		return false;
	return q->cert_type > 3 || q->cert_data.left == len[q->cert_type];
}

/* take_sized() - a 32-bit length and as many bytes. */
static struct bytes take_sized(struct bytes *b)
{
	uint32_t len = bytes_u32(b);
	const uint8_t *at = bytes_take(b, len);

	return at ? bytes_of(at, len) : (struct bytes){.failed = true};
}

/* parse_auth() - A.3.7, A.3.8, A.3.11: b is the signature data and nothing else. */
static int parse_auth(struct tdx_quote *q, struct bytes b, struct err *e)
{
	struct bytes qe;
	uint16_t type, auth_len;

	q->signature = bytes_take(&b, 64);
	q->attest_key = bytes_take(&b, 64);
	type = bytes_u16(&b);
	qe = take_sized(&b);
	if (b.failed || b.left || type != CERT_QE_REPORT)
		return err_set(e, EINVAL, "the quote's signature data is not of type 6 and whole");
	q->qe_report = bytes_take(&qe, QE_REPORT_LEN);
	q->qe_report_sig = bytes_take(&qe, 64);
	auth_len = bytes_u16(&qe);
	q->qe_auth = bytes_of(bytes_take(&qe, auth_len), auth_len);
	q->cert_type = bytes_u16(&qe);
	q->cert_data = take_sized(&qe);
	if (qe.failed || qe.left)
		return err_set(e, EINVAL, "the quote's certification data does not fill its size");
	if (!cert_data_fits(q))
		return err_set(e, EINVAL, "certification data of type %u and %zu bytes",
			q->cert_type, q->cert_data.left);
	return 0;
}

int tdx_quote_parse(struct tdx_quote *q, struct bytes raw, struct err *e)
{
	struct bytes b = raw, auth;
	int ret;

	memset(q, 0, sizeof(*q));
	if (raw.left > TDX_QUOTE_BYTES)
		return err_set(e, EINVAL, "more than %u bytes of quote", TDX_QUOTE_BYTES);
	ret = parse_header(q, &b, e) ?: parse_body_kind(q, &b, e);
	if (ret)
		return ret;
	parse_body(q, &b);
	q->signed_part = bytes_of(raw.at, raw.left - b.left);
	auth = take_sized(&b);
	if (b.failed)
		return err_set(e, EINVAL, "the quote is cut");
	while (b.left)
		if (bytes_u8(&b))
			return err_set(e, EINVAL, "bytes after the quote are not zero");
	return parse_auth(q, auth, e);
}
