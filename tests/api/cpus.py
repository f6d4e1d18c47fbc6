#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""vCPUs that come and go by vm.resize, before boot and while a tiny guest runs.

Usage: cpus.py CLOISTER GUESTS_FOLDER CASE, or: cpus.py list
"""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "kvm"))

# pylint: disable=wrong-import-position
from client import GoClient, RustClient, go_config, need, rust_config
from life import expect, info, run
from plug import said


def threads(daemon):
    """Numbers of the threads named vcpuN"""
    found = []
    for task in os.listdir(f"/proc/{daemon.child.pid}/task"):
        with open(f"/proc/{daemon.child.pid}/task/{task}/comm", encoding="ascii") as f:
            name = f.read().strip()
        if name.startswith("vcpu"):
            found.append(int(name[4:]))
    return sorted(found)


def resize(client, n, status=204, code=None):
    return expect(client.call("PUT", "vm.resize", {"desired_vcpus": n}), status, code)


def start(daemon, client, config, cmdline, most=4):
    config["cpus"]["max_vcpus"] = most
    config["payload"] = {"kernel": daemon.guest("cpus"), "cmdline": cmdline}
    expect(client.call("PUT", "vm.create", config), 204)
    expect(client.call("PUT", "vm.boot"), 204)
    daemon.until(lambda: "READY" in daemon.text("out"), "the guest is not ready")


def boot_vcpus(client, state="Running"):
    return info(client, state)["cpus"]["boot_vcpus"]


def case_hot(make_client, make_config, level):
    """They come, run, go and come again; threads, vm.info and counters say so."""
    def case(daemon):
        client = make_client(daemon.socket)
        start(daemon, client, make_config("", daemon.disk, "", level), "goes=5 stubborn=1")
        resize(client, 1)
        resize(client, 3)
        need(boot_vcpus(client) == 3 and threads(daemon) == [0, 1, 2], f"threads {threads(daemon)}")
        said(daemon, "CAME cpu 1")
        said(daemon, "CAME cpu 2")
        need(set(expect(client.call("GET", "vm.counters"), 200).json()) >= {"vcpu0", "vcpu2"}, "counters")
        for name in ("vm.pause", "vm.resume", "vm.nmi"):
            if name != "vm.nmi":  # a tiny guest does not survive one
                expect(client.call("PUT", name), 204)
        descriptors = daemon.descriptors()
        for round_ in (1, 2):
            resize(client, 1)
            need(boot_vcpus(client) == 1, "vm.info")
            said(daemon, "WENT cpu 1", round_)
            said(daemon, "WENT cpu 2", round_)
            daemon.until(lambda: threads(daemon) == [0], "threads of vCPUs that went")
            if round_ == 1:
                resize(client, 3)
                said(daemon, "CAME cpu 2", 2)
                need(daemon.descriptors() == descriptors, "what a vCPU had is not used again")
        for body in ({"desired_vcpus": 0}, {"desired_vcpus": 5}):
            reply = expect(client.call("PUT", "vm.resize", body), 400, "bad-config")
            need("desired_vcpus" in reply.json()[-1], f"{reply.body}")
        expect(client.call("PUT", "vm.pause"), 204)
        resize(client, 4)
        need(threads(daemon) == [0, 1, 2, 3], "while it is paused")
        expect(client.call("PUT", "vm.resume"), 204)
        said(daemon, "CAME cpu 3")
        resize(client, 3)
        need(daemon.wait() == 0, "exit status")
        need("PASS cpus" in daemon.text("out"), "the guest's verdict")
    return case


def case_cold(daemon):
    """Before boot and after shutdown the config alone changes; a reboot has as many as there were."""
    client = GoClient(daemon.socket)
    config = go_config(daemon.guest("cpus"), daemon.disk, "goes=1")
    config["cpus"]["max_vcpus"] = 3
    expect(client.call("PUT", "vm.resize", {"desired_vcpus": 2}), 404, "vm-not-created")
    expect(client.call("PUT", "vm.create", config), 204)
    resize(client, 4, 400, "bad-config")
    resize(client, 2)
    need(boot_vcpus(client, "Created") == 2, "vm.info")
    expect(client.call("PUT", "vm.boot"), 204)
    need(threads(daemon) == [0, 1], "threads")
    resize(client, 3)
    expect(client.call("PUT", "vm.reboot"), 204)
    need(threads(daemon) == [0, 1, 2], "threads after a reboot")
    expect(client.call("PUT", "vm.shutdown"), 204)
    resize(client, 1)
    need(boot_vcpus(client, "Shutdown") == 1, "vm.info")
    expect(client.call("PUT", "vm.boot"), 204)
    need(threads(daemon) == [0], "threads")


def case_deaf(daemon):
    """A guest that lets go of nothing: 429 until the bound, then the vCPUs count again, and an event tells."""
    client = GoClient(daemon.socket)
    start(daemon, client, go_config("", daemon.disk, ""), "deaf=1")
    resize(client, 3)
    resize(client, 2)
    need(boot_vcpus(client) == 2, "vm.info")
    resize(client, 1, 429, "busy")
    resize(client, 3, 429, "busy")
    resize(client, 2)
    expect(client.call("PUT", "vm.remove-device", {"id": "_disk0"}), 204)
    events = []

    def both():
        events[:] = [json.loads(line) for line in daemon.text("events").split("\n") if line]
        return {"vcpu-removal-timeout", "device-removal-timeout"} <= {e["event"] for e in events}
    daemon.until(both, "no event of the removals' end")
    told = {e["event"]: e["properties"] for e in events}
    need(told["vcpu-removal-timeout"] == {"vcpus": 3} and told["device-removal-timeout"] == {"id": "_disk0"},
         f"properties: {told}")
    need(boot_vcpus(client) == 3 and threads(daemon) == [0, 1, 2], "they are there, and vm.info says so")
    expect(client.call("PUT", "vm.remove-device", {"id": "_disk0"}), 204)
    resize(client, 4)
    need(threads(daemon) == [0, 1, 2, 3], "one more")


CASES = {
    "cpus-go-off": case_hot(GoClient, go_config, None),
    "cpus-rust-soft": case_hot(RustClient, rust_config, "soft"),
    "cpus-cold": case_cold,
    "cpus-deaf": case_deaf,
}
FLAGS = {"cpus-deaf": ["--event-monitor", "path=FOLDER/events"]}

if __name__ == "__main__":
    sys.exit(run(CASES, FLAGS))
