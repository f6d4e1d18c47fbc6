/* SPDX-License-Identifier: Apache-2.0 */
/* JSON Web Signatures; see attestation/jws.h. */
#include "attestation/jws.h"

#include "attestation/digest.h"
#include "attestation/private_key.h"
#include "base/base64.h"
#include "base/hex.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* RFC 7518 section 3.1 */
static const struct {
	enum private_key_curve curve;
	const char *name;
} algorithms[] = {
	{PRIVATE_KEY_P256, "ES256"},
	{PRIVATE_KEY_P384, "ES384"},
};

/* jws_header() - the protected header in Base64. Return: 0, -ENOMEM or -EIO. */
static int jws_header(const struct private_key *key, char **out, struct err *e)
{
	char kid[HEX_TEXT_LEN(DIGEST_SHA256_LEN)], header[160];
	uint8_t id[DIGEST_SHA256_LEN];
	const char *alg = "";
	int len, ret = private_key_id(key, id, e);

	if (ret)
		return ret;
	hex_encode(kid, id, sizeof(id));
	for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++)
		if (algorithms[i].curve == key->curve)
			alg = algorithms[i].name;
	len = snprintf(header, sizeof(header), "{\"alg\":\"%s\",\"kid\":\"%s\"}", alg, kid);
	*out = malloc(BASE64_TEXT_LEN((size_t)len));
	if (!*out)
		return err_sys(e, ENOMEM, "JWS");
	base64_encode_url(*out, header, (size_t)len);
	return 0;
}

/* jws_signature() - sign "header.payload" (RFC 7515 section 5.1); r and s, big endian. */
static int jws_signature(const struct private_key *key, const char *header, const char *payload,
	char out[BASE64_TEXT_LEN(2 * PRIVATE_KEY_MAX)], struct err *e)
{
	uint8_t rs[2 * PRIVATE_KEY_MAX];
	char *input = NULL;
	int ret, len = asprintf(&input, "%s.%s", header, payload);

	if (len < 0)
		return err_sys(e, ENOMEM, "JWS");
	ret = private_key_sign(key, bytes_of(input, (size_t)len), rs, e);
	free(input);
	if (!ret)
		base64_encode_url(out, rs, 2 * key->scalar_len);
	return ret;
}

int jws_sign(char **out, struct bytes payload, struct bytes key_text, struct err *e)
{
	char signature[BASE64_TEXT_LEN(2 * PRIVATE_KEY_MAX)];
	cleanup_private_key struct private_key key = PRIVATE_KEY_INIT;
	cleanup_free char *header = NULL, *body = NULL;
	int ret = private_key_load(&key, key_text, "key", e);

	if (!ret)
		ret = jws_header(&key, &header, e);
	if (ret)
		return ret;
	body = malloc(BASE64_TEXT_LEN(payload.left));
	if (!body)
		return err_sys(e, ENOMEM, "JWS");
	base64_encode_url(body, payload.at, payload.left);
	ret = jws_signature(&key, header, body, signature, e);
	if (ret)
		return ret;
	/* RFC 7515 section 7.2.2, flattened JSON serialization */
	if (asprintf(out, "{\"payload\":\"%s\",\"protected\":\"%s\",\"signature\":\"%s\"}", body,
		    header, signature) < 0)
		return err_sys(e, ENOMEM, "JWS");
	return 0;
}
