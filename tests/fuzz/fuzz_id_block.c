/* SPDX-License-Identifier: Apache-2.0 */
/* id_block_verify() on a block with its authentication behind it; id_block_sign() on odd keys. */
#include "attestation/id_block.h"

#include "tests/fuzz/fuzz.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct bytes input = bytes_of(data, len);
	struct bytes block = bytes_slice(&input, 0, ID_BLOCK_LEN);
	struct bytes auth = bytes_slice(&input, ID_BLOCK_LEN, ID_BLOCK_AUTH_LEN);
	const struct id_block_spec spec = {.policy = 0x30000};
	struct id_block made;
	struct err e = ERR_INIT;

	if (!auth.failed) {
		if (id_block_verify(block, auth, &e))
			assert(e.code && e.text[0]);
		return 0;
	}
	if (id_block_sign(&made, &spec, input, input, &e))
		assert(e.code && e.text[0]);
	else
		assert(!id_block_verify(bytes_of(made.block, ID_BLOCK_LEN),
			bytes_of(made.auth, ID_BLOCK_AUTH_LEN), &e));
	return 0;
}
