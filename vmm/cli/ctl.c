/* SPDX-License-Identifier: Apache-2.0 */
/* `cloister ctl`: the client of a daemon's API. A verb is a row of the table. */
#include "vmm/cli/cli.h"

#include "base/fd.h"
#include "vmm/api/http_client.h"
#include "vmm/cli/top.h"
#include "vmm/config_json.h"
#include "vmm/keyval.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char help_head[] =
	"Usage: cloister ctl --api-socket PATH [--json] VERB [ARGUMENTS]\n"
	"\n"
	"Drives a daemon that was started with `cloister --api-socket PATH`. Examples:\n"
	"\n"
	"  cloister ctl --api-socket vm.sock create config.json\n"
	"  cloister ctl --api-socket vm.sock boot\n"
	"  cloister ctl --api-socket vm.sock --json info | jq .state\n"
	"\n"
	"Verbs:\n";
static const char help_tail[] =
	"\n"
	"  *: not built yet; the daemon answers with the reason\n"
	"\n"
	"  --json  print answers as they are, for scripts; else one `path value` line each\n"
	"\n"
	"Exit status: 0 done; 1 the daemon refused: its reason is on standard error; 2 bad usage, or no\n"
	"daemon.\n";

struct verb;

struct ctl {
	const char *socket;
	bool json;
	const struct verb *verb;
	int argc; /* of what follows the verb */
	char **argv;
	char *body;          /* allocated; NULL: none */
	unsigned int waited; /* seconds, told to a person at a terminal */
};

struct verb {
	const char *name, *method, *path;
	int max_args;
	int (*body)(struct ctl *c, struct err *e); /* NULL: none */
	const char *help;
	const char *key; /* of the body, where a function serves several verbs */
};

/* --- bodies --- */

#define CONFIG_MAX (4u << 20)

/* ctl_create_body() - the VmConfig of a file, or of standard input for "-" */
static int ctl_create_body(struct ctl *c, struct err *e)
{
	const char *path = c->argc ? c->argv[0] : "-";
	cleanup_fd int fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC)
					      : fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	size_t len = 0;
	ssize_t n = 1;

	if (fd < 0)
		return err_sys(e, errno, "'%s'", path);
	c->body = calloc(1, CONFIG_MAX + 1);
	if (!c->body)
		return err_sys(e, ENOMEM, "'%s'", path);
	while (n && len < CONFIG_MAX) {
		n = read(fd, c->body + len, CONFIG_MAX - len);
		if (n < 0)
			return err_sys(e, errno, "'%s'", path);
		len += (size_t)n;
	}
	return n ? err_set(e, EFBIG, "'%s': larger than 4 MiB", path) : 0;
}

/* ctl_resize_one() - a flag of resize and its value, into o */
static int ctl_resize_one(json_t *o, const char *flag, const char *value, struct err *e)
{
	static const struct {
		const char *flag, *key;
		bool size;
	} flags[] = {
		{"--cpus", "desired_vcpus", false},
		{"--memory", "desired_ram", true},
		{"--balloon", "desired_balloon", true},
	};
	uint64_t v;

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		if (strcmp(flag, flags[i].flag))
			continue;
		if (!keyval_number(value, flags[i].size, &v) || v > INT64_MAX)
			return err_set(e, EINVAL, "%s: '%s' is not a number", flag, value);
		json_object_set_new(o, flags[i].key, json_integer((json_int_t)v));
		return 0;
	}
	return err_set(e, EINVAL, "resize: unknown flag '%s'", flag);
}

/* ctl_resize_body() - `--cpus N`, `--memory S`, `--balloon S` */
static int ctl_resize_body(struct ctl *c, struct err *e)
{
	json_t *o = json_object();
	int rc = 0;

	for (int i = 0; i + 1 < c->argc && !rc; i += 2)
		rc = ctl_resize_one(o, c->argv[i], c->argv[i + 1], e);
	if (!rc && (!c->argc || c->argc % 2))
		rc = err_set(e, EINVAL, "resize: give --cpus N, --memory SIZE or --balloon SIZE");
	if (!rc)
		c->body = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	return rc;
}

/* ctl_flag_body() - a device as a flag of `cloister run` takes it */
static int ctl_flag_body(struct ctl *c, const char *flag, struct err *e)
{
	json_t *o;

	if (!c->argc)
		return err_set(
			e, EINVAL, "add-%s: give what --%s of `cloister run` takes", flag, flag);
	if (config_json_of_flag(&o, flag, c->argv[0], e))
		return -EINVAL;
	c->body = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	return 0;
}

