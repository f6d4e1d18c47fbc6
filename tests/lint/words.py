#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What no file of the tree may hold: somebody's machine, a registry, who typed it, big files.

Patterns have a character class in them, so that this file does not match itself.
"""
import os
import re

import common

RULES = {"word", "big", "licence"}
MAX_BYTES = 1 << 20
WORDS = {
    "a path of one machine": [
        r"/wor[k]/", r"/tmp/w[t]/", r"/hom[e]/\w", r"/roo[t]/\w", r"/tmp/(?:lan[d]|brie[f])\b",
    ],
    "a registry": [
        r"pypi\.or[g]", r"pythonhosted\.or[g]", r"crates\.i[o]\b", r"npmjs\.(?:or[g]|co[m])",
        r"proxy\.golang\.or[g]", r"docker\.i[o]\b", r"quay\.i[o]\b", r"ghcr\.i[o]\b",
        r"rubygems\.or[g]",
    ],
    "who typed it": [
        r"(?-i:\bA[I]\b)", r"\b(?:ll[m]s?|chatgp[t]|claud[e]|anthropi[c]|opena[i]|copilo[t])\b",
        r"\bassistan[t]s?\b", r"\blanguage mode[l]s?\b", r"\bsub-?agen[t]s?\b",
        r"(?<!kata-)(?<!kata )(?<!guest )(?<!guest-)(?<!User-)\bagen[t]s?\b",
        r"\b(?:this|last|next|previous|earlier|my|our|working) sessio[n]s?\b", r"\bfounder[s]?\b",
    ],
}
LICENSED = (".c", ".h", ".S", ".sh", ".py")
LICENCE = "SPDX-License-Identifier: Apache-2.0"


def check_words(found, path, text, first_line):
    for what, patterns in WORDS.items():
        for pattern in patterns:
            for match in re.finditer(pattern, text, re.I):
                line = first_line + text.count("\n", 0, match.start())
                found.add("word", path, line, f"{path} {match.group(0)}", what)


def check(tree, found):
    for path in tree.paths:
        full = tree.full(path)
        if os.path.islink(full):
            continue
        if os.path.getsize(full) > MAX_BYTES:
            found.add("big", path, 1, path, f"more than {MAX_BYTES} bytes")
            continue
        with open(full, "rb") as f:
            data = f.read()
        if b"\0" in data:
            continue
        text = data.decode("utf-8", "replace")
        check_words(found, path, path, 0)
        check_words(found, path, text, 1)
        if path.endswith(LICENSED) or text.startswith("#!"):
            if LICENCE not in "\n".join(text.splitlines()[:2]):
                found.add("licence", path, 1, path, f"no line '{LICENCE}' at its head")


if __name__ == "__main__":
    common.main(check, RULES, "words")
