/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Index arithmetic of the walker of rings: whatever a driver writes into its rings and wherever the
 * 16-bit counters stand. Rings of up to NUM descriptors; memory that is looked up has any contents.
 */
#include "tests/proofs/proof.h"

#include "devices/back/virtq.c"

#define NUM 8u

static uint8_t avail[VRING_AVAIL_BYTES(NUM)] __attribute__((aligned(4)));
static uint8_t used[VRING_USED_BYTES(NUM)] __attribute__((aligned(4)));
static bool broken;

void log_line(enum log_level level, const char *tag, const char *fmt, ...)
{
	(void)level, (void)tag, (void)fmt;
}

uint64_t log_limit_pass(struct log_limit *limit)
{
	(void)limit;
	return 0;
}

void queue_stats_refuse(struct queue_stats *stats)
{
	(void)stats;
}

/* The rings, exactly as long as they are; all else is not there. */
int view_iov(const struct view *v, gpa_t gpa, uint64_t len, struct iovec *iov, unsigned int room)
{
	(void)v, (void)room;
	if (nondet_bool())
		return -EFAULT;
	iov[0].iov_base = gpa.v == 1 ? avail : used;
	PROVE(len <= (gpa.v == 1 ? sizeof(avail) : sizeof(used)));
	iov[0].iov_len = len;
	return 1;
}

static struct virtq some_queue(void)
{
	struct virtq q = {
		.broken = &broken, .err_fd = -1, .num = (uint16_t)(1u << nondet_u8() % 4)};

	q.avail = gpa_of(1);
	q.used = gpa_of(2);
	q.next_avail = nondet_u16();
	q.next_used = nondet_u16();
	q.event_idx = nondet_bool();
	for (unsigned int i = 0; i < sizeof(avail); i++)
		avail[i] = nondet_u8();
	for (unsigned int i = 0; i < sizeof(used); i++)
		used[i] = nondet_u8();
	return q;
}

/* A chain is taken only if the driver is at most a queue's size ahead; no access leaves the rings.
 */
void prove_virtq_split_take(void)
{
	struct virtq q = some_queue();
	const struct vring_avail *ring = (const void *)avail;
	struct walk w = {0};
	int got = split_take(&q, &w);

	if (got == 1) {
		PROVE((uint16_t)(ring->idx - q.next_avail - 1u) < q.num);
		PROVE(w.at == ring->ring[q.next_avail % q.num]);
	}
	PROVE((got == -EPROTO) == broken);
}

/* A position in a packed ring keeps its place and lap when it goes over the wire and back. */
void prove_virtq_packed_position(void)
{
	struct virtq q = some_queue();
	uint16_t at = nondet_u16(), lap = (uint16_t)(2u * q.num - 1u);

	PROVE(packed_count(&q, packed_position(&q, at)) == (at & lap));
	PROVE((packed_position(&q, at) & ~VRING_PACKED_WRAP) < q.num);
}
