#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Costs that must not creep up: instructions, system calls, memory, size. None of them is a time, so
load on the machine changes nothing. A figure more than 5 % above its budget in budgets.json fails.

Usage: budgets.py CLOISTER GUESTS_FOLDER [--update]
  --update   write what is measured now as the new budgets
"""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "kvm"))

# pylint: disable=wrong-import-position
from common import SKIP, TIMEOUT, Failed, descendants, lacking_kvm, mortal, sanitized, text_of, \
    wait_until, want, write_disk

BUDGETS = pathlib.Path(__file__).with_name("budgets.json")
SLACK = 1.05
ROOM = 0.85  # a figure so far below its budget says that the budget should follow


class Missing(Exception):
    """A tool that a figure needs is not installed."""


class Bench:
    def __init__(self, cloister, guests, folder):
        self.cloister, self.guests, self.folder = cloister, guests, folder

    def command(self, guest, level, *more):
        return [self.cloister, "run", "--kernel", os.path.join(self.guests, guest + ".elf"),
                "--memory", "size=64M", "--confidential", level, "--serial", "null", *more]

    def run(self, command):
        tool = command[0]
        if not shutil.which(tool):
            raise Missing(f"{tool} is not installed")
        done = subprocess.run(mortal(command), stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=4 * TIMEOUT, check=False)
        want(done.returncode == 0, f"{tool}: status {done.returncode}: {done.stderr[-2000:]}")
        return done.stderr

    def instructions(self, level):
        """Of all processes, in user mode, from exec to the end of a guest that does nothing."""
        said = self.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
                         *self.command("hello", level, "--seccomp", "false")])
        counts = re.findall(r"I +refs: +([\d,]+)", said)
        want(len(counts) >= 2, f"callgrind says: {said}")
        return sum(int(c.replace(",", "")) for c in counts)

    def calls(self, level, *more):
        """System calls of the monitor until the first KVM_RUN."""
        log = os.path.join(self.folder, "strace")
        self.run(["strace", "-f", "-o", log, *self.command("hello", level, *more)])
        before = text_of(log).partition("KVM_RUN")[0].splitlines()
        return sum(1 for line in before if re.match(before[0].split()[0] + r" +[a-z_0-9]+\(", line))

    def exits(self, guest, level):
        report = os.path.join(self.folder, "report")
        self.run(self.command(guest, level, "--report", report))
        return json.loads(text_of(report))["exits"]

    def memory(self, level):
        """{process name: private bytes beside guest RAM} while a guest with a disk stands still."""
        serial = os.path.join(self.folder, "serial-" + level)
        command = self.command("secret", level, "--disk", f"path={write_disk(self.folder)}")
        command[command.index("--serial") + 1] = f"file={serial}"
        child = subprocess.Popen(mortal(command), stdin=subprocess.DEVNULL,
                                 stderr=subprocess.PIPE)
        try:
            wait_until(lambda: "READY" in text_of(serial) or child.poll() is not None, "not ready")
            want(child.poll() is None, "the VM has ended early")
            pids = [child.pid, *descendants(child.pid)]
            return dict(private_bytes(pid) for pid in pids)
        finally:
            child.send_signal(signal.SIGTERM)
            child.wait(TIMEOUT)
            child.stderr.close()


def private_bytes(pid):
    """(name of the process, its private dirty bytes beside guest memory)"""
    total, ram = 0, False
    for line in text_of(f"/proc/{pid}/smaps").splitlines():
        if match := re.match(r"([0-9a-f]+)-([0-9a-f]+) ", line):
            size = int(match[2], 16) - int(match[1], 16)
            ram = size >= 60 << 20 or bool(re.search("guest-shared|private|gmem", line))
        elif not ram and (match := re.match(r"Private_Dirty: +(\d+) kB", line)):
            total += int(match[1]) << 10
    return text_of(f"/proc/{pid}/comm").strip(), total


def stripped(bench):
    to = os.path.join(bench.folder, "stripped")
    bench.run(["strip", "-o", to, bench.cloister])
    return os.path.getsize(to)


def libraries(bench):
    said = subprocess.run(["readelf", "-d", bench.cloister], capture_output=True, text=True,
                          check=True).stdout
    return len(re.findall(r"\(NEEDED\)", said))


def memory_rows(level):
    """The processes of one VM are measured together."""
    def measure(bench):
        memory = bench.memory(level)
        return {f"{level}: private memory of {name}, bytes": memory[name]
                for name in ("cloister", "cl-spawner", "cl-blk")}
    return measure


def row(name, measure):
    return lambda bench: {name: measure(bench)}


ROWS = [
    row("off: instructions of a start and an end", lambda b: b.instructions("off")),
    row("off: system calls of the monitor until the first KVM_RUN", lambda b: b.calls("off")),
    row("soft with a disk: system calls of the monitor until the first KVM_RUN",
        lambda b: b.calls("soft", "--disk", f"path={write_disk(b.folder)}")),
    row("soft: exits of the guest `convert`", lambda b: b.exits("convert", "soft")),
    memory_rows("off"),
    memory_rows("soft"),
    row("program, stripped, bytes", stripped),
    row("shared libraries that every start loads", libraries),
]


def verdict(name, value, budget):
    """Return: what is wrong, or None"""
    if budget is None:
        return f"{name}: {value} has no budget; run tests/bench/budgets.py --update"
    if value > budget * SLACK:
        return f"{name}: {value} is {100 * (value / budget - 1):.1f} % above its budget of {budget}"
    return None


def measure_all(bench):
    found = {}
    for measure in ROWS:
        try:
            found.update(measure(bench))
        except Missing as why:
            print(f"skipped: {why}")
    return found


def body():
    cloister, guests = sys.argv[1:3]
    os.environ.pop("MALLOC_PERTURB_", None)  # Meson's: it touches memory that nobody uses
    why = lacking_kvm() or (sanitized(cloister) and "a build with sanitizers costs what it costs")
    if why:
        print(f"skipped: {why}")
        return SKIP
    with tempfile.TemporaryDirectory() as folder:
        found = measure_all(Bench(cloister, guests, folder))
    if "--update" in sys.argv:
        old = json.loads(BUDGETS.read_text()) if BUDGETS.exists() else {}
        BUDGETS.write_text(json.dumps({**old, **found}, indent=1) + "\n")
        return 0
    budgets = json.loads(BUDGETS.read_text())
    wrong = []
    for name, value in found.items():
        wrong.append(verdict(name, value, budgets.get(name)))
        low = budgets.get(name, 0) * ROOM > value
        print(f"{value:>10} of {budgets.get(name)}  {name}" + ("  (lower the budget)" if low else ""))
    wrong = [w for w in wrong if w]
    want(not wrong, "\n".join(wrong))
    print("passed")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(body())
    except Failed as failure:
        sys.exit(f"FAILED: {failure}")
