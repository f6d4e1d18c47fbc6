/* SPDX-License-Identifier: Apache-2.0 */
/* Device processes; see devices/back/process.h. */
#include "devices/back/process.h"

#include "base/fd.h"
#include "base/log.h"
#include "devices/back/balloon.h"
#include "devices/back/blk.h"
#include "devices/back/console.h"
#include "devices/back/mem.h"
#include "devices/back/net.h"
#include "devices/back/rng.h"
#include "devices/back/vhost_user_server.h"
#include "devices/back/vsock.h"
#include "devices/wire/counters.h"
#include "memory/shared_area.h"
#include "seccomp/filter.h"
#include "seccomp/jail.h"
#include "seccomp/program.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

/* What a kind's create function gets: fds are its own descriptors and become the device's. */
struct made {
	const struct spawn_request *req;
	const int *fds;
	struct loop *loop;
	struct back_device *device; /* out */
};

static int make_blk(struct made *m, struct err *e)
{
	struct blk_config config = {
		.loop = m->loop,
		.name = m->req->name,
		.image_fd = m->fds[0],
		.read_only = m->req->flags & SPAWN_READ_ONLY,
		.limits = m->req->limits,
		.n_queues = m->req->n_queues ? m->req->n_queues : 1,
	};
	struct blk *blk;

	memcpy(config.serial, m->req->serial, sizeof(config.serial));
	if (blk_create(&blk, &config, e) < 0)
		return -e->code;
	m->device = blk_device(blk);
	return 0;
}

static int make_rng(struct made *m, struct err *e)
{
	const struct rng_config config = {
		.loop = m->loop, .name = m->req->name, .source_fd = m->fds[0]};
	struct rng *rng;

	if (rng_create(&rng, &config, e) < 0)
		return -e->code;
	m->device = rng_device(rng);
	return 0;
}

static int make_console(struct made *m, struct err *e)
{
	const struct console_config config = {
		.loop = m->loop,
		.name = m->req->name,
		.input_fd = m->fds[0],
		.output_fd = m->fds[1],
	};
	struct console *console;

	if (console_create(&console, &config, e) < 0)
		return -e->code;
	m->device = console_device(console);
	return 0;
}

static int make_balloon(struct made *m, struct err *e)
{
	const struct balloon_config config = {
		.loop = m->loop,
		.name = m->req->name,
		.state_fd = m->fds[0],
		.changed_fd = m->fds[1],
	};
	struct balloon *balloon;

	if (balloon_create(&balloon, &config, e) < 0)
		return -e->code;
	m->device = balloon_device(balloon);
	return 0;
}

static int make_mem(struct made *m, struct err *e)
{
	const struct mem_config config = {
		.loop = m->loop,
		.name = m->req->name,
		.state_fd = m->fds[0],
		.changed_fd = m->fds[1],
	};
	struct mem *mem;

	if (mem_create(&mem, &config, e) < 0)
		return -e->code;
	m->device = mem_device(mem);
	return 0;
}

static int make_net(struct made *m, struct err *e)
{
	struct net_config config = {
		.loop = m->loop,
		.name = m->req->name,
		.taps = m->fds,
		.n_pairs = m->req->n_queues / 2,
		.offloads = m->req->offloads,
		.mtu = m->req->mtu,
		.limits = m->req->limits,
	};
	struct net *net;

	memcpy(config.mac, m->req->mac, sizeof(config.mac));
	if (net_create(&net, &config, e) < 0)
		return -e->code;
	m->device = net_device(net);
	return 0;
}

static int make_vsock(struct made *m, struct err *e)
{
	const struct vsock_config config = {
		.loop = m->loop,
		.name = m->req->name,
		.cid = m->req->cid,
		.listen_fd = m->fds[0],
		.dial_fd = m->fds[1],
	};
	struct vsock *vsock;

	if (vsock_create(&vsock, &config, e) < 0)
		return -e->code;
	m->device = vsock_device(vsock);
	return 0;
}

static const struct kind {
	const char *process; /* its name in ps */
	enum filter_role role;
	size_t n_fds; /* of its own; net: one for each pair of queues instead */
	int (*make)(struct made *m, struct err *e);
	bool dials;           /* has PROCESS_DIALER_FDS more */
	unsigned int max_fds; /* that it may have open beside those of its queues */
} kinds[] = {
	[SPAWN_BLK] = {"cl-blk", FILTER_BLK, 1, make_blk},
	[SPAWN_RNG] = {"cl-rng", FILTER_RNG, 1, make_rng},
	[SPAWN_CONSOLE] = {"cl-console", FILTER_CONSOLE, 2, make_console},
	[SPAWN_BALLOON] = {"cl-balloon", FILTER_BALLOON, 2, make_balloon},
	[SPAWN_MEM] = {"cl-mem", FILTER_BALLOON, 2, make_mem},
	[SPAWN_NET] = {"cl-net", FILTER_NET, 0, make_net},
	[SPAWN_VSOCK] = {"cl-vsock", FILTER_VSOCK, 0, make_vsock, true, VSOCK_FDS},
};

