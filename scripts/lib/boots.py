# SPDX-License-Identifier: Apache-2.0
"""Boots of the demo guest: on this machine, or several in one lab."""
import shlex
import subprocess
import sys

import lab
from paths import ROOT, say

sys.path.insert(0, str(ROOT / "guests/demo"))
import demo


def here(boot, build, out):
    """here() - make one boot on this machine's own KVM. Return: demo.Evidence, left in out."""
    files = boot.files(build)
    subprocess.run([str(a) for a in boot.command(build / "cloister", out, lambda at: files[at])],
                   stdin=subprocess.DEVNULL, check=False)
    return demo.Evidence(out)


def in_lab(host, boots, build, out, show=None):
    """in_lab() - make boots one after another in one lab. QEMU's emulation breaks now and then;
    a lab that ends without a result is started once more.

    Return: ([demo.Evidence of each], labs started, seconds inside)
    """
    one = lab.Lab(host)
    one.files.add_program("bin/cloister", build / "cloister")
    lines = []
    for boot in boots:
        for path, file in boot.files(build).items():
            one.files.add_file(path, file)
        command = boot.command("/bin/cloister", f"/out/{boot.name}", lambda at: f"/{at}")
        if host in lab.XCR0_PRESET:
            command.append("--xcr0-preset")
        lines.append(shlex.join(str(word) for word in command))
    one.timeout = 60 + demo.LIMIT * len(boots)
    for attempt in (1, 2):
        try:
            one.run(["sh", "-c", "\n".join(lines)], out, show)
            break
        except lab.Crashed as crashed:
            if attempt == 2:
                raise
            say(f"{crashed}\nlab {host}: once more")
    return [demo.Evidence(out / boot.name) for boot in boots], attempt, one.seconds
