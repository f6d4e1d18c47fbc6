/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Init data of Confidential Containers: a TOML document that names a hash algorithm and holds files
 * for what runs in the guest. Its hash goes into HOSTDATA (SNP) or MRCONFIGID (TDX), so that a report
 * says which document the guest was started with. Kata hands it over as a disk:
 *
 *   "initdata" | length of what follows, 8 bytes | the document, gzip | zeros up to whole sectors
 *
 * Only the outermost keys `version` and `algorithm` are read here; the rest is the guest's.
 */
#ifndef ATTESTATION_INITDATA_H
#define ATTESTATION_INITDATA_H

#include "base/bytes.h"
#include "base/err.h"

#define INITDATA_MAGIC      "initdata"
#define INITDATA_MAGIC_LEN  8
#define INITDATA_HEAD       16         /* magic and length */
#define INITDATA_PACKED_MAX (4u << 20) /* bytes of gzip */
#define INITDATA_TEXT_MAX   (8u << 20) /* bytes of the document */
#define INITDATA_DIGEST_MAX 64

struct initdata {
	char algorithm[8]; /* "sha256", "sha384", "sha512" */
	uint8_t digest[INITDATA_DIGEST_MAX];
	size_t digest_len;
	size_t text_len; /* bytes of the document */
};

/* initdata_is_disk() - does a disk begin like one with init data? At least the magic is needed. */
bool initdata_is_disk(struct bytes disk);

/*
 * initdata_of_disk() - read a disk as above.
 * @disk: its bytes from the first on, at least up to the end of the gzip
 * Return: 0; -EINVAL: it is none, or malformed; -E2BIG: larger than the limits; -ENOMEM.
 */
int initdata_of_disk(struct initdata *out, struct bytes disk, struct err *e) MUST_CHECK;

/*
 * initdata_of_text() - the same of the document itself.
 * Return: as above.
 */
int initdata_of_text(struct initdata *out, struct bytes text, struct err *e) MUST_CHECK;

/*
 * initdata_fit() - the digest as a field of a report has it: cut off, or with zeros behind.
 * @len: 32 for HOSTDATA, 48 for MRCONFIGID
 */
void initdata_fit(const struct initdata *d, uint8_t *out, size_t len);

#endif
