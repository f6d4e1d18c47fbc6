# SPDX-License-Identifier: Apache-2.0
"""The demo guest: its initramfs and disk, one boot of it, and the verdict over the evidence."""
import dataclasses
import hashlib
import json
import pathlib
import random
import re

import cpio
import kernels
from paths import CACHE, ROOT, made_once

MODULES = ("virtio_pci", "virtio_blk", "virtio_rng", "virtio_console")
DISK_SIZE = 8 << 20
LIMIT = 240  # seconds for one boot, its I/O and its examination
ENDS = {"poweroff": 0, "reboot": 3, "panic": 3, "sleep": 4}  # how a boot ends -> exit status
HERE = ROOT / "guests/demo"
CONFIDENTIAL = ("soft", "sw-protected")  # levels whose guests run as SEV guests


def initramfs(kernel, init):
    """initramfs() - the archive for `kernel` (a kernels.Kernel) with the program `init`."""
    data = init.read_bytes()
    digest = hashlib.sha256(data).hexdigest()[:16]

    def make(to):
        archive = cpio.Archive()
        archive.add_data("init", data, 0o755)
        archive.add_char("dev/console", 5, 1)
        for number, (name, module) in enumerate(kernel.modules(*MODULES)):
            archive.add_data(f"modules/{number:02}-{name}.ko", module)
        for empty in ("proc", "sys", "tmp"):
            archive.add_dir(empty)
        archive.write(to)

    return made_once(CACHE / "demo" / f"initramfs-{kernel.release}-{digest}.cpio", make)


def disk():
    """disk() - a raw image with fixed, incompressible contents."""
    return made_once(CACHE / "demo" / f"disk-{DISK_SIZE}.img", lambda to: to.write_bytes(
        random.Random("cloister").randbytes(DISK_SIZE)))


@dataclasses.dataclass
class Boot:
    """One boot of the demo guest to be made. flags: more of `cloister run`."""
    guest: str  # a name of kernels.KERNELS
    level: str
    cpus: int = 1
    memory: str = "512M"
    flags: tuple = ()
    idle: bool = False  # the guest leaves its disks alone
    end: str = "poweroff"  # a name of ENDS; a guest that sleeps is interrupted
    unpacked: bool = False  # the kernel is given as vmlinux
    cmdline: str = ""  # more for the kernel

    @property
    def name(self):
        more = "-vmlinux" * self.unpacked + "-idle" * self.idle
        more += f"-{self.end}" * (self.end != "poweroff") + f"-{self.cmdline}" * bool(self.cmdline)
        more += "".join(f"-{flag.strip('-')}" for flag in self.flags)
        return f"{self.guest}-{self.level}-{self.cpus}cpu-{self.memory.split(',')[0]}{more}"

    @property
    def kernel(self):
        """Where the guest's kernel is in a lab."""
        return f"demo/vmlinu{'x' if self.unpacked else 'z'}-{self.guest}"

    def files(self, build):
        """{path in a lab: file}, all that command() needs when run there."""
        kernel = kernels.get(self.guest)
        return {"demo/boot.sh": HERE / "boot.sh", "demo/disk.img": disk(),
                "demo/demo-prove": build / "guests/demo/demo-prove",
                "demo/demo-await": build / "guests/demo/demo-await",
                "demo/demo-trespass": build / "guests/demo/demo-trespass",
                self.kernel: kernel.vmlinux() if self.unpacked else kernel.image,
                f"demo/initramfs-{self.guest}":
                    initramfs(kernel, build / "guests/demo/demo-init")}

    def command(self, cloister, out, at):
        """The command line; at(path in a lab) says where a file of files() is."""
        tools = str(pathlib.Path(at("demo/demo-prove")).parent)
        return ["sh", at("demo/boot.sh"), out, at("demo/disk.img"), tools, str(LIMIT), "--",
                cloister, "run", "--kernel", at(self.kernel),
                "--initramfs", at(f"demo/initramfs-{self.guest}"),
                "--cmdline", "console=ttyS0 quiet panic=-1 cryptomgr.notests "
                f"demo_wait={LIMIT} demo_disks={0 if self.idle else 2} demo_end={self.end} "
                f"{self.cmdline}",
                "--cpus", f"boot={self.cpus}", "--memory", f"size={self.memory}",
                "--confidential", self.level, *self.flags]


PRIVATE = re.compile(r"kvm-gmem|memfd:private")  # how the private object is called in /proc
IDLE_SHARED = 4 << 20  # bytes of shared memory in use after a boot without I/O, at most
BESIDE_RAM = 4 << 20  # bytes that the processes of a VM may use beside its RAM


def own_memory(mapping):
    """Bytes that a mapping in smaps costs: of a file only what was changed, the rest is cache."""
    size = {k: int(v) << 10 for k, v in re.findall(r"^(\w+): +(\d+) kB", mapping, re.M)}
    if " /" not in mapping.split("\n")[0] or not size["Rss"]:
        return size["Pss"]
    return size["Anonymous"] * size["Pss"] // size["Rss"]


