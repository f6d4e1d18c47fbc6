#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/security.md: every row of its tables names tests, all tests that it names exist, each goal has a row.

A name in backticks in the last column is a path, optionally with a word that is in that file; a file
test_*.c; a fuzz target fuzz_*; a proof prove_* that run.py tries; or a case of a test program, which has to be listed there.
"""
import collections
import os
import re

import common

RULES = {"security"}
DOC = "docs/security.md"
PROOFS = "tests/proofs/run.py"  # those that are tried
GOALS = 20  # R1 to R20
TESTED = {"test", "tests"}  # headings of the column that is looked at


def rows(text):
    """(line, cells) of each row of a table whose last column has one of those headings."""
    tested = False
    for number, line in enumerate(text.splitlines(), 1):
        if not line.startswith("|"):
            tested = False
            continue
        cells = [c.strip() for c in re.split(r"(?<!\\)\|", line)[1:-1]]
        if cells[-1].lower() in TESTED:
            tested = True
        elif tested and not set(line) <= set("|- "):
            yield number, cells


class Names:
    """What may be named."""

    def __init__(self, tree):
        self.tree = tree
        tests = [p for p in tree.paths if p.startswith("tests/") and p.endswith((".c", ".py"))]
        self.files = {os.path.basename(p) for p in tests}
        self.cases = set()
        for path in tests:
            text = tree.text(path)
            if path.endswith(".c"):
                cases = re.findall(r"^static void (\w+)\(void \*\*state\)", text, re.M)
                words = collections.Counter(re.findall(r"\w+", text))
                self.cases.update(c for c in cases if words[c] > 1)  # the other is the list of cases
                proofs = re.findall(r"^void (prove_\w+)\(void\)", text, re.M)
                self.cases.update(p for p in proofs if f'"{p[6:]}": (' in tree.text(PROOFS))

    def known(self, name):
        path, _, word = name.partition(" ")
        if "/" in path:
            inside = path in self.tree.paths and self.tree.text(path)
            return (path in self.tree.paths or os.path.isdir(self.tree.full(path))) and (
                not word or bool(inside and word in inside))
        if name.startswith("fuzz_"):
            return f"tests/fuzz/{name}.c" in self.tree.paths
        return name in self.cases or (name.startswith("test_") and name in self.files)


def check(tree, findings):
    if DOC not in tree.paths:
        return
    names = Names(tree)
    goals = []
    for number, cells in rows(tree.text(DOC)):
        named = re.findall(r"`([^`]+)`", cells[-1])
        goals.append(cells[0])
        if not named:
            findings.add("security", DOC, number, cells[0], "names no test")
        for name in named:
            if not names.known(name):
                findings.add("security", DOC, number, name, "no such test")
    for goal in (f"R{i + 1}" for i in range(GOALS)):
        if goals.count(goal) != 1:
            findings.add("security", DOC, 1, goal, "a goal needs one row")


if __name__ == "__main__":
    common.main(check, RULES, "security")
