/* SPDX-License-Identifier: Apache-2.0 */
/* `cloister rtmr`: replay a TD's event log, and compare it with a quote. */
#include "attestation/rtmr.h"

#include "attestation/tdx_quote.h"
#include "base/file_map.h"
#include "base/hex.h"
#include "vmm/cli/cli.h"
#include "vmm/cli/explain.h"
#include "vmm/cli/options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char usage[] =
	"Usage: cloister rtmr --eventlog FILE [--quote FILE] [--explain FILE]\n"
	"\n"
	"Replays the event log of a TD and prints the four RTMRs as JSON. The log is what the guest\n"
	"finds in /sys/firmware/acpi/tables/data/CCEL.\n"
	"\n"
	"  cloister rtmr --eventlog ccel.bin | jq -r '.rtmr[1]'\n"
	"  # do log and quote belong together? (verify the quote too: `cloister verify tdx-quote`)\n"
	"  cloister rtmr --eventlog ccel.bin --quote quote.bin || echo no\n"
	"  # event by event, for diff\n"
	"  cloister rtmr --eventlog ccel.bin --explain events.txt\n";

static const char notes[] = "Exit status: 0; 1 if the quote has other RTMRs; 2 for a malformed "
			    "log or quote.\n";

static int rtmr_read_log(struct rtmr *out, const char *path, const char *explain, struct err *e)
{
	cleanup_file_map struct file_map log = FILE_MAP_INIT;
	struct explain x = {.to = NULL};
	int ret = file_map_open(&log, path, e);

	if (!ret && explain)
		ret = explain_open(&x, explain, e);
	if (!ret)
		ret = rtmr_replay(out, file_map_bytes(&log), explain ? &x.trace : NULL, e);
	if (!ret && explain)
		ret = explain_finish(&x, e);
	explain_close(&x);
	return ret;
}

static int rtmr_read_quote(struct rtmr *out, const char *path, struct err *e)
{
	cleanup_file_map struct file_map map = FILE_MAP_INIT;
	struct tdx_quote quote;
	int ret = file_map_open(&map, path, e);

	if (!ret && tdx_quote_parse(&quote, file_map_bytes(&map), e))
		ret = err_context(e, "'%s'", path);
	if (!ret)
		rtmr_of_quote(out, &quote);
	return ret;
}

static void rtmr_print(const struct rtmr *r)
{
	printf("{\"rtmr\":[");
	for (size_t i = 0; i < RTMR_COUNT; i++) {
		char text[HEX_TEXT_LEN(RTMR_LEN)];

		hex_encode(text, r->value[i], RTMR_LEN);
		printf("%s\"%s\"", i ? "," : "", text);
	}
	printf("]");
}

/* rtmr_compare() - print the verdict on a quote. Return: the exit status. */
static int rtmr_compare(const struct options *o, const struct rtmr *log, const struct rtmr *quote)
{
	struct err e = ERR_INIT;

	for (unsigned int i = 0; i < RTMR_COUNT; i++)
		if (memcmp(log->value[i], quote->value[i], RTMR_LEN) != 0) {
			err_set(&e, EBADMSG, "RTMR%u of the quote differs from the replay", i);
			printf(",\"match\":false,\"error\":\"%s\"}\n", e.text);
			options_fail(o, &e);
			return CLI_REFUSED;
		}
	printf(",\"match\":true,\"error\":null}\n");
	return options_done(o);
}

int cli_rtmr(int argc, char **argv)
{
	const char *log_path = NULL, *quote_path = NULL, *explain = NULL;
	const struct option_row rows[] = {
		{"--eventlog", OPTION_TEXT, &log_path, .value = "FILE", .help = "CC event log"},
		{"--quote", OPTION_TEXT, &quote_path, .value = "FILE",
			.help = "TDX quote, v4 or v5"},
		{"--explain", OPTION_TEXT, &explain, .value = "FILE",
			.help = "write every event that extends a register; - for stdout"},
	};
	const struct options o = {"rtmr", usage, notes, rows, ARRAY_SIZE(rows)};
	struct err e = ERR_INIT;
	struct rtmr log, quote;
	int ret = options_parse(&o, argc, argv, &e);

	if (ret > 0)
		return CLI_OK;
	if (!ret && !log_path)
		ret = err_set(&e, EINVAL, "--eventlog is needed");
	if (!ret)
		ret = rtmr_read_log(&log, log_path, explain, &e);
	if (!ret && quote_path)
		ret = rtmr_read_quote(&quote, quote_path, &e);
	if (ret)
		return options_fail(&o, &e);
	rtmr_print(&log);
	if (quote_path)
		return rtmr_compare(&o, &log, &quote);
	puts("}");
	return options_done(&o);
}
