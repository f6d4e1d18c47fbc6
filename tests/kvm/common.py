# SPDX-License-Identifier: Apache-2.0
"""What the tests on this machine's KVM share."""
import ctypes
import fcntl
import os
import time

SKIP = 77
PATIENCE = int(os.environ.get("CLOISTER_PATIENCE", "1"))  # more on busy machines, with sanitizers
TIMEOUT = 30 * PATIENCE  # seconds to wait for something at most
KVM_CREATE_VM = 0xAE01
PR_SET_CHILD_SUBREAPER = 36
SECTOR = 512
SECTORS = 2048


class Failed(Exception):
    pass


def want(condition, text):
    if not condition:
        raise Failed(text)


def wait_until(condition, text):
    end = time.monotonic() + TIMEOUT
    while not condition():
        want(time.monotonic() < end, text)
        time.sleep(0.01)


def text_of(path):
    """What the file says; nothing if there is none, or it is of a process that has just ended."""
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            return f.read()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def lacking_kvm():
    """Why this machine can't run a VM, or None."""
    try:
        fd = os.open("/dev/kvm", os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        return f"/dev/kvm: {error.strerror}"
    try:
        os.close(fcntl.ioctl(fd, KVM_CREATE_VM, 0))
    except OSError as error:
        return f"KVM_CREATE_VM: {error.strerror}"
    finally:
        os.close(fd)
    return None


def mortal(command):
    """The command, so that it is killed when the test that starts it ends in whatever way."""
    return ["setpriv", "--pdeathsig", "KILL", "--", *command]


def sanitized(program):
    with open(program, "rb") as f:
        text = f.read()
    return b"__asan_init" in text or b"__tsan_init" in text


def disk_bytes():
    """A disk whose sectors hold their number again and again."""
    return b"".join(n.to_bytes(4, "little") * (SECTOR // 4) for n in range(SECTORS))


def write_disk(folder):
    path = os.path.join(folder, "disk")
    with open(path, "wb") as f:
        f.write(disk_bytes())
    return path


def process_stat(pid):
    """The fields of /proc/PID/stat after the name: state, parent, group, session, ..."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
            return f.read().rpartition(")")[2].split()
    except OSError:
        return None


def processes():
    """pid -> fields, without zombies."""
    stats = {int(p): process_stat(p) for p in os.listdir("/proc") if p.isdigit()}
    return {pid: stat for pid, stat in stats.items() if stat and stat[0] != "Z"}


def children(parent):
    return [pid for pid, stat in processes().items() if int(stat[1]) == parent]


def descendants(ancestor):
    found = children(ancestor)
    for pid in found:
        found += children(pid)
    return found


# What loses its parent becomes a child of this process; device processes have sessions of their own.
if ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
    raise OSError("PR_SET_CHILD_SUBREAPER")


def left_behind(monitor):
    """What lives on of a monitor that has ended, given that nothing else was started that runs."""
    return [pid for pid in descendants(os.getpid()) if pid != monitor]
