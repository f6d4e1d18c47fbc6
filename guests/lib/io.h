/* SPDX-License-Identifier: Apache-2.0 */
/* Port and memory-mapped input and output, one instruction each: every call is one exit. */
#ifndef GUESTS_LIB_IO_H
#define GUESTS_LIB_IO_H

#include <stdint.h>

static inline void out8(uint16_t port, uint8_t v)
{
	__asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port) : "memory");
}

static inline void out16(uint16_t port, uint16_t v)
{
	__asm__ volatile("outw %0, %1" : : "a"(v), "Nd"(port) : "memory");
}

static inline void out32(uint16_t port, uint32_t v)
{
	__asm__ volatile("outl %0, %1" : : "a"(v), "Nd"(port) : "memory");
}

static inline uint8_t in8(uint16_t port)
{
	uint8_t v;

	__asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port) : "memory");
	return v;
}

static inline uint16_t in16(uint16_t port)
{
	uint16_t v;

	__asm__ volatile("inw %1, %0" : "=a"(v) : "Nd"(port) : "memory");
	return v;
}

static inline uint32_t in32(uint16_t port)
{
	uint32_t v;

	__asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port) : "memory");
	return v;
}

static inline uint8_t read8(uint64_t at)
{
	return *(volatile uint8_t *)at;
}

static inline uint16_t read16(uint64_t at)
{
	return *(volatile uint16_t *)at;
}

static inline uint32_t read32(uint64_t at)
{
	return *(volatile uint32_t *)at;
}

static inline uint64_t read64(uint64_t at)
{
	return *(volatile uint64_t *)at;
}

static inline void write8(uint64_t at, uint8_t v)
{
	*(volatile uint8_t *)at = v;
}

static inline void write16(uint64_t at, uint16_t v)
{
	*(volatile uint16_t *)at = v;
}

static inline void write32(uint64_t at, uint32_t v)
{
	*(volatile uint32_t *)at = v;
}

static inline void write64(uint64_t at, uint64_t v)
{
	*(volatile uint64_t *)at = v;
}

#endif
