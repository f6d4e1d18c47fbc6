/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Both ends of a test of vsock: many short connections, and a long one whose bytes are summed. One
 * end is a guest with the kernel's AF_VSOCK, the other a host with unix sockets, see --vsock.
 */
#ifndef GUESTS_STREAMS_STREAMS_H
#define GUESTS_STREAMS_STREAMS_H

#include <stdbool.h>
#include <stdint.h>

/* Ports that both ends serve; the host's are 4000 higher. */
#define STREAMS_ECHO 1024
#define STREAMS_SUM  1025 /* read to the end, then answer with struct streams_sum */
#define STREAMS_DONE 1026 /* the guest's, once it has made all its connections */
#define STREAMS_HOST 4000

struct streams_sum {
	uint64_t bytes, a, b;
};

/* streams_init() - path: of the host's socket; NULL: this is the guest */
void streams_init(const char *path);

/* streams_listen() - Return: a listening socket; the program ends if it can't be. */
int streams_listen(unsigned int port);

/* streams_connect() - Return: a stream to the other end's port, or -1. */
int streams_connect(unsigned int port);

/* streams_serve() - answer on both ports for ever. */
_Noreturn void streams_serve(void);

/*
 * streams_short() - make n connections from some processes at once, each of which has 16 bytes sent
 * back. Return: how many failed.
 */
unsigned int streams_short(unsigned int n);

/* streams_long() - send bytes on one connection. Return: true if the other end saw the same. */
bool streams_long(uint64_t bytes);

/* streams_now() - Return: seconds of some clock. */
double streams_now(void);

#endif
