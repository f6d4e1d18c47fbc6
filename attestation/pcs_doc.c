/* SPDX-License-Identifier: Apache-2.0 */
/* Signed PCS documents; see attestation/pcs_doc.h. */
#include "attestation/pcs_doc.h"

#include "attestation/ecdsa.h"
#include "attestation/json_field.h"

#include <errno.h>
#include <openssl/x509.h>
#include <string.h>

/* skip_string() - step over a JSON string; b stands on its opening quote. */
static void skip_string(struct bytes *b)
{
	uint8_t c;

	bytes_u8(b);
	while ((c = bytes_u8(b)) != '"' && !b->failed)
		if (c == '\\')
			bytes_u8(b);
}

/* skip_value() - step over one value up to the ',' or '}' after it, or over nested brackets. */
static void skip_value(struct bytes *b)
{
	unsigned int depth = 0;

	while (b->left && !b->failed) {
		uint8_t c = b->at[0];

		if (!depth && (c == ',' || c == '}'))
			return;
		if (c == '"') {
			skip_string(b);
			continue;
		}
		depth += c == '{' || c == '[';
		depth -= c == '}' || c == ']';
		bytes_u8(b);
	}
}

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_space(struct bytes *b)
{
	while (b->left && is_space(b->at[0]))
		bytes_u8(b);
}

struct bytes pcs_doc_span(struct bytes text, const char *name)
{
	struct bytes b = text;
	size_t len = strlen(name);

	skip_space(&b);
	bytes_u8(&b); /* { */
	for (skip_space(&b); b.left && b.at[0] == '"'; skip_space(&b)) {
		const uint8_t *key = b.at + 1, *value;
		size_t key_len;

		skip_string(&b);
		key_len = (size_t)(b.at - key) - 1;
		skip_space(&b);
		bytes_u8(&b); /* : */
		skip_space(&b);
		value = b.at;
		skip_value(&b);
		if (!b.failed && key_len == len && !memcmp(key, name, len)) {
			size_t value_len = (size_t)(b.at - value);

			while (value_len && is_space(value[value_len - 1]))
				value_len--;
			return bytes_of(value, value_len);
		}
		bytes_u8(&b); /* , */
	}
	return (struct bytes){.failed = true};
}

int pcs_doc_parse(struct pcs_doc *d, struct bytes text, const char *member, struct err *e)
{
	json_t *whole;
	int ret;

	*d = (struct pcs_doc)PCS_DOC_INIT;
	ret = json_field_load(text, &whole, e);
	if (ret)
		return ret;
	ret = json_field_hex(whole, "signature", d->sig, sizeof(d->sig), e);
	json_decref(whole);
	if (ret)
		return ret;
	d->raw = pcs_doc_span(text, member);
	if (d->raw.failed)
		return err_set(e, EINVAL, "no member '%s'", member);
	ret = json_field_load(d->raw, &d->body, e);
	ret = ret ?: json_field_date(d->body, "issueDate", &d->issued, e);
	ret = ret ?: json_field_date(d->body, "nextUpdate", &d->next_update, e);
	if (ret)
		pcs_doc_fini(d);
	return ret;
}

void pcs_doc_fini(struct pcs_doc *d)
{
	json_decref(d->body);
	*d = (struct pcs_doc)PCS_DOC_INIT;
}

int pcs_doc_check(const struct pcs_doc *d, X509 *signer, int64_t now, struct err *e)
{
	/* PCS API v4, "Get TCB Info": ECDSA P-256 over SHA-256 of the member's text */
	int ret = ecdsa_verify(ECDSA_P256_SHA256, X509_get0_pubkey(signer), d->raw, d->sig, e);

	if (ret)
		return ret;
	if (now < d->issued)
		return err_set(e, EBADMSG, "issued after the given time");
	if (now > d->next_update)
		return err_set(e, EBADMSG, "expired at the given time");
	return 0;
}
