/* SPDX-License-Identifier: Apache-2.0 */
/* The trace of a digest as text; see vmm/cli/explain.h. */
#include "vmm/cli/explain.h"

#include "base/hex.h"

#include <errno.h>
#include <string.h>

static void explain_step(void *to, const struct trace_step *step)
{
	char contents[HEX_TEXT_LEN(DIGEST_MAX_LEN)] = "-", running[HEX_TEXT_LEN(DIGEST_MAX_LEN)];
	char gpa[24] = "-";

	if (step->contents)
		hex_encode(contents, step->contents, step->digest_len);
	hex_encode(running, step->running, step->digest_len);
	if (step->gpa.v != TRACE_NO_GPA)
		snprintf(gpa, sizeof(gpa), "0x%012llx", (unsigned long long)step->gpa.v);
	fprintf(to, "%-12s %-14s %5llu %s %s\n", step->what, gpa, (unsigned long long)step->len,
		contents, running);
}

int explain_open(struct explain *x, const char *path, struct err *e)
{
	*x = (struct explain){.to = NULL};
	x->to = strcmp(path, "-") ? fopen(path, "we") : open_memstream(&x->text, &x->len);
	if (!x->to)
		return err_sys(e, errno, "%s", path);
	x->trace = (struct trace){.step = explain_step, .to = x->to};
	fputs("# what, address, bytes, digest of the contents, digest so far\n", x->to);
	return 0;
}

int explain_finish(struct explain *x, struct err *e)
{
	bool bad = fflush(x->to) || ferror(x->to);

	if (!bad && x->text)
		bad = fwrite(x->text, 1, x->len, stdout) != x->len;
	return bad ? err_set(e, EIO, "the explanation could not be written") : 0;
}

void explain_close(struct explain *x)
{
	if (x->to)
		fclose(x->to);
	free(x->text);
	*x = (struct explain){.to = NULL};
}
