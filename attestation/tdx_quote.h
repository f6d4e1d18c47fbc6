/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct tdx_quote: a TD quote of version 4 or 5, ECDSA-256 (Intel TDX DCAP Quoting Library API,
 * appendix A.3 and A.4), as pointers into its bytes. A parsed quote is well formed, not genuine.
 */
#ifndef ATTESTATION_TDX_QUOTE_H
#define ATTESTATION_TDX_QUOTE_H

#include "base/bytes.h"
#include "base/err.h"

#include <stdbool.h>

#define TDX_QUOTE_BYTES (128u * 1024u) /* larger quotes are refused unread */
#define TDX_QUOTE_RTMRS 4
#define TDX_CERT_PEM    5 /* certification data type: PCK chain in PEM */

/* TDATTRIBUTES bits 7:0 put a TD under debug; bit 0 is DEBUG, bit 28 is SEPT_VE_DISABLE */
#define TDX_ATTR_UNDER_DEBUG     UINT64_C(0xff)
#define TDX_ATTR_SEPT_VE_DISABLE (UINT64_C(1) << 28)

struct tdx_quote {
	uint16_t version;
	bool td15;                /* the body is a TD report of TDX 1.5 */
	struct bytes signed_part; /* header, body descriptor, body */
	/* the body; lengths in bytes */
	const uint8_t *tee_tcb_svn;           /* 16 */
	const uint8_t *mr_seam;               /* 48 */
	const uint8_t *mrsigner_seam;         /* 48 */
	const uint8_t *seam_attributes;       /* 8 */
	const uint8_t *td_attributes;         /* 8 */
	const uint8_t *xfam;                  /* 8 */
	const uint8_t *mrtd;                  /* 48 */
	const uint8_t *mr_config_id;          /* 48 */
	const uint8_t *mr_owner;              /* 48 */
	const uint8_t *mr_owner_config;       /* 48 */
	const uint8_t *rtmr[TDX_QUOTE_RTMRS]; /* 48 each */
	const uint8_t *report_data;           /* 64 */
	const uint8_t *tee_tcb_svn2;          /* 16; NULL unless td15 */
	const uint8_t *mr_servicetd;          /* 48; NULL unless td15 */
	/* the signature data */
	const uint8_t *signature;     /* 64: r, s */
	const uint8_t *attest_key;    /* 64: x, y */
	const uint8_t *qe_report;     /* 384 */
	const uint8_t *qe_report_sig; /* 64: r, s */
	struct bytes qe_auth;
	uint16_t cert_type; /* 1 to 5 */
	struct bytes cert_data;
};

/*
 * tdx_quote_parse() - read a quote; zeros after it are allowed. raw's bytes must outlive q.
 * Return: 0 or -EINVAL.
 */
int tdx_quote_parse(struct tdx_quote *q, struct bytes raw, struct err *e) MUST_CHECK;

/* tdx_quote_attributes() - Return: TDATTRIBUTES as a number. */
static inline uint64_t tdx_quote_attributes(const struct tdx_quote *q)
{
	return load_le64(q->td_attributes);
}

#endif
