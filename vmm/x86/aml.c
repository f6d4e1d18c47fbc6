/* SPDX-License-Identifier: Apache-2.0 */
/* AML writer; see vmm/x86/aml.h. */
#include "vmm/x86/aml.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define OP_NAME        0x08
#define OP_BYTE        0x0a
#define OP_WORD        0x0b
#define OP_DWORD       0x0c
#define OP_STRING      0x0d
#define OP_QWORD       0x0e
#define OP_SCOPE       0x10
#define OP_BUFFER      0x11
#define OP_PACKAGE     0x12
#define OP_METHOD      0x14
#define OP_MULTI_NAME  0x2f
#define OP_DUAL_NAME   0x2e
#define OP_EXT         0x5b
#define OP_QWORD_FIELD 0x8f
#define OP_EXT_REGION  0x80
#define OP_EXT_FIELD   0x81
#define OP_EXT_DEVICE  0x82
#define OP_IF          0xa0

#define LENGTH_MAX     4 /* bytes of a package length; the rest is taken back when it is known */
#define BUFFER_SIZE_AT (LENGTH_MAX + 1) /* from the length field: the 8-bit size of a buffer */
#define BUFFER_HEAD    2                /* bytes that a buffer's size takes, with its prefix */

void aml_init(struct aml *aml, void *buffer, size_t room)
{
	*aml = (struct aml){.at = buffer, .room = room};
}

static void aml_put(struct aml *aml, const void *bytes, size_t len)
{
	if (aml->failed || len > aml->room - aml->len) {
		aml->failed = true;
		return;
	}
	memcpy(aml->at + aml->len, bytes, len);
	aml->len += len;
}

/* aml_put_int() - the n low bytes of value, lowest first */
static void aml_put_int(struct aml *aml, uint64_t value, size_t n)
{
	aml_put(aml, &value, n);
}

void aml_name(struct aml *aml, const char *name)
{
	aml_put_int(aml, OP_NAME, 1);
	aml_put(aml, name, strlen(name));
}

void aml_int(struct aml *aml, uint64_t value)
{
	if (value <= 1) { /* ZeroOp, OneOp */
		aml_put_int(aml, value, 1);
	} else if (value <= UINT8_MAX) {
		aml_put_int(aml, OP_BYTE, 1);
		aml_put_int(aml, value, 1);
	} else if (value <= UINT16_MAX) {
		aml_put_int(aml, OP_WORD, 1);
		aml_put_int(aml, value, 2);
	} else if (value <= UINT32_MAX) {
		aml_put_int(aml, OP_DWORD, 1);
		aml_put_int(aml, value, 4);
	} else {
		aml_put_int(aml, OP_QWORD, 1);
		aml_put_int(aml, value, 8);
	}
}

void aml_string(struct aml *aml, const char *text)
{
	aml_put_int(aml, OP_STRING, 1);
	aml_put(aml, text, strlen(text) + 1);
}

void aml_buffer(struct aml *aml, const void *bytes, uint8_t len)
{
	assert(len && len <= 32); /* the length of the whole then fits into one byte, below 64 */
	aml_put_int(aml, OP_BUFFER, 1);
	aml_put_int(aml, (len > 1 ? 3u : 2u) + len, 1);
	aml_int(aml, len);
	aml_put(aml, bytes, len);
}

void aml_qword_of(struct aml *aml, const char *buffer, uint8_t offset, const char *name)
{
	aml_put_int(aml, OP_QWORD_FIELD, 1);
	aml_path(aml, buffer);
	aml_int(aml, offset);
	aml_path(aml, name);
}

void aml_path(struct aml *aml, const char *path)
{
	size_t n;

	if (*path == '\\')
		aml_put(aml, path++, 1);
	n = strlen(path) / 4;
	assert(n >= 1 && n <= 4 && strlen(path) == 4 * n);
	if (n == 2)
		aml_put_int(aml, OP_DUAL_NAME, 1);
	if (n > 2) {
		aml_put_int(aml, OP_MULTI_NAME, 1);
		aml_put_int(aml, n, 1);
	}
	aml_put(aml, path, 4 * n);
}

