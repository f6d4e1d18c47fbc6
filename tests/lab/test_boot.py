# SPDX-License-Identifier: Apache-2.0
"""Stock Debian kernels boot in the lab, at every level, and keep what was promised.

Each row is one boot of the demo guest; it passes if every promise of demo.judge() holds. A boot
that ends in a triple fault is tried once more and counted: QEMU's emulation does that now and then.
Run alone: python3 tests/lab/test_boot.py [WORD...], only rows whose "HOST GUEST-..." has all WORDs.
"""
import concurrent.futures
import pathlib
import sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[2] / d) for d in ("scripts/lib",)]
import boots
import demo
import kernels
import lab
from demo import Boot
from paths import ROOT, main
from tally import Tally, timed

# Labs: a host kernel and the boots made in it, one after another. Labs run beside each other.
LABS = [
    ("7.3", [Boot("6.12", "off", end="reboot"), Boot("6.12", "off", 4, unpacked=True, end="panic"),
             Boot("6.12", "soft"), Boot("7.3", "soft"),
             Boot("6.12", "soft", 4, memory="8G,overcommit=on", unpacked=True, end="reboot"),
             Boot("6.12", "soft", idle=True, unpacked=True, end="sleep")]),
    ("7.3", [Boot("6.1", "off", idle=True, unpacked=True, end="sleep"),
             Boot("6.1", "off", 4, unpacked=True, end="reboot", cmdline="reboot=k"),
             Boot("6.1", "soft"),
             Boot("6.1", "soft", 4, unpacked=True, end="panic"),
             Boot("6.12", "soft", 8, idle=True, unpacked=True, end="panic")]),
    ("6.12", [Boot("6.12", "soft", 2, unpacked=True)]),
    ("6.12-private", [Boot("6.12", "sw-protected", unpacked=True)]),
]


def triple_faulted(evidence):
    return "triple fault" in evidence.errors


def results_of(host, rows, build, out):
    """Make the boots of one lab, those that triple-faulted twice. Return: (evidence, tries) each"""
    evidences, _, _ = boots.in_lab(host, rows, build, out)
    found = dict(zip((b.name for b in rows), ((e, 1) for e in evidences)))
    again = [b for b in rows if triple_faulted(found[b.name][0])]
    if again:
        evidences, _, _ = boots.in_lab(host, again, build, out / "again")
        found.update(zip((b.name for b in again), ((e, 2) for e in evidences)))
    return found


def count(tally, host, boot, evidence, tries):
    name = f"lab {host}: {boot.name}" + (" (second try)" if tries > 1 else "")
    seconds = evidence.seconds("start", "end")
    promises = demo.judge(boot, evidence, kernels.get(boot.guest).release)
    broken = [what for holds, what in promises if not holds]
    if not broken:
        tally.passes(name, seconds)
        return
    last = (evidence.errors or evidence.console).strip().splitlines()[-3:]
    tally.fails(name, "; ".join(f"not so: {what}" for what in broken) +
                "".join(f"\n     {line}" for line in last) +
                f"\n     evidence: {evidence.out}", seconds)


def run(tally, build, words=()):
    """run() - make all boots whose name has all words, count them into the tally."""
    chosen = [(host, [b for b in rows if all(w in f"{host} {b.name}" for w in words)])
              for host, rows in LABS]
    chosen = [(host, rows) for host, rows in chosen if rows]
    for host, _ in chosen:
        lab.Lab(host).prepare()
    with concurrent.futures.ThreadPoolExecutor(lab.SLOTS) as pool:
        jobs = [(host, rows, pool.submit(timed, results_of, host, rows, build,
                                         build / "lab" / f"{number}-{host}"))
                for number, (host, rows) in enumerate(chosen)]
        for host, rows, job in jobs:
            try:
                found, seconds = job.result()
            except lab.Crashed as crashed:
                tally.fails(f"lab {host}", crashed, count=len(rows))
                continue
            print(f"     lab {host}: {len(rows)} boots in {seconds:.0f} s", flush=True)
            for boot in rows:
                count(tally, host, boot, *found[boot.name])


def body():
    tally = Tally()
    run(tally, ROOT / "build", sys.argv[1:])
    return tally.end()


if __name__ == "__main__":
    main(body)
