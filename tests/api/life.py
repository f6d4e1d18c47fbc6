#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The REST API of a running daemon, with tiny guests on this machine's KVM: a VM's life as Kata's two
runtimes drive it, every call in every state, and clients that misbehave.

Usage: life.py CLOISTER GUESTS_FOLDER CASE, or: life.py list
"""
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "kvm"))

# pylint: disable=wrong-import-position
from client import (ApiFailed, GoClient, RustClient, connect, go_config, go_config_lean, need, read_reply, rights,
                    rust_config)
from common import SKIP, TIMEOUT, descendants, lacking_kvm, left_behind, mortal, write_disk

RAM = 64 << 20


class Daemon:
    """A daemon in a session and a folder of its own."""

    def __init__(self, cloister, guests, more=()):
        self.program, self.guests = os.path.abspath(cloister), os.path.abspath(guests)
        self.place = tempfile.TemporaryDirectory(prefix="cloister-api-")
        self.folder = self.place.name
        self.socket = os.path.join(self.folder, "api.sock")
        self.disk = write_disk(self.folder)
        with open(os.path.join(self.folder, "out"), "wb") as out, \
                open(os.path.join(self.folder, "err"), "wb") as err:
            self.child = subprocess.Popen(
                mortal([self.program, "--api-socket", self.socket, "-v",
                        "--seccomp", "trap",
                        *(word.replace("FOLDER", self.folder) for word in more)]),
                stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True)
        self.until(self.listens, "no socket")

    def listens(self):
        try:
            connect(self.socket).close()
        except OSError:
            return False
        return True

    def until(self, condition, text):
        end = time.monotonic() + TIMEOUT
        while not condition():
            need(time.monotonic() < end, f"{text}; standard error: {self.text('err')}")
            time.sleep(0.005)

    def text(self, name):
        with open(os.path.join(self.folder, name), encoding="utf-8", errors="replace") as f:
            return f.read()

    def guest(self, name):
        return os.path.join(self.guests, name + ".elf")

    def processes(self):
        """How many there are: the monitor, the spawner, the devices'."""
        return 1 + len(descendants(self.child.pid))

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.child.pid}/fd"))

    def wait(self):
        try:
            return self.child.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            raise ApiFailed("the daemon does not end") from None

    def gone(self):
        self.until(lambda: not left_behind(self.child.pid), "processes left behind")
        left = sorted(set(os.listdir(self.folder)) - {"disk", "out", "err"})
        need(not left, f"files left behind: {left}")

    def close(self):
        if self.child.poll() is None:
            os.killpg(self.child.pid, signal.SIGKILL)
            self.child.wait()
        self.place.cleanup()


def expect(reply, status, code=None):
    need(reply.status == status, f"status {reply.status}, not {status}: {reply.body}")
    need(reply.code() == code, f"error code {reply.code()}, not {code}: {reply.body}")
    return reply


def info(client, state):
    got = expect(client.call("GET", "vm.info"), 200).json()
    need(got["state"] == state, f"state {got['state']}, not {state}")
    need(got["memory_actual_size"] == RAM, f"memory_actual_size {got['memory_actual_size']}")
    return got["config"]


def check_echo(config):
    """What the Rust runtime can't do without."""
    for key in ("boot_vcpus", "max_vcpus", "max_phys_bits"):
        need(isinstance(config["cpus"][key], int), f"cpus.{key}")
    need(config["memory"]["size"] == RAM, "memory.size")
    need(config["rng"]["src"] == "/dev/urandom", "rng.src")
    for name in ("serial", "console"):
        need(config[name]["mode"] in ("Off", "Pty", "Tty", "File", "Null"), f"{name}.mode")
    for disk in config["disks"]:
        need(disk["num_queues"] == 1 and disk["queue_size"] == 128, "disks[].num_queues, queue_size")
    need(config["platform"]["num_pci_segments"] >= 1, "platform.num_pci_segments")


