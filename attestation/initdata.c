/* SPDX-License-Identifier: Apache-2.0 */
/* Init data of Confidential Containers; see attestation/initdata.h. */
#include "attestation/initdata.h"

#include "attestation/digest.h"
#include "base/num.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define GZIP_ONLY (MAX_WBITS + 16)

/* --- the document's outermost keys --- */

/* line_next() - Return: the next line, without its end; NULL after the last */
static const char *line_next(struct bytes *text, size_t *len)
{
	const char *line = (const char *)text->at;
	const char *end = text->left ? memchr(line, '\n', text->left) : NULL;

	if (!text->left)
		return NULL;
	*len = end ? (size_t)(end - line) : text->left;
	bytes_take(text, *len + (end ? 1 : 0));
	return line;
}

static void skip_blanks(const char **at, const char *end)
{
	while (*at < end && (**at == ' ' || **at == '\t' || **at == '\r'))
		(*at)++;
}

/* key_value() - Return: true if a line is `key = "value"`, perhaps with a comment; value is cut out
 */
static bool key_value(const char *line, size_t len, const char *key, char *value, size_t max)
{
	const char *at = line, *end = line + len, *close;
	char quote;

	skip_blanks(&at, end);
	if ((size_t)(end - at) < strlen(key) || memcmp(at, key, strlen(key)))
		return false;
	at += strlen(key);
	skip_blanks(&at, end);
	if (at == end || *at++ != '=')
		return false;
	skip_blanks(&at, end);
	if (at == end || (*at != '"' && *at != '\''))
		return false;
	quote = *at++;
	close = memchr(at, quote, (size_t)(end - at));
	if (!close || (size_t)(close - at) >= max)
		return false;
	memcpy(value, at, (size_t)(close - at));
	value[close - at] = '\0';
	at = close + 1;
	skip_blanks(&at, end);
	return at == end || *at == '#';
}

/* find_key() - Return: 0, or -EINVAL if it is not there once before the first table */
static int find_key(struct bytes text, const char *key, char *value, size_t max, struct err *e)
{
	unsigned int found = 0;
	const char *line;
	size_t len;

	while ((line = line_next(&text, &len))) {
		const char *at = line;

		skip_blanks(&at, line + len);
		if (at < line + len && *at == '[')
			break;
		found += key_value(line, len, key, value, max);
	}
	if (found == 1)
		return 0;
	return err_set(
		e, EINVAL, "init data: it has %s key '%s'", found ? "more than one" : "no", key);
}

static int hash(struct initdata *out, struct bytes text, struct err *e)
{
	static const struct {
		const char *name, *evp;
	} kinds[] = {{"sha256", "SHA256"}, {"sha384", "SHA384"}, {"sha512", "SHA512"}};
	unsigned int len = 0;
	EVP_MD *md = NULL;
	bool ok;

	digest_setup();
	for (size_t i = 0; i < ARRAY_SIZE(kinds) && !md; i++)
		if (!strcmp(out->algorithm, kinds[i].name))
			md = EVP_MD_fetch(NULL, kinds[i].evp, NULL);
	if (!md)
		return err_set(e, EINVAL,
			"init data: algorithm '%s' is not sha256, sha384 or sha512",
			out->algorithm);
	ok = EVP_Digest(text.at, text.left, out->digest, &len, md, NULL);
	EVP_MD_free(md);
	out->digest_len = len;
	return ok ? 0 : err_set(e, EIO, "init data: libcrypto can't hash it");
}

int initdata_of_text(struct initdata *out, struct bytes text, struct err *e)
{
	char version[16];
	int rc;

	*out = (struct initdata){.text_len = text.left};
	if (text.left > INITDATA_TEXT_MAX)
		return err_set(e, E2BIG, "init data: more than %u bytes", INITDATA_TEXT_MAX);
	rc = find_key(text, "version", version, sizeof(version), e);
	if (!rc && strcmp(version, "0.1.0"))
		rc = err_set(e, EINVAL, "init data: version '%s' is not 0.1.0", version);
	if (!rc)
		rc = find_key(text, "algorithm", out->algorithm, sizeof(out->algorithm), e);
	return rc ? rc : hash(out, text, e);
}

/* --- the disk --- */

bool initdata_is_disk(struct bytes disk)
{
	return disk.left >= INITDATA_MAGIC_LEN &&
		!memcmp(disk.at, INITDATA_MAGIC, INITDATA_MAGIC_LEN);
}

/* unpack() - the one gzip member that the bytes are, to *text, which the caller frees */
static int unpack(uint8_t **text, size_t *len, struct bytes packed, struct err *e)
{
	z_stream z = {.next_in = (Bytef *)packed.at, .avail_in = (uInt)packed.left};
	int rc;

	*text = malloc(INITDATA_TEXT_MAX + 1);
	if (!*text || inflateInit2(&z, GZIP_ONLY) != Z_OK)
		return err_sys(e, ENOMEM, "init data");
	z.next_out = *text;
	z.avail_out = INITDATA_TEXT_MAX + 1;
	rc = inflate(&z, Z_FINISH);
	*len = z.total_out;
	inflateEnd(&z);
	if (*len > INITDATA_TEXT_MAX)
		return err_set(e, E2BIG, "init data: more than %u bytes", INITDATA_TEXT_MAX);
	if (rc != Z_STREAM_END || z.avail_in)
		return err_set(e, EINVAL, "init data: it is not gzip, or damaged");
	return 0;
}

int initdata_of_disk(struct initdata *out, struct bytes disk, struct err *e)
{
	cleanup_free uint8_t *text = NULL;
	struct bytes packed;
	uint64_t packed_len;
	size_t len = 0;
	int rc;

	*out = (struct initdata){0};
	if (!initdata_is_disk(disk) || disk.left < INITDATA_HEAD)
		return err_set(e, EINVAL, "init data: no magic in front");
	packed_len = load_le64(disk.at + INITDATA_MAGIC_LEN);
	if (packed_len > INITDATA_PACKED_MAX)
		return err_set(
			e, E2BIG, "init data: more than %u bytes of gzip", INITDATA_PACKED_MAX);
	if (packed_len > disk.left - INITDATA_HEAD)
		return err_set(e, EINVAL, "init data: the disk ends before it does");
	packed = bytes_slice(&disk, INITDATA_HEAD, packed_len);
	rc = unpack(&text, &len, packed, e);
	return rc ? rc : initdata_of_text(out, bytes_of(text, len), e);
}

void initdata_fit(const struct initdata *d, uint8_t *out, size_t len)
{
	memset(out, 0, len);
	memcpy(out, d->digest, min_u64(d->digest_len, len));
}
