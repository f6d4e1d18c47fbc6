/* SPDX-License-Identifier: Apache-2.0 */
/* Policy files; see attestation/policy.h. */
#include "attestation/policy.h"

#include "attestation/json_field.h"
#include "attestation/policy_snp.h"
#include "attestation/policy_tdx.h"
#include "base/hex.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define POLICY_HEX_MAX 64

/* read_section() - a member of the outermost object. Return: 0 or -EINVAL. */
static int read_section(struct policy *p, const char *name, json_t *value, struct err *e)
{
	bool snp = !strcmp(name, "snp"), tdx = !strcmp(name, "tdx");

	if (!snp && !tdx)
		return err_set(e, EINVAL, "unknown key '%.40s'", name);
	if (!json_is_object(value))
		return err_set(e, EINVAL, "'%s' is not an object", name);
	if ((snp ? policy_snp_check_section(value, e) : policy_tdx_check_section(value, e)))
		return err_context(e, "'%s'", name);
	*(snp ? &p->snp : &p->tdx) = json_incref(value);
	return 0;
}

int policy_parse(struct policy *p, struct bytes text, struct err *e)
{
	json_t *whole, *value;
	const char *name;
	int ret;

	*p = (struct policy)POLICY_INIT;
	ret = json_field_load(text, &whole, e);
	if (ret)
		return ret;
	json_object_foreach(whole, name, value)
	{
		ret = read_section(p, name, value, e);
		if (ret)
			break;
	}
	json_decref(whole);
	if (ret)
		policy_fini(p);
	return ret;
}

void policy_fini(struct policy *p)
{
	json_decref(p->snp);
	json_decref(p->tdx);
	*p = (struct policy)POLICY_INIT;
}

void policy_refuse(struct policy_reasons *r, const char *fmt, ...)
{
	va_list args;

	if (r->n < POLICY_REASONS_MAX) {
		va_start(args, fmt);
		vsnprintf(r->text[r->n], sizeof(r->text[0]), fmt, args);
		va_end(args);
	}
	r->n++;
}

static bool is_hex(const json_t *v, size_t len)
{
	uint8_t bytes[POLICY_HEX_MAX];

	return json_is_string(v) && len <= sizeof(bytes) &&
		!hex_decode(json_string_value(v), bytes, len);
}

/* check_list() - a list, not empty, whose elements are as the key says. */
static int check_list(const struct policy_key *key, const json_t *list, struct err *e)
{
	if (!json_is_array(list) || !json_array_size(list))
		return err_set(e, EINVAL, "'%s' is not a list with something in it", key->name);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *v = json_array_get(list, i);

		if (key->kind == POLICY_HEX && !is_hex(v, key->size))
			return err_set(e, EINVAL, "'%s' holds something else than %u bytes in hex",
				key->name, key->size);
		if (key->kind == POLICY_TEXTS && !json_is_string(v))
			return err_set(e, EINVAL, "'%s' holds something else than text", key->name);
		if (key->kind == POLICY_TEXTS && key->check && key->check(v, e))
			return err_context(e, "'%s'", key->name);
	}
	return 0;
}

static int check_value(const struct policy_key *key, const json_t *v, struct err *e)
{
	switch (key->kind) {
	case POLICY_HEX:
		if (!json_is_string(v))
			return check_list(key, v, e);
		if (!is_hex(v, key->size))
			return err_set(
				e, EINVAL, "'%s' is not %u bytes in hex", key->name, key->size);
		return 0;
	case POLICY_UINT:
		if (!json_is_integer(v) || json_integer_value(v) < 0 ||
			json_integer_value(v) > key->size)
			return err_set(
				e, EINVAL, "'%s' is not a number up to %u", key->name, key->size);
		return 0;
	case POLICY_BOOL:
		if (!json_is_boolean(v))
			return err_set(e, EINVAL, "'%s' is not true or false", key->name);
		return 0;
	case POLICY_TEXTS:
		return check_list(key, v, e);
	case POLICY_OTHER:
		break;
	}
	return key->check(v, e) ? err_context(e, "'%s'", key->name) : 0;
}

int policy_check_keys(const json_t *section, const struct policy_key *keys, size_t n, struct err *e)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)section, name, value)
	{
		const struct policy_key *key = NULL;

		for (size_t i = 0; i < n && !key; i++)
			if (!strcmp(keys[i].name, name))
				key = &keys[i];
		if (!key)
			return err_set(e, EINVAL, "unknown key '%.40s'", name);
		if (check_value(key, value, e))
			return -e->code;
	}
	return 0;
}

static bool hex_equals(const json_t *v, const uint8_t *value, size_t len)
{
	uint8_t want[POLICY_HEX_MAX];

	return is_hex(v, len) && !hex_decode(json_string_value(v), want, len) &&
		!memcmp(want, value, len);
}

void policy_match(const json_t *section, const char *name, const uint8_t *value, size_t len,
	struct policy_reasons *r)
{
	const json_t *want = json_object_get(section, name);
	char found[HEX_TEXT_LEN(POLICY_HEX_MAX)];

	if (!want)
		return;
	if (!value) {
		policy_refuse(r, "%s: this kind of report has none", name);
		return;
	}
	if (hex_equals(want, value, len))
		return;
	for (size_t i = 0; i < json_array_size(want); i++)
		if (hex_equals(json_array_get(want, i), value, len))
			return;
	hex_encode(found, value, len);
	policy_refuse(r, "%s: %s is not what is expected", name, found);
}

bool policy_flag(const json_t *section, const char *name, bool absent)
{
	const json_t *v = json_object_get(section, name);

	return v ? json_is_true(v) : absent;
}

bool policy_has_text(const json_t *section, const char *name, const char *text)
{
	const json_t *list = json_object_get(section, name);

	for (size_t i = 0; i < json_array_size(list); i++)
		if (!strcmp(json_string_value(json_array_get(list, i)), text))
			return true;
	return false;
}
