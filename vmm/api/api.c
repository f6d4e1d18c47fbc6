/* SPDX-License-Identifier: Apache-2.0 */
/* The calls of the REST API; see vmm/api/api.h. */
#include "vmm/api/api.h"

#include "vmm/api/http.h"
#include "vmm/host_report.h"
#include "vmm/hv/vm_type.h"
#include "vmm/plug.h"
#include "vmm/policy.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BASE    "/api/v1/"
#define METRICS "/metrics"

struct api {
	struct api_desc desc;
	struct host_report report; /* made before the sandbox: it tries what is forbidden there */
	char *ping;                /* body of vmm.ping; never changes */
	pthread_mutex_t lock;      /* what follows is read by the API's thread */
	char *info;                /* body of vm.info as published last; NULL: no VM */
};

/* What a call gives in a state: its function is called, or it is answered without. */
enum answer {
	CALL,
	NO_VM,  /* 404 */
	EXISTS, /* 500, as by cloud-hypervisor, like all that follow */
	RUNNING,
	NOT_RUNNING,
	PAUSED,
	NOT_PAUSED,
	DONE, /* 204: nothing to do */
};

static const struct {
	int status;
	const char *code, *text;
} answers[] = {
	[NO_VM] = {404, "vm-not-created", "no VM was created"},
	[EXISTS] = {500, "vm-exists", "a VM was created already"},
	[RUNNING] = {500, "wrong-state", "the VM is running"},
	[NOT_RUNNING] = {500, "wrong-state", "the VM is not running"},
	[PAUSED] = {500, "wrong-state", "the VM is paused"},
	[NOT_PAUSED] = {500, "wrong-state", "the VM is not paused"},
};

/* Fills the reply; one that it leaves empty becomes a 204. */
typedef void (*call_fn)(struct api *api, const struct http_request *req, struct http_reply *r);

/* --- replies --- */

static void reply_json(struct http_reply *r, json_t *o)
{
	r->status = 200;
	r->body = json_dumps(o, JSON_COMPACT | JSON_ENSURE_ASCII);
	json_decref(o);
}

/* --- calls about the VMM --- */

/* api_make_ping() - Return: the body of vmm.ping, NULL without memory */
static char *api_make_ping(const struct hv_host *host)
{
	json_t *features = json_array(), *o;
	char lack[256], *text;

	json_array_append_new(features, json_string("kvm"));
	if (!vm_type_missing(vm_type_of(LEVEL_TDX), host, lack, sizeof(lack)))
		json_array_append_new(features, json_string("tdx"));
	if (!vm_type_missing(vm_type_of(LEVEL_SNP), host, lack, sizeof(lack)))
		json_array_append_new(features, json_string("sev_snp"));
	o = json_pack("{s:s,s:s,s:i,s:o}", "build_version", "cloister " CLOISTER_VERSION, "version",
		CLOISTER_VERSION, "pid", (int)getpid(), "features", features);
	text = json_dumps(o, JSON_COMPACT | JSON_ENSURE_ASCII);
	json_decref(o);
	return text;
}

static void call_ping(struct api *api, const struct http_request *req, struct http_reply *r)
{
	(void)req;
	r->status = 200;
	r->body = strdup(api->ping);
}

static void call_capabilities(struct api *api, const struct http_request *req, struct http_reply *r)
{
	(void)req;
	reply_json(r, host_report_json(&api->report));
}

static void call_vmm_shutdown(struct api *api, const struct http_request *req, struct http_reply *r)
{
	(void)req, (void)r;
	vmm_forget(api->desc.vmm);
	api->desc.shutdown(api->desc.ctx);
}

/* --- calls about the VM --- */

static struct plug_body body_of(const struct http_request *req)
{
	return (struct plug_body){req->body, req->body_len, req->fds, req->n_fds};
}

