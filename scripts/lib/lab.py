# SPDX-License-Identifier: Apache-2.0
"""The lab: a Debian kernel with real KVM in an emulated machine, and one job run inside.

QEMU in pure emulation (TCG) with nested SVM stands in for a host with hardware virtualisation.
A lab is its host kernel, an initramfs made of parts, and a job (a shell command). The first part
is the same for every run on a host kernel and cached: busybox, KVM's modules, tests/lab/init. The
rest is what the job needs. Parts are archives one after another, which Linux accepts.
"""
import contextlib
import fcntl
import hashlib
import os
import pathlib
import re
import select
import shlex
import shutil
import signal
import subprocess
import tarfile
import tempfile
import time

import cpio
import kernels
import kmod
from paths import CACHE, ROOT, Failed, made_once, run

# name -> (host kernel, parameters of the rebuilt KVM modules; None: the packaged modules)
HOSTS = {
    "7.3": ("7.3", None),
    "6.12": ("6.12", None),
    "6.12-private": ("6.12", {"kvm": "lab_private_rw=1", "kvm_amd": "sev=0"}),
    "6.12-snp": ("6.12", {}),
}
# The lab's CPU; KVM speaks of SEV only where the CPU's leaves reach that far.
CPU = "max,+svm,phys-bits=46"
CPUS = {"6.12-snp": "max,+svm,xlevel=0x8000001f"}
# Hosts whose emulation does not show KVM the guest's XSETBV; newer guests stumble over that.
XCR0_PRESET = tuple(HOSTS)
SLOTS = max(1, min(4, os.cpu_count() or 1))  # labs at a time: each keeps one CPU busy
RESULT_SIZE = 512 << 20  # of the sparse disk that brings results back


class Crashed(Failed):
    """The lab itself broke: no status came back. Says nothing about the job."""


@contextlib.contextmanager
def _slot():
    """Hold one of the machine's SLOTS labs; wait until there is one."""
    CACHE.mkdir(parents=True, exist_ok=True)
    while True:
        for number in range(SLOTS):
            with open(CACHE / f"lab-{number}.lock", "w") as held:
                try:
                    fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue
                yield
                return
        time.sleep(0.2)


