/* SPDX-License-Identifier: Apache-2.0 */
/* What happened when; see vmm/timeline.h. vmm/timeline_text.c writes it. */
#include "vmm/timeline.h"

#include "base/clock.h"
#include "vmm/timeline_text.h"
#include "vmm/vm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LINE_MAX_SEEN 160

/* Console lines that say something about most guests. */
static const struct {
	const char *text, *name;
} usual[] = {
	{"Linux version ", "kernel speaks"},
	{" as init process", "init starts"},
	{" login:", "login prompt"},
};

struct timeline {
	struct timeline_entry entries[TIMELINE_MAX];
	unsigned int n; /* atomic: taken; some may be beyond the end */
	uint64_t begin;
	const char *texts[TIMELINE_TEXTS];
	unsigned int n_texts, seen; /* seen: a bit per text */
	bool spoke;                 /* the console has had a byte */
	uint64_t codes[4];          /* of the debug port, a bit per value */
	char line[LINE_MAX_SEEN];
	unsigned int line_len;
};

/* cpu_ns() - Return: what the process has used of the CPU: before main(), all of its life so far */
static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

int timeline_create(struct timeline **out, struct err *e)
{
	struct timeline *t = calloc(1, sizeof(*t));
	uint64_t loaded = clock_ns();

	*out = t;
	if (!t)
		return err_sys(e, ENOMEM, "--timeline");
	t->begin = loaded - cpu_ns();
	for (size_t i = 0; i < ARRAY_SIZE(usual); i++)
		timeline_watch_for(t, usual[i].text);
	timeline_span(t, "monitor", "program", (uint64_t[]){t->begin, loaded});
	return 0;
}

void timeline_destroy(struct timeline *t)
{
	free(t);
}

bool timeline_watch_for(struct timeline *t, const char *text)
{
	if (t->n_texts == TIMELINE_TEXTS)
		return false;
	t->texts[t->n_texts++] = text;
	return true;
}

void timeline_span(
	struct timeline *t, const char *track, const char *name, const uint64_t from_to[2])
{
	unsigned int i = __atomic_fetch_add(&t->n, 1, __ATOMIC_RELAXED);

	if (i >= TIMELINE_MAX)
		return;
	t->entries[i].from = from_to[0];
	t->entries[i].to = from_to[1];
	snprintf(t->entries[i].track, sizeof(t->entries[i].track), "%s", track);
	snprintf(t->entries[i].name, sizeof(t->entries[i].name), "%s", name);
	__atomic_store_n(&t->entries[i].there, true, __ATOMIC_RELEASE);
}

void timeline_mark(struct timeline *t, const char *track, const char *name, uint64_t at)
{
	timeline_span(t, track, name, (uint64_t[]){at, at});
}

/* timeline_line() - a line of the console, or the beginning of one, is there */
static void timeline_line(struct timeline *t)
{
	uint64_t now = clock_ns();

	t->line[t->line_len] = 0;
	for (unsigned int i = 0; i < t->n_texts; i++) {
		if (t->seen >> i & 1 || !strstr(t->line, t->texts[i]))
			continue;
		t->seen |= 1u << i;
		timeline_mark(t, "guest", i < ARRAY_SIZE(usual) ? usual[i].name : t->texts[i], now);
	}
}

void timeline_byte(void *timeline, uint8_t byte)
{
	struct timeline *t = timeline;

	if (!t->spoke)
		timeline_mark(t, "guest", "first output", clock_ns());
	t->spoke = true;
	if (byte == '\n' || t->line_len == LINE_MAX_SEEN - 1) {
		timeline_line(t);
		t->line_len = 0;
		return;
	}
	t->line[t->line_len++] = byte >= ' ' && byte < 0x7f ? (char)byte : ' ';
	if (byte == ':') /* a prompt has no end of line */
		timeline_line(t);
}

void timeline_code(struct timeline *t, uint8_t code)
{
	char name[32];

	if (t->codes[code / 64] >> code % 64 & 1)
		return;
	t->codes[code / 64] |= UINT64_C(1) << code % 64;
	snprintf(name, sizeof(name), "debug port %#x", code);
	timeline_mark(t, "guest", name, clock_ns());
}

static void take_stages(struct timeline *t, const struct vm *vm)
{
	uint64_t before = vm->created_ns;

	for (unsigned int i = 0; vm_stage_name(i); i++) {
		timeline_span(t, "launch", vm_stage_name(i), (uint64_t[]){before, vm->stage_ns[i]});
		before = vm->stage_ns[i];
	}
	timeline_span(t, "launch", "threads and sandbox", (uint64_t[]){before, vm->run_ns});
}

static void take_vcpu(struct timeline *t, const struct vcpu *v)
{
	char track[16];

	snprintf(track, sizeof(track), "vcpu%u", v->index);
	if (v->entry_ns)
		timeline_mark(t, track, "first entry", v->entry_ns);
	if (v->exit_ns)
		timeline_mark(t, track, "first exit", v->exit_ns);
}

void timeline_take(struct timeline *t, const struct vm *vm)
{
	const struct device *d = vm->machine.devices;

	take_stages(t, vm);
	for (unsigned int i = 0; i < DEVICES_MAX; i++)
		if (d[i].pci)
			timeline_span(
				t, "devices", d[i].id, (uint64_t[]){d[i].asked_ns, d[i].ready_ns});
	for (unsigned int i = 0; i < vm->n_vcpus; i++)
		take_vcpu(t, &vm->vcpus[i]);
	timeline_span(t, "guest", "guest runs", (uint64_t[]){vm->run_ns, clock_ns()});
}

static int entry_order(const void *a, const void *b)
{
	const struct timeline_entry *x = a, *y = b;

	return x->from < y->from ? -1 : x->from > y->from;
}

int timeline_write(struct timeline *t, int fd, bool svg)
{
	unsigned int n = t->n < TIMELINE_MAX ? t->n : TIMELINE_MAX;
	struct timeline_list list = {
		.entries = t->entries, .n = n, .begin = t->begin, .end = clock_ns()};

	qsort(t->entries, n, sizeof(t->entries[0]), entry_order);
	return svg ? timeline_write_svg(&list, fd) : timeline_write_json(&list, fd);
}
