/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snp-guest CASE SERIAL COMMAND...: starts COMMAND, a VM at level snp on the lab's software PSP,
 * and plays its guest. Each exit of a vCPU is a step written to the script in debugfs; what the
 * guest shares (GHCB pages, messages) is written to the monitor's shared memory. KVM and the
 * monitor answer for real. Prints "ok WHAT" or "BAD WHAT: ..." per check, and at the end "status
 * N".
 *
 * Exits: AMD APM volume 2, appendix C; GHCB: AMD 56421 "SEV-ES Guest-Hypervisor Communication
 * Block".
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEBUG     "/sys/kernel/debug/swpsp/"
#define IDLE      "/sys/module/kvm_amd/parameters/swpsp_idle"
#define RAM       (64u << 20)
#define PAGE      4096u
#define STEPS_MAX 64

/* Where the guest keeps what it shares. */
#define GHCBS     0x2000000u /* one page per event */
#define REQUEST   0x2100000u
#define RESPONSE  0x2101000u
#define CERTS     0x2102000u
#define PLAIN     0x2200000u /* pages to convert */
#define SAVE_AREA 0x2301000u /* of the second vCPU, not aligned to 2 MiB */
#define HOLE      0xd0000000u

enum { VMGEXIT = 0x403, NPF = 0x400, IOIO = 0x7b };
enum { PSC = 0x80000010, REQUEST_PLAIN, REQUEST_EXTENDED, AP_CREATION };
enum {
	GHCB_RAX = 0x1f8,
	GHCB_RBX = 0x318,
	GHCB_CODE = 0x390,
	GHCB_INFO1 = 0x398,
	GHCB_INFO2 = 0x3a0,
	GHCB_SCRATCH = 0x3a8,
	GHCB_VALID = 0x3f0,
	GHCB_BUFFER = 0x800
};

struct step {
	uint32_t vcpu, code;
	uint64_t info1, info2, msr;
} __attribute__((packed));
_Static_assert(sizeof(struct step) == 32, "a step of the script");

static struct {
	pid_t pid;
	uint8_t *memory; /* the shared side, by guest address */
	struct step steps[STEPS_MAX];
	unsigned int n, ghcbs;
	uint64_t answers[STEPS_MAX]; /* the GHCB MSR as the guest finds it after step n */
} g;

static void check(bool ok, const char *what, const char *fmt, ...)
{
	va_list ap;

	printf("%s %s", ok ? "ok" : "BAD", what);
	if (!ok) {
		printf(": ");
		va_start(ap, fmt);
		vprintf(fmt, ap);
		va_end(ap);
	}
	printf("\n");
}

static char *text_of(const char *path)
{
	static char text[65536];
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static void put(const char *path, const void *data, size_t len)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, data, len) != (ssize_t)len) {
		perror(path);
		exit(2);
	}
	close(fd);
}

static bool alive(void)
{
	siginfo_t info = {.si_pid = 0};

	return !waitid(P_PID, (id_t)g.pid, &info, WEXITED | WNOHANG | WNOWAIT) && !info.si_pid;
}

/* wait_for() - sleep until a file has a word; give up after 20 s, or when the VM has ended */
static bool wait_for(const char *path, const char *word)
{
	for (int i = 0; i < 400 && alive(); i++) {
		if (strstr(text_of(path), word))
			return true;
		usleep(50000);
	}
	return strstr(text_of(path), word) != NULL;
}

/* map_shared() - the monitor's shared memory, by its descriptor. Return: false if it is not there
 */
static bool map_shared(void)
{
	char path[300], link[64];
	struct dirent *d;
	DIR *dir;
	bool found = false;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)g.pid);
	dir = opendir(path);
	while (dir && !found && (d = readdir(dir))) {
		ssize_t n;
		int fd;

		snprintf(path, sizeof(path), "/proc/%d/fd/%s", (int)g.pid, d->d_name);
		n = readlink(path, link, sizeof(link) - 1);
		link[n < 0 ? 0 : n] = '\0';
		if (!strstr(link, "memfd:guest-shared"))
			continue;
		fd = open(path, O_RDWR);
		g.memory = mmap(NULL, RAM, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		found = g.memory != MAP_FAILED;
		close(fd);
	}
	if (dir)
		closedir(dir);
	return found;
}

