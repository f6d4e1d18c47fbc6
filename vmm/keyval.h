/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key=value grammar of the command line's flags, driven by tables of fields.
 *
 * A value is `key=value,key=value`; commas inside "..." and [...] do not split. A first item
 * without '=' goes to the section's bare field (`--serial tty`). Toggles are on|true|off|false;
 * sizes are integers with an optional K, M, G or T (binary). Unknown and repeated keys are errors.
 */
#ifndef VMM_KEYVAL_H
#define VMM_KEYVAL_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum keyval_kind {
	KEYVAL_STRING, /* char *, allocated */
	KEYVAL_TOGGLE, /* bool */
	KEYVAL_NUMBER, /* uint64_t between min and max */
	KEYVAL_SIZE,   /* the same, in bytes, with a suffix allowed */
	KEYVAL_CHOICE, /* int: index into names */
};

struct keyval_field {
	const char *key;  /* on the command line */
	const char *json; /* in the REST API's JSON, NULL: not there */
	enum keyval_kind kind;
	size_t offset;                 /* in the section's struct */
	uint64_t min, max;             /* of numbers and sizes; max 0: no bound */
	const char *const *names;      /* of a choice, NULL at the end */
	const char *const *json_names; /* the same in JSON, NULL: as names */
	const char *help;
};

struct keyval_section {
	const char *name; /* "disk": messages say --disk */
	const struct keyval_field *fields;
	unsigned int n_fields;
	const char *bare; /* key of a first item without '=', NULL: none */
};

/*
 * keyval_parse() - fill a section's struct from text. Strings replaced are freed.
 * Return: 0, -EINVAL with the flag and key named, -ENOMEM.
 */
int keyval_parse(
	const struct keyval_section *s, void *obj, const char *text, struct err *e) MUST_CHECK;

/* keyval_free() - free the strings of a section's struct. */
void keyval_free(const struct keyval_section *s, void *obj);

/* keyval_number() - parse an integer with an optional size suffix. Return: false if it is none. */
bool keyval_number(const char *text, bool size, uint64_t *value);

#endif
