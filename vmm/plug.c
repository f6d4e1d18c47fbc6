/* SPDX-License-Identifier: Apache-2.0 */
/* Plugging devices in and out; see vmm/plug.h. */
#include "vmm/plug.h"

#include "base/log.h"
#include "vmm/config_json.h"
#include "vmm/config_list.h"
#include "vmm/device_plan.h"
#include "vmm/removals.h"
#include "vmm/vm.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

/* What plans a device of each kind: those of vmm/config_list.h, and vsock. */
static const struct kind {
	const char *name;
	int (*plan)(
		struct device_plan *p, const struct vm_config *c, unsigned int i, struct err *e);
} kinds[] = {
	{"disk", device_plan_disk},
	{"net", device_plan_nic},
	{"fs", device_plan_fs},
	{"vsock", device_plan_vsock},
};

static const struct kind *find_kind(const char *name)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(kinds) && strcmp(kinds[i].name, name))
		i++;
	assert(i < ARRAY_SIZE(kinds));
	return &kinds[i];
}

/* plug_start() - start the last device of a kind on a VM that is up */
static int plug_start(
	const struct plug_board *b, const char *kind, struct plugged *out, struct err *e)
{
	const struct config_list *l = config_list_find(kind);
	unsigned int last = l ? config_list_count(l, b->config) - 1 : 0;
	struct device_plan plan;
	int rc = find_kind(kind)->plan(&plan, b->config, last, e);

	if (rc > 0) {
		rc = machine_plug(&b->vm->machine, &plan, &out->slot, e);
		device_plan_fini(&plan);
	}
	if (rc && rc != -EEXIST) {
		config_json_path(e);
		e->code = EIO; /* whatever it was, the body is not at fault */
	}
	return rc ? -e->code : 0;
}

int plug_add(const struct plug_board *b, const char *kind, const struct plug_body *body,
	struct plugged *out, struct err *e)
{
	const struct config_text text = {kind, body->json, body->len, body->n_fds};
	int rc = config_json_add(b->config, b->echo, &text, e);

	if (rc)
		return rc;
	*out = (struct plugged){.hot = b->vm, .id = config_json_last_id(b->config, kind)};
	rc = config_take_fds(b->config, body->fds, body->n_fds, e);
	if (!rc && b->vm)
		rc = plug_start(b, kind, out, e);
	if (rc && config_json_remove(b->config, b->echo, out->id))
		log_error("vm", "a device that could not be added stays in the config");
	return rc;
}

int plug_remove(const struct plug_board *b, const char *id, struct err *e)
{
	const struct device *there = b->vm ? device_find(b->vm->machine.devices, id) : NULL;
	int rc = config_json_remove(b->config, b->echo, id);

	if (rc && !there)
		return err_set(e, ENOENT, "there is no device '%s'", id);
	if (rc && !there->leaving)
		return err_set(e, EPERM, "'%s' can't be removed", id);
	if (there)
		removals_await(b->removals, id);
	return there ? machine_unplug(&b->vm->machine, id) : 0;
}
