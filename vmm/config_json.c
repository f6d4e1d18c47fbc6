/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON of vm.create; see vmm/config_json.h. */
#include "vmm/config_json.h"

#include "vmm/config.h"
#include "vmm/config_list.h"
#include "vmm/config_rows.h"
#include "vmm/hv/vm_type.h"
#include "vmm/keyval.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define PATH_MAX_LEN 128

/* section_of() - the section of a list's elements */
static const struct config_rows *section_of(const struct config_list *l)
{
	if (!strcmp(l->kind, "fs"))
		return &config_rows_fs;
	return strcmp(l->kind, "net") ? &config_rows_disk : &config_rows_net;
}

const struct config_rows *config_json_rows(const struct config_list *l)
{
	return section_of(l);
}

/* --- fields: the tables of config.c --- */

static const char *const *names_of(const struct keyval_field *f)
{
	return f->json_names ? f->json_names : f->names;
}

static int set_string(const char *path, char **to, const json_t *v, struct err *e)
{
	char *copy;

	if (!json_is_string(v))
		return err_set(e, EINVAL, "%s: must be a string", path);
	copy = strdup(json_string_value(v));
	if (!copy)
		return err_sys(e, ENOMEM, "%s", path);
	free(*to);
	*to = copy;
	return 0;
}

static int set_number(const char *path, const struct keyval_field *f, uint64_t *to, const json_t *v,
	struct err *e)
{
	json_int_t n = json_integer_value(v);

	if (!json_is_integer(v))
		return err_set(e, EINVAL, "%s: must be an integer", path);
	if (n < 0 || (uint64_t)n < f->min || (f->max && (uint64_t)n > f->max))
		return err_set(e, EINVAL, "%s: %lld is out of range (%llu to %llu)", path,
			(long long)n, (unsigned long long)f->min, (unsigned long long)f->max);
	*to = (uint64_t)n;
	return 0;
}

static int set_choice(
	const char *path, const struct keyval_field *f, int *to, const json_t *v, struct err *e)
{
	const char *const *names = names_of(f);
	char list[128] = "";

	for (int i = 0; names[i]; i++) {
		size_t n = strlen(list);

		if (json_is_string(v) && !strcasecmp(json_string_value(v), names[i])) {
			*to = i;
			return 0;
		}
		snprintf(list + n, sizeof(list) - n, "%s%s", i ? ", " : "", names[i]);
	}
	return err_set(e, EINVAL, "%s: must be one of: %s", path, list);
}

static int set_field(
	const char *path, const struct keyval_field *f, void *obj, const json_t *v, struct err *e)
{
	void *to = (char *)obj + f->offset;

	switch (f->kind) {
	case KEYVAL_STRING:
		return set_string(path, to, v, e);
	case KEYVAL_TOGGLE:
		if (!json_is_boolean(v))
			return err_set(e, EINVAL, "%s: must be true or false", path);
		*(bool *)to = json_is_true(v);
		return 0;
	case KEYVAL_CHOICE:
		return set_choice(path, f, to, v, e);
	default:
		return set_number(path, f, to, v, e);
	}
}

static json_t *echo_field(const struct keyval_field *f, const void *obj)
{
	const void *at = (const char *)obj + f->offset;

	switch (f->kind) {
	case KEYVAL_STRING:
		return *(char *const *)at ? json_string(*(char *const *)at) : NULL;
	case KEYVAL_TOGGLE:
		return json_boolean(*(const bool *)at);
	case KEYVAL_CHOICE:
		return json_string(names_of(f)[*(const int *)at]);
	default:
		return json_integer((json_int_t) * (const uint64_t *)at);
	}
}

static const struct keyval_field *find_field(const struct config_rows *s, const char *key)
{
	const struct keyval_section *table = s->keyval ? config_section(s->keyval) : NULL;

	for (unsigned int i = 0; table && i < table->n_fields; i++)
		if (table->fields[i].json && !strcmp(table->fields[i].json, key))
			return &table->fields[i];
	return NULL;
}

/* --- rows: what stands for nothing of ours --- */

static const struct config_row *find_row(const struct config_rows *s, const char *key)
{
	for (unsigned int i = 0; i < s->n_rows; i++)
		if (!strcmp(s->rows[i].key, key))
			return &s->rows[i];
	return NULL;
}

/* listed() - is v one of the values of a JSON list? *n becomes the list's length */
static bool listed(const char *list, const json_t *v, size_t *n)
{
	json_t *values = json_loads(list, 0, NULL), *one;
	bool found = false;
	size_t i;

	*n = json_array_size(values);
	json_array_foreach(values, i, one) found |= json_equal(one, v);
	json_decref(values);
	return found;
}

