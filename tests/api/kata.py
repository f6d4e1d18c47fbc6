#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A sandbox's whole life as Kata's runtimes drive it, with a stock kernel and guests/sandbox as its init.

Usage: kata.py CLOISTER go|rust LEVEL KERNEL INITRAMFS [DAEMON_FLAG...]
Run where stock kernels run: in the lab, or on a machine with hardware virtualisation.
"""
import fcntl
import glob
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

from client import ApiFailed, GoClient, RustClient, go_config, need, rust_config

RAM = 256 << 20
CMDLINE = "console=ttyS0 quiet panic=1 reboot=k cryptomgr.notests"
MACS = ("02:00:ca:fe:00:01", "02:00:ca:fe:00:02")
TUNSETIFF = 0x400454CA
IFF_TAP, IFF_NO_PI, IFF_VNET_HDR = 2, 0x1000, 0x4000
LIMIT = 180  # seconds for what a guest does, in emulation
HOTPLUG = 3  # seconds that Kata waits for a disk, by default; not in emulation


class Sandbox:
    """A daemon as the runtimes start it: nothing but the socket's path, a pipe for its output."""

    def __init__(self, cloister, folder, flags):
        self.folder, self.lines, self.news = folder, [], threading.Condition()
        self.socket = os.path.join(folder, "clh-api.sock")
        self.child = subprocess.Popen(
            [cloister, *flags, "--api-socket", self.socket], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd="/", start_new_session=True)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.child.stdout:
            with self.news:
                self.lines.append(line.decode("utf-8").rstrip())
                self.news.notify()

    def said(self, pattern, since=0, limit=LIMIT):
        """Wait for a line from number `since` on. Return: its match"""
        end = time.monotonic() + limit
        with self.news:
            while True:
                for line in self.lines[since:]:
                    if match := re.search(pattern, line):
                        return match
                left = end - time.monotonic()
                need(left > 0 and self.child.poll() is None, f"nobody said: {pattern}")
                self.news.wait(min(left, 1))

    def connect(self, make_client):
        """The runtimes try again and again until the socket is there."""
        end = time.monotonic() + 10
        while True:
            try:
                return make_client(self.socket)
            except OSError:
                need(time.monotonic() < end and self.child.poll() is None, "no socket")
                time.sleep(0.01)

    def close(self):
        if self.child.poll() is None:
            os.killpg(self.child.pid, signal.SIGKILL)
            self.child.wait()


def ok(reply, status):
    need(reply.status == status, f"status {reply.status}, not {status}: {reply.body}")
    return reply


def vm_info(client, state):
    got = ok(client.call("GET", "vm.info"), 200).json()
    need(got["state"] == state, f"state {got['state']}, not {state}")
    return got


def check_threads(pid, n=1):
    """The runtimes look for the vCPUs' threads by name."""
    names = []
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/comm", encoding="ascii") as f:
            names.append(f.read().strip())
    need(sorted(n for n in names if n.startswith("vcpu")) == [f"vcpu{i}" for i in range(n)],
         f"threads {names}")


def volume(path):
    """vm.add-disk's body for a container's volume"""
    return {"path": path, "readonly": True, "image_type": "Raw", "vhost_user": False, "num_queues": 1,
            "queue_size": 1024, "direct": False, "iommu": False, "sparse": True, "backing_files": False}


def make_image(folder, name, word):
    path = os.path.join(folder, name)
    with open(path, "wb") as f:
        f.write(word.to_bytes(4, "little") * (1 << 18))
    return path


def plug(sandbox, client, path, word):
    """Add a disk and see it come where the answer says. Return: id, bdf, the guest's name for it"""
    since = len(sandbox.lines)
    got = ok(client.call("PUT", "vm.add-disk", volume(path), answered=True), 200).json()
    need(re.fullmatch(r"0000:00:[0-9a-f]{2}\.0", got["bdf"]), f"bdf {got}")
    where = rf"/devices/pci0000:00/{got['bdf']}/virtio\d+/block"
    found = sandbox.said(rf"sandbox: block (\w+) {where}/\w+ word 0x{word:x}", since)
    return got["id"], got["bdf"], found[1]


