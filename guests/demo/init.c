/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /init of the demo guest: shows that the machine works, and leaves evidence for the host.
 *
 * It says what it sees in lines "demo: KEY VALUES" on the console:
 *     kernel, cpus, memory, uptime, dmesg   what the guest's kernel found
 *     seed HEX      from which host and guest derive two patterns by SHA-256: the secret, which
 *                   fills SECRET_SIZE of the guest's memory and goes nowhere else, and the public
 *                   one, which the guest writes to its disk and a device therefore must see
 *     read, wrote   each disk's sum: a read-only disk is read whole, past the page cache; a
 *                   writable one gets SCRATCH_SIZE bytes at SCRATCH_AT and they are read back
 *     ready         now it waits for a line from the host (at most demo_wait=SECONDS), powers off
 *     FAILED WHY    something did not work; it goes on as far as it can
 * The secret itself is never printed. Kernel command line: demo_wait=20, demo_disks=N
 * (how many disks to expect; 0: leave them alone).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/reboot.h>
#include <sys/utsname.h>
#include <termios.h>
#include <unistd.h>

#include "guests/demo/pattern.h"
#include "guests/demo/userland.h"

#define SECRET_SIZE  (4U << 20)
#define SCRATCH_AT   (1U << 20)
#define SCRATCH_SIZE (1U << 20)
#define CHUNK        (256U << 10)

