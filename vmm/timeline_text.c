/* SPDX-License-Identifier: Apache-2.0 */
/* Timelines as SVG and JSON; see vmm/timeline_text.h. */
#include "vmm/timeline_text.h"

#include "base/fd.h"
#include "base/num.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRACKS_MAX 80

#define WIDTH 1000 /* of the picture's time axis */
#define LEFT  150  /* room for the names of tracks */
#define RIGHT 260  /* room for texts behind the last entry */
#define ROW   18
#define TOP   30

/* The tracks of a list, in the order of their first entries. */
struct tracks {
	const char *names[TRACKS_MAX];
	unsigned int n;
};

static bool entry_there(const struct timeline_entry *en)
{
	return __atomic_load_n(&en->there, __ATOMIC_ACQUIRE);
}

/* tracks_of() - Return: the number of a track, which is added if it is new */
static unsigned int tracks_of(struct tracks *t, const char *name)
{
	unsigned int i = 0;

	while (i < t->n && strcmp(t->names[i], name))
		i++;
	if (i == t->n && t->n < TRACKS_MAX)
		t->names[t->n++] = name;
	return i;
}

static struct tracks tracks_all(const struct timeline_list *l)
{
	struct tracks t = {.n = 0};

	for (unsigned int i = 0; i < l->n; i++)
		if (entry_there(&l->entries[i]))
			tracks_of(&t, l->entries[i].track);
	return t;
}

/* since() - milliseconds from the beginning, also for what a clock put before it */
static double since(const struct timeline_list *l, uint64_t at)
{
	return (double)(int64_t)(at - l->begin) / 1e6;
}

/* --- JSON --- */

static json_t *json_entry(
	const struct timeline_list *l, const struct timeline_entry *en, unsigned int track)
{
	double at = since(l, en->from) * 1000;
	json_t *o = json_pack(
		"{s:s,s:f,s:i,s:i}", "name", en->name, "ts", at, "pid", 1, "tid", (int)track + 1);

	if (en->from == en->to) {
		json_object_set_new(o, "ph", json_string("i"));
		json_object_set_new(o, "s", json_string("t"));
	} else {
		json_object_set_new(o, "ph", json_string("X"));
		json_object_set_new(o, "dur", json_real(since(l, en->to) * 1000 - at));
	}
	return o;
}

int timeline_write_json(const struct timeline_list *l, int fd)
{
	struct tracks tracks = tracks_all(l);
	json_t *events = json_array(), *all;
	char *text;
	int rc;

	for (unsigned int i = 0; i < tracks.n; i++)
		json_array_append_new(events,
			json_pack("{s:s,s:s,s:i,s:i,s:{s:s}}", "name", "thread_name", "ph", "M",
				"pid", 1, "tid", (int)i + 1, "args", "name", tracks.names[i]));
	for (unsigned int i = 0; i < l->n; i++)
		if (entry_there(&l->entries[i]))
			json_array_append_new(events,
				json_entry(l, &l->entries[i],
					tracks_of(&tracks, l->entries[i].track)));
	all = json_pack("{s:o,s:s}", "traceEvents", events, "displayTimeUnit", "ms");
	text = json_dumps(all, JSON_INDENT(1) | JSON_REAL_PRECISION(12));
	rc = text ? fd_write_full(fd, text, strlen(text)) : -ENOMEM;
	free(text);
	json_decref(all);
	return rc;
}

/* --- SVG --- */

static void svg_text(FILE *f, double x, double y, const char *text, const char *more)
{
	fprintf(f, "<text x=\"%.1f\" y=\"%.1f\"%s>", x, y, more);
	for (; *text; text++) {
		if (*text == '&' || *text == '<' || *text == '>')
			fprintf(f, "&#%d;", *text);
		else
			fputc((unsigned char)*text < ' ' ? ' ' : *text, f);
	}
	fputs("</text>\n", f);
}

