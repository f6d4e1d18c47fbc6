#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`cloister measure`, `rtmr` and `id-block` from outside: measure.py BINARY WRITER.

The digests are computed here once more, from the specifications, over images made here. WRITER fills
a directory with a TD quote of the tests' own.
"""
import base64
import hashlib
import json
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
import uuid
import zlib

BINARY, WRITER = (str(pathlib.Path(path).resolve()) for path in sys.argv[1:3])
PAGE = 4096
TOP = 1 << 32
SNP_TYPES = {"NORMAL": 1, "VMSA": 2, "ZERO": 3, "UNMEASURED": 4, "SECRETS": 5, "CPUID": 6}


def sha384(data):
    return hashlib.sha384(data).digest()


def snp_page(digest, kind, gpa, contents=bytes(48)):
    """One step of the SNP launch digest: PAGE_INFO."""
    return sha384(digest + contents + struct.pack("<HBBIQ", 0x70, kind, 0, 0, gpa))


def td_add(hasher, gpa):
    hasher.update(b"MEM.PAGE.ADD".ljust(16, b"\0") + struct.pack("<Q", gpa) + bytes(104))


def td_extend(hasher, gpa, page):
    for at in range(0, PAGE, 256):
        hasher.update(b"MR.EXTEND".ljust(16, b"\0") + struct.pack("<Q", gpa + at) + bytes(104))
        hasher.update(page[at:at + 256])


def guid(text):
    return uuid.UUID(text).bytes_le


def ovmf(sections, size=4 * PAGE):
    """An image of `size` bytes with SEV metadata and a reset block."""
    image = bytearray(random.Random(size).randbytes(size))
    meta = struct.pack("<4sIII", b"ASEV", 16 + 12 * len(sections), 1, len(sections))
    meta += b"".join(struct.pack("<III", *s) for s in sections)
    image[PAGE:PAGE + len(meta)] = meta
    entries = (("00f771de-1a7e-4fcb-890e-68c77e2fb44e", 0x80b004),
               ("dc886566-984a-4798-a75e-5585a7bf67cc", size - PAGE))
    table = b"".join(struct.pack("<IH", value, 22) + guid(name) for name, value in entries)
    table += struct.pack("<H", len(table) + 18) + guid("96b582de-1fb2-45f7-baea-a366c55a082d")
    image[size - 32 - len(table):size - 32] = table
    return bytes(image)


def tdvf(rng, size=0x10000):
    """A td-shim image with random sections. Return: (image, sections)."""
    sections, gpa = [], 0x800000
    for _ in range(rng.randrange(1, 8)):
        kind = rng.choice([0, 1, 2, 3, 4, 5])
        raw = rng.choice([0x800, PAGE, PAGE + 1, 2 * PAGE]) if kind in (0, 1, 5) else 0
        attributes = rng.choice([0, 1]) if kind != 2 else 0
        memory = max(PAGE, -(-raw // PAGE) * PAGE) + rng.choice([0, 2 * PAGE])
        offset = rng.randrange(size // 2) if raw else 0
        sections.append((offset, raw, gpa, memory, kind, attributes))
        gpa += memory + rng.choice([0, PAGE, 1 << 30])
    image = bytearray(rng.randbytes(size))
    meta = guid("e9eaf9f3-168e-44d5-a8eb-7f4d8738f6ae")
    meta += struct.pack("<4sIII", b"TDVF", 16 + 32 * len(sections), 1, len(sections))
    meta += b"".join(struct.pack("<IIQQII", *s) for s in sections)
    at = size - PAGE
    image[at:at + len(meta)] = meta
    image[size - 0x20:size - 0x1c] = struct.pack("<I", at + 16)
    return bytes(image), sections


def mrtd(image, sections, two_pass):
    hasher = hashlib.sha384()
    for offset, raw, gpa, memory, _, attributes in sections:
        data = image[offset:offset + raw].ljust(memory, b"\0")
        for at in range(0, memory, PAGE):
            td_add(hasher, gpa + at)
            if attributes & 1 and not two_pass:
                td_extend(hasher, gpa + at, data[at:at + PAGE])
        for at in range(0, memory if attributes & 1 and two_pass else 0, PAGE):
            td_extend(hasher, gpa + at, data[at:at + PAGE])
    return hasher.hexdigest()


class Igvm:
    """An IGVM file for SNP (mask 1) and TDX (mask 2), and both digests of it."""

    def __init__(self, rng):
        self.snp, self.td = bytes(48), hashlib.sha384()
        self.headers = [(1, struct.pack("<IBBHQ", 1, 0, 2, 1, 0), None),
                        (1, struct.pack("<IBBHQ", 2, 0, 3, 1, 0), None),
                        (0x101, struct.pack("<QII", 0x30000, 1, 0), None)]
        self.data = b""
        for i in range(rng.randrange(2, 10)):
            add = rng.choice([self.page, self.page, self.page, self.area, self.vcpu])
            add(rng, 0x100000 * (i + 1), rng.choice([1, 2, 3]), i)

    def page(self, rng, gpa, mask, _):
        flags, kind = rng.choice([0, 0, 2, 4]), rng.choice([0, 0, 0, 1, 2, 3])
        data = rng.randbytes(PAGE) if rng.random() < 0.7 else None
        self.headers.append((0x302, struct.pack("<QI4xIHH", gpa, mask, flags, kind, 0),
                             None if data is None else (12, len(self.data))))
        self.data += data or b""
        if flags & 4:
            return
        page = data or bytes(PAGE)
        if mask & 1:
            code = {0: 4 if flags & 2 else 1, 1: 5, 2: 6, 3: 6}[kind]
            self.snp = snp_page(self.snp, code, gpa, sha384(page) if code == 1 else bytes(48))
        if mask & 2:
            td_add(self.td, gpa)
            if not flags & 2:
                td_extend(self.td, gpa, page)

    def area(self, rng, gpa, mask, index):
        size = rng.choice([1, 3]) * PAGE
        self.headers += [(0x301, struct.pack("<QII", size, index, 0), None),
                         (0x303, struct.pack("<QII", gpa, mask, index), None)]
        for at in range(0, size, PAGE):
            if mask & 1:
                self.snp = snp_page(self.snp, 4, gpa + at)
            if mask & 2:
                td_add(self.td, gpa + at)

    def vcpu(self, rng, gpa, mask, _):
        data = rng.randbytes(PAGE)
        self.headers.append((0x304, struct.pack("<QI4xHH4x", gpa, mask, 0, 0),
                             (12, len(self.data))))
        self.data += data
        if mask & 1:
            self.snp = snp_page(self.snp, 2, gpa, sha384(data))

    def bytes(self, version):
        fixed = 24 if version == 1 else 32
        length = sum(8 + -(-len(body) // 8) * 8 for _, body, _ in self.headers)
        headers = b""
        for kind, body, data in self.headers:
            if data:  # where the offset in the file goes, and the offset in the data
                where = struct.pack("<I", fixed + length + data[1])
                body = body[:data[0]] + where + body[data[0] + 4:]
            headers += struct.pack("<II", kind, len(body)) + body + bytes(-len(body) % 8)
        head = struct.pack("<4sIIII", b"IGVM", version, fixed, length,
                           fixed + length + len(self.data))
        tail = struct.pack("<II", 0, PAGE) if version == 2 else b""
        crc = zlib.crc32(head + bytes(4) + tail + headers)
        return head + struct.pack("<I", crc) + tail + headers + self.data


def event(index, data):
    return struct.pack("<IIIH", index, 1, 1, 12) + sha384(data) + struct.pack("<I", len(data)) + data


def event_log(*events):
    spec = b"Spec ID Event03\0" + bytes(8) + struct.pack("<IHHB", 1, 12, 48, 0)
    return struct.pack("<II20sI", 0, 3, b"", len(spec)) + spec + b"".join(events)


class Measure(unittest.TestCase):
    def setUp(self):
        temp = tempfile.TemporaryDirectory()
        self.addCleanup(temp.cleanup)
        self.dir = pathlib.Path(temp.name)

    def run_verb(self, *args):
        """Run once and check what holds for every run. Return: (exit status, stdout)."""
        done = subprocess.run([BINARY, *map(str, args)], capture_output=True, text=True,
                              timeout=5, stdin=subprocess.DEVNULL, cwd=self.dir)
        self.assertIn(done.returncode, (0, 1, 2), done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1 if done.returncode else 0, done.stderr)
        if done.returncode == 2:
            self.assertEqual(done.stdout, "")
        return done.returncode, done.stdout

    def write(self, name, data):
        path = self.dir / name
        path.write_bytes(data)
        return path

    def digest(self, *args):
        status, out = self.run_verb("measure", *args)
        self.assertEqual(status, 0, args)
        return out.strip()

    def test_predicts_mrtd_in_both_orders(self):
        for seed in range(8):
            image, sections = tdvf(random.Random(seed))
            path = self.write("td.fd", image)
            args = ["--mode", "tdx", "--ovmf", path]
            self.assertEqual(self.digest(*args), mrtd(image, sections, False), seed)
            self.assertEqual(self.digest(*args, "--two-pass-add-pages"),
                             mrtd(image, sections, True), seed)

    def test_predicts_igvm_on_both_platforms(self):
        for seed in range(8):
            igvm = Igvm(random.Random(seed))
            args = ["--mode", "igvm", "--igvm", self.write("x.igvm", igvm.bytes(1 + seed % 2))]
            self.assertEqual(self.digest(*args, "--platform", "snp"), igvm.snp.hex(), seed)
            self.assertEqual(self.digest(*args, "--platform", "tdx"), igvm.td.hexdigest(), seed)

    def test_explains_every_page_of_snp(self):
        sections = [(0x800000, 2 * PAGE, 1), (0x803000, PAGE, 3), (0x802000, PAGE, 2)]
        firmware = ovmf(sections, 300 * PAGE)
        path = self.write("ovmf.fd", firmware)
        for vmm, types in (("QEMU", "ZERO ZERO CPUID SECRETS"), ("ec2", "ZERO ZERO SECRETS CPUID"),
                           ("gce", "UNMEASURED UNMEASURED CPUID SECRETS")):
            *rows, last = self.digest("--mode", "snp", "--ovmf", path, "--vcpus", 2, "--vcpu-sig",
                                      "0xa00f11", "--vmm-type", vmm, "--explain", "-",
                                      "--dump-vmsa").splitlines()
            rows = [row.split() for row in rows[1:]]
            self.assertEqual(" ".join(row[0] for row in rows[300:]), types + " VMSA VMSA")
            value = bytes(48)
            for i, (what, gpa, length, contents, running) in enumerate(rows):
                if i < 300:
                    self.assertEqual(int(gpa, 16), TOP - len(firmware) + i * PAGE)
                    self.assertEqual(contents,
                                     sha384(firmware[i * PAGE:(i + 1) * PAGE]).hex())
                if what == "VMSA":
                    page = (self.dir / f"vmsa{i - len(rows) + 2}.bin").read_bytes()
                    self.assertEqual((gpa, contents), ("0xfffffffff000", sha384(page).hex()))
                value = snp_page(value, SNP_TYPES[what], int(gpa, 16),
                                 bytes(48) if contents == "-" else bytes.fromhex(contents))
                self.assertEqual((length, running), ("4096", value.hex()))
            self.assertEqual(last, value.hex())

    def test_refuses_truncated_images(self):
        image, _ = tdvf(random.Random(1))
        files = (("tdx", "--ovmf", image), ("snp:ovmf-hash", "--ovmf", ovmf([])),
                 ("igvm", "--igvm", Igvm(random.Random(2)).bytes(2)))
        for mode, flag, data in files:
            more = ["--platform", "snp"] if mode == "igvm" else []
            for cut in range(0, len(data), max(1, len(data) // 19)):
                args = ["--mode", mode, flag, self.write("cut", data[:cut]), *more]
                self.assertEqual(self.run_verb("measure", *args)[0], 2, f"{mode} cut to {cut}")

    def test_refuses_bad_usage(self):
        path = self.write("ovmf.fd", ovmf([(0x800000, PAGE, 1)]))
        snp = ["--mode", "snp", "--ovmf", path]
        for args in ([], ["--mode", "what"], ["--mode"], snp, [*snp, "--vcpus", "1"],
                     [*snp, "--vcpus", "0", "--vcpu-type", "EPYC"],
                     [*snp, "--vcpus", "1x", "--vcpu-type", "EPYC"],
                     [*snp, "--vcpus", "1", "--vcpu-type", "Xeon"],
                     [*snp, "--vcpus", "1", "--vcpu-type", "EPYC", "--vcpu-sig", "1"],
                     [*snp, "--vcpus", "1", "--vcpu-type", "EPYC", "--kernel", path],
                     [*snp, "--vcpus", "1", "--vcpu-type", "EPYC", "--append", "x"],
                     [*snp, "--vcpus", "1", "--vcpu-type", "EPYC", "--vcpus", "2"],
                     ["--mode", "tdx", "--ovmf", path], ["--mode", "tdx", "--ovmf", "/no/file"],
                     ["--mode", "tdx", "--ovmf", "/dev/zero"], ["--mode", "sev", "--what"],
                     ["--mode", "igvm", "--igvm", path]):
            self.assertEqual(self.run_verb("measure", *args)[0], 2, args)

    def test_replays_a_log_and_compares_it_with_a_quote(self):
        subprocess.run([WRITER, self.dir], check=True)
        quote = (self.dir / "quote").read_bytes()
        empty, one = self.write("empty", event_log()), self.write("one", event_log(event(2, b"x")))
        want = sha384(bytes(48) + sha384(b"x")).hex()
        zeros = bytes(48).hex()
        status, out = self.run_verb("rtmr", "--eventlog", one)
        self.assertEqual((status, json.loads(out)["rtmr"]), (0, [zeros, want, zeros, zeros]))
        status, out = self.run_verb("rtmr", "--eventlog", empty, "--quote", self.dir / "quote")
        self.assertEqual((status, json.loads(out)["match"]), (0, True))
        status, out = self.run_verb("rtmr", "--eventlog", one, "--quote", self.dir / "quote")
        self.assertEqual((status, json.loads(out)["match"]), (1, False))
        for cut in range(0, len(quote), len(quote) // 23):
            args = ["--eventlog", empty, "--quote", self.write("cut", quote[:cut])]
            self.assertEqual(self.run_verb("rtmr", *args)[0], 2, f"quote cut to {cut}")

    @unittest.skipUnless(shutil.which("openssl"), "makes its keys with openssl")
    def test_signs_an_id_block(self):
        for name in ("id.pem", "author.pem"):
            subprocess.run(["openssl", "ecparam", "-name", "secp384r1", "-genkey", "-noout",
                            "-out", self.dir / name], check=True)
        status, out = self.run_verb("id-block", "create", "--idkey", "id.pem", "--authorkey",
                                    "author.pem", "--measurement", "ab" * 48, "--guest-svn", 7)
        self.assertEqual(status, 0)
        made = json.loads(out)
        block, auth = (base64.b64decode(made[k]) for k in ("id_block", "id_auth"))
        self.assertEqual(block, b"\xab" * 48 + bytes(32) + struct.pack("<IIQ", 1, 7, 0x30000))
        self.assertEqual(made["id_key_digest"], sha384(auth[0x240:0x644]).hex())
        self.assertEqual(made["author_key_digest"], sha384(auth[0x880:0xc84]).hex())
        args = ["--id-block", self.write("block", block), "--id-auth", self.write("auth", auth)]
        self.assertEqual(self.run_verb("id-block", "verify", *args)[0], 0)
        for at in (0, 0x44, 0x680, 0x244, 0x884, 0x600, 4095):
            changed = bytearray(auth)
            changed[at] ^= 1
            self.write("auth", changed)
            self.assertEqual(self.run_verb("id-block", "verify", *args)[0], 1, hex(at))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
