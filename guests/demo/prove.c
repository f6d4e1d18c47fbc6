/* SPDX-License-Identifier: Apache-2.0 */
/*
 * demo-prove: where in the host is the demo guest's secret?
 *
 *     demo-prove SEED[@GPA] MONITOR-PID [NAME=PID]...
 *
 * Searches everything that each named process can reach, its mappings and its descriptors, for the
 * two patterns of the demo guest (pattern.h), then the monitor's mappings until the secret is
 * found; in those of guest RAM at guest-physical address GPA first, where the guest says it is. One
 * line each:
 *
 *     prove: device NAME pid N mappings N descriptors N searched BYTES secret N public N
 *            private_mappings N private_descriptors N unsearched BYTES
 *     prove: monitor pid N secret N in MAPPING
 *
 * "public" counts hits in memory only: a device that served the guest's disk must show some, which
 * proves that the search can find things. "private" is what the monitor's secret was found in (by
 * inode), and any KVM descriptor or guest_memfd. It judges nothing: that is its caller's part.
 * Exit status: 0, or 1 if a process could not be examined.
 *
 * A shared mapping is searched through its file, where holes cost nothing and get no pages;
 * anything else through /proc/PID/mem, only pages that are there. Needs the rights of a debugger.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "guests/demo/pattern.h"

#define CHUNK    (1UL << 20)
#define OVERLAP  (PATTERN_SIZE - 1)
#define PAGE     4096UL
#define MAX_MAPS 4096
#define MAX_SEEN 256
#define ENOUGH   64 /* hits in the monitor after which it is not searched on */

struct inode {
	dev_t dev;
	ino_t ino;
};

struct inodes {
	struct inode at[MAX_SEEN];
	size_t n;
};

struct map {
	uint64_t start, end, offset;
	struct inode inode; /* ino 0: anonymous */
	bool readable, shared;
	char name[256];
};

struct process {
	const char *name;
	int pid;
	struct map *maps;
	size_t n_maps;
};

struct hits {
	uint64_t secret, public, searched, unsearched;
};

struct search {
	uint8_t secret[PATTERN_SIZE], public[PATTERN_SIZE];
	uint8_t buf[CHUNK + OVERLAP];
	uint64_t gpa;          /* a page with the secret, by the guest's word; 0: unknown */
	struct inodes private; /* what the monitor keeps the secret in */
	struct inodes reached; /* files that the devices reach; all searched */
};

static bool inodes_have(const struct inodes *set, struct inode inode)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->at[i].dev == inode.dev && set->at[i].ino == inode.ino)
			return true;
	return false;
}

/* Return: whether it is new. A full set is an error of this program's limits. */
static bool inodes_add(struct inodes *set, struct inode inode)
{
	if (inodes_have(set, inode))
		return false;
	if (set->n == MAX_SEEN) {
		fprintf(stderr, "prove: too many files\n");
		exit(1);
	}
	set->at[set->n++] = inode;
	return true;
}

static uint64_t count(const uint8_t *at, size_t len, const uint8_t *pattern)
{
	uint64_t n = 0;
	const uint8_t *hit;

	while ((hit = memmem(at, len, pattern, PATTERN_SIZE))) {
		n++;
		len -= (size_t)(hit + PATTERN_SIZE - at);
		at = hit + PATTERN_SIZE;
	}
	return n;
}

/*
 * Search [at, at+len) of fd in chunks. A pattern across two chunks is found too, since each chunk
 * begins a little early.
 */
static void search_range(struct search *s, int fd, uint64_t at, uint64_t len, struct hits *h)
{
	for (uint64_t done = 0; done < len;) {
		size_t early = done ? OVERLAP : 0;
		size_t want = len - done < CHUNK ? (size_t)(len - done) : CHUNK;
		ssize_t n = pread(fd, s->buf, want + early, (off_t)(at + done - early));

		if (n <= (ssize_t)early) {
			h->unsearched += want;
			done += want;
			continue;
		}
		h->secret += count(s->buf, (size_t)n, s->secret);
		h->public += count(s->buf, (size_t)n, s->public);
		h->searched += (size_t)n - early;
		done += (size_t)n - early;
	}
}

