/* SPDX-License-Identifier: Apache-2.0 */
/* CC event logs; see attestation/event_log.h. PFP is the platform firmware profile. */
#include "attestation/event_log.h"

#include "base/num.h"

#include <errno.h>
#include <string.h>

#define ALG_SHA384 0x000c /* TPM_ALG_SHA384, TCG algorithm registry */
#define SHA1_LEN   20
#define SHA384_LEN 48
#define END_OF_LOG UINT32_MAX

/* PFP 10.4.5.1, TCG_EfiSpecIDEvent */
static int event_log_spec_id(struct event_log *l, struct bytes at, struct err *e)
{
	static const char signature[16] = "Spec ID Event03";
	const uint8_t *s = bytes_take(&at, sizeof(signature));
	uint32_t count;
	bool sha384 = false;

	if (!s || memcmp(s, signature, sizeof(signature)) != 0)
		return err_set(e, EINVAL, "event log: not in the crypto-agile format");
	bytes_take(&at, 8); /* platform class, version, errata, size of UINTN */
	count = bytes_u32(&at);
	if (!count || count > EVENT_LOG_ALGORITHMS)
		return err_set(e, EINVAL, "event log: %u digest algorithms", count);
	for (l->n_algorithms = 0; l->n_algorithms < count; l->n_algorithms++) {
		uint16_t id = bytes_u16(&at), size = bytes_u16(&at);

		l->algorithms[l->n_algorithms].id = id;
		l->algorithms[l->n_algorithms].size = size;
		sha384 |= id == ALG_SHA384 && size == SHA384_LEN;
	}
	bytes_take(&at, bytes_u8(&at)); /* vendor information */
	if (at.failed || !sha384)
		return err_set(e, EINVAL, "event log: the first event is cut or lists no SHA-384");
	return 0;
}

int event_log_start(struct event_log *l, struct bytes log, struct err *e)
{
	uint32_t type, size;
	const uint8_t *data;

	*l = (struct event_log){.left = log};
	if (log.left > EVENT_LOG_MAX)
		return err_set(e, EINVAL, "event log: %zu bytes are too many", log.left);
	/* PFP 10.2.1, TCG_PCClientPCREvent: the first event has the old layout */
	bytes_u32(&l->left);
	type = bytes_u32(&l->left);
	bytes_take(&l->left, SHA1_LEN);
	size = bytes_u32(&l->left);
	data = bytes_take(&l->left, size);
	if (l->left.failed || type != EVENT_NO_ACTION)
		return err_set(e, EINVAL, "event log: no first event that describes the log");
	return event_log_spec_id(l, bytes_of(data, size), e);
}

/* event_log_size() - Return: bytes of a digest, 0 for an algorithm that the log does not list. */
static size_t event_log_size(const struct event_log *l, uint16_t id)
{
	for (size_t i = 0; i < l->n_algorithms; i++)
		if (l->algorithms[i].id == id)
			return l->algorithms[i].size;
	return 0;
}

/* event_log_digests() - PFP 10.2.2, TPML_DIGEST_VALUES. Return: the SHA-384 digest or NULL. */
static const uint8_t *event_log_digests(struct event_log *l, uint32_t count)
{
	const uint8_t *digest = NULL;

	if (count > l->n_algorithms)
		return NULL;
	while (count--) {
		uint16_t id = bytes_u16(&l->left);
		size_t size = event_log_size(l, id);
		const uint8_t *at = bytes_take(&l->left, size);

		if (!size || (id == ALG_SHA384 && digest))
			return NULL;
		if (id == ALG_SHA384)
			digest = at;
	}
	return digest;
}

/* event_log_zeros() - Return: true if all bytes left are zeros. */
static bool event_log_zeros(struct bytes left)
{
	return !left.left || (!*left.at && !memcmp(left.at, left.at + 1, left.left - 1));
}

int event_log_next(struct event_log *l, struct event *event, struct err *e)
{
	static const uint8_t no_event[12]; /* index, type and count of digests: nothing */
	size_t seen = min_u64(l->left.left, sizeof(no_event));
	uint32_t count, size;
	const uint8_t *data;

	if (!memcmp(l->left.at, no_event, seen)) {
		if (event_log_zeros(l->left))
			return 0;
		return err_set(e, EINVAL, "event log: bytes after its end");
	}
	/* PFP 10.2.2, TCG_PCR_EVENT2 */
	event->index = bytes_u32(&l->left);
	if (!l->left.failed && event->index == END_OF_LOG)
		return 0;
	event->type = bytes_u32(&l->left);
	count = bytes_u32(&l->left);
	event->digest = event_log_digests(l, count);
	size = bytes_u32(&l->left);
	data = bytes_take(&l->left, size);
	event->data = bytes_of(data, size);
	if (l->left.failed)
		return err_set(e, EINVAL, "event log: an event is cut");
	if (!event->digest)
		return err_set(
			e, EINVAL, "event log: an event has no SHA-384 or an unlisted digest");
	return 1;
}
