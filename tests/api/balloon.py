#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The balloon, by vm.create and vm.resize, with a tiny guest.

Usage: balloon.py CLOISTER GUESTS_FOLDER CASE, or: balloon.py list
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "kvm"))

# pylint: disable=wrong-import-position
from client import GoClient, RustClient, go_config, need, rust_config
from life import expect, run
from plug import said

MIB = 1 << 20
RAM = 64 * MIB
BALLOON = 16 * MIB


def resize(client, size, status=204, code=None):
    return expect(client.call("PUT", "vm.resize", {"desired_balloon": size}), status, code)


def create(daemon, client, config, cmdline=""):
    config["payload"] = {"kernel": daemon.guest("balloon"), "cmdline": cmdline}
    config["balloon"] = {"size": 0, "free_page_reporting": True, "deflate_on_oom": True}
    expect(client.call("PUT", "vm.create", config), 204)


def actual(client):
    return expect(client.call("GET", "vm.info"), 200).json()["memory_actual_size"]


def host_bytes(daemon):
    """What the VM's memory costs: the monitor has its only object mapped."""
    with open(f"/proc/{daemon.child.pid}/smaps", encoding="ascii") as f:
        text = f.read()
    parts = [part for part in text.split("\n") if "guest-shared" in part or part.startswith("Rss:")]
    return sum(int(rss.split()[1]) << 10 for name, rss in zip(parts, parts[1:])
               if "guest-shared" in name and rss.startswith("Rss:"))


def case_life(make_client, make_config):
    """Reported pages and those in the balloon cost nothing; vm.info follows; it shrinks again."""
    def case(daemon):
        client = make_client(daemon.socket)
        create(daemon, client, make_config("", daemon.disk, ""))
        resize(client, RAM + MIB, 400, "bad-config")
        resize(client, 4097, 400, "bad-config")
        resize(client, MIB)
        resize(client, 0)
        expect(client.call("PUT", "vm.boot"), 204)
        said(daemon, "REPORTED")
        need(actual(client) == RAM, "the balloon is empty")
        resize(client, BALLOON)
        said(daemon, f"FULL {BALLOON >> 12} pages")
        daemon.until(lambda: actual(client) == RAM - BALLOON, "memory_actual_size with a full balloon")
        config = expect(client.call("GET", "vm.info"), 200).json()["config"]["balloon"]
        need(config == {"size": BALLOON, "free_page_reporting": True, "deflate_on_oom": True}, f"vm.info {config}")
        need(host_bytes(daemon) < 8 * MIB, f"memory on the host: {host_bytes(daemon)} bytes")
        counters = expect(client.call("GET", "vm.counters"), 200).json()["balloon0"]
        need(counters["out_bytes"] == BALLOON + 2 * MIB and not counters["refused"], f"counters {counters}")
        os.kill(next(child for child in children(daemon) if name_of(child) == "cl-balloon"), 9)
        daemon.until(lambda: expect(client.call("GET", "vm.counters"), 200).json()["balloon0"]["deaths"] == 1,
                     "no other process in its place")
        resize(client, 0)
        need(daemon.wait() == 0, "exit status")
        need("PASS balloon" in daemon.text("out"), "the guest's verdict")
    return case


def name_of(pid):
    with open(f"/proc/{pid}/comm", encoding="ascii") as f:
        return f.read().strip()


def children(daemon):
    """Process ids of the device processes"""
    mine, found = {daemon.child.pid}, []
    for _ in range(2):
        for entry in os.listdir("/proc"):
            try:
                with open(f"/proc/{entry}/stat", encoding="ascii") as f:
                    parent = int(f.read().rsplit(")", 1)[1].split()[1])
            except (OSError, ValueError):
                continue
            if parent in mine and int(entry) not in mine:
                mine.add(int(entry))
                found.append(int(entry))
    return found


def case_wrong(daemon):
    """What no driver sends is ignored, or puts the device into NEEDS_RESET."""
    client = GoClient(daemon.socket)
    create(daemon, client, go_config("", daemon.disk, ""), "wrong=1")
    expect(client.call("PUT", "vm.boot"), 204)
    need(daemon.wait() == 0, "exit status")
    need("PASS balloon" in daemon.text("out"), "the guest's verdict")


def case_refused(daemon):
    """Above off there is none but an empty one on paper, and the answer names level and feature; nor is there where none was asked for."""
    client = RustClient(daemon.socket)
    config = rust_config(daemon.guest("plug"), daemon.disk, "", "soft")
    config["balloon"] = {"size": MIB}
    reply = expect(client.call("PUT", "vm.create", config), 400, "level-forbids")
    need("level soft forbids a balloon" in reply.json()[-1], f"{reply.body}")
    config["balloon"]["size"] = 0
    expect(client.call("PUT", "vm.create", config), 204)
    expect(client.call("PUT", "vm.boot"), 204)
    reply = resize(client, MIB, 400, "level-forbids")
    need("level soft forbids a balloon" in reply.json()[-1], f"{reply.body}")
    need("balloon0" not in expect(client.call("GET", "vm.counters"), 200).json(), "there is a device")
    expect(client.call("PUT", "vm.delete"), 204)
    config = rust_config(daemon.guest("plug"), daemon.disk, "")
    config["balloon"] = {"free_page_reporting": True}
    reply = expect(client.call("PUT", "vm.create", config), 400, "bad-config")
    need("balloon" in reply.json()[-1], f"{reply.body}")
    del config["balloon"]
    expect(client.call("PUT", "vm.create", config), 204)
    resize(client, 0)
    resize(client, MIB, 400, "bad-config")


CASES = {
    "balloon-go": case_life(GoClient, go_config),
    "balloon-rust": case_life(RustClient, rust_config),
    "balloon-wrong": case_wrong,
    "balloon-refused": case_refused,
}

if __name__ == "__main__":
    sys.exit(run(CASES, {}))
