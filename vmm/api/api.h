/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct api: the REST API, wire-compatible with cloud-hypervisor's: the table of calls in api.c,
 * served over HTTP. docs/api.md is its manual.
 */
#ifndef VMM_API_API_H
#define VMM_API_API_H

#include "base/err.h"
#include "vmm/vmm.h"

#include <stdbool.h>
#include <stddef.h>

struct api;
struct http_reply;
struct http_request;

struct api_desc {
	struct vmm *vmm;
	/* vmm.shutdown: the VM is gone already; the reply is written after this returns. */
	void (*shutdown)(void *ctx);
	void *ctx;
};

/* api_create() - Return: 0 or -ENOMEM. */
int api_create(struct api **out, const struct api_desc *desc, struct err *e) MUST_CHECK;

/* api_destroy() - free; NULL is allowed. */
void api_destroy(struct api *api);

/* api_handle() - serve a request, main thread; *reply is zeroed. Publishes what it changed. */
void api_handle(struct api *api, const struct http_request *req, struct http_reply *reply);

/*
 * api_quick() - answer what takes no work, from what was published last: vmm.ping and vm.info. Any
 * thread. Return: false if it is none of these; the reply is untouched then.
 */
bool api_quick(struct api *api, const struct http_request *req, struct http_reply *reply);

/* api_publish() - let api_quick() know the state; also after the VM ended by itself. Main thread.
 */
void api_publish(struct api *api);

/* api_path() - Return: the path of call i without "/api/v1/", NULL past the last; for tests. */
const char *api_path(unsigned int i);

#endif
