#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The daemon over time and under stress: many lives, a kill at any step of a life, answers while the main thread works
or a guest storms exits.

Usage: robust.py CLOISTER GUESTS_FOLDER CASE, or: robust.py list
CLOISTER_CYCLES: how many lives; 1,000 take some minutes.
"""
import os
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "kvm"))

# pylint: disable=wrong-import-position
from client import GoClient, go_config, need
from common import left_behind, text_of
from life import TIMEOUT, expect, run

CYCLES = int(os.environ.get("CLOISTER_CYCLES", "40"))
SETTLED = 20  # lives after which nothing may grow
GROWTH = 512  # KiB of resident memory that may come on top; an allocator's, not a leak's


def resident(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS:"))


def keeps_freed(pid):
    """Is this a sanitizer, which keeps what was freed? AddressSanitizer looks for leaks itself, at the end."""
    maps = text_of(f"/proc/{pid}/maps")
    return "libasan" in maps or "libtsan" in maps


def config_of(daemon, level):
    config = go_config(daemon.guest("secret"), daemon.disk, "secret=7", level)
    config["vsock"] = {"cid": 3, "socket": os.path.join(daemon.folder, "clh.sock"), "iommu": False}
    return config


def case_cycles(daemon):
    """create, boot, delete again and again: no descriptor, process, file or memory piles up."""
    client = GoClient(daemon.socket)
    seen = []
    for i in range(CYCLES):
        expect(client.call("PUT", "vm.create", config_of(daemon, ("soft", "off")[i % 2])), 204)
        expect(client.call("PUT", "vm.boot"), 204)
        expect(client.call("PUT", "vm.delete"), 204)
        # the spawner removes it as soon as it sees the device process's end
        daemon.until(lambda: not os.path.exists(os.path.join(daemon.folder, "clh.sock")), "a socket")
        seen.append((daemon.descriptors(), daemon.processes(), len(os.listdir(daemon.folder))))
        if i == SETTLED:
            before = resident(daemon.child.pid)
    need(len(set(seen[1:])) == 1, f"descriptors, processes, files: {sorted(set(seen))}")
    grown = resident(daemon.child.pid) - before
    print(f"{CYCLES} lives: {grown} KiB more")
    need(keeps_freed(daemon.child.pid) or grown < GROWTH + CYCLES,
         f"{grown} KiB more after {CYCLES} lives")


STEPS = [("vm.create", "config"), ("vm.boot", None), ("vm.pause", None), ("vm.resume", None),
         ("vm.add-disk", "disk"), ("vm.remove-device", "id"), ("vm.shutdown", None), ("vm.boot", None),
         ("vm.delete", None)]


def case_kills(daemon):
    """kill -9 after each step, and in the middle of it: no process stays, the next start works."""
    bodies = {"config": config_of(daemon, "soft"), "disk": {"path": daemon.disk, "readonly": True},
              "id": {"id": "_disk0"}, None: None}
    command = daemon.child.args
    for last in range(len(STEPS)):
        for middle in (False, True):
            client = GoClient(daemon.socket)
            for name, body in STEPS[:last]:
                need(client.call("PUT", name, bodies[body]).status < 300, name)
            name, body = STEPS[last]
            doing = threading.Thread(target=try_call, args=(client, name, bodies[body]))
            doing.start()
            if not middle:
                doing.join()
            daemon.child.kill()
            daemon.child.wait()
            doing.join()
            daemon.until(lambda: not left_behind(daemon.child.pid), f"processes left behind at {name}")
            daemon.child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                            start_new_session=True)
            daemon.until(daemon.listens, f"no start after a kill at {name}")


def try_call(client, name, body):
    try:
        client.call("PUT", name, body)
    except Exception:  # pylint: disable=broad-except
        pass  # it was killed, which is the point


PROMPT = 0.01  # seconds that 99 of 100 answers take at most


def first():
    """Let the calling thread run before all others, so that only the daemon's delays count. Return: allowed?"""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except PermissionError:
        return False
    return True


class Pinger(threading.Thread):
    """Asks again and again; keeps how long each answer took."""

    def __init__(self, daemon, call):
        super().__init__()
        self.client, self.call, self.ends, self.took = GoClient(daemon.socket), call, False, []
        self.first = False

    def run(self):
        self.first = first()
        while not self.ends:
            began = time.monotonic()
            self.client.call("GET", self.call)
            self.took.append(time.monotonic() - began)
            time.sleep(0.001)

    def end(self):
        self.ends = True
        self.join(TIMEOUT)
        took = sorted(self.took)
        median, p99 = took[len(took) // 2], took[len(took) * 99 // 100]
        print(f"{self.call}: {len(took)} answers, median {median * 1e3:.2f} ms, p99 {p99 * 1e3:.2f} ms")
        need(median < 0.05, "the median answer took more than 50 ms")
        # Where nobody may have a priority, a busy machine delays both ends at will.
        need(p99 < PROMPT or not self.first, f"p99 is {p99 * 1e3:.2f} ms, not {PROMPT * 1e3:.0f}")


def case_busy(daemon):
    """While a boot takes long, ping and info are answered, and say what was so before it."""
    client = GoClient(daemon.socket)
    config = config_of(daemon, "off")
    expect(client.call("PUT", "vm.create", config), 204)
    boots = threading.Thread(target=lambda: [try_call(client, call, None) for call in
                                             ("vm.boot", "vm.shutdown") * 5])
    pingers = [Pinger(daemon, "vmm.ping"), Pinger(daemon, "vm.info")]
    for thread in (*pingers, boots):
        thread.start()
    boots.join()
    for pinger in pingers:
        pinger.end()


def case_storm(daemon):
    """A guest that does nothing but exit: answers come all the same."""
    client = GoClient(daemon.socket)
    config = config_of(daemon, "off")
    config["payload"] = {"kernel": daemon.guest("plug"), "cmdline": "goes=1"}
    expect(client.call("PUT", "vm.create", config), 204)
    expect(client.call("PUT", "vm.boot"), 204)
    daemon.until(lambda: "READY" in daemon.text("out"), "the guest is not ready")
    pinger = Pinger(daemon, "vmm.ping")
    pinger.start()
    time.sleep(1)
    pinger.end()
    exits = expect(client.call("GET", "vm.counters"), 200).json()["vcpu0"]["exits"]
    print(f"{exits} exits")
    need(exits > 1000, f"{exits} exits are no storm")


CASES = {"cycles": case_cycles, "kills": case_kills, "busy": case_busy, "storm": case_storm}

if __name__ == "__main__":
    sys.exit(run(CASES, {}))
