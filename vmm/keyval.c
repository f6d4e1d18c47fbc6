/* SPDX-License-Identifier: Apache-2.0 */
/* The key=value grammar; see vmm/keyval.h. */
#include "vmm/keyval.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

bool keyval_number(const char *text, bool size, uint64_t *value)
{
	static const char suffixes[] = "KMGT";
	const char *suffix;
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*value = strtoull(text, &end, text[0] == '0' && text[1] == 'x' ? 16 : 10);
	if (errno || end == text)
		return false;
	suffix = size && *end ? strchr(suffixes, *end) : NULL;
	if (suffix) {
		unsigned int shift = 10 * (unsigned int)(suffix - suffixes + 1);

		if (*value > UINT64_MAX >> shift)
			return false;
		*value <<= shift;
		end++;
	}
	return *end == '\0';
}

static int keyval_set_choice(const struct keyval_field *f, int *to, const char *value, char *names,
	size_t len)
{
	names[0] = '\0';
	for (int i = 0; f->names[i]; i++) {
		size_t n = strlen(names);

		if (!strcmp(f->names[i], value)) {
			*to = i;
			return 0;
		}
		snprintf(names + n, len - n, "%s%s", i ? ", " : "", f->names[i]);
	}
	return -EINVAL;
}

static int keyval_set_number(const struct keyval_section *s, const struct keyval_field *f,
	uint64_t *to, const char *value, struct err *e)
{
	uint64_t v;

	if (!keyval_number(value, f->kind == KEYVAL_SIZE, &v))
		return err_set(e, EINVAL, "--%s: %s=%s is not a %s", s->name, f->key, value,
			f->kind == KEYVAL_SIZE ? "size such as 512M" : "number");
	if (v < f->min || (f->max && v > f->max))
		return err_set(e, EINVAL, "--%s: %s=%s is out of range (%llu to %llu)", s->name, f->key,
			value, (unsigned long long)f->min, (unsigned long long)f->max);
	*to = v;
	return 0;
}

static int keyval_set_string(char **to, const char *value, struct err *e)
{
	size_t n = strlen(value);
	char *copy;

	if (n >= 2 && value[0] == '"' && value[n - 1] == '"')
		copy = strndup(value + 1, n - 2);
	else
		copy = strdup(value);
	if (!copy)
		return err_sys(e, ENOMEM, "options");
	free(*to);
	*to = copy;
	return 0;
}

static int keyval_set(const struct keyval_section *s, const struct keyval_field *f, void *obj,
	const char *value, struct err *e)
{
	void *to = (char *)obj + f->offset;
	char names[256];

	switch (f->kind) {
	case KEYVAL_STRING:
		return keyval_set_string(to, value, e);
	case KEYVAL_TOGGLE:
		if (!strcmp(value, "on") || !strcmp(value, "true"))
			*(bool *)to = true;
		else if (!strcmp(value, "off") || !strcmp(value, "false") || !*value)
			*(bool *)to = false;
		else
			return err_set(e, EINVAL, "--%s: %s=%s is neither on nor off", s->name, f->key,
				value);
		return 0;
	case KEYVAL_CHOICE:
		if (keyval_set_choice(f, to, value, names, sizeof(names)))
			return err_set(e, EINVAL, "--%s: %s '%s' is none of: %s", s->name, f->key, value,
				names);
		return 0;
	default:
		return keyval_set_number(s, f, to, value, e);
	}
}

static int keyval_find(const struct keyval_section *s, const char *key)
{
	for (unsigned int i = 0; i < s->n_fields; i++)
		if (!strcmp(s->fields[i].key, key))
			return (int)i;
	return -1;
}

/* keyval_cut() - end the item at `at` and find the next one. Return: it, or NULL */
static char *keyval_cut(char *at)
{
	bool quoted = false;
	int depth = 0;

	for (; *at; at++) {
		if (*at == '"')
			quoted = !quoted;
		else if (!quoted && *at == '[')
			depth++;
		else if (!quoted && *at == ']')
			depth--;
		else if (*at == ',' && !quoted && depth <= 0) {
			*at = '\0';
			return at + 1;
		}
	}
	return NULL;
}

/* keyval_item() - one `key=value`; `seen` has a bit per field */
static int keyval_item(const struct keyval_section *s, void *obj, char *item, uint64_t *seen,
	struct err *e)
{
	char *eq = strchr(item, '=');
	const char *key = item, *value = eq ? eq + 1 : "";
	int i;

	if (eq)
		*eq = '\0';
	else if (!*seen && s->bare)
		key = s->bare, value = item;
	i = keyval_find(s, key);
	if (i < 0 || (!eq && key == item && s->fields[i].kind != KEYVAL_TOGGLE))
		return err_set(e, EINVAL, i < 0 ? "--%s: unknown key '%s'" : "--%s: key '%s' needs a value",
			s->name, key);
	if (*seen & UINT64_C(1) << i)
		return err_set(e, EINVAL, "--%s: key '%s' is given twice", s->name, key);
	*seen |= UINT64_C(1) << i;
	return keyval_set(s, &s->fields[i], obj, value, e);
}

int keyval_parse(const struct keyval_section *s, void *obj, const char *text, struct err *e)
{
	cleanup_free char *copy = strdup(text);
	uint64_t seen = 0;
	int rc = 0;

	if (!copy)
		return err_sys(e, ENOMEM, "options");
	if (!*copy)
		return err_set(e, EINVAL, "--%s: needs a value", s->name);
	for (char *item = copy, *next; item && !rc; item = next) {
		next = keyval_cut(item);
		rc = keyval_item(s, obj, item, &seen, e);
	}
	return rc;
}

void keyval_free(const struct keyval_section *s, void *obj)
{
	for (unsigned int i = 0; i < s->n_fields; i++)
		if (s->fields[i].kind == KEYVAL_STRING) {
			char **text = (char **)(void *)((char *)obj + s->fields[i].offset);

			free(*text);
			*text = NULL;
		}
}
