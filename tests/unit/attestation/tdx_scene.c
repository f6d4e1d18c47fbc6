/* SPDX-License-Identifier: Apache-2.0 */
/* A TDX platform for tests; see tdx_scene.h. */
#include "tests/unit/attestation/tdx_scene.h"

#include "attestation/digest.h"
#include "base/hex.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SVNS(a, b, c) "{\"svn\":" #a "},{\"svn\":" #b "},{\"svn\":" #c "},{\"svn\":0},"
#define ZEROS4        "{\"svn\":0},{\"svn\":0},{\"svn\":0},{\"svn\":0}"
#define LEVEL(sgx, pce, t0, t2, status, more)                                                      \
	"{\"tcb\":{\"sgxtcbcomponents\":[" SVNS(sgx, sgx, sgx) ZEROS4                              \
		"," ZEROS4 "," ZEROS4 "],\"pcesvn\":" #pce                                         \
		",\"tdxtcbcomponents\":[" SVNS(t0, 0, t2) ZEROS4                                   \
		"," ZEROS4 "," ZEROS4                                                              \
		"]},\"tcbDate\":\"2024-01-01T00:00:00Z\",\"tcbStatus\":\"" status "\"" more "}"
#define ZERO48                                                                                     \
	"00000000000000000000000000000000000000000000000000000000000000000000000000000000"         \
	"0000000000000000"

static const char default_levels[] = "[" LEVEL(5, 13, 4, 6, "UpToDate", "") "," LEVEL(
	5, 11, 4, 6, "SWHardeningNeeded", ",\"advisoryIDs\":[\"SA-2\"]") "," LEVEL(1, 8, 2, 3,
	"OutOfDate", ",\"advisoryIDs\":[\"SA-1\",\"SA-2\"]") "]";

static const char default_modules[] =
	"\"tdxModule\":{\"mrsigner\":\"" ZERO48 "\",\"attributes\":\"0000000000000000\","
	"\"attributesMask\":\"FFFFFFFFFFFFFFFF\"},\"tdxModuleIdentities\":[{\"id\":\"TDX_01\","
	"\"mrsigner\":\"" ZERO48 "\",\"attributes\":\"0000000000000000\",\"attributesMask\":"
	"\"FFFFFFFFFFFFFFFF\",\"tcbLevels\":["
	"{\"tcb\":{\"isvsvn\":4},\"tcbDate\":\"2024-01-01T00:00:00Z\",\"tcbStatus\":\"UpToDate\"},"
	"{\"tcb\":{\"isvsvn\":2},\"tcbDate\":\"2024-01-01T00:00:00Z\",\"tcbStatus\":\"OutOfDate\","
	"\"advisoryIDs\":[\"SA-3\"]},{\"tcb\":{\"isvsvn\":1},\"tcbDate\":\"2024-01-01T00:00:00Z\","
	"\"tcbStatus\":\"Revoked\"}]}]";

static const char default_qe_levels[] =
	"[{\"tcb\":{\"isvsvn\":4},\"tcbDate\":\"2024-01-01T00:00:00Z\",\"tcbStatus\":\"UpToDate\"},"
	"{\"tcb\":{\"isvsvn\":2},\"tcbDate\":\"2023-01-01T00:00:00Z\",\"tcbStatus\":\"OutOfDate\","
	"\"advisoryIDs\":[\"SA-4\"]},{\"tcb\":{\"isvsvn\":1},\"tcbDate\":\"2023-01-01T00:00:00Z\","
	"\"tcbStatus\":\"Revoked\"}]";

static void must(bool ok)
{
	if (!ok)
		abort();
}

/* put_oid() - SEQUENCE {1.2.840.113741.1.13.1.a[.b], value}. Return: its length. */
static size_t put_oid(uint8_t *to, uint8_t a, uint8_t b, const uint8_t *value, size_t len)
{
	static const uint8_t arc[] = {0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 1, 13, 1};
	size_t oid = sizeof(arc) + (b ? 2 : 1), all = 2 + oid + len, at = 0;

	to[at++] = 0x30;
	if (all > 0x7f)
		to[at++] = 0x82, to[at++] = (uint8_t)(all >> 8);
	to[at++] = (uint8_t)all;
	to[at++] = 6;
	to[at++] = (uint8_t)oid;
	memcpy(to + at, arc, sizeof(arc));
	at += sizeof(arc);
	to[at++] = a;
	if (b)
		to[at++] = b;
	memcpy(to + at, value, len);
	return at + len;
}

/* wrap() - SEQUENCE with a long length. Return: its length. */
static size_t wrap(uint8_t *to, const uint8_t *value, size_t len)
{
	memcpy(to, (uint8_t[]){0x30, 0x82, (uint8_t)(len >> 8), (uint8_t)len}, 4);
	memcpy(to + 4, value, len);
	return len + 4;
}

