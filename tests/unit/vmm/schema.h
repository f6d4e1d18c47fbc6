/* SPDX-License-Identifier: Apache-2.0 */
/* The part of docs/api.yaml that the tables of the config make. */
#ifndef TESTS_UNIT_VMM_SCHEMA_H
#define TESTS_UNIT_VMM_SCHEMA_H

#include <stdio.h>

#define SCHEMA_BEGIN "    # Made from the tables of the config: `test_api docs/api.yaml print`.\n"
#define SCHEMA_END   "    # As far as the tables go.\n"

/* schema_print() - write the schemas of VmConfig and of the elements of its lists, as YAML. */
void schema_print(FILE *f);

#endif
