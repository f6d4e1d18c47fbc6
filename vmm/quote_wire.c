/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of a quote service; see vmm/quote_wire.h. */
#include "vmm/quote_wire.h"

#include <errno.h>
#include <string.h>

#define MAJOR    1u
#define MINOR    1u
#define REQUEST  0u
#define RESPONSE 1u

void quote_wire_request(uint8_t out[QUOTE_WIRE_REQUEST_LEN], const uint8_t report[QUOTE_REPORT_LEN])
{
	const uint32_t len = QUOTE_WIRE_HEAD + QUOTE_REPORT_LEN;
	uint8_t *m = out + QUOTE_WIRE_PREFIX;

	store_le32(out, __builtin_bswap32(len));
	store_le16(m, MAJOR);
	store_le16(m + 2, MINOR);
	store_le32(m + 4, REQUEST);
	store_le32(m + 8, len);
	store_le32(m + 12, 0); /* error */
	store_le32(m + 16, QUOTE_REPORT_LEN);
	store_le32(m + 20, 0); /* a list of ids of keys: any */
	memcpy(m + QUOTE_WIRE_HEAD, report, QUOTE_REPORT_LEN);
}

int quote_wire_answer(struct bytes have, size_t room, struct bytes *quote)
{
	uint32_t len, size, error, id_len, quote_len;
	bool known;

	if (have.left < QUOTE_WIRE_PREFIX)
		return -EAGAIN;
	len = bytes_u32_be(&have);
	if (len < QUOTE_WIRE_HEAD || len > room)
		return -EPROTO;
	if (have.left < len)
		return -EAGAIN;
	known = bytes_u16(&have) == MAJOR;
	known = bytes_u16(&have) == MINOR && known;
	known = bytes_u32(&have) == RESPONSE && known;
	size = bytes_u32(&have);
	error = bytes_u32(&have);
	id_len = bytes_u32(&have);
	quote_len = bytes_u32(&have);
	if (!known || size != len)
		return -EPROTO;
	if (error)
		return -EREMOTEIO;
	/* An id of the key that was chosen would precede the quote. */
	if ((uint64_t)id_len + quote_len != len - QUOTE_WIRE_HEAD || !quote_len)
		return -EPROTO;
	*quote = bytes_of(bytes_take(&have, len - QUOTE_WIRE_HEAD) + id_len, quote_len);
	return 0;
}