static int ctl_disk_body(struct ctl *c, struct err *e)
{
	return ctl_flag_body(c, "disk", e);
}

static int ctl_net_body(struct ctl *c, struct err *e)
{
	return ctl_flag_body(c, "net", e);
}

static int ctl_fs_body(struct ctl *c, struct err *e)
{
	return ctl_flag_body(c, "fs", e);
}

static int ctl_vsock_body(struct ctl *c, struct err *e)
{
	return ctl_flag_body(c, "vsock", e);
}

/* ctl_word_body() - one word, by the verb's key */
static int ctl_word_body(struct ctl *c, struct err *e)
{
	json_t *o = c->argc ? json_pack("{s:s}", c->verb->key, c->argv[0]) : NULL;

	if (!o)
		return err_set(
			e, EINVAL, "%s: give what `cloister ctl --help` says", c->verb->name);
	c->body = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	return 0;
}

/*
 * ctl_pairs_body() - `key=value,...` as strings; a first item without '=' goes to the verb's key.
 * For calls that are not built yet: the daemon says so, whatever the types are.
 */
static int ctl_pairs_body(struct ctl *c, struct err *e)
{
	cleanup_free char *text = c->argc ? strdup(c->argv[0]) : NULL;
	json_t *o;

	if (!text || !strchr(text, '='))
		return ctl_word_body(c, e);
	o = json_object();
	for (char *rest = text, *item; (item = strsep(&rest, ",")) != NULL;) {
		char *value = strchr(item, '=');

		if (value)
			*value++ = '\0';
		json_object_set_new(
			o, value ? item : c->verb->key, json_string(value ? value : item));
	}
	c->body = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	return c->body ? 0 : err_sys(e, EINVAL, "%s", c->verb->name);
}

/* ctl_top() - `top [ROUNDS]` */
static int ctl_top(const struct ctl *c, struct err *e)
{
	uint64_t rounds = 0;

	if (c->argc && (!keyval_number(c->argv[0], false, &rounds) || rounds > 1000000))
		return err_set(e, EINVAL, "top: '%s' is not a number of tables", c->argv[0]);
	return top_run(c->socket, (unsigned int)rounds, e);
}

/* ctl_resize_named_body() - `ID SIZE`, or `--disk ID --size SIZE` (`--id ID` of a zone) */
static int ctl_resize_named_body(struct ctl *c, struct err *e)
{
	const char *id = NULL, *text = NULL;
	uint64_t size;
	json_t *o;

	if (c->argc == 2 && c->argv[0][0] != '-') {
		id = c->argv[0];
		text = c->argv[1];
	}
	for (int i = 0; i + 1 < c->argc && c->argc == 4; i += 2) {
		if (!strcmp(c->argv[i], "--size"))
			text = c->argv[i + 1];
		else if (!strcmp(c->argv[i], "--disk") || !strcmp(c->argv[i], "--id"))
			id = c->argv[i + 1];
	}
	if (!id || !text || !keyval_number(text, true, &size) || size > INT64_MAX)
		return err_set(e, EINVAL, "%s: give an id and a size, as 10G", c->verb->name);
	o = json_pack("{s:s,s:I}", "id", id, c->verb->key, (json_int_t)size);
	c->body = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	return 0;
}

