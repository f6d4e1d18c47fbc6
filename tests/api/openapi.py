#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/api.yaml against the daemon: Schemathesis makes requests of all kinds from the document, alone and in sequences
(the document's links say which call can follow which), and compares each answer with what the document promises.

Usage: openapi.py CLOISTER GUESTS_FOLDER CASE, or: openapi.py list
CLOISTER_REQUESTS: at least how many, 500 by default, which takes half a minute. Schemathesis is installed from PyPI into a folder of its own
(CLOISTER_CACHE); where that can't be had the test is skipped.
"""
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import venv

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "kvm"))

# pylint: disable=wrong-import-position
from client import ApiFailed, need
from common import SKIP
from life import run

VERSION = "4.32.5"
REQUESTS = int(os.environ.get("CLOISTER_REQUESTS", "500"))
CACHE = os.environ.get("CLOISTER_CACHE") or os.path.join(os.path.expanduser("~"), ".cache", "cloister")
DOCUMENT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/api.yaml")
# Not: statuses of a server at fault (500 is what cloud-hypervisor says to a wrong state), 405 (it says 400), and that
# whatever fits the schema is taken, as a path must also be there.
CHECKS = ("status_code_conformance", "content_type_conformance", "response_headers_conformance",
          "response_schema_conformance", "negative_data_rejection")
LIMIT = 900


def schemathesis():
    """Return: the program, installed once; None if it can't be had"""
    folder = os.path.join(CACHE, f"schemathesis-{VERSION}")
    program = os.path.join(folder, "bin", "schemathesis")
    if os.path.exists(os.path.join(folder, "complete")):
        return program
    try:
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([os.path.join(folder, "bin", "pip"), "install", "-q", f"schemathesis=={VERSION}"],
                       check=True, timeout=300, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
    except (OSError, subprocess.SubprocessError):
        return None
    with open(os.path.join(folder, "complete"), "w", encoding="ascii"):
        return program


class Bridge(threading.Thread):
    """A port of the loopback that leads to the daemon's socket; counts the answers."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.path, self.answers, self.lock = path, 0, threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def run(self):
        while True:
            client, _ = self.listener.accept()
            server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            server.connect(self.path)
            for pair in ((client, server, False), (server, client, True)):
                threading.Thread(target=self.carry, args=pair, daemon=True).start()

    def carry(self, source, sink, answers):
        try:
            while data := source.recv(65536):
                if answers:
                    with self.lock:
                        self.answers += len(re.findall(rb"(?:^|\n|\]|\}|^)HTTP/1\.1 \d", data))
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # one of them has gone


def tame(daemon, text):
    """The document with paths that mean something here, so that requests get far, and nothing else is touched."""
    extra = os.path.join(daemon.folder, "extra")
    with open(extra, "wb") as f:
        f.write(bytes(65536))
    places = {
        "kernel": [daemon.guest("secret"), daemon.guest("hello"), "/nowhere"],
        "path": [extra, daemon.disk, "/nowhere"],
        "src": ["/dev/urandom"],
        "file": [os.path.join(daemon.folder, "out2")],
        "socket": [os.path.join(daemon.folder, "vsock")],
        "initramfs": [extra],
        "tap": ["lo"],
    }
    for name, values in places.items():
        text = re.sub(rf"(\b{name}: {{type: string)(, nullable: true)?(, [^{{}}]*)?}}",
                      rf"\1, enum: [{', '.join(values)}]\2}}", text)
    return text


# What a VM's life is made of.
LIFE = ("vm.create", "vm.boot", "vm.info", "vm.counters", "vm.sharing", "vm.pause", "vm.resume", "vm.resize", "vm.shutdown",
        "vm.reboot", "vm.delete", "vm.add-disk", "vm.remove-device", "vm.resize-disk", "vm.power-button")


def narrow(text):
    """The document with only VMs that can be made, so that sequences get past vm.create."""
    text = text.replace("config: {$ref: \"#/components/schemas/VmConfig\"}", "config: {type: object}")
    before, name, schema = text.partition("    VmConfig:\n")
    keep = ("kernel", "boot_vcpus", "max_vcpus", "size", "overcommit", "src", "mode", "level")
    schema = re.sub(rf" +(?!(?:{'|'.join(keep)}):)[a-z_]+: {{.*\n", "", schema)
    schema = re.sub(r"\n( +)([a-z_]+):\n +type: object\n +nullable: true\n( +additionalProperties: false\n)? +properties:\n"
                    r"(?!\1 )", r"\n", schema)
    schema = schema.replace("required: [payload]", "required: [payload, cpus, memory, confidential]\n"
                            "      additionalProperties: false")
    for section, key in (("payload", "kernel"), ("cpus", "max_vcpus"), ("memory", "size"), ("confidential", "level")):
        schema = re.sub(rf"(        {section}:\n +type: object\n) +nullable: true\n( +additionalProperties: false\n)?",
                        rf"\1          required: [{key}]\n          additionalProperties: false\n", schema)
    for key, values in (("size", "67108864"), ("boot_vcpus", "1, 2"), ("max_vcpus", "3"), ("level", '"off", soft')):
        schema = re.sub(rf"( {key}: ){{.*", rf"\1{{enum: [{values}]}}", schema)
    schema = re.sub(r'(kernel: {type: string, enum: \[)([^,]*),.*', r"\1\2]}", schema)
    return before + name + schema


def examine(daemon, bridge, document, seed, *more):
    """Have Schemathesis compare a document with the daemon."""
    with tempfile.TemporaryDirectory(prefix="cloister-openapi-") as folder:
        path = os.path.join(folder, "api.yaml")
        with open(path, "w", encoding="utf-8") as f:
            f.write(document)
        done = subprocess.run(
            [schemathesis(), "run", path, "--url", f"http://127.0.0.1:{bridge.port}/api/v1", "--checks",
             ",".join(CHECKS), "--seed", str(seed), "--generation-database", "none",
             "--continue-on-failure", "--suppress-health-check", "all", "--warnings", "off", "--output-truncate",
             "false", *more],
            cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT, check=False)
    print(done.stdout[-6000:], done.stderr[-2000:])
    need(daemon.child.poll() is None, "the daemon has died")
    need(done.returncode == 0, "the document and the daemon differ")


def case_document(daemon):
    if not schemathesis():
        raise NotImplementedError("Schemathesis can't be had from PyPI")
    bridge = Bridge(daemon.socket)
    bridge.start()
    with open(DOCUMENT, encoding="utf-8") as f:
        document = f.read()
    alone = 0
    for seed in range(1, 20):
        before = bridge.answers
        examine(daemon, bridge, document, seed, "--exclude-path", "/vmm.shutdown", "--phases", "coverage,fuzzing",
                "--max-examples", str(max(REQUESTS // 100, 2)))
        alone += bridge.answers - before
        examine(daemon, bridge, narrow(tame(daemon, document)), seed, "--phases", "stateful", "--mode", "positive",
                "--max-examples", str(max(REQUESTS // 15, 10)),
                *(word for call in LIFE for word in ("--include-path", "/" + call)))
        if bridge.answers >= REQUESTS:
            break
    print(f"{bridge.answers} requests were answered, {bridge.answers - alone} of them in sequences")
    need(bridge.answers >= REQUESTS, f"only {bridge.answers} requests")


def main():
    try:
        return run({"document": case_document}, {"document": ["--no-shutdown"]})
    except NotImplementedError as why:
        print(f"skipped: {why}")
        return SKIP


if __name__ == "__main__":
    sys.exit(main())
