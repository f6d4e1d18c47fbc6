#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A device process that is killed under load is replaced; the guest loses no request and no data.

The guest (guests/storm.c) keeps the queue full of random reads and writes and checks every answer.
After each "ROUND n" of its, the process that serves its disk is killed at a random moment.

Usage: restarts.py CLOISTER GUESTS_FOLDER [VMS_PER_LEVEL [SEED]]
"""
import os
import random
import signal
import subprocess
import sys
import tempfile
import time

from common import PATIENCE, SECTOR, SKIP, Failed, children, lacking_kvm, left_behind, want, write_disk

TIMEOUT = 60 * PATIENCE
KILLS = 10  # in one VM: as many as are allowed within a minute
REQUESTS = 100
SECTORS_USED = 64
STRIDE = 16  # words of 4 bytes: the guest looks at the first of so many


def wait_until(condition, text):
    end = time.monotonic() + TIMEOUT
    while True:
        found = condition()
        if found:
            return found
        want(time.monotonic() < end, text)
        time.sleep(0.001)


def text_of(path):
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8", errors="replace") as f:
        return f.read()


def fnv1a(data):
    value = 0x811C9DC5
    for byte in data:
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value


def kill_device(monitor, last):
    """Kill the device process that came after `last`. Return: its pid, None if the VM has ended."""
    def fresh():
        spawner = children(monitor.pid)
        pids = [pid for pid in (children(spawner[0]) if spawner else []) if pid != last]
        return pids or (monitor.poll() is not None and [None])

    pid = wait_until(fresh, "no new device process")[0]
    try:
        if pid:
            os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:  # the VM ends just now
        return None
    return pid


def storm(cloister, guests, folder, level, chance):
    serial, log, disk = (os.path.join(folder, name) for name in ("serial", "log", "disk"))
    write_disk(folder)
    command = [cloister, "run", "--kernel", os.path.join(guests, "storm.elf"),
               "--memory", "size=64M", "--confidential", level, "--serial", f"file={serial}",
               "--disk", f"path={disk},num_queues=1", "--cmdline",
               f"seed={chance.randrange(1, 1 << 31)} rounds={KILLS} requests={REQUESTS}"]
    with open(log, "wb") as err:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=err,
                                 start_new_session=True)
    kills, last = 0, None
    try:
        for i in range(KILLS):
            wait_until(lambda: f"ROUND {i}" in text_of(serial) or child.poll() is not None,
                       "no next round")
            time.sleep(chance.random() * 0.02)
            last = kill_device(child, last)
            kills += last is not None
        status = child.wait(TIMEOUT)
    except (Failed, subprocess.TimeoutExpired) as error:
        raise Failed(f"{error}\n{text_of(serial)}\n{text_of(log)}") from None
    finally:
        child.kill()
        child.wait()
    lines = text_of(serial).replace("\r", "").splitlines()
    want(status == 0 and lines[-1:] == ["PASS storm"],
         f"status {status}\n{text_of(serial)}\n{text_of(log)}")
    want(not left_behind(child.pid), "processes left behind")
    with open(disk, "rb") as f:
        data = f.read(SECTORS_USED * SECTOR)
    words = (data[at:at + 4] for at in range(0, len(data), 4 * STRIDE))
    checksum = f"checksum 0x{fnv1a(b''.join(words)):x}"
    want(checksum in lines, f"the image's {checksum} is not the guest's")
    return kills


def main():
    why = lacking_kvm()
    if why:
        print(f"skipped: {why}")
        return SKIP
    vms = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    chance = random.Random(int(sys.argv[4]) if len(sys.argv) > 4 else 1)
    for level in ("off", "soft"):
        kills = 0
        for _ in range(vms):
            with tempfile.TemporaryDirectory(prefix="cloister-kvm-") as folder:
                try:
                    kills += storm(sys.argv[1], sys.argv[2], folder, level, chance)
                except Failed as failure:
                    print(f"FAILED {level}: {failure}")
                    return 1
        want(kills >= vms * KILLS // 2, f"only {kills} kills came before the guest's end")
        print(f"passed {level}: {kills} kills, no request lost, data right")
    return 0


if __name__ == "__main__":
    sys.exit(main())
