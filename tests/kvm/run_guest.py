#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs one tiny guest (guests/) under `cloister run` on this machine's KVM and checks what it did.

Usage: run_guest.py CLOISTER GUESTS_FOLDER CASE      (CASE `list` prints all)
Exit status: 0 passed, 1 failed, 77 this machine can't run guests.
"""
import os
import re
import subprocess
import sys
import tempfile
import threading
import time

import vsock_host
from common import (PATIENCE, SECTOR, SECTORS, SKIP, Failed, disk_bytes, lacking_kvm, left_behind, mortal, want,
                    write_disk)

TIMEOUT = 60 * PATIENCE
SLOW_MS = 100  # no access of a guest may take longer
SLOW_TRIES = 3
READ_SECTORS = 61  # not a multiple of what the guest reads at once

# case: guest, level, what else
CASES = {
    "hello-off": ("hello", "off", {"cmdline": "one=1 two",
                                   "lines": ["command line 'reboot=a one=1 two'"]}),
    "hello-soft": ("hello", "soft", {"cmdline": "x", "lines": ["hello from a guest"]}),
    "hello-tty": ("hello", "off", {"serial": "tty"}),
    "hello-null": ("hello", "off", {"serial": "null"}),
    "reset-port": ("reset", "off", {"status": 3, "last": "reset, please"}),
    "reset-fault": ("reset", "off", {"status": 3, "last": "reset, please", "cmdline": "fault=1"}),
    "exits-off": ("exits", "off", {}),
    "exits-soft": ("exits", "soft", {}),
    "convert-soft": ("convert", "soft", {}),
    "blk-off": ("blk", "off", {"disk": True}),
    "blk-soft": ("blk", "soft", {"disk": True}),
    "blk-limited": ("blk", "off", {"disk": True, "keys": ",ops_size=20,ops_refill_time=50,bw_size=1M,"
                                   "bw_refill_time=1,bw_one_time_burst=4K"}),
    "blk-direct": ("blk", "off", {"disk": True, "keys": ",direct=on"}),
    "blk-readonly": ("blk", "off", {"disk": True, "readonly": True}),
    "vsock-off": ("vsock", "off", {"vsock": (50000, 2), "lines": ["served 2 times, 50007 bytes"]}),
    "vsock-soft": ("vsock", "soft", {"vsock": (50000, 2),
                                     "lines": ["called 1 times with 100000 bytes"]}),
    "vsock-many": ("vsock", "soft", {"vsock": (40, 200), "lines": ["served 200 times, 1433 "],
                                     "cmdline": "rounds=200 calls=200 bytes=20"}),
    "badrings-off": ("badrings", "off", {"disk": True}),
    "badrings-soft": ("badrings", "soft", {"disk": True}),
    "everywhere-off": ("everywhere", "off", {"disk": True, "slow": True}),
    "everywhere-soft": ("everywhere", "soft", {"disk": True, "slow": True}),
    "hostile-off": ("hostile", "off", {"disk": True, "cmdline": "seed=1", "slow": True}),
    "hostile-soft": ("hostile", "soft", {"disk": True, "cmdline": "seed=2", "slow": True}),
}


def fnv1a(data):
    value = 0x811C9DC5
    for byte in data:
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value


def written_sector():
    words = (n * 0x9E3779B1 & 0xFFFFFFFF for n in range(SECTOR // 4))
    return b"".join(word.to_bytes(4, "little") for word in words)


def talk_vsock(folder, n, rounds, failures):
    """The host's side of guests/vsock.c."""
    path = os.path.join(folder, "vsock")
    try:
        vsock_host.talk(path, 1024, "CONNECT", n)
        for _ in range(1, rounds):
            vsock_host.talk(path, 1024, "connect", 7)
    except (AssertionError, OSError, vsock_host.Refused) as error:
        failures.append(f"vsock: {error!r}")


def run_with_vsock(command, folder, n, rounds):
    failures = []
    with vsock_host.serve(os.path.join(folder, "vsock"), 5000, vsock_host.echo):
        host = threading.Thread(target=talk_vsock, args=(folder, n, rounds, failures), daemon=True)
        host.start()
        result = run(command)
        host.join()
    want(not failures, failures)
    want(not os.path.exists(os.path.join(folder, "vsock")), "the socket was left behind")
    return result


