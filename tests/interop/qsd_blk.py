#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Cloister drives QEMU's storage daemon: --disk vhost_user=on,socket=PATH with a tiny guest.

At each level the guest reads and writes the disk as it does with Cloister's own back end; then the
daemon dies under a guest that reads, which shows as NEEDS_RESET and ends nothing else.
Usage: qsd_blk.py CLOISTER GUESTS_FOLDER. Exit status 77: no KVM or no storage daemon here.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "kvm"))
from common import SKIP, Failed, disk_bytes, lacking_kvm, mortal, text_of, wait_until, want, write_disk
from run_guest import READ_SECTORS, SECTOR, fnv1a, written_sector

DAEMON = "qemu-storage-daemon"
TIMEOUT = 30


def serve(folder):
    """Export the disk in folder. Return: the daemon, the path of its socket."""
    socket = os.path.join(folder, "blk.sock")
    daemon = subprocess.Popen(mortal([
        DAEMON, "--blockdev", f"driver=file,node-name=disk,filename={write_disk(folder)}",
        "--export", "type=vhost-user-blk,id=e,node-name=disk,writable=on,num-queues=1,"
        f"addr.type=unix,addr.path={socket}"]), stdin=subprocess.DEVNULL)
    wait_until(lambda: os.path.exists(socket) or daemon.poll() is not None, "no socket")
    want(daemon.poll() is None, "the storage daemon has ended")
    return daemon, socket


def start(cloister, guests, folder, level, guest, socket):
    serial = os.path.join(folder, "serial")
    return subprocess.Popen(mortal([
        cloister, "run", "--kernel", os.path.join(guests, guest + ".elf"), "--memory", "size=64M",
        "--confidential", level, "--serial", f"file={serial}",
        "--cmdline", f"sectors={READ_SECTORS} readonly=0 again=0",
        "--disk", f"vhost_user=on,socket={socket}"]), stdin=subprocess.DEVNULL), serial


def ended(child, serial, guest):
    want(child.wait(TIMEOUT) == 0, f"exit status {child.returncode}: {text_of(serial)}")
    lines = text_of(serial).replace("\r", "").splitlines()
    want(lines and lines[-1] == f"PASS {guest}", f"the guest said: {lines}")
    return lines


def check_data(cloister, guests, folder, level):
    daemon, socket = serve(folder)
    child, serial = start(cloister, guests, folder, level, "blk", socket)
    lines = ended(child, serial, "blk")
    expected = disk_bytes()
    checksum = f"checksum 0x{fnv1a(expected[:READ_SECTORS * SECTOR]):x}"
    want(any(checksum in line for line in lines), f"no {checksum}: {lines}")
    daemon.terminate()
    daemon.wait(TIMEOUT)
    with open(os.path.join(folder, "disk"), "rb") as f:
        want(f.read() == expected[:SECTOR] + written_sector() + expected[2 * SECTOR:],
             "the disk's contents are not what they should be")


def check_death(cloister, guests, folder, level):
    daemon, socket = serve(folder)
    child, serial = start(cloister, guests, folder, level, "orphan", socket)
    wait_until(lambda: "READY" in text_of(serial) or child.poll() is not None, "no READY")
    daemon.kill()
    daemon.wait(TIMEOUT)
    ended(child, serial, "orphan")


def main():
    cloister, guests = sys.argv[1:]
    why = lacking_kvm() or (not shutil.which(DAEMON) and f"no {DAEMON}")
    if why:
        print(f"skipped: {why}")
        return SKIP
    failed = 0
    for check in (check_data, check_death):
        for level in ("off", "soft"):
            with tempfile.TemporaryDirectory(prefix="cloister-qsd-") as folder:
                try:
                    check(cloister, guests, folder, level)
                    print(f"passed {check.__name__} {level}")
                except (Failed, subprocess.TimeoutExpired) as failure:
                    print(f"FAILED {check.__name__} {level}: {failure}")
                    failed += 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
