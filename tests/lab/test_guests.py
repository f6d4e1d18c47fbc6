# SPDX-License-Identifier: Apache-2.0
"""The tiny guests on real KVM, in the lab: conversions there are hypercalls.

Run alone: python3 tests/lab/test_guests.py
"""
import pathlib
import sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[2] / d) for d in ("scripts/lib",)]
import lab
from paths import ROOT, main
from tally import Tally

HOST = "7.3"
DISK_SIZE = 1 << 20
CASES = [
    ("hello", "off"), ("hello", "soft"), ("exits", "off"), ("exits", "soft"), ("convert", "soft"),
    ("blk", "off"), ("blk", "soft"), ("badrings", "off"), ("badrings", "soft"),
]
SCRIPT = """\
while read -r guest level; do
	echo "== $guest $level"
	timeout 60 cloister run --kernel /guests/$guest.elf --memory size=64M --confidential $level \\
		--serial file=/serial --disk path=/disk 2> /errors
	echo "status $?"
	cat /serial
	grep -v '^cloister.disk0' /errors
done < /cases
"""


def run(tally, build):
    """run() - make all cases in one lab, count each."""
    place = lab.Lab(HOST)
    place.files.add_program("bin/cloister", build / "cloister")
    for guest in {guest for guest, _ in CASES}:
        place.files.add_file(f"guests/{guest}.elf", build / f"guests/{guest}.elf")
    place.files.add_data("disk", bytes(DISK_SIZE))
    place.files.add_data("cases", "".join(f"{guest} {level}\n" for guest, level in CASES))
    try:
        parts = place.cases(SCRIPT)
    except lab.Crashed as crashed:
        tally.fails(f"lab {HOST}: tiny guests", crashed, count=len(CASES))
        return
    for guest, level in CASES:
        part = parts.get(f"{guest} {level}", "")
        name = f"lab {HOST}: guest {guest} {level}"
        if part.startswith("status 0\n") and f"\nPASS {guest}\n" in part:
            tally.passes(name)
        else:
            tally.fails(name, part[-1000:] or "did not run")


def body():
    tally = Tally()
    run(tally, ROOT / "build")
    return tally.end()


if __name__ == "__main__":
    main(body)
