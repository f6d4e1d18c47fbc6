# SPDX-License-Identifier: Apache-2.0
"""Level snp on KVM's own code over the lab's software PSP: launches, launches that must fail, exits.

Exits are those of a scripted guest, tests/lab/snp_guest.c, which no processor runs. One lab. Each
launch is judged by what the software firmware says of it (digest, policy, host data, ID block) and
by its page table: when the VM is gone, no page may belong to a guest any more.
Run alone: python3 tests/lab/test_snp.py [WORD...], only cases whose name has all WORDs.
"""
import base64
import json
import pathlib
import re
import struct
import sys
import tempfile

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[2] / d)
                for d in ("scripts/lib", "tests/lab")]
import firmware
import lab
import snp_digest
from paths import ROOT, Failed, main, run as run_program
from tally import Tally

HOST = "6.12-snp"
KERNEL, INITRD, CMDLINE = b"hello\n", b"initrd\n", "console=ttyS0"
MILAN, EPYC = 0xa00f11, 0x800f12
POLICY = 0x30000
HOST_DATA = "00112233445566778899aabbccddeeff" * 2
# Known answers of sev-snp-measure for one build of the firmware (SHA-256): vCPUs, CPU, kernel?
KNOWN_FIRMWARE = "3e4fd0b3fe3b2dbe481c3d9e99418a034174f26cbe1f55aa212b0f18c12d2d6f"
KNOWN = {
    (1, EPYC, False): "d74bd3ea40b240c3228edc5177ce6193561ebff633dbd0be76d6c143b876d651"
                      "02425c0e2e8a930857c48daa5eacda58",
    (4, MILAN, False): "c995d6122aacbc0434128f0c63783f03b7caec3f8f4292948522a00c0395ff12"
                       "6f1633d8346a20aa85f8dd3bd8739a38",
    (2, MILAN, True): "21cd93f9739d225fa2fb0a1e3131937fd12c1d747e770c83f5e39d9619854c6a"
                      "4af6d1125864459067290cd4f3814947",
}
# Commands of the firmware, as the lab's parameters number them
GCTX_CREATE, ACTIVATE, START, UPDATE, FINISH = 0x93, 0x91, 0xa0, 0xa1, 0xa2
ENDED_BY_RESET, REFUSED = 3, 2  # without a script a vCPU of the lab ends in a shutdown
NO_PAGES = "firmware 0 preguest 0 valid 0 invalid 0 vmsa 0 leaked 0 rmpfail 0 "

# Scripted guests: name -> (exit status of the monitor, words that it must say)
GUESTS = {
    "all": (4, ()),  # ended by SIGTERM
    "ap": (4, ()),
    "certs": (4, ()),
    "firmware": (4, ()),
    "end-no-vmsa": (1, ("vcpu1: the CPU refused to enter the guest",)),
    "end-general": (1, ("the guest terminated itself: reason set 0 code 0 (general",)),
    "end-linux": (1, ("reason set 1 code 1 (Linux: a page state change failed)",)),
    "end-no-memory": (1, ("memory at guest address 0x5000000 can't become private",)),
}
GUEST_CHECKS = {"all": 27, "ap": 9, "certs": 9, "firmware": 6}
GUEST_FLAGS = {"certs": ",certs=/t/certs", "firmware": "'' --kernel /t/kernel"}

SCRIPT = """\
set_() { echo "$2" > "/sys/module/kvm_amd/parameters/swpsp_$1"; }
state() { sed 's/^/last /' /sys/kernel/debug/swpsp/last; cat /sys/kernel/debug/swpsp/rmp; }
one() {
	timeout 60 cloister run -v --firmware /t/ovmf.fd --memory size=64M --serial null "$@" 2>&1
	echo "status $?"
	state
}
api() {
	cloister --api-socket /tmp/api -v > /tmp/said 2>&1 &
	daemon=$!
	until [ -S /tmp/api ] || ! kill -0 $daemon; do sleep 0.1; done
	echo "$1" > /tmp/config
	for call in "create /tmp/config" boot info "--json measurement" shutdown shutdown-vmm; do
		cloister ctl --api-socket /tmp/api $call > /tmp/answer 2>&1 || cat /tmp/answer
		[ "$call" != "--json measurement" ] || cat /tmp/answer
	done
	wait $daemon
	echo "status $?"
	cat /tmp/said
	state
}
guest() {
	: > /tmp/serial
	timeout 120 /t/guest "$1" /tmp/serial cloister run --firmware /t/ovmf.fd --memory size=64M \\
		--cpus boot=2 --confidential "snp,vcpu_type=EPYC-v4$2" --serial file=/tmp/serial $3 $4 2>&1
	state
}
"""


