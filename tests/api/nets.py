#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Network devices by the REST API, as Kata's two runtimes add them: a tap's descriptor that comes
with the request. In a network namespace of this test's own.

Usage: nets.py CLOISTER GUESTS_FOLDER CASE, or: nets.py list
"""
import contextlib
import os
import socket
import sys

# pylint: disable=wrong-import-position
from client import GoClient, RustClient, go_config, need, rust_config
from life import expect, info, run
from common import SKIP
from net import Echo, interface, open_tap, own_network, set_up, SIOCGIFADDR

MAC = "02:00:ca:fe:00:01"


def kata_net(mac=MAC):
    """What the runtimes send with the descriptor: addresses, which are to be ignored then."""
    return {"mac": mac, "ip": "192.168.249.1", "mask": "255.255.255.0", "num_queues": 2,
            "queue_size": 256, "iommu": False, "vhost_user": False, "vhost_mode": "Client",
            "offload_tso": True, "offload_ufo": True, "offload_csum": True, "fds": [123]}


@contextlib.contextmanager
def tap(name):
    fd = open_tap(name, 1)
    set_up(name)
    try:
        yield fd
    finally:
        os.close(fd)


@contextlib.contextmanager
def echo_on(name):
    echo = Echo(name)
    echo.start()
    try:
        yield echo
    finally:
        echo.done = True
        echo.join()


def nets(client, state):
    return info(client, state).get("net")


def case_cold(make_client, make_config, level):
    """Added before boot: the guest talks through it; a reboot uses the descriptor again."""
    def case(daemon):
        client = make_client(daemon.socket)
        config = make_config(daemon.guest("net"), daemon.disk, "frames=10", level)
        expect(client.call("GET", "vmm.ping"), 200)
        with tap("tap0") as fd, echo_on("tap0") as echo:
            before = daemon.descriptors()
            expect(client.call("PUT", "vm.create", config), 204)
            for fds in ([fd, fd], [fd] * 3):
                expect(client.call_with_fds("vm.add-net", kata_net(), fds), 400,
                       "descriptor-mismatch")
            daemon.until(lambda: daemon.descriptors() == before, "descriptors stay")
            expect(client.call_with_fds("vm.add-net", kata_net(), [fd]), 204)
            daemon.until(lambda: daemon.descriptors() == before + 1, "no descriptor is kept")
            listed = nets(client, "Created")
            need(len(listed) == 1 and listed[0]["mac"] == MAC and "fds" not in listed[0], listed)
            expect(client.call("PUT", "vm.boot"), 204)
            need(daemon.wait() == 0, "exit status")
            need("PASS net" in daemon.text("out") and echo.echoed >= 10, daemon.text("out"))
            try:
                interface("tap0", SIOCGIFADDR)
                need(False, "the tap that came as a descriptor got an address")
            except OSError:
                pass
    return case


def case_tap(daemon):
    """By name: a tap with two queues that is there; the daemon has no capability to make one."""
    client = GoClient(daemon.socket)
    limits = {"ops": {"size": 1000, "refill_time": 100}}
    config = {**go_config(daemon.guest("net"), daemon.disk, "frames=10 pairs=2"),
              "net": [{"tap": "tap5", "mac": MAC, "num_queues": 4, "id": "eth",
                       "rate_limiter_config": limits}]}
    os.close(open_tap("tap5", 2, persist=True))
    set_up("tap5")
    expect(client.call("PUT", "vm.create", config), 204)
    (listed,) = nets(client, "Created")
    need(listed["id"] == "eth" and listed["rate_limiter_config"]["ops"]["size"] == 1000, listed)
    with echo_on("tap5") as echo:
        expect(client.call("PUT", "vm.boot"), 204)
        need(daemon.wait() == 0, "exit status")
        need("PASS net" in daemon.text("out") and echo.echoed >= 10, daemon.text("out"))


def case_refused(daemon):
    """What can't be added leaves nothing behind."""
    client = GoClient(daemon.socket)
    expect(client.call("PUT", "vm.create",
                       go_config(daemon.guest("secret"), daemon.disk, "secret=7")), 204)
    expect(client.call("PUT", "vm.boot"), 204)
    processes, before = daemon.processes(), daemon.descriptors()
    os.close(open_tap("tap7", 1, persist=True))
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with open("/dev/null", "r+b") as null, tap("tap0") as busy, ours, theirs:
        del busy
        for change, fds, status, code, text in (
                ({"mac": "02:00"}, [], 400, "bad-config", "mac"),
                ({"mac": "01:00:00:00:00:01"}, [], 400, "bad-config", "mac"),
                ({"ip": "10.0.0"}, [], 400, "bad-config", "ip"),
                ({"num_queues": 5}, [], 400, "bad-config", "num_queues"),
                ({"num_queues": 34}, [], 400, "bad-config", "net.num_queues"),
                ({"queue_size": 100}, [], 400, "bad-config", "queue_size"),
                ({"tap": "a/b"}, [], 400, "bad-config", "tap"),
                ({"vhost_user": True}, [], 400, "bad-config", "vhost_socket"),
                ({"id": "rng0"}, [], 400, "bad-config", "another device's"),
                ({"fds": [5]}, [], 400, "descriptor-mismatch", "descriptors"),
                ({"tap": "tap0"}, [], 500, "device-failed", "another program uses it"),
                ({"tap": "tap6"}, [], 500, "device-failed", "needs CAP_NET_ADMIN"),
                ({"fds": [5]}, [null.fileno()], 500, "device-failed", "neither one of a tap"),
                ({"fds": [5]}, [ours.fileno()], 500, "device-failed", "neither one of a tap"),
                ({"tap": "tap7", "ip": "10.0.0.1"}, [], 500, "device-failed", "not permitted"),
                ({"tap": "tap7", "mtu": 1400, "ip": None}, [], 500, "device-failed", "not permitted")):
            body = {**kata_net(), "fds": None, **change}
            reply = expect(client.call_with_fds("vm.add-net", body, fds), status, code)
            need(text in reply.json()[-1], f"{change}: {reply.body}")
            need(not nets(client, "Running"), f"{change}: the config has changed")
    expect(client.call("PUT", "vm.delete"), 204)
    daemon.until(lambda: daemon.descriptors() <= before, "descriptors stay")
    daemon.until(lambda: daemon.processes() < processes, "processes stay")


CASES = {
    "net-cold-go-off": case_cold(GoClient, go_config, None),
    "net-cold-rust-soft": case_cold(RustClient, rust_config, "soft"),
    "net-tap": case_tap,
    "net-refused": case_refused,
}


def main():
    if sys.argv[-1] == "list":
        return run(CASES, {})
    why = own_network()
    if why:
        print(f"skipped: {why}")
        return SKIP
    return run(CASES, {})


if __name__ == "__main__":
    sys.exit(main())
