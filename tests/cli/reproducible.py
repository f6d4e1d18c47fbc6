#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two builds in two folders, of names of different length, give the same bytes.

Usage: reproducible.py (from anywhere in a checkout; minutes; part of scripts/test --long)
"""
import hashlib
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]


def run(*command, **options):
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, **options)


def build(folder):
    """Return: the digest of what is built of a copy of the tree."""
    os.makedirs(folder)
    run("sh", "-c", 'git ls-files -z | xargs -0 cp --parents -P -t "$0"', folder, cwd=ROOT)
    run("meson", "setup", folder / "out", folder)
    run("ninja", "-C", folder / "out", "cloister")
    return hashlib.sha256((folder / "out/cloister").read_bytes()).hexdigest()


def main():
    with tempfile.TemporaryDirectory(prefix="cloister-build-") as top:
        first = build(pathlib.Path(top) / "a")
        second = build(pathlib.Path(top) / "another/folder")
    print(f"{'passed' if first == second else 'FAILED'}: {first} {second}")
    return first != second


if __name__ == "__main__":
    sys.exit(main())
