#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every rule of the lints fails when it is broken, and a clean tree passes."""
import contextlib
import importlib
import io
import os
import tempfile
import unittest

import common

C = "/* SPDX-License-Identifier: Apache-2.0 */\n/* A file. */\n"
CLEAN = {
    "base/num.h": C + "/* num_one() - Return: 1. */\nint num_one(void);\n",
    "base/num.c": C + '#include "base/num.h"\n\nint num_one(void)\n{\n\treturn 1;\n}\n',
}


def body(lines):
    return C + "int num_x(void)\n{\n" + "\tint a;\n" * lines + "\treturn 0;\n}\n"


def numbers(fmt, count):
    return "".join(fmt % n for n in range(count))


# name of the case: lint, files added to CLEAN, what the output must hold
CASES = {
    "base includes memory": ("layers", {
        "base/num.c": C + '#include "memory/gpa.h"\n'}, "base/num.c:3: include:"),
    "device includes ram": ("layers", {
        "devices/back/blk.c": C + '# include "memory/ram.h"\n'}, "devices/back/blk.c:3: include:"),
    "front includes back": ("layers", {
        "devices/front/pci.c": C + '#include "devices/back/virtq.h"\n'}, "pci.c:3: include:"),
    "attestation includes ledger": ("layers", {
        "attestation/a.c": C + '#include "memory/ledger.h"\n'}, "attestation/a.c:3: include:"),
    "x86 includes hv": ("layers", {
        "vmm/x86/a.c": C + '#include "vmm/hv/hv.h"\n'}, "vmm/x86/a.c:3: include:"),
    "load includes the rest of x86": ("layers", {
        "vmm/load/a.c": C + '#include "vmm/x86/cpuid.h"\n'}, "vmm/load/a.c:3: include:"),
    "guest includes devices": ("layers", {
        "guests/a.c": C + '#include "devices/wire/blk.h"\n'}, "guests/a.c:3: include:"),
    "folder without a row": ("layers", {"newdir/a.c": C}, "newdir/a.c:1: include:"),
    "mmap in a device": ("layers", {
        "devices/back/blk.c": C + "void *p = mmap(0, 1, 0, 0, 0, 0);\n"}, "blk.c:3: call: mmap"),
    "KVM ioctl outside hv": ("layers", {
        "vmm/vm.c": C + "int x = ioctl(1,\n\tKVM_RUN, 0);\n"}, "vmm/vm.c:3: call: kvm-ioctl"),
    "attributes outside hv": ("layers", {
        "memory/a.c": C + "int x = KVM_SET_MEMORY_ATTRIBUTES;\n"}, "call: attributes"),
    "exit outside main": ("layers", {
        "vmm/vm.c": C + "void vm_f(void)\n{\n\texit(1);\n}\n"}, "vmm/vm.c:5: call: exit"),
    "vring outside the walker": ("layers", {
        "devices/back/blk.c": C + "struct vring_desc *d;\n"}, "call: vring"),
    "long function": ("shape", {"base/num.c": body(100)}, "function: 104 lines"),
    "long median": ("shape", {"base/num.c": body(20)}, "median:"),
    "long tail": ("shape", {"base/num.c": body(70)}, "p95:"),
    "deep nesting": ("shape", {"base/num.c": C + "int num_x(int a)\n{\n\tif (a)\n\t\tif (a)\n"
        "\t\t\tif (a)\n\t\t\t\tif (a)\n\t\t\t\t\treturn 1;\n\treturn 0;\n}\n"},
        "base/num.c:8: nesting:"),
    "many parameters": ("shape", {
        "base/num.c": C + "int num_x(int a, int b, int c, int d, int e, int f)\n{\n\treturn 0;\n}\n"},
        "params: 6"),
    "long file": ("shape", {"base/num.c": C + "\n" * 699}, "base/num.c:1: file: 701 lines"),
    "long header": ("shape", {"base/num.h": C + "\n" * 119}, "base/num.h:1: file: 121 lines"),
    "many headers": ("shape", {
        "base/num.c": C + numbers('#include "memory/h%d.h"\n', 16),
        **{f"memory/h{n}.h": C for n in range(16)}}, "seen: sees 16"),
    "header cycle": ("shape", {
        "base/p.h": C + '#ifndef P\n#define P\n#include "base/q.h"\n#endif\n',
        "base/q.h": C + '#ifndef Q\n#define Q\n#include "base/p.h"\n#endif\n'}, "cycle:"),
    "wrong prefix": ("shape", {
        "base/num.c": C + "int other_x(void)\n{\n\treturn 0;\n}\n"}, "num.c:3: prefix: other_x()"),
    "wrong label": ("shape", {
        "base/num.c": C + "int num_x(void)\n{\n\tgoto out;\nout:\n\treturn 0;\n}\n"}, "label out"),
    "two labels": ("shape", {
        "base/num.c": C + "int num_x(void)\n{\nfail:\n\tgoto fail;\nfail:\n\treturn 0;\n}\n"},
        "more than one label"),
    "create without destroy": ("shape", {
        "base/num.c": C + "int num_create(void)\n{\n\treturn 0;\n}\n"}, "pair: num_create()"),
    "fini without init": ("shape", {
        "base/num.c": C + "int num_fini(void)\n{\n\treturn 0;\n}\n"}, "pair: num_fini()"),
    "err but not int": ("shape", {
        "base/num.c": C + "void num_x(struct err *e)\n{\n\t(void)e;\n}\n"}, "num.c:3: err:"),
    "err and a pointer": ("shape", {
        "base/num.c": C + "char *num_x(struct err *e)\n{\n\treturn (void *)e;\n}\n"}, "num.c:3: err:"),
    "ops that can change": ("shape", {
        "base/num.c": C + "static struct num_ops table = {\n\t.f = 0,\n};\n"}, "num.c:3: ops:"),
    "ops that are not static": ("shape", {
        "base/num.c": C + "const struct num_ops table = {\n\t.f = 0,\n};\n"}, "num.c:3: ops:"),
    "many slots": ("shape", {"base/num.h": C + "struct num_ops {\n"
        + numbers("\tint (*f%d)(void);\n", 11) + "};\n"}, "slots: 11 slots"),
    "packed without size": ("shape", {
        "base/num.h": C + "struct num_p {\n\tint a;\n} __attribute__((packed));\n"}, "struct num_p:"),
    "wire struct without size": ("shape", {
        "devices/wire/w.h": C + "struct w_p {\n\tint a;\n};\n"}, "struct w_p:"),
    "undocumented": ("shape", {"base/num.h": C + "\nint num_one(void);\n"}, "num_one()"),
    "nothing says what it is": ("shape", {
        "base/num.c": C.splitlines()[0] + '\n#include "base/num.h"\n'}, "num.c:1: head:"),
    "global": ("shape", {"base/num.c": C + "static int counter;\n"}, "num.c:3: global:"),
    "global pointer in a table": ("shape", {
        "base/num.c": C + "static struct num {\n\tint a;\n} table[] = {{1}};\n"}, "num.c:5: global:"),
    "header not alone": ("shape", {
        "base/num.h": C + "/* num_one() - . */\nuint32_t num_one(void);\n"}, "num.h:1: alone:"),
    "machine path": ("words", {"docs/a.md": "see /wor" + "k/main\n"}, "docs/a.md:1: word: a path"),
    "registry": ("words", {"docs/a.md": "pypi" + ".org\n"}, "word: a registry"),
    "author": ("words", {"docs/a.md": "\nan a" + "gent did\n"}, "docs/a.md:2: word: who"),
    "author in a name": ("words", {"docs/assis" + "tant.md": "\n"}, "word: who typed it"),
    "big file": ("words", {"docs/a.bin": "x" * ((1 << 20) + 1)}, "docs/a.bin:1: big:"),
    "no licence": ("words", {"base/num.c": "int num;\n"}, "base/num.c:1: licence:"),
    "script without licence": ("words", {"scripts/x": "#!/bin/sh\n:\n"}, "scripts/x:1: licence:"),
    "row without a test": ("security", {
        "docs/security.md": "| class | tests |\n|---|---|\n| loops | none yet |\n"}, "security.md:3: security: names no"),
    "test that is not there": ("security", {
        "docs/security.md": "| class | tests |\n|---|---|\n| loops | `virtq_x` |\n",
        "tests/test_a.c": C + "static void virtq_x(void **state);\n"}, "no such test [virtq_x]"),
    "word that is not there": ("security", {
        "docs/security.md": "| class | tests |\n|---|---|\n| loops | `base/num.c two` |\n"}, "[base/num.c two]"),
    "stale exception": ("words", {
        "tests/lint/allow.txt": "big docs/x -- once was\n"}, "allow.txt:1: allow: no finding"),
    "exception without reason": ("words", {
        "tests/lint/allow.txt": "big docs/x\n"}, "allow.txt:1: allow: not of the form"),
}


