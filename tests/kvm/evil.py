#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A disk's device process in an attacker's hands (evil.c): each attempt fails, and the VM goes on.

Tried with the system call filter answering EPERM, so that all attempts are made; without any filter, so
that the jail has to stop them alone; and with the filter that kills. Then once with all its sockets and
eventfds flooded.

Usage: evil.py CLOISTER_WITH_EVIL_DISK GUESTS_FOLDER
"""
import os
import resource
import subprocess
import sys
import tempfile

from common import (SKIP, Failed, lacking_kvm, left_behind, mortal, sanitized, text_of, want,
                    write_disk)

TIMEOUT = 60
ATTEMPTS = 19
FILTER_ONLY = 3
PEAK_KIB = 64 << 10


def run(cloister, guests, folder, guest, mode, **more):
    serial = os.path.join(folder, "serial")
    command = [cloister, "run", "--kernel", os.path.join(guests, guest + ".elf"), "--memory", "size=64M",
               "--confidential", "soft", "--serial", f"file={serial}", "--disk",
               f"path={write_disk(folder)}", "--cmdline", "sectors=61 readonly=0", "--seccomp", mode]
    environment = {**os.environ, **({"EVIL_JAIL_ONLY": "1"} if mode == "false" else {}), **more}
    with subprocess.Popen(mortal(command), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                          env=environment, start_new_session=True) as child:
        try:
            _, said = child.communicate(timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            child.kill()
            raise Failed("the VM does not end") from None
    want(not left_behind(child.pid), "processes left behind")
    return child.returncode, said, text_of(serial)


def check_refused(cloister, guests, folder, mode):
    status, said, serial = run(cloister, guests, folder, "blk", mode)
    attempts = ATTEMPTS - (FILTER_ONLY if mode == "false" else 0)
    want("SUCCEEDED" not in said, said)
    want(said.count(" refused") == attempts and "evil: done" in said, f"not all was tried: {said}")
    want(status == 0 and "PASS blk" in serial, f"the VM did not go on: {status}, {serial}")


def check_killed(cloister, guests, folder):
    """The first attempt ends each of its processes; the guest sees no disk, and nothing else."""
    status, said, serial = run(cloister, guests, folder, "blk", "true")
    want("evil:" not in said, said)
    want("signal 31" in said, f"nobody was killed: {said}")
    want(status in (0, 2) or "FAIL" in serial, f"exit status {status}: {said}")


def check_flood(cloister, guests, folder, turns):
    """It costs the disk, and neither memory nor the VM; before the guest runs, the start."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    status, said, serial = run(cloister, guests, folder, "blk", "true", EVIL_FLOOD=str(turns))
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    if turns:
        want(status in (0, 2) and (" blk" in serial), f"the VM did not go on: {status}, {said}, {serial}")
    else:
        want(status == 2 and "disk0" in said, f"the start: {status}, {said}")
    want("signal 31" not in said and "signal 11" not in said, said)
    want(len(said) < 4000, f"the log is not bounded: {len(said)} bytes")
    want(peak <= max(before, PEAK_KIB), f"{peak} KiB of memory")


def main():
    cloister, guests = sys.argv[1:3]
    why = lacking_kvm() or (sanitized(cloister) and "the sanitizer has no limit of memory")
    if why:
        print(f"skipped: {why}")
        return SKIP
    failed = 0
    for mode in ("errno", "false", "true", "flood"):
        with tempfile.TemporaryDirectory(prefix="cloister-kvm-") as folder:
            try:
                if mode == "flood":
                    for turns in (0, 8, 16):
                        check_flood(cloister, guests, folder, turns)
                elif mode == "true":
                    check_killed(cloister, guests, folder)
                else:
                    check_refused(cloister, guests, folder, mode)
                print(f"passed --seccomp {mode}")
            except Failed as failure:
                failed = 1
                print(f"FAILED --seccomp {mode}: {failure}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
