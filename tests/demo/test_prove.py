# SPDX-License-Identifier: Apache-2.0
"""The prover finds what is planted: a mapping, a descriptor or a copy of private memory.

usage: test_prove.py DEMO-PROVE. Small processes stand in for the monitor and a device.
"""
import hashlib
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[2] / d)
                for d in ("scripts/lib", "guests/demo")]
import demo

PROVE = sys.argv.pop(1)
SEED = bytes(range(32))
SECRET = hashlib.sha256(b"secret" + SEED).digest()
PUBLIC = hashlib.sha256(b"public" + SEED).digest()
SIZE = 64 << 20


def memfd(name, at, data):
    """A sparse memfd with `data` at `at`."""
    fd = os.memfd_create(name)
    os.truncate(fd, SIZE)
    os.pwrite(fd, data, at)
    return fd


# Maps descriptors as told by "FD[:none][:close]", keeps what comes by its input, and waits.
HOLD = """
import mmap, os, sys
kept = [sys.stdin.buffer.read()]
for word in sys.argv[1:]:
    fd, *how = word.split(":")
    if "only" not in how:
        kept.append(mmap.mmap(int(fd), os.fstat(int(fd)).st_size,
                              prot=0 if "none" in how else mmap.PROT_READ))
    if "close" in how:  # mmap keeps a copy of its own
        closed = os.fstat(int(fd)).st_ino
        for other in range(3, 64):
            try:
                if os.fstat(other).st_ino == closed:
                    os.close(other)
            except OSError:
                pass
print("ready", flush=True)
sys.stdout.close()
os.read(os.open(f"/proc/self/fd/{os.pipe()[0]}", os.O_RDWR), 1)
"""


def start(*words, kept=b""):
    """A process with the descriptors that the words name and no others; it holds what they say."""
    fds = [int(word.split(":")[0]) for word in words]
    process = subprocess.Popen([sys.executable, "-c", HOLD, *words], pass_fds=fds,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stdin.write(kept)
    process.stdin.close()
    assert process.stdout.readline() == b"ready\n"
    return process


def end(process):
    process.kill()
    process.wait()
    process.stdout.close()


class Prove(unittest.TestCase):
    def setUp(self):
        self.private = memfd("private", SIZE - 8192, SECRET * 256)
        self.shared = memfd("shared", 5 << 20, PUBLIC * 100)
        self.monitor = start(f"{self.private}", f"{self.shared}")

    def tearDown(self):
        end(self.monitor)
        os.close(self.private)
        os.close(self.shared)

    def prove(self, *words, kept=b""):
        """Run the prover over one device process. Return: demo.Evidence"""
        device = start(*words, kept=kept)
        with tempfile.TemporaryDirectory() as out:
            with open(f"{out}/prove", "w") as said:
                status = subprocess.run([PROVE, SEED.hex(), str(self.monitor.pid),
                                         f"blk={device.pid}"], stdout=said).returncode
            end(device)
            self.assertEqual(status, 0)
            return demo.Evidence(out)

    def test_clean_device_has_only_what_is_shared(self):
        e = self.prove(f"{self.shared}")
        self.assertEqual([n for n, _ in e.monitor], [256])
        self.assertIn("memfd:private", e.monitor[0][1])
        self.assertEqual(e.total("secret"), 0)
        self.assertEqual(e.total("public"), 100)
        self.assertEqual(e.total("private_mappings"), 0)
        self.assertEqual(e.total("private_descriptors"), 0)
        self.assertEqual(e.total("unsearched"), 0)

    def test_mapping_without_descriptor_is_found(self):
        e = self.prove(f"{self.shared}", f"{self.private}:close")
        self.assertEqual(e.total("private_mappings"), 1)
        self.assertEqual(e.total("private_descriptors"), 0)
        self.assertEqual(e.total("secret"), 256)

    def test_descriptor_without_mapping_is_found(self):
        e = self.prove(f"{self.shared}", f"{self.private}:only")
        self.assertEqual(e.total("private_mappings"), 0)
        self.assertEqual(e.total("private_descriptors"), 1)
        self.assertEqual(e.total("secret"), 256)

    def test_unreadable_mapping_is_found(self):
        e = self.prove(f"{self.private}:none:close")
        self.assertEqual(e.total("private_mappings"), 1)

    def test_copy_in_own_memory_is_found(self):
        e = self.prove(f"{self.shared}", kept=b"." * 5001 + SECRET + b"." * 5000)
        self.assertGreater(e.total("secret"), 0)
        self.assertEqual(e.total("private_mappings"), 0)

    def test_kvm_descriptor_is_found(self):
        if not os.access("/dev/kvm", os.R_OK):
            self.skipTest("no /dev/kvm")
        with open("/dev/kvm") as kvm:
            e = self.prove(f"{kvm.fileno()}:only")
        self.assertEqual(e.total("private_descriptors"), 1)


class Judge(unittest.TestCase):
    """Each planted line breaks a promise that held without it."""

    GOOD = ("prove: device blk pid 2 mappings 9 descriptors 5 searched 4096 secret 0 public 3 "
            "private_mappings 0 private_descriptors 0 unsearched 0\n")

    def broken(self, prove):
        with tempfile.TemporaryDirectory() as out:
            pathlib.Path(out, "prove").write_text(prove)
            pathlib.Path(out, "facts").write_text("proved 1.0 status 0\n")
            boot = demo.Boot("6.12", "soft")
            return {what for holds, what in demo.judge(boot, demo.Evidence(out), "any")
                    if not holds}

    def test_judge_refuses_each_planted_fault(self):
        good = self.broken(self.GOOD)
        for field in ("secret", "private_mappings", "private_descriptors", "unsearched"):
            bad = self.broken(self.GOOD.replace(f"{field} 0", f"{field} 1"))
            self.assertEqual(len(bad - good), 1, field)
        self.assertEqual(len(self.broken(self.GOOD.replace("public 3", "public 0")) - good), 1)
        self.assertGreater(len(self.broken("") - good), 3)


if __name__ == "__main__":
    unittest.main()