def life(daemon, client, config):
    ping = expect(client.call("GET", "vmm.ping"), 200).json()
    need(ping["pid"] == daemon.child.pid and ping["version"], f"ping {ping}")
    need(isinstance(ping["features"], list), f"ping {ping}")
    expect(client.call("PUT", "vm.create", config), 204)
    check_echo(info(client, "Created"))
    expect(client.call("PUT", "vm.boot"), 204)
    info(client, "Running")
    daemon.until(lambda: "READY" in daemon.text("out"), "the guest is not ready")
    names = []
    for task in os.listdir(f"/proc/{daemon.child.pid}/task"):
        with open(f"/proc/{daemon.child.pid}/task/{task}/comm", encoding="ascii") as f:
            names.append(f.read().strip())
    need([n for n in names if n.startswith("vcpu")] == ["vcpu0"], f"threads {names}")
    expect(client.call("PUT", "vm.resize", {"desired_vcpus": 1}), 204)
    expect(client.call("PUT", "vm.resize", {"desired_ram": RAM, "desired_vcpus": None,
                                            "desired_balloon": None}), 204)
    for vcpus in (2, 1):  # this guest takes no notice
        expect(client.call("PUT", "vm.resize", {"desired_vcpus": vcpus}), 204)
        need(info(client, "Running")["cpus"]["boot_vcpus"] == vcpus, "vm.info after vm.resize")
    expect(client.call("PUT", "vm.pause"), 204)
    info(client, "Paused")
    expect(client.call("PUT", "vm.resume"), 204)
    info(client, "Running")
    counters = expect(client.call("GET", "vm.counters"), 200).json()
    need(counters["vcpu0"]["exits"] > 0, f"counters {counters}")
    sharing = expect(client.call("GET", "vm.sharing"), 200).json()
    need(sharing["ram"] == sharing["private"] + sharing["shared"] == RAM, f"sharing {sharing}")
    level = config.get("confidential", {}).get("level", "off")
    need(sharing["level"] == level, f"sharing {sharing}")
    need(0 < sharing["shared"] < RAM if level == "soft" else sharing["shared"] == RAM,
         f"sharing {sharing}")
    started = time.monotonic()
    expect(client.call("PUT", "vmm.shutdown"), 204)
    need(not os.path.exists(daemon.socket), "the socket outlives the reply")
    need(daemon.wait() == 0, "exit status")
    need(time.monotonic() - started < 3, "slow to end")
    daemon.gone()


def case_life(make_client, make_config, level):
    def run(daemon):
        client = make_client(daemon.socket)
        life(daemon, client, make_config(daemon.guest("secret"), daemon.disk, "secret=7", level))
        client.close()
    return run


def case_killed(daemon):
    """The Rust runtime kills as soon as the reply to vmm.shutdown is there; or before, if it fails."""
    client = RustClient(daemon.socket)
    config = rust_config(daemon.guest("secret"), daemon.disk, "secret=7", "soft")
    expect(client.call("PUT", "vm.create", config), 204)
    expect(client.call("PUT", "vm.boot"), 204)
    expect(client.call("PUT", "vmm.shutdown"), 204)
    daemon.child.kill()
    daemon.wait()
    daemon.gone()


def case_again(daemon):
    """shutdown and boot, delete and create, many times: nothing piles up."""
    client = GoClient(daemon.socket)
    config = go_config(daemon.guest("secret"), daemon.disk, "secret=7", "soft")
    counts = []
    for _ in range(8):
        expect(client.call("PUT", "vm.create", config), 204)
        expect(client.call("PUT", "vm.boot"), 204)
        expect(client.call("PUT", "vm.shutdown"), 204)
        info(client, "Shutdown")
        expect(client.call("PUT", "vm.boot"), 204)
        expect(client.call("PUT", "vm.reboot"), 204)
        expect(client.call("PUT", "vm.pause"), 204)
        expect(client.call("PUT", "vm.delete"), 204)
        expect(client.call("GET", "vm.info"), 404, "vm-not-created")
        counts.append(daemon.descriptors())
    need(len(set(counts[1:])) == 1, f"descriptors after each round: {counts}")


