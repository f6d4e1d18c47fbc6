/* SPDX-License-Identifier: Apache-2.0 */
/*
 * demo-await FILE TEXT PID SECONDS: sleep until FILE contains TEXT.
 *
 * An empty TEXT waits for the end of process PID instead. It sleeps while nothing changes, and
 * looks at most ten times a second while things do: a serial port writes single bytes, and in the
 * lab's one emulated CPU a look at each takes longer than the guest's own work.
 * Exit status: 0 it does; 1 PID ended or the time is up, and it still does not; 2 usage.
 */
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static bool contains(const char *path, const char *text)
{
	static char content[4U << 20];
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(content, 1, sizeof(content), f) : 0;

	if (f)
		fclose(f);
	return memmem(content, n, text, strlen(text));
}

static long long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* Until the file changes or the process ends. Return: whether there is reason to go on. */
static bool sleep_until_change(int watch, int process, long long until)
{
	struct pollfd fds[] = {{.fd = watch, .events = POLLIN}, {.fd = process, .events = POLLIN}};
	long long left = until - now_ms();
	char events[4096];

	if (left <= 0 || poll(fds, 2, (int)left) <= 0)
		return false;
	poll(&fds[1], 1, 100);
	if (fds[0].revents && read(watch, events, sizeof(events)) < 0)
		return false;
	return !fds[1].revents;
}

int main(int argc, char **argv)
{
	int watch = inotify_init(), process;
	long long until;
	bool going = true;

	if (argc != 5) {
		fprintf(stderr, "usage: demo-await FILE TEXT PID SECONDS\n");
		return 2;
	}
	until = now_ms() + atoi(argv[4]) * 1000LL;
	process = (int)syscall(SYS_pidfd_open, atoi(argv[3]), 0);
	if (!argv[2][0]) {
		struct pollfd end = {.fd = process, .events = POLLIN};

		return process < 0 || poll(&end, 1, (int)(until - now_ms())) == 1 ? 0 : 1;
	}
	if (inotify_add_watch(watch, argv[1], IN_MODIFY) < 0) {
		perror(argv[1]);
		return 2;
	}
	while (!contains(argv[1], argv[2])) {
		if (!going)
			return 1;
		going = process >= 0 && sleep_until_change(watch, process, until);
	}
	return 0;
}
