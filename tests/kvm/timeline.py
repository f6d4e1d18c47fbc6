#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`cloister run --timeline`: what is drawn happened, in this order, and the files are well-formed.

Usage: timeline.py CLOISTER GUESTS_FOLDER
"""
import json
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

from common import SKIP, TIMEOUT, Failed, lacking_kvm, mortal, want, write_disk

STAGES = ["capabilities", "measure", "memory", "machine", "load", "vcpus", "launch"]
SVG = "{http://www.w3.org/2000/svg}"


def run(cloister, guests, guest, *more):
    return subprocess.run(
        mortal([cloister, "run", "--kernel", os.path.join(guests, guest + ".elf"),
                "--memory", "size=64M", "--seccomp", "trap", *more]),
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT, check=False)


def events_of(path):
    """{track: [(name, from, to)]} of a Chrome trace, to is None for a mark."""
    with open(path, encoding="utf-8") as f:
        events = json.load(f)["traceEvents"]
    tracks = {e["tid"]: e["args"]["name"] for e in events if e["ph"] == "M"}
    found = {name: [] for name in tracks.values()}
    for e in events:
        if e["ph"] == "X":
            want(e["dur"] > 0, f"lasts no time: {e}")
            found[tracks[e["tid"]]].append((e["name"], e["ts"], e["ts"] + e["dur"]))
        elif e["ph"] == "i":
            found[tracks[e["tid"]]].append((e["name"], e["ts"], None))
        else:
            want(e["ph"] == "M", f"unknown: {e}")
    return found


def at(found, track, name):
    times = [t for n, t, _ in found[track] if n == name]
    want(len(times) == 1, f"{name}: {found[track]}")
    return times[0]


def check_json(path):
    found = events_of(path)
    launch = found["launch"]
    want([n for n, _, _ in launch] == STAGES + ["threads and sandbox"], f"stages {launch}")
    for before, after in zip(launch, launch[1:]):
        want(abs(before[2] - after[1]) < 0.01, f"a gap: {before} {after}")
    program = found["monitor"][0]
    want(program[1] == 0 and program[2] <= launch[0][1] + 0.01, f"{program} {launch[0]}")
    machine = launch[STAGES.index("machine")]
    disk = found["devices"][0]
    want(disk[0] == "disk0" and machine[1] <= disk[1] < disk[2] <= machine[2], f"{disk} {machine}")
    moments = [launch[-1][2], at(found, "vcpu0", "first entry"), at(found, "vcpu0", "first exit"),
               at(found, "guest", "first output"), at(found, "guest", "PASS blk")]
    want(moments == sorted(moments), f"not in this order: {moments}")
    want(abs(at(found, "guest", "guest runs") - launch[-1][2]) < 0.01,
         "the guest's run begins elsewhere")


def check_svg(path):
    root = xml.etree.ElementTree.parse(path).getroot()
    want(root.tag == SVG + "svg", root.tag)
    texts = [t.text for t in root.iter(SVG + "text")]
    for name in [*STAGES, "disk0", "first entry", "PASS blk", "launch", "vcpu0"]:
        want(any(t.startswith(name) for t in texts), f"{name}: {texts}")
    want(len(list(root.iter(SVG + "rect"))) >= 10, "bars")


def check_refused(cloister, guests, folder):
    for flags in (["--timeline", "picture.png"], ["--timeline", ".svg"],
                  ["--timeline", os.path.join(folder, "none", "t.svg")],
                  ["--timeline-marker", "x"], ["--timelines", "t.svg"],
                  [*["--timeline", os.path.join(folder, "t.svg")] * 3]):
        done = run(cloister, guests, "hello", *flags)
        want(done.returncode == 2 and "--timeline" in done.stderr,
             f"{flags}: {done.returncode} {done.stderr}")


def check(cloister, guests, folder):
    svg, trace = os.path.join(folder, "t.svg"), os.path.join(folder, "t.json")
    done = run(cloister, guests, "blk", "--disk", f"path={write_disk(folder)}", "--timeline", svg,
               f"--timeline={trace}", "--timeline-marker", "PASS blk")
    want(done.returncode == 0, f"status {done.returncode}: {done.stderr}{done.stdout}")
    check_json(trace)
    check_svg(svg)
    done = run(cloister, guests, "exits", "--timeline", trace)
    want(done.returncode == 0, f"status {done.returncode}: {done.stderr}{done.stdout}")
    codes = [n for n, _, _ in events_of(trace)["guest"] if n.startswith("debug port")]
    want(codes == ["debug port 0x41"], f"codes {codes}")
    check_refused(cloister, guests, folder)


def body():
    why = lacking_kvm()
    if why:
        print(f"skipped: {why}")
        return SKIP
    with tempfile.TemporaryDirectory() as folder:
        check(*sys.argv[1:3], folder)
    print("passed")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(body())
    except Failed as failure:
        sys.exit(f"FAILED: {failure}")