def case_poweroff(daemon):
    """A guest that switches itself off ends the daemon."""
    client = GoClient(daemon.socket)
    expect(client.call("PUT", "vm.create", go_config(daemon.guest("hello"), daemon.disk, "hi")), 204)
    expect(client.call("PUT", "vm.boot"), 204)
    need(daemon.wait() == 0, "exit status")
    need("PASS hello" in daemon.text("out"), "the guest's own line is missing")
    daemon.gone()


# State by state, what each call that is built gives; docs/api.md has the same table.
NOT_CREATED, CREATED, RUNNING, PAUSED, SHUTDOWN = range(5)
MATRIX = {
    "vmm.ping": ("GET", [200] * 5),
    "vmm.capabilities": ("GET", [200] * 5),
    "vm.create": ("PUT", [204, 500, 500, 500, 500]),
    "vm.boot": ("PUT", [404, 204, 500, 500, 204]),
    "vm.info": ("GET", [404, 200, 200, 200, 200]),
    "vm.counters": ("GET", [404, 500, 200, 200, 500]),
    "vm.sharing": ("GET", [404, 500, 200, 200, 500]),
    "vm.delete": ("PUT", [204, 204, 204, 204, 204]),
    "vm.shutdown": ("PUT", [404, 500, 204, 204, 500]),
    "vm.reboot": ("PUT", [404, 500, 204, 204, 500]),
    "vm.pause": ("PUT", [404, 500, 204, 500, 500]),
    "vm.resume": ("PUT", [404, 500, 500, 204, 500]),
    "vm.resize": ("PUT", [404, 204, 204, 204, 204]),
    "vm.add-disk": ("PUT", [404, 204, 200, 200, 204]),
    "vm.power-button": ("PUT", [404, 500, 204, 204, 500]),
    "vm.nmi": ("PUT", [404, 500, 204, 204, 500]),
    "vm.add-net": ("PUT", [404, 204, 500, 500, 204]),  # lo is no tap
    "vm.add-vsock": ("PUT", [404, 204, 200, 200, 204]),
    "vm.add-fs": ("PUT", [404, 204, 500, 500, 204]),  # nobody listens there
    "vm.resize-disk": ("PUT", [404, 500, 400, 400, 500]),  # this disk is read-only
    "vm.remove-device": ("PUT", [404, 204, 204, 204, 204]),
}
# Not built: 501; with a VM at `soft` some are forbidden instead.
MISSING = ["vm.resize-zone", "vm.add-device",
           "vm.add-user-device", "vm.add-vdpa", "vm.add-generic-vhost-user", "vm.restore",
           "vm.receive-migration"]
FORBIDDEN = {"vm.add-pmem": "pmem", "vm.snapshot": "a snapshot", "vm.coredump": "a core dump",
             "vm.send-migration": "migration"}
TO_STATE = {
    NOT_CREATED: [],
    CREATED: ["vm.create"],
    RUNNING: ["vm.create", "vm.boot"],
    PAUSED: ["vm.create", "vm.boot", "vm.pause"],
    SHUTDOWN: ["vm.create", "vm.boot", "vm.shutdown"],
}


def documented():
    """{call: (method, statuses)} of docs/api.yaml"""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/api.yaml")
    with open(path, encoding="utf-8") as f:
        paths = f.read().partition("\npaths:\n")[2].partition("\ncomponents:\n")[0]
    calls = {}
    for line in paths.split("\n"):
        if match := re.fullmatch(r"  /(\S+):", line):
            name = match[1]
        elif match := re.fullmatch(r"    (get|put):", line):
            calls[name] = (match[1].upper(), set())
        elif match := re.match(r'        "(\d+)":', line):
            calls[name][1].add(int(match[1]))
    return calls


