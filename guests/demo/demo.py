# SPDX-License-Identifier: Apache-2.0
"""The demo guest: its initramfs for one kernel, and its disk, made once into the cache."""
import hashlib
import random

import cpio
import kernels
from paths import CACHE, made_once

MODULES = ("virtio_pci", "virtio_blk", "virtio_rng", "virtio_console")
DISK_SIZE = 8 << 20


def initramfs(kernel, init):
    """initramfs() - the archive for `kernel` (a kernels.Kernel) with the program `init`."""
    data = init.read_bytes()
    digest = hashlib.sha256(data).hexdigest()[:16]

    def make(to):
        archive = cpio.Archive()
        archive.add_data("init", data, 0o755)
        archive.add_char("dev/console", 5, 1)
        for number, (name, module) in enumerate(kernel.modules(*MODULES)):
            archive.add_data(f"modules/{number:02}-{name}.ko", module)
        for empty in ("proc", "sys", "tmp"):
            archive.add_dir(empty)
        archive.write(to)

    return made_once(CACHE / "demo" / f"initramfs-{kernel.release}-{digest}.cpio", make)


def disk():
    """disk() - a raw image with fixed, incompressible contents."""
    return made_once(CACHE / "demo" / f"disk-{DISK_SIZE}.img", lambda to: to.write_bytes(
        random.Random("cloister").randbytes(DISK_SIZE)))
