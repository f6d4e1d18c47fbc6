# SPDX-License-Identifier: Apache-2.0
"""Debian's kernels: fetched as packages, kept in the cache, never installed or rebuilt.

A kernel is a directory of the cache with the files of its packages: up to 6.12 boot/vmlinuz-* and
lib/modules/RELEASE/, later both in usr/lib/modules/RELEASE/.
"""
import lzma
import pathlib
import re
import subprocess

import debian
from paths import CACHE, Failed, made_once, run

# name -> the packages that it can be; the newest is taken.
KERNELS = {
    "6.1": r"linux-image-6\.1\.\d[\d-]*-cloud-amd64",
    "6.12": r"linux-image-6\.12\.[\d.]+\+deb12-cloud-amd64",
    "7.3": r"linux-image-(7\.[3-9]|7\.\d\d|[89]\.\d+)\.[\d.]+\+deb13-cloud-amd64",
}
# The magic numbers of compressed kernels, and who unpacks them.
PACKED = {
    b"\x28\xb5\x2f\xfd": ("zstd", "-dcq", "--long=31"),
    b"\x02\x21\x4c\x18": ("lz4", "-dcq"),
    b"\x1f\x8b": ("gzip", "-dcq"),
    b"\xfd7zXZ\0": ("xz", "-dcq"),
}


class Kernel:
    def __init__(self, name, top):
        self.name, self.top = name, top
        (self.tree,) = [*top.glob("lib/modules/*"), *top.glob("usr/lib/modules/*")]
        self.release = self.tree.name
        inside = self.tree / "vmlinuz"
        self.image = inside if inside.exists() else top / "boot" / f"vmlinuz-{self.release}"

    def vmlinux(self):
        """The uncompressed ELF image, unpacked once."""
        return made_once(self.top / "vmlinux", lambda to: _unpack_image(self.image, to))

    def modules(self, *wanted):
        """The modules `wanted` and what they need, as [(name, bytes)] in the order of loading.

        What is built into this kernel is left out; a module that it has not at all is an error.
        """
        builtin = {pathlib.Path(line).name.removesuffix(".ko").replace("-", "_")
                   for line in (self.tree / "modules.builtin").read_text().split()}
        files = {f.name.split(".ko")[0].replace("-", "_"): f for f in self.tree.rglob("*.ko*")}
        done = {}

        def need(name):
            name = name.replace("-", "_")
            if name in builtin or name in done:
                return
            if name not in files:
                raise Failed(f"kernel {self.release} has no module {name}")
            data = files[name].read_bytes()
            if files[name].suffix == ".xz":
                data = lzma.decompress(data)
            for first in re.search(rb"\0depends=([^\0]*)\0", data)[1].decode().split(","):
                if first:
                    need(first)
            done[name] = data

        for name in wanted:
            need(name)
        return list(done.items())


def _unpack_image(image, to):
    data = image.read_bytes()
    start = (data[0x1F1] + 1) * 512 + int.from_bytes(data[0x248:0x24C], "little")
    length = int.from_bytes(data[0x24C:0x250], "little")
    payload = data[start:start + length - 4]  # the last four bytes are the unpacked size
    for magic, command in PACKED.items():
        if payload.startswith(magic):
            with open(to, "wb") as out:
                subprocess.run(command, input=payload, stdout=out, check=True)
            return
    raise Failed(f"{image}: payload of an unknown kind: {payload[:6].hex()}")


def get(name):
    """get() - the kernel `name` of KERNELS, from the cache or from its package. Return: Kernel"""
    if name not in KERNELS:
        raise Failed(f"no kernel {name}; there are: {', '.join(KERNELS)}")
    home = CACHE / "kernels" / name
    chosen = made_once(home / "chosen", lambda to: to.write_text(
        " ".join(debian.newest(KERNELS[name]))))
    package, version = chosen.read_text().split()
    top = made_once(home / version,
                    lambda to: debian.unpack(to, *debian.with_parts(package, version)))
    return Kernel(name, top)