def check_documented():
    """The document has these calls, methods and statuses."""
    calls = documented()
    other = set(calls) ^ {*MATRIX, *MISSING, *FORBIDDEN, "vm.measurement", "vmm.shutdown"}
    need(not other, f"docs/api.yaml: {other}")
    for name, (method, statuses) in MATRIX.items():
        need(calls[name][0] == method and calls[name][1] >= set(statuses), f"docs/api.yaml: {name}")
    for name in [*MISSING, *FORBIDDEN]:
        need(calls[name] == ("PUT", {400, 501}), f"docs/api.yaml: {name}")


def check_missing(client, level, state):
    for name in MISSING:
        expect(client.call("PUT", name, {}), 501, "not-implemented")
    for name, feature in FORBIDDEN.items():
        forbidden = level == "soft" and state != NOT_CREATED
        reply = expect(client.call("PUT", name, {}), *((400, "level-forbids") if forbidden else
                                                       (501, "not-implemented")))
        need(not forbidden or f"level soft forbids {feature}" in reply.json()[-1], f"{reply.body}")
    reply = client.call("GET", "vm.measurement")  # no VM at these levels is attested
    expect(reply, *((404, "vm-not-created") if state == NOT_CREATED else (400, "level-forbids")))
    if state != NOT_CREATED:
        more = [("desired_vcpus", 3, 400), ("desired_ram", RAM + (128 << 20), 400 if level == "soft" else 204),
                ("desired_balloon", 4097, 400),
                ("desired_vcpus", "x", 400), ("desired_ram", -1, 400), ("desired_balloon", 1.5, 400)]
        for key, value, status in more:
            reply = client.call("PUT", "vm.resize", {key: value})
            need(reply.status == status, f"resize {key} {value}: {reply.status}")


def case_matrix(level):
    """Every call in every state."""
    def case(daemon):
        check_documented()
        client = GoClient(daemon.socket)
        config = go_config(daemon.guest("secret"), daemon.disk, "secret=7", level)
        bodies = {"vm.create": config, "vm.resize": {"desired_vcpus": 1},
                  "vm.add-disk": {"path": daemon.disk, "readonly": True},
                  "vm.add-net": {"tap": "lo"},
                  "vm.add-fs": {"tag": "t", "socket": os.path.join(daemon.folder, "nobody")},
                  "vm.add-vsock": {"cid": 3, "socket": os.path.join(daemon.folder, "vsock")},
                  "vm.resize-disk": {"id": "_disk0",
                                     "desired_size": os.path.getsize(daemon.disk)},
                  "vm.remove-device": {"id": "_disk0"}}
        for state, steps in TO_STATE.items():
            for name, (method, statuses) in MATRIX.items():
                expect(client.call("PUT", "vm.delete"), 204)
                for step in steps:
                    expect(client.call("PUT", step, bodies.get(step)), 204)
                reply = client.call(method, name, bodies.get(name))
                need(reply.status == statuses[state], f"{name} in state {state}: {reply.status}")
                need((reply.status < 400) == (reply.code() is None), f"{name}: code {reply.code()}")
            expect(client.call("PUT", "vm.delete"), 204)
            for step in steps:
                expect(client.call("PUT", step, bodies.get(step)), 204)
            check_missing(client, level, state)
    return case


