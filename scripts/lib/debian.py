# SPDX-License-Identifier: Apache-2.0
"""Debian packages of any suite, without touching the machine's own apt.

An isolated apt (own lists, own cache, own sources) uses the mirrors that the machine's sources
name. Packages are downloaded and unpacked, never installed.
"""
import pathlib
import re

from paths import CACHE, Failed, lock, run, say

SUITES = ("bookworm", "bookworm-security", "trixie", "trixie-backports", "sid")
APT = CACHE / "apt"


def _stanzas(text):
    """The (URIs, suites, signed-by) of a deb822 file."""
    for block in re.split(r"\n\s*\n", text):
        lines = [line for line in block.splitlines() if not line.startswith("#")]
        fields = {}
        for line in lines:
            if line[:1].isspace() and fields:
                fields[last] += " " + line.strip()
            elif ":" in line:
                last, value = line.split(":", 1)
                last = last.strip().lower()
                fields[last] = value.strip()
        if "deb" in fields.get("types", "").split() and fields.get("enabled", "yes") != "no":
            yield fields.get("uris", "").split(), fields.get("suites", "").split(), \
                fields.get("signed-by", "")


def _lines(text):
    """The same of a one-line file."""
    for line in text.splitlines():
        found = re.match(r"\s*deb\s+(?:\[([^]]*)\]\s+)?(\S+)\s+(\S+)\s+\S", line)
        if found:
            signed = re.search(r"signed-by=(\S+)", found[1] or "", re.I)
            yield [found[2]], [found[3]], signed[1] if signed else ""


def _sources(etc=pathlib.Path("/etc/apt")):
    """Every (URI, suite, signed-by) that the machine's own apt uses."""
    files = [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*"))]
    for file in files:
        if not file.is_file() or file.suffix not in (".list", ".sources"):
            continue
        read = _stanzas if file.suffix == ".sources" else _lines
        for uris, suites, signed in read(file.read_text()):
            for suite in suites:
                yield uris[0], suite, signed


def _source_for(suite, known):
    """The sources.list line for `suite`, by the mirror the machine uses for its like."""
    like = [k for k in known if k[1] == suite]
    if not like and suite.endswith("-security"):
        like = [k for k in known if k[1].endswith("-security")]
        like = like or [(re.sub(r"/debian/?$", "/debian-security", k[0]), k[1], k[2])
                        for k in known if re.search(r"/debian/?$", k[0])]
    if not like:
        like = [k for k in known if re.fullmatch(r"(bookworm|stable|oldstable|trixie)(-updates)?",
                                                 k[1])]
    if not like:
        raise Failed("the machine's apt sources name no Debian mirror (see /etc/apt/sources.list)")
    uri, _, signed = like[0]
    option = f"[signed-by={signed}] " if signed.startswith("/") else ""
    return f"deb {option}{uri} {suite} main\n"


def _apt(tool, *argv):
    return run(tool, "-qq", "-o", f"Dir::State={APT}", "-o", f"Dir::State::lists={APT}/lists",
               "-o", f"Dir::State::status={APT}/status", "-o", f"Dir::Cache={APT}",
               "-o", f"Dir::Etc::SourceList={APT}/sources.list", "-o", "Dir::Etc::SourceParts=-",
               "-o", "APT::Sandbox::User=", "-o", "Acquire::Languages=none",
               "-o", "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false",
               "-o", "Acquire::Retries=3", *argv, cwd=APT)


def _lists():
    """The package lists of SUITES, fetched if they are not there."""
    (APT / "lists/partial").mkdir(parents=True, exist_ok=True)
    (APT / "archives/partial").mkdir(parents=True, exist_ok=True)
    (APT / "status").touch()
    known = list(_sources())
    wanted = "".join(_source_for(suite, known) for suite in SUITES)
    file = APT / "sources.list"
    if file.exists() and file.read_text() == wanted:
        return
    say(f"apt: fetching the package lists of {', '.join(SUITES)}")
    staged = APT / "sources.new"
    staged.write_text(wanted)
    try:
        staged.replace(file)
        _apt("apt-get", "update")
    except Failed:
        file.unlink(missing_ok=True)
        raise


def newest(pattern):
    """newest() - the package with the highest version whose name matches. Return: (name, version)"""
    with lock("apt"):
        _lists()
        names = [n for n in _apt("apt-cache", "pkgnames", re.match(r"[\w-]*", pattern)[0]).split()
                 if re.fullmatch(pattern, n)]
        if not names:
            raise Failed(f"no package of {', '.join(SUITES)} matches {pattern}")
        shown = _apt("apt-cache", "show", "--no-all-versions", *names)
    found = re.findall(r"^Package: (\S+)\n(?:.*\n)*?Version: (\S+)$", shown, re.M)
    return max(found, key=lambda pv: [int(n) for n in re.findall(r"\d+", pv[1])])


def with_parts(package, version):
    """with_parts() - the package and what it needs of its very own version, as "name=version"."""
    with lock("apt"):
        _lists()
        shown = _apt("apt-cache", "show", f"{package}={version}")
    depends = re.search(r"^Depends: (.*)$", shown, re.M)
    parts = re.findall(r"(\S+) \(= ([^)]+)\)", depends[1] if depends else "")
    return [f"{package}={version}"] + [f"{n}={v}" for n, v in parts if v == version]


def unpack(into, *packages):
    """unpack() - download packages ("name" or "name=version") and unpack them below `into`."""
    with lock("apt"):
        _lists()
        for package in packages:
            say(f"apt: fetching {package}")
            for old in APT.glob("*.deb"):
                old.unlink()
            _apt("apt-get", "download", package)
            (deb,) = APT.glob("*.deb")
            into.mkdir(parents=True, exist_ok=True)
            run("dpkg-deb", "-x", deb, into)
            deb.unlink()