class Lab:
    """One lab to be: choose a host kernel, add files, run a job."""

    def __init__(self, host):
        if host not in HOSTS:
            raise Failed(f"no lab host {host}; there are: {', '.join(HOSTS)}")
        self.host = host
        name, self.parameters = HOSTS[host]
        self.kernel = kernels.get(name)
        self.files = cpio.Archive()
        self.memory, self.cpus, self.timeout = 3072, 1, 600
        self.instructions = False  # one CPU whose clock counts instructions: 1 takes 1 ns
        self.quiet = None  # seconds without output after which it counts as stuck
        self.console = ""  # what its kernel said in the last run

    def _modules(self):
        """[(name, bytes, arguments)] in the order of loading."""
        plain = self.kernel.modules("virtio_pci", "virtio_blk", "kvm_amd")
        if self.parameters is None:
            return [(name, data, "") for name, data in plain]
        new = kmod.modules(self.kernel)
        return [(name, new.get(name, data), self.parameters.get(name, "")) for name, data in plain]

    def prepare(self):
        """prepare() - make what the cache lacks: kernel, modules, the first part."""
        self.kernel.vmlinux()
        return self._base()

    def _base(self):
        init = ROOT / "tests/lab/init"
        hold = ROOT / "tests/lab/hold.c"
        modules = self._modules()
        digest = hashlib.sha256(init.read_bytes() + hold.read_bytes())
        for name, data, arguments in modules:
            digest.update(data + arguments.encode())

        def make(to):
            with tempfile.TemporaryDirectory() as work:
                run("gcc", "-static", "-O2", "-o", f"{work}/hold", hold)
                archive = cpio.Archive()
                archive.add_file("lab/hold", f"{work}/hold")
                archive.add_file("bin/busybox", shutil.which("busybox"))
                archive.add_file("init", init)
                archive.add_char("dev/console", 5, 1)
                for number, (name, data, arguments) in enumerate(modules):
                    archive.add_data(f"lab/modules/{number:02}-{name}.ko", data)
                    if arguments:
                        archive.add_data(f"lab/modules/{number:02}-{name}.ko.args", arguments)
                archive.write(to)

        return made_once(CACHE / "lab" / f"base-{self.host}-{digest.hexdigest()[:16]}.cpio", make)

    def _qemu(self, work):
        clock = (["-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off"]
                 if self.instructions else ["-accel", "tcg,thread=multi"])
        kernel = " tsc=reliable clocksource=tsc" * self.instructions
        return ["setpriv", "--pdeathsig", "KILL", "--",
                "qemu-system-x86_64", "-M", "q35", *clock,
                "-cpu", CPUS.get(self.host, CPU), "-m", str(self.memory), "-smp", str(self.cpus),
                "-display", "none", "-nodefaults", "-no-user-config", "-no-reboot",
                "-kernel", str(self.kernel.vmlinux()), "-initrd", str(work / "initramfs"),
                "-append", "console=ttyS0 panic=-1 reboot=t quiet cryptomgr.notests" + kernel,
                "-serial", f"file:{work}/console", "-serial", "stdio",
                "-drive", f"file={work}/results,format=raw,if=virtio,cache=unsafe"]

    def run(self, argv, out=None, show=None):
        """run() - run the command `argv` inside; its output goes to show(bytes) as it comes.

        out: a directory that gets what the job left below /out. Return: the job's exit status.
        Raises Crashed if the lab or its time ended first.
        """
        base = self.prepare()
        self.files.add_data("lab/job", " ".join(shlex.quote(a) for a in argv) + "\n")
        with contextlib.ExitStack() as stack:
            work = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lab-")))
            self.files.write(work / "job")
            with open(work / "initramfs", "wb") as joined:
                for part in (base, work / "job"):
                    with open(part, "rb") as data:
                        shutil.copyfileobj(data, joined, 1 << 20)
            (work / "job").unlink()
            with open(work / "results", "wb") as results:
                results.truncate(RESULT_SIZE)
            stack.enter_context(_slot())
            self._emulate(work, show or (lambda data: None))
            return self._results(work, out)

    def cases(self, script):
        """cases() - run a shell script that prints `== NAME` before each of its cases.

        Return: {NAME: what was printed until the next}; raises Crashed.
        """
        self.files.add_data("cases.sh", script)
        said = bytearray()
        self.run(["sh", "/cases.sh"], show=said.extend)
        text = said.decode(errors="replace").replace("\r", "")
        return dict(re.findall(r"^== ([^\n]+)\n(.*?)(?=^== |\Z)", text, re.M | re.S))

    def _emulate(self, work, show):
        qemu = subprocess.Popen(self._qemu(work), stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=open(work / "errors", "wb"))
        began = time.monotonic()
        try:
            while data := self._read(qemu.stdout.fileno(), began):
                show(data)
            status = qemu.wait(5)
        except (TimeoutError, subprocess.TimeoutExpired):
            qemu.kill()
            status = qemu.wait()
        finally:
            qemu.kill()
            qemu.wait()
            self.seconds = time.monotonic() - began
            console = work / "console"
            self.console = console.read_text(errors="replace") if console.exists() else ""
        if status:
            late = self.seconds >= self.timeout
            stuck = status == -signal.SIGKILL and not late
            raise Crashed(f"lab {self.host}: " + (f"not done after {self.timeout} s" if late else
                          f"nothing said for {self.quiet} s" if stuck else
                          (work / "errors").read_text() or f"QEMU's status {status}") +
                          self._last_words())

    def _read(self, fd, began):
        """What it says next, b"" at its end. Raises TimeoutError if that takes too long."""
        left = max(0, self.timeout - (time.monotonic() - began))
        if not select.select([fd], [], [], min(left, self.quiet or left))[0]:
            raise TimeoutError
        return os.read(fd, 65536)

    def _results(self, work, out):
        data = (work / "results").open("rb")
        try:
            with tarfile.open(fileobj=data) as archive:
                status = int(archive.extractfile("./status").read())
                if out:
                    shutil.rmtree(out, ignore_errors=True)
                    archive.extractall(out)
                return status
        except (tarfile.TarError, KeyError):
            raise Crashed(f"lab {self.host}: ended without a result" + self._last_words())

    def _last_words(self):
        return "\n" + "\n".join(self.console.splitlines()[-25:])