def hotplug(sandbox, client):
    image = make_image(sandbox.folder, "volume", 0x5EED5EED)
    name, bdf, disk = plug(sandbox, client, image, 0x5EED5EED)
    need(name in [d["id"] for d in vm_info(client, "Running")["config"]["disks"]], "vm.info lacks the disk")
    since = len(sandbox.lines)
    ok(client.call("PUT", "vm.remove-device", {"id": name}), 204)
    sandbox.said(f"sandbox: gone {disk}", since)
    other = make_image(sandbox.folder, "other", 0x0DDBA11)
    end = time.monotonic() + LIMIT  # the slot is free when the guest has ejected, soon after
    while True:
        name, again, _ = plug(sandbox, client, other, 0x0DDBA11)
        if again == bdf or time.monotonic() > end:
            break
        ok(client.call("PUT", "vm.remove-device", {"id": name}), 204)
    need(again == bdf, f"the slot {bdf} is not used again, but {again}")


def resize(sandbox, client):
    """As the Go runtime does it: first what there is, then more; vm.info reflects it. And fewer."""
    config = vm_info(client, "Running")["config"]
    ok(client.call("PUT", "vm.resize", {"desired_vcpus": config["cpus"]["boot_vcpus"]}), 204)
    ok(client.call("PUT", "vm.resize", {"desired_ram": config["memory"]["size"], "desired_vcpus": None,
                                        "desired_balloon": None}), 204)
    need(vm_info(client, "Running")["memory_actual_size"] == RAM, "memory_actual_size")
    since = len(sandbox.lines)
    ok(client.call("PUT", "vm.resize", {"desired_vcpus": config["cpus"]["max_vcpus"]}), 204)
    need(vm_info(client, "Running")["config"]["cpus"]["boot_vcpus"] == 2, "vm.info: vCPUs")
    check_threads(sandbox.child.pid, 2)
    sandbox.said("sandbox: cpu cpu1 online, 2 are", since)
    since = len(sandbox.lines)
    ok(client.call("PUT", "vm.resize", {"desired_vcpus": 1}), 204)
    sandbox.said("sandbox: gone cpu1", since)
    end = time.monotonic() + LIMIT
    while (reply := client.call("PUT", "vm.resize", {"desired_vcpus": 2})).status == 429:
        need(time.monotonic() < end, "the removal of a vCPU does not end")
        time.sleep(0.01)
    ok(reply, 204)
    sandbox.said("sandbox: cpu cpu1 online, 2 are", since)
    check_threads(sandbox.child.pid, 2)
    resize_memory(sandbox, client, config)


def resize_memory(sandbox, client, config):
    """As the runtimes do: more only, in whole blocks of 128 MiB; at a level above off it is refused."""
    more = {"desired_ram": config["memory"]["size"] + (256 << 20), "desired_vcpus": None, "desired_balloon": None}
    since = len(sandbox.lines)
    reply = client.call("PUT", "vm.resize", more)
    if config.get("confidential", {}).get("level", "Off").lower() != "off":
        need(reply.status == 400 and reply.code() == "level-forbids", f"{reply.status} {reply.body}")
        return
    ok(reply, 204)
    sandbox.said("sandbox: memory, (4[4-9][0-9]|5[0-9][0-9]) MiB are", since)  # 512 less what the kernel keeps
    got = vm_info(client, "Running")
    need(got["config"]["memory"]["size"] == got["memory_actual_size"] == RAM + (256 << 20), "vm.info: memory")
    ok(client.call("PUT", "vm.resize", more), 204)


def make_tap(name):
    """As the runtimes open it; this process keeps no copy."""
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI | IFF_VNET_HDR))
    return fd


def network(mac):
    return {"mac": mac, "ip": "192.168.249.1", "mask": "255.255.255.0", "num_queues": 2, "queue_size": 256,
            "iommu": False, "vhost_user": False, "vhost_mode": "Client", "offload_tso": True,
            "offload_ufo": True, "offload_csum": True}


def add_net(client, name, mac, status):
    tap = make_tap(name)
    reply = ok(client.call_with_fds("vm.add-net", network(mac), [tap]), status)
    os.close(tap)
    return reply


