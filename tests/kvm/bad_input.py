#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bad input to `cloister run`: one line on standard error that names the flag, exit status 2, no
core, nothing left behind: no process, no file.

Usage: bad_input.py CLOISTER GUESTS_FOLDER
"""
import fcntl
import os
import random
import struct
import subprocess
import sys
import tempfile

from common import SKIP, Failed, lacking_kvm, left_behind, mortal, want, write_disk

TIMEOUT = 30


class Place:
    """A folder with good and bad files."""

    def __init__(self, folder, guests):
        self.folder = folder
        with open(os.path.join(guests, "hello.elf"), "rb") as f:
            self.good = f.read()
        self.kernel = self.file("kernel", self.good)
        self.disk = write_disk(folder)
        os.mkdir(os.path.join(folder, "directory"))
        self.pipe = self.path("pipe")
        os.mkfifo(self.pipe)

    def path(self, name):
        return os.path.join(self.folder, name)

    def file(self, name, data):
        with open(self.path(name), "wb") as f:
            f.write(data)
        return self.path(name)


def kernels(p):
    """Kernel files that can't be booted, by name."""
    noise = random.Random(1).randbytes(1 << 20)
    good = p.good
    bad = {
        "empty": b"",
        "one byte": b"\x7f",
        "noise": noise,
        "half of an ELF header": good[:32],
        "ELF header alone": good[:64],
        "ELF without its segments": good[:0x1000],
        "ELF with an entry outside": good[:24] + b"\xff" * 8 + good[32:],
        "ELF for another machine": good[:18] + b"\xb7\x00" + good[20:],
        "ELF magic and noise": good[:4] + noise,
        "ELF with 65535 segments": good[:56] + b"\xff\xff" + good[58:],
        "segment beyond RAM": good[:64 + 24] + b"\x00\x00\x00\x00\x40\x00\x00\x00" + good[64 + 32:],
        "bzImage magic and noise": noise[:0x1FE] + b"\x55\xaa\xeb\x66HdrS\x0f\x02" + noise[0x208:],
        "bzImage header alone": bytes(0x1F1) + b"\x04" + bytes(12) + b"\x55\xaa\xeb\x66HdrS\x0f\x02",
    }
    return {name: p.file("bad-" + name.replace(" ", "-"), data) for name, data in bad.items()}


def cases(p):
    """(what, arguments, the flag that the message must name)."""
    kernel = ["--kernel", p.kernel]
    for name, path in kernels(p).items():
        yield f"kernel: {name}", ["--kernel", path], "--kernel"
    yield "kernel: none given", ["--memory", "size=64M"], "--kernel"
    yield "kernel: missing", ["--kernel", p.path("nowhere")], "--kernel"
    yield "kernel: a directory", ["--kernel", p.path("directory")], "--kernel"
    yield "kernel: a pipe", ["--kernel", p.pipe], "--kernel"
    yield "kernel: given twice", kernel + kernel, "--kernel"
    yield "kernel: a device", ["--kernel", "/dev/null"], "--kernel"
    big = p.file("big", b"")
    os.truncate(big, 128 << 20)
    initramfs = kernel + ["--memory", "size=64M", "--initramfs"]
    yield "initramfs: larger than RAM", initramfs + [big], "--initramfs"
    yield "initramfs: missing", initramfs + [p.path("nowhere")], "--initramfs"
    yield "initramfs: a directory", initramfs + [p.path("directory")], "--initramfs"
    yield "initramfs: a pipe", initramfs + [p.pipe], "--initramfs"
    yield "initramfs: empty", initramfs + [p.file("nothing", b"")], "--initramfs"
    for size in ("0", "4K", "1M", "8388608T", "99999999999999999999", "-1", "64", "64X", "", "1.5G"):
        yield f"memory: {size}", kernel + ["--memory", f"size={size}"], "--memory"
    yield "memory: 16 TiB", kernel + ["--memory", "size=16T"], "--memory"
    yield "memory: unknown key", kernel + ["--memory", "size=64M,sizes=1"], "--memory"
    yield "memory: key twice", kernel + ["--memory", "size=64M,size=64M"], "--memory"
    yield "memory: given twice", kernel + ["--memory", "size=64M", "--memory", "size=64M"], "--memory"
    yield "memory: no value", kernel + ["--memory", "size"], "--memory"
    yield "memory: nothing", kernel + ["--memory"], "--memory"
    for cpus in ("0", "10000", "-1", "x", "", "1,boot=1", "1,sockets=1"):
        yield f"cpus: {cpus}", kernel + ["--cpus", f"boot={cpus}"], "--cpus"
    disk = kernel + ["--memory", "size=64M", "--disk"]
    yield "disk: a directory", disk + ["path=" + p.path("directory")], "--disk"
    yield "disk: missing", disk + ["path=" + p.path("nowhere")], "--disk"
    yield "disk: a character device", disk + ["path=/dev/null"], "--disk"
    yield "disk: a pipe", disk + ["path=" + p.pipe], "--disk"
    yield "disk: empty file", disk + ["path=" + p.file("nothing", b"")], "--disk"
    yield "disk: less than a sector", disk + ["path=" + p.file("small", bytes(511))], "--disk"
    yield "disk: the same id", disk + [f"path={p.disk},id=a", "--disk", f"path={p.kernel},id=a"], "--disk"
    yield "disk: a long id", disk + [f"path={p.disk},id={'x' * 32}"], "--disk"
    yield "disk: no path", disk + ["readonly=on"], "--disk"
    yield "disk: empty path", disk + ["path="], "--disk"
    yield "disk: unknown key", disk + [f"path={p.disk},colour=red"], "--disk"
    yield "disk: toggle", disk + [f"path={p.disk},readonly=maybe"], "--disk"
    yield "disk: queues", disk + [f"path={p.disk},num_queues=0"], "--disk"
    yield "disk: queue size", disk + [f"path={p.disk},queue_size=100"], "--disk"
    yield "disk: serial number", disk + [f"path={p.disk},serial={'x' * 21}"], "--disk"
    yield "disk: twice for writing", disk + [f"path={p.disk}", "--disk", f"path={p.disk}"], "--disk"
    yield "serial: unknown mode", kernel + ["--serial", "loud"], "--serial"
    yield "serial: into nowhere", kernel + ["--serial", "file=" + p.path("no/where")], "--serial"
    yield "serial: a directory", kernel + ["--serial", "file=" + p.path("directory")], "--serial"
    yield "serial: given twice", kernel + ["--serial", "null", "--serial", "null"], "--serial"
    yield "console: unknown mode", kernel + ["--console", "loud"], "--console"
    yield "console: into nowhere", kernel + ["--console", "file=" + p.path("no/where")], "--console"
    yield "console: a directory", kernel + ["--console", "file=" + p.path("directory")], "--console"
    yield "report: into nowhere", kernel + ["--report", p.path("no/where")], "--report"
    yield "report: a directory", kernel + ["--report", p.path("directory")], "--report"
    yield "report: no name", kernel + ["--report", ""], "--report"
    yield "report: given twice", kernel + ["--report", "r", "--report", "r"], "--report"
    yield "sandbox: unknown mode", kernel + ["--sandbox", "loose"], "--sandbox"
    yield "rng: a directory", kernel + ["--rng", "src=" + p.path("directory")], "--rng"
    yield "rng: unknown key", kernel + ["--rng", "src=/dev/urandom,colour=red"], "--rng"
    yield "rng: missing", kernel + ["--rng", "src=" + p.path("nowhere")], "--rng"
    yield "confidential: unknown", kernel + ["--confidential", "very"], "--confidential"
    yield "confidential: not here", ["--confidential", "tdx", "--firmware", "/dev/null"], "--confidential"
    yield "require: unknown", kernel + ["--require", "much"], "--require"
    yield "require: more than there is", kernel + ["--require", "tdx"], "--require"
    yield "cmdline: too long", kernel + ["--cmdline", "x" * 70000], "--cmdline"
    yield "unknown flag", kernel + ["--colour", "red"], "--colour"
    yield "no flag at all", kernel + ["red"], "red"