def case_refused(daemon):
    """Requests that are well-formed HTTP and wrong otherwise; the connection stays."""
    client = GoClient(daemon.socket)
    good = go_config(daemon.guest("secret"), daemon.disk, "secret=7")
    expect(client.call("GET", "vm.nothing"), 404, "not-found")
    expect(client.call("GET", "vm.create"), 400, "bad-request")
    expect(client.call("POST", "vmm.ping"), 400, "bad-request")
    expect(client.call("PUT", "vm.create"), 400, "bad-request")
    expect(client.call("PUT", "vm.boot", {}), 400, "bad-request")
    expect(client.call("PUT", "vm.create", "text"), 400, "bad-config")
    for change, path in (
            ({"net": [{"mac": "x"}]}, "net"), ({"net": [{"num_queues": 3}]}, "net"),
            ({"net": [{"vhost_user": True}]}, "net"), ({"vsock": {"cid": 3}}, "vsock"),
            ({"balloon": {"size": 1}}, "balloon"), ({"devices": [{"path": "/"}]}, "devices"),
            ({"fs": [{"tag": "t"}]}, "fs"), ({"iommu": True}, "iommu"),
            ({"platform": {"tdz": True}}, "platform.tdz"),
            ({"confidential": {"levle": "soft"}}, "confidential.levle"),
            ({"memory": {"size": 1}}, "memory.size"), ({"cpus": {"boot_vcpus": 0}}, "cpus.boot_vcpus"),
            ({"payload": None}, "payload.kernel"), ({"serial": {"mode": "Loud"}}, "serial.mode")):
        reply = expect(client.call("PUT", "vm.create", {**good, **change}), 400, "bad-config")
        need(reply.json()[-1].startswith(path + ":"), f"{path} is not named: {reply.body}")
    tdx = {**good, "platform": {"tdx": True}, "payload": {"firmware": "/dev/null"}}
    expect(client.call("PUT", "vm.create", tdx), 400, "level-not-offered")
    twice = {**good, "disks": [{"path": daemon.disk, "id": "a"}] * 2}
    expect(client.call("PUT", "vm.create", twice), 409, "not-unique")
    nowhere = {**good, "payload": {"kernel": os.path.join(daemon.folder, "nowhere")}}
    expect(client.call("PUT", "vm.create", nowhere), 204)
    reply = expect(client.call("PUT", "vm.boot"), 500, "boot-failed")
    need("payload.kernel" in reply.json()[-1], f"{reply.body}")
    info(client, "Created")
    expect(client.call("PUT", "vm.delete"), 204)


PING = b"GET /api/v1/vmm.ping HTTP/1.1\r\nHost: localhost\r\n\r\n"


def check_pieces(daemon):
    """A request byte by byte, then many in one write: the answers come in order."""
    with connect(daemon.socket) as sock:
        for byte in PING:
            sock.send(bytes([byte]))
        reply, rest = read_reply(sock)
        expect(reply, 200)
        sock.sendall(PING * 100 + PING.replace(b"ping", b"pong"))
        for _ in range(100):
            reply, rest = read_reply(sock, rest)
            expect(reply, 200)
        expect(read_reply(sock, rest)[0], 404, "not-found")


def check_malformed(daemon):
    for data in (b"\x00\x01\x02\x03\r\n\r\n", b"GET\r\n\r\n", b"BREW / HTTP/1.1\r\n\r\n",
                 b"GET / HTTP/9.9\r\n\r\n", b"GET /" + b"x" * 2000 + b" HTTP/1.1\r\n\r\n",
                 b"PUT / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
                 b"PUT / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
                 b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 40000 + b"\r\n"):
        with connect(daemon.socket) as sock:
            sock.sendall(data)
            expect(read_reply(sock)[0], 400, "bad-request")
            need(sock.recv(1) == b"", "not closed after a malformed request")


def check_sizes(daemon):
    with connect(daemon.socket) as sock:
        sock.sendall(b"PUT /api/v1/vm.create HTTP/1.1\r\nContent-Length: 4194305\r\n\r\n" + b" " * 4194305)
        expect(read_reply(sock)[0], 413, "too-large")
        need(sock.recv(1) == b"", "not closed after an oversized request")
    with connect(daemon.socket) as sock:
        sock.sendall(b"PUT /api/v1/vm.create HTTP/1.1\r\nContent-Length: 4194304\r\n\r\n" + b" " * 4194304)
        expect(read_reply(sock)[0], 400, "bad-config")
        sock.sendall(PING)
        expect(read_reply(sock)[0], 200)


