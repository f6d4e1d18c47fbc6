/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fake guest and front end for back-end tests: guest memory in a memfd, rings written by hand, a
 * ledger whose bits the test sets, and vhost-user messages over a socket pair.
 */
#ifndef TESTS_UNIT_DEVICES_RIG_H
#define TESTS_UNIT_DEVICES_RIG_H

#include "base/loop.h"
#include "devices/back/vhost_user_server.h"
#include "devices/wire/vhost_user.h"
#include "devices/wire/virtio_ring.h"

#define RIG_GPA    0x100000u /* where guest memory begins */
#define RIG_SIZE   0x100000u
#define RIG_USER   UINT64_C(0x7f0000000000) /* the front end's name for it */
#define RIG_NUM    64u                      /* entries of a ring */
#define RIG_DATA   (RIG_GPA + 0x40000u)     /* free for buffers */
#define RIG_QUEUES 6u

/* Where the parts of queue q's ring lie, as guest addresses; each has pages of its own. */
#define RIG_DESC(q)  (RIG_GPA + 0x4000u * (q))
#define RIG_AVAIL(q) (RIG_DESC(q) + 0x1000u)
#define RIG_USED(q)  (RIG_DESC(q) + 0x2000u)

#define RIG_NEXT     1u
#define RIG_WRITE    2u
#define RIG_INDIRECT 4u

struct rig {
	int mem_fd, ledger_fd;
	uint64_t offset; /* of guest memory in mem_fd */
	uint8_t *mem;    /* guest memory */
	uint8_t *ledger; /* header page and bits */
	int kick[RIG_QUEUES], call[RIG_QUEUES], err[RIG_QUEUES];
	/* Connected rigs only. */
	int sock;          /* the front end's end */
	struct loop *loop; /* NULL: the back end is another process */
	struct vhost_user_server *server;
};

/* rig_open() - memory, eventfds and a ledger in which all of it is shared. */
void rig_open(struct rig *r);
void rig_close(struct rig *r);

/* rig_serve() - connect the rig to a server for device, in this process and in r->loop. */
void rig_serve(struct rig *r, struct back_device *device);

/* rig_turn() - let the loop do all that it can do now. */
void rig_turn(struct rig *r);

/* rig_send() - send a message; fds stay the caller's. */
void rig_send(struct rig *r, uint32_t id, const void *payload, uint32_t size, int fd);

/* rig_ask() - send a message of one u64 or none and Return: the u64 of its reply. */
uint64_t rig_ask(struct rig *r, uint32_t id, const void *payload, uint32_t size);

/* rig_reply() - receive a reply into payload. Return: bytes of payload, -1 at the end. */
int rig_reply(struct rig *r, struct vhost_user_header *h, void *payload, size_t room);

/* rig_start() - do all that a front end does until n queues run. */
void rig_start(struct rig *r, unsigned int n, uint64_t features);

/* rig_memory() - give the server guest memory (SET_MEM_TABLE). */
void rig_memory(struct rig *r);

/* rig_at() - Return: where the test has guest address gpa. */
void *rig_at(struct rig *r, uint64_t gpa);

/* rig_desc() - write descriptor i of the table at guest address table. */
struct rig_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags, next;
};
void rig_desc(struct rig *r, uint64_t table, unsigned int i, struct rig_desc d);

/* rig_offer() - make the chain at head available in queue q; rig_kick() says so. */
void rig_offer(struct rig *r, unsigned int q, uint16_t head);
void rig_kick(struct rig *r, unsigned int q);

/*
 * rig_offer_packed() - the same for queue 0 as a packed ring: n descriptors (next is ignored) of a
 * chain with that id. *at is the driver's position, counted as virtq.h does; it begins at 0.
 */
void rig_offer_packed(
	struct rig *r, uint16_t *at, const struct rig_desc *d, unsigned int n, uint16_t id);

/* rig_used_packed() - Return: true if the entry at that position is used; *d is the entry then. */
bool rig_used_packed(struct rig *r, uint16_t at, struct vring_packed_desc *d);

/* rig_used() - Return: the used index of queue q; rig_used_len() the bytes of its entry n. */
uint16_t rig_used(struct rig *r, unsigned int q);
uint32_t rig_used_len(struct rig *r, unsigned int q, unsigned int n);

/* rig_share() - mark the pages of a range shared or private. */
void rig_share(struct rig *r, uint64_t gpa, uint64_t len, bool shared);

/* rig_count() - Return: what an eventfd has counted since the last look. */
uint64_t rig_count(int fd);

#endif
