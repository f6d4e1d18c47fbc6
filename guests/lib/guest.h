/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every guest has: a main, lines on the serial port, a verdict, its command line.
 *
 * A guest ends by guest_pass() or guest_fail(), which print `PASS name` or `FAIL name: reason` and
 * power off. The code is compiled for general registers alone: some hosts emulate privileged guest
 * code one instruction at a time.
 */
#ifndef GUESTS_LIB_GUEST_H
#define GUESTS_LIB_GUEST_H

#include <stdbool.h>
#include <stdint.h>

extern const char guest_name[]; /* each guest defines it and guest_main() */
void guest_main(void);

/* print() - %s string, %u decimal, %x hexadecimal (both uint64_t), nothing else. */
void print(const char *fmt, ...);

_Noreturn void guest_pass(void);
_Noreturn void guest_fail(const char *reason, uint64_t value);

/* expect() - end the guest as failed unless got is what was wanted. */
void expect(const char *what, uint64_t got, uint64_t want);

/* guest_option() - the number after `key=` on the command line, decimal or 0x. Return: it or def.
 */
uint64_t guest_option(const char *key, uint64_t def);

/* guest_cmdline() - Return: the whole command line. */
const char *guest_cmdline(void);

void fill(void *to, uint8_t byte, uint64_t len);

/* hash() - FNV-1a of 32 bits, continued from a former result; start with HASH_INIT. */
#define HASH_INIT 0x811c9dc5u
uint32_t hash(uint32_t h, const void *from, uint64_t len);

#endif
