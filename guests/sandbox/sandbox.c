/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /init of a guest that says what happens to its machine, in place of Kata's own init. It sleeps
 * until the kernel has something to tell, and prints lines on the console:
 *
 *   sandbox: ready                          modules are loaded, what was there has been told
 *   sandbox: block NAME DEVPATH word HEX    a disk came; the first 4 bytes of it
 *   sandbox: net NAME DEVPATH mac MAC       a network interface came
 *   sandbox: cpu NAME online, N are         a processor came, and was let run
 *   sandbox: memory, N MiB are               a block of memory came, and was let be used
 *   sandbox: gone NAME                      a disk, an interface or a processor went
 *   sandbox: nmi                            the kernel complains of an NMI
 *   sandbox: button                         the power button was pushed: it powers off
 *   demo: FAILED WHY
 *
 * It listens on vsock port 1024, as Kata's does, and sends back what it gets in capitals.
 */
#include <ctype.h>
#include <fcntl.h>
#include <linux/input.h>
#include <linux/netlink.h>
#include <linux/vm_sockets.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guests/demo/userland.h"

#define PORT    1024
#define FDS_MAX 16
#define SECTOR  512

typedef void (*handler)(int fd);

static struct pollfd fds[FDS_MAX];
static handler handlers[FDS_MAX];
static nfds_t n_fds;

static void watch(int fd, handler fn)
{
	if (fd < 0 || n_fds == FDS_MAX)
		return;
	fds[n_fds] = (struct pollfd){.fd = fd, .events = POLLIN};
	handlers[n_fds++] = fn;
}

static void unwatch(int fd)
{
	for (nfds_t i = 0; i < n_fds; i++)
		if (fds[i].fd == fd) {
			fds[i] = fds[--n_fds];
			handlers[i] = handlers[n_fds];
		}
	close(fd);
}

/* --- devices come and go --- */

static void tell_block(const char *name, const char *devpath)
{
	uint32_t *sector = NULL;
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/dev/%s", name);
	fd = open(path, O_RDONLY | O_DIRECT);
	if (fd < 0 || posix_memalign((void **)&sector, SECTOR, SECTOR) ||
		pread(fd, sector, SECTOR, 0) != SECTOR)
		userland_failed(path);
	else
		printf("sandbox: block %s %s word 0x%x\n", name, devpath, sector[0]);
	free(sector);
	close(fd);
}

static void tell_net(const char *name, const char *devpath)
{
	char path[300], mac[32] = "";
	int fd;

	snprintf(path, sizeof(path), "/sys%s/address", devpath);
	fd = open(path, O_RDONLY);
	if (read(fd, mac, sizeof(mac) - 1) <= 0)
		userland_failed(path);
	else
		printf("sandbox: net %s %s mac %s\n", name, devpath, strtok(mac, "\n"));
	close(fd);
}

/* tell_cpu() - a processor came: let it run */
static void tell_cpu(const char *name, const char *devpath)
{
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "/sys%s/online", devpath);
	fd = open(path, O_WRONLY);
	if (write(fd, "1", 1) != 1)
		userland_failed(path);
	else
		printf("sandbox: cpu %s online, %ld are\n", name, sysconf(_SC_NPROCESSORS_ONLN));
	close(fd);
}

/* tell_memory() - a block of memory came: let it be used, where the kernel has not done so */
static void tell_memory(const char *devpath)
{
	char path[300], state[16] = "";
	int fd;

	snprintf(path, sizeof(path), "/sys%s/state", devpath);
	fd = open(path, O_RDWR);
	if (write(fd, "online", 6) != 6 &&
		(pread(fd, state, sizeof(state) - 1, 0) <= 0 || strcmp(state, "online\n")))
		userland_failed(path);
	else
		printf("sandbox: memory, %ld MiB are\n",
			sysconf(_SC_PHYS_PAGES) / (1024 * 1024 / sysconf(_SC_PAGESIZE)));
	close(fd);
}

static void on_key(int fd)
{
	struct input_event event;

	if (read(fd, &event, sizeof(event)) != sizeof(event) || event.type != EV_KEY ||
		event.code != KEY_POWER || !event.value)
		return;
	printf("sandbox: button\n");
	reboot(RB_POWER_OFF);
}

struct uevent {
	const char *action, *subsystem, *devpath, *name, *type;
};

