#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Serial port and console that go to a pseudoterminal, or to the client of a socket.

Usage: streams.py CLOISTER GUESTS_FOLDER CASE, or: streams.py list
"""
import os
import sys

# pylint: disable=wrong-import-position
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "kvm"))
from client import RustClient, connect, need, rust_config
from life import expect, run


def boot(daemon, level, **streams):
    """A VM whose guest says READY and stays."""
    client = RustClient(daemon.socket)
    config = rust_config(daemon.guest("plug"), daemon.disk, "", level)
    config.update(streams)
    expect(client.call("PUT", "vm.create", config), 204)
    expect(client.call("PUT", "vm.boot"), 204)
    return client


def read_until(read, text):
    """What comes until `text` is in it, or the other end closes."""
    said = b""
    while text not in said:
        part = read()
        need(part, f"ended after {said}")
        said += part
    return said


def case_socket(level):
    """Who comes late reads what was said; a second client is turned away; nothing is left."""
    def case(daemon):
        path = os.path.join(os.path.dirname(daemon.socket), "serial")
        client = boot(daemon, level, serial={"mode": "Socket", "socket": path},
                      console={"mode": "Off"})
        with connect(path) as first:
            read_until(lambda: first.recv(4096), b"READY")
            with connect(path) as second:
                need(second.recv(1) == b"", "two clients at once")
        config = expect(client.call("GET", "vm.info"), 200).json()["config"]
        need(config["serial"]["socket"] == path, f"{config['serial']}")
        expect(client.call("PUT", "vm.reboot"), 204)
        with connect(path) as again:
            read_until(lambda: again.recv(4096), b"READY")
        expect(client.call("PUT", "vm.delete"), 204)
        need(not os.path.exists(path) and not os.path.exists(path + ".lock"), "files are left")
    return case


def case_terminal(level):
    """vm.info tells where the terminals are, and each boot's is a new one."""
    def case(daemon):
        client = boot(daemon, level, serial={"mode": "Pty"}, console={"mode": "Pty"})
        config = expect(client.call("GET", "vm.info"), 200).json()["config"]
        serial, console = config["serial"]["file"], config["console"]["file"]
        need(serial.startswith("/dev/pts/") and console.startswith("/dev/pts/"), f"{config}")
        need(serial != console, "one terminal for both")
        fd = os.open(serial, os.O_RDWR | os.O_NOCTTY)
        read_until(lambda: os.read(fd, 4096), b"READY")
        os.close(fd)
        before = daemon.descriptors()
        expect(client.call("PUT", "vm.reboot"), 204)
        daemon.until(lambda: daemon.descriptors() <= before, "descriptors stay")
        config = expect(client.call("GET", "vm.info"), 200).json()["config"]
        fd = os.open(config["serial"]["file"], os.O_RDWR | os.O_NOCTTY)
        read_until(lambda: os.read(fd, 4096), b"READY")
        os.close(fd)
        expect(client.call("PUT", "vm.delete"), 204)
    return case


def case_refused(daemon):
    """What can't be served is refused, with its place."""
    client = RustClient(daemon.socket)
    taken = os.path.join(os.path.dirname(daemon.socket), "taken")
    with open(taken, "w", encoding="ascii"):
        pass
    for stream, status, text in (
            ({"mode": "Socket"}, (400, "bad-config"), "socket"),
            ({"mode": "Socket", "socket": "/" + "x" * 108}, (400, "bad-config"), "107"),
            ({"mode": "Socket", "socket": "/p", "file": "/f"}, (400, "bad-config"), "both"),
            ({"mode": "Socket", "socket": taken}, (500, "boot-failed"), "no socket")):
        config = rust_config(daemon.guest("plug"), daemon.disk, "")
        config["serial"] = stream
        reply = client.call("PUT", "vm.create", config)
        if reply.status == 204:
            reply = client.call("PUT", "vm.boot")
        expect(reply, *status)
        need(text in reply.json()[-1] and "serial" in reply.json()[-1], f"{stream}: {reply.body}")
        client.call("PUT", "vm.delete")
    need(os.path.isfile(taken), "a file that is no socket was removed")


CASES = {
    "streams-socket-off": case_socket(None),
    "streams-socket-soft": case_socket("soft"),
    "streams-terminal-off": case_terminal(None),
    "streams-terminal-soft": case_terminal("soft"),
    "streams-refused": case_refused,
}

if __name__ == "__main__":
    sys.exit(run(CASES, {}))
