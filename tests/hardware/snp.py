# SPDX-License-Identifier: Apache-2.0
"""Level snp on a host that has it: `scripts/test --level snp`.

The launches of tests/lab/test_snp.py that need no injected failure, by the host's own KVM and
firmware. Each good one carries an ID block for the digest that a second predictor computed, and the
firmware refuses the launch unless it measured exactly that: so digests are compared without a guest
that reports its own. Whether the guest then gets anywhere is not judged; what it said is shown.
"""
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / d) for d in ("scripts/lib", "tests/lab")]
import firmware
import test_snp

PATIENCE = 20  # seconds until a launch must have succeeded or failed
RUNNING = 3  # seconds that a launched guest gets
GOOD = ("one", "four", "hashes", "kernel-alone", "host-data", "expected")
BAD = ("id-signature", "id-digest", "id-policy", "unexpected", "policy-reserved")


class Files:
    """What the lab would get below /t, in a directory of the host."""

    def __init__(self, top):
        self.top = pathlib.Path(top)

    def add_data(self, name, data):
        path = self.top / pathlib.Path(name).name
        path.write_bytes(data.encode() if isinstance(data, str) else data)

    def here(self, flags):
        return flags.replace("/t/", f"{self.top}/").split()


def offered(program):
    """The words of `cloister check` on level snp, and whether it is offered."""
    said = subprocess.run([program, "check"], capture_output=True, text=True).stdout
    row = next((line for line in said.splitlines() if line.split()[:1] == ["snp"]), "snp no")
    return row.split()[1:2] == ["yes"], row


def launch(program, flags):
    """Run until the launch has succeeded, then a little longer. (launched?, status, words)"""
    with tempfile.NamedTemporaryFile() as log:
        vm = subprocess.Popen([program, "run", "-v", "--memory", "size=256M", "--serial", "null",
                               *flags], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        words, launched = "", False
        end = time.monotonic() + PATIENCE
        while vm.poll() is None and time.monotonic() < end and not launched:
            time.sleep(0.1)
            launched = "launched: " in pathlib.Path(log.name).read_text(errors="replace")
        if vm.poll() is None:
            time.sleep(RUNNING)
            vm.terminate()
        try:
            status = vm.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            vm.kill()
            status = vm.wait()
        words = pathlib.Path(log.name).read_text(errors="replace")
    return "launched: " in words, status, words


def judge(tally, case, done):
    launched, status, words = done
    name = f"snp: launch {case.name}"
    if case.good:
        wrong = [] if launched else ["not launched"]
        if f"launch digest {case.good}," not in words:
            wrong.append("another digest is predicted")
    else:
        wrong = ["launched"] if launched else []
        wrong += [f"no '{word}'" for word in case.bad if word not in words]
        if status != test_snp.REFUSED:
            wrong.append(f"status {status}")
    if wrong:
        tally.fails(name, "; ".join(wrong) + "\n" + words[-2000:])
        return
    tally.passes(name)
    if case.good:
        print(f"     the guest: status {status}, {words.strip().splitlines()[-1]}")


def run(tally, program):
    """run() - all launches, on this host."""
    there, row = offered(program)
    if not there:
        tally.fails("snp: the host offers it", row)
        return
    image = firmware.get("amdsev").read_bytes()
    with tempfile.TemporaryDirectory() as work:
        files = Files(work)
        files.add_data("ovmf.fd", image)
        for case in test_snp.cases(image, files, files.top):
            if case.name not in GOOD + BAD:
                continue
            flags = files.here(f"--firmware /t/ovmf.fd {case.flags}")
            if case.good:
                block, auth = test_snp.signed(files.top, case.good)
                files.add_data("good-id", block)
                files.add_data("good-auth", auth)
                at = next(i for i, flag in enumerate(flags) if flag.startswith("snp,"))
                flags[at] += f",id_block={work}/good-id,id_auth={work}/good-auth"
            judge(tally, case, launch(program, flags))
