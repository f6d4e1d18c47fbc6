/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /init of the benchmark guest: says "bench: up" before anything else, so that what came before it
 * is the VMM and the kernel alone. With bench_disk=ROUNDS it then reads and writes /dev/vda past
 * the page cache; with bench_net=ROUNDS it talks to the host through eth0 (guests/bench/link.h). It
 * says what an operation took, and powers off:
 *     bench: OPERATION BYTES COUNT NANOSECONDS
 */
#include "guests/bench/link.h"
#include "guests/demo/userland.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <time.h>
#include <unistd.h>

#define DISK_SIZE (48U << 20)
#define SMALL     4096U
#define LARGE     (1U << 20)

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

/* Transfer `count` blocks; small ones at places that jump about, large ones in order. */
static void transfer(int fd, uint8_t *buf, size_t size, unsigned int count, bool write)
{
	uint64_t began = now_ns();

	for (unsigned int i = 0; i < count; i++) {
		off_t at = (off_t)(size == SMALL ? (uint64_t)i * 7919 % (DISK_SIZE / SMALL) * SMALL
						 : (uint64_t)i * LARGE % DISK_SIZE);
		ssize_t n = write ? pwrite(fd, buf, size, at) : pread(fd, buf, size, at);

		if (n != (ssize_t)size) {
			userland_failed("/dev/vda");
			return;
		}
	}
	printf("bench: %s %zu %u %llu\n", write ? "write" : "read", size, count,
		(unsigned long long)(now_ns() - began));
}

static void use_disk(int rounds)
{
	uint8_t *buf = mmap(NULL, LARGE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	int fd = open("/dev/vda", O_RDWR | O_DIRECT);

	if (fd < 0) {
		userland_failed("/dev/vda");
		return;
	}
	while (rounds--) {
		transfer(fd, buf, LARGE, DISK_SIZE / LARGE, false);
		transfer(fd, buf, LARGE, DISK_SIZE / LARGE, true);
		transfer(fd, buf, SMALL, 1000, false);
		transfer(fd, buf, SMALL, 1000, true);
	}
	close(fd);
}

/* A round trip of a byte, and bytes each way, as one operation each. */
static int use_link(int sock)
{
	uint64_t began = now_ns();

	for (unsigned int i = 0; i < LINK_TRIPS; i++)
		if (link_move(sock, 1, true) || link_move(sock, 1, false))
			return -1;
	printf("bench: trip 1 %u %llu\n", LINK_TRIPS, (unsigned long long)(now_ns() - began));
	began = now_ns();
	if (link_move(sock, LINK_BYTES, true) || link_move(sock, 1, false))
		return -1;
	printf("bench: send %u 1 %llu\n", LINK_BYTES, (unsigned long long)(now_ns() - began));
	began = now_ns();
	if (link_move(sock, LINK_BYTES, false))
		return -1;
	printf("bench: receive %u 1 %llu\n", LINK_BYTES, (unsigned long long)(now_ns() - began));
	return 0;
}

static void use_net(int rounds)
{
	struct sockaddr_storage host;
	int sock, rc;

	if (link_up("eth0", LINK_HOST + 1)) {
		userland_failed("eth0");
		return;
	}
	while (rounds--) {
		sock = link_socket(&host);
		rc = connect(sock, (struct sockaddr *)&host, sizeof(struct sockaddr_in));
		if (rc || use_link(sock))
			userland_failed("TCP");
		close(sock);
	}
}

int main(void)
{
	int disk, net;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("bench: up\n");
	userland_mount();
	disk = userland_number("bench_disk=", 0);
	net = userland_number("bench_net=", 0);
	if (disk || net)
		userland_modules();
	if (disk)
		use_disk(disk);
	if (net)
		use_net(net);
	if (disk || net)
		printf("bench: done\n");
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}
