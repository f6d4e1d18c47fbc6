#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A VM with a device of every kind, the console on a terminal, a report while it runs and one at its
end.

Usage: all_devices.py CLOISTER GUESTS_FOLDER
"""
import json
import os
import pty
import signal
import subprocess
import sys
import tempfile

from common import SKIP, TIMEOUT, Failed, lacking_kvm, left_behind, mortal, text_of, wait_until, want, write_disk

def command_of(cloister, guests, folder, level):
    return [cloister, "run", "--kernel", os.path.join(guests, "kinds.elf"), "--memory", "size=64M",
            "--confidential", level, "--rng", "src=/dev/urandom", "--console", "tty",
            "--serial", "file=" + os.path.join(folder, "serial"),
            "--disk", f"path={write_disk(folder)}", "--report", os.path.join(folder, "report"),
            "--seccomp", "trap"]


def report_of(folder):
    with open(os.path.join(folder, "report"), encoding="utf-8") as f:
        return json.load(f)


def check_sweep(child, folder):
    """What the guest touched of shared memory without sharing it has no backing for long."""
    def swept():
        child.send_signal(signal.SIGUSR1)
        return report_of(folder)["resident"]["shared"] < 8 << 20
    wait_until(swept, "stolen memory is not freed")


def check_report(child, folder):
    child.send_signal(signal.SIGUSR1)
    wait_until(lambda: os.path.exists(os.path.join(folder, "report")), "no report")
    devices = report_of(folder)["devices"]
    want(sorted(d["kind"] for d in devices) == ["blk", "console", "rng"], f"devices: {devices}")


def run(cloister, guests, folder, level):
    ours, theirs = pty.openpty()
    serial = os.path.join(folder, "serial")
    with subprocess.Popen(mortal(command_of(cloister, guests, folder, level)), stdin=theirs, stdout=theirs,
                          start_new_session=True) as child:
        os.close(theirs)
        try:
            wait_until(lambda: "READY" in text_of(serial) or child.poll() is not None, "no READY")
            want(child.poll() is None, f"ended early: {text_of(serial)}")
            check_report(child, folder)
            if level == "soft":
                check_sweep(child, folder)
            for i in (1, 2):
                os.write(ours, b"%d" % i)
                wait_until(lambda n=i: text_of(serial).count("input ") == n, f"no input {i}")
            status = child.wait(TIMEOUT)
        finally:
            child.kill()
            os.close(ours)
    want(status == 0, f"exit status {status}: {text_of(serial)}")
    want(report_of(folder)["end"] == "poweroff", "the report at the end")
    want(not left_behind(child.pid), "processes left behind")


def main():
    why = lacking_kvm()
    if why:
        print(f"skipped: {why}")
        return SKIP
    for level in ("off", "soft"):
        with tempfile.TemporaryDirectory(prefix="cloister-kvm-") as folder:
            try:
                run(sys.argv[1], sys.argv[2], folder, level)
            except Failed as failure:
                print(f"FAILED {level}: {failure}")
                return 1
    print("passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
