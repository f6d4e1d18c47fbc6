/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A writer of AML, the byte code of ACPI's DSDT: the few terms that a board with hotplug needs.
 * Encoding: ACPI 6.5, chapter 20 (AML) and section 6.4 (resource descriptors).
 *
 * Terms go one after the other into a buffer. What contains others is opened and closed, innermost
 * first. Running out of room is sticky: nothing more is written, `failed` is set.
 */
#ifndef VMM_X86_AML_H
#define VMM_X86_AML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AML_MAX_DEPTH 8
struct aml {
	uint8_t *at;
	size_t len, room; /* bytes written, bytes there are */
	bool failed;
	unsigned int depth;
	struct {
		size_t start; /* of the length field */
		bool resources;
	} open[AML_MAX_DEPTH];
};

/* aml_init() - start writing. */
void aml_init(struct aml *aml, void *buffer, size_t room);

/* aml_name() - Name(): four characters; the value must follow. */
void aml_name(struct aml *aml, const char *name);

/* aml_int() - an integer constant in its shortest form. */
void aml_int(struct aml *aml, uint64_t value);

/* aml_string() - a string constant. */
void aml_string(struct aml *aml, const char *text);

/* aml_buffer() - a buffer of constant bytes, 1 to 32. */
void aml_buffer(struct aml *aml, const void *bytes, uint8_t len);

/* aml_qword_of() - a name for the 8 bytes at an offset of the buffer of another name. */
void aml_qword_of(struct aml *aml, const char *buffer, uint8_t offset, const char *name);

/* aml_path() - a name where it is used: 1 to 4 segments, such as "PCI0" or "\\_SB_PCI0". */
void aml_path(struct aml *aml, const char *path);

/* aml_op() - an operator without more: its operands follow. */
enum aml_op {
	AML_LOCAL0 = 0x60,
	AML_ARG0 = 0x68,
	AML_STORE = 0x70, /* source, target */
	AML_AND = 0x7b,   /* a, b, target; AML_NOWHERE: none */
	AML_NOWHERE = 0x00,
	AML_NOTIFY = 0x86, /* object, value */
	AML_RETURN = 0xa4, /* value */
};
void aml_op(struct aml *aml, enum aml_op op);

/* aml_port_region() - an operation region of I/O ports. */
void aml_port_region(struct aml *aml, const char *name, uint16_t port, uint8_t n_ports);

/* aml_field_unit() - 32 bits of a field, in the order of the region. */
void aml_field_unit(struct aml *aml, const char *name);
/* aml_field_wide() - the same of 64 bits, which are read by two accesses. */
void aml_field_wide(struct aml *aml, const char *name);

/* aml_eisa_id() - a PNP id like "PNP0A08" as an integer. */
void aml_eisa_id(struct aml *aml, const char *id);

/* Terms that contain others; each needs an aml_close(). */

/* aml_open_scope() - Scope(); four characters. */
void aml_open_scope(struct aml *aml, const char *name);

/* aml_open_device() - Device(); four characters. */
void aml_open_device(struct aml *aml, const char *name);

/* aml_open_package() - Package(); exactly n_elements terms must follow. */
void aml_open_package(struct aml *aml, uint8_t n_elements);

/* aml_open_resources() - ResourceTemplate(): the descriptors below follow, 253 bytes at most. */
void aml_open_resources(struct aml *aml);

/* aml_open_field() - the registers of a region, 4 bytes each; aml_field_unit()s must follow. */
void aml_open_field(struct aml *aml, const char *region);

/* aml_open_method() - a method of n_args arguments, one run at a time. */
void aml_open_method(struct aml *aml, const char *name, uint8_t n_args);

/* aml_open_if() - the predicate must follow, then what is done. */
void aml_open_if(struct aml *aml);

/* aml_close() - end the innermost of the terms above. */
void aml_close(struct aml *aml);

/* aml_io() - I/O ports from port on. */
void aml_io(struct aml *aml, uint16_t port, uint8_t n_ports);

/* aml_memory() - fixed, writable memory addresses. */
void aml_memory(struct aml *aml, uint32_t addr, uint32_t len);

/* aml_memory_range() - memory whose addresses and length a method fills in, at the offsets below.
 */
void aml_memory_range(struct aml *aml);
#define AML_RANGE_FIRST  14
#define AML_RANGE_LAST   22
#define AML_RANGE_LENGTH 38

/* aml_interrupt() - one GSI: edge, active high, not shared. */
void aml_interrupt(struct aml *aml, uint32_t gsi);

/* aml_bus_range() - the buses that a host bridge makes. */
void aml_bus_range(struct aml *aml, uint16_t first, uint16_t last);

/* aml_memory_window() - addresses that a host bridge passes to its bus. */
void aml_memory_window(struct aml *aml, uint32_t addr, uint32_t len);

#endif
