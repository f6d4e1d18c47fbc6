/* SPDX-License-Identifier: Apache-2.0 */
/* What this host offers, as rows for people and as JSON for scripts: `cloister check`. */
#ifndef VMM_HOST_REPORT_H
#define VMM_HOST_REPORT_H

#include "vmm/hv/host.h"

#include <jansson.h>

#define HOST_REPORT_MAX 24

struct host_row {
	const char *name;
	bool offered;
	char detail[256]; /* a value, or the reason why it is not offered */
};

struct host_report {
	struct host_row rows[HOST_REPORT_MAX];
	unsigned int n_rows;
	const char *level; /* what `auto` would choose, NULL: nothing can run */
};

/* host_report_make() - look at everything; opens nothing that stays open. */
void host_report_make(struct host_report *report, const struct hv_host *host);

/* host_report_json() - Return: the report as JSON, a new reference. */
json_t *host_report_json(const struct host_report *report);

#endif
