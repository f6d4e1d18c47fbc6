/* SPDX-License-Identifier: Apache-2.0 */
/* Product lines; see attestation/snp_product.h. */
#include "attestation/snp_product.h"

#include "base/attr.h"

#include <string.h>

/* 56860, "TCB_VERSION"; 57230, "VCEK certificate extensions": 3.1 bl, .2 tee, .3 snp, .8 ucode,
 * .9 fmc, and .4 to .7 for the reserved bytes in their order */
#define BEFORE_TURIN(line)                                                                         \
	{                                                                                          \
		.name = line, .hwid_len = 64, .tcb_ext = {1, 2, 4, 5, 6, 7, 3, 8}, .spl_byte = {   \
			[SNP_SPL_FMC] = -1,                                                        \
			[SNP_SPL_BL] = 0,                                                          \
			[SNP_SPL_TEE] = 1,                                                         \
			[SNP_SPL_SNP] = 6,                                                         \
			[SNP_SPL_UCODE] = 7                                                        \
		}                                                                                  \
	}

static const struct snp_product milan = BEFORE_TURIN("Milan");
static const struct snp_product genoa = BEFORE_TURIN("Genoa");
static const struct snp_product turin = {
	.name = "Turin",
	.hwid_len = 8,
	.tcb_ext = {9, 1, 2, 3, 5, 6, 7, 8},
	.spl_byte = {[SNP_SPL_FMC] = 0,
		[SNP_SPL_BL] = 1,
		[SNP_SPL_TEE] = 2,
		[SNP_SPL_SNP] = 3,
		[SNP_SPL_UCODE] = 7},
};

static const struct {
	const char *name;
	const struct snp_product *line;
} names[] = {
	{"Milan", &milan},
	{"Genoa", &genoa},
	{"Siena", &genoa}, /* Siena and Bergamo are certified by Genoa's ARK */
	{"Bergamo", &genoa},
	{"Turin", &turin},
};

static const struct {
	uint8_t family, first_model, last_model;
	const struct snp_product *line;
} cpus[] = {
	{0x19, 0x00, 0x0f, &milan},
	{0x19, 0x10, 0x1f, &genoa},
	{0x19, 0xa0, 0xaf, &genoa},
	{0x1a, 0x00, 0x1f, &turin},
};

const char *snp_spl_name(enum snp_spl spl)
{
	static const char *const text[SNP_SPL_NUM] = {"fmc", "bl", "tee", "snp", "ucode"};

	return text[spl];
}

const struct snp_product *snp_product_by_cpuid(uint8_t family, uint8_t model)
{
	for (size_t i = 0; i < ARRAY_SIZE(cpus); i++)
		if (cpus[i].family == family && model >= cpus[i].first_model &&
			model <= cpus[i].last_model)
			return cpus[i].line;
	return NULL;
}

const struct snp_product *snp_product_by_name(const char *name)
{
	size_t len = strcspn(name, "-");

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strlen(names[i].name) == len && !memcmp(names[i].name, name, len))
			return names[i].line;
	return NULL;
}