class Evidence:
    """What boot.sh left in a directory, parsed. Missing pieces read as empty."""

    def __init__(self, out):
        self.out = pathlib.Path(out)
        self.console = self._text("console").replace("\r", "")
        self.errors = self._text("errors")
        self.facts = dict(re.findall(r"^(\S+) (.*)$", self._text("facts"), re.M))
        self.ready = self._json("ready.json")
        self.report = self._json("report.json")
        self.devices, self.monitor = [], []
        self.trespass = re.findall("^trespass: (.*)$", self._text("trespass"), re.M)
        for line in self._text("prove").splitlines():
            words = line.split()
            if words[:2] == ["prove:", "device"]:
                fields = {k: int(v) for k, v in zip(words[3::2], words[4::2])}
                self.devices.append({"name": words[2], **fields})
            elif words[:2] == ["prove:", "monitor"]:
                self.monitor.append((int(words[5]), " ".join(words[7:])))

        self.beside_ram, self.private_maps, self.private_fds = 0, [], []
        for file in sorted(self.out.glob("c*.[0-9]*")):
            self._process(file.read_text(errors="replace"))

    def _process(self, text):
        """What examine() of boot.sh wrote about one process."""
        maps, fds, smaps = re.split("^== .*\n", text, flags=re.M)[1:4]
        self.private_maps += [m.split() for m in maps.splitlines() if PRIVATE.search(m)]
        self.private_fds += [f for f in fds.splitlines() if PRIVATE.search(f)]
        for mapping in re.split("^(?=[0-9a-f]+-[0-9a-f]+ )", smaps, flags=re.M):
            if mapping and not re.search("guest-shared|ledger", mapping) \
                    and not PRIVATE.search(mapping):
                self.beside_ram += own_memory(mapping)

    def _text(self, name):
        file = self.out / name
        return file.read_text(errors="replace") if file.exists() else ""

    def _json(self, name):
        try:
            return json.loads(self._text(name))
        except ValueError:
            return {}

    def said(self, key):
        """The guest's lines "demo: KEY ..."; Return: what follows, a list."""
        return re.findall(rf"^demo: {key} (.*)$", self.console, re.M)

    def sum(self, key):
        """The sum of the guest's disk that it `read` or `wrote`, or None."""
        return next((line.split()[-1] for line in self.said(key)), None)

    def host_sum(self, name):
        return self.facts.get(name, "none").split()[0]

    def total(self, field):
        return sum(device[field] for device in self.devices)

    def seconds(self, since, until):
        """Between two facts, or None."""
        if since not in self.facts or until not in self.facts:
            return None
        return float(self.facts[until].split()[0]) - float(self.facts[since].split()[0])


def judge_disks(e):
    return [
        (e.sum("read") == e.host_sum("disk"), "what the guest read from its disk is what is there"),
        (e.sum("wrote") == e.host_sum("scratch"), "what the guest wrote to its disk is there"),
        (e.devices and e.total("public") > 0,
         "the search finds there what the guest wrote to its disk"),
    ]


def judge_idle(boot, e):
    if boot.level == "off":
        return []
    shared = e.ready.get("resident", {}).get("shared", IDLE_SHARED)
    return [(0 < shared < IDLE_SHARED,
             f"without I/O {shared / 2**20:.1f} MiB of shared memory are in use")]


def judge(boot, e, release):
    """judge() - hold the evidence `e` of `boot` against what was promised.

    release: of the guest's kernel package.

    Return: [(whether it holds, what)], in the order of reading.
    """
    sev = any("Memory Encryption Features active: AMD SEV" in s for s in e.said("dmesg"))
    failed = e.said("FAILED")
    found = sum(hits for hits, _ in e.monitor)
    promises = [
        (e.facts.get("status") == str(ENDS[boot.end]) and "demo: bye" in e.console,
         f"the guest boots, works and ends (by {boot.end}, exit status {ENDS[boot.end]})"),
        (not failed, "nothing fails in the guest" + "".join(f": {f}" for f in failed)),
        (e.said("cpus") == [str(boot.cpus)], f"the guest has {boot.cpus} CPUs"),
        (e.said("kernel") == [release], f"the guest's kernel is Debian's {release}"),
        (e.ready.get("level") == boot.level, f"the level is {boot.level}"),
        (e.said("kernel") and sev == (boot.level in CONFIDENTIAL),
         "the guest's kernel " + ("uses private memory" if boot.level in CONFIDENTIAL else
                                  "knows of no private memory")),
        (e.devices and e.total("unsearched") == 0 and e.facts.get("proved", "").endswith(" 0"),
         "all memory of all device processes was searched"),
    ]
    promises += judge_idle(boot, e) if boot.idle else judge_disks(e)
    promises += [(0 < e.beside_ram <= BESIDE_RAM,
                  f"all processes use {e.beside_ram / 2**20:.1f} MiB beside the guest's RAM")]
    if boot.level == "off":
        promises += [(e.total("secret") > 0, "the guest's secret is found there: level off")]
        return promises
    promises += [
        (e.devices and e.total("secret") == 0, "the guest's secret is not found there"),
        (e.devices and e.total("private_mappings") == 0,
         "no device process maps private memory"),
        (e.devices and e.total("private_descriptors") == 0,
         "no device process has a descriptor of private memory"),
        (e.ready.get("ledger", {}).get("conversions", 0) > 0, "the ledger counts conversions"),
        (0 < e.ready.get("ledger", {}).get("peak", 0) <= e.ready["ledger"]["budget"]
         if "ledger" in e.ready else False, "shared memory stays within its budget"),
    ]
    if e.ready.get("backing") == "guest_memfd":
        promises += [
            (all(m[1] == "r--s" for m in e.private_maps) and
             bool(e.private_maps) == (boot.level == "soft"),
             "private memory is mapped read-only, if at all"),
            (bool(e.private_fds) == (boot.level != "soft"),
             "a private descriptor is open only where nothing is mapped"),
        ]
    if boot.level == "soft":
        promises += [(found > 0, "the guest's secret is found in private memory")]
    else:
        promises += [
            (e.monitor and found == 0, "not even the monitor can find the secret"),
            (e.facts.get("trespassed") == "status 0" and e.trespass,
             f"the monitor can't map, read or write private memory: {', '.join(e.trespass)}"),
        ]
    return promises
