/* SPDX-License-Identifier: Apache-2.0 */
/* The live view; see vmm/cli/top.h. */
#include "vmm/cli/top.h"

#include "base/num.h"
#include "vmm/api/http_client.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MIB_OF(bytes) ((double)(bytes) / (1 << 20))

/* top_get() - one answer's object. Return: 0 or -errno */
static int top_get(json_t **out, const char *socket, const char *call, struct err *e)
{
	char path[64];
	struct http_call request = {.socket = socket, .method = "GET", .path = path};
	struct http_answer answer;
	int rc;

	*out = NULL;
	snprintf(path, sizeof(path), "/api/v1/%s", call);
	rc = http_client_call(&answer, &request);
	if (rc)
		return err_sys(e, -rc, "--api-socket: '%s'", socket);
	if (answer.status == 200 && answer.body)
		*out = json_loads(answer.body, 0, NULL);
	free(answer.body);
	return *out ? 0 : err_set(e, ENOENT, "there is no VM that is up");
}

static long long number(const json_t *o, const char *section, const char *key)
{
	const json_t *in = section ? json_object_get(o, section) : o;

	return (long long)json_integer_value(json_object_get(in, key));
}

/* since() - how much a counter has grown since the last table */
static long long since(const json_t *now, const json_t *before, const char *name, const char *key)
{
	return before ? number(now, name, key) - number(before, name, key) : 0;
}

static void top_vcpus(const json_t *now, const json_t *before)
{
	static const char *const kinds[] = {"port", "mmio", "convert", "other"};
	const char *name;
	json_t *v;

	printf("%-12s %14s %12s %9s %9s %9s %9s\n", "VCPU", "EXITS", "PER SECOND", "PORT", "MMIO",
		"CONVERT", "OTHER");
	json_object_foreach((json_t *)now, name, v)
	{
		if (strncmp(name, "vcpu", 4))
			continue;
		printf("%-12s %14lld %12lld", name, number(v, NULL, "exits"),
			since(now, before, name, "exits"));
		for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
			printf(" %9lld", since(now, before, name, kinds[i]));
		putchar('\n');
	}
}

/* top_moved() - data of a device, whatever its kind calls the direction */
static long long top_moved(const json_t *now, const json_t *before, const char *name, bool out)
{
	static const char *const keys[][3] = {
		{"read_bytes", "rx_bytes", "in_bytes"}, {"write_bytes", "tx_bytes", "out_bytes"}};
	long long sum = 0;

	for (size_t i = 0; i < ARRAY_SIZE(keys[out]); i++)
		sum += since(now, before, name, keys[out][i]);
	return sum;
}

static void top_devices(const json_t *now, const json_t *before)
{
	const char *name;
	json_t *v;

	printf("\n%-12s %14s %12s %9s %9s %9s %9s\n", "DEVICE", "REQUESTS", "PER SECOND", "MiB IN",
		"MiB OUT", "ERRORS", "AVG us");
	json_object_foreach((json_t *)now, name, v)
	{
		if (!json_object_get(v, "requests"))
			continue;
		printf("%-12s %14lld %12lld %9.1f %9.1f %9lld %9.1f\n", name,
			number(v, NULL, "requests"), since(now, before, name, "requests"),
			MIB_OF(top_moved(now, before, name, false)),
			MIB_OF(top_moved(now, before, name, true)), number(v, NULL, "errors"),
			(double)number(v, NULL, "latency_avg_ns") / 1000);
	}
}

static void top_print(const json_t *now, const json_t *before, const json_t *sharing)
{
	top_vcpus(now, before);
	top_devices(now, before);
	printf("\n%-12s %14s\n", "MEMORY", "MiB");
	for (size_t i = 0; i < 4; i++) {
		static const char *const keys[] = {"private", "shared", "peak", "budget"};

		printf("%-12s %14.1f\n", keys[i], MIB_OF(number(sharing, NULL, keys[i])));
	}
	printf("\n%-12s %14lld %12lld\n", "conversions", number(sharing, NULL, "conversions"),
		before ? number(now, "memory", "conversions") -
				number(before, "memory", "conversions")
		       : 0);
	printf("%-12s %14lld\nlevel %s\n\n", "refused", number(sharing, NULL, "refused"),
		json_string_value(json_object_get(sharing, "level")));
	fflush(stdout);
}

int top_run(const char *socket, unsigned int rounds, struct err *e)
{
	json_t *before = NULL, *now, *sharing;
	int rc = 0;

	for (unsigned int i = 0; !rc && (!rounds || i < rounds); i++) {
		if (i)
			sleep(1);
		rc = top_get(&now, socket, "vm.counters", e);
		if (rc)
			break;
		rc = top_get(&sharing, socket, "vm.sharing", e);
		if (!rc && isatty(STDOUT_FILENO))
			fputs("\x1b[H\x1b[2J", stdout);
		if (!rc)
			top_print(now, before, sharing);
		json_decref(sharing);
		json_decref(before);
		before = now;
	}
	json_decref(before);
	return rc;
}
