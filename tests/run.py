# SPDX-License-Identifier: Apache-2.0
"""scripts/test: every test of the project, counted.

--quick: build with gcc, lints, unit tests, fuzz corpora, KVM tests but for the suite `slow`. With
--sanitize the same again, but for lints, with AddressSanitizer and UBSan. Without --quick all of
it, also a build with clang, and stock kernels booted in the lab. Logs stay in build/ and build-asan/.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1] / d)
                for d in ("scripts/lib", "tests/lab", "tests/hardware")]
import kernels
import snp
import test_snp
import test_boot
import test_guests
import test_disk
import test_kata
import test_net
import test_peers
import test_vsock
from paths import ROOT, Failed, main, say
from tally import Tally, timed

SANITIZE = ("-Db_sanitize=address,undefined", "-Db_lundef=false")


def compile_to(tally, name, *options, **environment):
    """Configure and compile build directory `name`. Return: whether that worked."""
    done, seconds = timed(lambda: subprocess.run(
        ["env", *(f"{k}={v}" for k, v in environment.items()),
         ROOT / "scripts/build", ROOT / name, *options],
        stdin=subprocess.DEVNULL, capture_output=True, text=True))
    if done.returncode or "warning:" in done.stderr:
        tally.fails(f"{name}: compile", f"\n{done.stderr}", seconds)
        return False
    tally.passes(f"{name}: compile", seconds)
    return True


def count_one(tally, label, test):
    """One line of Meson's log. A cmocka program counts with all its cases."""
    name = f"{label}: {test['name'].split(' / ')[-1]}"
    said = test.get("stdout", "") + test.get("stderr", "")
    seconds = test.get("duration")
    passed = len(re.findall(r"^\[       OK \] ", said, re.M))
    skipped = re.findall(r"^\[  SKIPPED \] (.*)$", said, re.M)
    if test["result"] in ("OK", "EXPECTEDFAIL"):
        tally.passes(name, seconds, max(passed, 1))
    elif test["result"] == "SKIP":
        why = re.search(r"skip[^:]*: *(.*)", said, re.I)
        tally.skips(name, why[1] if why else said.strip().splitlines()[-1] if said.strip() else "")
    else:
        tally.passed += passed
        tally.fails(name, f"{test['result']}\n{said[-4000:]}", seconds)
    for case in set(skipped):
        if test["result"] != "SKIP":
            tally.skips(f"{name} {case}", "by the test")