/* A whole file, without its holes. */
static void search_file(struct search *s, int fd, struct hits *h)
{
	off_t end = lseek(fd, 0, SEEK_END);
	off_t at = lseek(fd, 0, SEEK_DATA);

	if (at < 0 && errno != ENXIO && end > 0) {
		search_range(s, fd, 0, (uint64_t)end, h);
		return;
	}
	while (at >= 0) {
		off_t hole = lseek(fd, at, SEEK_HOLE);

		search_range(s, fd, (uint64_t)at, (uint64_t)(hole - at), h);
		at = lseek(fd, hole, SEEK_DATA);
	}
}

static int open_of(int pid, const char *what)
{
	char path[128];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, what);
	return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

/* Whether the page at addr is there, in memory or swapped out. */
static bool is_present(int pagemap, uint64_t addr)
{
	uint64_t entry = 0;

	return pread(pagemap, &entry, sizeof(entry), (off_t)(addr / PAGE * 8)) == 8 && entry >> 62;
}

/* Memory that belongs to a process alone: only its present pages, so that none is made. */
static void search_present(
	struct search *s, const struct process *p, const struct map *m, struct hits *h)
{
	int mem = open_of(p->pid, "mem"), pagemap = open_of(p->pid, "pagemap");
	uint64_t run = m->start; /* where the pages that are there in a row began */

	for (uint64_t at = m->start; at < m->end; at += PAGE) {
		if (is_present(pagemap, at))
			continue;
		search_range(s, mem, run, at - run, h);
		run = at + PAGE;
	}
	search_range(s, mem, run, m->end - run, h);
	close(mem);
	close(pagemap);
}

/* The kernel's own pages in a process, and rings that hold requests, not data. */
static bool is_kernels(const struct map *m)
{
	return !strncmp(m->name, "[v", 2) || !strcmp(m->name, "anon_inode:[io_uring]");
}

static void search_map(
	struct search *s, const struct process *p, const struct map *m, struct hits *h)
{
	char path[64];
	int fd;

	if (!m->readable || is_kernels(m))
		return;
	if (!m->shared) {
		search_present(s, p, m, h);
		return;
	}
	if (!inodes_add(&s->reached, m->inode))
		return;
	snprintf(path, sizeof(path), "map_files/%lx-%lx", m->start, m->end);
	fd = open_of(p->pid, path);
	if (fd >= 0) {
		search_file(s, fd, h);
	} else {
		fd = open_of(p->pid, "mem");
		search_range(s, fd, m->start, m->end - m->start, h);
	}
	close(fd);
}

static int read_maps(struct process *p)
{
	char path[64], line[1024];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", p->pid);
	f = fopen(path, "r");
	p->maps = calloc(MAX_MAPS, sizeof(*p->maps));
	if (!f || !p->maps) {
		fprintf(stderr, "prove: %s: %s\n", path, strerror(errno));
		return -1;
	}
	while (p->n_maps < MAX_MAPS && fgets(line, sizeof(line), f)) {
		struct map *m = &p->maps[p->n_maps++];
		unsigned int major, minor;
		char perms[8];

		if (sscanf(line, "%lx-%lx %7s %lx %x:%x %lu %255[^\n]", &m->start, &m->end, perms,
			    &m->offset, &major, &minor, &m->inode.ino, m->name) < 7)
			p->n_maps--;
		m->inode.dev = makedev(major, minor);
		m->readable = perms[0] == 'r';
		m->shared = perms[3] == 's';
	}
	fclose(f);
	return p->n_maps ? 0 : -1;
}

static bool is_private(const struct search *s, struct inode inode, const char *name)
{
	return strstr(name, "guest_memfd") || strstr(name, "kvm") ||
		(inode.ino && inodes_have(&s->private, inode));
}

/* One descriptor: is it private, and what is behind it if it can hold data. */
static void search_descriptor(
	struct search *s, int pid, const char *number, struct hits *h, uint64_t *private)
{
	char path[320], link[256] = {0};
	struct stat st;
	uint64_t public = h->public;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/fd/%s", pid, number);
	if (readlink(path, link, sizeof(link) - 1) < 0 || stat(path, &st))
		return;
	if (is_private(s, (struct inode){st.st_dev, st.st_ino}, link))
		(*private)++;
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return;
	if (!inodes_add(&s->reached, (struct inode){st.st_dev, st.st_ino}))
		return;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0)
		search_file(s, fd, h);
	close(fd);
	if (strncmp(link, "/memfd:", 7))
		h->public = public; /* a disk has it by right */
}