static void start(char **command)
{
	put(IDLE, "1", 1);
	put(DEBUG "script", &(struct step){.code = VMGEXIT, .msr = 2}, sizeof(struct step));
	g.pid = fork();
	if (!g.pid) {
		execvp(command[0], command);
		perror(command[0]);
		_exit(127);
	}
	/* the first step is a question for the SEV information: when it is gone, the guest runs */
	if (!wait_for(DEBUG "entered", "left 0") || !map_shared()) {
		printf("BAD start: the guest does not run\n");
		exit(2);
	}
}

/* --- steps --- */

static void add(uint32_t vcpu, uint32_t code, uint64_t info1, uint64_t info2, uint64_t msr)
{
	g.steps[g.n++] = (struct step){vcpu, code, info1, info2, msr};
}

static void ask_msr(uint64_t msr)
{
	add(0, VMGEXIT, 0, 0, msr);
}

/* touch() - the guest touches a page that is not mapped; encrypted: with the C-bit */
static void touch(uint64_t gpa, bool encrypted)
{
	add(0, NPF, 1ull << 32 | 4 | 2 | (encrypted ? 1ull << 34 : 0), gpa, 0);
}

static void ghcb_set(uint8_t *ghcb, unsigned int field, uint64_t value)
{
	memcpy(ghcb + field, &value, sizeof(value));
	ghcb[GHCB_VALID + field / 64] |= (uint8_t)(1u << field / 8 % 8);
}

static uint64_t ghcb_get(const uint8_t *ghcb, unsigned int field)
{
	uint64_t value;

	memcpy(&value, ghcb + field, sizeof(value));
	return value;
}

/* ask() - an event with a GHCB page of its own, registered first. Return: the page */
static uint8_t *ask(uint32_t vcpu, uint64_t code, uint64_t info1, uint64_t info2)
{
	uint64_t gpa = GHCBS + PAGE * g.ghcbs++;
	uint8_t *ghcb = g.memory + gpa;

	memset(ghcb, 0, PAGE);
	ghcb_set(ghcb, GHCB_CODE, code);
	ghcb_set(ghcb, GHCB_INFO1, info1);
	ghcb_set(ghcb, GHCB_INFO2, info2);
	ghcb_set(ghcb, GHCB_SCRATCH, gpa + GHCB_BUFFER);
	add(vcpu, VMGEXIT, 0, 0, gpa | 0x012);
	add(vcpu, VMGEXIT, 0, 0, gpa);
	return ghcb;
}

/*
 * play() - run the steps so far, and one more, so that the last of them is over when that begins.
 * Return: false if the VM did not come that far
 */
static bool play(void)
{
	const char *at;
	bool done;

	ask_msr(2);
	put(DEBUG "script", g.steps, g.n * sizeof(g.steps[0]));
	done = wait_for(DEBUG "entered", "left 0");
	at = text_of(DEBUG "entered");
	for (unsigned int i = 0; i < g.n && (at = strstr(at, "ghcb ")); i++, at++)
		if (i)
			g.answers[i - 1] = strtoull(at + 5, NULL, 16);
	g.n = 0;
	return done;
}

static unsigned long rmp(const char *state)
{
	const char *at = strstr(text_of(DEBUG "rmp"), state);

	return at ? strtoul(at + strlen(state), NULL, 10) : ~0ul;
}

/* --- the cases --- */

#define SHARE(gpa)  ((gpa) >> 12 << 12 | 2ull << 52 | 0x014)
#define HIDE(gpa)   ((gpa) >> 12 << 12 | 1ull << 52 | 0x014)
#define PSC_DONE    0x15ull
#define PSC_REFUSED 0x8000000000000015ull