def case_http(daemon):
    check_pieces(daemon)
    check_malformed(daemon)
    check_sizes(daemon)


def case_many(daemon):
    """64 connections that stay, some of them with half a request; all are served."""
    socks = [connect(daemon.socket) for _ in range(64)]
    for sock in socks[::2]:
        sock.sendall(PING[:20])
    for sock in socks[1::2]:
        sock.sendall(PING)
        expect(read_reply(sock)[0], 200)
    for sock in socks[::2]:
        sock.sendall(PING[20:])
        expect(read_reply(sock)[0], 200)
    before = daemon.descriptors()
    for sock in socks:
        sock.close()
    daemon.until(lambda: daemon.descriptors() == before - 64, "connections are not closed")
    extra = [connect(daemon.socket) for _ in range(140)]
    expect(read_reply(extra[-1])[0], 503, "busy")
    for sock in extra:
        sock.close()
    daemon.until(lambda: daemon.descriptors() == before - 64, "connections are not closed")
    expect(GoClient(daemon.socket).call("GET", "vmm.ping"), 200)


def case_descriptors(daemon):
    """Descriptors that a call does not take are closed, in whatever fragment they come."""
    rust, go = RustClient(daemon.socket), GoClient(daemon.socket)
    expect(go.call("GET", "vmm.ping"), 200)
    before = daemon.descriptors()
    with open("/dev/null", "rb") as f:
        fd = f.fileno()
        for _ in range(50):
            expect(rust.call_with_fds("vm.add-net", {"fds": [4]}, [fd]), 404, "vm-not-created")
            expect(go.call_with_fds("vm.restore", {"source_url": "file:///x"}, [fd] * 4), 501,
                   "not-implemented")
        with connect(daemon.socket) as sock:  # a client that goes away in the middle
            sock.sendmsg([PING[:10]], rights([fd] * 8))
        with connect(daemon.socket) as sock:  # one that sends more and more of them
            for _ in range(4):
                sock.sendmsg([b"X"], rights([fd] * 16))
            expect(read_reply(sock)[0], 400, "bad-request")
    daemon.until(lambda: daemon.descriptors() == before, f"leaked: {daemon.descriptors()} {before}")


def case_second(daemon):
    """A second daemon at the same socket is refused; after a kill the socket can be used again."""
    command = [daemon.program, "--api-socket", "path=" + daemon.socket]
    second = subprocess.run(command, capture_output=True, timeout=TIMEOUT, check=False)
    need(second.returncode == 2 and b"in use" in second.stderr, f"second: {second}")
    expect(GoClient(daemon.socket).call("GET", "vmm.ping"), 200)
    daemon.child.kill()
    daemon.child.wait()
    daemon.until(lambda: not left_behind(daemon.child.pid), "processes left behind")
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True) as third:
        end = time.monotonic() + TIMEOUT
        while True:
            try:
                client = GoClient(daemon.socket)
                break
            except OSError:
                need(time.monotonic() < end and third.poll() is None, "no third daemon")
                time.sleep(0.005)
        expect(client.call("PUT", "vmm.shutdown"), 204)
        need(third.wait(TIMEOUT) == 0, "exit status of the third")


def case_events(daemon):
    """The event monitor: a line of JSON each, in order."""
    client = GoClient(daemon.socket)
    expect(client.call("PUT", "vm.create", go_config(daemon.guest("secret"), daemon.disk, "")), 204)
    for name in ("vm.boot", "vm.pause", "vm.resume", "vm.shutdown", "vm.delete", "vmm.shutdown"):
        expect(client.call("PUT", name), 204)
    need(daemon.wait() == 0, "exit status")
    events = [json.loads(line) for line in daemon.text("events").splitlines()]
    need([(e["source"], e["event"]) for e in events] == [
        ("vmm", "starting"), ("vm", "booting"), ("vm", "booted"), ("vm", "pausing"),
        ("vm", "paused"), ("vm", "resuming"), ("vm", "resumed"), ("vm", "shutdown"),
        ("vm", "deleted"), ("vmm", "shutdown")], f"events {events}")
    booted = events[2]["properties"]
    need(booted["level"] == "off" and float(booted["memory_ms"]) > 0, f"booted: {booted}")
    need(all(e["properties"] is None for e in events if e["event"] != "booted"), f"events {events}")
    times = [(e["timestamp"]["secs"], e["timestamp"]["nanos"]) for e in events]
    need(times == sorted(times), f"times {times}")


