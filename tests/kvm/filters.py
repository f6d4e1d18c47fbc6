#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Rows of the system call filters (seccomp/filter.c) that nothing needs.

Runs a choice of the other tests with a traced cloister and notes which rows each role uses. A row that
no thread of a role used is a failure that names it, unless it says where it is used (`rarely`).
The reverse, a call without a row, needs no test of its own: it ends the process.

Usage: filters.py CLOISTER GUESTS_FOLDER [TRACES: a folder to keep them in]
"""
import collections
import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

from common import SKIP, lacking_kvm, sanitized

TIMEOUT = 120
HERE = os.path.dirname(os.path.abspath(__file__))
API = os.path.join(HERE, os.pardir, "api")

# What together uses every row. A device of a new kind needs a test here that uses it.
TESTS = [
    [os.path.join(HERE, "run_guest.py"), "blk-soft"],
    [os.path.join(HERE, "run_guest.py"), "convert-soft"],
    [os.path.join(HERE, "run_guest.py"), "vsock-soft"],
    [os.path.join(HERE, "run_guest.py"), "exits-off"],
    [os.path.join(HERE, "run_guest.py"), "everywhere-soft"],
    [os.path.join(HERE, "all_devices.py")],
    [os.path.join(HERE, "deaths.py")],
    [os.path.join(HERE, "net.py")],
    [os.path.join(HERE, "restarts.py")],
    [os.path.join(API, "life.py"), "go-soft"],
    [os.path.join(API, "life.py"), "refused"],
    [os.path.join(API, "life.py"), "http"],
    [os.path.join(API, "life.py"), "ctl"],
    [os.path.join(API, "plug.py"), "hot-go-soft"],
    [os.path.join(API, "cpus.py"), "cpus-rust-soft"],
    [os.path.join(API, "balloon.py"), "balloon-go"],
]

LINE = re.compile(r"(\d+)<([^>]*)> +(\w+)\(([^)]*)")
WRAPPER = """#!/bin/sh
exec strace -DDD -f -Y -e raw=all -e signal=none -o {folder}/$$ {cloister} "$@"
"""


class Trace:
    """The calls of one run of cloister, by role."""

    def __init__(self, path):
        self.used = collections.defaultdict(set)  # role -> (call, arguments)
        self.roles = {}  # thread -> role, since it loaded a filter
        self.main_role = None
        with open(path, encoding="utf-8", errors="replace") as f:
            for line in f:
                found = LINE.match(line)
                if found:
                    self.call(*found.groups())

    def call(self, thread, name, call, text):
        arguments = tuple(int(a, 0) for a in re.findall(r"-?0x[0-9a-f]+|-?\d+", text))
        role = self.roles.get(thread) or self.inherited(name)
        if role:
            self.used[role].add((call, arguments))
        if call == "execve" and not self.main_role:
            self.main_role = "run"
        # SECCOMP_SET_MODE_FILTER; libseccomp tries others with a null pointer
        if call == "seccomp" and arguments[0] == 1 and arguments[2]:
            self.roles[thread] = self.role(name)

    def role(self, name):
        if name.startswith("vcpu"):
            return "vcpu"
        if name in ("courier", "builder", "api", "dialer"):
            return name
        return name[3:] if name.startswith("cl-") else "main"

    def inherited(self, name):
        """The filter that a thread starts with: its starter's."""
        if name.startswith("cl-"):
            return "spawner" if "spawner" in self.roles.values() else None
        if "builder" in self.roles.values() and self.role(name) in ("builder", "vcpu", "courier", "dialer"):
            return "builder"
        return "main" if "main" in self.roles.values() else None


def fits(row, call, arguments):
    test = row.get("argument")
    if call != row["call"]:
        return False
    if not test:
        return True
    mask = test["mask"] & (1 << 64) - 1
    value = arguments[test["number"]] if test["number"] < len(arguments) else 0
    return value & mask == test["value"] & mask


def run(command):
    done = subprocess.run([sys.executable, *command], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=TIMEOUT, check=False)
    if done.returncode not in (0, SKIP):
        print(done.stdout[-2000:], done.stderr[-2000:])
    return done.returncode


def traced(cloister, guests, folder):
    """Run all. Return: whether none failed, whether any was skipped."""
    wrapper = os.path.join(folder, "cloister")
    with open(wrapper, "w", encoding="utf-8") as f:
        f.write(WRAPPER.format(folder=folder, cloister=cloister))
    os.chmod(wrapper, 0o755)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda t: run([t[0], wrapper, guests, *t[1:]]), TESTS))
    for (script, *case), status in zip(TESTS, results):
        if status:
            print(f"{'skipped' if status == SKIP else 'FAILED'} under strace:",
                  os.path.basename(script), *case)
    return not set(results) - {0, SKIP}, SKIP in results


def complete(path):
    """Has the tracer seen the end of everything?"""
    with open(path, encoding="utf-8", errors="replace") as f:
        text = f.read()
    begun = set(re.findall(r"^(\d+)<", text, re.M))
    ended = set(re.findall(r"^(\d+)<[^>]*> \+\+\+ ", text, re.M))
    return begun == ended


def read_traces(folder):
    used = collections.defaultdict(set)
    end = time.monotonic() + 20
    for name in sorted(os.listdir(folder)):
        if not name.isdigit():
            continue
        path = os.path.join(folder, name)
        while not complete(path) and time.monotonic() < end:
            time.sleep(0.05)
        for role, calls in Trace(path).used.items():
            used[role] |= calls
    return used


def check(rows, used, skipped):
    """Count unused rows. Where a test was skipped, a role may be without any thread."""
    bad = 0
    seen = set(used)
    mains = {"run", "reporter", "daemon"}
    for row in rows:
        for role in row["roles"].split(","):
            calls = used["main" if role in mains else role]
            hit = any(fits(row, call, arguments) for call, arguments in calls)
            if hit or "rarely" in row or (skipped and role not in seen | mains):
                continue
            bad += 1
            print(f"unused: role {role}, {row['call']} {row.get('argument', '')}: {row['reason']}")
    print(f"{len(rows)} rows, {bad} unused; roles seen: {', '.join(sorted(r for r in used if used[r]))}")
    return bad


def main():
    cloister, guests = (os.path.abspath(a) for a in sys.argv[1:3])
    why = lacking_kvm() or (sanitized(cloister) and "the sanitizer makes calls of its own")
    why = why or (not shutil.which("strace") and "needs strace")
    if why:
        print(f"skipped: {why}")
        return SKIP
    rows = json.loads(subprocess.run([cloister, "check", "--seccomp", "--json"], check=True,
                                     capture_output=True).stdout)
    with tempfile.TemporaryDirectory(prefix="cloister-traces-") as folder:
        passed, skipped = traced(cloister, guests, folder)
        bad = check(rows, read_traces(folder), skipped)
        if len(sys.argv) > 3:
            shutil.copytree(folder, sys.argv[3], dirs_exist_ok=True)
    return 0 if passed and not bad else 1


if __name__ == "__main__":
    sys.exit(main())
