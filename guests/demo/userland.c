/* SPDX-License-Identifier: Apache-2.0 */
/* The first steps of an init; see guests/demo/userland.h. */
#include "guests/demo/userland.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

void userland_failed(const char *what)
{
	printf("demo: FAILED %s: %s\n", what, strerror(errno));
}

const char *userland_value(const char *name)
{
	static char line[4096];
	int fd = open("/proc/cmdline", O_RDONLY);
	ssize_t n = read(fd, line, sizeof(line) - 1);
	const char *at;

	line[n > 0 ? n : 0] = 0;
	at = strstr(line, name);
	close(fd);
	return at ? at + strlen(name) : NULL;
}

int userland_number(const char *name, int fallback)
{
	const char *value = userland_value(name);

	return value ? atoi(value) : fallback;
}

void userland_mount(void)
{
	static const char *const kinds[][2] = {
		{"proc", "/proc"}, {"sysfs", "/sys"}, {"devtmpfs", "/dev"}, {"tmpfs", "/tmp"}};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		mkdir(kinds[i][1], 0755);
		if (mount(kinds[i][0], kinds[i][1], kinds[i][0], 0, NULL))
			userland_failed(kinds[i][1]);
	}
}

void userland_modules(void)
{
	struct dirent **names;
	int n = scandir("/modules", &names, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		char path[300];
		int fd;

		if (names[i]->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/modules/%s", names[i]->d_name);
		fd = open(path, O_RDONLY);
		if (syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST)
			userland_failed(path);
		close(fd);
	}
}
