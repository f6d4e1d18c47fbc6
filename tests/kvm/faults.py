#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every call that can fail fails once: allocations, mmap, ioctl, open, read, write, eventfd, socket, fork,
threads, messages; in the monitor, the spawner and the device processes alike (faults_preload.c).

start: `cloister run` with a guest that uses its disk, from the first call to the last, one run per call.
    The VM ends as if nothing were, or the guest sees its disk fail, or an error on standard error names
    what failed; never a signal (but of the process that is to die), never a hang, never a process or a file that is left.
life: in one daemon, a VM's life over the API (create, boot, add and remove a disk, pause, delete), once
    per call. Each request succeeds or is answered by an error with a text; the daemon lives on, and the
    next life, without a fault, succeeds and leaves as many descriptors, threads, processes and blocks of
    memory as there were.

Usage: faults.py CLOISTER FAULTS_LIBRARY GUESTS_FOLDER [STRIDE: every so manyth call only [ONLY, such as
    start,soft,fail]]
"""
import concurrent.futures
import mmap
import os
import re
import signal
import struct
import subprocess
import sys
import tempfile
import time

from common import (SKIP, Failed, descendants, lacking_kvm, left_behind, mortal, sanitized, text_of, want,
                    wait_until, write_disk)

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "api"))
from client import ApiFailed, GoClient, go_config  # pylint: disable=wrong-import-position

RUN_TIMEOUT = 60
PAGE = 4096
FAIL, INTERRUPT, SHORT, DIE = range(4)
MODES = {FAIL: "fails", INTERRUPT: "is interrupted", SHORT: "transfers half", DIE: "is the last"}
STRIDE = 211
LAYOUT = struct.Struct("<QQQQqQ64s16sQ12Q")  # struct faults


class Replaced(Exception):
    """The daemon can't go on as it was."""


class Faults:
    """The page that is shared with the preloaded library."""

    def __init__(self, folder, program):
        self.program = program
        self.path = os.path.join(folder, "faults")
        with open(self.path, "wb") as f:
            f.truncate(PAGE)
        with open(self.path, "r+b") as f:
            self.page = mmap.mmap(f.fileno(), PAGE)

    def arm(self, after, mode):
        """Have the call fail that comes `after` calls from now; 0: none."""
        struct.pack_into("<Q", self.page, 8, 0)
        struct.pack_into("<Q", self.page, 16, mode)
        struct.pack_into("<Q", self.page, 24, 0)
        struct.pack_into("<Q", self.page, 8, self.count() + after if after else 0)

    def stop(self):
        struct.pack_into("<Q", self.page, 8, 0)

    def read(self):
        return LAYOUT.unpack_from(self.page, 0)

    def count(self):
        return self.read()[0]

    def done(self):
        return self.read()[3] != 0

    def blocks(self):
        return self.read()[4]

    def where(self):
        """Which call it was, and who called it."""
        name, thread = (text.rstrip(b"\0").decode() for text in self.read()[6:8])
        base, *stack = self.read()[8:]
        lines = subprocess.run(["addr2line", "-sfe", self.program, *(hex(a - base - 1) for a in stack if a)],
                               capture_output=True, text=True, check=False).stdout.split("\n")[::2]
        return f"{name} in {thread}, by {' '.join(f for f in lines if f and f != '??')}"


def environment(library, faults):
    return {**os.environ, "LD_PRELOAD": library, "FAULTS": faults.path,
            "MALLOC_PERTURB_": "85"}


# --- start ---

