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
#define PATIENCE  400 /* looks of 50 ms */

/* Where the guest keeps what it shares. */
#define GHCBS      0x2000000u /* one page per event */
#define REQUEST    0x2100000u
#define RESPONSE   0x2101000u
#define CERTS      0x2102000u
#define CERT_PAGES 3u
#define PLAIN      0x2200000u        /* pages to convert */
#define SAVE_AREA  0x2301000u        /* of the second vCPU, not aligned to 2 MiB */
#define LAUNCHED   0xfffffffff000ull /* of all vCPUs, as KVM measures them */
#define HUGE       0x2800000u        /* many pages to convert */
#define APIC       0xfee00000u
#define HOLE       0xd0000000u

enum { VMGEXIT = 0x403, NPF = 0x400, IOIO = 0x7b, RMPADJUST = 0xfffffff0 };
enum { MMIO_WRITE = 0x80000002, AP_HOLD = 0x80000004 };
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

/* look_for() - sleep until a file has a word; give up after `tries`, or when the VM has ended */
static bool look_for(const char *path, const char *word, int tries)
{
	for (int i = 0; i < tries && alive(); i++) {
		if (strstr(text_of(path), word))
			return true;
		usleep(50000);
	}
	return strstr(text_of(path), word) != NULL;
}

static bool wait_for(const char *path, const char *word)
{
	return look_for(path, word, PATIENCE);
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

/* play_for() - like play(), with patience for `tries` looks */
static bool play_for(int tries)
{
	const char *at;
	bool done;

	ask_msr(2);
	put(DEBUG "script", g.steps, g.n * sizeof(g.steps[0]));
	done = look_for(DEBUG "entered", "left 0", tries);
	at = text_of(DEBUG "entered");
	for (unsigned int i = 0; i < g.n && (at = strstr(at, "ghcb ")); i++, at++)
		if (i)
			g.answers[i - 1] = strtoull(at + 5, NULL, 16);
	g.n = 0;
	return done;
}

/*
 * play() - run the steps so far, and one more, so that the last of them is over when that begins.
 * Return: false if the VM did not come that far
 */
static bool play(void)
{
	return play_for(PATIENCE);
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

/* request_shared() - the pages of a message are the guest's to share, once */
static void request_shared(void)
{
	ask_msr(SHARE((uint64_t)REQUEST));
	ask_msr(SHARE((uint64_t)RESPONSE));
	for (unsigned int i = 0; i < CERT_PAGES; i++)
		ask_msr(SHARE((uint64_t)CERTS + i * PAGE));
	memset(g.memory + REQUEST, 0x11, PAGE);
}

/* request_report() - ask for a report with `pages` pages of room at certs. Return: the GHCB */
static uint8_t *request_report(uint64_t certs, uint64_t pages)
{
	uint8_t *ghcb = ask(0, REQUEST_EXTENDED, REQUEST, RESPONSE);

	g.memory[REQUEST + 0x34] = 5; /* a report */
	memset(g.memory + RESPONSE, 0, PAGE);
	memset(g.memory + CERTS, 0xee, CERT_PAGES * PAGE);
	ghcb_set(ghcb, GHCB_RAX, certs);
	ghcb_set(ghcb, GHCB_RBX, pages);
	return ghcb;
}

static bool echoed(void)
{
	return !memcmp(g.memory + RESPONSE + 0x60, "SWPSP-ECHO", 10);
}

/* A message to the firmware, which echoes it; with certificates there are none. */
static void case_request(void)
{
	static const uint8_t none[24];
	uint8_t *ghcb;

	request_shared();
	ghcb = ask(0, REQUEST_PLAIN, REQUEST, RESPONSE);
	check(play() && echoed(), "request", "no echo");
	check(ghcb_get(ghcb, GHCB_INFO2) == 0, "request result", "%#llx",
		(unsigned long long)ghcb_get(ghcb, GHCB_INFO2));
	ghcb = request_report(CERTS, 1);
	check(play() && echoed(), "request extended", "no echo");
	check(ghcb_get(ghcb, GHCB_INFO2) == 0 && !memcmp(g.memory + CERTS, none, sizeof(none)),
		"request extended: an empty list of certificates", "%#llx",
		(unsigned long long)ghcb_get(ghcb, GHCB_INFO2));
}

/* The same where the monitor has certificates: /t/certs, two pages. */
static void case_certs(void)
{
	static uint8_t file[2 * PAGE];
	int fd = open("/t/certs", O_RDONLY);
	ssize_t len = fd < 0 ? -1 : read(fd, file, sizeof(file));
	uint8_t *ghcb;

	check(len > (ssize_t)PAGE, "certs: the file", "%zd", len);
	request_shared();
	ghcb = request_report(CERTS, 1);
	check(play() && !echoed() && ghcb_get(ghcb, GHCB_INFO2) == 1ull << 32 &&
			ghcb_get(ghcb, GHCB_RBX) == 2,
		"certs: too little room", "%#llx, pages %llu",
		(unsigned long long)ghcb_get(ghcb, GHCB_INFO2),
		(unsigned long long)ghcb_get(ghcb, GHCB_RBX));
	check(g.memory[CERTS] == 0xee, "certs: nothing written without room", "%#x",
		g.memory[CERTS]);
	ghcb = request_report(CERTS, 2);
	check(play() && echoed() && ghcb_get(ghcb, GHCB_INFO2) == 0, "certs: report", "%#llx",
		(unsigned long long)ghcb_get(ghcb, GHCB_INFO2));
	check(!memcmp(g.memory + CERTS, file, sizeof(file)) && g.memory[CERTS + 2 * PAGE] == 0xee,
		"certs: the guest has them", "other bytes");
	ghcb = request_report(PLAIN, 2);
	check(play() && !echoed() && ghcb_get(ghcb, GHCB_INFO2) == 0xffffffffull << 32,
		"certs: not into private memory", "%#llx",
		(unsigned long long)ghcb_get(ghcb, GHCB_INFO2));
	check(!g.memory[PLAIN], "certs: nothing on the shared side of private memory", "%#x",
		g.memory[PLAIN]);
	ghcb = ask(0, REQUEST_PLAIN, REQUEST, RESPONSE);
	check(play() && echoed() && ghcb_get(ghcb, GHCB_INFO2) == 0, "certs: a plain request",
		"%#llx", (unsigned long long)ghcb_get(ghcb, GHCB_INFO2));
}

/* A conversion of 2 MiB to private maps the pages before the guest touches them. */
static void case_prefault(void)
{
	unsigned long before = rmp(" invalid ");
	uint8_t *ghcb = ask(0, PSC, 0, 0);

	psc_entry(ghcb, 0, HUGE, 2, true);
	check(play() && ghcb_get(ghcb, GHCB_INFO2) == 0 && rmp(" invalid ") == before,
		"prefault: shared pages are nobody's", "%lu, was %lu", rmp(" invalid "), before);
	ghcb = ask(0, PSC, 0, 0);
	psc_entry(ghcb, 0, HUGE, 1, true);
	check(play() && ghcb_get(ghcb, GHCB_INFO2) == 0 && rmp(" invalid ") == before + 512,
		"prefault: 512 pages are the guest's", "%lu, was %lu", rmp(" invalid "), before);
}

/* --- firmware configuration: the ports at 0x510 --- */

#define FW_SELECT (0x510ull << 16 | 1 << 5)     /* 16 bits, out */
#define FW_DATA   (0x511ull << 16 | 1 << 4 | 1) /* 8 bits, in */
#define FW_DMA    (0x514ull << 16 | 1 << 6)     /* 32 bits, out: the upper half, then the lower */

static void port_out(uint64_t port, uint32_t value)
{
	ghcb_set(ask(0, IOIO, port, 0), GHCB_RAX, value);
}

/* fw_dma() - a request at REQUEST: select the item and read `len` bytes of it. Return: its answer
 */
static uint32_t fw_dma(uint16_t item, uint32_t len, uint64_t to)
{
	struct {
		uint32_t control, len;
		uint64_t to;
	} request = {__builtin_bswap32((uint32_t)item << 16 | 8 | 2), __builtin_bswap32(len),
		__builtin_bswap64(to)};

	memcpy(g.memory + REQUEST, &request, sizeof(request));
	port_out(FW_DMA, 0);
	port_out(FW_DMA + (4 << 16), __builtin_bswap32(REQUEST));
	if (!play())
		return ~0u;
	memcpy(&request, g.memory + REQUEST, sizeof(request));
	return __builtin_bswap32(request.control);
}

/* What OVMF would read: a byte by port, the directory and the kernel by DMA into shared pages. */
static void case_firmware(void)
{
	uint8_t *ghcb;
	uint32_t files;

	request_shared();
	port_out(FW_SELECT, 0);
	ghcb = ask(0, IOIO, FW_DATA, 0);
	check(play() && (uint8_t)ghcb_get(ghcb, GHCB_RAX) == 'Q', "firmware: signature", "%#llx",
		(unsigned long long)ghcb_get(ghcb, GHCB_RAX));
	check(!fw_dma(0x19, 4, RESPONSE), "firmware: directory", "an error");
	memcpy(&files, g.memory + RESPONSE, sizeof(files));
	check(__builtin_bswap32(files) == 4, "firmware: files", "%u", __builtin_bswap32(files));
	check(!fw_dma(0x11, 8, RESPONSE) && !memcmp(g.memory + RESPONSE, "hello\n\0\0", 8),
		"firmware: the kernel", "%.8s", g.memory + RESPONSE);
	check(fw_dma(0x11, 8, PLAIN) == 1 && !g.memory[PLAIN], "firmware: not into private memory",
		"%#x", g.memory[PLAIN]);
}

/* --- the second vCPU --- */

static uint8_t *ask_ap(uint32_t what, uint64_t save_area)
{
	uint8_t *ghcb = ask(0, AP_CREATION, 1ull << 32 | what, save_area);

	ghcb_set(ghcb, GHCB_RAX, 1);
	return ghcb;
}

static void apic_write(unsigned int reg, uint32_t value)
{
	uint8_t *ghcb = ask(0, MMIO_WRITE, APIC + reg, sizeof(value));

	memcpy(ghcb + GHCB_BUFFER, &value, sizeof(value));
}

/* entered() - has vCPU 1 been entered with the state in this save area? */
static bool entered(uint64_t save_area)
{
	char words[64];

	snprintf(words, sizeof(words), "vcpu 1 vmsa 0x%llx ", (unsigned long long)save_area);
	return strstr(text_of(DEBUG "entered"), words) != NULL;
}

/* ap_start() - the first vCPU's APIC, INIT and SIPI: the second vCPU starts as launched, and waits
 */
static void ap_start(void)
{
	apic_write(0xf0, 0x1ff); /* enabled: from now on KVM knows who has which APIC */
	apic_write(0x310, 1u << 24);
	apic_write(0x300, 0x4500);
	apic_write(0x300, 0x4600);
	ask(1, AP_HOLD, 0, 0);
}

/* Pages for the second vCPU's state: KVM takes good ones and refuses one at 2 MiB; it runs. */
static void case_ap(const char *serial)
{
	uint8_t *ghcb;

	ap_start();
	check(play() && entered(LAUNCHED), "ap starts as launched", "%s", text_of(DEBUG "entered"));
	ghcb = ask_ap(1, SAVE_AREA & ~0x1fffffu);
	check(play() && (uint32_t)ghcb_get(ghcb, GHCB_INFO1) == 2, "ap refused at 2 MiB", "%#llx",
		(unsigned long long)ghcb_get(ghcb, GHCB_INFO1));
	touch(SAVE_AREA, true);
	add(0, RMPADJUST, SAVE_AREA, 0, 0);
	ghcb = ask_ap(1, SAVE_AREA);
	say(1, 'B');
	check(play() && (uint32_t)ghcb_get(ghcb, GHCB_INFO1) != 2, "ap accepted", "%#llx",
		(unsigned long long)ghcb_get(ghcb, GHCB_INFO1));
	check(entered(SAVE_AREA) && !entered(LAUNCHED), "ap runs in its new state", "%s",
		text_of(DEBUG "entered"));
	check(wait_for(serial, "B"), "ap writes to the serial port", "%s", text_of(serial));
	ask_ap(2, 0);
	check(play(), "ap destroyed", "not all steps were played");
	say(1, 'C');
	check(!play_for(10) && !strchr(text_of(serial), 'C'), "ap destroyed does not run", "%s",
		text_of(DEBUG "entered"));
	touch(SAVE_AREA + PAGE, true);
	add(0, RMPADJUST, SAVE_AREA + PAGE, 0, 0);
	ask_ap(1, SAVE_AREA + PAGE);
	say(1, 'D');
	check(play() && entered(SAVE_AREA + PAGE) && wait_for(serial, "D"), "ap created again",
		"%s", text_of(DEBUG "entered"));
}

static void play_all(const char *serial)
{
	case_psc_msr();
	case_psc();
	case_implicit();
	case_io(serial);
	case_request();
	case_prefault();
	check(alive(), "the guest is still alive", "it is not");
	kill(g.pid, SIGTERM);
}

static void play_ap(const char *serial)
{
	case_ap(serial);
	check(alive(), "the guest is still alive", "it is not");
	kill(g.pid, SIGTERM);
}

static void play_firmware(void)
{
	case_firmware();
	check(alive(), "the guest is still alive", "it is not");
	kill(g.pid, SIGTERM);
}

static void play_certs(void)
{
	case_certs();
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
	if (!strcmp(name, "end-no-vmsa")) { /* the page never became a save area */
		ap_start();
		touch(SAVE_AREA, true);
		ask_ap(1, SAVE_AREA);
		say(1, 'B');
	}
	check(g.n && !play(), name, "the guest goes on");
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
	else if (!strcmp(argv[1], "ap"))
		play_ap(argv[2]);
	else if (!strcmp(argv[1], "firmware"))
		play_firmware();
	else if (!strcmp(argv[1], "certs"))
		play_certs();
	else
		play_end(argv[1]);
	put(IDLE, "0", 1);
	if (alive())
		kill(g.pid, SIGTERM);
	waitpid(g.pid, &status, 0);
	printf("status %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	return 0;
}
