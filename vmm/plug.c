/* SPDX-License-Identifier: Apache-2.0 */
/* Plugging devices in and out; see vmm/plug.h. */
#include "vmm/plug.h"

#include "base/log.h"
#include "vmm/config_json.h"
#include "vmm/device_plan.h"
#include "vmm/vm.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

/* --- disks --- */

static int plan_disk(struct device_plan *p, const struct vm_config *c, struct err *e)
{
	return device_plan_disk(p, c, c->n_disks - 1, e);
}

static const char *disk_id(const struct vm_config *c)
{
	return c->disks[c->n_disks - 1].id;
}

/* --- all kinds --- */

static const struct kind {
	const char *name;
	/* Append to config and echo. */
	int (*add)(
		struct vm_config *c, json_t *echo, const struct config_text *text, struct err *e);
	int (*plan)(struct device_plan *p, const struct vm_config *c, struct err *e); /* the last */
	const char *(*id)(const struct vm_config *c); /* of the last */
} kinds[] = {
	{"disk", config_json_add_disk, plan_disk, disk_id},
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
	const struct plug_board *b, const struct kind *kind, struct plugged *out, struct err *e)
{
	struct device_plan plan;
	int rc = kind->plan(&plan, b->config, e);

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

int plug_add(const struct plug_board *b, const char *name, const struct plug_body *body,
	struct plugged *out, struct err *e)
{
	const struct config_text text = {body->json, body->len, body->n_fds > 0};
	const struct kind *kind = find_kind(name);
	int rc = kind->add(b->config, b->echo, &text, e);

	if (rc)
		return rc;
	*out = (struct plugged){.hot = b->vm, .id = kind->id(b->config)};
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
	return there ? machine_unplug(&b->vm->machine, id) : 0;
}
