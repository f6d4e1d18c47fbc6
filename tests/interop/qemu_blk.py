#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""QEMU as vhost-user front end of `cloister device blk`: firmware boots from the disk.

The disk's first sector is a program that reads sector 5 and writes it to sector 7 through the
firmware's virtio-blk driver, prints four bytes of it on the serial port and ends QEMU. Emulation
only (no KVM), about two seconds. Exit status 77: there is no QEMU here.
"""
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import time

MARK = b"CLoister"
EXIT = 0x10  # isa-debug-exit makes this status 2 * EXIT + 1


def boot_sector():
    dap = 0x7D00
    code = bytes.fromhex("fa 31c0 8ed8 8ed0 bc007c fb")  # cli; ds = ss = 0; sp = 0x7c00; sti
    for at, function in ((dap, 0x4200), (dap + 16, 0x4300)):
        # mov si, at; mov ax, function; int 0x13 (extended read, extended write)
        code += b"\xbe" + struct.pack("<H", at) + b"\xb8" + struct.pack("<H", function) + b"\xcd\x13"
    # si = 0x8000; cx = 4; dx = 0x3f8; lodsb; out dx, al; loop
    code += bytes.fromhex("be0080 b90400 baf803 ac ee e2fc")
    code += b"\xba\xf4\x00\xb0" + bytes([EXIT]) + b"\xee\xf4"  # dx = 0xf4; al = EXIT; out; hlt
    packets = b"".join(struct.pack("<BBHHHQ", 16, 0, 1, 0x8000, 0, lba) for lba in (5, 7))
    return (code.ljust(0x100, b"\0") + packets).ljust(510, b"\0") + b"\x55\xaa"


def wait_for(path, process):
    for _ in range(500):
        if path.exists():
            return
        if process.poll() is not None:
            break
        time.sleep(0.01)
    sys.exit(f"cloister device did not listen: {process.stderr.read()}")


def run_qemu(folder, socket):
    return subprocess.run(
        ["qemu-system-x86_64", "-accel", "tcg", "-m", "64", "-nodefaults", "-display", "none",
         "-no-reboot", "-serial", f"file:{folder}/serial",
         "-object", "memory-backend-memfd,id=m,size=64M,share=on", "-numa", "node,memdev=m",
         "-chardev", f"socket,id=c,path={socket}",
         "-device", "vhost-user-blk-pci,chardev=c,num-queues=2,bootindex=1",
         "-device", "isa-debug-exit,iobase=0xf4"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)


def try_in(folder, cloister):
    disk, socket = folder / "disk", folder / "socket"
    data = bytearray(1 << 20)
    data[0:512] = boot_sector()
    data[5 * 512:6 * 512] = MARK * 64
    disk.write_bytes(data)
    with subprocess.Popen(
            [cloister, "device", "blk", "--socket", socket, "--path", disk, "--num-queues", "2",
             "--once", "--best-effort"],
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as device:
        try:
            wait_for(socket, device)
            qemu = run_qemu(folder, socket)
            said = device.communicate(timeout=10)[1]
        finally:
            device.kill()
    serial = (folder / "serial").read_bytes()
    after = disk.read_bytes()
    print(f"qemu: status {qemu.returncode} {qemu.stderr}device: status {device.returncode} {said}")
    assert qemu.returncode == 2 * EXIT + 1
    assert serial == MARK[:4], serial
    assert after[7 * 512:8 * 512] == MARK * 64
    assert after[:7 * 512] == data[:7 * 512] and after[8 * 512:] == data[8 * 512:]
    assert device.returncode == 0
    assert not socket.exists()


if __name__ == "__main__":
    if not shutil.which("qemu-system-x86_64"):
        print("skip: qemu-system-x86_64 is not installed")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as made:
        try_in(pathlib.Path(made), sys.argv[1])
