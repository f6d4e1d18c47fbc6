# SPDX-License-Identifier: Apache-2.0
"""The VMMs that scripts/bench compares: how each is told to start the same guest."""
import hashlib
import pathlib
import shlex
import shutil

import cpio
from paths import CACHE, ROOT, Failed, made_once

RUNS = ("entry", "up", "exits", "calls", "guest", "net")  # metrics of bench-watch
MODULES = "virtio_pci", "virtio_mmio", "virtio_blk", "virtio_net"  # QEMU microvm has no PCI
CMDLINE = "console=ttyS0 panic=-1 reboot=t quiet nokaslr"
QEMU_FILES = pathlib.Path("/usr/share/qemu"), pathlib.Path("/usr/share/seabios")
QEMU_FIRMWARE = ("bios-256k.bin", "bios-microvm.bin", "qboot.rom", "pvh.bin", "linuxboot_dma.bin",
                 "kvmvapic.bin")


def initramfs(kernel):
    """initramfs() - the guest's: bench-init and the modules that its devices need."""
    init = (ROOT / "build/guests/bench/bench-init").read_bytes()

    def make(to):
        archive = cpio.Archive()
        archive.add_data("init", init, 0o755)
        archive.add_char("dev/console", 5, 1)
        for number, (name, module) in enumerate(kernel.modules(*MODULES)):
            archive.add_data(f"modules/{number:02}-{name}.ko", module)
        archive.write(to)

    digest = hashlib.sha256(init + " ".join(MODULES).encode()).hexdigest()[:16]
    return made_once(CACHE / "bench" / f"initramfs-{kernel.release}-{digest}.cpio", make)


class Vmm:
    """One VMM and its options. program: here; words: its command line in the lab; disk and net:
    the words that give the guest /tmp/disk.img and tap0."""
    quick = True

    def __init__(self, name, program, words, disk=(), net=(), files=()):
        self.name, self.program, self.words = name, program, list(words)
        self.more, self.files = {"guest": list(disk), "net": list(net)}, files

    def can(self, run):
        return bool(self.more.get(run, True))

    def command(self, run):
        """What bench-watch runs for the metric `run`."""
        cmdline = CMDLINE + {"guest": " bench_disk=1", "net": " bench_net=1"}.get(run, "")
        words = self.words + self.more.get(run, [])
        return [w.replace("{cmdline}", cmdline).replace("{kernel}", "/bench/vmlinuz")
                .replace("{vmlinux}", "/bench/vmlinux").replace("{initrd}", "/bench/initrd")
                for w in words]

    def add_to(self, archive):
        archive.add_program(self.words[0].lstrip("/"), self.program)
        for path, source in self.files:
            archive.add_file(path, source)


def cloister(level, form):
    return Vmm(f"cloister {level}, {'bzImage' if form == 'kernel' else form}",
               ROOT / "build/cloister",
               ["/bin/cloister", "run", "--kernel", f"{{{form}}}", "--initramfs", "{initrd}",
                "--cmdline", "{cmdline}", "--memory", "size=256M", "--confidential", level,
                "--xcr0-preset"],
               disk=["--disk", "path=/tmp/disk.img"], net=["--net", "tap=tap0"])


def qemu(machine, form, *more, bus="pci"):
    files = []
    for name in QEMU_FIRMWARE:
        source = next((d / name for d in QEMU_FILES if (d / name).exists()), None)
        if not source:
            raise Failed(f"QEMU's {name} is not installed (packages qemu-system-x86, seabios)")
        files.append((f"usr/share/qemu/{name}", source))
    kind = machine.split(",")[0]
    return Vmm(f"QEMU {kind}, {'bzImage' if form == 'kernel' else form}",
               shutil.which("qemu-system-x86_64"),
               ["/bin/qemu-system-x86_64", "-L", "/usr/share/qemu", "-M", machine, "-enable-kvm",
                "-cpu", "host", "-m", "256", "-nodefaults", "-no-user-config", "-no-reboot",
                "-display", "none", "-serial", "stdio", "-kernel", f"{{{form}}}",
                "-initrd", "{initrd}", "-append", "{cmdline}", *more],
               disk=["-drive", "file=/tmp/disk.img,format=raw,if=none,id=d",
                     "-device", f"virtio-blk-{bus},drive=d"],
               net=["-netdev", "tap,id=n,ifname=tap0,script=no,downscript=no,vhost=off",
                    "-device", f"virtio-net-{bus},netdev=n" + ",romfile=" * (bus == "pci")],
               files=files)


def peer(text):
    name, _, command = text.partition("=")
    words = shlex.split(command)
    program = shutil.which(words[0]) if words else None
    if not name or not program:
        raise Failed(f"--peer {text}: NAME=CMD is needed, CMD a program that is here")
    return Vmm(name, program, ["/bin/" + pathlib.Path(program).name, *words[1:]])


def all_of(peers):
    """all_of() - every VMM, Cloister first. peers: NAME=CMD of more."""
    found = [cloister("off", "vmlinux"), cloister("off", "kernel"), cloister("soft", "vmlinux"),
             cloister("soft", "kernel"),
             qemu("microvm,rtc=on", "vmlinux", "-bios", "qboot.rom", bus="device"),
             qemu("q35", "vmlinux"), qemu("q35", "kernel")]
    found[3].quick = found[5].quick = False
    return found + [peer(text) for text in peers]
