/* SPDX-License-Identifier: Apache-2.0 */
/* Start, print, verdict, command line; see guests/lib/guest.h. */
#include "guests/lib/guest.h"

#include "guests/lib/io.h"
#include "guests/lib/paging.h"

#include <stdarg.h>

#define PORT_SERIAL    0x3f8
#define SERIAL_LSR     5
#define SERIAL_EMPTY   0x20
#define PORT_SLEEP     0x600
#define SLEEP_OFF      ((5 << 2) | (1 << 5)) /* ACPI: SLP_TYPx 5, SLP_EN */
#define BOOT_CMDLINE   0x228                 /* Linux boot protocol: cmd_line_ptr in boot_params */
#define CODE_SELECTOR  0x10
#define GATE_INTERRUPT 0x8e00

struct gate {
	uint16_t offset0, selector, flags, offset1;
	uint32_t offset2, reserved;
};

extern const char guest_fault_stubs[];
_Noreturn void guest_enter(uint64_t boot_params);
_Noreturn void guest_fault(uint64_t vector, uint64_t error, uint64_t rip);

static struct gate idt[32];
static const char *cmdline = "";

static void print_char(char c)
{
	for (int i = 0; i < 10000 && !(in8(PORT_SERIAL + SERIAL_LSR) & SERIAL_EMPTY); i++)
		;
	out8(PORT_SERIAL, (uint8_t)c);
}

static void print_string(const char *s)
{
	while (*s)
		print_char(*s++);
}

static void print_number(uint64_t v, unsigned int base)
{
	char digits[24];
	int n = 0;

	do {
		digits[n++] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v);
	while (n)
		print_char(digits[--n]);
}

void print(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	for (; *fmt; fmt++) {
		if (*fmt != '%')
			print_char(*fmt);
		else if (*++fmt == 's')
			print_string(va_arg(args, const char *));
		else
			print_number(va_arg(args, uint64_t), *fmt == 'x' ? 16 : 10);
	}
	va_end(args);
}

static _Noreturn void power_off(void)
{
	out8(PORT_SLEEP, SLEEP_OFF);
	for (;;)
		__asm__ volatile("cli; hlt");
}

void guest_pass(void)
{
	print("PASS %s\n", guest_name);
	power_off();
}

void guest_fail(const char *reason, uint64_t value)
{
	print("FAIL %s: %s (0x%x)\n", guest_name, reason, value);
	power_off();
}

void expect(const char *what, uint64_t got, uint64_t want)
{
	if (got == want)
		return;
	print("%s: got 0x%x, want 0x%x\n", what, got, want);
	guest_fail(what, got);
}

void guest_fault(uint64_t vector, uint64_t error, uint64_t rip)
{
	uint64_t cr2;

	__asm__ volatile("movq %%cr2, %0" : "=r"(cr2));
	print("exception %u, error 0x%x, rip 0x%x, cr2 0x%x\n", vector, error, rip, cr2);
	guest_fail("exception", vector);
}

static void fault_init(void)
{
	struct __attribute__((packed)) {
		uint16_t limit;
		uint64_t base;
	} reg = {sizeof(idt) - 1, (uint64_t)idt};

	for (unsigned int i = 0; i < 32; i++) {
		uint64_t stub = (uint64_t)guest_fault_stubs + 16 * i;

		idt[i] = (struct gate){(uint16_t)stub, CODE_SELECTOR, GATE_INTERRUPT,
			(uint16_t)(stub >> 16), (uint32_t)(stub >> 32), 0};
	}
	__asm__ volatile("lidt %0" : : "m"(reg));
}

void guest_enter(uint64_t boot_params)
{
	cmdline = (const char *)(uint64_t)read32(boot_params + BOOT_CMDLINE);
	fault_init();
	paging_init();
	if (guest_option("cbit", 0) && paging_cbit() != 1ull << guest_option("cbit", 0))
		guest_fail(
			"the page tables have another C-bit than the command line", paging_cbit());
	guest_main();
	guest_pass();
}

const char *guest_cmdline(void)
{
	return cmdline;
}

/* match() - Return: what follows `key=` at s, or NULL */
static const char *match(const char *s, const char *key)
{
	while (*key && *s == *key)
		s++, key++;
	return *key || *s != '=' ? 0 : s + 1;
}

static uint64_t number(const char *s)
{
	uint64_t base = 10, v = 0;

	if (s[0] == '0' && s[1] == 'x') {
		base = 16;
		s += 2;
	}
	for (;; s++) {
		uint64_t digit = (uint64_t)(*s >= 'a' ? *s - 'a' + 10 : *s - '0');

		if (digit >= base)
			return v;
		v = v * base + digit;
	}
}

uint64_t guest_option(const char *key, uint64_t def)
{
	for (const char *s = cmdline; *s;) {
		const char *value = match(s, key);

		if (value)
			return number(value);
		while (*s && *s != ' ')
			s++;
		while (*s == ' ')
			s++;
	}
	return def;
}

void fill(void *to, uint8_t byte, uint64_t len)
{
	__asm__ volatile("rep stosb" : "+D"(to), "+c"(len) : "a"(byte) : "memory");
}

/* The compiler may call these two by itself. */
void *memset(void *to, int byte, uint64_t len);
void *memcpy(void *to, const void *from, uint64_t len);

void *memset(void *to, int byte, uint64_t len)
{
	fill(to, (uint8_t)byte, len);
	return to;
}

void *memcpy(void *to, const void *from, uint64_t len)
{
	void *at = to;

	__asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(len) : : "memory");
	return to;
}

uint32_t hash(uint32_t h, const void *from, uint64_t len)
{
	const uint8_t *p = from;

	while (len--)
		h = (h ^ *p++) * 0x01000193u;
	return h;
}