static const struct verb verbs[] = {
	{"ping", "GET", "vmm.ping", 0, NULL, "is the daemon there?"},
	{"create", "PUT", "vm.create", 1, ctl_create_body,
		"[FILE|-] create a VM from a VmConfig in JSON"},
	{"boot", "PUT", "vm.boot", 0, NULL, "start it"},
	{"info", "GET", "vm.info", 0, NULL, "its config and state"},
	{"counters", "GET", "vm.counters", 0, NULL, "exits of vCPUs, conversions"},
	{"sharing", "GET", "vm.sharing", 0, NULL, "private and shared memory"},
	{"top", "GET", NULL, 1, NULL, "[N] exits, conversions and memory, every second"},
	{"pause", "PUT", "vm.pause", 0, NULL, "stop its vCPUs"},
	{"resume", "PUT", "vm.resume", 0, NULL, "let them go on"},
	{"resize", "PUT", "vm.resize", 6, ctl_resize_body,
		"[--cpus N] [--memory SIZE] [--balloon SIZE]"},
	{"add-disk", "PUT", "vm.add-disk", 1, ctl_disk_body,
		"path=F[,readonly=on,id=ID,...] add a disk, also to a running VM"},
	{"add-net", "PUT", "vm.add-net", 1, ctl_net_body,
		"tap=NAME[,mac=MAC,id=ID,...] add a network device, also to a running VM"},
	{"add-fs", "PUT", "vm.add-fs", 1, ctl_fs_body,
		"tag=NAME,socket=PATH add a virtiofsd's file system, also to a running VM"},
	{"add-vsock", "PUT", "vm.add-vsock", 1, ctl_vsock_body,
		"cid=N,socket=PATH add the vsock device, also to a running VM"},
	{"add-pmem", "PUT", "vm.add-pmem", 1, ctl_pairs_body, "file=F *", "file"},
	{"add-device", "PUT", "vm.add-device", 1, ctl_pairs_body, "path=F *", "path"},
	{"add-user-device", "PUT", "vm.add-user-device", 1, ctl_pairs_body, "socket=PATH *",
		"socket"},
	{"add-vdpa", "PUT", "vm.add-vdpa", 1, ctl_pairs_body, "path=F *", "path"},
	{"add-generic-vhost-user", "PUT", "vm.add-generic-vhost-user", 1, ctl_pairs_body,
		"socket=PATH *", "socket"},
	{"resize-disk", "PUT", "vm.resize-disk", 4, ctl_resize_named_body,
		"ID SIZE give a disk another size", "desired_size"},
	{"resize-zone", "PUT", "vm.resize-zone", 4, ctl_resize_named_body, "ID SIZE *",
		"desired_ram"},
	{"remove-device", "PUT", "vm.remove-device", 1, ctl_word_body, "ID remove a device", "id"},
	{"power-button", "PUT", "vm.power-button", 0, NULL, "ask the guest to switch itself off"},
	{"nmi", "PUT", "vm.nmi", 0, NULL, "raise an NMI on every vCPU"},
	{"measurement", "GET", "vm.measurement", 0, NULL, "its launch measurement"},
	{"reboot", "PUT", "vm.reboot", 0, NULL, "shut down and boot"},
	{"shutdown", "PUT", "vm.shutdown", 0, NULL, "end the VM, keep its config"},
	{"delete", "PUT", "vm.delete", 0, NULL, "end the VM, forget its config"},
	{"capabilities", "GET", "vmm.capabilities", 0, NULL, "what the host offers"},
	{"coredump", "PUT", "vm.coredump", 1, ctl_word_body, "URL *", "destination_url"},
	{"snapshot", "PUT", "vm.snapshot", 1, ctl_word_body, "URL *", "destination_url"},
	{"restore", "PUT", "vm.restore", 1, ctl_pairs_body, "source_url=URL *", "source_url"},
	{"send-migration", "PUT", "vm.send-migration", 1, ctl_pairs_body, "destination_url=URL *",
		"destination_url"},
	{"receive-migration", "PUT", "vm.receive-migration", 1, ctl_pairs_body,
		"receiver_url=URL *", "receiver_url"},
	{"shutdown-vmm", "PUT", "vmm.shutdown", 0, NULL, "end the VM and the daemon"},
};

/* --- printing --- */

#define PRINT_DEPTH 16

/* ctl_print_leaf() - `path value` */
static void ctl_print_leaf(const json_t *value, const char *path)
{
	char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_ENSURE_ASCII);

	if (json_is_string(value) && !strpbrk(json_string_value(value), "\x1b\n\r"))
		printf("%-32s %s\n", path, json_string_value(value));
	else
		printf("%-32s %s\n", path, text ? text : "?");
	free(text);
}

/* ctl_print() - every leaf; what is nested deeper than PRINT_DEPTH stays JSON */
static void ctl_print(json_t *value, const char *path, int depth)
{
	char below[160];
	const char *key;
	json_t *v;
	size_t i;

	if (depth == PRINT_DEPTH || (!json_is_object(value) && !json_is_array(value))) {
		ctl_print_leaf(value, path);
		return;
	}
	json_object_foreach(value, key, v)
	{
		snprintf(below, sizeof(below), "%.100s%s%.50s", path, *path ? "." : "", key);
		ctl_print(v, below, depth + 1);
	}
	json_array_foreach(value, i, v)
	{
		snprintf(below, sizeof(below), "%.100s[%zu]", path, i);
		ctl_print(v, below, depth + 1);
	}
}

