#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scripts/bench: Cloister and its peers start the same kernel, side by side, in one table.

The lab counts instructions in place of time (of its kernel, the VMM and the guest together), so
load on this machine changes nothing and repeats agree within a few percent. All VMMs get the same
kernel, initial RAM file system, command line, 1 vCPU, 256 MiB and a serial console.
"""
import argparse
import itertools
import json
import pathlib
import re
import shlex
import statistics
import sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[2] / d)
                for d in ("scripts/lib", "guests/demo")]
import kernels
import lab
import native
import vmms
from paths import CACHE, ROOT, Failed, main, say

METRICS = {  # name -> (what, unit, divisor)
    "entry": ("exec to first KVM_RUN", "M-insn", 1e6),
    "up": ("exec to guest userspace", "G-insn", 1e9),
    "exits": ("VM exits until userspace", "", 1),
    "calls": ("system calls until first KVM_RUN", "", 1),
    "memory": ("memory beside guest RAM (PSS)", "MiB", 1 << 20),
    "threads": ("threads", "", 1),
    "read-4096": ("disk: read of 4 KiB", "k-insn", 1e3),
    "write-4096": ("disk: write of 4 KiB", "k-insn", 1e3),
    "read-1048576": ("disk: read of 1 MiB", "k-insn", 1e3),
    "write-1048576": ("disk: write of 1 MiB", "k-insn", 1e3),
    "trip-1": ("net: round trip of 1 byte", "k-insn", 1e3),
    "send-25165824": ("net: 24 MiB from the guest", "M-insn", 1e6),
    "receive-25165824": ("net: 24 MiB to the guest", "M-insn", 1e6),
}
BASE = "cloister off, vmlinux"  # what the ratios are to


def arguments():
    top = argparse.ArgumentParser(description=__doc__,
                                  formatter_class=argparse.RawDescriptionHelpFormatter)
    top.add_argument("--quick", action="store_true",
                     help="one round and the best-known rows only (about five minutes)")
    top.add_argument("--native", action="store_true",
                     help="only what needs no lab: starts, 100 VMs, conversions, micro benchmarks,\n"
                     "in real time on this machine's own KVM (two minutes)")
    top.add_argument("--rounds", type=int, default=3, help="repeats of everything; default 3")
    top.add_argument("--host", default="6.12", choices=lab.HOSTS, help="the lab's host kernel")
    top.add_argument("--guest", default="6.12", choices=kernels.KERNELS, help="the guest's kernel")
    top.add_argument("--only", action="append", default=[], metavar="WORD",
                     help="only VMMs whose name has WORD")
    top.add_argument("--metric", action="append", choices=vmms.RUNS, help="only these runs")
    top.add_argument("--peer", action="append", default=[], metavar="NAME=CMD",
                     help="one more VMM: a command with {kernel}, {vmlinux}, {initrd}, {cmdline}; "
                     "its program and libraries are taken along")
    top.add_argument("--json", metavar="FILE", help="write every single figure there")
    return top.parse_args()


def collect(text):
    """The lines of one lab -> {VMM: {metric: [value...]}}"""
    found, at = {}, None
    for line in text.replace("\r", "").splitlines():
        words = line.split()
        if line.startswith("== "):
            at = found.setdefault(line[3:], {})
            first = set()
        elif at is None or len(words) < 3:
            continue
        elif words[0] == "watch:" and "-" in words[1]:
            kind, _, who = words[1].partition("-")
            at.setdefault(kind + "s of", {}).setdefault(who, []).append(int(words[2]))
            if kind not in first:
                first.add(kind)
                at.setdefault(kind, []).append(0)
            at[kind][-1] += int(words[2])
        elif words[0] == "watch:":
            at.setdefault(words[1], []).append(int(words[2]))
        elif words[0] == "bench:" and len(words) == 5:
            name = f"{words[1]}-{words[2]}"
            if name not in first:  # later repeats are cheaper for everybody: like with like
                first.add(name)
                at.setdefault(name, []).append(int(words[4]) / int(words[3]))
    return found


QUIET = 240  # seconds: in an emulation that counts instructions, one run in about fifty gets stuck
TRIES = 3    # of a run


def job(runs):
    """The shell script for these (VMM, metric)."""
    lines = ["truncate -s 48M /tmp/disk.img", "for m in /tun/*.ko; do insmod $m; done",
             "mkdir -p /dev/net; [ -e /dev/net/tun ] || mknod /dev/net/tun c 10 200"]
    for vmm, metric in runs:
        lines.append(f"echo; echo '== {vmm.name}'")
        lines.append(shlex.join(["/bench/watch", metric, *vmm.command(metric)]) +
                     " 2> /tmp/errors || cat /tmp/errors")
    return "\n".join(lines + ["echo '== end'"])


def lab_of(a, chosen):
    one = lab.Lab(a.host)
    one.instructions, one.memory, one.timeout, one.quiet = True, 4096, 7200, QUIET
    one.files.add_file("bench/watch", ROOT / "build/guests/bench/bench-watch")
    one.files.add_file("bench/vmlinuz", kernels.get(a.guest).image)
    one.files.add_file("bench/vmlinux", kernels.get(a.guest).vmlinux())
    one.files.add_file("bench/initrd", vmms.initramfs(kernels.get(a.guest)))
    for number, (name, data) in enumerate(one.kernel.modules("tun")):
        one.files.add_data(f"tun/{number:02}-{name}.ko", data)
    for vmm in chosen:
        vmm.add_to(one.files)
    return one


def attempt(a, runs, number, steps):
    """One lab with as many of the runs as it gets through; `number` of `steps` were before.

    Return: what the complete runs said, [text...]
    """
    said, shown = bytearray(), 0

    def show(data):
        nonlocal shown
        said.extend(data)
        begun = min(said.count(b"\n== "), len(runs))
        for shown in range(shown + 1, begun + 1):
            vmm, metric = runs[shown - 1]
            say(f"run {number + shown} of {steps}: {vmm.name}: {metric}")

    try:
        lab_of(a, {vmm.name: vmm for vmm, _ in runs}.values()).run(["sh", "-c", job(runs)], show=show)
    except lab.Crashed as why:
        say(f"{str(why).splitlines()[0]}; again from there")
    parts = re.split(r"^== ", said.decode(errors="replace").replace("\r", ""), flags=re.M)[1:]
    return ["== " + part for part in parts[:-1]]


def measure(a, chosen, metrics):
    runs = [(vmm, metric) for _, vmm, metric in itertools.product(range(a.rounds), chosen, metrics)
            if vmm.can(metric)]
    done, tries = [], 0
    while len(done) < len(runs) and tries < TRIES:
        new = attempt(a, runs[len(done):], len(done), len(runs))
        tries = 0 if new else tries + 1
        done += new
    missing = len(runs) - len(done)
    if missing:
        say(f"{missing} of {len(runs)} runs are missing")
    for line in "".join(done).splitlines():
        if line.startswith("bench-watch:"):
            say(f"a run failed: {line}; what it said is in build/bench.txt")
    return "".join(done), missing


def table(found):
    rows = [(what, unit, scale, name) for name, (what, unit, scale) in METRICS.items()
            if any(name in f for f in found.values())]
    names = list(found)
    base = found.get(BASE) or next(iter(found.values()))
    width = max(len(w) + len(u) for w, u, _, _ in rows) + 3
    print("\n" + " " * width + "".join(f"{n:>26}" for n in names))
    for what, unit, scale, name in rows:
        cells = []
        for vmm in names:
            values = found[vmm].get(name)
            if not values:
                cells.append("-")
                continue
            middle = statistics.median(values)
            spread = (max(values) - min(values)) / middle * 50 if middle and len(values) > 1 else 0
            ratio = middle / statistics.median(base[name]) if base.get(name) else 1
            cells.append(f"{middle / scale:.4g}" + (f" ±{spread:.0f}%" if spread else "") +
                         f" {ratio:5.2f}x")
        print(f"{what}{', ' * bool(unit)}{unit}".ljust(width) + "".join(f"{c:>26}" for c in cells))
    print(f"\nMedians; x: to {BASE if found.get(BASE) else names[0]}.")


def body():
    a = arguments()
    if a.native:
        return native.body()
    if a.quick:
        a.rounds = 1
    chosen = [v for v in vmms.all_of(a.peer) if all(w in v.name for w in a.only)
              and not (a.quick and not v.quick)]
    if not chosen:
        raise Failed("no VMM has all these words in its name")
    text, missing = measure(a, chosen, a.metric or vmms.RUNS)
    (ROOT / "build/bench.txt").write_text(text)
    found = collect(text)
    if a.json:
        pathlib.Path(a.json).write_text(json.dumps(found, indent=2) + "\n")
    if not any(found.values()):
        raise Failed(f"no figures; what was said is in build/bench.txt\n{text[-2000:]}")
    table(found)
    return 1 if missing else 0


if __name__ == "__main__":
    main(body)