/* One page by the MSR protocol: shared, hidden, and three that must be refused. */
static void case_psc_msr(void)
{
	static const struct {
		uint64_t msr, want;
		const char *what;
	} rows[] = {
		{SHARE(PLAIN), PSC_DONE, "psc-msr share"},
		{SHARE(PLAIN), PSC_DONE, "psc-msr share again"},
		{HIDE(PLAIN), PSC_DONE, "psc-msr hide"},
		{SHARE((uint64_t)HOLE), PSC_DONE, "psc-msr share registers"},
		{HIDE((uint64_t)HOLE), PSC_REFUSED, "psc-msr hide registers"},
		{HIDE((uint64_t)RAM), PSC_REFUSED, "psc-msr hide beyond memory"},
		{3ull << 52 | 0x014, PSC_REFUSED, "psc-msr unknown operation"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ask_msr(rows[i].msr);
	check(play(), "psc-msr", "not all steps were played");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check(g.answers[i] == rows[i].want, rows[i].what, "%#llx",
			(unsigned long long)g.answers[i]);
}

static void psc_entry(uint8_t *ghcb, unsigned int n, uint64_t gpa, unsigned int op, bool huge)
{
	uint64_t entry = gpa >> 12 << 12 | (uint64_t)op << 52 | (uint64_t)huge << 56;
	uint16_t end = (uint16_t)n;

	memcpy(ghcb + GHCB_BUFFER + 2, &end, sizeof(end));
	memcpy(ghcb + GHCB_BUFFER + 8 + 8 * n, &entry, sizeof(entry));
}

/* Many pages by the GHCB: neighbours, 2 MiB, and a list with one that is refused. */
static void case_psc(void)
{
	uint8_t *ghcb[3];

	ghcb[0] = ask(0, PSC, 0, 0);
	for (unsigned int i = 0; i < 3; i++)
		psc_entry(ghcb[0], i, PLAIN + i * PAGE, 2, false);
	psc_entry(ghcb[0], 3, PLAIN + PAGE, 1, false);
	ghcb[1] = ask(0, PSC, 0, 0);
	psc_entry(ghcb[1], 0, PLAIN + 0x200000, 2, true);
	ghcb[2] = ask(0, PSC, 0, 0);
	psc_entry(ghcb[2], 0, PLAIN + 0x10000, 2, false);
	psc_entry(ghcb[2], 1, RAM, 1, false);
	check(play(), "psc", "not all steps were played");
	check(ghcb_get(ghcb[0], GHCB_INFO2) == 0, "psc four pages", "%#llx",
		(unsigned long long)ghcb_get(ghcb[0], GHCB_INFO2));
	check(ghcb_get(ghcb[1], GHCB_INFO2) == 0, "psc 2 MiB", "%#llx",
		(unsigned long long)ghcb_get(ghcb[1], GHCB_INFO2));
	check(ghcb_get(ghcb[2], GHCB_INFO2) == 0x100ull << 32, "psc refused", "%#llx",
		(unsigned long long)ghcb_get(ghcb[2], GHCB_INFO2));
	/* and back, for the count at the end */
	ghcb[0] = ask(0, PSC, 0, 0);
	psc_entry(ghcb[0], 0, PLAIN, 1, false);
	psc_entry(ghcb[0], 1, PLAIN + 2 * PAGE, 1, false);
	psc_entry(ghcb[0], 2, PLAIN + 0x10000, 1, false);
	psc_entry(ghcb[0], 3, PLAIN + 0x200000, 1, true);
	check(play() && ghcb_get(ghcb[0], GHCB_INFO2) == 0, "psc back", "%#llx",
		(unsigned long long)ghcb_get(ghcb[0], GHCB_INFO2));
}

/* Conversions that nobody asked for: the guest just touches the page in the other way. */
static void case_implicit(void)
{
	unsigned long before = rmp(" invalid ");

	touch(PLAIN, true); /* private already: KVM gives it a page */
	check(play() && rmp(" invalid ") == before + 1, "implicit private page", "%lu, was %lu",
		rmp(" invalid "), before);
	memcpy(g.memory + PLAIN, "stale", 6);
	touch(PLAIN, false);
	check(play() && rmp(" invalid ") == before, "implicit to shared", "%lu", rmp(" invalid "));
	memcpy(g.memory + PLAIN, "shared", 7);
	touch(PLAIN, true);
	touch(PLAIN, true); /* the access again, now that it is private */
	check(play() && rmp(" invalid ") == before + 1, "implicit to private", "%lu",
		rmp(" invalid "));
	check(!g.memory[PLAIN], "implicit leaves nothing on the shared side", "%.8s",
		g.memory + PLAIN);
}

/* say() - a byte from a vCPU to the serial port */
static void say(uint32_t vcpu, char byte)
{
	ghcb_set(ask(vcpu, IOIO, 0x3f8ull << 16 | 1 << 4, 0), GHCB_RAX, (uint8_t)byte);
}

/* A byte to the serial port, and a read from it, through the GHCB. */
static void case_io(const char *serial)
{
	uint8_t *ghcb;

	say(0, 'A');
	ghcb = ask(0, IOIO, 0x3fdull << 16 | 1 << 4 | 1, 0);
	check(play(), "io", "not all steps were played");
	check(strchr(text_of(serial), 'A') != NULL, "io out", "%s", text_of(serial));
	check(ghcb_get(ghcb, GHCB_RAX) & 0x20, "io in: ready to send", "%#llx",
		(unsigned long long)ghcb_get(ghcb, GHCB_RAX));
}

/* A message to the firmware, which echoes it; with certificates there are none. */
static void case_request(void)
{
	static const uint8_t none[24];
	uint8_t *ghcb = ask(0, REQUEST_PLAIN, REQUEST, RESPONSE);

	ask_msr(SHARE((uint64_t)REQUEST));
	ask_msr(SHARE((uint64_t)RESPONSE));
	ask_msr(SHARE((uint64_t)CERTS));
	memset(g.memory + REQUEST, 0x11, PAGE);
	check(play() && !memcmp(g.memory + RESPONSE + 0x60, "SWPSP-ECHO", 10), "request",
		"no echo");
	check(ghcb_get(ghcb, GHCB_INFO2) == 0, "request result", "%#llx",
		(unsigned long long)ghcb_get(ghcb, GHCB_INFO2));
	g.memory[REQUEST + 0x34] = 5; /* a report */
	memset(g.memory + RESPONSE, 0, PAGE);
	memset(g.memory + CERTS, 0xee, PAGE);
	ghcb = ask(0, REQUEST_EXTENDED, REQUEST, RESPONSE);
	ghcb_set(ghcb, GHCB_RAX, CERTS);
	ghcb_set(ghcb, GHCB_RBX, 1);
	check(play() && !memcmp(g.memory + RESPONSE + 0x60, "SWPSP-ECHO", 10), "request extended",
		"no echo");
	check(ghcb_get(ghcb, GHCB_INFO2) == 0 && !memcmp(g.memory + CERTS, none, sizeof(none)),
		"request extended: an empty list of certificates", "%#llx",
		(unsigned long long)ghcb_get(ghcb, GHCB_INFO2));
}

/* A page for the second vCPU's state: KVM takes a good one and refuses one at 2 MiB. */
static void case_ap(void)
{
	uint8_t *ghcb = ask(0, AP_CREATION, 1ull << 32 | 1, SAVE_AREA & ~0x1fffffu);

	ghcb_set(ghcb, GHCB_RAX, 1);
	check(play() && (uint32_t)ghcb_get(ghcb, GHCB_INFO1) == 2, "ap refused at 2 MiB", "%#llx",
		(unsigned long long)ghcb_get(ghcb, GHCB_INFO1));
	ghcb = ask(0, AP_CREATION, 1ull << 32 | 1, SAVE_AREA);
	ghcb_set(ghcb, GHCB_RAX, 1);
	check(play() && (uint32_t)ghcb_get(ghcb, GHCB_INFO1) != 2, "ap accepted", "%#llx",
		(unsigned long long)ghcb_get(ghcb, GHCB_INFO1));
}

static void play_all(const char *serial)
{
	case_psc_msr();
	case_psc();
	case_implicit();
	case_io(serial);
	case_request();
	case_ap();
	check(alive(), "the guest is still alive", "it is not");
	kill(g.pid, SIGTERM);
}

/* --- what ends a guest --- */

static const struct {
	const char *name;
	uint64_t msr;
} ends[] = {
	{"end-general", 0x100},
	{"end-linux", 0x100 | 1 << 12 | 1 << 16},
};

static void play_end(const char *name)
{
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (!strcmp(name, ends[i].name))
			ask_msr(ends[i].msr);
	if (!strcmp(name, "end-no-memory"))
		touch(RAM + 0x1000000, true);
	check(g.n == 1 && !play(), name, "the guest goes on");
}

int main(int argc, char **argv)
{
	int status;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 4)
		return 2;
	start(argv + 3);
	if (!strcmp(argv[1], "all"))
		play_all(argv[2]);
	else
		play_end(argv[1]);
	put(IDLE, "0", 1);
	if (alive())
		kill(g.pid, SIGTERM);
	waitpid(g.pid, &status, 0);
	printf("status %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	return 0;
}
