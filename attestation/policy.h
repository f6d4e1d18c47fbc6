/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct policy: what a relying party expects of a guest, as JSON (docs/verify-policy.md), and the
 * reasons why a guest does not meet it.
 *
 * Invariant: fail closed. A key that is unknown, of a wrong type or given twice makes the whole
 * policy an error; a guest of a kind that the policy has no section for is an error too.
 */
#ifndef ATTESTATION_POLICY_H
#define ATTESTATION_POLICY_H

#include "base/attr.h"
#include "base/bytes.h"
#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>

struct policy {
	json_t *snp, *tdx; /* sections that were checked; NULL if absent */
};

#define POLICY_INIT                                                                                \
	{                                                                                          \
		.snp = NULL                                                                        \
	}

/* policy_parse() - read a policy file. Return: 0 or -EINVAL. */
int policy_parse(struct policy *p, struct bytes text, struct err *e) MUST_CHECK;

/* policy_fini() - free it; allowed on POLICY_INIT and twice. */
void policy_fini(struct policy *p);
#define cleanup_policy CLEANUP(policy_fini)

#define POLICY_REASONS_MAX 16 /* further ones are counted only */

struct policy_reasons {
	unsigned int n; /* may exceed POLICY_REASONS_MAX */
	char text[POLICY_REASONS_MAX][192];
};

/* policy_refuse() - add a reason, one line. */
void policy_refuse(struct policy_reasons *r, const char *fmt, ...) PRINTF_LIKE(2, 3);

enum policy_kind {
	POLICY_HEX,  /* hex of `size` bytes, or a list of such: one of them must be equal */
	POLICY_UINT, /* a number up to `size` */
	POLICY_BOOL,
	POLICY_TEXTS, /* a list of texts that `check` accepts */
	POLICY_OTHER, /* anything that `check` accepts */
};

/* One key that a section may have. */
struct policy_key {
	const char *name;
	enum policy_kind kind;
	uint32_t size;
	int (*check)(const json_t *value, struct err *e); /* per text, or of the value */
};

/* policy_check_keys() - every member of a section is one of its n keys. Return: 0 or -EINVAL. */
int policy_check_keys(
	const json_t *section, const struct policy_key *keys, size_t n, struct err *e) MUST_CHECK;

/*
 * policy_match() - compare a value with the section's POLICY_HEX member of that name, if any.
 * @value: NULL if the guest has none, which does not match
 */
void policy_match(const json_t *section, const char *name, const uint8_t *value, size_t len,
	struct policy_reasons *r);

/* policy_flag() - Return: a POLICY_BOOL member, or what it is when absent. */
bool policy_flag(const json_t *section, const char *name, bool absent);

/* policy_has_text() - Return: true if the POLICY_TEXTS member of that name holds text. */
bool policy_has_text(const json_t *section, const char *name, const char *text);

#endif
