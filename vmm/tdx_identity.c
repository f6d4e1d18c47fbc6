/* SPDX-License-Identifier: Apache-2.0 */
/* What a config says of a TD's identity; see vmm/tdx_identity.h. */
#include "vmm/tdx_identity.h"

#include "base/hex.h"
#include "vmm/config.h"
#include "vmm/owner_data.h"

#include <errno.h>

static int identity_field(uint8_t out[TDX_ID_LEN], const char *text, const char *key, struct err *e)
{
	if (text && hex_decode(text, out, TDX_ID_LEN))
		return err_set(
			e, EINVAL, "--confidential: %s is not %d hex digits", key, 2 * TDX_ID_LEN);
	return 0;
}

int tdx_identity_read(struct tdx_identity *id, const struct vm_config *c, struct err *e)
{
	const struct owner_data data = {
		"mrconfigid", c->payload.mrconfigid, id->config_id, TDX_ID_LEN};
	int rc = owner_data_read(&data, c, e);

	id->attributes = TDX_ATTR_SEPT_VE_DISABLE;
	if (!rc)
		rc = identity_field(id->owner, c->confidential.owner, "owner", e);
	return rc
		? rc
		: identity_field(id->owner_config, c->confidential.owner_config, "owner_config", e);
}
