#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What each process of a running VM has given up, as the kernel says, with all kinds of devices; once
as it is started here, and once as a user without rights who may open /dev/kvm.

Usage: confined.py CLOISTER GUESTS_FOLDER
"""
import os
import re
import stat
import subprocess
import sys
import tempfile

from common import (SKIP, TIMEOUT, Failed, children, lacking_kvm, left_behind, mortal, sanitized,
                    text_of, wait_until, want, write_disk)

NOBODY = 65534
CLOEXEC = 0o2000000
SPAWNER_CAPS = 1 << 21 | 1 << 18 | 1 << 8  # SYS_ADMIN, SYS_CHROOT, SETPCAP: to make jails


def field(text, name):
    return re.search(rf"^{name}:\s*(\S+)", text, re.M)[1]


def check_thread(folder, caps):
    status = text_of(os.path.join(folder, "status"))
    name = field(status, "Name")
    want(field(status, "NoNewPrivs") == "1", f"{name}: may gain privileges")
    want(field(status, "Seccomp") == "2", f"{name}: no system call filter")
    for kind in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
        left = int(field(status, kind), 16) & ~caps
        want(not left, f"{name}: {kind} {left:x}")
    return name


def check_mappings(proc, name):
    for line in text_of(f"{proc}/maps").splitlines():
        flags = line.split()[1]
        want("w" not in flags or "x" not in flags, f"{name}: written and executed: {line}")
    text = text_of(f"{proc}/smaps")
    for part in re.split(r"^(?=[0-9a-f]+-[0-9a-f]+ )", text, flags=re.M):
        if "guest-shared" in part or "memfd:private" in part or "kvm-gmem" in part:
            want(re.search(r"^VmFlags:.*\bdd\b", part, re.M), f"{name}: dumped: {part[:90]}")


def check_descriptors(proc, name):
    for fd in os.listdir(f"{proc}/fd"):
        flags = int(re.search(r"^flags:\s*(\d+)", text_of(f"{proc}/fdinfo/{fd}"), re.M)[1], 8)
        want(int(fd) <= 2 or flags & CLOEXEC, f"{name}: descriptor {fd} is inherited by programs: "
             + os.readlink(f"{proc}/fd/{fd}"))


def check_process(pid, caps):
    proc = f"/proc/{pid}"
    for task in os.listdir(f"{proc}/task"):
        check_thread(f"{proc}/task/{task}", caps)
    name = field(text_of(f"{proc}/status"), "Name")
    want(re.search(r"Max core file size +0 +0", text_of(f"{proc}/limits")), f"{name}: core files")
    # A process that is not dumpable belongs to root here, whoever it is.
    want(os.stat(f"{proc}/maps").st_uid == 0, f"{name}: can be traced by its user")
    check_mappings(proc, name)
    check_descriptors(proc, name)
    return name


def check_jail(pid, outside):
    """A device process has namespaces of its own, and an empty root."""
    for kind in ("user", "pid", "mnt", "net", "ipc", "uts", "cgroup"):
        want(os.readlink(f"/proc/{pid}/ns/{kind}") != os.readlink(f"/proc/{outside}/ns/{kind}"),
             f"device process {pid} shares its {kind} namespace")
    want(os.listdir(f"/proc/{pid}/root") == [], f"device process {pid} sees files")


def as_nobody(command, folder):
    """Run a command as a user without rights, with a /dev/kvm that he may open."""
    node = os.path.join(folder, "kvm")
    os.mknod(node, 0o666 | stat.S_IFCHR, os.stat("/dev/kvm").st_rdev)
    os.chmod(node, 0o666)
    for path, _, files in os.walk(folder):
        for each in [path, *(os.path.join(path, f) for f in files)]:
            os.chown(each, NOBODY, NOBODY)
    script = f"mount --bind {node} /dev/kvm && exec setpriv --reuid {NOBODY} --regid {NOBODY} " \
             "--clear-groups --inh-caps=-all --bounding-set=-all \"$@\""
    return ["unshare", "-m", "sh", "-c", script, "sh", *command]


def run(cloister, guests, folder, level, nobody):
    serial = os.path.join(folder, "serial")
    kernel = os.path.join(folder, "kernel")
    with open(os.path.join(guests, "secret.elf"), "rb") as f, open(kernel, "wb") as to:
        to.write(f.read())
    command = [cloister, "run", "--kernel", kernel, "--memory", "size=64M", "--cpus", "boot=2",
               "--confidential", level, "--serial", f"file={serial}", "--rng", "src=/dev/urandom",
               "--console", "null", "--disk", f"path={write_disk(folder)}", "--cmdline", "secret=7"]
    command = as_nobody(command, folder) if nobody else command
    with subprocess.Popen(mortal(command), stdin=subprocess.DEVNULL, start_new_session=True) as child:
        try:
            wait_until(lambda: "READY" in text_of(serial) or child.poll() is not None, "no READY")
            want(child.poll() is None, f"ended early: {text_of(serial)}")
            spawner, = children(child.pid)
            devices = children(spawner)
            names = [check_process(child.pid, 0), check_process(spawner, 0 if nobody else SPAWNER_CAPS),
                     *(check_process(pid, 0) for pid in devices)]
            want(sorted(names) == ["cl-blk", "cl-console", "cl-rng", "cl-spawner", "cloister"], f"{names}")
            for pid in devices:
                check_jail(pid, child.pid)
            child.terminate()
            want(child.wait(TIMEOUT) == 4, "exit status after SIGTERM")
        finally:
            child.kill()
    want(not left_behind(child.pid), "processes left behind")


def main():
    cloister, guests = sys.argv[1:3]
    why = lacking_kvm() or (os.geteuid() and "needs root, to look into the processes")
    why = why or (sanitized(cloister) and "the sanitizer's memory has other rights")
    if why:
        print(f"skipped: {why}")
        return SKIP
    failed = 0
    for level, nobody in (("off", False), ("soft", False), ("off", True), ("soft", True)):
        with tempfile.TemporaryDirectory(prefix="cloister-kvm-") as folder:
            try:
                run(os.path.abspath(cloister), guests, folder, level, nobody)
                print(f"passed {level}{', as nobody' if nobody else ''}")
            except Failed as failure:
                failed = 1
                print(f"FAILED {level}{', as nobody' if nobody else ''}: {failure}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
