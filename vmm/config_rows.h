/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What cloud-hypervisor's clients send in the sections of a VmConfig and Cloister accepts without
 * having it: keys beside the fields of config.c.
 */
#ifndef VMM_CONFIG_ROWS_H
#define VMM_CONFIG_ROWS_H

#include <stdbool.h>

/* accept of descriptors: a list of the sender's numbers; only its length says something. */
#define CONFIG_ROW_FDS "fds"

/*
 * A key that no field stands behind. accept: "bool", "int", "string",
 * CONFIG_ROW_FDS, or a JSON list of the values
 * that can be honoured. fallback: JSON that the echo shows when the key is absent, NULL: none.
 */
struct config_row {
	const char *key, *accept, *fallback;
	const struct config_rows *sub; /* an object with rows of its own, instead of accept */
};

struct config_rows {
	const char *keyval; /* name of the table of fields, NULL: none */
	const struct config_row *rows;
	unsigned int n_rows;
	bool strict; /* unknown keys are errors */
	bool absent; /* not in the echo unless given */
};

extern const struct config_rows config_rows_top, config_rows_disk, config_rows_net, config_rows_fs,
	config_rows_vsock;

#endif
