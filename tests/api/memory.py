#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Memory that comes (and goes) by vm.resize, before boot and while a tiny guest runs.

Usage: memory.py CLOISTER GUESTS_FOLDER CASE, or: memory.py list
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "kvm"))

# pylint: disable=wrong-import-position
from balloon import children, name_of
from client import GoClient, RustClient, go_config, need, rust_config
from life import expect, run
from plug import said

MIB = 1 << 20
BOOT = 64 * MIB


def resize(client, ram, status=204, code=None):
    return expect(client.call("PUT", "vm.resize", {"desired_vcpus": None, "desired_ram": ram}), status, code)


def refused(client, ram, *words):
    reply = resize(client, ram, 400, "bad-config")
    need(all(word in reply.json()[-1] for word in ("desired_ram",) + words), f"{reply.body}")


def start(daemon, client, config, cmdline):
    config["payload"] = {"kernel": daemon.guest("memory"), "cmdline": cmdline}
    expect(client.call("PUT", "vm.create", config), 204)
    expect(client.call("PUT", "vm.boot"), 204)
    daemon.until(lambda: "READY" in daemon.text("out"), "the guest is not ready")


def sizes(client, state="Running"):
    """What vm.info says of memory: what it has, and what it really has"""
    all_of_it = expect(client.call("GET", "vm.info"), 200).json()
    need(all_of_it["state"] == state, f"state {all_of_it['state']}")
    return all_of_it["config"]["memory"]["size"] // MIB, all_of_it["memory_actual_size"] // MIB


def case_hot(make_client, make_config):
    """It comes, is memory, and vm.info says so; what can't come is refused by name."""
    def case(daemon):
        client = make_client(daemon.socket)
        start(daemon, client, make_config("", daemon.disk, ""), "pieces=3")
        resize(client, BOOT)
        refused(client, BOOT + MIB, "128 MiB")
        refused(client, BOOT - MIB, "does not go")
        refused(client, BOOT + (1 << 40), "hotplug_size")
        need(sizes(client) == (64, 64), "nothing has come")
        resize(client, BOOT + 128 * MIB)
        said(daemon, "CAME piece 0: 128 MiB at 100000000")
        need(sizes(client) == (192, 192), "vm.info")
        expect(client.call("PUT", "vm.pause"), 204)
        resize(client, BOOT + 512 * MIB)
        expect(client.call("PUT", "vm.resume"), 204)
        said(daemon, "CAME piece 1: 384 MiB at 108000000")
        refused(client, BOOT + 128 * MIB, "does not go")
        resize(client, BOOT + 512 * MIB)
        need(sizes(client) == (576, 576), "vm.info")
        resize(client, BOOT + 640 * MIB)
        need(daemon.wait() == 0, "exit status")
        need("PASS memory" in daemon.text("out"), "the guest's verdict")
    return case


def case_cold(daemon):
    """Before boot and after shutdown the config alone changes; what came is RAM after a reboot."""
    client = GoClient(daemon.socket)
    config = go_config("", daemon.disk, "")
    config["memory"].update(hotplug_size=256 * MIB, hotplugged_size=128 * MIB)
    resize(client, BOOT, 404, "vm-not-created")
    config["payload"] = {"kernel": daemon.guest("memory"), "cmdline": "pieces=0"}
    expect(client.call("PUT", "vm.create", config), 204)
    need(sizes(client, "Created") == (64, 192), "what is there at the start counts")
    resize(client, 0, 400, "bad-config")
    resize(client, 256 * MIB)
    need(sizes(client, "Created") == (128, 256), "vm.info")
    expect(client.call("PUT", "vm.boot"), 204)
    refused(client, 512 * MIB, "hotplug_size", str(128 * MIB))
    resize(client, 384 * MIB)
    refused(client, 512 * MIB, "hotplug_size", " 0 bytes")
    expect(client.call("PUT", "vm.reboot"), 204)
    need(sizes(client) == (256, 384), "vm.info after a reboot")
    refused(client, 512 * MIB, "hotplug_size", " 0 bytes")
    expect(client.call("PUT", "vm.shutdown"), 204)
    resize(client, 256 * MIB)
    expect(client.call("PUT", "vm.boot"), 204)
    resize(client, 384 * MIB)
    need(expect(client.call("GET", "vm.info"), 200).json()["config"]["memory"]["hotplugged_size"] == 128 * MIB, "vm.info")


