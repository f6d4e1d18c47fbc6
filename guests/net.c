/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A network device as a driver sees it: frames of a local experimental ethertype go out, a peer on
 * the tap sends each back with its bytes inverted. `frames=N` of them, over all `pairs=N` pairs of
 * queues in turn; then commands of the control queue. Virtio 1.2, section 5.1.
 */
#include "guests/lib/guest.h"
#include "guests/lib/io.h"
#include "guests/lib/paging.h"
#include "guests/lib/virtio.h"

const char guest_name[] = "net";

#define VIRTIO_NET 0x1041

#define NET_F_MAC       5
#define NET_F_MRG_RXBUF 15
#define NET_F_CTRL_VQ   17
#define NET_F_CTRL_RX   18
#define NET_F_MQ        22

#define HEADER     12u
#define ETHERTYPE  0x88b5u
#define FRAME_MIN  60u
#define FRAME_MAX  1514u
#define PAIRS_MAX  2u
#define RX_BUFFERS 4u    /* pages for each receive queue */
#define RETRIES    400u  /* of one frame: the peer may not be there yet */
#define PATIENCE   20000 /* looks at the used rings for one try */

/* Pages that the device can reach: rings of each queue, receive buffers, a frame, a command. */
#define AREA         0x900000ull
#define RINGS(q)     (AREA + (q)*PAGE)
#define CTRL_RINGS   RINGS(2 * PAIRS_MAX)
#define RX_BUFFER(n) (CTRL_RINGS + (1 + (n)) * PAGE)
#define TX_BUFFER    RX_BUFFER(RX_BUFFERS *PAIRS_MAX)
#define COMMAND      (TX_BUFFER + PAGE)
#define AREA_PAGES   (2 * PAIRS_MAX + 1 + RX_BUFFERS * PAIRS_MAX + 2)

struct net {
	struct virtio rx[PAIRS_MAX], tx[PAIRS_MAX], ctrl;
	uint64_t pairs;
	uint8_t mac[6];
	uint32_t others; /* frames that were not for us */
};

static void give(struct virtio *rx, unsigned int pair, uint16_t n)
{
	rx->rings->desc[n].addr = RX_BUFFER(pair * RX_BUFFERS + n);
	rx->rings->desc[n].len = PAGE;
	rx->rings->desc[n].flags = DESC_WRITE;
	virtio_offer(rx, n);
}

static void add_queue(const struct virtio *v, struct virtio *q, uint16_t number, uint64_t rings)
{
	*q = *v;
	q->queue = number;
	virtio_set_rings(q, rings);
}

static void start(struct net *net)
{
	struct virtio v;

	virtio_find(&v, VIRTIO_NET);
	virtio_reset(&v);
	virtio_negotiate(&v,
		1ull << NET_F_MAC | 1ull << NET_F_MRG_RXBUF | 1ull << NET_F_CTRL_VQ |
			1ull << NET_F_CTRL_RX | 1ull << NET_F_MQ);
	expect("MQ", v.offered >> NET_F_MQ & 1, net->pairs > 1);
	for (int i = 0; i < 6; i++)
		net->mac[i] = read8(v.config + (uint64_t)i);
	if (net->pairs > 1)
		expect("pairs", read16(v.config + 8), net->pairs);
	for (unsigned int p = 0; p < net->pairs; p++) {
		add_queue(&v, &net->rx[p], (uint16_t)(2 * p), RINGS(2 * p));
		add_queue(&v, &net->tx[p], (uint16_t)(2 * p + 1), RINGS(2 * p + 1));
	}
	add_queue(&v, &net->ctrl, (uint16_t)(2 * net->pairs), CTRL_RINGS);
	virtio_drive(&v);
	for (unsigned int p = 0; p < net->pairs; p++)
		for (uint16_t n = 0; n < RX_BUFFERS; n++)
			give(&net->rx[p], p, n);
}

/* command() - Return: the answer to a command with one 16-bit or, of len 1, 8-bit argument. */
static uint8_t command(struct net *net, uint8_t class, uint8_t number, uint16_t value, uint32_t len)
{
	volatile uint8_t *at = shared_side(COMMAND);
	volatile struct desc *desc = net->ctrl.rings->desc;
	uint32_t id, used;

	at[0] = class;
	at[1] = number;
	at[2] = (uint8_t)value;
	at[3] = (uint8_t)(value >> 8);
	at[16] = 0xee;
	desc[0].addr = COMMAND;
	desc[0].len = 2 + len;
	desc[0].flags = DESC_NEXT;
	desc[0].next = 1;
	desc[1].addr = COMMAND + 16;
	desc[1].len = 1;
	desc[1].flags = DESC_WRITE;
	virtio_offer(&net->ctrl, 0);
	if (!virtio_wait(&net->ctrl, &id, &used))
		guest_fail("no answer to a command", class);
	return at[16];
}

