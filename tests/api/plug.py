#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Devices that are added and removed by the REST API, before boot and while a tiny guest runs.

Usage: plug.py CLOISTER GUESTS_FOLDER CASE, or: plug.py list
"""
import contextlib
import fcntl
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "kvm"))

# pylint: disable=wrong-import-position
from client import GoClient, RustClient, go_config_lean, need, rust_config
import vsock_host
from common import SKIP
from life import expect, info, run

WORD = 0x01010101
TUNSETIFF = 0x400454CA
IFF_TAP, IFF_NO_PI, IFF_VNET_HDR = 2, 0x1000, 0x4000


def make_disk(daemon, number):
    """A disk whose words all are number * WORD."""
    path = os.path.join(daemon.folder, f"extra{number}")
    with open(path, "wb") as f:
        f.write((number * WORD).to_bytes(4, "little") * (1 << 18))
    return path


def go_disk(path):
    """What the Go runtime sends for a volume."""
    return {"path": path, "readonly": True, "image_type": "Raw", "vhost_user": False, "num_queues": 1,
            "queue_size": 1024, "direct": False, "iommu": False, "sparse": True,
            "backing_files": False}


def rust_disk(path):
    return {"path": path, "readonly": True, "direct": False, "iommu": False, "num_queues": 1,
            "queue_size": 1024, "vhost_user": False, "vhost_socket": None, "id": None,
            "rate_limiter_config": None, "disable_io_uring": False, "pci_segment": 0,
            "image_type": "Raw"}


def disk_ids(client, state):
    return [d["id"] for d in info(client, state)["disks"]]


def added(reply, slot):
    """The answer to a hot add: 0000:00:DD.0, as both runtimes want it. Return: the id"""
    got = expect(reply, 200).json()
    need(set(got) == {"id", "bdf"} and got["bdf"] == f"0000:00:{slot:02x}.0", f"answer {got}")
    return got["id"]


def start(daemon, client, config, cmdline):
    config["payload"] = {"kernel": daemon.guest("plug"), "cmdline": cmdline}
    expect(client.call("PUT", "vm.create", config), 204)
    expect(client.call("PUT", "vm.boot"), 204)
    daemon.until(lambda: "READY" in daemon.text("out"), "the guest is not ready")


def said(daemon, text, times=1):
    daemon.until(lambda: daemon.text("out").count(text + "\n") == times, f"not so often said: {text}")


def case_hot(make_client, make_config, disk_of, level):
    """Plugged in, read by the guest, removed, again: slot and id are used again, processes end."""
    def case(daemon):
        client = make_client(daemon.socket)
        start(daemon, client, make_config("", daemon.disk, "", level), "goes=3 stubborn=1")
        one, two = make_disk(daemon, 1), make_disk(daemon, 2)
        # slot 1 is the first disk, 2 is rng
        processes = daemon.processes()
        first = added(client.call("PUT", "vm.add-disk", disk_of(one), answered=True), 3)
        said(daemon, f"CAME slot 3 word 0x{WORD:x}")
        second = added(client.call("PUT", "vm.add-disk", disk_of(two), answered=True), 4)
        said(daemon, f"CAME slot 4 word 0x{2 * WORD:x}")
        need(disk_ids(client, "Running") == ["_disk0", first, second], "ids")
        need(daemon.processes() == processes + 2, f"processes {daemon.processes()}")
        again = {**disk_of(one), "id": second}
        expect(client.call("PUT", "vm.add-disk", again, answered=True), 409, "not-unique")
        expect(client.call("PUT", "vm.remove-device", {"id": first}), 204)
        need(disk_ids(client, "Running") == ["_disk0", second], "ids")
        said(daemon, "WENT slot 3")
        daemon.until(lambda: daemon.processes() == processes + 1, "the device process stays")
        expect(client.call("PUT", "vm.remove-device", {"id": first}), 404, "unknown-device")
        expect(client.call("PUT", "vm.power-button"), 204)
        said(daemon, "BUTTON")
        third = added(client.call("PUT", "vm.add-disk", {**disk_of(one), "id": first}, answered=True), 3)
        need(third == first, "the id given")
        said(daemon, f"CAME slot 3 word 0x{WORD:x}", 2)
        for name, slot in ((third, 3), (second, 4)):
            expect(client.call("PUT", "vm.remove-device", {"id": name}), 204)
            said(daemon, f"WENT slot {slot}", 2 if slot == 3 else 1)
        need(daemon.wait() == 0, "exit status")
        need("PASS plug" in daemon.text("out"), "the guest's verdict")
    return case


def case_cold(daemon):
    """Before boot and after shutdown the config alone changes; what was added is there at boot."""
    client = GoClient(daemon.socket)
    one, two = make_disk(daemon, 1), make_disk(daemon, 2)
    config = go_config_lean(daemon.guest("secret"), daemon.disk, "secret=7")
    expect(client.call("PUT", "vm.add-disk", go_disk(one), answered=True), 404, "vm-not-created")
    expect(client.call("PUT", "vm.create", config), 204)
    expect(client.call("PUT", "vm.add-disk", go_disk(one), answered=True), 204)
    expect(client.call("PUT", "vm.add-disk", {**go_disk(two), "id": "data"}, answered=True), 204)
    need(disk_ids(client, "Created") == ["_disk0", "_disk1", "data"], "ids")
    expect(client.call("PUT", "vm.remove-device", {"id": "_disk1"}), 204)
    expect(client.call("PUT", "vm.remove-device", {"id": "_disk1"}), 404, "unknown-device")
    need(disk_ids(client, "Created") == ["_disk0", "data"], "ids")
    processes = daemon.processes()
    expect(client.call("PUT", "vm.boot"), 204)
    need(daemon.processes() == processes + 3, "two disks and rng")
    expect(client.call("PUT", "vm.shutdown"), 204)
    expect(client.call("PUT", "vm.add-disk", go_disk(one), answered=True), 204)
    need(disk_ids(client, "Shutdown") == ["_disk0", "data", "_disk2"], "ids")
    expect(client.call("PUT", "vm.remove-device", {"id": "_disk0"}), 204)
    expect(client.call("PUT", "vm.boot"), 204)
    need(daemon.processes() == processes + 3, "two disks and rng")


def case_refused(daemon):
    """What can't be added leaves nothing behind; what can't be removed stays."""
    client = GoClient(daemon.socket)
    one = make_disk(daemon, 1)
    start(daemon, client, go_config_lean("", daemon.disk, ""), "goes=1")
    processes, descriptors = daemon.processes(), daemon.descriptors()
    for change, status, code, text in (
            ({"path": one + "x"}, 500, "device-failed", "No such file"),
            ({"path": None}, 400, "bad-config", "disks: "),
            ({"path": daemon.folder}, 500, "device-failed", "is a directory"),
            ({"queue_size": 3}, 400, "bad-config", "disk.queue_size"),
            ({"vhost_user": True}, 400, "bad-config", "vhost_socket"),
            ({"fds": [3]}, 400, "descriptor-mismatch", "descriptors"),
            ({"id": "_disk0"}, 409, "not-unique", "_disk0"),
            ({"id": ""}, 400, "bad-config", "id"),
            ({"id": "x" * 31}, 400, "bad-config", "id"),
            ({"path": daemon.disk, "readonly": False}, 500, "device-failed", "is locked")):
        reply = expect(client.call("PUT", "vm.add-disk", {**go_disk(one), **change}, answered=True), status,
                       code)
        need(text in reply.json()[-1], f"{change}: {reply.body}")
        need(disk_ids(client, "Running") == ["_disk0"], f"{change}: the config has changed")
    need(daemon.processes() == processes and daemon.descriptors() == descriptors, "something is left of them")
    names = [added(client.call("PUT", "vm.add-disk", go_disk(one), answered=True), 3 + i) for i in range(15)]
    expect(client.call("PUT", "vm.add-disk", go_disk(one), answered=True), 400, "bad-config")
    for body, status, code in (({"id": "rng0"}, 400, "not-removable"), ({"id": "x"}, 404, "unknown-device"),
                               ({"id": 1}, 400, "bad-json"), ({}, 400, "bad-json")):
        expect(client.call("PUT", "vm.remove-device", body), status, code)
    expect(client.call("PUT", "vm.pause"), 204)
    expect(client.call("PUT", "vm.remove-device", {"id": names[0]}), 204)  # the guest can't act on it
    expect(client.call("PUT", "vm.remove-device", {"id": names[0]}), 204)
    again = {**go_disk(one), "id": names[0]}
    expect(client.call("PUT", "vm.add-disk", again, answered=True), 409, "not-unique")
    added(client.call("PUT", "vm.add-disk", go_disk(one), answered=True), 18)
    expect(client.call("PUT", "vm.resume"), 204)
    need(daemon.wait() == 0, "exit status")  # after one that went


def case_handed(make_client):
    """Disks by descriptor: vm.create, cold and hot vm.add-disk; any other number is refused."""
    def case(daemon):
        client = make_client(daemon.socket)
        one = make_disk(daemon, 1)
        config = {**go_config_lean(daemon.guest("plug"), "", "goes=9"), "disks": [{"fds": [77], "readonly": True}]}
        expect(client.call("GET", "vmm.ping"), 200)
        before = daemon.descriptors()
        with contextlib.ExitStack() as files:
            reader = files.enter_context(open(one, "rb")).fileno()
            writer = files.enter_context(open(one, "r+b")).fileno()
            bad = files.enter_context(open("/dev/null", "rb")).fileno()
            for fds in ([], [reader] * 2):
                expect(client.call_with_fds("vm.create", config, fds), 400, "descriptor-mismatch")
            none = {**config, "disks": []}
            expect(client.call_with_fds("vm.create", none, [reader]), 400, "descriptor-mismatch")
            expect(client.call_with_fds("vm.restore", {"source_url": "file:///x"}, [reader]), 501,
                   "not-implemented")
            daemon.until(lambda: daemon.descriptors() == before, "descriptors stay")
            expect(client.call_with_fds("vm.create", config, [reader]), 204)
            daemon.until(lambda: daemon.descriptors() == before + 1, "no descriptor is kept")
            disk = {"readonly": True, "id": "cold"}
            expect(client.call_with_fds("vm.add-disk", disk, [reader, reader]), 400,
                   "descriptor-mismatch")
            expect(client.call_with_fds("vm.add-disk", disk, [reader]), 204)
            daemon.until(lambda: daemon.descriptors() == before + 2, "no descriptor is kept")
            expect(client.call("PUT", "vm.remove-device", {"id": "cold"}), 204)
            daemon.until(lambda: daemon.descriptors() == before + 1, "a descriptor stays")
            expect(client.call("PUT", "vm.boot"), 204)
            daemon.until(lambda: "READY" in daemon.text("out"), "the guest is not ready")
            for fd, readonly, text in ((bad, True, "neither a file"), (reader, False, "not open for writing"),
                                       (writer, False, "is locked")):
                body = {"readonly": readonly}
                reply = client.call_with_fds("vm.add-disk", body, [fd])
                need(reply.status in (400, 500) and text in reply.json()[-1], f"{text}: {reply.body}")
            added(client.call_with_fds("vm.add-disk", {"readonly": True, "path": "/proc"}, [reader]), 3)
        said(daemon, f"CAME slot 3 word 0x{WORD:x}")
        expect(client.call("PUT", "vm.reboot"), 204)  # both disks come from the descriptors again
        info(client, "Running")
        expect(client.call("PUT", "vm.delete"), 204)
        daemon.until(lambda: daemon.descriptors() == before, "descriptors stay")
    return case


def make_tap(name):
    """A tap as Kata opens it, or None where that is not allowed."""
    try:
        fd = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK)
        fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI | IFF_VNET_HDR))
    except OSError as error:
        print(f"skipped: a tap: {error.strerror}")
        sys.exit(SKIP)
    return fd


def go_net(mac):
    return {"mac": mac, "ip": "192.168.249.1", "mask": "255.255.255.0", "num_queues": 2, "queue_size": 256,
            "iommu": False, "vhost_user": False, "vhost_mode": "Client", "offload_tso": True,
            "offload_ufo": True, "offload_csum": True}


def rust_net(mac):
    return {**go_net(mac), "fds": [17], "tap": None, "id": None, "mtu": None, "host_mac": None,
            "vhost_socket": None, "rate_limiter_config": None, "pci_segment": 0}


def check_nics(client, state, macs):
    nics = info(client, state)["net"]
    need([n["mac"] for n in nics] == macs, f"net {nics}")
    for nic in nics:
        need(all(key in nic for key in ("ip", "mask", "num_queues", "queue_size", "id")), f"net {nic}")
        need("fds" not in nic, f"net {nic}")


def case_net(make_client, make_config, net_of, level):
    """A tap by descriptor: cold, wrong numbers of them, hot, the same address again as Go sends it."""
    def case(daemon):
        client = make_client(daemon.socket)
        names = [f"api{os.getpid() % 100000}{i}" for i in range(2)]
        taps = [make_tap(name) for name in names]
        mac = "02:00:ca:fe:00:01"
        config = make_config(daemon.guest("plug"), daemon.disk, "goes=1", level)
        expect(client.call("PUT", "vm.create", config), 204)
        before = daemon.descriptors()
        for fds in (taps, taps * 2):
            expect(client.call_with_fds("vm.add-net", net_of(mac), fds), 400, "descriptor-mismatch")
        daemon.until(lambda: daemon.descriptors() == before, "descriptors stay")
        expect(client.call_with_fds("vm.add-net", net_of(mac), taps[:1]), 204)
        check_nics(client, "Created", [mac])
        expect(client.call("PUT", "vm.boot"), 204)
        daemon.until(lambda: "READY" in daemon.text("out"), "the guest is not ready")
        name = added(client.call_with_fds("vm.add-net", net_of(mac), taps[1:]), 4)
        said(daemon, "CAME slot 4 device 0x1041")
        check_nics(client, "Running", [mac, mac])
        for fd in taps:
            os.close(fd)
        need(all(os.path.exists(f"/sys/class/net/{n}") for n in names), "a tap is gone too early")
        expect(client.call("PUT", "vm.remove-device", {"id": name}), 204)
        said(daemon, "WENT slot 4")
        daemon.wait()
        daemon.until(lambda: not any(os.path.exists(f"/sys/class/net/{n}") for n in names), "a tap is left")
    return case


def talk(path, word):
    """Dial as the runtimes do, again and again until the guest listens; what is sent comes back."""
    sock, _ = vsock_host.connect_soon(path, 1024, word)
    with sock:
        sock.sendall(b"hello from the host")
        need(vsock_host.receive(sock, 19) == b"hello from the host", "the echo")


def case_vsock(make_client, make_config, word, level):
    """The vsock device from vm.create; by vm.add-vsock before boot; a second one is refused."""
    def case(daemon):
        client = make_client(daemon.socket)
        path = os.path.join(daemon.folder, "clh.sock")
        config = make_config(daemon.guest("vsock"), daemon.disk, "rounds=2", level)
        config["vsock"] = {"cid": 3, "socket": path, "iommu": False}
        expect(client.call("PUT", "vm.create", config), 204)
        need(info(client, "Created")["vsock"]["cid"] == 3, "vsock.cid")
        expect(client.call("PUT", "vm.add-vsock", {"cid": 4, "socket": path + "2"}, answered=True), 400, "bad-config")
        expect(client.call("PUT", "vm.remove-device", {"id": "vsock0"}), 204)
        need("vsock" not in info(client, "Created"), "vsock is still there")
        expect(client.call("PUT", "vm.add-vsock", config["vsock"], answered=True), 204)
        expect(client.call("PUT", "vm.boot"), 204)
        talk(path, word)
        expect(client.call("PUT", "vm.shutdown"), 204)
        daemon.until(lambda: not os.path.exists(path), "the socket outlives the VM")
        config["payload"]["kernel"] = daemon.guest("plug")
        expect(client.call("PUT", "vm.delete"), 204)
        expect(client.call("PUT", "vm.create", {**config, "vsock": None}), 204)
        expect(client.call("PUT", "vm.boot"), 204)
        name = added(client.call("PUT", "vm.add-vsock", config["vsock"], answered=True), 3)
        need(name == "vsock0" and os.path.exists(path), f"hot: {name}")
        said(daemon, "CAME slot 3 device 0x1053")
        expect(client.call("PUT", "vmm.shutdown"), 204)
        daemon.until(lambda: not os.path.exists(path), "the socket outlives the VM")
    return case


CASES = {
    "vsock-go-off": case_vsock(GoClient, go_config_lean, "CONNECT", None),
    "vsock-rust-soft": case_vsock(RustClient, rust_config, "connect", "soft"),
    "net-go-off": case_net(GoClient, go_config_lean, go_net, None),
    "net-rust-soft": case_net(RustClient, rust_config, rust_net, "soft"),
    "hot-go-off": case_hot(GoClient, go_config_lean, go_disk, None),
    "hot-go-soft": case_hot(GoClient, go_config_lean, go_disk, "soft"),
    "hot-rust-off": case_hot(RustClient, rust_config, rust_disk, None),
    "hot-rust-soft": case_hot(RustClient, rust_config, rust_disk, "soft"),
    "cold": case_cold,
    "plug-refused": case_refused,
    "handed-go": case_handed(GoClient),
    "handed-rust": case_handed(RustClient),
}

if __name__ == "__main__":
    sys.exit(run(CASES, {}))
