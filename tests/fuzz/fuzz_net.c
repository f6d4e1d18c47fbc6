/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio-net under a hostile driver (tests/fuzz/rings.h), with frames that come in between: an
 * event is one, of that length, header included. Options from RINGS_OWN on: mergeable buffers, the
 * control queue, its command for the address.
 */
#include "devices/back/net.h"
#include "devices/wire/virtio_net.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/rings.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/socket.h>

static struct rings rings;
static int host; /* the other end of the tap */

static void event(uint16_t what)
{
	static const uint8_t frame[UINT16_MAX];

	(void)!send(host, frame, what, MSG_DONTWAIT);
}

/* settle() - what the loop would do, and the host's end takes all frames. */
static void settle(void)
{
	static uint8_t frame[1 << 17];

	for (int i = 0; i < 4; i++) {
		while (recv(host, frame, sizeof(frame), MSG_DONTWAIT) > 0)
			continue;
		(void)!loop_run_once(rings.loop, 0);
	}
	for (unsigned int i = 0; i < rings.device->n_queues; i++)
		assert(!rings.q[i].in_flight); /* nothing stays popped between two calls */
}

static struct net *make(void)
{
	struct net_config config = {.name = "fuzz", .n_pairs = 1, .mtu = 1400};
	struct err e = ERR_INIT;
	struct net *net;
	int pair[2];

	if (loop_create(&rings.loop, &e) ||
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair))
		abort();
	host = pair[0];
	config.loop = rings.loop;
	config.taps = &pair[1];
	if (net_create(&net, &config, &e))
		abort();
	return net;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct net *net; /* made once */
	struct bytes in = bytes_of(data, len);
	uint8_t options = bytes_u8(&in), own = options >> RINGS_OWN;

	if (!net) {
		rings_open(&rings);
		net = make();
	}
	rings.device = net_device(net);
	rings.device->ops->set_features(rings.device,
		(own & 1 ? VIRTIO_NET_F_MRG_RXBUF : 0) |
			(own & 2 ? VIRTIO_NET_F_CTRL_VQ | VIRTIO_NET_F_CTRL_RX : 0) |
			(own & 4 ? VIRTIO_NET_F_CTRL_MAC_ADDR : 0));
	rings.event = event;
	rings.settle = settle;
	rings_run(&rings, options, &in);
	return 0;
}
