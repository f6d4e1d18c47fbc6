/* SPDX-License-Identifier: Apache-2.0 */
/* The monitor's sandbox; see vmm/sandbox.h. */
#include "vmm/sandbox.h"

#include "base/priority.h"
#include "devices/front/courier.h"
#include "seccomp/jail.h"
#include "seccomp/landlock.h"
#include "seccomp/privilege.h"
#include "seccomp/program.h"

#include <jansson.h>
#include <libgen.h>
#include <linux/capability.h>
#include <string.h>

int sandbox_jail(const struct sandbox_desc *desc, struct err *e)
{
	const struct jail jail = {.tag = "sandbox", .best_effort = desc->best_effort};
	cleanup_free char *report = desc->report ? strdup(desc->report) : NULL;
	cleanup_free char *first = desc->sockets[0] ? strdup(desc->sockets[0]) : NULL;
	cleanup_free char *second = desc->sockets[1] ? strdup(desc->sockets[1]) : NULL;
	struct landlock rights = {.deny = LANDLOCK_ALL};
	uint64_t caps = 0;

	/* Files of other users stay what the capability makes them: root's to open. */
	if (desc->role != FILTER_RUN)
		caps = privilege_bit(CAP_DAC_OVERRIDE) | privilege_bit(CAP_DAC_READ_SEARCH);
	if (desc->role == FILTER_DAEMON)
		rights.deny = LANDLOCK_NODES; /* clients name files when they please */
	if (report)
		rights.places[0] = (struct landlock_place){dirname(report), LANDLOCK_SAVE};
	if (first)
		rights.places[1] = (struct landlock_place){dirname(first), LANDLOCK_REMOVE};
	if (second)
		rights.places[2] = (struct landlock_place){dirname(second), LANDLOCK_REMOVE};
	json_object_seed(0); /* reads /dev/urandom, else at the first object */
	return jail_confine(&jail, filter_is_lax(desc->role) ? NULL : &rights, caps, e);
}

int sandbox_filter(const struct sandbox_desc *desc, struct err *e)
{
	return program_load(desc->role, desc->seccomp, e);
}

struct entry {
	struct program *program;
	bool ordinary; /* its maker may run first, see base/priority.h */
};

static int sandbox_enter(void *ctx)
{
	const struct entry *entry = ctx;

	if (entry->ordinary)
		priority_ordinary();
	return program_enter(entry->program);
}

int sandbox_thread(
	struct courier **out, enum filter_role role, enum filter_mode mode, struct err *e)
{
	struct entry entry = {.ordinary = role == FILTER_BUILDER};
	int rc = program_create(&entry.program, role, mode, e);

	*out = NULL;
	if (!rc)
		rc = courier_create(out, filter_role_name(role), sandbox_enter, &entry, e);
	program_destroy(entry.program);
	return rc;
}
