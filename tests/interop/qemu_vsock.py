#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""QEMU as vhost-user front end of `cloister device vsock`: a stock kernel's streams, both ways.

The guest and the host's end are those of tests/lab/test_vsock.py, with fewer connections. Emulation
only (no KVM). Usage: qemu_vsock.py CLOISTER GUESTS_FOLDER. Exit status 77: no QEMU, or no kernel in
the cache.
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP / d) for d in ("scripts/lib", "tests/lab", "tests/interop")]
# pylint: disable=wrong-import-position
import kernels
import test_vsock
from paths import CACHE
from qemu_blk import wait_for

SHORT, LONG = 100, 8 << 20  # connections, and bytes on one, each way


def lacking():
    if not shutil.which("qemu-system-x86_64"):
        return "qemu-system-x86_64 is not installed"
    if not (CACHE / "kernels" / test_vsock.GUEST / "chosen").exists():
        return f"kernel {test_vsock.GUEST} is not in the cache; `scripts/test` fetches it"
    return ""


def run_qemu(folder, socket):
    return subprocess.run(
        ["qemu-system-x86_64", "-accel", "tcg", "-m", "256", "-nodefaults", "-display", "none",
         "-no-reboot", "-serial", f"file:{folder}/serial",
         "-object", "memory-backend-memfd,id=m,size=256M,share=on", "-numa", "node,memdev=m",
         "-kernel", str(kernels.get(test_vsock.GUEST).image),
         "-initrd", str(folder / "initramfs"), "-append",
         f"console=ttyS0 quiet panic=-1 cryptomgr.notests short={SHORT} long={LONG}",
         "-chardev", f"socket,id=c,path={socket}", "-device", "vhost-user-vsock-pci,chardev=c"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=150, check=False)


def try_in(folder, cloister, guests):
    socket, streams = folder / "socket", folder / "vsock"
    test_vsock.initramfs(guests.parent).write(folder / "initramfs")
    with subprocess.Popen(
            [cloister, "device", "vsock", "--socket", socket, "--vsock", f"cid=3,socket={streams}",
             "--once", "--best-effort"], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
            text=True) as device, \
            subprocess.Popen([guests / "streams/streams-host", streams, str(SHORT), str(LONG)],
                             stdout=subprocess.PIPE, text=True) as host:
        try:
            wait_for(socket, device)
            qemu = run_qemu(folder, socket)
            host_said = host.communicate(timeout=10)[0]
            said = device.communicate(timeout=10)[1]
        finally:
            for process in (device, host):
                process.kill()
    serial = (folder / "serial").read_text(errors="replace").replace("\r", "")
    print(f"{serial}\n{host_said}\nqemu: status {qemu.returncode} {qemu.stderr}\n"
          f"device: status {device.returncode} {said}")
    done = rf"short {SHORT} failed 0 in [\d.]+ s, long {LONG} right"
    assert qemu.returncode == 0
    assert re.search(f"^guest: {done}", serial, re.M)
    assert re.search(f"^host: {done}", host_said, re.M)
    assert host.returncode == 0
    assert device.returncode == 0
    assert not streams.exists() and not socket.exists()


if __name__ == "__main__":
    why = lacking()
    if why:
        print(f"skip: {why}")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as made:
        try_in(pathlib.Path(made), sys.argv[1], pathlib.Path(sys.argv[2]))