void aml_op(struct aml *aml, enum aml_op op)
{
	aml_put_int(aml, op, 1);
}

void aml_port_region(struct aml *aml, const char *name, uint16_t port, uint8_t n_ports)
{
	aml_put_int(aml, OP_EXT, 1);
	aml_put_int(aml, OP_EXT_REGION, 1);
	aml_path(aml, name);
	aml_put_int(aml, 1, 1); /* SystemIO */
	aml_int(aml, port);
	aml_int(aml, n_ports);
}

void aml_field_unit(struct aml *aml, const char *name)
{
	aml_path(aml, name);
	aml_put_int(aml, 32, 1); /* bits, as a package length */
}

void aml_field_wide(struct aml *aml, const char *name)
{
	aml_path(aml, name);
	aml_put(aml, "\x40\x04", 2); /* 64 as a package length */
}

void aml_eisa_id(struct aml *aml, const char *id)
{
	uint32_t v = 0;

	assert(strlen(id) == 7);
	for (int i = 0; i < 3; i++)
		v = v << 5 | (uint32_t)(id[i] - '@');
	v = v << 16 | (uint32_t)strtoul(id + 3, NULL, 16);
	aml_put_int(aml, OP_DWORD, 1);
	aml_put_int(aml, __builtin_bswap32(v), 4);
}

/* aml_open() - room for a length, which aml_close() fills in */
static void aml_open(struct aml *aml, bool resources)
{
	assert(aml->depth < AML_MAX_DEPTH);
	aml->open[aml->depth].start = aml->len;
	aml->open[aml->depth].resources = resources;
	aml->depth++;
	aml_put_int(aml, 0, LENGTH_MAX);
}

void aml_open_scope(struct aml *aml, const char *name)
{
	aml_put_int(aml, OP_SCOPE, 1);
	aml_open(aml, false);
	aml_put(aml, name, strlen(name));
}

void aml_open_device(struct aml *aml, const char *name)
{
	aml_put_int(aml, OP_EXT, 1);
	aml_put_int(aml, OP_EXT_DEVICE, 1);
	aml_open(aml, false);
	aml_put(aml, name, strlen(name));
}

void aml_open_package(struct aml *aml, uint8_t n_elements)
{
	aml_put_int(aml, OP_PACKAGE, 1);
	aml_open(aml, false);
	aml_put_int(aml, n_elements, 1);
}

void aml_open_field(struct aml *aml, const char *region)
{
	aml_put_int(aml, OP_EXT, 1);
	aml_put_int(aml, OP_EXT_FIELD, 1);
	aml_open(aml, false);
	aml_path(aml, region);
	aml_put_int(aml, 0x43, 1); /* by 4 bytes, no lock, other bits written as zeros */
}

void aml_open_method(struct aml *aml, const char *name, uint8_t n_args)
{
	aml_put_int(aml, OP_METHOD, 1);
	aml_open(aml, false);
	aml_path(aml, name);
	aml_put_int(aml, n_args | 0x08u, 1); /* serialized */
}

void aml_open_if(struct aml *aml)
{
	aml_put_int(aml, OP_IF, 1);
	aml_open(aml, false);
}

void aml_open_resources(struct aml *aml)
{
	aml_put_int(aml, OP_BUFFER, 1);
	aml_open(aml, true);
	aml_put_int(aml, OP_BYTE, 1);
	aml_put_int(aml, 0, 1);
}

/*
 * aml_put_length() - a package length: its own bytes count too. The first byte says in its top two
 * bits how many follow; alone it has 6 bits of the length, else the lowest 4 (ACPI 6.5, 20.2.4).
 * Return: the number of bytes written.
 */
