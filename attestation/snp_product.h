/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SEV-SNP product lines: what a CPU, a certificate's product name and the layout of a TCB version
 * have to do with each other (AMD 57230, section 3; 56860, table "TCB_VERSION").
 */
#ifndef ATTESTATION_SNP_PRODUCT_H
#define ATTESTATION_SNP_PRODUCT_H

#include <stdbool.h>
#include <stdint.h>

#define SNP_TCB_LEN 8

/* The parts of a TCB version that have a meaning, in the order that people name them. */
enum snp_spl { SNP_SPL_FMC, SNP_SPL_BL, SNP_SPL_TEE, SNP_SPL_SNP, SNP_SPL_UCODE, SNP_SPL_NUM };

struct snp_product {
	const char *name; /* of the line, as in ARK-Milan */
	uint8_t hwid_len; /* bytes of the chip id that count */
	/* which certificate extension 3.N stands for byte i of a TCB version */
	uint8_t tcb_ext[SNP_TCB_LEN];
	/* which byte of a TCB version holds each part; -1: the line has no such part */
	int8_t spl_byte[SNP_SPL_NUM];
};

/* snp_spl_name() - Return: "fmc", "bl", "tee", "snp" or "ucode". */
const char *snp_spl_name(enum snp_spl spl);

/* snp_product_by_cpuid() - Return: the line of that family and model; NULL if it is unknown. */
const struct snp_product *snp_product_by_cpuid(uint8_t family, uint8_t model);

/*
 * snp_product_by_name() - by the name in a certificate, with or without a stepping: "Milan-B0".
 * Return: the line, NULL if it is unknown.
 */
const struct snp_product *snp_product_by_name(const char *name);

#endif
