#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""share/cloister.bash against what --help says: verbs, flags, verbs of ctl, and values of flags.

Usage: completion.py CLOISTER SCRIPT
"""
import os
import re
import subprocess
import sys

VALUES = ("--confidential", "--require", "--serial", "--console", "--seccomp", "--sandbox")
PROGRAM = """
. "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
_cloister
printf '%s\\n' "${COMPREPLY[@]}"
"""


class Failed(Exception):
    """The completion offers other words than --help."""


def need(words, wanted, what):
    if set(words) != set(wanted):
        raise Failed(f"{what}: differs in {sorted(set(words) ^ set(wanted))}")


def says(cloister, *words):
    return subprocess.run([cloister, *words, "--help"], capture_output=True, text=True, check=True).stdout


def offers(cloister, script, *words):
    path = os.path.dirname(os.path.abspath(cloister)) + os.pathsep + os.environ["PATH"]
    done = subprocess.run(["bash", "-c", PROGRAM, "bash", script, "cloister", *words],
                          capture_output=True, text=True, check=True, env={**os.environ, "PATH": path})
    return done.stdout.split()


def check(cloister, script):
    verbs = re.findall(r"^  ([a-z-]+) +\S", says(cloister), re.M)
    if len(verbs) < 5:
        raise Failed(f"--help names few verbs: {verbs}")
    need(offers(cloister, script, ""), [*verbs, "--api-socket", "--version", "--help"], "verbs")
    for words in [[v] for v in verbs if v not in ("ctl", "help")] + [["--api-socket", "S"]]:
        flags = re.findall(r"(?<![\w-])--[a-z][a-z-]*", says(cloister, words[0]))
        need(offers(cloister, script, *words, "--"), [*flags, "--help"], words[0])
    calls = re.findall(r"^  ([a-z][a-z-]*) +\S", says(cloister, "ctl").partition("\nVerbs:\n")[2], re.M)
    need(offers(cloister, script, "ctl", ""), [*calls, "--api-socket", "--json", "--help"], "ctl")
    need(offers(cloister, script, "ctl", "--api-socket", "S", "snap"), ["snapshot"], "ctl snap")
    told = says(cloister, "run")
    for flag in VALUES:
        text = re.search(rf"\n  {flag} .*?(?=\n  -|\nExit)", told, re.S)[0]
        for word in offers(cloister, script, "run", flag, ""):
            # --require takes the levels that another flag names.
            if word.rstrip("=") not in re.findall(r"[\w-]+", text if flag != "--require" else told):
                raise Failed(f"{flag} {word}: --help does not say so")


def main():
    try:
        check(*sys.argv[1:])
    except Failed as failure:
        print(f"FAILED completion: {failure}")
        return 1
    print("passed completion")
    return 0


if __name__ == "__main__":
    sys.exit(main())