class Case:
    """One launch. good: the digest it must have, else words that its error must have.

    config: it is launched by the daemon with this VmConfig instead of `cloister run` with flags.
    """

    def __init__(self, name, flags="", good=None, bad=(), inject=(), says=(), last=(), config=None):
        self.name, self.flags, self.good, self.bad = name, flags, good, bad
        self.inject, self.says, self.last, self.config = inject, says, last, config

    def script(self):
        if self.config:
            return f"echo '== {self.name}'\napi '{json.dumps(self.config)}'\n"
        set_ = "".join(f"set_ {k} {v}\n" for k, v in self.inject)
        unset = "".join(f"set_ {k} 0\n" for k, _ in self.inject)
        return f"echo '== {self.name}'\n{set_}one {self.flags}\n{unset}"

    def broken(self, said):
        """What in the lab's words is not as it must be."""
        wrong = []
        status = re.search(r"^status (\d+)$", said, re.M)
        wanted = 0 if self.config else ENDED_BY_RESET if self.good else REFUSED
        if not status or int(status[1]) != wanted:
            wrong.append(f"status {status and status[1]}")
        if self.good and f"last ld {self.good}\n" not in said:
            wrong.append("the firmware's digest is another")
        if self.good and f"launch digest {self.good}," not in said:
            wrong.append("the predicted digest is another")
        wrong += [f"no '{word}'" for word in (*self.bad, *self.says) if word not in said]
        wrong += [f"no '{word}' in the firmware's state" for word in self.last
                  if f"last {word}\n" not in said]
        if NO_PAGES not in said:
            wrong.append("pages are left")
        return wrong


def fail(command, nth=1, code=0x1a):
    return (("fail_code", code), ("fail_cmd", command), ("fail_nth", nth))


def signed(work, digest, policy=POLICY):
    """{suffix: file bytes} of an ID block for a digest, by the project's own signer."""
    for name in ("id", "author"):
        if not (work / f"{name}.pem").exists():
            run_program("openssl", "ecparam", "-name", "secp384r1", "-genkey", "-noout",
                        "-out", work / f"{name}.pem")
    made = json.loads(run_program(
        ROOT / "build/cloister", "id-block", "create", "--measurement", digest,
        "--idkey", work / "id.pem", "--authorkey", work / "author.pem", "--guest-svn", "5",
        "--policy", hex(policy)))
    return base64.b64decode(made["id_block"]), base64.b64decode(made["id_auth"])


def certificates():
    """A table with two certificates, as the GHCB specification lays it out, on two pages."""
    blobs, at, table = [b"vcek" * 100, b"ask!" * 1000], 3 * 24, b""
    for number, blob in enumerate(blobs):
        table += bytes([number + 1] * 16) + struct.pack("<II", at, len(blob))
        at += len(blob)
    return table + bytes(24) + b"".join(blobs)


