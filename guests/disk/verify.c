/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes to a disk and reads back, past the page cache, in a guest: every block says where it
 * belongs and how often it was written. What is wrong ends the program with status 1.
 *
 *   disk-verify random DEVICE THREADS TIMES   blocks of 4 KiB; each thread has blocks of its own
 *   disk-verify sequential DEVICE THREADS TIMES   of 1 MiB, and not quite aligned buffers
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCKS  2048u /* that random I/O goes to */
#define THREADS 8u

static struct {
	int fd;
	size_t len;
	unsigned int threads, times;
	uint32_t written[BLOCKS];
} all;

struct job {
	pthread_t thread;
	unsigned int number;
	uint64_t random;
	uint8_t *buffer;
};

static void die(const char *what, uint64_t at)
{
	printf("disk: %s at %llu\n", what, (unsigned long long)at);
	fflush(stdout);
	_exit(1);
}

/* word() - what stands at byte `at` of the disk after so many writes. */
static uint64_t word(uint64_t at, uint32_t times)
{
	return (at * 0x9e3779b97f4a7c15u) ^ ((uint64_t)times << 32 | times);
}

static void put(struct job *j, uint64_t at, uint32_t times)
{
	uint64_t *words = (uint64_t *)j->buffer;

	for (size_t i = 0; i < all.len / 8; i++)
		words[i] = word(at + 8 * i, times);
	if (pwrite(all.fd, j->buffer, all.len, (off_t)at) != (ssize_t)all.len)
		die("write fails", at);
}

static void check(struct job *j, uint64_t at, uint32_t times)
{
	const uint64_t *words = (const uint64_t *)j->buffer;

	memset(j->buffer, 0x55, all.len);
	if (pread(all.fd, j->buffer, all.len, (off_t)at) != (ssize_t)all.len)
		die("read fails", at);
	for (size_t i = 0; i < all.len / 8; i++)
		if (words[i] != word(at + 8 * i, times))
			die("wrong data", at + 8 * i);
}

/* pick() - a block of this thread's. */
static unsigned int pick(struct job *j)
{
	j->random = j->random * 6364136223846793005u + 1442695040888963407u;
	return (unsigned int)((j->random >> 33) % (BLOCKS / all.threads)) * all.threads + j->number;
}

static void *go_random(void *job)
{
	struct job *j = job;

	for (unsigned int n = 0; n < all.times; n++) {
		unsigned int block = pick(j);

		put(j, (uint64_t)block * all.len, ++all.written[block]);
		block = pick(j);
		if (all.written[block])
			check(j, (uint64_t)block * all.len, all.written[block]);
	}
	for (unsigned int block = j->number; block < BLOCKS; block += all.threads)
		if (all.written[block])
			check(j, (uint64_t)block * all.len, all.written[block]);
	return NULL;
}

static void *go_sequential(void *job)
{
	struct job *j = job;

	j->buffer += 512 * (j->number + 1); /* aligned for the guest's kernel only */
	for (unsigned int n = j->number; n < all.times; n += all.threads)
		put(j, (uint64_t)n * all.len, n + 1);
	for (unsigned int n = j->number; n < all.times; n += all.threads)
		check(j, (uint64_t)n * all.len, n + 1);
	return NULL;
}

int main(int argc, char **argv)
{
	static struct job jobs[THREADS];
	int random = argc == 5 && !strcmp(argv[1], "random");

	if (argc != 5)
		return 2;
	all.fd = open(argv[2], O_RDWR | O_DIRECT);
	all.threads = (unsigned int)atoi(argv[3]);
	all.times = (unsigned int)atoi(argv[4]);
	all.len = random ? 4096 : 1 << 20;
	if (all.fd < 0 || !all.threads || all.threads > THREADS)
		return 2;
	for (unsigned int i = 0; i < all.threads; i++) {
		struct job *j = &jobs[i];

		*j = (struct job){.number = i, .random = i};
		if (posix_memalign((void **)&j->buffer, 4096, all.len + 8192) ||
			pthread_create(&j->thread, NULL, random ? go_random : go_sequential, j))
			return 2;
	}
	for (unsigned int i = 0; i < all.threads; i++)
		pthread_join(jobs[i].thread, NULL);
	if (fsync(all.fd))
		die("flush fails", 0);
	printf("disk: %s good\n", argv[1]);
	return 0;
}
