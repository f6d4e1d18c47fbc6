/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct vsock_table: all connections of a vsock device, found by their ports; those that have a
 * packet for the guest, in turn; and those that can be put out when there is no room, oldest first.
 *
 * Invariants:
 * 1. At most VSOCK_CONNS connections, of the guest's at most VSOCK_CONNS_GUEST: a guest that opens
 *    all that it can does not keep the host out. All memory is there from the start.
 * 2. Only connections that the guest may send packets to are found: those that have a pair of ports
 *    and have not ended. No two of them have the same pair.
 * Threads: one. Only create allocates.
 */
#ifndef DEVICES_BACK_VSOCK_TABLE_H
#define DEVICES_BACK_VSOCK_TABLE_H

#include "devices/back/vsock_conn.h"

#define VSOCK_CONNS       512u
#define VSOCK_CONNS_GUEST 256u

struct vsock_table;

/* vsock_table_create() - owner: for the connections. Return: 0 and *out, or -ENOMEM. */
int vsock_table_create(struct vsock_table **out, void *owner, struct err *e) MUST_CHECK;

/* vsock_table_destroy() - there are no connections. NULL is allowed. */
void vsock_table_destroy(struct vsock_table *t);

/* vsock_table_new() - Return: a connection without ports and socket, NULL if there is no room. */
struct vsock_conn *vsock_table_new(struct vsock_table *t, bool of_guest);

/* vsock_table_free() - its socket is closed. */
void vsock_table_free(struct vsock_table *t, struct vsock_conn *c);

/* vsock_table_bind() - give it its ports; nothing with that pair may be there. */
void vsock_table_bind(
	struct vsock_table *t, struct vsock_conn *c, uint32_t guest_port, uint32_t host_port);

/* vsock_table_unbind() - it is not found any more. */
void vsock_table_unbind(struct vsock_table *t, struct vsock_conn *c);

/* vsock_table_find() - Return: the connection between two ports, or NULL. */
struct vsock_conn *vsock_table_find(struct vsock_table *t, uint32_t guest_port, uint32_t host_port);

/* vsock_table_ready() - it has a packet for the guest (or not): to the end of those that have. */
void vsock_table_ready(struct vsock_table *t, struct vsock_conn *c, bool ready);

/* vsock_table_first_ready() - Return: whose turn it is, NULL if nobody has a packet. */
struct vsock_conn *vsock_table_first_ready(struct vsock_table *t);

/* vsock_table_dispensable() - it can be put out (or not). */
void vsock_table_dispensable(struct vsock_table *t, struct vsock_conn *c, bool can);

/* vsock_table_oldest() - Return: what has been dispensable longest, or NULL. */
struct vsock_conn *vsock_table_oldest(struct vsock_table *t);

/* vsock_table_at() - Return: connection number i, below VSOCK_CONNS; maybe VSOCK_FREE. */
struct vsock_conn *vsock_table_at(struct vsock_table *t, unsigned int i);

/* vsock_table_index() - Return: its number. */
unsigned int vsock_table_index(const struct vsock_table *t, const struct vsock_conn *c);

/* vsock_table_has_room() - Return: true if vsock_table_new() would find some. */
bool vsock_table_has_room(const struct vsock_table *t, bool of_guest);

#endif