static int check_row(const char *path, const struct config_row *r, const json_t *v, struct err *e)
{
	size_t n = 0;

	if (!strcmp(r->accept, "bool"))
		return json_is_boolean(v) ? 0
					  : err_set(e, EINVAL, "%s: must be true or false", path);
	if (!strcmp(r->accept, "string"))
		return json_is_string(v) ? 0 : err_set(e, EINVAL, "%s: must be a string", path);
	if (!strcmp(r->accept, "int"))
		return json_is_integer(v) && json_integer_value(v) >= 0
			? 0
			: err_set(e, EINVAL, "%s: must be an integer from 0 up", path);
	if (!strcmp(r->accept, CONFIG_ROW_FDS))
		return json_is_array(v) ? 0 : err_set(e, EINVAL, "%s: must be a list", path);
	if (listed(r->accept, v, &n))
		return 0;
	if (!n || !strcmp(r->accept, "[[]]"))
		return err_set(e, EINVAL, "%s: is not supported yet", path);
	return err_set(e, EINVAL, "%s: this value is not supported; one of %s is", path, r->accept);
}

/* --- sections --- */

/* A section, and where it stands in the body; "" for the body itself. */
struct place {
	const struct config_rows *section;
	char path[PATH_MAX_LEN];
};

static void place_below(struct place *p, const struct place *above, const char *key,
	const struct config_rows *section)
{
	p->section = section;
	snprintf(p->path, sizeof(p->path), "%.80s%s%.40s", above->path, *above->path ? "." : "",
		key);
}

static int read_section(const struct place *at, void *obj, json_t *body, struct err *e);

static int read_key(const struct place *at, const char *key, void *obj, json_t *v, struct err *e)
{
	const struct keyval_field *field = find_field(at->section, key);
	const struct config_row *row = find_row(at->section, key);
	struct place below;

	place_below(&below, at, key, row ? row->sub : NULL);
	if (field)
		return set_field(below.path, field, obj, v, e);
	if (row && row->sub)
		return read_section(&below, obj, v, e);
	if (row)
		return check_row(below.path, row, v, e);
	if (at->section->strict)
		return err_set(e, EINVAL, "%s: unknown key", below.path);
	return 0;
}

static int read_section(const struct place *at, void *obj, json_t *body, struct err *e)
{
	const char *key;
	json_t *v;
	int rc = 0;

	if (!json_is_object(body))
		return err_set(
			e, EINVAL, "%s: must be an object", *at->path ? at->path : "the body");
	json_object_foreach(body, key, v)
	{
		rc = json_is_null(v) ? 0 : read_key(at, key, obj, v, e);
		if (rc)
			break;
	}
	return rc;
}

/* echo_section() - every field and row as it is now; given: what the client sent, may be NULL */
static json_t *echo_section(const struct config_rows *s, const void *obj, const json_t *given)
{
	const struct keyval_section *table = s->keyval ? config_section(s->keyval) : NULL;
	json_t *o = json_object();

	for (unsigned int i = 0; table && i < table->n_fields; i++) {
		json_t *v = table->fields[i].json ? echo_field(&table->fields[i], obj) : NULL;

		if (v)
			json_object_set_new(o, table->fields[i].json, v);
	}
	for (unsigned int i = 0; i < s->n_rows; i++) {
		const struct config_row *r = &s->rows[i];
		json_t *v = json_object_get(given, r->key);

		if (json_is_null(v) || (r->accept && !strcmp(r->accept, CONFIG_ROW_FDS)))
			v = NULL;
		if (r->sub && (v || !r->sub->absent))
			json_object_set_new(o, r->key, echo_section(r->sub, obj, v));
		else if (v)
			json_object_set(o, r->key, v);
		else if (r->fallback && !json_object_get(o, r->key))
			json_object_set_new(
				o, r->key, json_loads(r->fallback, JSON_DECODE_ANY, NULL));
	}
	return o;
}

/* --- lists of devices --- */

/* One element to be read. */
struct element {
	json_t *body;
	const char *path; /* for messages */
	size_t n_fds;     /* descriptors that came for it, 0: as many as the body speaks of */
};

/* read_element() - append one; an id that it has not is given */
static int read_element(
	struct vm_config *c, const struct config_list *l, const struct element *from, struct err *e)
{
	size_t spoken_of = json_array_size(json_object_get(from->body, "fds"));
	struct place at = {.section = section_of(l)};
	void *to;
	int rc = l->add(c, e);

