#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`cloister verify` from outside: exit statuses, output, policy. verify.py BINARY WRITER.

WRITER fills a directory with a quote and collateral of the tests' own.
"""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

BINARY, WRITER = sys.argv[1:3]
NOW = "1800000000"
FILES = {
    "--quote": "quote", "--tcb-info": "tcb_info", "--tcb-info-issuer-chain": "signer_chain",
    "--qe-identity": "qe_identity", "--qe-identity-issuer-chain": "signer_chain",
    "--root-ca-crl": "root_crl", "--pck-crl": "pck_crl", "--trusted-root": "root",
}


class Verify(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temp = tempfile.TemporaryDirectory()
        cls.dir = pathlib.Path(cls.temp.name)
        subprocess.run([WRITER, cls.dir], check=True)

    @classmethod
    def tearDownClass(cls):
        cls.temp.cleanup()

    def run_kind(self, kind, *args):
        """Run once and check what holds for every run. Return: (exit status, object or {})."""
        done = subprocess.run([BINARY, "verify", kind, *map(str, args)], capture_output=True,
                              text=True, timeout=5, stdin=subprocess.DEVNULL)
        self.assertIn(done.returncode, (0, 1, 2), done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1 if done.returncode else 0, done.stderr)
        if done.returncode == 2:
            self.assertEqual(done.stdout, "")
            return 2, {}
        return done.returncode, json.loads(done.stdout)

    def quote(self, *more, **replaced):
        flags = dict(FILES)
        args = []
        for flag, name in flags.items():
            key = flag[2:].replace("-", "_")
            value = replaced.get(key, self.dir / name)
            args += [flag, value] if value is not None else []
        return self.run_kind("tdx-quote", *args, "--at-time", NOW, *more)

    def write(self, name, data):
        path = self.dir / name
        path.write_bytes(data if isinstance(data, bytes) else json.dumps(data).encode())
        return path

    def test_accepts_a_sound_quote(self):
        status, got = self.quote()
        self.assertEqual(status, 0)
        self.assertEqual(got["status"], "UpToDate")
        self.assertIsNone(got["error"])
        self.assertEqual(got["fields"]["mrtd"], "d1" * 48)
        self.assertEqual(len(got["fields"]["rtmr"]), 4)

    def test_refuses_an_unexpected_measurement(self):
        self.assertEqual(self.quote("--mrtd", "D1" * 48)[0], 0)
        status, got = self.quote("--mrtd", "d2" * 48)
        self.assertEqual(status, 1)
        self.assertEqual(got["status"], "UpToDate")
        self.assertIn("mrtd", got["error"])
        self.assertEqual(self.quote("--mrtd", "d2" * 47)[0], 2)

    def test_shows_no_fields_of_a_forged_quote(self):
        data = bytearray((self.dir / "quote").read_bytes())
        data[200] ^= 1
        status, got = self.quote(quote=self.write("forged", bytes(data)))
        self.assertEqual((status, got["status"], got["fields"]), (1, None, {}))

    def test_refuses_every_truncated_input(self):
        for flag, name in FILES.items():
            data = (self.dir / name).read_bytes()
            key = flag[2:].replace("-", "_")
            for cut in range(0, len(data) - 1, max(1, len(data) // 23)):
                status, _ = self.quote(**{key: self.write("cut", data[:cut])})
                self.assertIn(status, (1, 2), f"{name} cut to {cut}")

    def test_needs_its_flags(self):
        for flag in FILES:
            self.assertEqual(self.quote(**{flag[2:].replace("-", "_"): None})[0], 2)
        self.assertEqual(self.run_kind("tdx-quote")[0], 2)
        self.assertEqual(self.run_kind("sgx-quote")[0], 2)
        self.assertEqual(self.quote("--at-time", NOW)[0], 2)
        self.assertEqual(self.quote("--accept-status", "Fine")[0], 2)
        self.assertEqual(self.quote("--accept-status", "")[0], 2)
        for flag in ("--report", "--vek", "--chain", "--trusted-root"):
            self.assertEqual(self.run_kind("snp-report", flag, self.dir / "root")[0], 2)
        self.assertEqual(self.run_kind("snp-certs", "--vek", "/nowhere/\n\x1b[1m")[0], 2)

    def test_accepts_the_listed_statuses_only(self):
        self.assertEqual(self.quote("--accept-status", "all")[0], 0)
        self.assertEqual(self.quote("--accept-status", "OutOfDate,UpToDate")[0], 0)
        status, got = self.quote("--accept-status", "OutOfDate")
        self.assertEqual((status, got["status"]), (1, "UpToDate"))
        self.assertEqual(self.quote("--accept-status", "Revoked")[0], 1)

    def test_judges_by_a_policy(self):
        rows = (
            ({"tdx": {"mrtd": ["00" * 48, "d1" * 48], "min_evaluation_number": 17,
                      "require_sept_ve_disable": True}}, 0, 0),
            ({"tdx": {"mrtd": "00" * 48, "report_data": "00" * 64}}, 1, 1),
            ({"tdx": {"mrtd": "00" * 48, "rtmr3": "01" * 48}}, 1, 2),
            ({"tdx": {"accept_status": ["OutOfDate"]}}, 1, 1),
            ({"tdx": {"mr_td": "d1" * 48}}, 2, 0),
            ({"tdx\n": {}}, 2, 0),
            ({"snp": {}}, 2, 0),
            ({}, 2, 0),
        )
        for policy, want, reasons in rows:
            status, got = self.quote("--policy", self.write("policy.json", policy))
            self.assertEqual(status, want, policy)
            if status < 2:
                self.assertEqual(len(got["reasons"]), reasons, policy)

    def test_meets_policy_and_flags(self):
        policy = self.write("policy.json", {"tdx": {"mrtd": "d1" * 48}})
        self.assertEqual(self.quote("--policy", policy, "--rtmr0", "00" * 48)[0], 0)
        self.assertEqual(self.quote("--policy", policy, "--rtmr0", "11" * 48)[0], 1)
        self.assertEqual(self.quote("--policy", policy, "--accept-status", "OutOfDate")[0], 1)

    def report(self, *more, **replaced):
        files = {"report": "report", "vek": "vek", "chain": "ask_ark", "trusted_root": "ark"}
        args = []
        for key, name in files.items():
            args += ["--" + key.replace("_", "-"), replaced.get(key, self.dir / name)]
        return self.run_kind("snp-report", *args, "--at-time", NOW, *more)

    def test_accepts_a_sound_report(self):
        status, got = self.report("--crl", self.dir / "ark_crl")
        self.assertEqual((status, got["valid"], got["reason"]), (0, True, None))
        self.assertEqual(got["fields"]["policy"], "0x30000")
        self.assertEqual(got["fields"]["measurement"], "90" * 48)
        self.assertEqual(got["fields"]["reported_tcb"], "03000000000008d2")
        status, got = self.run_kind(
            "snp-certs", "--vek", self.dir / "vek", "--chain", self.dir / "ask_ark",
            "--trusted-root", self.dir / "ask_ark", "--at-time", NOW)
        self.assertEqual(status, 0)
        self.assertEqual(got["fields"]["product"], "Genoa-B1")
        self.assertEqual(got["fields"]["spl"], {"bl": 3, "tee": 0, "snp": 8, "ucode": 0xd2})

    def test_judges_a_report_by_flags_and_policy(self):
        rows = (
            (["--measurement", "90" * 48, "--min-tcb", "snp=8,ucode=210", "--no-debug"], 0),
            (["--measurement", "91" * 48], 1),
            (["--report-data", "50" * 64, "--host-data", "c0" * 32], 0),
            (["--host-data", "c1" * 32], 1),
            (["--min-tcb", "snp=9"], 1),
            (["--min-tcb", "fmc=0"], 1),
            (["--min-tcb", "snp=256"], 2),
            (["--min-tcb", "nonsense"], 2),
            (["--min-guest-svn", "1"], 1),
            (["--max-vmpl", "0"], 0),
            (["--max-vmpl", "4"], 2),
        )
        for flags, want in rows:
            self.assertEqual(self.report(*flags)[0], want, flags)
        rows = (
            ({"snp": {"min_tcb": {"Genoa": {"snp": 8}}, "products": ["Genoa"]}}, 0),
            ({"snp": {"min_tcb": {"Milan": {"snp": 8}}}}, 1),
            ({"tdx": {}}, 2),
            ({"snp": {"launch_digest": "90" * 48}}, 2),
        )
        for policy, want in rows:
            status, _ = self.report("--policy", self.write("policy.json", policy))
            self.assertEqual(status, want, policy)

    def test_refuses_every_truncated_report_and_certificate(self):
        for key, name in (("report", "report"), ("vek", "vek"), ("chain", "ask_ark"),
                          ("trusted_root", "ark")):
            data = (self.dir / name).read_bytes()
            for cut in range(0, len(data) - 1, max(1, len(data) // 23)):
                status, _ = self.report(**{key: self.write("cut", data[:cut])})
                self.assertIn(status, (1, 2), f"{name} cut to {cut}")

    def test_teaches_itself(self):
        for args in (["--help"], ["tdx-quote", "--help"], ["snp-report", "--help"],
                     ["snp-certs", "--help"]):
            done = subprocess.run([BINARY, "verify", *args], capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("Usage: cloister verify", done.stdout)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
