/* SPDX-License-Identifier: Apache-2.0 */
/* virtio-net; see devices/back/net.h. */
#include "devices/back/net.h"

#include "base/fd.h"
#include "base/log.h"
#include "devices/back/net_ctrl.h"
#include "devices/back/net_rx.h"
#include "devices/back/net_tap.h"
#include "devices/back/net_tx.h"
#include "devices/wire/virtio_net.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

struct net_pair {
	struct net *net;
	struct loop_source tap; /* edge triggered; watched while the pair is attached and runs */
	bool attached;          /* this queue of the tap is in use */
	struct net_rx rx;
	struct net_tx tx;
};

struct net {
	struct back_device base;
	struct loop *loop;
	uint8_t mac[6];
	uint16_t mtu, n_pairs;
	bool ctrl_runs;
	struct net_ctrl ctrl;
	struct rate_limiter rx_limit, tx_limit;
	struct net_pair pairs[];
};

static void net_rx_resume(void *ctx)
{
	struct net *net = ctx;

	for (unsigned int i = 0; i < net->n_pairs; i++)
		net_rx_serve(&net->pairs[i].rx);
}

static void net_tx_resume(void *ctx)
{
	struct net *net = ctx;

	for (unsigned int i = 0; i < net->n_pairs; i++)
		net_tx_serve(&net->pairs[i].tx);
}

/* net_writable() - a queue of the tap takes frames again: whoever writes to it may go on. */
static void net_writable(struct net *net, int fd)
{
	for (unsigned int i = 0; i < net->n_pairs; i++) {
		struct net_tx *tx = &net->pairs[i].tx;

		if (tx->fd != fd)
			continue;
		tx->writable = true;
		net_tx_serve(tx);
	}
}

static void net_pair_ready(void *ctx, uint32_t events)
{
	struct net_pair *pair = ctx;

	if (events & ~(uint32_t)EPOLLOUT) {
		pair->rx.readable = true;
		net_rx_serve(&pair->rx);
	}
	if (events & ~(uint32_t)EPOLLIN)
		net_writable(pair->net, pair->tap.fd);
}

/* net_watch() - watch a pair's tap, or not. */
static void net_watch(struct net *net, struct net_pair *pair, bool on)
{
	struct err e = ERR_INIT;

	if (!on)
		loop_remove(net->loop, &pair->tap);
	else if (!pair->tap.added &&
		loop_add(net->loop, &pair->tap, EPOLLIN | EPOLLOUT | EPOLLET, &e) < 0)
		log_error(net->base.name, "tap: %s", e.text);
}

/* net_update() - use what the driver wants now of the tap (invariants 2 and 3). */
static void net_update(void *ctx)
{
	struct net *net = ctx;

	for (unsigned int i = 0; i < net->n_pairs; i++) {
		struct net_pair *pair = &net->pairs[i];
		bool wanted = !net->ctrl_runs || i < net->ctrl.pairs;
		bool attach = i == 0 || (pair->rx.q && wanted);
		int rc = 0;

		if (attach != pair->attached) {
			net_watch(net, pair, false);
			rc = net_tap_attach(pair->tap.fd, attach);
			pair->attached = attach;
		}
		if (rc < 0)
			log_limited(LOG_WARN, net->base.name, "queue %u of the tap: %s", i,
				strerror(-rc));
		if (pair->attached)
			net_tap_set(pair->tap.fd, net->ctrl.offloads);
		/* A driver may still, or after a restart of this process already, send there. */
		pair->tx.fd = net->pairs[pair->attached ? i : 0].tap.fd;
		net_watch(net, pair, pair->attached && (pair->rx.q || pair->tx.q));
	}
}

static void net_kicked_ctrl(struct net *net, struct virtq *q)
{
	if (!net->ctrl_runs) {
		net->ctrl_runs = true;
		net_update(net);
	}
	net_ctrl_serve(&net->ctrl, q);
}

static void net_kicked(void *queue, uint32_t events)
{
	struct virtq *q = queue;
	struct net *net = q->device;
	struct net_pair *pair = &net->pairs[q->index / 2];

	(void)events;
	if (q->index == net_ctrl_queue(&net->ctrl)) {
		net_kicked_ctrl(net, q);
	} else if (q->index / 2 >= net->n_pairs) {
		return; /* the driver knows of no such queue */
	} else if (q->index % 2) {
		if (!pair->tx.q) {
			net_tx_start(&pair->tx, q);
			net_update(net);
		}
		net_tx_serve(&pair->tx);
	} else {
		if (!pair->rx.q) {
			net_rx_start(&pair->rx, q, net->ctrl.features & VIRTIO_NET_F_MRG_RXBUF);
			net_update(net);
		}
		net_rx_serve(&pair->rx);
	}
}

static void net_drain(struct virtq *q)
{
	struct net *net = q->device;
	struct net_pair *pair = &net->pairs[q->index / 2];

	if (q->index == net_ctrl_queue(&net->ctrl))
		net->ctrl_runs = false;
	else if (q->index / 2 >= net->n_pairs)
		return;
	else if (q->index % 2)
		net_tx_stop(&pair->tx);
	else
		net_rx_stop(&pair->rx);
	net_update(net);
}