class Lints(unittest.TestCase):
    def run_lint(self, lint, files):
        with tempfile.TemporaryDirectory() as root:
            for path, text in {**CLEAN, **files}.items():
                full = os.path.join(root, path)
                os.makedirs(os.path.dirname(full), exist_ok=True)
                with open(full, "w", encoding="utf-8") as f:
                    f.write(text)
            module = importlib.import_module(lint)
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                status = common.run(module.check, module.RULES, lint, root)
            return status, out.getvalue()

    def test_clean_tree_passes(self):
        for lint in ("layers", "security", "shape", "words"):
            with self.subTest(lint):
                self.assertEqual(self.run_lint(lint, {}), (0, lint + ": 0 findings\n"))

    def test_planted_violation_is_named(self):
        for name, (lint, files, want) in CASES.items():
            with self.subTest(name):
                status, out = self.run_lint(lint, files)
                self.assertEqual(status, 1, out)
                self.assertIn(want, out)

    def test_exception_is_honoured(self):
        files = {
            "base/num.c": C + "static int counter;\n",
            "tests/lint/allow.txt": "global base/num.c:counter -- shown here\n",
        }
        self.assertEqual(self.run_lint("shape", files), (0, "shape: 0 findings\n"))


if __name__ == "__main__":
    unittest.main()