def run_once(program, library, guests, options, nth, mode):
    """One run. Return: how many calls there were, whether one has failed."""
    with tempfile.TemporaryDirectory(prefix="cloister-faults-") as folder:
        faults = Faults(folder, program)
        faults.arm(nth, mode)
        serial, said = os.path.join(folder, "serial"), os.path.join(folder, "said")
        command = [program, "run", "--kernel", os.path.join(guests, "blk.elf"), "--memory", "size=64M",
                   "--serial", f"file={serial}", "--rng", "src=/dev/urandom", "--disk",
                   f"path={write_disk(folder)}", "--cmdline", "sectors=61 readonly=0",
                   "--report", os.path.join(folder, "report"), *options]
        with open(said, "wb") as err, subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=err, stderr=err, start_new_session=True,
                env=environment(library, faults)) as child:
            try:
                status = child.wait(RUN_TIMEOUT)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                status = "no end"
        judge_run(folder, mode, status, text_of(serial), text_of(said), faults)
        return faults.count(), faults.done()


def judge_run(folder, mode, status, serial, said, faults):
    where = f"{faults.where()}: status {status}, said {said!r}"
    if mode == DIE and status == -signal.SIGILL and faults.done():
        pass  # the monitor itself
    elif status == 0:
        want("PASS blk" in serial or (faults.done() and "FAIL" in serial), f"{where}, {serial!r}")
    else:
        want(status in (1, 2, 3), where)
        want(re.search(r"^cloister", said, re.M), f"{where}: no reason is given")
        want(faults.done(), where)
    want("signal 6" not in said and "signal 11" not in said and "signal 31" not in said, where)
    left = set(os.listdir(folder)) - {"disk", "serial", "said", "faults", "report"}
    if mode == DIE:  # nobody is there to remove it
        left = {name for name in left if not name.startswith("report.")}
    want(not left, f"{where}: files left: {left}")


def check_start(program, library, guests, options, mode, stride):
    """Return: how many failures."""
    total, _ = run_once(program, library, guests, options, 0, mode)
    bad = 0

    def one(nth):
        try:
            run_once(program, library, guests, options, nth, mode)
        except Failed as failure:
            return f"call {nth} {MODES[mode]}: {failure}"
        return None

    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        for text in pool.map(one, range(1, total + 1, stride)):
            if text:
                bad += 1
                print(f"FAILED {' '.join(options)}: {text}", flush=True)
    wait_until(lambda: not left_behind(0), "processes left behind")
    print(f"{'FAILED' if bad else 'passed'} start {' '.join(options)}: "
          f"each {stride}. of {total} calls {MODES[mode]}")
    return bad


# --- life ---

class Daemon:
    def __init__(self, program, library, guests, folder):
        self.folder, self.guests = folder, guests
        self.faults = Faults(folder, program)
        self.socket = os.path.join(folder, "api")
        self.disk = write_disk(folder)
        self.more = os.path.join(folder, "more")
        with open(self.more, "wb") as f:
            f.truncate(1 << 20)
        with open(os.path.join(folder, "said"), "ab") as err:
            self.child = subprocess.Popen(
                mortal([program, "--api-socket", self.socket, "--no-shutdown", "--seccomp",
                        "trap"]), stdin=subprocess.DEVNULL,
                stdout=err, stderr=err, env=environment(library, self.faults), start_new_session=True)
        wait_until(lambda: os.path.exists(self.socket), "no socket")

    def said(self):
        return text_of(os.path.join(self.folder, "said"))[-600:]

    def state(self):
        """What must be the same after each life."""
        at = f"/proc/{self.child.pid}"
        return (len(os.listdir(at + "/fd")), len(os.listdir(at + "/task")),
                len(descendants(self.child.pid)))

    def settle(self, level, mode):
        """Lives without a fault. Return: what there is after one, and how many blocks of memory."""
        for _ in range(3):
            life_once(self, level, 0, mode)
        last = None
        while last != self.state():
            last = self.state()
            time.sleep(0.1)
        return last, self.faults.blocks()

    def end(self):
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()
        for name in ("api", "api.lock"):
            if os.path.exists(os.path.join(self.folder, name)):
                os.unlink(os.path.join(self.folder, name))


CALLS = [("PUT", "vm.boot", None), ("PUT", "vm.add-disk", "DISK"), ("PUT", "vm.pause", None),
         ("PUT", "vm.resume", None), ("PUT", "vm.remove-device", {"id": "more"}),
         ("PUT", "vm.shutdown", None), ("PUT", "vm.delete", None)]