def dial(path, word):
    """The runtimes dial until the guest listens. Return: the socket"""
    end = time.monotonic() + LIMIT
    while True:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.settimeout(LIMIT)
        line = b""
        try:
            sock.connect(path)
            sock.sendall(f"{word} 1024\n".encode())
            while not line.endswith(b"\n") and (got := sock.recv(64)):
                line += got
        except OSError as error:
            line = str(error).encode()
        if line.startswith(b"OK "):
            return sock
        sock.close()
        need(time.monotonic() < end, f"nobody listens in the guest: {line}")
        time.sleep(0.2)


def talk(config, word):
    with dial(config["vsock"]["socket"], word) as sock:
        sock.sendall(b"ping the guest\n")
        got = b""
        while not got.endswith(b"\n") and (more := sock.recv(64)):
            got += more
        need(got == b"PING THE GUEST\n", f"the guest's answer: {got}")


def life(sandbox, client, config):
    ping = ok(client.call("GET", "vmm.ping"), 200).json()
    need(ping["version"] and ping["pid"] == sandbox.child.pid, f"ping {ping}")
    ok(client.call("PUT", "vm.create", config), 204)
    vm_info(client, "Created")
    add_net(client, "kata0", MACS[0], 204)
    ok(client.call("PUT", "vm.boot"), 204)
    vm_info(client, "Running")
    check_threads(sandbox.child.pid)
    talk(config, "connect" if isinstance(client, RustClient) else "CONNECT")
    sandbox.said("sandbox: ready")
    sandbox.said(f"sandbox: net eth0 .* mac {MACS[0]}")
    since = len(sandbox.lines)
    bdf = add_net(client, "kata1", MACS[1], 200).json()["bdf"]
    sandbox.said(rf"sandbox: net eth1 /devices/pci0000:00/{bdf}/virtio\d+/net/eth1 mac {MACS[1]}", since)
    hotplug(sandbox, client)
    resize(sandbox, client)
    for call, state in (("vm.pause", "Paused"), ("vm.resume", "Running")):
        ok(client.call("PUT", call), 204)
        vm_info(client, state)
    since = len(sandbox.lines)
    ok(client.call("PUT", "vm.nmi"), 204)
    sandbox.said("sandbox: nmi", since)


def end_by_shutdown(sandbox, client):
    """vmm.shutdown: everything is gone when the answer is there."""
    ok(client.call("PUT", "vmm.shutdown"), 204)
    need(not os.path.exists(sandbox.socket), "the socket outlives the answer")
    need(sandbox.child.wait(3 if len(sys.argv) < 7 else 30) == 0, "exit status")


def end_by_button(sandbox, client):
    ok(client.call("PUT", "vm.power-button"), 204)
    sandbox.said("sandbox: button")
    need(sandbox.child.wait(LIMIT) == 0, "exit status")


def main():
    cloister, runtime, level, kernel, initramfs = sys.argv[1:6]
    make_client, make_config, end = {
        "go": (GoClient, go_config, end_by_shutdown),
        "rust": (RustClient, rust_config, end_by_button)}[runtime]
    with tempfile.TemporaryDirectory(prefix="kata-") as folder:
        config = make_config(kernel, make_image(folder, "rootfs", 0x600D600D), CMDLINE,
                             None if level == "off" else level)
        config["payload"]["initramfs"] = initramfs
        config["memory"]["size"] = RAM
        config["vsock"] = {"cid": 3, "socket": os.path.join(folder, "clh.sock"), "iommu": False}
        sandbox = Sandbox(cloister, folder, sys.argv[6:])
        try:
            client = sandbox.connect(make_client)
            life(sandbox, client, config)
            end(sandbox, client)
            need(not glob.glob("/sys/class/net/kata*"), "a tap is left")
            left = sorted(set(os.listdir(folder)) - {"rootfs", "volume", "other"})
            need(not left, f"left behind: {left}")
        except (ApiFailed, OSError, json.JSONDecodeError) as failure:
            print(f"the daemon's status: {sandbox.child.poll()}")
            sandbox.close()
            print("\n".join(sandbox.lines[-40:]))
            print(f"FAILED kata {runtime} {level}: {failure}")
            return 1
        finally:
            sandbox.close()
    print(f"PASS kata {runtime} {level}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
