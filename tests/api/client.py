# SPDX-License-Identifier: Apache-2.0
"""Clients of the REST API that send what Kata's two runtimes send, byte for byte, and are as strict
about the answer as they are."""
import array
import json
import os
import re
import socket

TIMEOUT = 30 * int(os.environ.get("CLOISTER_PATIENCE", "1"))  # as in tests/kvm/common.py


class ApiFailed(Exception):
    pass


def need(condition, text):
    if not condition:
        raise ApiFailed(text)


class Reply:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers  # name as sent -> value
        self.body = body  # bytes, None: none

    def json(self):
        return json.loads(self.body)

    def code(self):
        return self.headers.get("X-Cloister-Error")


def connect(path):
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(TIMEOUT)
    sock.connect(path)
    return sock


def rights(fds):
    return [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []


def read_reply(sock, rest=b""):
    """One reply. Return: it, and what came after it."""
    data = rest
    while b"\r\n\r\n" not in data:
        chunk = sock.recv(256)
        need(chunk, f"the server closed the connection; so far {data!r}")
        chunk.decode("ascii")
        data += chunk
    head, _, data = data.partition(b"\r\n\r\n")
    lines = head.decode("ascii").split("\r\n")
    match = re.fullmatch(r"HTTP/1\.1 (\d{3}) (Too Many Requests)?", lines[0])
    need(match, f"status line {lines[0]!r}")
    need(bool(match.group(2)) == (match.group(1) == "429"), f"reason phrase: {lines[0]!r}")
    headers = dict(line.split(": ", 1) for line in lines[1:])
    status = int(match.group(1))
    if "Content-Length" not in headers:
        need(status in (100, 204), f"no Content-Length at {status}")
        return Reply(status, headers, None), data
    need(status != 204, "Content-Length at 204")
    need(headers.get("Content-Type") == "application/json", f"headers {headers}")
    length = int(headers["Content-Length"])
    while len(data) < length:
        chunk = sock.recv(65536)
        need(chunk, "the server closed the connection in a body")
        data += chunk
    body = data[:length]
    body.decode("ascii")
    if status >= 400:
        texts = json.loads(body)
        need(isinstance(texts, list) and texts and all(isinstance(t, str) for t in texts),
             f"not an array of strings: {body!r}")
        need(headers.get("X-Cloister-Error"), "no X-Cloister-Error")
    return Reply(status, headers, body), data[length:]


class GoClient:
    """The Go runtime: one keep-alive connection, and one of its own per request with descriptors."""

    def __init__(self, path):
        self.path = path
        self.sock = connect(path)

    def close(self):
        self.sock.close()

    def call(self, method, name, body=None, answered=False):
        """answered: the call expects JSON back, and says so."""
        data = b"" if body is None else json.dumps(
            body, sort_keys=True, separators=(",", ":")).encode() + b"\n"
        head = f"{method} /api/v1/{name} HTTP/1.1\r\nHost: localhost\r\n" \
               "User-Agent: OpenAPI-Generator/1.0.0/go\r\n"
        if method == "PUT":
            head += f"Content-Length: {len(data)}\r\n"
        if method == "GET" or answered:
            head += "Accept: application/json\r\n"
        if data:
            head += "Content-Type: application/json\r\n"
        head += "Accept-Encoding: gzip\r\n\r\n"
        self.sock.sendall(head.encode() + data)
        reply, rest = read_reply(self.sock)
        need(not rest, f"more than one reply: {rest!r}")
        return reply

    def call_with_fds(self, name, body, fds):
        data = json.dumps(body, sort_keys=True, separators=(",", ":")).encode()
        head = f"PUT /api/v1/{name} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n" \
               f"Content-Length: {len(data)}\r\nContent-Type: application/json\r\n\r\n"
        with connect(self.path) as sock:
            sock.sendmsg([head.encode() + data], rights(fds))
            return read_reply(sock)[0]


class RustClient:
    """The Rust runtime: one connection for life, requests in pieces, descriptors on the first."""

    def __init__(self, path):
        self.sock = connect(path)

    def close(self):
        self.sock.close()

    def call(self, method, name, body=None, answered=False):
        del answered
        return self.call_with_fds(name, body, (), method)

    def call_with_fds(self, name, body, fds, method="PUT"):
        head = f"{method} /api/v1/{name} HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n"
        self.sock.sendmsg([head.encode()], rights(fds))
        data = None if body is None else json.dumps(body, indent=2).encode()
        if data is not None:
            self.sock.sendall(b"Content-Length: %d\r\n" % len(data))
        self.sock.sendall(b"\r\n")
        if data is not None:
            self.sock.sendall(data)
        reply, rest = read_reply(self.sock)
        need(not rest, f"more than one reply: {rest!r}")
        return reply


def go_config(kernel, disk, cmdline, level=None):
    """The Go runtime's VmConfig; the vsock device is for tests of it to add."""
    config = {
        "cpus": {"boot_vcpus": 1, "max_vcpus": 2, "kvm_hyperv": False, "nested": True,
                 "topology": {"threads_per_core": 1, "cores_per_die": 2, "dies_per_package": 1,
                              "packages": 1}},
        "memory": {"size": 64 << 20, "hotplug_size": 2 << 30, "hotplug_method": "Acpi",
                   "shared": False, "hugepages": False, "mergeable": False, "prefault": False,
                   "thp": True},
        "payload": {"kernel": kernel, "cmdline": cmdline},
        "platform": {"num_pci_segments": 2, "tdx": False, "sev_snp": False},
        "disks": [{"path": disk, "readonly": True, "image_type": "Raw", "direct": False,
                   "iommu": False, "num_queues": 1, "queue_size": 128, "vhost_user": False,
                   "backing_files": False, "sparse": True}],
        "rng": {"src": "/dev/urandom", "iommu": False},
        "serial": {"mode": "Tty", "iommu": False}, "console": {"mode": "Off", "iommu": False},
        "balloon": {"size": 0, "free_page_reporting": True},
        "iommu": False, "watchdog": False, "pvpanic": False, "landlock_enable": False,
    }
    if level:
        config["confidential"] = {"level": level}
    return config


def go_config_lean(*args):
    """go_config() without the balloon: for tests that count devices and their places."""
    return {**go_config(*args), "balloon": None}


def rust_config(kernel, disk, cmdline, level=None):
    """The Rust runtime's VmConfig with its explicit nulls, without what Cloister has not yet."""
    config = {
        "cpus": {"boot_vcpus": 1, "max_vcpus": 2, "max_phys_bits": 46, "kvm_hyperv": False,
                 "topology": {"threads_per_core": 1, "cores_per_die": 2, "dies_per_package": 1,
                              "packages": 1}, "features": {"amx": False}, "affinity": None},
        "memory": {"size": 64 << 20, "mergeable": False, "hotplug_method": "Acpi",
                   "hotplug_size": 8 << 30, "shared": True, "hugepages": False,
                   "prefault": False, "zones": None},
        "payload": {"firmware": None, "kernel": kernel, "cmdline": cmdline, "initramfs": None,
                    "mrconfigid": None, "host_data": None},
        "disks": [{"path": disk, "readonly": True, "direct": False, "iommu": False,
                   "num_queues": 1, "queue_size": 128, "vhost_user": False,
                   "vhost_socket": None, "rate_limiter_config": None, "id": None,
                   "disable_io_uring": False, "pci_segment": 0, "image_type": "Unknown"}],
        "rng": {"src": "/dev/urandom", "iommu": False}, "fs": [], "devices": [], "pmem": None,
        "serial": {"file": None, "mode": "Tty", "iommu": False},
        "console": {"file": None, "mode": "Off", "iommu": False},
        "vsock": None, "iommu": False, "watchdog": False,
    }
    if level:
        config["confidential"] = {"level": level}
    return config
