#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""SIGKILL at points all along the start: of the monitor, of the spawner, of a device process.

Each round starts a VM and kills one of its processes a little later than in the round before; the steps
go from before the spawner is there to the guest's end. Whatever comes: no process is left, the disk is
not locked, the next start works; when it is not the monitor that dies, the monitor ends in time and
with a status that means it.

Usage: kill.py CLOISTER GUESTS_FOLDER [ROUNDS]
"""
import contextlib
import os
import subprocess
import sys
import tempfile
import time

from common import (SKIP, TIMEOUT, Failed, children, lacking_kvm, left_behind, mortal, want, wait_until,
                    write_disk)

ROUNDS = 30


def start(cloister, guests, folder, level):
    command = [cloister, "run", "--kernel", os.path.join(guests, "blk.elf"), "--memory", "size=64M",
               "--confidential", level, "--serial", "null", "--rng", "src=/dev/urandom",
               "--disk", f"path={os.path.join(folder, 'disk')}", "--cmdline", "sectors=61 readonly=0"]
    return subprocess.Popen(mortal(command), stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                            start_new_session=True)


def whole(cloister, guests, folder, level):
    """A run that nobody disturbs. Return: how long it took."""
    begun = time.monotonic()
    status = start(cloister, guests, folder, level).wait(TIMEOUT)
    want(status == 0, f"undisturbed, the VM ends with {status}")
    return time.monotonic() - begun


def victim_of(monitor, role):
    """The process to kill, or None where it is not there yet or any more."""
    if role == "monitor":
        return monitor
    found = children(monitor)
    if role == "device":
        found = [pid for spawner in found for pid in children(spawner)]
    return found[-1] if found else None


def one(cloister, guests, folder, level, role, delay):
    child = start(cloister, guests, folder, level)
    time.sleep(delay)
    victim = victim_of(child.pid, role)
    if victim and child.poll() is None:
        with contextlib.suppress(ProcessLookupError):  # it has ended since
            os.kill(victim, 9)
    try:
        status = child.wait(TIMEOUT)
    except subprocess.TimeoutExpired:
        child.kill()
        raise Failed(f"{role} killed after {delay:.3f} s: the monitor does not end") from None
    want(status in (0, 1, 2, -9), f"{role} killed after {delay:.3f} s: exit status {status}")
    want(role == "monitor" or status != -9, f"{role} killed after {delay:.3f} s: the monitor was, too")
    wait_until(lambda: not left_behind(child.pid), f"{role} killed after {delay:.3f} s: processes left")


def check(cloister, guests, level, role, rounds):
    with tempfile.TemporaryDirectory(prefix="cloister-kvm-") as folder:
        write_disk(folder)
        long = whole(cloister, guests, folder, level)
        for i in range(rounds):
            one(cloister, guests, folder, level, role, long * i / rounds)
        whole(cloister, guests, folder, level)
        want(os.listdir(folder) == ["disk"], f"files left: {os.listdir(folder)}")


def main():
    cloister, guests = sys.argv[1:3]
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else ROUNDS
    why = lacking_kvm()
    if why:
        print(f"skipped: {why}")
        return SKIP
    failed = 0
    for level, role in (("soft", "monitor"), ("off", "spawner"), ("soft", "device")):
        try:
            check(cloister, guests, level, role, rounds)
            print(f"passed {role}, {level}: {rounds} kills")
        except Failed as failure:
            failed = 1
            print(f"FAILED {role}, {level}: {failure}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