def cases(image, files, work):
    """All cases; what they need beside the firmware goes into files."""
    def digest(vcpus, signature, boot=None):
        return snp_digest.launch_digest(image, vcpus, signature, boot)

    boot = (KERNEL, INITRD, CMDLINE)
    one, four = digest(1, EPYC), digest(4, MILAN)
    hashed = digest(2, MILAN, boot)
    block, auth = signed(work, one)
    spoilt = bytearray(auth)
    spoilt[0x43] ^= 1  # in the block's signature
    other, other_auth = signed(work, four)
    strict, strict_auth = signed(work, one, POLICY | 1 << 20)
    for name, data in (("kernel", KERNEL), ("initrd", INITRD), ("id", block), ("auth", auth),
                       ("spoilt", bytes(spoilt)), ("other", other), ("oauth", other_auth),
                       ("strict", strict), ("sauth", strict_auth),
                       ("text", base64.b64encode(block) + b"\n")):
        files.add_data(f"t/{name}", data)
    epyc, milan = "--confidential snp,vcpu_type=EPYC-v4", "--confidential snp,vcpu_type=EPYC-Milan"
    ids = f"{epyc},id_block=/t/id,id_auth="
    with_kernel = f"--kernel /t/kernel --initramfs /t/initrd --cmdline {CMDLINE}"
    runs = ("launched: 1071 pages in 8 runs, 10 launch commands",) if (
        snp_digest.hashlib.sha256(image).hexdigest() == KNOWN_FIRMWARE) else ()
    return [
        Case("one", epyc, one, says=runs, last=(f"policy {POLICY:#x}", "id_block 0")),
        Case("four", f"{milan} --cpus boot=4", four),
        Case("hashes", f"{milan} --cpus boot=2 {with_kernel}", hashed),
        Case("kernel-alone", f"{epyc} --kernel /t/kernel", digest(1, EPYC, (KERNEL, b"", ""))),
        Case("host-data", f"{epyc} --host-data {HOST_DATA}", one, last=(f"host_data {HOST_DATA}",)),
        Case("id-block", f"{ids}/t/auth", one, last=("id_block 1", "author_key 1", "svn 5")),
        Case("id-base64", f"{epyc},id_block=/t/text,id_auth=/t/auth", one, last=("id_block 1",)),
        Case("id-signature", f"{ids}/t/spoilt", bad=("FINISH", "0xa (BAD_SIGNATURE)")),
        Case("id-digest", f"{epyc},id_block=/t/other,id_auth=/t/oauth",
             bad=("FINISH", "0xb (BAD_MEASUREMENT)")),
        Case("id-policy", f"{epyc},id_block=/t/strict,id_auth=/t/sauth",
             bad=("FINISH", "0x7 (POLICY_FAILURE)")),
        Case("expected", f"{epyc},expected_digest={one} --require snp", one),
        Case("unexpected", f"{epyc},expected_digest={four}",
             bad=("not launched", one, "NORMAL 0xffc00000", "VMSA 0xfffffffff000")),
        Case("api", good=one, says=(f'"digest":"{one}"', '"type":"CPUID"', '"vcpu":0'), config={
            "payload": {"firmware": "/t/ovmf.fd"}, "memory": {"size": 64 << 20},
            "cpus": {"boot_vcpus": 1, "max_vcpus": 1}, "serial": {"mode": "Null"},
            "confidential": {"level": "snp", "vcpu_type": "EPYC-v4"}}),
        Case("policy-abi", f"{epyc},policy=0x30200", bad=("START", "POLICY_FAILURE")),
        Case("policy-reserved", f"{epyc},policy=0x10000", bad=("does not allow policy",)),
        Case("cpuid", epyc, one, inject=(("refuse_ecx", 1),),
             says=("firmware corrects CPUID 0x1.0",)),
        Case("cpuid-exact", f"{epyc} --require snp", inject=(("refuse_ecx", 1),),
             bad=("firmware corrects CPUID 0x1.0", "it changed 1 CPUID leaves")),
        Case("init", epyc, inject=(("init_ret", -5),), bad=("KVM_SEV_INIT2",)),
        Case("context", epyc, inject=fail(GCTX_CREATE), bad=("SNP_LAUNCH_START",)),
        Case("start", epyc, inject=fail(START, code=0x17), bad=("START", "0x17 (RESOURCE_LIMIT)")),
        Case("activate", epyc, inject=fail(ACTIVATE, code=0xd), bad=("START", "0xd (INVALID_ASID)")),
        Case("update", epyc, inject=fail(UPDATE),
             bad=("a normal page at 0xffc00000", "0x1a (INVALID_PAGE_STATE)")),
        # KVM ends the call before the page, with what it did; the page is given once more
        Case("update-later", epyc, one, inject=fail(UPDATE, 500)),
        Case("update-zero", epyc, inject=fail(UPDATE, 1025), bad=("a zero page at 0x800000",)),
        Case("finish", epyc, inject=fail(FINISH, code=0x13), bad=("FINISH", "HWERROR_PLATFORM")),
        # after all of that it still works
        Case("again", f"{milan} --cpus boot=4", four),
    ]