static void net_config(struct back_device *dev, uint8_t *bytes)
{
	const struct net *net = (const struct net *)dev;
	struct virtio_net_config c = {
		.status = VIRTIO_NET_S_LINK_UP,
		.max_virtqueue_pairs = net->n_pairs,
		.mtu = net->mtu,
	};

	memcpy(c.mac, net->mac, sizeof(c.mac));
	memcpy(bytes, &c, sizeof(c));
}

static void net_set_features(struct back_device *dev, uint64_t features)
{
	struct net *net = (struct net *)dev;
	uint64_t had = net->ctrl.offloads;

	net_ctrl_reset(&net->ctrl, features);
	net_update(net);
	/* What the tap has queued may rely on offloads that this driver doesn't know. */
	if (had & ~net->ctrl.offloads)
		net_rx_flush(&net->pairs[0].rx);
}

static const struct back_device_ops ops = {
	.kicked = net_kicked,
	.drain = net_drain,
	.config = net_config,
	.set_features = net_set_features,
};

static int net_open_limits(struct net *net, const struct net_config *config, struct err *e)
{
	struct rate_limiter_config limit = {
		.loop = net->loop, .limits = config->limits, .fn = net_rx_resume, .ctx = net};

	if (rate_limiter_init(&net->rx_limit, &limit, e) < 0)
		return -e->code;
	limit.fn = net_tx_resume;
	return rate_limiter_init(&net->tx_limit, &limit, e);
}

/* net_open_taps() - find out what they can do; only the first is used for now. */
static int net_open_taps(struct net *net, const struct net_config *config, struct err *e)
{
	uint64_t features = 0;

	for (unsigned int i = 0; i < net->n_pairs; i++) {
		int fd = net->pairs[i].tap.fd, rc = 0;

		/* A process before this one may have left it out of use: nothing can be asked then.
		 */
		if (i > 0)
			(void)net_tap_attach(fd, true);
		if (net_tap_prepare(fd, config->offloads, &features, e) < 0)
			return err_context(e, "tap queue %u", i);
		if (i > 0)
			rc = net_tap_attach(fd, false);
		if (rc < 0)
			return err_sys(e, -rc, "tap queue %u: not one of several", i);
	}
	net->pairs[0].attached = true;
	net->base.features |= features;
	return 0;
}

/* net_make() - the struct, which owns the descriptors. Return: NULL if there is no memory. */
static struct net *net_make(const struct net_config *config)
{
	struct net *net = calloc(1, sizeof(*net) + config->n_pairs * sizeof(net->pairs[0]));

	if (!net)
		return NULL;
	net->loop = config->loop;
	net->mtu = config->mtu;
	net->n_pairs = config->n_pairs;
	net->rx_limit.timer.fd = net->tx_limit.timer.fd = -1;
	net->ctrl = (struct net_ctrl){
		.max_pairs = config->n_pairs, .pairs = 1, .changed = net_update, .ctx = net};
	memcpy(net->mac, config->mac, sizeof(net->mac));
	for (unsigned int i = 0; i < net->n_pairs; i++) {
		struct net_pair *pair = &net->pairs[i];
		int fd = config->taps[i];

		pair->net = net;
		pair->tap = (struct loop_source){.fd = fd, .fn = net_pair_ready, .ctx = pair};
		net_rx_init(&pair->rx, fd, &net->rx_limit, config->name);
		net_tx_init(&pair->tx, fd, &net->tx_limit, config->name);
	}
	net->base = (struct back_device){
		.ops = &ops,
		.name = config->name,
		.features = VIRTIO_NET_F_MAC | VIRTIO_NET_F_STATUS | VIRTIO_NET_F_MRG_RXBUF |
			VIRTIO_NET_F_CTRL_VQ | VIRTIO_NET_F_CTRL_RX | VIRTIO_NET_F_CTRL_MAC_ADDR |
			(config->n_pairs > 1 ? VIRTIO_NET_F_MQ : 0) |
			(config->mtu ? VIRTIO_NET_F_MTU : 0),
		.n_queues = (uint16_t)(2 * config->n_pairs + 1),
	};
	return net;
}

int net_create(struct net **out, const struct net_config *config, struct err *e)
{
	struct net *net;

	*out = NULL;
	assert(config->n_pairs && config->n_pairs <= SPAWN_TAPS_MAX);
	net = net_make(config);
	if (!net) {
		for (unsigned int i = 0; i < config->n_pairs; i++)
			close(config->taps[i]);
		return err_sys(e, ENOMEM, "net");
	}
	if (net_open_limits(net, config, e) < 0 || net_open_taps(net, config, e) < 0) {
		net_destroy(net);
		return err_context(e, "net");
	}
	*out = net;
	return 0;
}

void net_destroy(struct net *net)
{
	if (!net)
		return;
	for (unsigned int i = 0; i < net->n_pairs; i++) {
		loop_remove(net->loop, &net->pairs[i].tap);
		fd_drop(&net->pairs[i].tap.fd);
	}
	rate_limiter_fini(&net->rx_limit);
	rate_limiter_fini(&net->tx_limit);
	free(net);
}

struct back_device *net_device(struct net *net)
{
	return &net->base;
}