static void put_sgx_extension(struct tdx_scene *s)
{
	uint8_t tcb[768], seq[800], all[1000];
	size_t n = 0, m = 0;

	for (uint8_t i = 1; i <= 17; i++) {
		uint8_t v[3] = {2, 1, i == 17 ? s->pcesvn : s->sgx_svn[i - 1]};

		n += put_oid(tcb + n, 2, i, v, 3);
	}
	n += put_oid(tcb + n, 2, 18, (uint8_t[18]){4, 16}, 18);
	n = wrap(seq, tcb, n);
	m += put_oid(all + m, 1, 0, (uint8_t[18]){4, 16, 0xaa}, 18);
	m += put_oid(all + m, 2, 0, seq, n);
	m += put_oid(all + m, 3, 0, (uint8_t[]){4, 2, 0, 0}, 4);
	m += put_oid(all + m, 4, 0, (uint8_t[]){4, 6, 0xaa, 0xbb, 0xcc, 0, 0, 1}, 8);
	m += put_oid(all + m, 5, 0, (uint8_t[]){10, 1, 0}, 3);
	m = wrap(s->sgx_ext, all, m);
	s->certs[TDX_PCK].exts[0] = (struct pki_ext){"1.2.840.113741.1.13.1", s->sgx_ext, m, false};
}

void tdx_scene_start(struct tdx_scene *s)
{
	static const char *const names[TDX_AK] = {"Intel SGX Root CA", "Intel SGX PCK Platform CA",
		"Intel SGX PCK Certificate", "Intel SGX TCB Signing"};

	memset(s, 0, sizeof(*s));
	for (int i = 0; i < TDX_WHO; i++)
		s->keys[i] = pki_ec_key("P-256");
	for (int i = 0; i < TDX_AK; i++)
		s->certs[i] = (struct pki_spec){.cn = names[i],
			.key = s->keys[i],
			.serial = 0x1000 + i,
			.ca = i == TDX_ROOT || i == TDX_CA,
			.issuer_key = s->keys[i == TDX_PCK ? TDX_CA : TDX_ROOT]};
	s->root_crl.key = s->keys[TDX_ROOT];
	s->pck_crl.key = s->keys[TDX_CA];
	s->version = 4;
	memset(s->sgx_svn, 5, 3);
	s->pcesvn = 13;
	memcpy(s->td, (uint8_t[]){4, 1, 6}, 3); /* tee_tcb_svn */
	s->td[123] = 0x10;                      /* SEPT_VE_DISABLE */
	memset(s->td + 136, 0xd1, 48);          /* MRTD */
	memcpy(s->td + 584, (uint8_t[]){4, 1, 6}, 3);
	memset(s->qe + 128, 0xdc, 32); /* MRSIGNER */
	s->qe[48] = 0x11;
	s->qe[256] = 2;
	s->qe[258] = 4;
	s->tcb_levels = default_levels;
	s->modules = default_modules;
	s->qe_levels = default_qe_levels;
	s->tcb_head = "\"id\":\"TDX\",\"version\":3,\"fmspc\":\"AABBCC000001\",\"pceId\":\"0000\","
		      "\"tcbType\":0,\"tcbEvaluationDataNumber\":17";
	s->qe_head = "\"id\":\"TD_QE\",\"version\":2,\"tcbEvaluationDataNumber\":18,"
		     "\"miscselect\":\"00000000\",\"miscselectMask\":\"FFFFFFFF\","
		     "\"attributes\":\"11000000000000000000000000000000\","
		     "\"attributesMask\":\"FBFFFFFFFFFFFFFF0000000000000000\",\"mrsigner\":"
		     "\"dcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdc\","
		     "\"isvprodid\":2";
	/* PKI_NOW is 2027-01-15T08:00:00Z */
	s->dates = "\"issueDate\":\"2027-01-01T00:00:00Z\","
		   "\"nextUpdate\":\"2027-02-01T00:00:00Z\"";
	s->signs_tcb = s->signs_qe = TDX_SIGNER;
	s->now = PKI_NOW;
}

void tdx_scene_sign(EVP_PKEY *key, const char *member, const char *body, char *out, size_t size)
{
	uint8_t sig[64];
	char hex[HEX_TEXT_LEN(64)];
	int len;

	pki_sign_raw(key, "SHA256", bytes_of(body, strlen(body)), sig, 32);
	hex_encode(hex, sig, sizeof(sig));
	len = snprintf(out, size, "{\"%s\":%s,\"signature\":\"%s\"}", member, body, hex);
	must(len > 0 && (size_t)len < size);
}

static void make_documents(struct tdx_scene *s)
{
	static char body[8192];

	snprintf(body, sizeof(body), "{%s,%s,%s,\"tcbLevels\":%s}", s->tcb_head, s->dates,
		s->modules, s->tcb_levels);
	tdx_scene_sign(s->keys[s->signs_tcb], "tcbInfo", body, s->tcb_info, sizeof(s->tcb_info));
	snprintf(
		body, sizeof(body), "{%s,%s,\"tcbLevels\":%s}", s->qe_head, s->dates, s->qe_levels);
	tdx_scene_sign(s->keys[s->signs_qe], "enclaveIdentity", body, s->qe_identity,
		sizeof(s->qe_identity));
}

static uint8_t *put(uint8_t *to, const void *data, size_t len)
{
	memcpy(to, data, len);
	return to + len;
}