def case_soft(daemon):
    """Above off it is refused, and the answer names level and feature."""
    client = RustClient(daemon.socket)
    start(daemon, client, rust_config("", daemon.disk, "", "soft"), "pieces=0")
    resize(client, BOOT)
    reply = resize(client, BOOT + 128 * MIB, 400, "level-forbids")
    need("level soft forbids memory hotplug" in reply.json()[-1], f"{reply.body}")
    need(sizes(client) == (64, 64), "vm.info")


def mem_config(make_config, *args):
    config = make_config(*args)
    config["memory"].update(hotplug_method="VirtioMem", hotplug_size=256 * MIB, hotplugged_size=0)
    return config


def start_mem(daemon, client, config, cmdline=""):
    config["payload"] = {"kernel": daemon.guest("mem"), "cmdline": cmdline}
    expect(client.call("PUT", "vm.create", config), 204)
    expect(client.call("PUT", "vm.boot"), 204)


def host_bytes(daemon):
    """What the VM's memory costs: the blocks of its only object."""
    for fd in os.listdir(f"/proc/{daemon.child.pid}/fd"):
        path = f"/proc/{daemon.child.pid}/fd/{fd}"
        if "guest-shared" in os.readlink(path):
            return os.stat(path).st_blocks * 512
    raise AssertionError("no memory object")


def case_virtio(make_client, make_config):
    """The guest plugs and unplugs what it is asked to; vm.info follows; what is unplugged costs nothing, also after its process was killed."""
    def case(daemon):
        client = make_client(daemon.socket)
        start_mem(daemon, client, mem_config(make_config, "", daemon.disk, ""))
        said(daemon, "READY at 100000000, 256 MiB")
        refused(client, BOOT + MIB, "2 MiB")
        refused(client, BOOT - 2 * MIB, "memory.size")
        refused(client, BOOT + 258 * MIB, "hotplug_size")
        for blocks in (3, 100, 1):
            resize(client, BOOT + 2 * blocks * MIB)
            said(daemon, f"HAS {blocks} blocks")
            daemon.until(lambda: sizes(client) == (64, 64 + 2 * blocks), "vm.info")  # pylint: disable=cell-var-from-loop
        info = expect(client.call("GET", "vm.info"), 200).json()["config"]["memory"]
        need(info["hotplugged_size"] == 2 * MIB, f"vm.info {info}")
        cost = host_bytes(daemon)
        need(cost < 12 * MIB, f"memory on the host: {cost} bytes")
        counters = expect(client.call("GET", "vm.counters"), 200).json()["mem0"]
        need(counters["out_bytes"] == 99 * 2 * MIB and counters["refused"] == 6, f"counters {counters}")
        os.kill(next(child for child in children(daemon) if name_of(child) == "cl-mem"), 9)
        daemon.until(lambda: expect(client.call("GET", "vm.counters"), 200).json()["mem0"]["deaths"] == 1,
                     "no other process in its place")
        resize(client, BOOT + 256 * MIB)
        said(daemon, "HAS 128 blocks")
        resize(client, BOOT)
        need(daemon.wait() == 0, "exit status")
        need("PASS mem" in daemon.text("out"), "the guest's verdict")
    return case


def case_virtio_wrong(daemon):
    """A request that no driver sends puts the device into NEEDS_RESET; what there is at the start is asked for."""
    client = GoClient(daemon.socket)
    config = mem_config(go_config, "", daemon.disk, "")
    config["memory"]["hotplugged_size"] = 128 * MIB
    start_mem(daemon, client, config, "wrong=1")
    need(daemon.wait() == 0, "exit status")
    need("PASS mem" in daemon.text("out"), "the guest's verdict")


def case_virtio_soft(daemon):
    """Above off there is none, and the answer names level and feature."""
    client = RustClient(daemon.socket)
    config = mem_config(rust_config, daemon.guest("mem"), daemon.disk, "", "soft")
    reply = expect(client.call("PUT", "vm.create", config), 400, "level-forbids")
    need("level soft forbids virtio-mem" in reply.json()[-1], f"{reply.body}")


CASES = {
    "memory-virtio-go": case_virtio(GoClient, go_config),
    "memory-virtio-rust": case_virtio(RustClient, rust_config),
    "memory-virtio-wrong": case_virtio_wrong,
    "memory-virtio-soft": case_virtio_soft,
    "memory-go-off": case_hot(GoClient, go_config),
    "memory-rust-off": case_hot(RustClient, rust_config),
    "memory-cold": case_cold,
    "memory-soft": case_soft,
}

if __name__ == "__main__":
    sys.exit(run(CASES, {}))
