#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""QEMU as vhost-user front end of `cloister device net`: a stock kernel on two pairs of queues.

The guest and what it must say are those of tests/lab/test_net.py. Emulation only (no KVM); in a
network namespace of this test's own. Exit status 77: no QEMU, no taps, or no kernel in the cache.
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP / d) for d in ("scripts/lib", "tests/lab", "tests/kvm", "tests/interop")]
# pylint: disable=wrong-import-position
import kernels
import test_net
from net import own_network
from paths import CACHE
from qemu_blk import wait_for

PAIRS = 2


def lacking():
    if not shutil.which("qemu-system-x86_64"):
        return "qemu-system-x86_64 is not installed"
    if not shutil.which("busybox"):
        return "busybox is not installed"
    if not (CACHE / "kernels" / test_net.GUEST / "chosen").exists():
        return f"kernel {test_net.GUEST} is not in the cache; `scripts/test` fetches it"
    return own_network()


def run_qemu(folder, socket):
    # thread=single: with a thread for each processor a stock kernel dies at boot now and then
    # vectors=0: QEMU 7.2 crashes under TCG with the MSI-X vectors of a vhost-user net device
    return subprocess.run(
        ["qemu-system-x86_64", "-accel", "tcg,thread=single", "-smp", str(PAIRS), "-m", "256",
         "-nodefaults", "-display", "none", "-no-reboot", "-serial", f"file:{folder}/serial",
         "-object", "memory-backend-memfd,id=m,size=256M,share=on", "-numa", "node,memdev=m",
         "-kernel", str(kernels.get(test_net.GUEST).image), "-initrd", str(folder / "initramfs"),
         "-append", "console=ttyS0 quiet panic=-1 cryptomgr.notests",
         "-chardev", f"socket,id=c,path={socket}",
         "-netdev", f"vhost-user,id=n,chardev=c,queues={PAIRS}",
         "-device", f"virtio-net-pci,netdev=n,mac={test_net.MAC},host_mtu={test_net.MTU},mq=on,"
                    "vectors=0,romfile="],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=250, check=False)


def sums(path):
    if not path.exists():
        return "nothing"
    return subprocess.run(f"sha256sum < {path}", shell=True, text=True, capture_output=True,
                          check=True).stdout.strip()


def try_in(folder, cloister):
    socket, www = folder / "socket", folder / "www"
    www.mkdir()
    (www / "down").write_bytes(bytes(range(256)) * (test_net.SIZE // 256))
    test_net.initramfs().write(folder / "initramfs")
    net = f"tap=tap0,ip=10.9.0.1,mask=255.255.255.0,mtu={test_net.MTU},num_queues={2 * PAIRS}"
    fetch = f"until busybox wget -q -O {folder}/up http://10.9.0.2/up; do sleep 1; done; " \
            f"touch {www}/done"
    with subprocess.Popen(
            [cloister, "device", "net", "--socket", socket, "--net", net, "--once",
             "--best-effort"], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
            text=True) as device, \
            subprocess.Popen(["busybox", "httpd", "-f", "-p", "80", "-h", www]) as server, \
            subprocess.Popen(["sh", "-c", fetch], stderr=subprocess.DEVNULL) as fetcher:
        try:
            wait_for(socket, device)
            qemu = run_qemu(folder, socket)
            said = device.communicate(timeout=10)[1]
        finally:
            for process in (device, server, fetcher):
                process.kill()
    serial = (folder / "serial").read_text(errors="replace").replace("\r", "")
    text = f"status {qemu.returncode}\n{serial}\nhost: received {sums(folder / 'up')}\n" \
           f"host: sent {sums(www / 'down')}\n"
    print(f"{text}\nqemu: {qemu.stderr}\ndevice: status {device.returncode} {said}")
    broken = [what for holds, what in test_net.judge(text, PAIRS) if not holds]
    assert not broken, broken
    assert device.returncode == 0
    assert re.search(r"net: counters", serial)


if __name__ == "__main__":
    why = lacking()
    if why:
        print(f"skip: {why}")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as made:
        try_in(pathlib.Path(made), sys.argv[1])
