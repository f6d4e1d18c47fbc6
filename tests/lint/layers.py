#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Folders are layers: what a file may include and which calls it may make.

The two tables are the rule; docs/architecture.md, "Layers", explains them.
"""
import re

import common

RULES = {"include", "call"}

# folder: what its files may include beside their own folder. A row ending in '/' is a folder, any
# other row is one header or a prefix of header names. The longest folder that fits a file counts.
ROWS = {
    "base": [],
    "memory": ["base/"],
    "attestation": ["base/", "memory/gpa.h", "memory/image.h"],
    "seccomp": ["base/"],
    "devices/wire": ["base/"],
    # the shared view of memory: never ram.h, convert.h or layout.h
    "devices/back": [
        "base/", "seccomp/", "devices/wire/",
        "memory/gpa.h", "memory/ledger.h", "memory/view", "memory/shared",
    ],
    "devices/front": ["base/", "devices/wire/", "memory/"],
    # the entry state and the address map are the contract between loader and board
    "vmm/load": [
        "base/", "memory/", "attestation/digest", "vmm/x86/entry.h", "vmm/x86/map.h",
    ],
    "vmm/x86": ["base/", "memory/"],
    "vmm/hv": ["base/", "memory/", "vmm/x86/"],
    "vmm": ["base/", "memory/", "attestation/", "seccomp/", "devices/", "vmm/"],
    # guests check the devices from the other side, so they share no header with them
    "guests": [],
    "tests": ["base/", "memory/", "attestation/", "seccomp/", "devices/", "vmm/", "guests/"],
}

# call: (pattern, where it may stand). Paths are prefixes.
CALLS = {
    "mmap": (r"\bmmap(?:64)?\s*\(", ["memory/", "base/file_map.c", "vmm/load/", "vmm/hv/"]),
    "kvm-ioctl": (r"\bioctl\s*\([^;]*?\bKVM_[A-Z0-9_]+", ["vmm/hv/"]),
    "attributes": (r"\bKVM_SET_MEMORY_ATTRIBUTES\b", ["vmm/hv/"]),
    "hva": (r"\bhva_t\b", ["memory/", "vmm/hv/"]),
    "exit": (r"(?<![\w>.])exit\s*\(", ["vmm/main.c"]),
    # one ring walker; the transport may ask how long a ring is
    "vring": (r"(?<!sizeof\()\bstruct vring\w*\b", ["devices/wire/", "devices/back/virtq"]),
}


def row_of(path):
    folder = path.rpartition("/")[0]
    while folder and folder not in ROWS:
        folder = folder.rpartition("/")[0]
    return folder


def top_of(path):
    return path.partition("/")[0]


def check_includes(tree, found, path):
    folder = row_of(path)
    if not folder:
        found.add("include", path, 1, path, "its folder has no row in layers.py")
        return
    text = common.code_only(tree.text(path), keep_strings=True)
    allowed = [folder + "/"] + ROWS[folder]
    for match in re.finditer(r'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', text, re.M):
        header = match.group(1)
        # a folder of its own row inside an allowed folder is another layer
        own = [folder, *(r[:-1] for r in allowed if r.endswith("/"))]
        fits = any(header.startswith(a) for a in allowed)
        if folder not in ("vmm", "tests") and fits and row_of(header) not in own:
            fits = any(header.startswith(a) for a in allowed if not a.endswith("/"))
        if not fits:
            line = common.line_of(text, match.start())
            found.add(
                "include", path, line, f"{path} {header}", f"{folder}/ may not include {header}"
            )


def check_calls(tree, found, path):
    text = common.code_only(tree.text(path))
    for name, (pattern, places) in CALLS.items():
        if path.startswith(tuple(places)):
            continue
        for match in re.finditer(pattern, text):
            line = common.line_of(text, match.start())
            found.add("call", path, line, f"{path} {name}", f"{name} belongs to {', '.join(places)}")


def check(tree, found):
    for path in tree.sources(("",)):
        check_includes(tree, found, path)
    for path in tree.sources():
        check_calls(tree, found, path)


if __name__ == "__main__":
    common.main(check, RULES, "layers")
