#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""SIGKILL of the monitor, the spawner and each device process, all along the start and in the midst of I/O.

By call: each of these processes is killed at each STRIDEth of the first 300 system calls that it makes (kill_at.c
counts them and sees to it that no process is left). By time: each round kills a little later than the round
before, from before the spawner is there to the guest's end, while the guest writes to its disk. Whatever comes:
the disk is not locked, no file is left, the next start works; when it is not the monitor that dies, the monitor
ends in time and with a status that means it.

Usage: kill.py CLOISTER GUESTS_FOLDER KILL_AT [STRIDE [ROUNDS]]
"""
import concurrent.futures
import contextlib
import fcntl
import os
import random
import subprocess
import sys
import tempfile
import time

from common import (SKIP, TIMEOUT, Failed, children, lacking_kvm, left_behind, mortal, want, wait_until,
                    write_disk)

STRIDE = 10
ROUNDS = 10
CALLS = 300
DEVICES = ("disk", "source of randomness", "console")  # in the order of their birth
ROLES = ("monitor", "spawner", *(str(i) for i in range(len(DEVICES))))


def command_of(cloister, guests, folder, level):
    return [cloister, "run", "--kernel", os.path.join(guests, "blk.elf"), "--memory", "size=64M",
               "--confidential", level, "--serial", "null", "--rng", "src=/dev/urandom",
               "--console", "null", "--disk", f"path={os.path.join(folder, 'disk')}",
               "--cmdline", "sectors=61 readonly=0"]


def start(cloister, guests, folder, level):
    command = command_of(cloister, guests, folder, level)
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


def check_unlocked(folder, where):
    with open(os.path.join(folder, "disk"), "r+b") as disk:
        try:
            fcntl.lockf(disk, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Failed(f"{where}: the disk is locked") from None


def kill_at(program, command, role, n):
    """Run the command, its role killed at its nth call. Return: was it, the call's number, the monitor's status."""
    done = subprocess.run([program, role, str(n), *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True, check=False,
                          env={**os.environ, "LSAN_OPTIONS": "detect_leaks=0"})  # it can't, where it is traced
    want(done.returncode == 0, f"{role} killed at call {n}: no end in time")
    what, _, number, status = done.stdout.split()
    return what == "killed", int(number), os.waitstatus_to_exitcode(int(status))


def one_call(program, cloister, guests, role, n):
    """Return: whether the role made that many calls."""
    with tempfile.TemporaryDirectory(prefix="cloister-kvm-") as folder:
        write_disk(folder)
        level = random.Random(n).choice(("off", "soft"))
        killed, number, status = kill_at(program, command_of(cloister, guests, folder, level), role, n)
        where = f"{role} killed at call {n} (system call {number}), {level}"
        if killed:
            want(status == -9 if role == "monitor" else status in (0, 1, 2), f"{where}: exit status {status}")
        else:
            want(status == 0, f"{role}, {level}: undisturbed, the VM ends with {status}")
        check_unlocked(folder, where)
        want(os.listdir(folder) == ["disk"], f"{where}: files left: {os.listdir(folder)}")
        return killed


def check_calls(program, cloister, guests, role, stride):
    """Return: how many kills there were."""
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        return sum(pool.map(lambda n: one_call(program, cloister, guests, role, n), range(1, CALLS + 1, stride)))


def check_times(cloister, guests, level, role, rounds):
    with tempfile.TemporaryDirectory(prefix="cloister-kvm-") as folder:
        write_disk(folder)
        long = whole(cloister, guests, folder, level)
        for i in range(rounds):
            one(cloister, guests, folder, level, role, long * i / rounds)
        whole(cloister, guests, folder, level)
        want(os.listdir(folder) == ["disk"], f"files left: {os.listdir(folder)}")


def main():
    cloister, guests, program = sys.argv[1:4]
    stride = int(sys.argv[4]) if len(sys.argv) > 4 else STRIDE
    rounds = int(sys.argv[5]) if len(sys.argv) > 5 else ROUNDS
    why = lacking_kvm()
    if why:
        print(f"skipped: {why}")
        return SKIP
    failed = 0
    for role in ROLES:
        name = f"device process of the {DEVICES[int(role)]}" if role.isdigit() else role
        try:
            kills = check_calls(program, cloister, guests, role, stride)
            want(kills > 100 // stride, f"only {kills} kills")
            print(f"passed {name}: {kills} kills, at each {stride}. of its first {CALLS} calls", flush=True)
        except Failed as failure:
            failed = 1
            print(f"FAILED {name}: {failure}", flush=True)
    for level, role in (("soft", "monitor"), ("off", "spawner"), ("soft", "device")):
        try:
            check_times(cloister, guests, level, role, rounds)
            print(f"passed {role}, {level}: {rounds} kills by time")
        except Failed as failure:
            failed = 1
            print(f"FAILED {role}, {level}: {failure}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
