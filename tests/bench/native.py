#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scripts/bench --native: what needs no stock guest, on this machine's own KVM: real times.

A stock kernel is loaded whole and entered; what it does then is not looked at, since a KVM without
hardware support emulates it slowly.
"""
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import kernels
import vmms
from paths import ROOT, Failed

ROUNDS = 15
VMS = 100
LIMIT = 150  # seconds for all VMs to be up


def family(pid):
    found = [pid]
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
        for child in f.read().split():
            found += family(int(child))
    return found


def runtime(pid, without):
    """Nanoseconds that the threads of a process have run, but those of some name."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/comm", encoding="ascii") as f:
            if f.read().startswith(without):
                continue
        with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as f:
            total += int(f.read().split()[0])
    return total


def start_once(folder, cloister, flags):
    """(CPU ms of monitor and spawner, wall ms) until the first entry to the guest"""
    trace = os.path.join(folder, "t.json")
    vm = subprocess.Popen([cloister, "run", "--timeline", trace, "--serial", "null", *flags],
                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 30
        while len(os.listdir(f"/proc/{vm.pid}/task")) < 2 and vm.poll() is None:
            if time.monotonic() > end:
                raise Failed(f"{' '.join(flags)}: no vCPU thread")
            time.sleep(0.002)
        time.sleep(0.1)  # the guest runs now, and the main thread sleeps
        cpu = sum(runtime(pid, "vcpu") for pid in family(vm.pid))
    finally:
        vm.terminate()
        vm.wait()
    with open(trace, encoding="utf-8") as f:
        entry = [e["ts"] for e in json.load(f)["traceEvents"] if e["name"] == "first entry"]
    return cpu / 1e6, entry[0] / 1000


def starts(folder, cloister):
    kernel = kernels.get("6.12")
    initrd = vmms.initramfs(kernel)
    for name, image, size in (("vmlinux, 256 MiB", kernel.vmlinux(), "size=256M"),
                              ("vmlinux, 1 TiB sparse", kernel.vmlinux(),
                               "size=1024G,overcommit=on"),
                              ("bzImage, 256 MiB", kernel.image, "size=256M")):
        flags = ["--kernel", str(image), "--initramfs", str(initrd), "--memory", size,
                 "--confidential", "off"]
        values = [start_once(folder, cloister, flags) for _ in range(ROUNDS)]
        cpu, wall = ([v[i] for v in values] for i in range(2))
        print(f"start, {name}: CPU {statistics.median(cpu):.1f} ms (least {min(cpu):.1f}), wall to "
              f"the first KVM_RUN {statistics.median(wall):.1f} ms (least {min(wall):.1f})")


def account(pid):
    """(CPU seconds, PSS bytes beside guest memory) of a process"""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
        fields = f.read().rpartition(")")[2].split()
    cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    pss, ram = 0, False
    with open(f"/proc/{pid}/smaps", encoding="utf-8") as f:
        for line in f:
            if match := re.match(r"([0-9a-f]+)-([0-9a-f]+) ", line):
                ram = int(match[2], 16) - int(match[1], 16) >= 100 << 20 or "guest-shared" in line
            elif not ram and line.startswith("Pss:"):
                pss += int(line.split()[1]) << 10
    return cpu, pss


def many(folder, cloister, guests, level):
    """VMS small guests at once, each with a disk; all must say that they are up."""
    disk = os.path.join(folder, "disk")
    with open(disk, "wb") as f:
        f.truncate(1 << 20)
    serials = [os.path.join(folder, f"{level}-{i}") for i in range(VMS)]
    began = time.monotonic()
    vms = [subprocess.Popen(
        [cloister, "run", "--kernel", os.path.join(guests, "secret.elf"), "--memory", "size=128M",
         "--confidential", level, "--disk", f"path={disk},readonly=on", "--serial", f"file={s}"],
        stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for s in serials]
    try:
        waiting = set(serials)
        while waiting and time.monotonic() - began < LIMIT:
            time.sleep(0.05)
            waiting -= {s for s in waiting if os.path.exists(s) and "READY" in
                        open(s, encoding="utf-8", errors="replace").read()}
        wall = time.monotonic() - began
        if waiting:
            raise Failed(f"{len(waiting)} of {VMS} VMs are not up after {LIMIT} s")
        pids = [pid for vm in vms for pid in family(vm.pid)]
        cpu, pss = (sum(column) for column in zip(*map(account, pids)))
        print(f"{VMS} VMs at once, {level}, a disk each: {cpu:.2f} s of CPU, {wall:.1f} s wall, "
              f"{pss / (1 << 20):.0f} MiB beside guest memory, {len(pids)} processes")
    finally:
        for vm in vms:
            vm.terminate()
        for vm in vms:
            vm.wait()


def conversions(folder, cloister, guests):
    """System calls and the time in them, by strace's count of vCPU threads' calls."""
    log, report = os.path.join(folder, "log"), os.path.join(folder, "report")
    subprocess.run(["strace", "-f", "-o", log, "-e", "trace=fallocate,madvise", cloister, "run",
                    "--kernel", os.path.join(guests, "convert.elf"), "--memory", "size=64M",
                    "--confidential", "soft", "--serial", "null", "--report", report],
                   stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True, timeout=60)
    with open(log, encoding="utf-8") as f:
        calls = len(re.findall(r"PUNCH_HOLE|MADV_REMOVE", f.read()))
    with open(report, encoding="utf-8") as f:
        count = json.load(f)["ledger"]["conversions"]
    print(f"conversions, soft: {calls} system calls for {count} of them")


def http(folder, cloister):
    """GET vmm.ping on one connection, and GET /metrics; the client here is Python."""
    path = os.path.join(folder, "api")
    daemon = subprocess.Popen([cloister, "--api-socket", path], stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 10
        while not os.path.exists(path) and time.monotonic() < end:
            time.sleep(0.01)
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.connect(path)
        for name in ("/api/v1/vmm.ping", "/metrics"):
            times = []
            for _ in range(2000):
                began = time.perf_counter()
                sock.sendall(f"GET {name} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                if not sock.recv(65536).startswith(b"HTTP/1.1 200 "):
                    raise Failed(name)
                times.append(1e6 * (time.perf_counter() - began))
            times.sort()
            print(f"HTTP GET {name}: median {times[1000]:.0f} us, p99 {times[1980]:.0f} us")
        sock.close()
    finally:
        daemon.terminate()
        daemon.wait()


def body():
    cloister, guests = str(ROOT / "build/cloister"), str(ROOT / "build/guests")
    with tempfile.TemporaryDirectory() as folder:
        starts(folder, cloister)
        for level in ("off", "soft"):
            many(folder, cloister, guests, level)
        conversions(folder, cloister, guests)
        http(folder, cloister)
    sys.stdout.flush()
    return subprocess.run([str(ROOT / "build/tests/bench/bench_micro")], check=False).returncode