static void tell(const struct uevent *e)
{
	bool block = !strcmp(e->subsystem, "block") && !strcmp(e->type, "disk");
	bool net = !strcmp(e->subsystem, "net") && strcmp(e->name, "lo");
	bool cpu = !strcmp(e->subsystem, "cpu");
	bool input = !strcmp(e->subsystem, "input") && !strncmp(e->name, "input/event", 11);
	char path[64];

	if (!strcmp(e->action, "remove") && (block || net || cpu)) {
		printf("sandbox: gone %s\n", cpu ? basename(e->devpath) : e->name);
	} else if (strcmp(e->action, "add")) {
		return;
	} else if (block) {
		tell_block(e->name, e->devpath);
	} else if (net) {
		tell_net(e->name, e->devpath);
	} else if (!strcmp(e->subsystem, "memory")) {
		tell_memory(e->devpath);
	} else if (cpu) {
		tell_cpu(basename(e->devpath), e->devpath);
	} else if (input) {
		snprintf(path, sizeof(path), "/dev/%.40s", e->name);
		watch(open(path, O_RDONLY), on_key);
	}
}

/* on_uevent() - one message: "ACTION@PATH", then KEY=VALUE, each ended by a NUL */
static void on_uevent(int fd)
{
	static char message[8192];
	ssize_t n = recv(fd, message, sizeof(message) - 1, 0);
	struct uevent e = {"", "", "", "", ""};
	static const char *const keys[] = {
		"ACTION=", "SUBSYSTEM=", "DEVPATH=", "DEVNAME=", "INTERFACE=", "DEVTYPE="};
	const char **const values[] = {
		&e.action, &e.subsystem, &e.devpath, &e.name, &e.name, &e.type};

	if (n <= 0)
		return;
	message[n] = '\0';
	for (const char *at = message; at < message + n; at += strlen(at) + 1)
		for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
			if (!strncmp(at, keys[i], strlen(keys[i])))
				*values[i] = at + strlen(keys[i]);
	tell(&e);
}

static int open_uevents(void)
{
	struct sockaddr_nl addr = {.nl_family = AF_NETLINK, .nl_groups = 1};
	int fd = socket(AF_NETLINK, SOCK_DGRAM, NETLINK_KOBJECT_UEVENT);

	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)))
		userland_failed("uevents");
	return fd;
}

/* --- the kernel's log --- */

static void on_log(int fd)
{
	char line[1024];
	ssize_t n = read(fd, line, sizeof(line) - 1);

	line[n > 0 ? n : 0] = '\0';
	if (strstr(line, "NMI received"))
		printf("sandbox: nmi\n");
}

static int open_log(void)
{
	int fd = open("/dev/kmsg", O_RDONLY);

	lseek(fd, 0, SEEK_END);
	return fd;
}

/* --- vsock --- */

static void on_words(int fd)
{
	char words[256];
	ssize_t n = read(fd, words, sizeof(words));

	for (ssize_t i = 0; i < n; i++)
		words[i] = (char)toupper(words[i]);
	if (n <= 0 || write(fd, words, (size_t)n) != n)
		unwatch(fd);
}

static void on_connection(int fd)
{
	watch(accept(fd, NULL, NULL), on_words);
}

static void listen_vsock(void)
{
	struct sockaddr_vm addr = {
		.svm_family = AF_VSOCK, .svm_port = PORT, .svm_cid = VMADDR_CID_ANY};
	int fd = socket(AF_VSOCK, SOCK_STREAM, 0);

	if (fd < 0)
		return; /* no such module, no such device */
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) || listen(fd, 8))
		userland_failed("vsock");
	watch(fd, on_connection);
}

int main(void)
{
	setvbuf(stdout, NULL, _IONBF, 0);
	userland_mount();
	watch(open_uevents(), on_uevent);
	userland_modules();
	watch(open_log(), on_log);
	listen_vsock();
	while (poll(fds, n_fds, 0) > 0)
		for (nfds_t i = n_fds; i-- > 0;)
			if (fds[i].revents && i < n_fds)
				handlers[i](fds[i].fd);
	printf("sandbox: ready\n");
	for (;;) {
		poll(fds, n_fds, -1);
		for (nfds_t i = n_fds; i-- > 0;)
			if (fds[i].revents && i < n_fds)
				handlers[i](fds[i].fd);
	}
}