def case_imposed(daemon):
    """A daemon for one level: every VM runs at it, and a body that asks for another is refused."""
    client = GoClient(daemon.socket)
    guest = (daemon.guest("secret"), daemon.disk, "secret=7")
    expect(client.call("PUT", "vm.create", go_config(*guest, "off")), 400, "bad-config")
    expect(client.call("PUT", "vm.create", go_config(*guest)), 204)
    need(info(client, "Created")["confidential"]["level"] == "soft", "the echo's level")
    expect(client.call("PUT", "vm.boot"), 204)
    need(expect(client.call("GET", "vm.sharing"), 200).json()["level"] == "soft", "the level")
    expect(client.call("PUT", "vmm.shutdown"), 204)
    daemon.wait()
    daemon.gone()


def case_inherited(daemon):
    """A listening socket handed over as fd=N; other descriptors and paths in use are refused."""
    path = os.path.join(daemon.folder, "inherited.sock")
    program = daemon.program
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(path)
        listener.listen(8)
        fd = listener.fileno()
        with subprocess.Popen([program, f"--api-socket=fd={fd}"], pass_fds=[fd],
                              stdin=subprocess.DEVNULL, start_new_session=True) as other:
            client = GoClient(path)
            expect(client.call("GET", "vmm.ping"), 200)
            expect(client.call("PUT", "vmm.shutdown"), 204)
            need(other.wait(TIMEOUT) == 0, "exit status")
    for where in ("fd=0", "fd=99", daemon.disk, "", "x" * 108, os.path.join(daemon.folder, "no", "x")):
        done = subprocess.run([program, "--api-socket", where], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=TIMEOUT, check=False)
        need(done.returncode == 2 and done.stderr.count("\n") == 1, f"{where}: {done}")
        need("--api-socket" in done.stderr, f"{where}: {done}")


# flags of the daemon beside those that all cases have; FOLDER is its own
FLAGS = {
    "events": ["--event-monitor", "path=FOLDER/events"],
    "imposed": ["--confidential", "soft", "--require", "soft"],
}