def meson_tests(tally, build, *options):
    log = ROOT / build / "meson-logs/testlog.json"
    log.unlink(missing_ok=True)
    subprocess.run(["env", "CLOISTER_PATIENCE=4", "meson", "test", "-C", ROOT / build, "--no-rebuild", "-q", "-t", "4", *options],
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    if not log.exists():
        tally.fails(f"{build}: meson test", "left no log")
        return
    for line in log.read_text().splitlines():
        count_one(tally, build, json.loads(line))


LONG_STRIDE = "2"  # of about 1,600 calls in a run


def long_tier(tally):
    """What is too long for every change: a program each."""
    if not compile_to(tally, "build"):
        return
    kvm, api = ROOT / "tests/kvm", ROOT / "tests/api"
    build = ROOT / "build"
    counts = {**os.environ, "CLOISTER_REQUESTS": "10000", "CLOISTER_CYCLES": "1000"}
    faults = [kvm / "faults.py", build / "cloister", build / "tests/kvm/libfaults.so", build / "guests"]
    labs = ROOT / "tests/lab"
    programs = {
        "vsock, 10000 connections": [labs / "test_vsock.py", "10000"],
        "net, 1 GiB both ways": [labs / "test_net.py", "1024"],
        "disk, ten times as much": [labs / "test_disk.py", "10"],
        "proofs": [ROOT / "tests/proofs/run.py"],
        "order of locks": [ROOT / "tests/locks/run.py", build],
        "two builds": [ROOT / "tests/cli/reproducible.py"],
        "conversions against a disk": [build / "tests/unit/devices/test_blk_races", "1000000", "600"],
        "conversions of the model": [build / "tests/model/test_model_convert", "1000000"],
        "kill": [kvm / "kill.py", build / "cloister", build / "guests", build / "tests/kvm/kill_at", "1", "50"],
        "10,000 requests": [api / "openapi.py", build / "cloister", build / "guests", "document"],
        "1,000 lives": [api / "robust.py", build / "cloister", build / "guests", "cycles"],
        **{f"faults {only}": [*faults, LONG_STRIDE, only] for only in (
            "start,soft,fail", "start,soft,die", "life,soft,fail", "start,off,interrupt",
            "life,off,interrupt", "start,off,short", "life,soft,short")},
    }
    for name, command in programs.items():
        done, seconds = timed(lambda c=command: subprocess.run(
            c if c[0].suffix != ".py" else [sys.executable, *c], stdin=subprocess.DEVNULL, capture_output=True,
            text=True, env=counts))
        said = done.stdout + done.stderr
        if done.returncode == 77:
            tally.skips(f"long: {name}", said.strip())
        elif done.returncode:
            tally.fails(f"long: {name}", f"\n{said[-6000:]}", seconds)
        else:
            tally.passes(f"long: {name}", seconds, max(1, said.count("passed ")))
    if compile_to(tally, "build-asan", *SANITIZE):
        meson_tests(tally, "build-asan", "--suite", "fuzz")
    # Races, and locks that are taken in two orders.
    if compile_to(tally, "build-tsan", "-Db_sanitize=thread", "-Db_lundef=false"):
        meson_tests(tally, "build-tsan", "--suite", "unit", "--suite", "kvm", "--no-suite", "slow")


def body():
    top = argparse.ArgumentParser(prog="scripts/test", description=__doc__,
                                  formatter_class=argparse.RawDescriptionHelpFormatter)
    top.add_argument("--quick", action="store_true",
                     help="without sanitizers, the slow suite, clang and the lab")
    top.add_argument("--sanitize", action="store_true", help="--quick, but with sanitizers too")
    top.add_argument("--long", action="store_true",
                     help="only what takes too long for every change: all faults and deaths, races, "
                          "order of locks, proofs, 10,000 API requests, 1,000 lives of a VM, two builds "
                          "compared, the fuzz corpora with AddressSanitizer, unit and KVM tests with "
                          "ThreadSanitizer (about an hour)")
    top.add_argument("--level", choices=["snp"],
                     help="only launches at this level, which this host must offer; see "
                          "docs/hardware.md")
    a = top.parse_args()
    tally = Tally()
    if a.level:
        if compile_to(tally, "build"):
            snp.run(tally, ROOT / "build/cloister")
        return tally.end()
    if a.long:
        long_tier(tally)
        return tally.end()
    quick = ["--no-suite", "slow"] if a.quick else []
    if not a.quick:
        try:
            kernels.get(test_net.GUEST)  # for tests/interop, which fetch nothing themselves
        except Failed as why:
            say(f"{why}; the lab will ask again")
    built = compile_to(tally, "build")
    if built:
        meson_tests(tally, "build", *quick)
    if a.sanitize or not a.quick:
        if compile_to(tally, "build-asan", *SANITIZE):
            meson_tests(tally, "build-asan", "--no-suite", "lint", *quick)
    if a.quick:
        tally.skips("slow suite, clang, lab" + ("" if a.sanitize else ", sanitizers"),
                    "left out by --quick")
    else:
        if shutil.which("clang-14"):
            compile_to(tally, "build-clang", CC="clang-14")
        else:
            tally.skips("build-clang: compile", "clang-14 is not installed")
        if built:
            test_snp.run(tally, ROOT / "build")
            test_boot.run(tally, ROOT / "build")
            test_guests.run(tally, ROOT / "build")
            test_kata.run(tally, ROOT / "build")
            test_net.run(tally, ROOT / "build")
            test_disk.run(tally, ROOT / "build")
            test_vsock.run(tally, ROOT / "build")
            test_peers.run(tally, ROOT / "build")
    return tally.end()


main(body)
