#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Disks under load while the VM is paused and resumed by the REST API, and resized.

Usage: disks.py CLOISTER GUESTS_FOLDER CASE, or: disks.py list
"""
import json
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "kvm"))

# pylint: disable=wrong-import-position
from client import GoClient, go_config, need
from common import descendants, text_of
from life import expect, run

PAUSES = 10


def image(daemon):
    with open(daemon.disk, "rb") as f:
        return f.read()


def blk_process(daemon):
    for pid in descendants(daemon.child.pid):
        if text_of(f"/proc/{pid}/comm").strip() == "cl-blk":
            return pid
    return None


def case_storm(level):
    """Pauses with requests in flight, in one of which the disk's process is killed; then growth."""
    def case(daemon):
        client = GoClient(daemon.socket)
        config = go_config("", daemon.disk, "", level)
        config["payload"] = {"kernel": daemon.guest("storm"),
                             "cmdline": f"rounds={PAUSES} requests=100 grow=1"}
        config["disks"][0]["readonly"] = False
        expect(client.call("PUT", "vm.create", config), 204)
        expect(client.call("PUT", "vm.boot"), 204)
        for i in range(PAUSES):
            daemon.until(lambda: f"ROUND {i}\r" in daemon.text("out") or
                         f"ROUND {i}\n" in daemon.text("out"), "no next round")
            expect(client.call("PUT", "vm.pause"), 204)
            before, said = image(daemon), daemon.text("out")
            if i == PAUSES // 2:
                old = blk_process(daemon)
                os.kill(old, signal.SIGKILL)
                daemon.until(lambda: blk_process(daemon) not in (None, old), "no other process")
            need(image(daemon) == before, "the disk is written while the VM is paused")
            need(daemon.text("out") == said, "the guest runs while it is paused")
            expect(client.call("PUT", "vm.resume"), 204)
        sectors = os.path.getsize(daemon.disk) // 512
        daemon.until(lambda: f"CAPACITY {sectors}" in daemon.text("out"), "the guest is not done")
        size = 2 * sectors * 512
        for body, status in (({"id": "_disk0", "desired_size": 511}, 400),
                             ({"id": "_disk0", "desired_size": 0}, 400),
                             ({"id": "_disk0"}, 400), ({"desired_size": size}, 400),
                             ({"id": "nobody", "desired_size": size}, 404)):
            reply = client.call("PUT", "vm.resize-disk", body)
            need(reply.status == status, f"{body}: {reply.status}")
        need(os.path.getsize(daemon.disk) == sectors * 512, "a refused size was set")
        expect(client.call("PUT", "vm.resize-disk", {"id": "_disk0", "desired_size": size}), 204)
        daemon.until(lambda: f"CAPACITY {2 * sectors}" in daemon.text("out"), "no new capacity")
        need(daemon.wait() == 0, "exit status")
        need("PASS storm" in daemon.text("out"), f"the guest's verdict: {daemon.text('out')}")
        need(os.path.getsize(daemon.disk) == size, "the image's size")
        events = [json.loads(line) for line in daemon.text("events").splitlines()]
        told = [e["properties"] for e in events if e["event"] in ("device-replaced", "device-died")]
        need(told == [{"id": "_disk0"}], f"one process was killed, the events tell of {told}")
    return case



FLAGS = {name: ["--event-monitor", "path=FOLDER/events"] for name in ("storm_off", "storm_soft")}
CASES = {"storm_off": case_storm("off"), "storm_soft": case_storm("soft")}

if __name__ == "__main__":
    sys.exit(run(CASES, FLAGS))