def case_ctl(daemon):
    """The whole life by `cloister ctl`, for people and for scripts."""
    def ctl(*words, status=0):
        done = subprocess.run([daemon.program, "ctl", "--api-socket", daemon.socket, *words],
                              capture_output=True, timeout=TIMEOUT, check=False, text=True)
        need(done.returncode == status, f"ctl {words}: {done}")
        need((done.returncode == 0) == (not done.stderr), f"ctl {words}: {done}")
        return done.stdout + done.stderr

    config = os.path.join(daemon.folder, "disk.json")
    with open(config, "w", encoding="utf-8") as f:
        json.dump(go_config_lean(daemon.guest("secret"), daemon.disk, "secret=7"), f)
    need(f"pid                              {daemon.child.pid}\n" in ctl("ping"), "ping")
    need(json.loads(ctl("--json", "capabilities"))["features"]["kvm"]["offered"], "capabilities")
    need("no VM was created" in ctl("info", status=1), "info without a VM")
    ctl("create", config)
    os.unlink(config)
    for verb in ("boot", "pause", "resume", "counters", "sharing", "shutdown", "boot", "reboot"):
        ctl(verb)
    extra = os.path.join(daemon.folder, "extra")
    with open(extra, "wb") as f:
        f.write(bytes(4096))
    plugged = json.loads(ctl("--json", "add-disk", f"path={extra},id=data"))
    need(plugged == {"id": "data", "bdf": "0000:00:03.0"}, f"add-disk {plugged}")
    need("data" in ctl("info"), "info lacks the disk")
    top = ctl("top", "2")
    need(top.count("VCPU") == 2 and "vcpu0" in top and "level off" in top, f"top: {top}")
    for words in (["remove-device", "data"], ["power-button"], ["nmi"]):
        ctl(*words)
    need("level off forbids a launch measurement" in ctl("measurement", status=1), "measurement")
    need("there is no device" in ctl("remove-device", "none", status=1), "remove-device")
    os.unlink(extra)
    ctl("resize", "--cpus", "1", "--memory", "64M")
    ctl("resize", "--cpus", "2")
    need("desired_ram" in ctl("resize", "--memory", "1M", status=1), "resize")
    need("cpus.boot_vcpus" in ctl("info") and "Running" in ctl("info"), "info")
    need(json.loads(ctl("--json", "info"))["state"] == "Running", "info --json")
    for words in (["brew"], ["boot", "now"], ["create", "/nowhere"], ["resize"], ["--colour", "boot"], ["top", "x"],
                  ["add-disk"], ["add-disk", "paht=x"], ["remove-device"]):
        ctl(*words, status=2)
    ctl("delete")
    for name in (*MISSING, *FORBIDDEN):
        said = ctl(name[3:], "x", *(["1G"] if name == "vm.resize-zone" else []), status=1)
        need("not implemented" in said, f"ctl {name}: {said}")
    for words in (["add-pmem", "file=/x,size=1G"], ["resize-zone", "--id", "x", "--size", "1G"]):
        need("not implemented" in ctl(*words, status=1), f"ctl {words}")
    verbs = set(re.findall(r"^  ([a-z][a-z-]*) ", ctl("--help").partition("\nVerbs:\n")[2], re.M))
    calls = {name.partition(".")[2] for name in documented()} | {"shutdown-vmm", "top"}
    need(verbs == calls, f"verbs without a call, or calls without a verb: {verbs ^ calls}")
    ctl("shutdown-vmm")
    need(daemon.wait() == 0, "exit status")
    ctl("ping", status=2)
    daemon.gone()


CASES = {
    "go-off": case_life(GoClient, go_config, None),
    "go-soft": case_life(GoClient, go_config, "soft"),
    "rust-off": case_life(RustClient, rust_config, None),
    "rust-soft": case_life(RustClient, rust_config, "soft"),
    "killed": case_killed,
    "again": case_again,
    "poweroff": case_poweroff,
    "matrix-off": case_matrix("off"),
    "matrix-soft": case_matrix("soft"),
    "refused": case_refused,
    "http": case_http,
    "many": case_many,
    "descriptors": case_descriptors,
    "second": case_second,
    "ctl": case_ctl,
    "inherited": case_inherited,
    "events": case_events,
    "imposed": case_imposed,
}


def run(cases, flags):
    """What a test program of this folder does. flags: of the daemon, by case"""
    if sys.argv[-1] == "list":
        print("\n".join(cases))
        return 0
    cloister, guests, case = sys.argv[1:]
    why = lacking_kvm()
    if why:
        print(f"skipped: {why}")
        return SKIP
    daemon = Daemon(cloister, guests, flags.get(case, ()))
    try:
        cases[case](daemon)
        need(daemon.child.poll() in (None, 0, -signal.SIGKILL), "the daemon has died")
    except (ApiFailed, OSError, json.JSONDecodeError) as failure:
        print(daemon.text("err"))
        print(daemon.text("out"))
        print(f"FAILED {case}: {failure}")
        return 1
    finally:
        daemon.close()
    print(f"passed {case}")
    return 0


if __name__ == "__main__":
    sys.exit(run(CASES, FLAGS))