static void say_hex(const char *key, const uint8_t *bytes)
{
	char text[2 * PATTERN_SIZE + 1];

	for (size_t i = 0; i < PATTERN_SIZE; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	printf("%s %s\n", key, text);
}

/* The lines of the kernel's log that say what kind of machine this is. */
static void show_dmesg(void)
{
	static const char *const wanted[] = {"Memory Encryption Features active",
		"software IO TLB: mapped", "Hypervisor detected", "smp: Brought up"};
	static char log[1U << 20];
	int n = klogctl(3 /* SYSLOG_ACTION_READ_ALL */, log, sizeof(log) - 1);

	log[n > 0 ? n : 0] = 0;
	for (char *line = strtok(log, "\n"); line; line = strtok(NULL, "\n"))
		for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
			if (strstr(line, wanted[i]))
				printf("demo: dmesg %s\n",
					strchr(line, '[') ? strchr(line, '[') : line);
}

static void show_machine(void)
{
	struct utsname name;
	char up[64] = {0};
	int fd = open("/proc/uptime", O_RDONLY);

	uname(&name);
	printf("demo: kernel %s\n", name.release);
	printf("demo: cpus %ld\n", sysconf(_SC_NPROCESSORS_ONLN));
	printf("demo: memory %ld KiB\n", sysconf(_SC_PHYS_PAGES) * (sysconf(_SC_PAGESIZE) / 1024));
	if (read(fd, up, sizeof(up) - 1) > 0)
		printf("demo: uptime %s s\n", strtok(up, " "));
	close(fd);
	show_dmesg();
}

/* The guest-physical address of a page of this process; 0 if the kernel does not tell. */
static unsigned long long physical(const void *at)
{
	uint64_t entry = 0;
	int fd = open("/proc/self/pagemap", O_RDONLY);
	off_t where = (off_t)((uintptr_t)at / 4096 * sizeof(entry));

	if (pread(fd, &entry, sizeof(entry), where) != sizeof(entry))
		entry = 0;
	close(fd);
	return (entry & ((1ULL << 55) - 1)) * 4096;
}

/* Fill a part of this process's memory with the secret; it stays until the end. */
static void keep_secret(const uint8_t *seed)
{
	uint8_t *at = mmap(NULL, SECRET_SIZE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	uint8_t secret[PATTERN_SIZE];

	if (at == MAP_FAILED) {
		userland_failed("memory for the secret");
		return;
	}
	pattern_secret(seed, secret);
	for (size_t i = 0; i < SECRET_SIZE; i += PATTERN_SIZE)
		memcpy(at + i, secret, PATTERN_SIZE);
	printf("demo: secret kept %u bytes, the first at 0x%llx\n", SECRET_SIZE, physical(at));
}

/* The sum of [at, at+len) of a disk, read past the page cache. Return: 0 or -1. */
static int sum_disk(int fd, uint8_t *buf, off_t at, size_t len, uint8_t *sum)
{
	struct sha256 s;

	sha256_init(&s);
	while (len) {
		ssize_t n = pread(fd, buf, len < CHUNK ? len : CHUNK, at);

		if (n <= 0)
			return -1;
		sha256_add(&s, buf, (size_t)n);
		at += n;
		len -= (size_t)n;
	}
	sha256_end(&s, sum);
	return 0;
}

/* Numbered blocks of the public pattern: what was written where can be told from the disk. */
static int write_scratch(int fd, uint8_t *buf, const uint8_t *seed)
{
	uint8_t public[PATTERN_SIZE];

	pattern_public(seed, public);
	for (uint32_t at = 0; at < SCRATCH_SIZE; at += CHUNK) {
		for (uint32_t i = 0; i < CHUNK; i += PATTERN_SIZE)
			memcpy(buf + i, public, PATTERN_SIZE);
		for (uint32_t i = 0; i < CHUNK; i += 4096)
			memcpy(buf + i, &(uint32_t){at + i}, 4);
		if (pwrite(fd, buf, CHUNK, SCRATCH_AT + at) != CHUNK)
			return -1;
	}
	return fsync(fd);
}

static void use_disk(const char *name, uint8_t *buf, const uint8_t *seed)
{
	char path[32], key[96];
	uint8_t sum[SHA256_SIZE];
	uint64_t size = 0;
	int ro = 0, fd;

	snprintf(path, sizeof(path), "/dev/%s", name);
	fd = open(path, O_RDONLY | O_DIRECT);
	if (fd < 0 || ioctl(fd, BLKGETSIZE64, &size) || ioctl(fd, BLKROGET, &ro)) {
		userland_failed(path);
		return;
	}
	if (!ro) {
		close(fd);
		fd = open(path, O_RDWR | O_DIRECT);
		size = SCRATCH_SIZE;
		if (fd < 0 || write_scratch(fd, buf, seed))
			userland_failed("writing a disk");
	}
	if (sum_disk(fd, buf, ro ? 0 : SCRATCH_AT, size, sum))
		userland_failed("reading a disk");
	snprintf(key, sizeof(key), "demo: %s %s %llu sha256", ro ? "read" : "wrote", name,
		(unsigned long long)size);
	say_hex(key, sum);
	close(fd);
}

static void use_disks(const uint8_t *seed)
{
	uint8_t *buf =
		mmap(NULL, CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int wanted = userland_number("demo_disks=", -1), found = 0;

	if (wanted == 0)
		return;

	/* Read-only disks first: what was written last is still in the bounce buffer. */
	for (char ro = '1'; ro >= '0'; ro--)
		for (char letter = 'a'; letter <= 'z'; letter++) {
			char path[64], is_ro = 0, name[] = {'v', 'd', letter, 0};
			int fd;

			snprintf(path, sizeof(path), "/sys/block/%s/ro", name);
			fd = open(path, O_RDONLY);
			if (fd < 0)
				continue;
			if (read(fd, &is_ro, 1) == 1 && is_ro == ro) {
				use_disk(name, buf, seed);
				found++;
			}
			close(fd);
		}
	if (wanted >= 0 && found != wanted)
		printf("demo: FAILED %d disks instead of %d\n", found, wanted);
}

static void use_rng(void)
{
	uint8_t bytes[16];
	int fd = open("/dev/hwrng", O_RDONLY);

	if (fd >= 0 && read(fd, bytes, sizeof(bytes)) > 0)
		printf("demo: hwrng works\n");
	if (fd >= 0)
		close(fd);
}

/* Until the host has looked and says so, or is not going to. */
static void wait_for_host(void)
{
	struct pollfd console = {.fd = STDIN_FILENO, .events = POLLIN};
	int seconds = userland_number("demo_wait=", 20);

	printf("demo: ready\n");
	poll(&console, 1, seconds * 1000);
	printf("demo: bye\n");
	tcdrain(STDOUT_FILENO);
}

/* End as demo_end= says: "reboot", "panic", "sleep" (until the VM is ended), else power off. */
static int end(void)
{
	const char *how = userland_value("demo_end=");

	how = how ? how : "";
	if (!strncmp(how, "panic", 5))
		return 1; /* the kernel can't go on without init */
	if (!strncmp(how, "sleep", 5)) {
		printf("demo: sleeps\n");
		pause();
	}
	reboot(strncmp(how, "reboot", 6) ? RB_POWER_OFF : RB_AUTOBOOT);
	userland_failed("ending");
	for (;;)
		pause();
}

int main(void)
{
	uint8_t seed[PATTERN_SIZE];

	setvbuf(stdout, NULL, _IOLBF, 0);
	userland_mount();
	userland_modules();
	show_machine();
	if (getrandom(seed, sizeof(seed), 0) != sizeof(seed))
		userland_failed("getrandom");
	say_hex("demo: seed", seed);
	keep_secret(seed);
	use_rng();
	use_disks(seed);
	wait_for_host();
	return end();
}
