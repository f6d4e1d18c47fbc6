#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is counted of a VM: vm.counters, GET /metrics and `ctl top` against what the guest does.

Usage: metrics.py CLOISTER GUESTS_FOLDER CASE, or: metrics.py list
"""
import os
import re
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "kvm"))

# pylint: disable=wrong-import-position
from client import GoClient, connect, go_config, need
from disks import blk_process
from life import expect, run

ROUNDS, REQUESTS = 4, 50
SAMPLE = re.compile(r'cloister_([a-z_]+)((?:\{[a-z]+="[^"]*"(?:,[a-z]+="[^"]*")*\})?) (\S+)')
KINDS = ("counter", "gauge", "histogram")


def scrape(daemon):
    """GET /metrics. Return: {name: {labels: value}}; every line must be as the format wants it."""
    sock = connect(daemon.socket)
    sock.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    data = b""
    while chunk := sock.recv(65536):
        data += chunk
    sock.close()
    head, _, body = data.decode("ascii").partition("\r\n\r\n")
    need(head.startswith("HTTP/1.1 200 "), head)
    need("Content-Type: text/plain; version=0.0.4" in head.split("\r\n"), head)
    kinds, found = {}, {}
    for line in body.splitlines():
        if line.startswith("# TYPE cloister_"):
            name, kind = line.removeprefix("# TYPE cloister_").split(" ")
            need(kind in KINDS and name not in kinds, f"not as it should be: {line}")
            kinds[name] = kind
        elif not line.startswith("# HELP "):
            match = SAMPLE.fullmatch(line)
            need(match, f"not a sample: {line}")
            name, labels, value = match.groups()
            family = list(kinds)[-1]  # samples follow their family
            suffix = name.removeprefix(family)
            need(name.startswith(family) and suffix in
                 (("_bucket", "_sum", "_count") if kinds[family] == "histogram" else ("",)),
                 f"not in a family: {line}")
            need(labels not in found.setdefault(name, {}), f"twice: {line}")
            found[name][labels] = float(value)
    return found


def check_histogram(found, labels):
    """Buckets grow, and the last one is the count."""
    inner = labels[1:-1]
    buckets = [(k, v) for k, v in found["queue_latency_seconds_bucket"].items()
               if k.startswith("{" + inner + ",le=")]
    need(len(buckets) == 24 and '+Inf' in buckets[-1][0], f"buckets {buckets}")
    values = [v for _, v in buckets]
    need(values == sorted(values), f"buckets {values}")
    need(values[-1] == found["queue_latency_seconds_count"][labels], "the histogram's count")


def check_same(found, counters):
    """Both forms say the same of a VM that stands still."""
    disk, name = counters["_disk0"], '{device="_disk0",queue="0"}'
    for key, family in (("requests", "requests"), ("errors", "errors"), ("refused", "refused"),
                        ("interrupts", "interrupts")):
        need(found[f"queue_{family}_total"][name] == disk[key], f"{key}: {found} {disk}")
    for direction, ops, size in (("in", "read_ops", "read_bytes"),
                                 ("out", "write_ops", "write_bytes")):
        label = name[:-1] + f',direction="{direction}"}}'
        need(found["queue_operations_total"][label] == disk[ops], f"{ops}: {disk}")
        need(found["queue_bytes_total"][label] == disk[size], f"{size}: {disk}")
        need(disk[size] == disk[ops] * 512, f"requests of a sector each: {disk}")
    check_histogram(found, name)
    reasons = {k: v for k, v in found["vcpu_exits_total"].items() if 'vcpu="0"' in k}
    need(len(reasons) >= 7 and sum(reasons.values()) == counters["vcpu0"]["exits"], f"{reasons}")
    need(counters["vcpu0"]["port"] > 0 and counters["vcpu0"]["stopped"] > 0, f"{counters}")
    memory = counters["memory"]
    need(found["memory_bytes"]['{state="shared"}'] == memory["shared"] and
         found["conversions_total"][""] == memory["conversions"], f"memory {memory}")
    need(set(counters["launch"]) == {re.search('"(.*)"', k)[1] + "_us"
                                     for k in found["launch_seconds"]}, "launch")


def check_top(daemon):
    program = daemon.program
    said = subprocess.run([program, "ctl", "--api-socket", daemon.socket, "top", "1"],
                          capture_output=True, text=True, check=False, timeout=30)
    need(said.returncode == 0, f"top: {said.stderr}")
    need(re.search(r"^vcpu0 +\d+", said.stdout, re.M), f"top: {said.stdout}")
    need(re.search(r"^_disk0 +\d+", said.stdout, re.M), f"top: {said.stdout}")


def case_counters(level):
    """A guest of known requests; the disk's process is killed once and its successor counts on."""
    def case(daemon):
        client = GoClient(daemon.socket)
        need(list(scrape(daemon)) == ["info"], "more than there is without a VM")
        config = go_config("", daemon.disk, "", level)
        config["payload"] = {"kernel": daemon.guest("storm"),
                             "cmdline": f"rounds={ROUNDS} requests={REQUESTS} grow=1"}
        config["disks"][0]["readonly"] = False
        expect(client.call("PUT", "vm.create", config), 204)
        expect(client.call("PUT", "vm.boot"), 204)
        before = 0
        for i in range(ROUNDS):
            daemon.until(lambda: f"ROUND {i}" in daemon.text("out"), "no next round")
            expect(client.call("PUT", "vm.pause"), 204)
            counters = expect(client.call("GET", "vm.counters"), 200).json()
            need(all(isinstance(v, int) for o in counters.values() for v in o.values()),
                 f"not an object of objects of integers: {counters}")
            check_same(scrape(daemon), counters)
            need(counters["_disk0"]["requests"] >= before, "a counter went back")
            before = counters["_disk0"]["requests"]
            if i == ROUNDS // 2:
                old = blk_process(daemon)
                os.kill(old, signal.SIGKILL)
                daemon.until(lambda: blk_process(daemon) not in (None, old), "no other process")
            expect(client.call("PUT", "vm.resume"), 204)
        daemon.until(lambda: "CAPACITY" in daemon.text("out"), "the guest is not done")
        check_top(daemon)
        disk = expect(client.call("GET", "vm.counters"), 200).json()["_disk0"]
        done = disk["read_ops"] + disk["write_ops"]
        need(ROUNDS * REQUESTS <= done <= disk["requests"], f"requests of the guest: {disk}")
        need(disk["errors"] == disk["refused"] == 0 and disk["deaths"] == 1, f"{disk}")
        need(disk["latency_avg_ns"] > 0, f"{disk}")
        expect(client.call("PUT", "vm.delete"), 204)
        need(list(scrape(daemon)) == ["info"], "more than there is without a VM")
    return case


CASES = {"counters_off": case_counters("off"), "counters_soft": case_counters("soft")}

if __name__ == "__main__":
    sys.exit(run(CASES, {}))