static double svg_x(const struct timeline_list *l, uint64_t at)
{
	double x = since(l, at) / since(l, l->end > l->begin ? l->end : l->begin + 1) * WIDTH;

	return LEFT + (x < 0 ? 0 : x > WIDTH ? WIDTH : x);
}

/* svg_entry() - one row: a bar or a tick, and behind it what it is and how long, or when, it was */
static void svg_entry(
	FILE *f, const struct timeline_list *l, const struct timeline_entry *en, const double at[2])
{
	static const char *const colours[] = {
		"#4878a8", "#d08040", "#58a068", "#a060a0", "#907040"};
	const char *colour = colours[(unsigned int)at[1] % ARRAY_SIZE(colours)];
	double x = svg_x(l, en->from), y = at[0], w = svg_x(l, en->to) - x;
	char text[TIMELINE_NAME + 32];

	if (en->from == en->to) {
		snprintf(text, sizeof(text), "%s at %.3f ms", en->name, since(l, en->from));
		fprintf(f, "<path d=\"M%.1f %.1f l4 6 l-4 6 l-4 -6 z\" fill=\"%s\"/>\n", x, y + 2,
			colour);
		w = 4;
	} else {
		snprintf(text, sizeof(text), "%s %.3f ms", en->name,
			since(l, en->to) - since(l, en->from));
		fprintf(f,
			"<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"12\" "
			"fill=\"%s\"/>\n",
			x, y + 2, w < 1 ? 1 : w, colour);
	}
	if (x + w > LEFT + WIDTH - 10 && x > LEFT + WIDTH / 2.0)
		svg_text(f, x - 6, y + 12, text, " text-anchor=\"end\"");
	else
		svg_text(f, (w > 400 ? x : x + w) + 6, y + 12, text, "");
}

/* svg_track() - all rows of a track. Return: where the next one begins. */
static double svg_track(
	FILE *f, const struct timeline_list *l, const struct tracks *tracks, const double at[2])
{
	unsigned int track = (unsigned int)at[1];
	double y = at[0];

	svg_text(f, 4, y + 12, tracks->names[track], " font-weight=\"bold\"");
	for (unsigned int i = 0; i < l->n; i++) {
		const struct timeline_entry *en = &l->entries[i];

		if (!entry_there(en) || strcmp(en->track, tracks->names[track]))
			continue;
		svg_entry(f, l, en, (double[]){y, at[1]});
		y += ROW;
	}
	return y + 4;
}

static void svg_axis(FILE *f, const struct timeline_list *l, double bottom)
{
	char text[32];

	for (unsigned int i = 0; i <= 10; i++) {
		double x = LEFT + WIDTH / 10.0 * i;

		fprintf(f, "<path d=\"M%.1f %d V%.1f\" stroke=\"#ddd\"/>\n", x, TOP - 8, bottom);
		snprintf(text, sizeof(text), "%.1f ms", since(l, l->end) / 10 * i);
		svg_text(f, x, TOP - 14, text, " text-anchor=\"middle\" fill=\"#666\"");
	}
}

int timeline_write_svg(const struct timeline_list *l, int fd)
{
	struct tracks tracks = tracks_all(l);
	unsigned int rows = 0;
	char *text = NULL;
	double y = TOP, height;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	int rc;

	if (!f)
		return -ENOMEM;
	for (unsigned int i = 0; i < l->n; i++)
		rows += entry_there(&l->entries[i]);
	height = TOP + rows * ROW + tracks.n * 4 + 10;
	fprintf(f,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%.0f\" "
		"font-family=\"sans-serif\" font-size=\"11\">\n"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
		LEFT + WIDTH + RIGHT, height);
	svg_axis(f, l, height - 6);
	for (unsigned int i = 0; i < tracks.n; i++)
		y = svg_track(f, l, &tracks, (double[]){y, i});
	fputs("</svg>\n", f);
	rc = fclose(f) ? -ENOMEM : fd_write_full(fd, text, len);
	free(text);
	return rc;
}
