/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `cloister verify snp-report`, `snp-certs` and `tdx-quote` share: reading inputs by name and
 * printing a verdict. An input that cannot be read is malformed (CLI_USAGE, nothing on stdout);
 * one that can be read and is not accepted is refused (CLI_REFUSED, with a verdict on stdout).
 */
#ifndef VMM_CLI_VERIFY_H
#define VMM_CLI_VERIFY_H

#include "attestation/cert_list.h"
#include "attestation/crl.h"
#include "attestation/policy.h"
#include "vmm/cli/options.h"

#include <jansson.h>

/* A flag that must be given, or a policy value: its name and what was given, NULL for nothing. */
struct verify_flag {
	const char *name;
	const char *const *value;
};

/* Rows of a flag that names a file, and of one with an expected value in hex. */
#define VERIFY_FILE(flag, dest, what)                                                              \
	{                                                                                          \
		flag, OPTION_TEXT, dest, .value = "FILE", .help = what                             \
	}
#define VERIFY_HEX(flag, dest, what)                                                               \
	{                                                                                          \
		flag, OPTION_TEXT, dest, .value = "HEX", .help = what                              \
	}

/* verify_needed() - Return: 0, or -EINVAL if one of n flags is not given. */
int verify_needed(const struct verify_flag *flags, size_t n, struct err *e) MUST_CHECK;

/* verify_time() - a number of --at-time as seconds since 1970. Return: 0 or -EINVAL. */
int verify_time(uint64_t given, bool seen, int64_t *now, struct err *e) MUST_CHECK;

/* verify_certs() - read certificates from a file. Return: 0 or a negative errno. */
int verify_certs(struct cert_list *l, const char *path, struct err *e) MUST_CHECK;

/* verify_crl() - read a revocation list from a file. Return: 0 or a negative errno. */
int verify_crl(struct crl *c, const char *path, struct err *e) MUST_CHECK;

enum verify_section { VERIFY_SNP, VERIFY_TDX };

/*
 * verify_policy() - read a policy file, which must have the section; path NULL: none.
 * Return: 0 or a negative errno.
 */
int verify_policy(
	struct policy *p, const char *path, enum verify_section section, struct err *e) MUST_CHECK;

/*
 * verify_values() - put the flags that were given into a policy section, under their names.
 * Return: 0 or -EINVAL for a value that is no text.
 */
int verify_values(
	json_t *section, const struct verify_flag *flags, size_t n, struct err *e) MUST_CHECK;

/* verify_hex() - set a member to len bytes in hex; NULL leaves it out. */
void verify_hex(json_t *o, const char *name, const uint8_t *value, size_t len);

/* verify_fail() - as options_fail(), with one line whatever the message holds. */
int verify_fail(const struct options *o, struct err *e);

/* What is printed; result is freed by verify_print(). */
struct verify_result {
	json_t *result;                       /* the object but for the members below */
	const char *key;                      /* "reason" or "error" */
	const struct err *e;                  /* why it is not genuine; code 0 if it is */
	const struct policy_reasons *reasons; /* why a genuine one is not accepted */
};

/* verify_print() - Return: CLI_OK, CLI_REFUSED, or CLI_USAGE if stdout cannot take it. */
int verify_print(const struct options *o, const struct verify_result *r);

int cli_verify_snp_report(int argc, char **argv);
int cli_verify_snp_certs(int argc, char **argv);
int cli_verify_tdx_quote(int argc, char **argv);

#endif