/* ctl_print_refusal() - the strings of the body, outermost first */
static void ctl_print_refusal(const struct http_answer *a)
{
	json_t *list = json_loads(a->body ? a->body : "[]", 0, NULL), *text;
	size_t i;

	fprintf(stderr, "cloister ctl: ");
	json_array_foreach(list, i, text)
		fprintf(stderr, "%s%s", i ? ": " : "", json_string_value(text) ?: "?");
	if (!json_array_size(list))
		fprintf(stderr, "status %d", a->status);
	fputc('\n', stderr);
	json_decref(list);
}

static int ctl_show(const struct ctl *c, const struct http_answer *a)
{
	json_t *body;

	if (a->status >= 300) {
		ctl_print_refusal(a);
		return CLI_REFUSED;
	}
	if (!a->body)
		return CLI_OK;
	if (c->json) {
		puts(a->body);
		return CLI_OK;
	}
	body = json_loads(a->body, 0, NULL);
	ctl_print(body, "", 0);
	json_decref(body);
	return CLI_OK;
}

/* --- the verb --- */

static void ctl_help(void)
{
	fputs(help_head, stdout);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		printf("  %-22s %s\n", verbs[i].name, verbs[i].help);
	fputs(help_tail, stdout);
}

/* ctl_parse() - Return: the verb, NULL with *e set */
static const struct verb *ctl_parse(struct ctl *c, int argc, char **argv, struct err *e)
{
	int i = 1;

	for (; i < argc && argv[i][0] == '-'; i++) {
		if (!strcmp(argv[i], "--json")) {
			c->json = true;
		} else if (!strncmp(argv[i], "--api-socket=", 13)) {
			c->socket = argv[i] + 13;
		} else if (!strcmp(argv[i], "--api-socket") && i + 1 < argc) {
			c->socket = argv[++i];
		} else {
			err_set(e, EINVAL, "unknown flag '%s'; see `cloister ctl --help`", argv[i]);
			return NULL;
		}
	}
	c->argc = argc - i - 1;
	c->argv = argv + i + 1;
	for (size_t v = 0; i < argc && v < ARRAY_SIZE(verbs); v++)
		if (!strcmp(argv[i], verbs[v].name) && c->argc <= verbs[v].max_args)
			return &verbs[v];
	err_set(e, EINVAL, "'%s' with %d arguments is no verb; see `cloister ctl --help`",
		i < argc ? argv[i] : "", i < argc ? c->argc : 0);
	return NULL;
}

/* ctl_waiting() - a person who waits is told for how long */
static void ctl_waiting(void *ctx)
{
	struct ctl *c = ctx;

	fprintf(stderr, "\rcloister ctl: %s: %u s ", c->verb->name, ++c->waited);
}

static int ctl_call(struct ctl *c, const struct verb *verb, struct err *e)
{
	char path[64];
	struct http_call call = {
		.method = verb->method,
		.path = path,
		.waiting = isatty(STDERR_FILENO) ? ctl_waiting : NULL,
		.ctx = c,
		.wait_ms = 1000,
	};
	struct http_answer answer;
	int rc = c->socket ? 0 : err_set(e, EINVAL, "--api-socket: is missing");

	c->verb = verb;
	if (!rc && verb->body)
		rc = verb->body(c, e);
	if (rc)
		return rc;
	if (!strncmp(c->socket, "path=", 5))
		c->socket += 5;
	if (!verb->path)
		return ctl_top(c, e);
	snprintf(path, sizeof(path), "/api/v1/%s", verb->path);
	call.socket = c->socket;
	call.body = c->body;
	rc = http_client_call(&answer, &call);
	if (c->waited)
		fputc('\n', stderr);
	if (rc)
		return err_sys(e, -rc, "--api-socket: '%s'", c->socket);
	rc = ctl_show(c, &answer);
	free(answer.body);
	return rc;
}

int cli_ctl(int argc, char **argv)
{
	struct ctl c = {0};
	struct err e = ERR_INIT;
	const struct verb *verb;
	int rc;

	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
			ctl_help();
			return CLI_OK;
		}
	verb = ctl_parse(&c, argc, argv, &e);
	rc = verb ? ctl_call(&c, verb, &e) : -EINVAL;
	free(c.body);
	if (rc < 0)
		fprintf(stderr, "cloister ctl: %s\n", e.text);
	return rc < 0 ? CLI_USAGE : rc;
}
