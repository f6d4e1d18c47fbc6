# SPDX-License-Identifier: Apache-2.0
"""What the lints share: the files of a tree, C source without comments, findings, exceptions.

A finding names a rule and a subject. A row `RULE SUBJECT -- reason` in tests/lint/allow.txt makes
an exception; a row without a reason, or one that no finding needs any more, is a finding itself.
"""
import os
import re
import sys

SKIP_DIRS = {".git", ".cache", "__pycache__"}
PRODUCT = ("base/", "memory/", "attestation/", "seccomp/", "devices/", "vmm/")


class Tree:
    """The files of a source tree: paths relative to its root, with '/'."""

    def __init__(self, root):
        self.root = os.path.abspath(root)
        self.paths = sorted(self._walk())
        self._texts = {}

    def _walk(self):
        for folder, dirs, files in os.walk(self.root):
            top = folder == self.root
            dirs[:] = [d for d in dirs if d not in SKIP_DIRS and not (top and d.startswith("build"))]
            for name in set(files) - SKIP_DIRS:
                yield os.path.relpath(os.path.join(folder, name), self.root)

    def sources(self, folders=PRODUCT, ends=(".c", ".h")):
        """Paths of C files below the given folders."""
        return [p for p in self.paths if p.startswith(tuple(folders)) and p.endswith(tuple(ends))]

    def full(self, path):
        return os.path.join(self.root, path)

    def text(self, path):
        if path not in self._texts:
            with open(self.full(path), encoding="utf-8", errors="replace") as f:
                self._texts[path] = f.read()
        return self._texts[path]


def code_only(text, keep_strings=False):
    """C source with comments, and strings unless kept, blanked; lines and columns stay."""

    def blank(match):
        word = match.group(0)
        if word[0] in "\"'" and keep_strings:
            return word
        return re.sub(r"[^\n]", " ", word)

    return re.sub(
        r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text, flags=re.S
    )


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


class Findings:
    """Collects findings of some rules, drops the excepted ones, prints the rest."""

    def __init__(self, tree, rules):
        self.tree = tree
        self.rules = rules
        self.rows = {}
        self.lines = []
        self._read_allow()

    def _read_allow(self):
        path = "tests/lint/allow.txt"
        if path not in self.tree.paths:
            return
        for number, row in enumerate(self.tree.text(path).splitlines(), 1):
            if not row.strip() or row.startswith("#"):
                continue
            left, _, reason = row.partition(" -- ")
            rule, _, subject = left.strip().partition(" ")
            if rule not in self.rules:
                continue
            if not subject.strip() or not reason.strip():
                self.lines.append(f"{path}:{number}: allow: not of the form RULE SUBJECT -- reason")
            else:
                self.rows[rule, subject.strip()] = (number, False)

    def add(self, rule, path, line, subject, text):
        """Report text for rule at path:line unless allow.txt excepts subject."""
        assert rule in self.rules, rule
        row = self.rows.get((rule, subject))
        if row:
            self.rows[rule, subject] = (row[0], True)
        else:
            self.lines.append(f"{path}:{line}: {rule}: {text} [{subject}]")

    def finish(self, what):
        """Print everything. Return: the exit status."""
        for (rule, subject), (number, used) in self.rows.items():
            if not used:
                self.lines.append(
                    f"tests/lint/allow.txt:{number}: allow: no finding needs '{rule} {subject}'"
                )
        for line in self.lines:
            print(line)
        print(f"{what}: {len(self.lines)} findings")
        return 1 if self.lines else 0


def run(check, rules, what, root):
    """Run check(tree, findings) over the tree at root. Return: the exit status."""
    tree = Tree(root)
    findings = Findings(tree, rules)
    check(tree, findings)
    return findings.finish(what)


def main(check, rules, what):
    """Run a lint over the tree named on the command line, or over this one, and exit."""
    here = os.path.dirname(os.path.abspath(__file__))
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(here, "..", "..")
    sys.exit(run(check, rules, what, root))