/* make_quote() - header, body, and the signature data around the PCK chain. */
static void make_quote(struct tdx_scene *s)
{
	static const uint8_t vendor[16] = {0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9, 0x94,
		0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07};
	static const uint8_t auth[32] = {1, 2, 3};
	uint32_t body = s->td15 ? 648 : 584, chain_len;
	uint8_t *at = s->quote, key[64 + sizeof(auth)], sig[64], *sizes;
	char chain[6144];
	size_t len = 0;
	struct err e;

	memset(s->quote, 0, sizeof(s->quote));
	store_le16(at, s->version);
	store_le16(at + 2, 2);
	store_le32(at + 4, 0x81);
	memcpy(at + 12, vendor, 16);
	at += 48;
	if (s->version == 5) {
		store_le16(at, s->td15 ? 3 : 2);
		store_le32(at + 2, body);
		at += 6;
	}
	at = put(at, s->td, body);
	pki_point(s->keys[TDX_AK], key, 32);
	memcpy(key + 64, auth, sizeof(auth));
	must(!digest_of(DIGEST_SHA256, key, sizeof(key), s->qe + 320, &e));
	pki_sign_raw(
		s->keys[TDX_AK], "SHA256", bytes_of(s->quote, (size_t)(at - s->quote)), sig, 32);
	pki_pem(chain, sizeof(chain), &len,
		(X509 *[]){s->made[TDX_PCK], s->made[TDX_CA], s->made[TDX_ROOT]}, 3);
	chain[len++] = 0;
	chain_len = s->no_chain ? 36 : (uint32_t)len;
	sizes = at;
	at = put(at + 4, sig, 64);
	at = put(at, key, 64);
	store_le16(at, 6);
	store_le32(at + 2, 384 + 64 + 2 + sizeof(auth) + 6 + chain_len);
	at = put(at + 6, s->qe, 384);
	pki_sign_raw(s->keys[TDX_PCK], "SHA256", bytes_of(s->qe, 384), sig, 32);
	at = put(at, sig, 64);
	store_le16(at, sizeof(auth));
	at = put(at + 2, auth, sizeof(auth));
	store_le16(at, s->no_chain ? 1 : 5);
	store_le32(at + 2, chain_len);
	at = put(at + 6, chain, chain_len);
	store_le32(sizes, (uint32_t)(at - sizes) - 4);
	s->quote_len = (size_t)(at - s->quote);
}

void tdx_scene_make(struct tdx_scene *s)
{
	put_sgx_extension(s);
	for (int i = 0; i < TDX_AK; i++) {
		if (i != TDX_ROOT)
			s->certs[i].issuer = s->made[i == TDX_PCK ? TDX_CA : TDX_ROOT];
		s->made[i] = pki_cert(&s->certs[i]);
	}
	s->root_crl.issuer = s->made[TDX_ROOT];
	s->pck_crl.issuer = s->pck_crl.issuer ? s->pck_crl.issuer : s->made[TDX_CA];
	s->crls[0].list = pki_crl(&s->root_crl);
	s->crls[1].list = pki_crl(&s->pck_crl);
	s->roots = (struct cert_list){{s->made[TDX_ROOT]}, 1};
	s->signer_chain = (struct cert_list){{s->made[TDX_SIGNER], s->made[TDX_ROOT]}, 2};
	s->pck_chain =
		(struct cert_list){{s->made[TDX_ROOT], s->made[TDX_PCK], s->made[TDX_CA]}, 3};
	make_documents(s);
	make_quote(s);
}

void tdx_scene_end(struct tdx_scene *s)
{
	for (int i = 0; i < TDX_AK; i++)
		X509_free(s->made[i]);
	for (int i = 0; i < TDX_WHO; i++)
		EVP_PKEY_free(s->keys[i]);
	crl_fini(&s->crls[0]);
	crl_fini(&s->crls[1]);
}

int tdx_scene_judge(struct tdx_scene *s, struct tdx_verdict *verdict, struct err *e)
{
	cleanup_pcs_doc struct pcs_doc tcb = PCS_DOC_INIT, qe = PCS_DOC_INIT;
	const struct tdx_collateral c = {
		.trust = {&s->roots, &s->crls[0], s->now},
		.pck_crl = &s->crls[1],
		.pck_chain = s->no_chain ? &s->pck_chain : NULL,
		.tcb_chain = &s->signer_chain,
		.qe_chain = &s->signer_chain,
		.tcb_info = &tcb,
		.qe_identity = &qe,
	};
	struct tdx_quote quote;
	int ret = tdx_quote_parse(&quote, bytes_of(s->quote, s->quote_len), e)
		?: pcs_doc_parse(&tcb, bytes_of(s->tcb_info, strlen(s->tcb_info)), "tcbInfo", e)
		?: pcs_doc_parse(&qe, bytes_of(s->qe_identity, strlen(s->qe_identity)),
			"enclaveIdentity", e)
		?: tdx_verify(&quote, &c, verdict, e);

	for (int i = 0; i < TCB_ADVISORY_LISTS; i++)
		verdict->tcb.advisories[i] = NULL; /* the documents are gone */
	return ret;
}
