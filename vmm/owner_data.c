/* SPDX-License-Identifier: Apache-2.0 */
/* What owners bind to a guest; see vmm/owner_data.h. */
#include "vmm/owner_data.h"

#include "base/base64.h"
#include "base/hex.h"
#include "base/log.h"
#include "vmm/config.h"
#include "vmm/initdata_find.h"

#include <errno.h>
#include <string.h>

int owner_data_read(const struct owner_data *d, const struct vm_config *config, struct err *e)
{
	struct initdata initdata;
	size_t n = 0;
	int rc;

	memset(d->out, 0, d->len);
	if (d->text && hex_decode(d->text, d->out, d->len) &&
		(base64_decode(d->text, strlen(d->text), d->out, d->len, &n) || n != d->len))
		return err_set(e, EINVAL, "--%s: not %zu hex digits, nor %zu bytes in Base64",
			d->flag, 2 * d->len, d->len);
	if (d->text)
		return 0;
	rc = initdata_find(&initdata, config, e);
	if (rc > 0) {
		initdata_fit(&initdata, d->out, d->len);
		log_info("measure", "%s: the %s of init data", d->flag, initdata.algorithm);
	}
	return rc < 0 ? err_context(e, "--disk") : 0;
}
