/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams between guest and host: answers on port 1024 and sends back what comes (twice:
 * `rounds=`), then connects to the host's port 5000 (once: `calls=`), sends `bytes=N` bytes that
 * must come back, and connects to port 5001, where nobody is. Virtio 1.2, section 5.10.
 */
#include "guests/lib/guest.h"
#include "guests/lib/io.h"
#include "guests/lib/paging.h"
#include "guests/lib/virtio.h"

const char guest_name[] = "vsock";

#define RX         0
#define TX         1
#define LISTEN     1024u
#define OUT        5000u
#define NOBODY     5001u
#define OWN_PORT   7000u
#define BUFFER     2048u
#define ROOM       (QUEUE_SIZE * (BUFFER - sizeof(struct packet)))
#define AREA       0x900000ull
#define RINGS(q)   (AREA + PAGE * (q))
#define TX_DATA    (AREA + PAGE * 2)
#define RX_DATA(i) (AREA + PAGE * 3 + BUFFER * (i))
#define PAGES      (3 + QUEUE_SIZE * BUFFER / PAGE)

enum op { REQUEST = 1, RESPONSE, RST, SHUTDOWN, RW, CREDIT_UPDATE, CREDIT_REQUEST };

struct packet {
	uint64_t src_cid, dst_cid;
	uint32_t src_port, dst_port, len;
	uint16_t type, op;
	uint32_t flags, buf_alloc, fwd_cnt;
} __attribute__((packed));
_Static_assert(sizeof(struct packet) == 44, "virtio 1.2, 5.10.6");

static struct virtio rx, tx;
static uint64_t own_cid;
static uint32_t received, sent, host_alloc, host_taken; /* of the one connection that there is */

static void send(uint32_t from, uint32_t to, uint16_t op, uint32_t len)
{
	volatile struct packet *p = shared_side(TX_DATA);
	uint32_t id, used;

	*p = (struct packet){
		own_cid, 2, from, to, len, 1, op, op == SHUTDOWN ? 3 : 0, ROOM, received};
	tx.rings->desc[0] = (struct desc){TX_DATA, (uint32_t)sizeof(*p) + len, 0, 0};
	virtio_offer(&tx, 0);
	if (!virtio_wait(&tx, &id, &used))
		guest_fail("a packet was not taken, operation", op);
	sent += op == RW ? len : 0;
}

static void give_buffer(uint16_t i)
{
	rx.rings->desc[i] = (struct desc){RX_DATA(i), BUFFER, DESC_WRITE, 0};
	virtio_offer(&rx, i);
}

/* Wait for a packet that is not about credit; it stays until give_buffer(). Return: its buffer. */
static uint16_t receive(volatile struct packet **out)
{
	for (;;) {
		uint32_t id, len;
		volatile struct packet *p;

		if (!virtio_wait(&rx, &id, &len))
			guest_fail("no packet came", virtio_status(&rx));
		p = shared_side(RX_DATA(id));
		expect("destination", p->dst_cid, own_cid);
		expect("source", p->src_cid, 2);
		expect("type", p->type, 1);
		expect("length", len, sizeof(*p) + p->len);
		host_alloc = p->buf_alloc;
		host_taken = p->fwd_cnt;
		received += p->op == RW ? p->len : 0;
		*out = p;
		if (p->op != CREDIT_UPDATE && p->op != CREDIT_REQUEST)
			return (uint16_t)id;
		if (p->op == CREDIT_REQUEST)
			send(p->dst_port, p->src_port, CREDIT_UPDATE, 0);
		give_buffer((uint16_t)id);
	}
}

/* Return: the port at the other end. */
static uint32_t receive_op(uint16_t op, uint32_t port)
{
	volatile struct packet *p;
	uint16_t i = receive(&p);
	uint32_t from = p->src_port;

	expect("operation", p->op, op);
	expect("port", p->dst_port, port);
	give_buffer(i);
	return from;
}

