/* SPDX-License-Identifier: Apache-2.0 */
/* The quoting enclave; see attestation/qe_identity.h. */
#include "attestation/qe_identity.h"

#include "attestation/json_field.h"

#include <errno.h>
#include <string.h>

/* SGX report body, "Enclave Report Body" of the TDX DCAP quote specification, A.3.10 */
enum {
	OFF_MISCSELECT = 16,
	OFF_ATTRIBUTES = 48,
	OFF_MRSIGNER = 128,
	OFF_ISVPRODID = 256,
	OFF_ISVSVN = 258
};

int qe_identity_parse(struct qe_identity *id, const json_t *body, struct err *e)
{
	const char *name;
	uint32_t version;
	int ret;

	memset(id, 0, sizeof(*id));
	ret = json_field_text(body, "id", &name, e);
	if (!ret && strcmp(name, "TD_QE") != 0)
		ret = err_set(e, EINVAL, "identity of another enclave than the TD quoting enclave");
	ret = ret ?: json_field_uint(body, "version", UINT32_MAX, &version, e);
	if (!ret && version != 2)
		ret = err_set(e, EINVAL, "QE identity of version %u, not 2", version);
	return ret
		?: json_field_hex(body, "miscselect", id->miscselect, sizeof(id->miscselect), e)
		?: json_field_hex(body, "miscselectMask", id->miscselect_mask,
			sizeof(id->miscselect_mask), e)
		?: json_field_hex(body, "attributes", id->attributes, sizeof(id->attributes), e)
		?: json_field_hex(body, "attributesMask", id->attributes_mask,
			sizeof(id->attributes_mask), e)
		?: json_field_hex(body, "mrsigner", id->mrsigner, sizeof(id->mrsigner), e)
		?: json_field_uint(body, "isvprodid", UINT16_MAX, &id->isvprodid, e)
		?: json_field_uint(body, "tcbEvaluationDataNumber", UINT32_MAX,
			&id->evaluation_number, e)
		?: tcb_svn_levels_parse(&id->levels, body, TCB_SET_LEVEL, e);
}

static bool masked_equal(const uint8_t *v, const uint8_t *mask, const uint8_t *want, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((v[i] & mask[i]) != want[i])
			return false;
	return true;
}

int qe_identity_check(const struct qe_identity *id, const uint8_t *report,
	const struct tcb_svn_level **level, struct err *e)
{
	/* PCS API v4, "Enclave Identity Verification" */
	if (!masked_equal(report + OFF_MISCSELECT, id->miscselect_mask, id->miscselect,
		    sizeof(id->miscselect)))
		return err_set(e, EBADMSG, "quoting enclave: MISCSELECT differs from its identity");
	if (!masked_equal(report + OFF_ATTRIBUTES, id->attributes_mask, id->attributes,
		    sizeof(id->attributes)))
		return err_set(e, EBADMSG, "quoting enclave: ATTRIBUTES differ from its identity");
	if (memcmp(report + OFF_MRSIGNER, id->mrsigner, sizeof(id->mrsigner)) != 0)
		return err_set(e, EBADMSG, "quoting enclave: MRSIGNER differs from its identity");
	if (load_le16(report + OFF_ISVPRODID) != id->isvprodid)
		return err_set(e, EBADMSG, "quoting enclave: ISVPRODID differs from its identity");
	*level = tcb_svn_levels_find(&id->levels, load_le16(report + OFF_ISVSVN));
	if (!*level)
		return err_set(e, EBADMSG, "quoting enclave: ISVSVN %u is below every TCB level",
			load_le16(report + OFF_ISVSVN));
	return 0;
}
