/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SNP ID block and ID authentication information: what an owner signs so that the firmware
 * launches only the guest with this digest and policy. SEV-SNP firmware ABI (AMD 56860), section
 * 8.18 SNP_LAUNCH_FINISH, tables "ID Block" and "ID Authentication Information".
 *
 * Keys are P-384 and stay in libcrypto's objects, which wipe themselves; no secret gets into an
 * error message. Signing uses libcrypto's constant-time ECDSA.
 */
#ifndef ATTESTATION_ID_BLOCK_H
#define ATTESTATION_ID_BLOCK_H

#include "attestation/digest.h"
#include "base/bytes.h"

#include <stdint.h>

#define ID_BLOCK_LEN      96
#define ID_BLOCK_AUTH_LEN 4096
#define ID_BLOCK_ID_LEN   16
#define ID_BLOCK_KEY_LEN  DIGEST_SHA384_LEN /* digest of a key, as in reports */

struct id_block_spec {
	uint8_t launch_digest[DIGEST_SHA384_LEN];
	uint8_t family_id[ID_BLOCK_ID_LEN];
	uint8_t image_id[ID_BLOCK_ID_LEN];
	uint32_t guest_svn;
	uint64_t policy;
};

struct id_block {
	uint8_t block[ID_BLOCK_LEN];
	uint8_t auth[ID_BLOCK_AUTH_LEN];
	uint8_t id_key_digest[ID_BLOCK_KEY_LEN];
	uint8_t author_key_digest[ID_BLOCK_KEY_LEN];
};

/*
 * id_block_sign() - make and sign.
 * @id_key, @author_key: PEM texts of unencrypted P-384 private keys
 * Return: 0; -EINVAL for other keys, -ENOMEM, -EIO.
 */
int id_block_sign(struct id_block *out, const struct id_block_spec *spec, struct bytes id_key,
	struct bytes author_key, struct err *e) MUST_CHECK;

/*
 * id_block_verify() - check versions, algorithms, reserved bytes, the ID key's signature of the
 * block and the author key's signature of the ID key. Which keys to trust is for the caller.
 * Return: 0; -EINVAL for other lengths; -EBADMSG with the reason if it is not valid; -ENOMEM.
 */
int id_block_verify(struct bytes block, struct bytes auth, struct err *e) MUST_CHECK;

#endif