def live(daemon, level, perfect):
    """One life. Faults: calls after a refused one are refused, too, or not; all are answered."""
    client = GoClient(daemon.socket)
    config = go_config(os.path.join(daemon.guests, "orphan.elf"), daemon.disk, "x", level)
    calls = [("PUT", "vm.create", config), *CALLS]
    for method, path, body in calls:
        if body == "DISK":
            body = {"path": daemon.more, "id": "more"}
        reply = client.call(method, path, body)
        if reply.status >= 300:
            want(not perfect, f"{path}: {reply.status} {reply.body}")
            want(reply.body, f"{path}: {reply.status} without a reason")
    client.close()


def life_once(daemon, level, after, mode):
    """A life with a fault and, if one came, a life without. Return: where it was, None: nowhere."""
    daemon.faults.arm(after, mode)
    try:
        live(daemon, level, not after)
        done = daemon.faults.done()
    except (ApiFailed, OSError) as failure:
        want(daemon.child.poll() is None,
             f"the daemon has ended with {daemon.child.poll()} after {failure}: {daemon.said()}")
        done = True  # a client's connection may be what failed
    where = daemon.faults.where() if done else None
    daemon.faults.stop()
    if where and where.startswith(("sendmsg in cl-spawner", "recvmsg in cl-spawner")):
        raise Replaced  # who can't talk to the monitor ends; no VM can be made any more
    if done:
        client = GoClient(daemon.socket)
        client.call("PUT", "vm.delete", None)  # whatever is left of it
        client.close()
        live(daemon, level, True)
    return where


def check_life(program, library, guests, level, mode, stride):
    bad, after, total = 0, 1, 0
    with tempfile.TemporaryDirectory(prefix="cloister-faults-") as folder:
        daemon = Daemon(program, library, guests, folder)
        before, blocks = daemon.settle(level, mode)
        while True:
            where = "?"
            open(os.path.join(folder, "said"), "wb").close()
            try:
                where = life_once(daemon, level, after, mode)
                if not where:
                    break
                total += 1
                end = time.monotonic() + 5
                while daemon.state() != before and time.monotonic() < end:
                    time.sleep(0.01)  # the other side of a closed connection
                want(daemon.state() == before,
                     f"descriptors, threads, processes {daemon.state()}, not {before}")
                want(daemon.faults.blocks() <= blocks + 8,
                     f"{daemon.faults.blocks()} blocks of memory, not {blocks}")
            except (Failed, ApiFailed, OSError, Replaced) as failure:
                if not isinstance(failure, Replaced):
                    bad += 1
                    where = daemon.faults.where() if where == "?" else where
                    print(f"FAILED life {level}: call {after} ({where}) {MODES[mode]}: {failure}", flush=True)
                daemon.end()
                daemon = Daemon(program, library, guests, folder)
                before, blocks = daemon.settle(level, mode)
            after += stride
        daemon.end()
    print(f"{'FAILED' if bad else 'passed'} life {level}: each {stride}. call {MODES[mode]}: {total}")
    return bad


def main():
    program, library, guests = (os.path.abspath(a) for a in sys.argv[1:4])
    stride = int(sys.argv[4]) if len(sys.argv) > 4 else STRIDE
    why = lacking_kvm() or (sanitized(program) and "the sanitizer has an allocator of its own")
    if why:
        print(f"skipped: {why}")
        return SKIP
    bad = 0
    only = sys.argv[5].split(",") if len(sys.argv) > 5 else []
    for mode, name in enumerate(("fail", "interrupt", "short", "die")):
        few = stride if mode in (FAIL, DIE) else max(1, stride // 4)  # of these there are not many
        for level in ("soft", "off"):
            if not only or only == ["start", level, name]:
                bad += check_start(program, library, guests, ["--confidential", level, "--seccomp", "trap"],
                                   mode, few)
            if mode != DIE and (not only or only == ["life", level, name]):
                bad += check_life(program, library, guests, level, mode, few)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
