/* SPDX-License-Identifier: Apache-2.0 */
/* Comparing bytes with a known answer in hex, so that a failure shows both. */
#ifndef TESTS_UNIT_ATTESTATION_IS_HEX_H
#define TESTS_UNIT_ATTESTATION_IS_HEX_H

#include "attestation/digest.h"
#include "base/hex.h"

#define is_hex(got, len, want)                                                                     \
	do {                                                                                       \
		char text_[HEX_TEXT_LEN(DIGEST_MAX_LEN)];                                          \
		hex_encode(text_, got, len);                                                       \
		assert_string_equal(text_, want);                                                  \
	} while (0)

#endif