static uint8_t byte_of(uint32_t frame, uint32_t at)
{
	return (uint8_t)(frame * 31 + at * 7 + (at >> 8));
}

static void send(struct net *net, unsigned int pair, uint32_t frame, uint32_t len)
{
	volatile uint8_t *at = shared_side(TX_BUFFER);
	struct virtio *tx = &net->tx[pair];
	uint32_t id, used;

	fill(shared_side(TX_BUFFER), 0, HEADER);
	at += HEADER;
	for (uint32_t i = 0; i < 6; i++) {
		at[i] = 0xff;
		at[6 + i] = net->mac[i];
	}
	at[12] = ETHERTYPE >> 8;
	at[13] = ETHERTYPE & 0xff;
	for (uint32_t i = 14; i < len; i++)
		at[i] = byte_of(frame, i);
	tx->rings->desc[0].addr = TX_BUFFER;
	tx->rings->desc[0].len = HEADER + len;
	tx->rings->desc[0].flags = 0;
	virtio_offer(tx, 0);
	if (!virtio_wait(tx, &id, &used))
		guest_fail("a frame is not sent", frame);
	expect("bytes written to a sent frame", used, 0);
}

/* is_echo() - is what was received the frame, sent back? */
static bool is_echo(struct net *net, const volatile uint8_t *at, uint32_t frame, uint32_t len)
{
	if (at[12] != ETHERTYPE >> 8 || at[13] != (ETHERTYPE & 0xff)) {
		net->others++;
		return false;
	}
	for (uint32_t i = 0; i < 6; i++)
		if (at[i] != net->mac[i])
			return false;
	for (uint32_t i = 14; i < len; i++)
		if (at[i] != 0xff - byte_of(frame, i))
			return false; /* an echo of an earlier try of another frame */
	return true;
}

/* receive() - Return: whether the echo has come, in some queue. */
static bool receive(struct net *net, uint32_t frame, uint32_t len)
{
	for (unsigned int p = 0; p < net->pairs; p++) {
		struct virtio *rx = &net->rx[p];
		const volatile uint8_t *at;
		uint32_t id, used;
		bool found;

		if (rx->rings->used.idx == rx->used_seen)
			continue;
		if (!virtio_wait(rx, &id, &used))
			guest_fail("the device needs a reset", frame);
		at = shared_side(RX_BUFFER(p * RX_BUFFERS + id));
		expect("num_buffers", at[10] | (uint64_t)at[11] << 8, 1);
		found = used == HEADER + len && is_echo(net, at + HEADER, frame, len);
		give(rx, p, (uint16_t)id);
		if (found)
			return true;
	}
	return false;
}

static void exchange(struct net *net, uint32_t frame)
{
	uint32_t len = FRAME_MIN + frame * 97 % (FRAME_MAX - FRAME_MIN + 1);

	for (unsigned int i = 0; i < RETRIES; i++) {
		send(net, frame % (uint32_t)net->pairs, frame, len);
		for (unsigned int j = 0; j < PATIENCE; j++)
			if (receive(net, frame, len))
				return;
	}
	guest_fail("no echo", frame);
}

static void check_commands(struct net *net)
{
	expect("promiscuous", command(net, 0, 0, 1, 1), 0);
	expect("an unknown command", command(net, 0, 77, 1, 1), 1);
	if (net->pairs == 1)
		return;
	expect("too many pairs", command(net, 4, 0, (uint16_t)(net->pairs + 1), 2), 1);
	expect("no pairs", command(net, 4, 0, 0, 2), 1);
	expect("all pairs", command(net, 4, 0, (uint16_t)net->pairs, 2), 0);
}

void guest_main(void)
{
	uint64_t frames = guest_option("frames", 40);
	static struct net net;

	net.pairs = guest_option("pairs", 1);
	if (paging_cbit())
		expect("sharing", convert(AREA, AREA_PAGES, 0), 0);
	start(&net);
	print("mac %x:%x:%x:%x:%x:%x\n", (uint64_t)net.mac[0], (uint64_t)net.mac[1],
		(uint64_t)net.mac[2], (uint64_t)net.mac[3], (uint64_t)net.mac[4],
		(uint64_t)net.mac[5]);
	check_commands(&net);
	for (uint32_t i = 0; i < frames; i++)
		exchange(&net, i);
	if (net.pairs > 1) /* and back to one */
		expect("one pair", command(&net, 4, 0, 1, 2), 0);
	print("frames %u\n", frames);
	virtio_reset(&net.rx[0]);
}
