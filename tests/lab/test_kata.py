# SPDX-License-Identifier: Apache-2.0
"""Kata's two runtimes, as tests/api/ has them, drive a stock kernel in the lab.

Run alone: python3 tests/lab/test_kata.py [WORD...], only rows whose "RUNTIME LEVEL" has all WORDs.
"""
import hashlib
import pathlib
import sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[2] / d) for d in ("scripts/lib",)]
import cpio
import kernels
import lab
from paths import CACHE, ROOT, main, made_once
from tally import Tally

HOST, GUEST = "7.3", "6.12"
ROWS = [("go", "off"), ("rust", "soft")]
MODULES = ("virtio_pci", "virtio_blk", "virtio_rng", "virtio_net", "vmw_vsock_virtio_transport", "button", "evdev")
PYTHON = "/usr/bin/python3.11"
LIBRARY = pathlib.Path("/usr/lib/python3.11")
# What the clients need of Python's library; the rest would only cost time to unpack.
PACKAGES = ("collections", "encodings", "importlib", "json", "re", "lib-dynload")
SCRIPT = """\
for module in /tun/*.ko; do insmod $module; done
mkdir -p /dev/net; [ -e /dev/net/tun ] || mknod /dev/net/tun c 10 200
while read -r runtime level; do
	echo "== $runtime $level"
	timeout -s INT 200 python3 /api/kata.py /bin/cloister $runtime $level /kernel /initramfs --xcr0-preset
	echo "status $?"
	dmesg | grep -i seccomp
done < /rows
"""


def sandbox_initramfs(kernel, init):
    data = init.read_bytes()
    digest = hashlib.sha256(data + " ".join(MODULES).encode()).hexdigest()[:16]

    def make(to):
        archive = cpio.Archive()
        archive.add_data("init", data, 0o755)
        archive.add_char("dev/console", 5, 1)
        for number, (name, module) in enumerate(kernel.modules(*MODULES)):
            archive.add_data(f"modules/{number:02}-{name}.ko", module)
        archive.write(to)

    return made_once(CACHE / "demo" / f"sandbox-{kernel.release}-{digest}.cpio", make)


def add_python(files):
    """The interpreter and as much of its library as the clients load."""
    files.add_program("bin/python3", PYTHON)
    files.add_file("usr/lib/x86_64-linux-gnu/libgcc_s.so.1", "/lib/x86_64-linux-gnu/libgcc_s.so.1")
    for source in sorted(LIBRARY.rglob("*")):
        inside = source.relative_to(LIBRARY)
        if source.suffix == ".so" and "lib-dynload" in inside.parts:
            files.add_program(str(source), source)
        elif source.suffix == ".py" and (len(inside.parts) == 1 or inside.parts[0] in PACKAGES):
            files.add_file(str(source), source)


def run(tally, build, words=()):
    """run() - make the rows that have all words in one lab, count each."""
    rows = [row for row in ROWS if all(word in " ".join(row) for word in words)]
    if not rows:
        return
    place = lab.Lab(HOST)
    kernel = kernels.get(GUEST)
    place.files.add_program("bin/cloister", build / "cloister")
    place.files.add_file("kernel", kernel.image)
    place.files.add_file("initramfs", sandbox_initramfs(kernel, build / "guests/sandbox/sandbox-init"))
    for number, (name, data) in enumerate(place.kernel.modules("tun")):
        place.files.add_data(f"tun/{number:02}-{name}.ko", data)
    add_python(place.files)
    for name in ("client.py", "kata.py"):
        place.files.add_file(f"api/{name}", ROOT / "tests/api" / name)
    place.files.add_data("rows", "".join(f"{runtime} {level}\n" for runtime, level in rows))
    try:
        parts = place.cases(SCRIPT)
    except lab.Crashed as crashed:
        tally.fails(f"lab {HOST}: Kata", crashed, count=len(rows))
        return
    for row in rows:
        part = parts.get(" ".join(row), "")
        name = f"lab {HOST}: Kata {' '.join(row)}"
        if "\nstatus 0\n" in part and f"PASS kata {' '.join(row)}\n" in part:
            tally.passes(name)
        else:
            tally.fails(name, "\n" + (part[-3000:] or "did not run"))


def body():
    tally = Tally()
    run(tally, ROOT / "build", sys.argv[1:])
    return tally.end()


if __name__ == "__main__":
    main(body)
