/* SPDX-License-Identifier: Apache-2.0 */
/* `cloister verify`: its kinds, and what they share; see vmm/cli/verify.h. */
#include "vmm/cli/verify.h"

#include "base/file_map.h"
#include "base/hex.h"
#include "vmm/cli/cli.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct verify_kind {
	const char *name;
	cli_verb_fn fn;
	const char *summary;
} kinds[] = {
	{"snp-report", cli_verify_snp_report, "an attestation report of an SEV-SNP guest"},
	{"snp-certs", cli_verify_snp_certs, "the certificates of an AMD chip, without a report"},
	{"tdx-quote", cli_verify_tdx_quote, "a quote of a TDX guest, with its collateral"},
};

static void verify_help(void)
{
	puts("Usage: cloister verify KIND FLAGS\n"
	     "\n"
	     "Checks evidence from a confidential guest, offline: no network, no clock, no trust in\n"
	     "anything but --trusted-root. Prints one JSON object.\n"
	     "\n"
	     "  cloister verify snp-report --report r.bin --vek vcek.pem --chain cert_chain.pem \\\n"
	     "    --trusted-root ark.pem --at-time $(date +%s) --policy policy.json && echo yes\n");
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		printf("  %-12s %s\n", kinds[i].name, kinds[i].summary);
	puts("\n`cloister verify KIND --help` lists the flags of a kind.\n"
	     "Exit status: 0 accepted, 1 checked and refused, 2 malformed input or bad usage.");
}

int cli_verify(int argc, char **argv)
{
	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		verify_help();
		return CLI_OK;
	}
	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(argv[1], kinds[i].name))
			return kinds[i].fn(argc - 1, argv + 1);
	fputs("cloister verify: not a kind that it knows; see `cloister verify --help`\n", stderr);
	return CLI_USAGE;
}

int verify_needed(const struct verify_flag *flags, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++)
		if (!*flags[i].value)
			return err_set(e, EINVAL, "%s is needed", flags[i].name);
	return 0;
}

int verify_time(uint64_t given, bool seen, int64_t *now, struct err *e)
{
	if (!seen)
		return err_set(e, EINVAL, "--at-time is needed");
	if (given > INT64_MAX)
		return err_set(e, EINVAL, "--at-time: no such time");
	*now = (int64_t)given;
	return 0;
}

int verify_certs(struct cert_list *l, const char *path, struct err *e)
{
	cleanup_file_map struct file_map map = FILE_MAP_INIT;
	int ret = file_map_open(&map, path, e);

	if (!ret && cert_list_parse(l, file_map_bytes(&map), e))
		ret = err_context(e, "'%s'", path);
	return ret;
}

int verify_crl(struct crl *c, const char *path, struct err *e)
{
	cleanup_file_map struct file_map map = FILE_MAP_INIT;
	int ret = file_map_open(&map, path, e);

	if (!ret && crl_parse(c, file_map_bytes(&map), e))
		ret = err_context(e, "'%s'", path);
	return ret;
}

int verify_policy(struct policy *p, const char *path, enum verify_section section, struct err *e)
{
	cleanup_file_map struct file_map map = FILE_MAP_INIT;
	int ret;

	if (!path)
		return 0;
	ret = file_map_open(&map, path, e);
	if (!ret && policy_parse(p, file_map_bytes(&map), e))
		ret = err_context(e, "policy '%s'", path);
	if (!ret && !(section == VERIFY_SNP ? p->snp : p->tdx))
		ret = err_set(e, EINVAL, "policy '%s' has no section '%s'", path,
			section == VERIFY_SNP ? "snp" : "tdx");
	return ret;
}

int verify_values(json_t *section, const struct verify_flag *flags, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++)
		if (*flags[i].value &&
			json_object_set_new(section, flags[i].name, json_string(*flags[i].value)))
			return err_set(e, EINVAL, "'%s' is not hex", flags[i].name);
	return 0;
}

void verify_hex(json_t *o, const char *name, const uint8_t *value, size_t len)
{
	char text[HEX_TEXT_LEN(64)];

	if (!value || len > 64)
		return;
	hex_encode(text, value, len);
	json_object_set_new(o, name, json_string(text));
}

/* one_line() - what a message quotes from an input may hold anything. */
static void one_line(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

int verify_fail(const struct options *o, struct err *e)
{
	one_line(e->text);
	return options_fail(o, e);
}

/* explain() - one line for a person, the list for a program. Return: 0, or -errno if refused. */
static int explain(const struct verify_result *r, json_t *list, struct err *why)
{
	char line[sizeof(why->text)] = "";
	size_t at = 0;

	if (r->e->code) {
		*why = *r->e;
		one_line(why->text);
		json_array_append_new(list, json_string(why->text));
		return -why->code;
	}
	for (unsigned int i = 0; i < r->reasons->n && i < POLICY_REASONS_MAX; i++) {
		char text[sizeof(r->reasons->text[0])];

		snprintf(text, sizeof(text), "%s", r->reasons->text[i]);
		one_line(text);
		json_array_append_new(list, json_string(text));
		if (at < sizeof(line))
			at += (size_t)snprintf(
				line + at, sizeof(line) - at, "%s%s", i ? "; " : "", text);
	}
	return r->reasons->n ? err_set(why, EPERM, "%s", line) : 0;
}

int verify_print(const struct options *o, const struct verify_result *r)
{
	json_t *list = json_array();
	struct err why = ERR_INIT;
	bool refused = explain(r, list, &why) != 0;
	bool failed;

	json_object_set_new(r->result, r->key, refused ? json_string(why.text) : json_null());
	json_object_set_new(r->result, "reasons", list);
	failed = json_dumpf(r->result, stdout, JSON_COMPACT) || putchar('\n') < 0 || fflush(stdout);
	json_decref(r->result);
	if (failed) {
		err_set(&why, EIO, "stdout cannot be written");
		return options_fail(o, &why);
	}
	if (!refused)
		return CLI_OK;
	options_fail(o, &why);
	return CLI_REFUSED;
}
