/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /init of the guest in the test of vsock: serves, makes `short=N` short connections to the host
 * and one of `long=BYTES`, says how that went, and powers off when the host has connected to
 * STREAMS_DONE.
 */
#include "guests/demo/userland.h"
#include "guests/streams/streams.h"

#include <signal.h>
#include <stdio.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	unsigned int n, failed;
	double began, between;
	uint64_t bytes;
	bool good;
	pid_t server;

	setvbuf(stdout, NULL, _IONBF, 0);
	userland_mount();
	userland_modules();
	n = (unsigned int)userland_number("short=", 100);
	bytes = (uint64_t)userland_number("long=", 1 << 20);
	server = fork();
	if (!server)
		streams_serve();
	began = streams_now();
	failed = streams_short(n);
	between = streams_now();
	good = streams_long(bytes);
	printf("guest: short %u failed %u in %.1f s, long %llu %s in %.1f s\n", n, failed,
		between - began, (unsigned long long)bytes, good ? "right" : "WRONG",
		streams_now() - between);
	close(accept(streams_listen(STREAMS_DONE), NULL, NULL));
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	reboot(RB_POWER_OFF);
	return 1;
}
