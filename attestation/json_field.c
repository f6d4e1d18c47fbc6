/* SPDX-License-Identifier: Apache-2.0 */
/* Typed members of JSON objects; see attestation/json_field.h. */
#include "attestation/json_field.h"

#include "attestation/utc.h"
#include "base/hex.h"

#include <errno.h>
#include <string.h>

int json_field_load(struct bytes text, json_t **out, struct err *e)
{
	json_error_t why;

	if (text.left > JSON_FIELD_BYTES)
		return err_set(e, EINVAL, "more than %u bytes of JSON", JSON_FIELD_BYTES);
	*out = json_loadb((const char *)text.at, text.left, JSON_REJECT_DUPLICATES, &why);
	if (!*out)
		return err_set(e, EINVAL, "not JSON: line %d, column %d", why.line, why.column);
	if (json_is_object(*out))
		return 0;
	json_decref(*out);
	*out = NULL;
	return err_set(e, EINVAL, "not a JSON object");
}

int json_field_text(const json_t *o, const char *name, const char **out, struct err *e)
{
	*out = json_string_value(json_object_get(o, name));
	return *out ? 0 : err_set(e, EINVAL, "'%s' is not text", name);
}

int json_field_hex(const json_t *o, const char *name, void *out, size_t len, struct err *e)
{
	const char *text = json_string_value(json_object_get(o, name));

	if (!text || hex_decode(text, out, len))
		return err_set(e, EINVAL, "'%s' is not %zu bytes in hex", name, len);
	return 0;
}

int json_field_uint(const json_t *o, const char *name, uint32_t max, uint32_t *out, struct err *e)
{
	const json_t *v = json_object_get(o, name);
	json_int_t n = json_integer_value(v);

	if (!json_is_integer(v) || n < 0 || n > max)
		return err_set(e, EINVAL, "'%s' is not a number up to %u", name, max);
	*out = (uint32_t)n;
	return 0;
}

/* digits() - read n decimal digits at text. Return: the number, or -1. */
static int digits(const char *text, int n)
{
	int v = 0;

	for (int i = 0; i < n; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		v = 10 * v + text[i] - '0';
	}
	return v;
}

int json_field_date(const json_t *o, const char *name, int64_t *out, struct err *e)
{
	const char *t = json_string_value(json_object_get(o, name));
	struct utc utc;

	if (!t || strlen(t) != 20 || t[4] != '-' || t[7] != '-' || t[10] != 'T' || t[13] != ':' ||
		t[16] != ':' || t[19] != 'Z')
		return err_set(e, EINVAL, "'%s' is not a date like 2025-06-19T10:16:03Z", name);
	utc = (struct utc){digits(t, 4), digits(t + 5, 2), digits(t + 8, 2), digits(t + 11, 2),
		digits(t + 14, 2), digits(t + 17, 2)};
	if (utc_epoch(&utc, out))
		return err_set(e, EINVAL, "'%s' is no date", name);
	return 0;
}

int json_field_list(
	const json_t *o, const char *name, size_t max, const json_t **out, struct err *e)
{
	*out = json_object_get(o, name);
	if (!json_is_array(*out) || !json_array_size(*out) || json_array_size(*out) > max)
		return err_set(e, EINVAL, "'%s' is not a list of 1 to %zu", name, max);
	return 0;
}

int json_field_object(const json_t *o, const char *name, const json_t **out, struct err *e)
{
	*out = json_object_get(o, name);
	return json_is_object(*out) ? 0 : err_set(e, EINVAL, "'%s' is not an object", name);
}
