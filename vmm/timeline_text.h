/* SPDX-License-Identifier: Apache-2.0 */
/* A timeline as text: SVG and Chrome's trace format. Pure but for the writing. */
#ifndef VMM_TIMELINE_TEXT_H
#define VMM_TIMELINE_TEXT_H

#include "vmm/timeline.h"

struct timeline_entry {
	bool there;        /* atomic: the others are filled in */
	uint64_t from, to; /* CLOCK_MONOTONIC, ns; equal: a mark */
	char track[16], name[TIMELINE_NAME];
};

struct timeline_list {
	const struct timeline_entry *entries; /* tracks are shown in the order of first entries */
	unsigned int n;
	uint64_t begin, end;
};

/* timeline_write_json() - {"traceEvents": [...]} with microseconds. Return: 0 or -errno. */
int timeline_write_json(const struct timeline_list *l, int fd) MUST_CHECK;

/* timeline_write_svg() - a picture that needs nothing else. Return: 0 or -errno. */
int timeline_write_svg(const struct timeline_list *l, int fd) MUST_CHECK;

#endif
