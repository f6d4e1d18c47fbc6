#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Locks that are taken in two orders or used wrongly: helgrind over the tests of what takes locks.

The order is written down in docs/architecture.md. Helgrind can't run a whole VM (it doesn't know clone3);
there ThreadSanitizer looks, which knows orders of locks, too. That helgrind would find something is tried first,
with a program that does it wrong.

Usage: run.py BUILD_FOLDER
"""
import concurrent.futures
import os
import shutil
import subprocess
import sys

SKIP = 77
FOUND = 99  # the status of a program with findings
TIMEOUT = 600
HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = [
    *(f"unit/devices/test_{name}" for name in (
        "bus", "courier", "cpu_plug", "fw_cfg", "ged", "mem_plug", "msix", "pci", "rtc", "serial", "vhost_user_client",
        "virtio_common", "virtio_pci")),
    *(f"unit/memory/test_{name}" for name in ("convert", "ledger", "sweep")),
    *(f"unit/vmm/test_{name}" for name in ("doorbell", "gate", "launch", "timeline")),
    "model/test_model_convert",
]


def helgrind(build, name):
    """Run it. Return: its status, what was said."""
    done = subprocess.run(
        ["valgrind", "--tool=helgrind", "-q", "--history-level=none", f"--error-exitcode={FOUND}",
         f"--suppressions={HERE}/helgrind.supp", os.path.join(build, "tests", name)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=TIMEOUT,
        check=False)
    return done.returncode, done.stdout


def main():
    build = sys.argv[1]
    if not shutil.which("valgrind"):
        print("skipped: valgrind is not installed")
        return SKIP
    status, said = helgrind(build, "locks/both_orders")
    if status != FOUND or "lock order" not in said:
        print(f"FAILED both_orders: helgrind does not see it: {said}")
        return 1
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for name, (status, said) in zip(TESTS, pool.map(lambda name: helgrind(build, name), TESTS)):
            if status:
                failed = 1
                print(f"FAILED {name}: status {status}: {said[-3000:]}")
            else:
                print(f"passed {name}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
