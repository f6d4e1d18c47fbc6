#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Run the attestation vectors of one kind through a binary: run.py BINARY KIND.

The vectors are not part of this tree. They are looked for where CLOISTER_VECTORS says, and in
shared/vectors beside the source tree; without them the test is skipped (exit status 77).
"""
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SKIPPED = 77


def main():
    binary, kind = sys.argv[1:]
    folder = pathlib.Path(os.environ.get("CLOISTER_VECTORS", ROOT.parent / "shared/vectors"))
    check = folder / "check.py"
    if not check.is_file():
        print(f"no vectors in {folder}")
        return SKIPPED
    return subprocess.call([sys.executable, check, "--only", kind, binary, folder])


if __name__ == "__main__":
    sys.exit(main())
