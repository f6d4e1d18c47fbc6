# SPDX-License-Identifier: Apache-2.0
"""Writing initramfs archives (cpio "newc"), and what goes into them.

The archive is a function of what was added: no times, no owners, no order of a directory.
"""
import pathlib
import re
import stat
import subprocess

from paths import Failed


class Archive:
    """An initramfs under construction. add_*() make missing parent directories."""

    def __init__(self):
        self._files = {}

    def _put(self, path, mode, data=b"", device=(0, 0)):
        path = path.strip("/")
        parent = str(pathlib.PurePosixPath(path).parent)
        if parent != "." and parent not in self._files:
            self._put(parent, stat.S_IFDIR | 0o755)
        self._files[path] = (mode, data, device)

    def add_dir(self, path):
        self._put(path, stat.S_IFDIR | 0o755)

    def add_data(self, path, data, mode=0o644):
        self._put(path, stat.S_IFREG | mode, data.encode() if isinstance(data, str) else data)

    def add_file(self, path, source):
        source = pathlib.Path(source)
        self.add_data(path, source.read_bytes(), stat.S_IMODE(source.stat().st_mode) | 0o444)

    def add_link(self, path, target):
        self._put(path, stat.S_IFLNK | 0o777, target.encode())

    def add_char(self, path, major, minor):
        self._put(path, stat.S_IFCHR | 0o600, device=(major, minor))

    def add_program(self, path, source):
        """add_program() - an executable and the shared libraries that it needs, at their paths.

        Those too that it loads when needed, whose file names stand in it as strings.
        """
        self.add_file(path, source)
        listed = subprocess.run(["ldd", str(source)], capture_output=True, text=True)
        if listed.returncode and "not a dynamic" not in listed.stderr + listed.stdout:
            return  # a script, or built for something else
        if "not found" in listed.stdout:
            raise Failed(f"{source}: missing libraries:\n{listed.stdout}")
        for library in re.findall(r"(/\S+) \(0x", listed.stdout):
            self.add_file(library, library)
            folder = pathlib.Path(library).parent
            for name in re.findall(rb"\0(lib\w+\.so\.\d+)(?=\0)", self._files[path.strip("/")][1]):
                if (folder / name.decode()).exists():
                    self.add_file(str(folder / name.decode()), folder / name.decode())

    def write(self, to):
        """write() - the archive into the file `to`, padded so that another may follow it."""
        with open(to, "wb") as out:
            names = sorted(self._files) + ["TRAILER!!!"]
            for number, name in enumerate(names, 1):
                mode, data, device = self._files.get(name, (0, b"", (0, 0)))
                raw = name.encode() + b"\0"
                fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(raw), 0)
                head = b"070701" + b"".join(b"%08X" % f for f in fields) + raw
                out.write(head + b"\0" * (-len(head) % 4))
                out.write(data)
                out.write(b"\0" * (-len(data) % 4))
            out.write(b"\0" * (-out.tell() % 512))
