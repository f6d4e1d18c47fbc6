/* SPDX-License-Identifier: Apache-2.0 */
/* JSON schemas from the tables of fields and rows; see tests/unit/vmm/schema.h. */
#include "tests/unit/vmm/schema.h"

#include "vmm/config.h"
#include "vmm/config_json.h"
#include "vmm/config_list.h"
#include "vmm/config_rows.h"
#include "vmm/keyval.h"

#include <ctype.h>
#include <string.h>

#define EVERY "nullable: true" /* null is the same as no key, everywhere */

static void print_names(FILE *f, const struct keyval_field *field)
{
	const char *const *names = field->json_names ? field->json_names : field->names;

	fprintf(f, "type: string, enum: [");
	for (int i = 0; names[i]; i++)
		fprintf(f, "\"%s\", ", names[i]);
	fprintf(f, "null]");
}

static void print_field(FILE *f, const struct keyval_field *field, int indent)
{
	fprintf(f, "%*s%s: {", indent, "", field->json);
	switch (field->kind) {
	case KEYVAL_STRING:
		fprintf(f, "type: string");
		break;
	case KEYVAL_TOGGLE:
		fprintf(f, "type: boolean");
		break;
	case KEYVAL_CHOICE:
		print_names(f, field);
		break;
	default:
		fprintf(f, "type: integer, minimum: %llu", (unsigned long long)field->min);
		if (field->max)
			fprintf(f, ", maximum: %llu", (unsigned long long)field->max);
	}
	fprintf(f, ", " EVERY);
	if (field->help)
		fprintf(f, ", description: \"%s\"", field->help);
	fprintf(f, "}\n");
}

/* print_accept() - what a row takes; lists of values are JSON, which is YAML, too */
static void print_accept(FILE *f, const char *accept)
{
	static const struct {
		const char *accept, *schema;
	} kinds[] = {
		{"bool", "type: boolean"},
		{"int", "type: integer, minimum: 0"},
		{"string", "type: string"},
		{CONFIG_ROW_FDS, "type: array, items: {type: integer}"},
		{"[[]]", "type: array, items: {}, maxItems: 0"},
		{"[]", "enum: [null]"},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(accept, kinds[i].accept)) {
			fprintf(f, "%s", kinds[i].schema);
			return;
		}
	fprintf(f, "enum: %.*s, null]", (int)strlen(accept) - 1, accept);
}

static void print_section(FILE *f, const struct config_rows *s, int indent);

static void print_object(FILE *f, const char *name, const struct config_rows *s, int indent)
{
	fprintf(f, "%*s%s:\n", indent, "", name);
	fprintf(f, "%*stype: object\n%*s" EVERY "\n", indent + 2, "", indent + 2, "");
	print_section(f, s, indent + 2);
}

/* print_section() - all but the kind of object */
static void print_section(FILE *f, const struct config_rows *s, int indent)
{
	const struct keyval_section *table = s->keyval ? config_section(s->keyval) : NULL;

	if (s->strict)
		fprintf(f, "%*sadditionalProperties: false\n", indent, "");
	fprintf(f, "%*sproperties:\n", indent, "");
	for (unsigned int i = 0; table && i < table->n_fields; i++)
		if (table->fields[i].json)
			print_field(f, &table->fields[i], indent + 2);
	for (unsigned int i = 0; i < s->n_rows; i++) {
		if (s->rows[i].sub) {
			print_object(f, s->rows[i].key, s->rows[i].sub, indent + 2);
			continue;
		}
		fprintf(f, "%*s%s: {", indent + 2, "", s->rows[i].key);
		print_accept(f, s->rows[i].accept);
		fprintf(f, ", " EVERY "}\n");
	}
}

/* print_name() - "disk" is DiskConfig */
static void print_name(FILE *f, const char *kind)
{
	fprintf(f, "%c%sConfig", toupper(*kind), kind + 1);
}

static void print_element(FILE *f, const char *kind, const struct config_rows *s)
{
	fprintf(f, "    ");
	print_name(f, kind);
	fprintf(f, ":\n      type: object\n");
	print_section(f, s, 6);
}

void schema_print(FILE *f)
{
	const struct config_list *l;

	fprintf(f, SCHEMA_BEGIN);
	for (unsigned int i = 0; (l = config_list_of(i)); i++)
		print_element(f, l->kind, config_json_rows(l));
	print_element(f, "vsock", &config_rows_vsock);
	fprintf(f, "    VmConfig:\n      type: object\n      required: [payload]\n");
	print_section(f, &config_rows_top, 6);
	for (unsigned int i = 0; (l = config_list_of(i)); i++) {
		fprintf(f,
			"        %s: {type: array, " EVERY
			", items: {$ref: \"#/components/schemas/",
			l->json);
		print_name(f, l->kind);
		fprintf(f, "\"}}\n");
	}
	fprintf(f, SCHEMA_END);
}
