#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How the shipped program is built: what an attacker who corrupts memory finds in the way.

Usage: hardening.py CLOISTER
"""
import re
import subprocess
import sys

SKIP = 77
# Libraries that it may need; each is more for a host to carry and to trust.
LIBRARIES = {"libc", "libcrypto", "libjansson", "libhttp_parser", "liburing", "libz",
             "liblzma", "libzstd", "liblz4"}


def readelf(program, *flags):
    return subprocess.run(["readelf", "-W", *flags, program], capture_output=True, text=True,
                          check=True).stdout


def checks(program):
    """(what, whether it is so)."""
    header, segments = readelf(program, "-h"), readelf(program, "-l")
    dynamic, symbols = readelf(program, "-d"), readelf(program, "--dyn-syms")
    code = subprocess.run(["objdump", "-d", "--no-show-raw-insn", program], capture_output=True,
                          text=True, check=True).stdout
    loads = re.findall(r"^ +(\w+) .* ([R ][W ][E ]) 0x\w+$", segments, re.M)
    flags = dict(loads)
    yield "position independent", re.search(r"Type: +DYN", header) and "PIE" in dynamic
    yield "RELRO", "GNU_RELRO" in flags
    yield "all relocations at the start", "BIND_NOW" in dynamic or re.search(r"FLAGS.*NOW", dynamic)
    yield "no relocations of code", "TEXTREL" not in dynamic
    yield "no library path", "RPATH" not in dynamic and "RUNPATH" not in dynamic
    yield "no executable stack", flags.get("GNU_STACK") == "RW "
    yield "nothing both writable and executable", not any("W" in f and "E" in f for _, f in loads)
    # Debian's start files lack the note that would mark the whole program, so look at the code.
    yield "landing pads for indirect branches (CET)", code.count("endbr64") > 500
    yield "stack protector", "__stack_chk_fail" in symbols
    yield "_FORTIFY_SOURCE", len(set(re.findall(r"\w+_chk(?=@)", symbols)) - {"__stack_chk_fail"}) >= 5
    needed = {re.sub(r"(-[\d.]+)?\.so.*", "", n) for n in re.findall(r"NEEDED.*\[(.*?)\]", dynamic)}
    yield f"no libraries but those listed: {sorted(needed - LIBRARIES)}", needed <= LIBRARIES


def main():
    with open(sys.argv[1], "rb") as f:
        text = f.read()
    if b"__asan_init" in text or b"__tsan_init" in text:
        print("skipped: a build with sanitizers")
        return SKIP
    missing = [what for what, so in checks(sys.argv[1]) if not so]
    for what in missing:
        print(f"FAILED: {what}")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
