/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Members of a JSON object with the one type and size they must have. A member that is absent or
 * different is an error that names it; values that are returned belong to the object.
 */
#ifndef ATTESTATION_JSON_FIELD_H
#define ATTESTATION_JSON_FIELD_H

#include "base/bytes.h"
#include "base/err.h"

#include <jansson.h>

#define JSON_FIELD_BYTES (1024u * 1024u) /* larger documents are refused unread */

/*
 * json_field_load() - parse a whole document: one object, no member twice, at most
 * JSON_FIELD_BYTES.
 * Return: 0 and a new reference in *out, or -EINVAL.
 */
int json_field_load(struct bytes text, json_t **out, struct err *e) MUST_CHECK;

/* json_field_hex() - text of exactly len bytes in hex, either case. Return: 0 or -EINVAL. */
int json_field_hex(
	const json_t *o, const char *name, void *out, size_t len, struct err *e) MUST_CHECK;

/* json_field_uint() - an integer in [0, max]. Return: 0 or -EINVAL. */
int json_field_uint(
	const json_t *o, const char *name, uint32_t max, uint32_t *out, struct err *e) MUST_CHECK;

/* json_field_text() - Return: 0 and the text in *out, or -EINVAL. */
int json_field_text(const json_t *o, const char *name, const char **out, struct err *e) MUST_CHECK;

/* json_field_date() - "2025-06-19T10:16:03Z" as seconds since 1970. Return: 0 or -EINVAL. */
int json_field_date(const json_t *o, const char *name, int64_t *out, struct err *e) MUST_CHECK;

/* json_field_list() - an array of 1 to max elements. Return: 0 or -EINVAL. */
int json_field_list(const json_t *o, const char *name, size_t max, const json_t **out,
	struct err *e) MUST_CHECK;

/* json_field_object() - Return: 0 and the object in *out, or -EINVAL. */
int json_field_object(
	const json_t *o, const char *name, const json_t **out, struct err *e) MUST_CHECK;

#endif