def run(cloister, arguments, folder):
    with subprocess.Popen(mortal([cloister, "run", *arguments]), stdin=subprocess.DEVNULL, cwd=folder,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          start_new_session=True) as child:
        try:
            out, err = child.communicate(timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, 9)
            child.communicate()
            raise Failed("runs instead of refusing") from None
    want(not left_behind(child.pid), "processes left behind")
    return child.returncode, out.decode(errors="replace"), err.decode(errors="replace")


def check(cloister, arguments, flag, folder):
    before = sorted(os.listdir(folder))
    status, out, err = run(cloister, arguments, folder)
    want(status == 2, f"exit status {status}, not 2: {err.strip()}")
    want(not out, "something on standard output")
    want(err.count("\n") == 1 and err.endswith("\n"), f"not one line: {err!r}")
    want(flag in err, f"does not name {flag}: {err.strip()}")
    want(len(err) < 1000, "a line of 1000 characters or more")
    want(sorted(os.listdir(folder)) == before, "files left behind")


def lock(f, kind):
    """Lock a file as VMMs do: an open-file-description lock on all of it."""
    fcntl.fcntl(f, fcntl.F_OFD_SETLK, struct.pack("hhqqi", kind, os.SEEK_SET, 0, 0, 0))


def check_locked(cloister, p):
    """A disk that another VM writes, or that another VM reads and this one would write."""
    arguments = ["--kernel", p.kernel, "--memory", "size=64M", "--confidential", "off",
                 "--serial", "null", "--disk"]
    for kind in (fcntl.F_WRLCK, fcntl.F_RDLCK):
        with open(p.disk, "rb+") as f:
            lock(f, kind)
            check(cloister, arguments + [f"path={p.disk}"], "--disk", p.folder)
    with open(p.disk, "rb+") as f:
        lock(f, fcntl.F_RDLCK)
        status, _, err = run(cloister, arguments + [f"path={p.disk},readonly=on"], p.folder)
        want(status == 0, f"two readers of a disk: exit status {status}: {err}")


def main():
    cloister, guests = (os.path.abspath(a) for a in sys.argv[1:])
    why = lacking_kvm()
    if why:
        print(f"skipped: {why}")
        return SKIP
    failed = count = 0
    with tempfile.TemporaryDirectory(prefix="cloister-kvm-") as folder:
        p = Place(folder, guests)
        todo = [(what, lambda a=arguments, f=flag: check(cloister, a, f, folder))
                for what, arguments, flag in cases(p)]
        todo.append(("disk: locked", lambda: check_locked(cloister, p)))
        for what, body in todo:
            count += 1
            try:
                body()
            except Failed as failure:
                failed += 1
                print(f"FAILED {what}: {failure}")
    print(f"{count - failed} of {count} passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
