#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Make the stubs and tables of vmm/lazy.h.

Usage: lazy_stubs.py STUBS.S TABLE.c LIBRARY.so... -- ARCHIVE.a...
"""
import re
import subprocess
import sys

HEAD = """\
/* SPDX-License-Identifier: Apache-2.0 */
/* Made by vmm/lazy_stubs.py. */
"""
FIRST = """\
	.text
lazy_first: /* the function's number is on the stack, above its return address */
	push %rax
	push %rdi
	push %rsi
	push %rdx
	push %rcx
	push %r8
	push %r9
	sub $8, %rsp
	mov 64(%rsp), %rdi
	call lazy_load
	add $8, %rsp
	pop %r9
	pop %r8
	pop %rcx
	pop %rdx
	pop %rsi
	pop %rdi
	pop %rax
	pop %r11
	lea lazy_slots(%rip), %r10
	jmp *(%r10,%r11,8)
"""
STUB = """\
	.globl {name}
	.hidden {name}
	.type {name}, @function
{name}:
	endbr64
	jmp *lazy_slots+8*{i}(%rip)
	.size {name}, . - {name}
.Lfirst{i}:
	endbr64
	pushq ${i}
	jmp lazy_first
"""


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def undefined(archives):
    return {line.split()[-1] for a in archives for line in output("nm", "-u", a).splitlines()
            if " U " in line}


def functions(library):
    """Names that a shared library offers, of functions only."""
    found = set()
    for line in output("nm", "-D", "--defined-only", library).splitlines():
        kind, name = line.split()[-2:]
        if kind in "TWi":
            found.add(name.partition("@")[0])
    return found


def soname(library):
    return re.search(r"SONAME.*\[(.*)\]", output("readelf", "-d", library))[1]


def main():
    stubs, table, *rest = sys.argv[1:]
    cut = rest.index("--")
    wanted = undefined(rest[cut + 1:])
    names, libraries = [], []
    for library in rest[:cut]:
        own = sorted(wanted & functions(library))
        libraries.append((soname(library), len(names), len(own)))
        names += own
    with open(stubs, "w", encoding="ascii") as f:
        f.write(HEAD + FIRST)
        for i, name in enumerate(names):
            f.write(STUB.format(i=i, name=name))
        # read-only once the program is loaded
        f.write('\t.section .data.rel.ro, "aw"\n\t.balign 8\n\t.globl lazy_slots\n'
                "\t.hidden lazy_slots\nlazy_slots:\n")
        f.writelines(f"\t.quad .Lfirst{i}\n" for i in range(len(names)))
        f.write('\t.section .note.GNU-stack, "", @progbits\n')
        # indirect branch tracking and shadow stacks, as the compiler says it of its objects
        f.write('\t.section .note.gnu.property, "a"\n\t.balign 8\n\t.long 4, 16, 5\n'
                '\t.asciz "GNU"\n\t.long 0xc0000002, 4, 3, 0\n')
    with open(table, "w", encoding="ascii") as f:
        f.write(HEAD + '#include "vmm/lazy.h"\n\nconst struct lazy_library lazy_libraries[] = {\n')
        f.writelines(f'\t{{"{so}", {first}, {n}}},\n' for so, first, n in libraries)
        f.write(f"}};\nconst size_t lazy_n_libraries = {len(libraries)};\n\n")
        f.write("const char *const lazy_names[] = {\n")
        f.writelines(f'\t"{name}",\n' for name in names)
        f.write("};\n")


main()