def run(command, fds=()):
    """Run command in a session of its own, with fds. Return: status, output, errors."""
    with subprocess.Popen(mortal(command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, start_new_session=True, pass_fds=fds) as child:
        try:
            out, err = child.communicate(timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, 9)
            out, err = child.communicate()
            err += b"\n(the runner's time was up)"
        left = left_behind(child.pid)
    status = child.returncode
    want(not left, f"processes left behind: {left}")
    return status, out.decode(errors="replace"), err.decode(errors="replace")


def command_of(cloister, guests, case, folder):
    guest, level, more = CASES[case]
    words = more.get("cmdline", "")
    command = [cloister, "run", "--kernel", os.path.join(guests, guest + ".elf"),
               "--memory", "size=64M", "--cpus", "boot=1", "--confidential", level]
    if more.get("disk"):
        path = write_disk(folder)
        readonly = more.get("readonly", False)
        command += ["--disk", f"path={path}" + (",readonly=on" if readonly else "") +
                    more.get("keys", "")]
        words += f" sectors={READ_SECTORS} readonly={int(readonly)}"
    if more.get("vsock"):
        command += ["--vsock", f"cid=3,socket={folder}/vsock"]
    serial = more.get("serial", "file=" + os.path.join(folder, "serial"))
    return command + ["--cmdline", words.strip(), "--serial", serial]


def slow_ms(text, seconds):
    """Milliseconds of the slowest step, of a guest that ran for at most so many seconds."""
    found = re.search(r"slowest step \d+ of \d+: (\d+) of (\d+) ticks", text)
    want(found, "the guest did not measure its steps")
    return 1000 * seconds * int(found[1]) / int(found[2])


def check_slow(folder, seconds, again):
    """A hang comes again with the same steps; a busy machine is slow at another one."""
    with open(os.path.join(folder, "serial"), encoding="utf-8", errors="replace") as f:
        ms = slow_ms(f.read(), seconds)
    want(ms < SLOW_MS or again, f"a step took {ms:.0f} ms")
    return ms < SLOW_MS


def check_disk(case, folder, lines):
    more = CASES[case][2]
    expected = disk_bytes()
    if CASES[case][0] == "blk":
        checksum = fnv1a(expected[:READ_SECTORS * SECTOR])
        line = f"disk capacity {SECTORS} sectors {READ_SECTORS} checksum 0x{checksum:x}"
        want(line in lines, f"no line '{line}'")
        if not more.get("readonly"):
            expected = expected[:SECTOR] + written_sector() + expected[2 * SECTOR:]
    with open(os.path.join(folder, "disk"), "rb") as f:
        want(f.read() == expected, "the disk's contents are not what they should be")


def check(case, folder, status, out):
    guest, _, more = CASES[case]
    expected = more.get("status", 0)
    want(status == expected, f"exit status {status}, not {expected}")
    if more.get("serial") == "null":
        want("PASS" not in out, "output although the serial port is null")
        return
    if "serial" not in more:
        with open(os.path.join(folder, "serial"), encoding="utf-8", errors="replace") as f:
            out = f.read()
    print(out, end="")
    lines = out.replace("\r", "").splitlines()
    last = more.get("last", f"PASS {guest}")
    want(lines and lines[-1] == last, f"the last line is not '{last}'")
    for part in more.get("lines", []):
        want(any(part in line for line in lines), f"no line with '{part}'")
    if more.get("disk"):
        check_disk(case, folder, lines)


def run_case(cloister, guests, case, again):
    """Return: false if a step was slow, and that may be the machine's load."""
    with tempfile.TemporaryDirectory(prefix="cloister-kvm-") as folder:
        begun = time.monotonic()
        try:
            command = command_of(cloister, guests, case, folder)
            vsock = CASES[case][2].get("vsock")
            status, out, err = run_with_vsock(command, folder, *vsock) if vsock else run(command)
            seconds = time.monotonic() - begun
            print(err, end="", file=sys.stderr)
            check(case, folder, status, out)
            return not CASES[case][2].get("slow") or check_slow(folder, seconds, again)
        except Failed:
            serial = os.path.join(folder, "serial")
            if os.path.exists(serial):
                with open(serial, encoding="utf-8", errors="replace") as f:
                    print(f.read())
            raise


def main():
    if sys.argv[-1] == "list":
        print("\n".join(CASES))
        return 0
    cloister, guests, case = sys.argv[1:]
    why = lacking_kvm()
    if why:
        print(f"skipped: {why}")
        return SKIP
    try:
        for left in reversed(range(SLOW_TRIES)):
            if run_case(cloister, guests, case, left > 0):
                break
    except Failed as failure:
        print(f"FAILED {case}: {failure}")
        return 1
    print(f"passed {case}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