static int examine_device(struct search *s, struct process *p)
{
	struct hits h = {0};
	uint64_t private_maps = 0, private_fds = 0, fds = 0;
	struct dirent *entry;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", p->pid);
	dir = opendir(path);
	if (!dir)
		return -1;
	s->reached.n = 0;
	for (size_t i = 0; i < p->n_maps; i++) {
		private_maps += is_private(s, p->maps[i].inode, p->maps[i].name);
		search_map(s, p, &p->maps[i], &h);
	}
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		fds++;
		search_descriptor(s, p->pid, entry->d_name, &h, &private_fds);
	}
	closedir(dir);
	printf("prove: device %s pid %d mappings %zu descriptors %lu searched %lu secret %lu public "
	       "%lu private_mappings %lu private_descriptors %lu unsearched %lu\n",
		p->name, p->pid, p->n_maps, fds, h.searched, h.secret, h.public, private_maps,
		private_fds, h.unsearched);
	return 0;
}

/*
 * The monitor's memory from the top, where Linux allocates first: searching it all would give
 * pages to memory that the guest never touched.
 */
static uint64_t find_in_map(struct search *s, const struct process *p, const struct map *m)
{
	char path[64];
	struct hits h = {0};
	int fd;

	snprintf(path, sizeof(path), "map_files/%lx-%lx", m->start, m->end);
	fd = m->shared ? open_of(p->pid, path) : -1;
	if (fd >= 0) {
		search_file(s, fd, &h);
		close(fd);
		return h.secret;
	}
	if (!m->shared || !m->inode.ino) {
		search_present(s, p, m, &h);
		return h.secret;
	}
	fd = open_of(p->pid, "mem");
	if (s->gpa && s->gpa - m->offset < m->end - m->start) /* RAM lies in its file by address */
		search_range(s, fd, m->start + s->gpa - m->offset, PAGE, &h);
	for (uint64_t end = h.secret ? 0 : m->end; end > m->start && h.secret < ENOUGH;) {
		uint64_t len = end - m->start < CHUNK ? end - m->start : CHUNK;

		search_range(s, fd, end - len, len, &h);
		end -= len;
	}
	close(fd);
	return h.secret;
}

/* Which inodes hold the secret: found first, so that devices are held against them. */
static void examine_monitor(struct search *s, const struct process *p)
{
	struct inodes seen = {.n = 0};
	bool found = false;

	for (size_t i = 0; i < p->n_maps; i++) {
		const struct map *m = &p->maps[i];
		uint64_t n;

		if (!m->readable || is_kernels(m))
			continue;
		if (m->shared && m->inode.ino && !inodes_add(&seen, m->inode))
			continue;
		n = find_in_map(s, p, m);
		if (!n)
			continue;
		found = true;
		printf("prove: monitor pid %d secret %lu in %s\n", p->pid, n,
			m->name[0] ? m->name : "anonymous");
		if (m->shared)
			inodes_add(&s->private, m->inode);
	}
	if (!found)
		printf("prove: monitor pid %d secret 0 in nothing\n", p->pid);
}

static int parse_seed(const char *hex, uint8_t *seed)
{
	if (strspn(hex, "0123456789abcdef") != 2 * PATTERN_SIZE)
		return -1;
	for (size_t i = 0; i < PATTERN_SIZE; i++)
		if (sscanf(hex + 2 * i, "%2hhx", &seed[i]) != 1)
			return -1;
	return 0;
}

int main(int argc, char **argv)
{
	static struct search s;
	uint8_t seed[PATTERN_SIZE];
	struct process monitor = {.name = "monitor"};
	int status = 0;

	if (argc < 3 || parse_seed(argv[1], seed)) {
		fprintf(stderr, "usage: demo-prove SEED MONITOR-PID [NAME=PID]...\n");
		return 2;
	}
	if (strchr(argv[1], '@'))
		s.gpa = strtoull(strchr(argv[1], '@') + 1, NULL, 0);
	pattern_secret(seed, s.secret);
	pattern_public(seed, s.public);
	monitor.pid = atoi(argv[2]);
	if (read_maps(&monitor))
		return 1;
	examine_monitor(&s, &monitor);
	for (int i = 3; i < argc; i++) {
		char *pid = strchr(argv[i], '=');
		struct process device = {.name = argv[i]};

		if (!pid)
			return 2;
		*pid++ = 0;
		device.pid = atoi(pid);
		if (read_maps(&device) || examine_device(&s, &device))
			status = 1;
		free(device.maps);
	}
	free(monitor.maps);
	return status;
}
