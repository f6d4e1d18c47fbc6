# SPDX-License-Identifier: Apache-2.0
"""vsock with a stock kernel, in the lab: hundreds of short connections, and long ones, both ways.

Run alone: python3 tests/lab/test_vsock.py [LEVEL...] [CONNECTIONS], such as soft 10000
"""
import pathlib
import re
import sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[2] / d) for d in ("scripts/lib",)]
import cpio
import kernels
import lab
from paths import ROOT, main
from tally import Tally

HOST, GUEST = "7.3", "6.12"
LONG = 64 << 20  # bytes each way, on one connection
LEVELS = ("off", "soft")
SHORT = 200  # connections each way
LIMIT = 200  # seconds of one boot, and some for more connections
SCRIPT = f"""\
while read -r level short; do
	echo "== $level"
	streams-host /vsock $short {LONG} & host=$!
	timeout $(({LIMIT} + short / 20)) cloister run --kernel /vmlinuz --initramfs /initramfs --confidential $level \\
		--cmdline "console=ttyS0 quiet panic=-1 cryptomgr.notests short=$short long={LONG}" \\
		--memory size=256M --vsock cid=3,socket=/vsock --report /report --serial file=/serial --xcr0-preset < /dev/null
	echo "status $?"
	kill $! 2> /dev/null
	wait $host
	echo "host status $?"
	tr -d '\\r' < /serial
	[ -e /vsock ] && echo "the socket is left behind"
done < /cases
"""


def initramfs(build):
    archive = cpio.Archive()
    archive.add_file("init", build / "guests/streams/streams-init")
    archive.add_char("dev/console", 5, 1)
    modules = kernels.get(GUEST).modules("virtio_pci", "vmw_vsock_virtio_transport")
    for number, (name, data) in enumerate(modules):
        archive.add_data(f"modules/{number:02}-{name}.ko", data)
    return archive


def judge(part, short):
    """judge() - [(holds, what)] of the output of one boot."""
    done = rf"short {short} failed 0 in [\d.]+ s, long {LONG} right"
    return [("\nstatus 0\n" in part, "the guest powers off"),
            ("host status 0\n" in part, "the host's end is content"),
            (re.search(f"host: {done}", part), "what the host opens works"),
            (re.search(f"guest: {done}", part), "what the guest opens works"),
            ("left behind" not in part, "the socket is gone afterwards"),
            ("seccomp" not in part and "needs reset" not in part, "no device fails")]


def run(tally, build, words=()):
    """run() - boot at each level in one lab, count each. words: levels, or how many connections"""
    short = max((int(w) for w in words if w.isdigit()), default=SHORT)
    levels = [w for w in words if w in LEVELS] or LEVELS
    place = lab.Lab(HOST)
    place.timeout = 60 + (LIMIT + short // 20) * len(levels)
    place.files.add_program("bin/cloister", build / "cloister")
    place.files.add_program("bin/streams-host", build / "guests/streams/streams-host")
    place.files.add_file("vmlinuz", kernels.get(GUEST).image)
    initramfs(build).write(build / "vsock-initramfs")
    place.files.add_file("initramfs", build / "vsock-initramfs")
    place.files.add_data("cases", "".join(f"{level} {short}\n" for level in levels))
    try:
        parts = place.cases(SCRIPT)
    except lab.Crashed as crashed:
        tally.fails(f"lab {HOST}: vsock", crashed, count=len(levels))
        return
    for level in levels:
        part = "\n" + parts.get(level, "")
        broken = [what for holds, what in judge(part, short) if not holds]
        name = f"lab {HOST}: vsock {level}"
        for line in re.findall(r"^(?:host|guest): .*", part, re.M):
            print(f"     {level} {line}")
        if broken:
            tally.fails(name, "; ".join(f"not so: {what}" for what in broken) + part[-1500:])
        else:
            tally.passes(name)


def body():
    tally = Tally()
    run(tally, ROOT / "build", sys.argv[1:])
    return tally.end()


if __name__ == "__main__":
    main(body)
