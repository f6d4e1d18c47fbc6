/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line's flags: each line of the input is "name value". What is refused has a text that
 * names the flag; what is taken leaves a config that can be checked, and freed.
 */
#include "tests/fuzz/fuzz.h"
#include "vmm/config.h"
#include "vmm/keyval.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void flag(struct vm_config *c, char *line)
{
	char *value = strchr(line, ' ');
	struct err e = ERR_INIT;
	int rc;

	if (!value)
		return;
	*value++ = '\0';
	rc = config_flag(c, line, value, &e);
	assert(rc <= 0 && (!rc || rc == -ENOENT || (e.code == -rc && strstr(e.text, line))));
	assert(c->n_disks <= CONFIG_MAX_DISKS && c->n_nics <= CONFIG_MAX_NICS);
}

static void numbers(const char *text)
{
	uint64_t size = 0, plain = 0;
	bool is_size = keyval_number(text, true, &size),
	     is_plain = keyval_number(text, false, &plain);

	assert(!is_plain || (is_size && size == plain));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = malloc(len + 1), *rest = text, *line;
	struct vm_config c;
	struct err e = ERR_INIT;

	assert(text);
	memcpy(text, data, len);
	text[len] = '\0';
	config_init(&c);
	while ((line = strsep(&rest, "\n"))) {
		numbers(line);
		flag(&c, line);
	}
	assert(!config_check(&c, &e) || (e.code && e.text[0]));
	config_fini(&c);
	free(text);
	return 0;
}
