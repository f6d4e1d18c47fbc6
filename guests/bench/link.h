/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the benchmark guest and the host say to each other by TCP, so that both know how much comes:
 * LINK_TRIPS times a byte there and back, LINK_BYTES from the guest and a byte back, LINK_BYTES
 * from the host. The host listens.
 */
#ifndef GUESTS_BENCH_LINK_H
#define GUESTS_BENCH_LINK_H

#include <stddef.h>
#include <sys/socket.h>

#define LINK_HOST  0x0a090001U /* 10.9.0.1; the guest is the next one */
#define LINK_PORT  7007
#define LINK_TRIPS 300U
#define LINK_BYTES (24U << 20)
#define LINK_CHUNK (64U << 10) /* of one read() or write() */

/* link_up() - give an interface an IPv4 address and switch it on. Return: 0, or -1 and errno. */
int link_up(const char *interface, unsigned int address);

/* link_socket() - a TCP socket without Nagle's delay; *host is where the host listens. */
int link_socket(struct sockaddr_storage *host);

/* link_move() - send, or receive, `bytes` of anything. Return: 0, or -1 and errno. */
int link_move(int sock, size_t bytes, int send);

#endif