/* request_fds() - Return: the descriptors that a request of a known kind must carry. */
static size_t request_fds(const struct spawn_request *req)
{
	size_t own = req->kind == SPAWN_NET ? req->n_queues / 2u : kinds[req->kind].n_fds;

	return 1u + (req->flags & SPAWN_LEDGER ? 1u : 0u) +
		(req->flags & SPAWN_COUNTERS ? 1u : 0u) + own;
}

/* pairs_ok() - two queues for each tap, and the control queue */
static bool pairs_ok(unsigned int n_queues)
{
	return n_queues % 2 && n_queues >= 3 && n_queues / 2 <= SPAWN_TAPS_MAX;
}

int process_check(const struct spawn_request *req, size_t n_fds, struct err *e)
{
	size_t want;

	if (req->magic != SPAWN_MAGIC || (req->flags & ~SPAWN_FLAGS) || req->reserved)
		return err_set(e, EINVAL, "spawn: not a request that is understood here");
	if (req->kind >= ARRAY_SIZE(kinds) || !kinds[req->kind].make)
		return err_set(e, EINVAL, "spawn: device kind %u", req->kind);
	if (!memchr(req->name, 0, sizeof(req->name)) || req->log_level > LOG_DEBUG ||
		!memchr(req->path, 0, sizeof(req->path)))
		return err_set(e, EINVAL, "spawn: name or path without end, or unknown log level");
	if (req->n_queues > DEVICE_QUEUES_MAX ||
		(req->kind == SPAWN_NET && !pairs_ok(req->n_queues)))
		return err_set(e, EINVAL, "spawn: %u queues", req->n_queues);
	want = request_fds(req);
	if (n_fds != want)
		return err_set(e, EINVAL, "spawn: %zu descriptors instead of %zu", n_fds, want);
	return 0;
}

bool process_dials(const struct spawn_request *req)
{
	return kinds[req->kind].dials;
}

/* process_counters() - map the area that the monitor reads. Return: 0 or -errno. */
static int process_counters(struct device_counters **out, int fd, struct err *e)
{
	struct shared_area area = {0};

	if (shared_area_map(&area, fd, 0, sizeof(**out), e) < 0)
		return err_context(e, "counters");
	*out = area.at;
	fd_drop(&fd);
	return 0;
}

/* process_prepare() - make device, server and jail, in the order of seccomp/jail.h. */
static int process_prepare(const struct spawn_request *req, const int *fds, struct made *m,
	struct vhost_user_server **server, struct err *e)
{
	const struct kind *kind = &kinds[req->kind];
	unsigned int has_ledger = req->flags & SPAWN_LEDGER ? 1 : 0;
	unsigned int has_counters = req->flags & SPAWN_COUNTERS ? 1 : 0;
	struct vhost_user_server_config config = {
		.sock = fds[0], .ledger_fd = has_ledger ? fds[1] : -1};
	struct jail jail = {
		.tag = req->name,
		.best_effort = req->flags & SPAWN_BEST_EFFORT,
		.max_fds = 32 + 3 * DEVICE_QUEUES_MAX + kind->max_fds,
	};

	*m = (struct made){.req = req, .fds = fds + 1 + has_ledger + has_counters};
	if (has_counters && process_counters(&config.counters, fds[1 + has_ledger], e) < 0)
		return -e->code;
	if (loop_create(&m->loop, e) < 0 || kind->make(m, e) < 0)
		return -e->code;
	config.loop = m->loop;
	config.device = m->device;
	if (vhost_user_server_create(server, &config, e) < 0)
		return -e->code;
	fd_drop(&config.ledger_fd);
	return jail_enter(&jail, e);
}

/* process_report() - tell the spawner how it went. Return: false if it has gone. */
static bool process_report(int report, int status, const char *text)
{
	struct spawn_reply reply = {.status = status};

	snprintf(reply.text, sizeof(reply.text), "%.*s", (int)sizeof(reply.text) - 1, text);
	return fd_write_full(report, &reply, sizeof(reply)) == 0;
}

int process_run(const struct spawn_request *req, const int *fds, int report, enum filter_mode mode)
{
	size_t n_fds = request_fds(req) + (process_dials(req) ? PROCESS_DIALER_FDS : 0u);
	int keep[SPAWN_FDS_MAX + 1] = {report};
	struct vhost_user_server *server;
	struct err e = ERR_INIT;
	struct made made;
	int rc;

	memcpy(keep + 1, fds, n_fds * sizeof(*fds));
	log_set_level((enum log_level)req->log_level);
	prctl(PR_SET_NAME, kinds[req->kind].process, 0, 0, 0);
	signal(SIGPIPE, SIG_IGN); /* a console's reader may go */
	if (jail_close_fds(keep, n_fds + 1, &e) == 0)
		process_prepare(req, fds, &made, &server, &e);
	if (!e.code && program_load(kinds[req->kind].role, mode, &e) < 0)
		err_context(&e, "%s", req->name);
	if (!process_report(report, -e.code, e.text) || e.code)
		return 1;
	fd_drop(&report);
	rc = loop_run(made.loop);
	if (rc < 0)
		log_error(req->name, "event loop: %s", strerror(-rc));
	return rc < 0 || vhost_user_server_result(server) < 0;
}