static void copy(volatile uint8_t *to, const volatile uint8_t *from, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		to[i] = from[i];
}

/* Accept one of the host's, send back all that comes until it ends. Return: how much it was. */
static uint32_t serve(void)
{
	uint32_t peer, total = 0;

	sent = received = 0;
	peer = receive_op(REQUEST, LISTEN);
	send(LISTEN, peer, RESPONSE, 0);
	for (;;) {
		volatile struct packet *p;
		uint16_t i = receive(&p), op = p->op;
		uint32_t len = p->len;

		if (op != RW)
			expect("the end", op, SHUTDOWN);
		else
			copy((uint8_t *)shared_side(TX_DATA) + sizeof(*p),
				(volatile uint8_t *)p + sizeof(*p), len);
		give_buffer(i);
		if (op == SHUTDOWN)
			break;
		total += len;
		send(LISTEN, peer, RW, len);
	}
	send(LISTEN, peer, SHUTDOWN, 0);
	receive_op(RST, LISTEN);
	return total;
}

static uint8_t pattern(uint32_t i)
{
	return (uint8_t)(i * 7 + (i >> 8));
}

/* Send some of the pattern, as far as the host has room. */
static void send_some(uint32_t n)
{
	uint8_t *data = (uint8_t *)shared_side(TX_DATA) + sizeof(struct packet);
	uint32_t room = host_alloc - (sent - host_taken);
	uint32_t len = n - sent < 1000 ? n - sent : 1000;

	if (len > room)
		len = room;
	for (uint32_t i = 0; i < len; i++)
		data[i] = pattern(sent + i);
	if (len)
		send(OWN_PORT, OUT, RW, len);
}

static void call(uint32_t n)
{
	volatile struct packet *p;
	uint32_t seen = 0;

	sent = received = 0;
	send(OWN_PORT, OUT, REQUEST, 0);
	expect("listener", receive_op(RESPONSE, OWN_PORT), OUT);
	while (seen < n) {
		uint16_t i;

		if (sent < n && sent - seen < ROOM / 2) {
			send_some(n);
			continue;
		}
		i = receive(&p);
		expect("operation", p->op, RW);
		for (uint32_t j = 0; j < p->len; j++, seen++)
			expect("what comes back", ((volatile uint8_t *)(p + 1))[j], pattern(seen));
		give_buffer(i);
	}
	send(OWN_PORT, OUT, SHUTDOWN, 0);
	receive_op(RST, OWN_PORT);
}

static void start(void)
{
	if (paging_cbit())
		expect("conversion", convert(AREA, PAGES, 0), 0);
	virtio_find(&rx, VIRTIO_VSOCK);
	virtio_reset(&rx);
	virtio_negotiate(&rx, 1);
	if (paging_cbit())
		expect("ACCESS_PLATFORM", rx.offered >> VIRTIO_F_ACCESS_PLATFORM & 1, 1);
	own_cid = read32(rx.config) | (uint64_t)read32(rx.config + 4) << 32;
	tx = rx;
	tx.queue = TX;
	virtio_set_rings(&rx, RINGS(RX));
	virtio_set_rings(&tx, RINGS(TX));
	virtio_drive(&rx);
	for (uint16_t i = 0; i < QUEUE_SIZE; i++)
		give_buffer(i);
}

void guest_main(void)
{
	uint64_t rounds = guest_option("rounds", 2), calls = guest_option("calls", 1), total = 0;
	uint32_t bytes = (uint32_t)guest_option("bytes", 100000);

	start();
	print("cid %u\n", own_cid);
	for (uint64_t n = rounds; n; n--)
		total += serve();
	print("served %u times, %u bytes\n", rounds, total);
	for (uint64_t n = calls; n; n--)
		call(bytes);
	print("called %u times with %u bytes\n", calls, (uint64_t)bytes);
	send(OWN_PORT, NOBODY, REQUEST, 0);
	receive_op(RST, OWN_PORT);
	virtio_reset(&rx);
}
