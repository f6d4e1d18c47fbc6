/* SPDX-License-Identifier: Apache-2.0 */
/*
 * streams-host SOCKET SHORT BYTES: the host's end of the test of vsock. Begins before the guest is
 * there and tries until it answers, as a container runtime does. Exit status 0 if all went well.
 */
#include "guests/streams/streams.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define TRIES 3000 /* of 50 ms */

/* Return: how often it tried, -1: too often */
static int wait_for(unsigned int port)
{
	int tries = 0, fd = -1;

	while (fd < 0 && tries++ < TRIES) {
		fd = streams_connect(port);
		if (fd < 0)
			usleep(50000);
	}
	if (fd >= 0)
		close(fd);
	return fd < 0 ? -1 : tries;
}

int main(int argc, char **argv)
{
	unsigned int n, failed;
	double began, between;
	uint64_t bytes;
	pid_t server;
	bool good;

	if (argc != 4)
		return 2;
	n = (unsigned int)atoi(argv[2]);
	bytes = strtoull(argv[3], NULL, 10);
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	streams_init(argv[1]);
	server = fork();
	if (!server)
		streams_serve();
	printf("host: the guest answers at try %d\n", wait_for(STREAMS_ECHO));
	began = streams_now();
	failed = streams_short(n);
	between = streams_now();
	good = streams_long(bytes);
	printf("host: short %u failed %u in %.1f s, long %llu %s in %.1f s\n", n, failed,
		between - began, (unsigned long long)bytes, good ? "right" : "WRONG",
		streams_now() - between);
	good &= wait_for(STREAMS_DONE) > 0;
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	return failed || !good;
}
