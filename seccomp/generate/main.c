/* SPDX-License-Identifier: Apache-2.0 */
/*
 * At build time: compiles the table of filter.c with libseccomp, and writes the filters and the
 * names of system calls as C. So a running program neither needs the library nor depends on how it
 * behaves when memory is short.
 *
 * Usage: filter-generator FILE
 */
#include "seccomp/filter.h"

#include <errno.h>
#include <linux/filter.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>

/* generate_rules() - the rows of a role, in libseccomp's hands. Return: NULL if it failed */
static scmp_filter_ctx generate_rules(enum filter_role role)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	const struct filter_row *row;
	int rc = ctx ? 0 : -ENOMEM;

	for (size_t i = 0; !rc && (row = filter_row(i)); i++) {
		struct scmp_arg_cmp test = {
			.arg = row->arg,
			.op = SCMP_CMP_MASKED_EQ,
			.datum_a = row->mask,
			.datum_b = row->value,
		};

		if (filter_applies(row, role))
			rc = seccomp_rule_add_array(ctx,
				row->refuse ? SCMP_ACT_ERRNO((uint32_t)row->refuse)
					    : SCMP_ACT_ALLOW,
				row->call, row->mask ? 1 : 0, &test);
	}
	/* A vCPU's ioctl is the hottest call of all; a tree finds it fast, a list might not. */
	if (!rc)
		rc = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (!rc)
		return ctx;
	fprintf(stderr, "role %s: error %d\n", filter_role_name(role), -rc);
	return NULL;
}

static int generate_code(FILE *out, enum filter_role role)
{
	scmp_filter_ctx ctx = generate_rules(role);
	FILE *tmp = ctx ? tmpfile() : NULL;
	struct sock_filter f;

	if (!tmp || seccomp_export_bpf(ctx, fileno(tmp)))
		return -1;
	rewind(tmp);
	fprintf(out, "static const struct sock_filter code_%d[] = {\n", (int)role);
	while (fread(&f, sizeof(f), 1, tmp) == 1)
		fprintf(out, "\t{%#x, %u, %u, %#x},\n", f.code, f.jt, f.jf, f.k);
	fprintf(out, "};\n\n");
	fclose(tmp);
	seccomp_release(ctx);
	return 0;
}

static void generate_names(FILE *out)
{
	const struct filter_row *row;

	fprintf(out, "const char *const filter_call_names[] = {\n");
	for (size_t i = 0; (row = filter_row(i)); i++) {
		char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, row->call);

		fprintf(out, "\t\"%s\",\n", name ? name : "?");
		free(name);
	}
	fprintf(out, "};\n");
}

int main(int argc, char **argv)
{
	FILE *out = argc == 2 ? fopen(argv[1], "we") : NULL;

	if (!out)
		return 1;
	fprintf(out,
		"/* Made by seccomp/generate/main.c. */\n#include \"seccomp/program_code.h\"\n\n");
	for (enum filter_role role = 0; role < FILTER_ROLES; role++)
		if (generate_code(out, role))
			return 1;
	fprintf(out, "const struct program_code program_codes[FILTER_ROLES] = {\n");
	for (enum filter_role role = 0; role < FILTER_ROLES; role++)
		fprintf(out, "\t{code_%d, sizeof(code_%d) / sizeof(*code_%d)},\n", (int)role,
			(int)role, (int)role);
	fprintf(out, "};\n\n");
	generate_names(out);
	return fclose(out) ? 1 : 0;
}
