# SPDX-License-Identifier: Apache-2.0
"""KVM modules rebuilt for the lab: private memory, SEV-SNP over a software PSP (tests/lab/kmod/)."""
import hashlib

import debian
from paths import CACHE, ROOT, Failed, made_once, run, say

HERE = ROOT / "tests/lab/kmod"


def modules(kernel):
    """modules() - {name: bytes} of the rebuilt modules for `kernel`, built once."""
    version = kernel.top.name
    sources = hashlib.sha256(b"".join(f.read_bytes() for f in sorted(HERE.iterdir())
                                      if f.suffix != ".md")).hexdigest()[:16]

    def make(to):
        packages = to.with_name("packages")
        release = kernel.release
        common = release.replace("-cloud-amd64", "-common")
        kbuild = "linux-kbuild-" + release.replace("-cloud-amd64", "")
        compiler = "linux-compiler-gcc-12-x86"
        debian.unpack(packages, f"linux-headers-{release}={version}",
                      f"linux-headers-{common}={version}", f"{kbuild}={version}",
                      f"linux-source-6.12={version}")
        say(f"lab: building KVM modules for {release} (about a minute)")
        run(HERE / "build", packages, release, to)

    made = made_once(CACHE / "lab" / f"kmod-{version}-{sources}", make)
    return {"kvm": (made / "kvm.ko").read_bytes(), "kvm_amd": (made / "kvm-amd.ko").read_bytes()}
