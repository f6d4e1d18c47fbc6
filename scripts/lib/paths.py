# SPDX-License-Identifier: Apache-2.0
"""Where things are: the checkout, its cache, and directories of the cache made once."""
import contextlib
import fcntl
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = pathlib.Path(os.environ.get("CLOISTER_CACHE") or ROOT / ".cache").absolute()


class Failed(Exception):
    """Something a user can act on; its text is the whole message."""


def say(text):
    """say() - one line of progress, on standard error."""
    print(text, file=sys.stderr, flush=True)


def run(*argv, **more):
    """run() - run a program; its output is shown only if it fails. Return: its output."""
    done = subprocess.run([str(a) for a in argv], stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more)
    if done.returncode:
        raise Failed(f"{' '.join(str(a) for a in argv)}: status {done.returncode}\n{done.stdout}")
    return done.stdout


@contextlib.contextmanager
def lock(name):
    """lock() - hold the cache's lock `name`; other processes wait."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / f"{name}.lock", "w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def made_once(path, make):
    """made_once() - the directory or file `path` of the cache, made by make(tmp) if it is missing.

    Whatever make() leaves at tmp gets the name `path` in one step, so that nobody sees a half.
    """
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    with lock(path.name):
        if path.exists():
            return path
        work = pathlib.Path(tempfile.mkdtemp(prefix=".making-", dir=path.parent))
        try:
            make(work / "it")
            (work / "it").rename(path)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return path


def main(body):
    """main() - run body() as a program: a Failed becomes one message and status 1."""
    try:
        sys.exit(body())
    except Failed as failed:
        say(f"{pathlib.Path(sys.argv[0]).name}: {failed}")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
