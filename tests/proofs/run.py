#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bounded proofs with CBMC: what prove_*.c claim holds for all values, within the bounds that they name.

Debian 12 has no package of CBMC; that of Debian 11 (cbmc, 5.12) runs on it.

Usage: run.py [NAME...], or none for all
"""
import concurrent.futures
import pathlib
import re
import shutil
import subprocess
import sys

SKIP = 77
TIMEOUT = 600
HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CHECKS = ["--bounds-check", "--pointer-check", "--signed-overflow-check", "--undefined-shift-check",
          "--div-by-zero-check", "--unwinding-assertions", "--object-bits", "10"]

# proof: file, how often a loop may turn
PROOFS = {
    "range_in": ("num", 2),
    "align": ("num", 2),
    "gpa_end": ("num", 2),
    "bytes": ("num", 5),
    "layout_init": ("layout", 4),
    "layout_contains": ("layout", 4),
    "layout_avoids": ("layout", 4),
    "ledger_map_shared": ("ledger", 10),
    "convert": ("convert", 6),
    "ledger_room": ("ledger", 10),
    "ledger_run": ("ledger", 10),
    "ledger_set": ("ledger", 10),
    "view_check": ("view", 4),
    "view_from_user": ("view", 4),
    "view_iov": ("view", 8),
    "virtq_packed_position": ("virtq", 72),
    "virtq_split_take": ("virtq", 72),
    "token_bucket_init": ("bucket", 2),
}


def prove(name):
    """Return: None, or what does not hold."""
    file, unwind = PROOFS[name]
    command = ["cbmc", f"-I{ROOT}", "-D_GNU_SOURCE", HERE / f"prove_{file}.c", "--function",
               f"prove_{name}", "--unwind", str(unwind), *CHECKS]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        return "no answer in time"
    if done.returncode == 0 and "VERIFICATION SUCCESSFUL" in done.stdout:
        return None
    lines = [line for line in done.stdout.splitlines() if line.endswith("FAILURE")]
    return "\n".join(lines or [done.stdout[-2000:] + done.stderr[-2000:]])


def main():
    if not shutil.which("cbmc"):
        print("skipped: needs cbmc")
        return SKIP
    names = sys.argv[1:] or list(PROOFS)
    written = {name for path in HERE.glob("prove_*.c")
               for name in re.findall(r"^void prove_(\w+)\(void\)", path.read_text(encoding="utf-8"), re.M)}
    bad = 0
    for name in written ^ set(PROOFS):
        bad = 1
        print(f"FAILED {name}: it is in one of {HERE.name}/prove_*.c and run.py alone")
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for name, why in zip(names, pool.map(prove, names)):
            bad += why is not None
            print(f"FAILED {name}: {why}" if why else f"passed {name}", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
