#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What dies with whom: a device process killed too often takes its device, a killed monitor everything.

Usage: deaths.py CLOISTER GUESTS_FOLDER
"""
import os
import signal
import subprocess
import sys
import tempfile

from common import (SKIP, TIMEOUT, Failed, children, lacking_kvm, left_behind, mortal, text_of, wait_until,
                    want, write_disk)

RESTARTS = 10  # that a device gets within a minute: DEVICE_RESTARTS_MAX


def start(cloister, guests, folder, level, guest="orphan"):
    """A VM whose guest says READY. Return: its process, the file of its serial port."""
    serial = os.path.join(folder, "serial")
    command = [cloister, "run", "--kernel", os.path.join(guests, guest + ".elf"),
               "--memory", "size=64M", "--confidential", level, "--serial", f"file={serial}",
               "--disk", f"path={write_disk(folder)}", "--cmdline", "again=1"]
    child = subprocess.Popen(mortal(command), stdin=subprocess.DEVNULL, start_new_session=True)
    wait_until(lambda: "READY" in text_of(serial) or child.poll() is not None, "no READY")
    want(child.poll() is None, f"ended early: {text_of(serial)}")
    return child, serial


def device_of(monitor):
    spawner, = children(monitor)
    device, = children(spawner)
    return device


def kill_next(monitor, last):
    """Kill the device process that took the place of `last`. Return: its pid."""
    def fresh():
        return [pid for spawner in children(monitor) for pid in children(spawner) if pid != last]

    wait_until(fresh, "no device process takes the place of the killed one")
    pid, = fresh()
    os.kill(pid, signal.SIGKILL)
    return pid


def check_device(cloister, guests, folder, level):
    child, serial = start(cloister, guests, folder, level)
    last = None
    for _ in range(RESTARTS + 1):
        want(child.poll() is None, f"the guest ended before the last kill: {text_of(serial)}")
        last = kill_next(child.pid, last)
    check_broken(child, serial)


def check_broken(child, serial):
    """The guest sees that its disk is broken, and ends as it wants."""
    try:
        status = child.wait(TIMEOUT)
    except subprocess.TimeoutExpired:
        raise Failed("the guest does not end: " + text_of(serial)) from None
    lines = text_of(serial).replace("\r", "").splitlines()
    want(lines and lines[-1] == "PASS orphan", f"the guest said: {lines}")
    want(status == 0, f"exit status {status}")
    want(not left_behind(child.pid), "processes left behind")


def check_silent_device(cloister, guests, folder, level):
    """One that answers no more is killed."""
    child, serial = start(cloister, guests, folder, level, "kinds")
    silent = device_of(child.pid)
    os.kill(silent, signal.SIGSTOP)
    wait_until(lambda: silent not in left_behind(child.pid), "a silent device process lives on")
    want("FAIL" not in text_of(serial), f"the guest said: {text_of(serial)}")
    child.terminate()
    want(child.wait(TIMEOUT) in (0, 4), "exit status after SIGTERM")  # 0: the guest gave up before


def check_silent_at_end(cloister, guests, folder, level):
    child, _ = start(cloister, guests, folder, level)
    os.kill(device_of(child.pid), signal.SIGSTOP)
    child.terminate()
    want(child.wait(TIMEOUT) == 4, "exit status after SIGTERM")
    want(not left_behind(child.pid), "processes left behind")


def check_monitor(cloister, guests, folder, level):
    child, _ = start(cloister, guests, folder, level)
    device_of(child.pid)
    child.kill()
    child.wait()
    wait_until(lambda: not left_behind(child.pid), "processes outlive their monitor")


def main():
    why = lacking_kvm()
    if why:
        print(f"skipped: {why}")
        return SKIP
    failed = 0
    for check in (check_device, check_silent_device, check_silent_at_end, check_monitor):
        for level in ("off", "soft"):
            with tempfile.TemporaryDirectory(prefix="cloister-kvm-") as folder:
                try:
                    check(sys.argv[1], sys.argv[2], folder, level)
                    print(f"passed {check.__name__} {level}")
                except Failed as failure:
                    failed += 1
                    print(f"FAILED {check.__name__} {level}: {failure}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
