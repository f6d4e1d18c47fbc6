# SPDX-License-Identifier: Apache-2.0
"""The host's side of vsock: what Kata and others do with the socket."""
import os
import socket
import threading
import time


class Refused(Exception):
    """Nobody listens in the guest."""


def unix(path, seconds=10):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.settimeout(seconds)
    s.connect(path)
    return s


def connect(path, port, word="CONNECT", seconds=10):
    """Open a stream to a port of the guest's. Return: the socket, its port."""
    s = unix(path, seconds)
    s.sendall(f"{word} {port}\n".encode())
    line = b""
    while not line.endswith(b"\n"):
        got = s.recv(1)
        if not got:
            s.close()
            raise Refused(line)
        line += got
    ok, own = line.split()
    assert ok == b"OK" and int(own) >= 1 << 30, line
    return s, int(own)


def connect_soon(path, port, word="CONNECT", seconds=30):
    """The same as soon as somebody is there."""
    end = time.monotonic() + seconds
    while True:
        try:
            return connect(path, port, word)
        except (OSError, Refused):
            if time.monotonic() > end:
                raise
            time.sleep(0.02)


def receive(s, n):
    data = b""
    while len(data) < n:
        got = s.recv(min(65536, n - len(data)))
        assert got, f"ended after {len(data)} of {n} bytes"
        data += got
    return data


def serve(path, port, handle):
    """Call handle(socket) in a thread for each connection of the guest's to a port."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(f"{path}_{port}")
    listener.listen(128)

    def one(s):
        with s:
            handle(s)

    def accept():
        while True:
            try:
                s, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=one, args=(s,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return listener


def echo(s):
    while data := s.recv(65536):
        s.sendall(data)


def pattern(n, seed):
    return bytes((i * 13 + seed + (i >> 9)) & 0xFF for i in range(n))


def talk(path, port, word, n):
    """Send n bytes that must come back, then end. In one piece: the guest has little room."""
    s, _ = connect_soon(path, port, word)
    data = pattern(n, len(word))
    with s:
        sender = threading.Thread(target=s.sendall, args=(data,), daemon=True)
        sender.start()
        assert receive(s, n) == data, "other bytes came back"
        sender.join()
        s.shutdown(socket.SHUT_WR)
        assert s.recv(1) == b"", "no end after the last byte"


def left(path):
    return [name for name in os.listdir(os.path.dirname(path)) if name == os.path.basename(path)]
