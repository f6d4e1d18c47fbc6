/* SPDX-License-Identifier: Apache-2.0 */
/* Conversion between private and shared; see memory/convert.h. */
#include "memory/convert.h"

#include "base/log.h"
#include "memory/layout.h"
#include "memory/ledger.h"

#include <errno.h>

static int convert_attribute(const struct converter *c, gpa_t gpa, uint64_t len, bool private)
{
	return c->ops->set_private ? c->ops->set_private(c->ctx, gpa, len, private) : 0;
}

/*
 * convert_discard() - free the side that was left. A failure wastes memory but leaks nothing to a
 * device, so it is reported and not undone: the guest has been promised nothing about old contents.
 */
static void convert_discard(const struct converter *c, gpa_t gpa, uint64_t len, bool private_side)
{
	int rc = c->ops->discard(c->ctx, gpa, len, private_side);

	if (rc)
		log_limited(LOG_WARN, "memory", "discard of %llu bytes failed: error %d",
			(unsigned long long)len, -rc);
}

/* Devices lose the pages first, then the kernel's view changes, then the old data goes. */
static int convert_to_private(
	const struct converter *c, struct ledger_locked locked, gpa_t run, uint64_t len)
{
	int rc;

	ledger_set(locked, run, len, false);
	rc = convert_attribute(c, run, len, true);
	if (rc) {
		ledger_set(locked, run, len, true);
		return rc;
	}
	convert_discard(c, run, len, false);
	return 0;
}

/* Devices get the pages last. */
static int convert_to_shared(
	const struct converter *c, struct ledger_locked locked, gpa_t run, uint64_t len)
{
	int rc = convert_attribute(c, run, len, false);

	if (rc)
		return rc;
	convert_discard(c, run, len, true);
	ledger_set(locked, run, len, true);
	return 0;
}

static int convert_runs(const struct converter *c, struct ledger_locked locked, gpa_t gpa,
	uint64_t len, bool to_shared)
{
	bool changed = false;
	uint64_t run_len;
	gpa_t run;
	int rc = 0;

	if (to_shared && !ledger_room(locked, gpa, len))
		rc = -ENOSPC;
	while (!rc && ledger_run(locked, to_shared, &gpa, &len, &run, &run_len)) {
		rc = to_shared ? convert_to_shared(c, locked, run, run_len)
			       : convert_to_private(c, locked, run, run_len);
		changed |= !rc;
	}
	ledger_count(locked, changed, rc != 0);
	return rc;
}

static bool convert_allowed(const struct converter *c, gpa_t gpa, uint64_t len, bool to_shared)
{
	if (layout_contains(c->layout, gpa, len))
		return c->one_gpa || !to_shared || gpa.v >= LAYOUT_LOW_LEN;
	return c->one_gpa && to_shared && layout_avoids(c->layout, gpa, len);
}

int convert(const struct converter *c, gpa_t gpa, uint64_t len, bool to_shared)
{
	struct ledger_locked locked = ledger_lock(c->ledger);
	int rc = 0;

	if (!is_aligned(gpa.v | len, PAGE_SIZE) || !convert_allowed(c, gpa, len, to_shared)) {
		ledger_count(locked, false, true);
		rc = -EINVAL;
	} else if (layout_contains(c->layout, gpa, len)) {
		rc = convert_runs(c, locked, gpa, len, to_shared);
	}
	ledger_unlock(locked);
	return rc;
}