static size_t aml_put_length(uint8_t *at, size_t body)
{
	size_t n = 1;
	uint32_t len;

	while (n < LENGTH_MAX && body + n >= (n == 1 ? 1u << 6 : 1u << (8 * n - 4)))
		n++;
	len = (uint32_t)(body + n);
	if (n == 1) {
		at[0] = (uint8_t)len;
		return n;
	}
	at[0] = (uint8_t)((n - 1) << 6 | (len & 0x0f));
	for (size_t i = 1; i < n; i++)
		at[i] = (uint8_t)(len >> (8 * i - 4));
	return n;
}

void aml_close(struct aml *aml)
{
	uint8_t *start;
	size_t body, n;

	assert(aml->depth);
	aml->depth--;
	if (aml->open[aml->depth].resources)
		aml_put(aml, "\x79", 2); /* end tag, checksum 0: not used */
	if (aml->failed)
		return;
	start = aml->at + aml->open[aml->depth].start;
	body = aml->len - aml->open[aml->depth].start - LENGTH_MAX;
	if (aml->open[aml->depth].resources) {
		assert(body - BUFFER_HEAD <= UINT8_MAX);
		start[BUFFER_SIZE_AT] = (uint8_t)(body - BUFFER_HEAD);
	}
	n = aml_put_length(start, body);
	memmove(start + n, start + LENGTH_MAX, body);
	aml->len -= LENGTH_MAX - n;
}

void aml_io(struct aml *aml, uint16_t port, uint8_t n_ports)
{
	aml_put(aml, "\x47\x01", 2); /* I/O port, 16-bit decode */
	aml_put_int(aml, port, 2);
	aml_put_int(aml, port, 2);
	aml_put_int(aml, 1, 1);
	aml_put_int(aml, n_ports, 1);
}

void aml_memory(struct aml *aml, uint32_t addr, uint32_t len)
{
	aml_put(aml, "\x86\x09\x00\x01", 4); /* 32-bit fixed memory, writable */
	aml_put_int(aml, addr, 4);
	aml_put_int(aml, len, 4);
}

void aml_memory_range(struct aml *aml)
{
	/* qword address space: memory, both ends fixed; cacheable, writable */
	aml_put(aml, "\x8a\x2b\x00\x00\x0c\x03", 6);
	aml_put_int(aml, 0, 8); /* granularity */
	aml_put_int(aml, 0, 8); /* first */
	aml_put_int(aml, 0, 8); /* last: the compiler wants it to agree with the length */
	aml_put_int(aml, 0, 8); /* translation */
	aml_put_int(aml, 1, 8); /* length */
}

void aml_interrupt(struct aml *aml, uint32_t gsi)
{
	aml_put(aml, "\x89\x06\x00\x03\x01", 5); /* extended interrupt: consumer, edge; one */
	aml_put_int(aml, gsi, 4);
}

void aml_bus_range(struct aml *aml, uint16_t first, uint16_t last)
{
	aml_put(aml, "\x88\x0d\x00\x02\x0c\x00",
		6);             /* word address space: buses, both ends fixed */
	aml_put_int(aml, 0, 2); /* granularity */
	aml_put_int(aml, first, 2);
	aml_put_int(aml, last, 2);
	aml_put_int(aml, 0, 2); /* translation */
	aml_put_int(aml, (uint64_t)last - first + 1, 2);
}

void aml_memory_window(struct aml *aml, uint32_t addr, uint32_t len)
{
	aml_put(aml, "\x87\x17\x00\x00\x0c\x01", 6); /* dword address space: memory, writable */
	aml_put_int(aml, 0, 4);                      /* granularity */
	aml_put_int(aml, addr, 4);
	aml_put_int(aml, (uint64_t)addr + len - 1, 4);
	aml_put_int(aml, 0, 4); /* translation */
	aml_put_int(aml, len, 4);
}