/* config_error() - a body was refused, or what it asks for could not be done */
static void config_error(struct http_reply *r, const char *what, const struct err *e)
{
	static const struct {
		int code, status;
		const char *name;
	} kinds[] = {
		{EINVAL, 400, "bad-config"},
		{EBADF, 400, "descriptor-mismatch"},
		{ENODEV, 400, "level-not-offered"},
		{EEXIST, 409, "not-unique"},
		{ENOENT, 404, "unknown-device"},
		{EPERM, 400, "not-removable"},
		{EACCES, 400, "level-forbids"},
		{ENOSYS, 501, "not-implemented"},
		{EAGAIN, 429, "busy"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (e->code == kinds[i].code) {
			http_error(r, kinds[i].status, kinds[i].name, what, e->text);
			return;
		}
	http_error(r, 500, "device-failed", what, e->text);
}

static void call_create(struct api *api, const struct http_request *req, struct http_reply *r)
{
	struct err e = ERR_INIT;
	struct plug_body body = body_of(req);

	if (vmm_configure(api->desc.vmm, &body, &e))
		config_error(r, "The VM can't be created", &e);
}

static void call_boot(struct api *api, const struct http_request *req, struct http_reply *r)
{
	struct err e = ERR_INIT;

	(void)req;
	if (vmm_boot(api->desc.vmm, &e))
		http_error(r, 500, "boot-failed", "The VM can't be booted", e.text);
}

static void call_info(struct api *api, const struct http_request *req, struct http_reply *r)
{
	uint64_t vcpus, ram;

	(void)req;
	vmm_size(api->desc.vmm, &vcpus, &ram);
	reply_json(r,
		json_pack("{s:o,s:s,s:I}", "config", vmm_config(api->desc.vmm), "state",
			vmm_state_name(api->desc.vmm), "memory_actual_size", (json_int_t)ram));
}

static void call_counters(struct api *api, const struct http_request *req, struct http_reply *r)
{
	(void)req;
	reply_json(r, vmm_counters(api->desc.vmm));
}

/* call_metrics() - not below /api/v1/: scrapers look there */
static void call_metrics(struct api *api, const struct http_request *req, struct http_reply *r)
{
	(void)req;
	r->body = vmm_metrics(api->desc.vmm);
	r->status = r->body ? 200 : 500;
	r->type = "text/plain; version=0.0.4";
}

static void call_sharing(struct api *api, const struct http_request *req, struct http_reply *r)
{
	(void)req;
	reply_json(r, vmm_sharing(api->desc.vmm));
}

static void call_measurement(
	struct api *api, const struct http_request *req, struct http_reply *r)
{
	(void)req;
	reply_json(r, vmm_measurement(api->desc.vmm));
}

static void call_delete(struct api *api, const struct http_request *req, struct http_reply *r)
{
	(void)req, (void)r;
	vmm_forget(api->desc.vmm);
}

static void call_shutdown(struct api *api, const struct http_request *req, struct http_reply *r)
{
	(void)req, (void)r;
	vmm_stop(api->desc.vmm);
}

static void call_pause(struct api *api, const struct http_request *req, struct http_reply *r)
{
	(void)req, (void)r;
	vmm_pause(api->desc.vmm);
}

static void call_resume(struct api *api, const struct http_request *req, struct http_reply *r)
{
	(void)req, (void)r;
	vmm_resume(api->desc.vmm);
}

static void call_power_button(struct api *api, const struct http_request *req, struct http_reply *r)
{
	(void)req, (void)r;
	vmm_push_button(api->desc.vmm);
}

static void call_nmi(struct api *api, const struct http_request *req, struct http_reply *r)
{
	struct err e = ERR_INIT;

	(void)req;
	if (vmm_nmi(api->desc.vmm, &e))
		http_error(r, 500, "nmi-failed", "No NMI can be raised", e.text);
}

static void call_reboot(struct api *api, const struct http_request *req, struct http_reply *r)
{
	vmm_stop(api->desc.vmm);
	call_boot(api, req, r);
}

/* forbidden() - does the level of the VM forbid it? Then *r is filled */
static bool forbidden(struct api *api, enum policy_feature feature, struct http_reply *r)
{
	struct err e = ERR_INIT;

	if (vmm_state(api->desc.vmm) == VMM_NOT_CREATED ||
		!policy_check(vmm_level(api->desc.vmm), feature, &e))
		return false;
	http_error(r, 400, "level-forbids", "This call is not possible for this VM", e.text);
	return true;
}

static void call_resize(struct api *api, const struct http_request *req, struct http_reply *r)
{
	struct err e = ERR_INIT;
	struct plug_body body = body_of(req);

	if (vmm_resize(api->desc.vmm, &body, &e))
		config_error(r, "The VM can't be resized", &e);
}

/* add_device() - plug in a device; what the answer is says whether the VM is up */
static void add_device(
	struct api *api, const struct http_request *req, struct http_reply *r, const char *kind)
{
	struct plug_body body = body_of(req);
	struct plugged plugged;
	struct err e = ERR_INIT;
	char bdf[16];

	if (vmm_add(api->desc.vmm, kind, &body, &plugged, &e)) {
		config_error(r, "The device can't be added", &e);
	} else if (plugged.hot) {
		snprintf(bdf, sizeof(bdf), "0000:00:%02x.0", plugged.slot);
		reply_json(r, json_pack("{s:s,s:s}", "id", plugged.id, "bdf", bdf));
	}
}

static void call_add_disk(struct api *api, const struct http_request *req, struct http_reply *r)
{
	add_device(api, req, r, "disk");
}

static void call_add_net(struct api *api, const struct http_request *req, struct http_reply *r)
{
	add_device(api, req, r, "net");
}

static void call_add_fs(struct api *api, const struct http_request *req, struct http_reply *r)
{
	add_device(api, req, r, "fs");
}

static void call_add_vsock(struct api *api, const struct http_request *req, struct http_reply *r)
{
	add_device(api, req, r, "vsock");
}

static void call_remove_device(
	struct api *api, const struct http_request *req, struct http_reply *r)
{
	json_t *body = json_loadb(req->body, req->body_len, JSON_REJECT_DUPLICATES, NULL);
	const char *id = json_string_value(json_object_get(body, "id"));
	struct err e = ERR_INIT;

	if (!id)
		http_error(r, 400, "bad-json", "The device can't be removed",
			"the body is no JSON object with an id");
	else if (vmm_remove(api->desc.vmm, id, &e))
		config_error(r, "The device can't be removed", &e);
	json_decref(body);
}

static void call_resize_disk(struct api *api, const struct http_request *req, struct http_reply *r)
{
	json_t *body = json_loadb(req->body, req->body_len, JSON_REJECT_DUPLICATES, NULL);
	const char *id = json_string_value(json_object_get(body, "id"));
	json_t *size = json_object_get(body, "desired_size");
	struct err e = ERR_INIT;

	if (!id || !json_is_integer(size) || json_integer_value(size) < 0)
		http_error(r, 400, "bad-json", "The disk can't be resized",
			"the body is no JSON object with an id and a desired_size");
	else if (vmm_resize_disk(api->desc.vmm, id, (uint64_t)json_integer_value(size), &e))
		config_error(r, "The disk can't be resized", &e);
	json_decref(body);
}

/* --- the table --- */

struct call {
	const char *method, *path;
	bool body;                   /* it must have one; the others must not */
	call_fn fn;                  /* NULL: 501 in every state */
	enum answer in[VMM_STATES];  /* not created, created, running, paused, shutdown */
	const char *missing;         /* of the ones without fn: what is not there */
	enum policy_feature feature; /* a level that forbids it is named first */
};

#define ALWAYS                                                                                     \
	{                                                                                          \
		CALL, CALL, CALL, CALL, CALL                                                       \
	}
#define WITH_VM                                                                                    \
	{                                                                                          \
		NO_VM, CALL, CALL, CALL, CALL                                                      \
	}
#define WHILE_UP                                                                                   \
	{                                                                                          \
		NO_VM, NOT_RUNNING, CALL, CALL, NOT_RUNNING                                        \
	}

static const struct call calls[] = {
	{"GET", "vmm.ping", false, call_ping, ALWAYS, NULL},
	{"GET", "vmm.capabilities", false, call_capabilities, ALWAYS, NULL},
	{"PUT", "vmm.shutdown", false, call_vmm_shutdown, ALWAYS, NULL},
	{"PUT", "vm.create", true, call_create, {CALL, EXISTS, EXISTS, EXISTS, EXISTS}, NULL},
	{"PUT", "vm.boot", false, call_boot, {NO_VM, CALL, RUNNING, PAUSED, CALL}, NULL},
	{"GET", "vm.info", false, call_info, WITH_VM, NULL},
	{"GET", "vm.counters", false, call_counters, WHILE_UP, NULL},
	{"GET", "vm.sharing", false, call_sharing, WHILE_UP, NULL},
	{"PUT", "vm.delete", false, call_delete, {DONE, CALL, CALL, CALL, CALL}, NULL},
	{"PUT", "vm.shutdown", false, call_shutdown, WHILE_UP, NULL},
	{"PUT", "vm.reboot", false, call_reboot, WHILE_UP, NULL},
	{"PUT", "vm.pause", false, call_pause, {NO_VM, NOT_RUNNING, CALL, PAUSED, NOT_RUNNING},
		NULL},
	{"PUT", "vm.resume", false, call_resume,
		{NO_VM, NOT_RUNNING, NOT_PAUSED, CALL, NOT_RUNNING}, NULL},
	{"PUT", "vm.resize", true, call_resize, WITH_VM, NULL},
	{"GET", "vm.measurement", false, call_measurement, WHILE_UP, .feature = POLICY_MEASUREMENT},
	{"PUT", "vm.power-button", false, call_power_button, WHILE_UP, NULL},
	{"PUT", "vm.nmi", false, call_nmi, WHILE_UP, NULL},
	{"PUT", "vm.resize-disk", true, call_resize_disk, WHILE_UP, NULL},
	{"PUT", "vm.resize-zone", .body = true, .missing = "memory zones"},
	{"PUT", "vm.add-disk", true, call_add_disk, WITH_VM, NULL},
	{"PUT", "vm.add-net", true, call_add_net, WITH_VM, NULL},
	{"PUT", "vm.add-fs", true, call_add_fs, WITH_VM, NULL},
	{"PUT", "vm.add-vsock", true, call_add_vsock, WITH_VM, NULL},
	{"PUT", "vm.add-pmem", .body = true, .missing = "pmem", .feature = POLICY_PMEM},
	{"PUT", "vm.add-device", .body = true, .missing = "VFIO"},
	{"PUT", "vm.add-user-device", .body = true, .missing = "vfio-user"},
	{"PUT", "vm.add-vdpa", .body = true, .missing = "vDPA"},
	{"PUT", "vm.add-generic-vhost-user", .body = true,
		.missing = "vhost-user back ends of others"},
	{"PUT", "vm.remove-device", true, call_remove_device, WITH_VM, NULL},
	{"PUT", "vm.snapshot", .body = true, .missing = "snapshots", .feature = POLICY_SNAPSHOT},
	{"PUT", "vm.restore", .body = true, .missing = "snapshots"},
	{"PUT", "vm.coredump", .body = true, .missing = "core dumps", .feature = POLICY_COREDUMP},
	{"PUT", "vm.send-migration", .body = true, .missing = "migration",
		.feature = POLICY_MIGRATION},
	{"PUT", "vm.receive-migration", .body = true, .missing = "migration"},
};

const char *api_path(unsigned int i)
{
	return i < ARRAY_SIZE(calls) ? calls[i].path : NULL;
}

static const struct call metrics = {"GET", METRICS, false, call_metrics, ALWAYS, NULL};

static const struct call *find_call(const char *path)
{
	if (strncmp(path, BASE, strlen(BASE)))
		return strcmp(path, METRICS) ? NULL : &metrics;
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (!strcmp(path + strlen(BASE), calls[i].path))
			return &calls[i];
	return NULL;
}

/* check_call() - what can be said against a request without doing anything. Return: false: said */
static bool check_call(
	const struct call *call, const struct http_request *req, struct http_reply *r)
{
	char text[128];

	if (!call) {
		http_error(r, 404, "not-found", "There is no such call", NULL);
	} else if (strcmp(req->method, call->method)) {
		snprintf(text, sizeof(text), "it is %s", call->method);
		http_error(r, 400, "bad-request", "Wrong method for this call", text);
	} else if (call->body != (req->body_len > 0)) {
		http_error(r, 400, "bad-request",
			call->body ? "This call needs a body" : "This call takes no body", NULL);
	} else {
		return true;
	}
	return false;
}

/* api_serve() - api_handle() without the publishing */
static void api_serve(struct api *api, const struct http_request *req, struct http_reply *r)
{
	const struct call *call = find_call(req->path);
	enum answer answer;
	char text[128];

	if (!check_call(call, req, r) || forbidden(api, call->feature, r))
		return;
	if (!call->fn) {
		snprintf(text, sizeof(text), "%s: not available yet", call->missing);
		http_error(r, 501, "not-implemented", "This call is not implemented", text);
		return;
	}
	answer = call->in[vmm_state(api->desc.vmm)];
	if (answer == CALL)
		call->fn(api, req, r);
	else if (answer != DONE)
		http_error(r, answers[answer].status, answers[answer].code,
			"This call is not possible now", answers[answer].text);
	if (!r->status)
		r->status = 204;
}

void api_publish(struct api *api)
{
	struct http_reply now = {0};
	char *old;

	if (vmm_state(api->desc.vmm) != VMM_NOT_CREATED)
		call_info(api, NULL, &now);
	pthread_mutex_lock(&api->lock);
	old = api->info;
	api->info = now.body;
	pthread_mutex_unlock(&api->lock);
	free(old);
}

void api_handle(struct api *api, const struct http_request *req, struct http_reply *r)
{
	api_serve(api, req, r);
	api_publish(api);
}

bool api_quick(struct api *api, const struct http_request *req, struct http_reply *r)
{
	if (strcmp(req->method, "GET") || req->body_len)
		return false;
	if (!strcmp(req->path, BASE "vmm.ping")) {
		call_ping(api, req, r);
		return true;
	}
	if (strcmp(req->path, BASE "vm.info"))
		return false;
	pthread_mutex_lock(&api->lock);
	r->body = api->info ? strdup(api->info) : NULL;
	pthread_mutex_unlock(&api->lock);
	r->status = r->body ? 200 : 0;
	return r->body; /* without a VM, or memory, the main thread says why */
}

int api_create(struct api **out, const struct api_desc *desc, struct err *e)
{
	struct api *api = calloc(1, sizeof(*api));
	struct hv_host host;

	*out = api;
	if (!api)
		return err_sys(e, ENOMEM, "API");
	api->desc = *desc;
	pthread_mutex_init(&api->lock, NULL);
	hv_host_probe(&host);
	host_report_make(&api->report, &host);
	api->ping = api_make_ping(&host);
	hv_host_close(&host);
	return api->ping ? 0 : err_sys(e, ENOMEM, "API");
}

void api_destroy(struct api *api)
{
	if (!api)
		return;
	pthread_mutex_destroy(&api->lock);
	free(api->info);
	free(api->ping);
	free(api);
}