	if (rc)
		return rc;
	to = config_list_at(l, c, config_list_count(l, c) - 1);
	snprintf(at.path, sizeof(at.path), "%s", from->path);
	rc = read_section(&at, to, from->body, e);
	if (!rc)
		rc = l->await(to, from->n_fds ? from->n_fds : spoken_of, e);
	return rc ? rc : config_list_name(l, c, from->path, e);
}

static int read_list(
	struct vm_config *c, const struct config_list *l, const json_t *list, struct err *e)
{
	int rc = 0;

	if (list && !json_is_null(list) && !json_is_array(list))
		return err_set(e, EINVAL, "%s: must be a list", l->json);
	for (unsigned int i = 0; i < json_array_size(list) && !rc; i++) {
		char path[24];

		snprintf(path, sizeof(path), "%s[%u]", l->json, i);
		rc = read_element(c, l, &(struct element){json_array_get(list, i), path, 0}, e);
	}
	return rc;
}

static int read_lists(struct vm_config *c, const json_t *body, struct err *e)
{
	const struct config_list *l;
	int rc = 0;

	for (unsigned int i = 0; (l = config_list_of(i)) && !rc; i++)
		rc = read_list(c, l, json_object_get(body, l->json), e);
	return rc;
}

static void echo_lists(struct vm_config *c, json_t *echo, const json_t *body)
{
	const struct config_list *l;

	for (unsigned int n = 0; (l = config_list_of(n)); n++) {
		const json_t *given = json_object_get(body, l->json);
		json_t *list = json_array();

		for (unsigned int i = 0; i < config_list_count(l, c); i++)
			json_array_append_new(list,
				echo_section(section_of(l), config_list_at(l, c, i),
					json_array_get(given, i)));
		json_object_set_new(echo, l->json, list);
	}
}

/* --- the whole --- */

/* read_technology() - platform.tdx and .sev_snp ask for a level, as `confidential` does */
static int read_technology(struct vm_config *c, const json_t *body, struct err *e)
{
	const json_t *p = json_object_get(body, "platform");
	const json_t *level = json_object_get(json_object_get(body, "confidential"), "level");
	bool tdx = json_is_true(json_object_get(p, "tdx"));
	bool snp = json_is_true(json_object_get(p, "sev_snp"));
	int want = (tdx ? LEVEL_TDX : LEVEL_SNP) + 1;

	if (tdx && snp)
		return err_set(e, EINVAL, "platform: tdx and sev_snp are both true");
	if (!tdx && !snp)
		return 0;
	if (json_is_string(level) && c->confidential.level != want)
		return err_set(e, EINVAL, "platform.%s: confidential.level says something else",
			tdx ? "tdx" : "sev_snp");
	c->confidential.level = want;
	return 0;
}

/* read_defaults() - where cloud-hypervisor's differ from the command line's */
static int read_defaults(struct vm_config *c, struct err *e)
{
	config_init(c);
	c->serial.mode = STREAM_NULL;
	c->console.mode = STREAM_TTY;
	c->confidential.level = LEVEL_OFF + 1;
	c->rng.src = strdup("/dev/urandom");
	return c->rng.src ? 0 : err_sys(e, ENOMEM, "config");
}

static int read_body(struct vm_config *c, json_t *body, struct err *e)
{
	const struct place whole = {.section = &config_rows_top};
	int rc = read_defaults(c, e);

	if (!rc)
		rc = read_section(&whole, c, body, e);
	if (!rc)
		rc = read_lists(c, body, e);
	if (!rc)
		rc = read_technology(c, body, e);
	if (rc)
		return rc;
	if (!c->cpus.max)
		c->cpus.max = c->cpus.boot;
	rc = config_check(c, e);
	return rc ? config_json_path(e) : 0;
}

int config_json_read(
	struct vm_config *c, json_t **echo, const char *text, size_t len, struct err *e)
{
	json_error_t at;
	json_t *body = json_loadb(text, len, JSON_REJECT_DUPLICATES, &at);
	int rc;

	*echo = NULL;
	if (!body)
		return err_set(e, EINVAL, "the body is not JSON: line %d: %s", at.line, at.text);
	rc = read_body(c, body, e);
	if (rc) {
		config_fini(c);
	} else {
		*echo = echo_section(&config_rows_top, c, body);
		echo_lists(c, *echo, body);
	}
	json_decref(body);
	return rc;
}

