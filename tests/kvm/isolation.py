#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Device processes of a running VM at level soft can't reach private memory.

A guest leaves a secret in private memory and another pattern in shared memory. Everything that the
device process and the spawner can reach is searched: mappings, their contents, descriptors. The
same search must find both in the monitor, and the shared pattern in the device process: else it
would prove nothing.

Usage: isolation.py CLOISTER GUESTS_FOLDER
"""
import os
import re
import secrets
import subprocess
import sys
import tempfile
import time

from common import (SKIP, Failed, children, lacking_kvm, left_behind, mortal, sanitized, want,
                    write_disk)

TIMEOUT = 30
PRIVATE = re.compile(r"kvm-gmem|memfd:private")
SHARED = re.compile(r"memfd:guest-shared")
STEP = 4 << 20


def pattern(number):
    return number.to_bytes(8, "little") * 8


def mappings(pid):
    """(start, end, readable, name) of each mapping."""
    with open(f"/proc/{pid}/maps", encoding="utf-8") as f:
        for line in f:
            span, flags, _, _, _, *name = line.split(maxsplit=5)
            start, end = (int(x, 16) for x in span.split("-"))
            yield start, end, flags[0] == "r", name[0].strip() if name else ""


def search(read, start, end, wanted):
    """Count each pattern in [start, end); what can't be read has none."""
    hits = dict.fromkeys(wanted, 0)
    for at in range(start, end, STEP):
        try:
            data = read(min(STEP, end - at), at)
        except (OSError, OverflowError):
            continue
        for what in wanted:
            hits[what] += data.count(what)
    return hits


def add(total, hits):
    for what, count in hits.items():
        total[what] += count


def reach(pid, wanted):
    """What a process can reach: counts of private and shared mappings, descriptors, and hits."""
    names, hits = [], dict.fromkeys(wanted, 0)
    memory = os.open(f"/proc/{pid}/mem", os.O_RDONLY)
    for start, end, readable, name in mappings(pid):
        names.append(name)
        if readable and not name.startswith("[v"):
            add(hits, search(lambda n, at: os.pread(memory, n, at), start, end, wanted))
    os.close(memory)
    for fd in os.listdir(f"/proc/{pid}/fd"):
        link = f"/proc/{pid}/fd/{fd}"
        names.append(os.readlink(link))
        if "memfd:" in names[-1]:
            with open(link, "rb") as f:
                size = os.fstat(f.fileno()).st_size
                add(hits, search(lambda n, at, f=f: os.pread(f.fileno(), n, at), 0, size, wanted))
    return {
        "private": sum(bool(PRIVATE.search(name)) for name in names),
        "shared": sum(bool(SHARED.search(name)) for name in names),
        "hits": list(hits.values()),
    }


def wait_for_guest(child, serial):
    end = time.monotonic() + TIMEOUT
    while time.monotonic() < end and child.poll() is None:
        if os.path.exists(serial):
            with open(serial, encoding="utf-8", errors="replace") as f:
                text = f.read()
            want("FAIL" not in text, text)
            if "READY" in text:
                return
        time.sleep(0.02)
    raise Failed(f"the guest did not get ready; exit status {child.poll()}")


def check(monitor, number):
    wanted = [pattern(number), pattern(number + 1)]
    spawners = children(monitor)
    want(len(spawners) == 1, f"the monitor's children are {spawners}, not one spawner")
    devices = children(spawners[0])
    want(len(devices) == 1, f"the spawner's children are {devices}, not one device process")
    seen = {}
    for role, pid in (("monitor", monitor), ("spawner", spawners[0]), ("device", devices[0])):
        seen[role] = reach(pid, wanted)
        print(role, pid, seen[role])
    want(seen["monitor"]["private"] and seen["monitor"]["hits"][0],
         "the search does not find the secret where it is: in the monitor")
    want(seen["device"]["shared"] and seen["device"]["hits"][1],
         "the search does not find the shared pattern in the device process")
    for role in ("spawner", "device"):
        want(not seen[role]["private"], f"the {role} has private memory")
        want(not seen[role]["hits"][0], f"the {role} can reach the secret")
    want(not seen["spawner"]["shared"], "the spawner has shared memory")


def run(cloister, guests, folder):
    number = secrets.randbits(63) | 1
    serial = os.path.join(folder, "serial")
    command = [cloister, "run", "--kernel", os.path.join(guests, "secret.elf"),
               "--memory", "size=64M", "--confidential", "soft", "--serial", f"file={serial}",
               "--disk", f"path={write_disk(folder)}", "--cmdline", f"secret={number}"]
    with subprocess.Popen(mortal(command), stdin=subprocess.DEVNULL, start_new_session=True) as child:
        try:
            wait_for_guest(child, serial)
            check(child.pid, number)
        finally:
            child.terminate()
            try:
                status = child.wait(TIMEOUT)
            except subprocess.TimeoutExpired:
                child.kill()
                status = None
    want(status == 4, f"exit status {status} after SIGTERM, not 4")
    want(not left_behind(child.pid), "processes left behind")


def main():
    why = lacking_kvm() or (os.geteuid() and "needs root, to look into the processes")
    why = why or (sanitized(sys.argv[1]) and "the sanitizer's terabytes of shadow take too long")
    if why:
        print(f"skipped: {why}")
        return SKIP
    with tempfile.TemporaryDirectory(prefix="cloister-kvm-") as folder:
        try:
            run(sys.argv[1], sys.argv[2], folder)
        except Failed as failure:
            print(f"FAILED: {failure}")
            return 1
    print("passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
