/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct tcb_info: the TCB levels of one platform family for TDX (PCS API v4, "Get TCB Info",
 * TCB Info version 3, id "TDX").
 *
 * Invariant: `levels` go from newest to oldest: by SGX components, then PCESVN, then TDX
 * components; no two are equal. Levels of a module stand in the document's order.
 */
#ifndef ATTESTATION_TCB_INFO_H
#define ATTESTATION_TCB_INFO_H

#include "attestation/tcb_status.h"
#include "base/attr.h"
#include "base/err.h"

#include <jansson.h>
#include <stdint.h>

#define TCB_COMPONENTS     16
#define TCB_LEVELS_MAX     128
#define TCB_MODULES_MAX    32
#define TCB_SVN_LEVELS_MAX 32

struct tcb_level {
	uint8_t sgx[TCB_COMPONENTS], tdx[TCB_COMPONENTS];
	uint32_t pcesvn;
	enum tcb_status status;
	const json_t *advisories; /* an array of texts in the document, or NULL */
};

/* A level of an enclave or a module, which has but one SVN. */
struct tcb_svn_level {
	uint32_t isvsvn;
	enum tcb_status status;
	const json_t *advisories;
};

struct tcb_svn_levels {
	struct tcb_svn_level at[TCB_SVN_LEVELS_MAX];
	unsigned int n;
};

struct tcb_module {
	uint8_t version; /* N of the id "TDX_N"; 0: the member tdxModule, without levels */
	uint8_t mrsigner[48];
	uint8_t attributes[8];
	struct tcb_svn_levels levels;
};

struct tcb_info {
	uint8_t fmspc[6], pceid[2]; /* as the hex reads */
	uint32_t evaluation_number;
	struct tcb_level levels[TCB_LEVELS_MAX];
	unsigned int n_levels;                          /* at least 1 */
	struct tcb_module modules[TCB_MODULES_MAX + 1]; /* the first is tdxModule */
	unsigned int n_modules;
};

/* tcb_info_parse() - read a tcbInfo object, which must outlive info. Return: 0 or -EINVAL. */
int tcb_info_parse(struct tcb_info *info, const json_t *body, struct err *e) MUST_CHECK;

/* tcb_info_module() - Return: the module of that version, NULL if there is none. */
const struct tcb_module *tcb_info_module(const struct tcb_info *info, uint8_t version);

/*
 * tcb_svn_levels_parse() - read the member "tcbLevels" of an identity.
 * @allowed: TCB_SET() of the statuses it may have
 * Return: 0 or -EINVAL.
 */
int tcb_svn_levels_parse(
	struct tcb_svn_levels *l, const json_t *o, unsigned int allowed, struct err *e) MUST_CHECK;

/* tcb_svn_levels_find() - Return: the first level that svn meets, NULL if it is below all. */
const struct tcb_svn_level *tcb_svn_levels_find(const struct tcb_svn_levels *l, uint32_t svn);

#endif