/* vsock_id() - its name in the report and the API */
static const char *vsock_id(const struct vm_config *c)
{
	return c->vsock.id ? c->vsock.id : "vsock0";
}

static void drop_vsock(struct vm_config *c, json_t *echo)
{
	keyval_free(config_section("vsock"), c);
	c->vsock = (struct vsock_config){0};
	json_object_del(echo, "vsock");
}

/* add_vsock() - there is one at most, so it is no list */
static int add_vsock(struct vm_config *c, json_t *echo, json_t *body, struct err *e)
{
	const struct place at = {.section = &config_rows_vsock, .path = "vsock"};
	int rc;

	if (c->vsock.socket)
		return err_set(e, EINVAL, "vsock: there is one already");
	rc = read_section(&at, c, body, e);
	if (!rc && !c->vsock.socket)
		rc = err_set(e, EINVAL, "vsock.socket: is missing");
	if (!rc && config_check(c, e))
		rc = config_json_path(e);
	if (rc)
		drop_vsock(c, echo);
	else
		json_object_set_new(echo, "vsock", echo_section(&config_rows_vsock, c, body));
	return rc;
}

static int add_element(struct vm_config *c, json_t *echo, const struct config_text *text,
	json_t *body, struct err *e)
{
	const struct config_list *l = config_list_find(text->kind);
	unsigned int n;
	int rc;

	if (!l)
		return add_vsock(c, echo, body, e);
	n = config_list_count(l, c);
	rc = read_element(c, l, &(struct element){body, l->kind, text->n_fds}, e);
	if (!rc && config_check(c, e))
		rc = config_json_path(e);
	if (!rc)
		json_array_append_new(json_object_get(echo, l->json),
			echo_section(section_of(l), config_list_at(l, c, n), body));
	else if (config_list_count(l, c) > n)
		l->remove(c, n);
	return rc;
}

int config_json_add(
	struct vm_config *c, json_t *echo, const struct config_text *text, struct err *e)
{
	json_error_t at;
	json_t *body = json_loadb(text->text, text->len, JSON_REJECT_DUPLICATES, &at);
	int rc;

	if (!body)
		return err_set(e, EINVAL, "the body is not JSON: line %d: %s", at.line, at.text);
	rc = add_element(c, echo, text, body, e);
	json_decref(body);
	return rc;
}

const char *config_json_last_id(const struct vm_config *c, const char *kind)
{
	const struct config_list *l = config_list_find(kind);

	return l ? config_list_id(l, c, config_list_count(l, c) - 1) : vsock_id(c);
}

int config_json_of_flag(json_t **out, const char *flag, const char *value, struct err *e)
{
	const struct config_list *l = config_list_find(flag);
	struct vm_config c;
	int rc;

	config_init(&c);
	rc = config_flag(&c, flag, value, e);
	*out = rc   ? NULL
		: l ? echo_section(section_of(l), config_list_at(l, &c, 0), NULL)
		    : echo_section(&config_rows_vsock, &c, NULL);
	config_fini(&c);
	return rc;
}

int config_json_remove(struct vm_config *c, json_t *echo, const char *id)
{
	unsigned int i;
	const struct config_list *l = config_list_search(c, id, &i);

	if (!l && c->vsock.socket && !strcmp(id, vsock_id(c))) {
		drop_vsock(c, echo);
		return 0;
	}
	if (!l)
		return -ENOENT;
	l->remove(c, i);
	json_array_remove(json_object_get(echo, l->json), i);
	return 0;
}

int config_json_path(struct err *e)
{
	static const struct {
		const char *flag, *path;
	} paths[] = {
		{"kernel", "payload.kernel"},
		{"initramfs", "payload.initramfs"},
		{"cmdline", "payload.cmdline"},
		{"firmware", "payload.firmware"},
		{"host-data", "payload.host_data"},
		{"mrconfigid", "payload.mrconfigid"},
		{"disk", "disks"},
		{"confidential", "confidential.level"},
		{"require", "confidential.require"},
	};
	size_t n = strcspn(e->text, ":");
	char name[32];
	struct err was = *e;

	if (strncmp(e->text, "--", 2) || n - 2 >= sizeof(name))
		return -e->code;
	snprintf(name, sizeof(name), "%.*s", (int)(n - 2), e->text + 2);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (!strcmp(name, paths[i].flag))
			return err_set(e, was.code, "%s%s", paths[i].path, was.text + n);
	return err_set(e, was.code, "%s", was.text + 2);
}
