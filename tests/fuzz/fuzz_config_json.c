/* SPDX-License-Identifier: Apache-2.0 */
/* config_json_read(): a refusal has a text and no echo; what is accepted passes the checks again.
 */
#include "vmm/config.h"
#include "vmm/config_json.h"

#include "tests/fuzz/fuzz.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct vm_config c;
	struct err e = ERR_INIT;
	json_t *echo;

	if (config_json_read(&c, &echo, (const char *)data, len, &e)) {
		assert(e.code && e.text[0] && !echo);
		return 0;
	}
	assert(json_is_object(echo));
	assert(c.payload.kernel && c.cpus.boot && c.cpus.boot <= c.cpus.max);
	assert(json_array_size(json_object_get(echo, "disks")) == c.n_disks);
	assert(!config_check(&c, &e));
	json_decref(echo);
	config_fini(&c);
	return 0;
}
