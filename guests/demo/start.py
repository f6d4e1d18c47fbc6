# SPDX-License-Identifier: Apache-2.0
"""scripts/start: boot a Debian kernel as a confidential guest and prove what that means.

Where this machine's KVM can run a stock kernel, the guest runs there; else in the lab, an emulated
machine with a real KVM. Exit status 0 only if every promise held.
"""
import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts/lib"))
import boots
import demo
import kernels
import lab
from paths import ROOT, main, say

# level -> what it protects, what it does not
MEANING = {
    "off": ("nothing: devices and host see all guest memory", "-"),
    "soft": ("guest memory from device processes and whatever takes them over",
             "against the host's kernel and the monitor: no encryption, no attestation"),
    "sw-protected": ("guest memory from every process, the monitor included",
                     "against the host's kernel; for development, not attested"),
}
RESULTS = ROOT / "build/demo"


def arguments():
    top = argparse.ArgumentParser(prog="scripts/start", description=__doc__,
                                  formatter_class=argparse.RawDescriptionHelpFormatter)
    top.add_argument("--guest", default="6.1", choices=kernels.KERNELS, help="the guest's kernel")
    top.add_argument("--level", default="auto", help="auto, off, soft or sw-protected")
    top.add_argument("--cpus", type=int, default=1)
    top.add_argument("--lab", choices=lab.HOSTS, help="use the lab with this host kernel anyway")
    return top.parse_args()


def host_refuses(cloister):
    """Why this machine's KVM can't run a stock kernel, or None."""
    asked = subprocess.run([cloister, "check", "--json"], capture_output=True, text=True)
    try:
        features = json.loads(asked.stdout)["features"]
    except ValueError:
        return asked.stderr.strip() or "`cloister check` gave no answer"
    for needed in ("kvm", "hardware-virtualization"):
        if not features[needed]["offered"]:
            return features[needed]["detail"]
    return None


def mib(count):
    return f"{count / 2**20:.1f} MiB"


def show(title, *lines):
    for number, line in enumerate(lines or ["-"]):
        print(f"{'' if number else title:<12}{line}")


def show_ledger(ready):
    ledger = ready.get("ledger", {})
    if not ledger:
        show("ledger")
        return
    show("ledger", f"private {mib(ledger['private'])}, shared {mib(ledger['shared'])}, "
         f"peak shared {mib(ledger['peak'])} of at most {mib(ledger['budget'])}, "
         f"{ledger['conversions']} conversions")
    resident = ready.get("resident") or {}
    if resident:
        show("", f"of that in use: private {mib(resident['private'])}, "
             f"shared {mib(resident['shared'])} (in {ready.get('backing')} and memfd)")


def show_devices(evidence):
    lines = []
    for device in evidence.devices:
        lines.append(f"{device['name']}: process {device['pid']}, {device['mappings']} mappings, "
                     f"{device['descriptors']} descriptors, {mib(device['searched'])} searched; "
                     f"secret {device['secret']} times, disk data {device['public']} times")
        listing = evidence.out / f"{device['name']}.{device['pid']}"
        for line in listing.read_text().split("== descriptors")[0].splitlines():
            if "memfd" in line:
                lines.append("    maps " + " ".join(line.split()))
    show("devices", *lines)


def report(boot, evidence, where):
    ready = evidence.ready
    level = ready.get("level", boot.level)
    protects, not_protects = MEANING.get(level, ("-", "-"))
    boot.level = level
    release = kernels.get(boot.guest).release
    print()
    show("guest", f"Debian {release}, as packaged; {boot.cpus} CPU(s), "
         f"{boot.memory}")
    show("where", where)
    show("level", f"{level}: {ready.get('label', 'unknown')}")
    show("protects", protects)
    show("not", not_protects)
    up, all_done = evidence.seconds("start", "up"), evidence.seconds("start", "ready")
    show("time", f"to the guest's first program {up} s, to the end of its disk test {all_done} s"
         if all_done is not None else "the guest did not get ready")
    show("guest says", *(line for key in ("kernel", "dmesg") for line in evidence.said(key)))
    show_ledger(ready)
    show_devices(evidence)
    show("monitor", *(f"secret {n} times in {name}" for n, name in evidence.monitor))
    promises = demo.judge(boot, evidence, release)
    show("proof", *(f"{'ok    ' if holds else 'BROKEN'} {what}" for holds, what in promises))
    broken = sum(not holds for holds, _ in promises)
    print()
    if broken:
        print(evidence.errors, end="")
        print(f"{broken} of {len(promises)} promises BROKEN; what was gathered: {evidence.out}")
    else:
        print(f"all {len(promises)} promises held; what was gathered: {evidence.out}")
    return 1 if broken else 0


def body():
    a = arguments()
    boot = demo.Boot(a.guest, a.level, a.cpus)
    refused = host_refuses(ROOT / "build/cloister")
    shutil.rmtree(RESULTS, ignore_errors=True)
    RESULTS.mkdir(parents=True)
    began = time.monotonic()
    if refused is None and not a.lab:
        where = "on this machine's KVM"
        say(f"booting {where}")
        evidence = boots.here(boot, ROOT / "build", RESULTS / boot.name)
    else:
        host = a.lab or "7.3"
        where = f"in the lab, emulated, host kernel {kernels.get(lab.HOSTS[host][0]).release}"
        say(f"booting {where}: {refused or 'as asked'}")
        (evidence,), _, _ = boots.in_lab(host, [boot], ROOT / "build", RESULTS)
        where += "" if a.lab else f": {refused}"
    status = report(boot, evidence, where)
    say(f"({time.monotonic() - began:.0f} s)")
    return status


main(body)
