#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A tiny guest on the network: frames over a real tap, echoed by a raw socket at its host's end.

All happens in a network namespace of this test's own.
Usage: net.py CLOISTER GUESTS_FOLDER
Exit status: 0 passed, 1 failed, 77 this machine can't run guests or has no taps.
"""
import ctypes
import fcntl
import os
import signal
import socket
import struct
import sys
import tempfile
import threading
import time

from common import SKIP, Failed, descendants, lacking_kvm, want
from run_guest import run

CLONE_NEWNET = 0x40000000
TUNSETIFF, TUNSETPERSIST, TUNSETOWNER = 0x400454CA, 0x400454CB, 0x400454CC
IFF_TAP, IFF_NO_PI, IFF_VNET_HDR, IFF_MULTI_QUEUE = 0x2, 0x1000, 0x4000, 0x100
SIOCGIFHWADDR, SIOCGIFADDR, SIOCSIFFLAGS, IFF_UP = 0x8927, 0x8915, 0x8914, 1
ETHERTYPE = 0x88B5
MAC = "52:54:00:00:00:07"
FRAMES = 25
# name: level, more of --net, pairs of queues, seconds that it takes at least, how the tap comes
CASES = {
    "off": ("off", "", 1, 0, "made"),
    "soft": ("soft", "", 1, 0, "there"),
    "soft-fd": ("soft", "", 1, 0, "fd"),
    "off-pairs": ("off", ",num_queues=4", 2, 0, "made"),
    "soft-pairs-fd": ("soft", ",num_queues=4,queue_size=64", 2, 0, "fd"),
    # 25 operations each way at least; 10 at once, then 10 in each 100 ms
    "off-limited": ("off", ",ops_size=10,ops_refill_time=100,bw_size=1G,bw_refill_time=1", 1, 0.1,
                    "made"),
    # the device process is killed, again and again; another takes its place
    "off-killed": ("off", "", 1, 0, "made"),
    "soft-pairs-killed": ("soft", ",num_queues=4", 2, 0, "fd"),
    "off-plain": ("off", ",offload_csum=off,offload_tso=off,offload_ufo=off", 1, 0, "made"),
}


def own_network():
    """Why there can be no network namespace with a tap in it, or None if this is one now."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
        return f"a network namespace: {os.strerror(ctypes.get_errno())}"
    try:
        os.close(open_tap("probe0", 1))
    except OSError as error:
        return f"/dev/net/tun: {error.strerror}"
    with open("/proc/sys/net/ipv6/conf/default/disable_ipv6", "w", encoding="ascii") as f:
        f.write("1")
    return None


def open_tap(name, pairs, persist=False):
    fd = os.open("/dev/net/tun", os.O_RDWR)
    flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | (IFF_MULTI_QUEUE if pairs > 1 else 0)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), flags))
    if persist:
        fcntl.ioctl(fd, TUNSETPERSIST, 1)
    return fd


def interface(name, what):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        return fcntl.ioctl(s, what, struct.pack("16s24x", name.encode()))[16:]


def set_up(name):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        fcntl.ioctl(s, SIOCSIFFLAGS, struct.pack("16sH22x", name.encode(), IFF_UP))


class Echo(threading.Thread):
    """Sends each frame of our type back to its sender, inverted, as soon as the tap is there."""

    def __init__(self, name):
        super().__init__(daemon=True)
        self.name, self.done, self.echoed, self.seen = name, False, 0, {}

    def open(self):
        while not self.done:
            try:
                s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETHERTYPE))
                s.bind((self.name, ETHERTYPE))
                s.settimeout(0.1)
                return s
            except OSError:
                s.close()
                time.sleep(0.02)
        return None

    def run(self):
        s = self.open()
        while s and not self.done:
            try:
                frame = s.recv(2048)
                self.seen = {"mac": interface(self.name, SIOCGIFHWADDR)[2:8]}
                answer = frame[6:12] + self.seen["mac"] + frame[12:14]
                s.send(answer + bytes(b ^ 0xFF for b in frame[14:]))
                self.echoed += 1
            except TimeoutError:
                pass
            except OSError:
                time.sleep(0.02)  # the interface is not up yet


class Killer(threading.Thread):
    """Kills the device process when some more frames have come, three times."""

    def __init__(self, echo):
        super().__init__(daemon=True)
        self.echo, self.kills = echo, 0

    def run(self):
        while not self.echo.done and self.kills < 3:
            if self.echo.echoed > 5 * (self.kills + 1):
                for pid in descendants(os.getpid()):
                    if name_of(pid) == "cl-net":
                        os.kill(pid, signal.SIGKILL)
                        self.kills += 1
            time.sleep(0.01)


def name_of(pid):
    try:
        with open(f"/proc/{pid}/comm", encoding="ascii") as f:
            return f.read().strip()
    except OSError:
        return ""


def play(cloister, guests, case, folder):
    level, more, pairs, least, how = CASES[case]
    name = "tap0"
    fds = []
    net = f"mac={MAC}{more}"
    if how == "fd":
        fds = [open_tap(name, pairs) for _ in range(pairs)]
        set_up(name)
        net += ",fd=" + ":".join(str(fd) for fd in fds)
    else:
        if how == "there":
            os.close(open_tap(name, pairs, persist=True))
        net += f",tap={name},ip=10.77.0.1,mask=255.255.255.0,host_mac=02:00:00:00:00:09"
    echo = Echo(name)
    echo.start()
    killer = Killer(echo)
    if case.endswith("-killed"):
        killer.start()
    began = time.monotonic()
    try:
        status, _, err = run([
            cloister, "run", "--kernel", os.path.join(guests, "net.elf"), "--memory", "size=64M",
            "--confidential", level, "--cmdline", f"frames={FRAMES} pairs={pairs}", "--net", net,
            "--serial", "file=" + os.path.join(folder, case)], fds)
    finally:
        echo.done = True
        echo.join()
        for fd in fds:
            os.close(fd)
    took = time.monotonic() - began
    with open(os.path.join(folder, case), encoding="utf-8", errors="replace") as f:
        said = f.read().replace("\r", "").splitlines()
    want(status == 0 and said and said[-1] == "PASS net", f"status {status}, {said[-2:]}, {err}")
    want("mac 52:54:0:0:0:7" in said, "the guest sees another address than was given")
    want(echo.echoed >= FRAMES, f"{echo.echoed} frames came to the peer")
    want(took >= least, f"the limits were not kept: {took:.2f} s")
    want(killer.kills == (3 if case.endswith("-killed") else 0), f"killed {killer.kills} times")
    if how != "fd":
        want(echo.seen["mac"] == bytes.fromhex("020000000009"), "host_mac was not set")


def drop_tap(name):
    """A tap that was made to stay goes with the namespace at the latest."""
    try:
        fd = open_tap(name, 1)
        fcntl.ioctl(fd, TUNSETPERSIST, 0)
        os.close(fd)
    except OSError:
        pass


def main():
    cloister, guests = sys.argv[1:]
    why = lacking_kvm() or own_network()
    if why:
        print(f"skipped: {why}")
        return SKIP
    failures = 0
    with tempfile.TemporaryDirectory(prefix="cloister-net-") as folder:
        for case in CASES:
            began = time.monotonic()
            try:
                play(cloister, guests, case, folder)
                print(f"passed {case}: {time.monotonic() - began:.2f} s")
            except Failed as failure:
                failures += 1
                print(f"FAILED {case}: {failure}")
            drop_tap("tap0")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
