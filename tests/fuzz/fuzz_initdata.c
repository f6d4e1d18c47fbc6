/* SPDX-License-Identifier: Apache-2.0 */
/* initdata_of_disk() and initdata_of_text(): what passes has a digest of one of three lengths. */
#include "attestation/initdata.h"

#include "tests/fuzz/fuzz.h"

#include <assert.h>

static void check(int rc, const struct initdata *d, const struct err *e)
{
	if (rc)
		assert(e->code == -rc && e->text[0]);
	else
		assert((d->digest_len == 32 || d->digest_len == 48 || d->digest_len == 64) &&
			d->text_len <= INITDATA_TEXT_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct err e = ERR_INIT, e2 = ERR_INIT;
	struct initdata d;
	uint8_t field[48];

	check(initdata_of_disk(&d, bytes_of(data, len), &e), &d, &e);
	initdata_fit(&d, field, sizeof(field));
	check(initdata_of_text(&d, bytes_of(data, len), &e2), &d, &e2);
	initdata_fit(&d, field, 32);
	return 0;
}