def check_known(tally, image):
    """The prediction of this test against known answers, if the firmware is the known one."""
    if snp_digest.hashlib.sha256(image).hexdigest() != KNOWN_FIRMWARE:
        tally.skips("snp: known answers", "Debian's firmware is a newer one")
        return
    for (vcpus, signature, kernel), want in KNOWN.items():
        boot = (KERNEL, INITRD, CMDLINE) if kernel else None
        have = snp_digest.launch_digest(image, vcpus, signature, boot)
        name = f"snp: known answer {vcpus} {signature:#x}{' kernel' if kernel else ''}"
        if have == want:
            tally.passes(name)
        else:
            tally.fails(name, f"{have}, not {want}")


def count_guest(tally, name, part):
    """One scripted guest: its own checks, the monitor's end, no page left."""
    status, words = GUESTS[name]
    ok, bad = part.count("\nok "), re.findall(r"^BAD .*$", "\n" + part, re.M)
    ok += part.startswith("ok ")
    wrong = bad + [f"no '{word}'" for word in (*words, NO_PAGES) if word not in part]
    if f"status {status}\n" not in part:
        wrong.append(f"not status {status}")
    if ok != GUEST_CHECKS.get(name, ok):
        wrong.append(f"{ok} checks, not {GUEST_CHECKS[name]}")
    if wrong:
        tally.fails(f"lab {HOST}: guest {name}", "; ".join(wrong) + "\n" + part[-2000:])
    else:
        tally.passes(f"lab {HOST}: guest {name}", count=max(ok, 1))


def in_lab(tally, build, chosen, guests, place):
    """Make launches and play guests in one lab and count them."""
    place.files.add_program("bin/cloister", build / "cloister")
    script = SCRIPT + "".join(case.script() for case in chosen)
    script += "".join(f"echo '== {name}'\nguest {name} {GUEST_FLAGS.get(name, '')}\n"
                      for name in guests)
    try:
        parts = place.cases(script)
    except lab.Crashed as crashed:
        tally.fails(f"lab {HOST}: launches", crashed, count=len(chosen) + len(guests))
        return
    for case in chosen:
        name, part = f"lab {HOST}: launch {case.name}", parts.get(case.name, "")
        wrong = case.broken(part)
        if wrong:
            tally.fails(name, "; ".join(wrong) + "\n" + part[-2000:])
        else:
            tally.passes(name)
    for name in guests:
        count_guest(tally, name, parts.get(name, ""))


def run(tally, build, words=()):
    """run() - all launches whose name has all words."""
    image = firmware.get("amdsev").read_bytes()
    check_known(tally, image)
    place = lab.Lab(HOST)
    place.files.add_data("t/ovmf.fd", image)
    with tempfile.TemporaryDirectory() as work:
        chosen = [c for c in cases(image, place.files, pathlib.Path(work))
                  if all(w in c.name for w in words)]
        run_program("gcc", "-static", "-O2", "-o", f"{work}/guest", ROOT / "tests/lab/snp_guest.c")
        place.files.add_file("t/guest", f"{work}/guest")
    place.files.add_data("t/certs", certificates())
    guests = [name for name in GUESTS if all(w in name for w in words)]
    in_lab(tally, build, chosen, guests, place)


def body():
    tally = Tally()
    run(tally, ROOT / "build", sys.argv[1:])
    return tally.end()


if __name__ == "__main__":
    main(body)
