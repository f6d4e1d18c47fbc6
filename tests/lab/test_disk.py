# SPDX-License-Identifier: Apache-2.0
"""virtio-blk with a stock kernel, in the lab: verified random and sequential I/O on several queues past both page
caches, and file systems that are made, used, checked and found again.

Run alone: python3 tests/lab/test_disk.py [WORD...] [TIMES], only cases whose name has all WORDs, and I/O so many times
"""
import pathlib
import re
import shutil
import sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[2] / d) for d in ("scripts/lib",)]
import cpio
import kernels
import lab
from paths import ROOT, Failed, main
from tally import Tally

HOST, GUEST = "7.3", "6.12"
SIZE = "320M"  # XFS wants 300
QUEUES = 2
# name -> level, flags of the disk, is it on a file system (where O_DIRECT is the real thing), file systems in the guest
CASES = {
    "off, cached, split": ("off", "direct=off,packed=off", False, "ext4 xfs"),
    "soft, cached, packed": ("soft", "direct=off,packed=on", False, ""),
    "off, direct, packed": ("off", "direct=on,packed=on", True, ""),
    "soft, direct, split": ("soft", "direct=on,packed=off", True, "ext4 xfs"),
}

GUEST_INIT = f"""\
#!/bin/sh
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
mkdir /mnt /run /etc; > /etc/fstab
for module in /modules/*.ko; do insmod $module; done
echo "disk: queues $(ls /sys/block/vda/mq | wc -l)"
echo "disk: features $(cat /sys/bus/virtio/devices/virtio0/features)"
times=$(sed 's/.*times=//; s/ .*//' /proc/cmdline)
disk-verify random /dev/vda 4 $((150 * times))
disk-verify sequential /dev/vda 2 $((24 * times))
for fs in $(sed 's/.*filesystems=//; s/ .*//; s/,/ /g' /proc/cmdline); do
	mkfs.$fs $([ $fs = xfs ] && echo -f || echo -F) -q /dev/vda && mount -t $fs /dev/vda /mnt || echo "disk: $fs can't be made"
	for i in 1 2 3 4 5 6 7 8; do mkdir -p /mnt/$i/$i; dd if=/dev/urandom of=/mnt/$i/$i/file bs=64k count=$i 2> /dev/null; done
	rm -r /mnt/3
	before=$(cd /mnt; find . -type f | sort | xargs sha256sum | sha256sum)
	umount /mnt; echo 3 > /proc/sys/vm/drop_caches
	if [ $fs = xfs ]; then xfs_repair -n /dev/vda > /log 2>&1; else fsck.$fs -fn /dev/vda > /log 2>&1; fi
	echo "disk: $fs check $?"
	mount -t $fs /dev/vda /mnt
	[ "$before" = "$(cd /mnt; find . -type f | sort | xargs sha256sum | sha256sum)" ] && echo "disk: $fs the same"
	umount /mnt
done
echo "disk: end"
poweroff -f
"""

SCRIPT = f"""\
read -r times < /times
for module in /host/*.ko; do insmod $module; done
truncate -s 400M /back
loop=$(losetup -f); losetup $loop /back
mkfs.ext4 -q -F $loop; mkdir -p /mnt; mount -t ext4 $loop /mnt || echo "no file system"
while IFS=: read -r name level flags disk fs; do
	echo "== $name"
	rm -f $disk; truncate -s {SIZE} $disk
	timeout $((180 + 20 * times)) cloister run --kernel /vmlinuz --initramfs /initramfs --confidential $level --cpus boot={QUEUES} \\
		--cmdline "console=ttyS0 quiet panic=-1 cryptomgr.notests times=$times filesystems=$fs" --memory size=384M \\
		--disk path=$disk,num_queues={QUEUES},$flags --serial file=/serial --xcr0-preset < /dev/null
	echo "status $?"
	tr -d '\\r' < /serial
done < /cases
"""


def program(name):
    found = shutil.which(name, path="/usr/sbin:/sbin:/usr/bin:/bin")
    if not found:
        raise Failed(f"{name} is not installed (packages e2fsprogs, xfsprogs)")
    return found


def initramfs(build):
    archive = cpio.Archive()
    archive.add_file("bin/busybox", shutil.which("busybox"))
    for name in "sh mount umount mkdir insmod ls cat wc sed dd find sort xargs sha256sum rm poweroff".split():
        archive.add_link(f"bin/{name}", "busybox")
    for name in ("mkfs.ext4", "fsck.ext4", "mkfs.xfs", "xfs_repair"):
        archive.add_program(f"bin/{name}", program(name))
    archive.add_file("bin/disk-verify", build / "guests/disk/disk-verify")
    archive.add_data("init", GUEST_INIT, 0o755)
    archive.add_char("dev/console", 5, 1)
    for empty in ("proc", "sys"):
        archive.add_dir(empty)
    for number, (name, data) in enumerate(
            kernels.get(GUEST).modules("crc32c_generic", "virtio_pci", "virtio_blk", "ext4", "xfs")):
        archive.add_data(f"modules/{number:02}-{name}.ko", data)
    return archive


def judge(text, packed, systems):
    """Return: [(whether it holds, what)]"""
    said = re.findall(r"^disk: (.*)$", text, re.M)
    features = next((s.split()[1] for s in said if s.startswith("features")), "")
    return [
        (text.startswith("status 0\n"), "the guest runs and powers off"),
        (f"queues {QUEUES}" in said, f"the guest has {QUEUES} queues"),
        (features[34:35] == ("1" if packed else "0"), f"the rings are {'packed' if packed else 'split'}"),
        ("random good" in said, "random I/O of 4 KiB reads back what was written"),
        ("sequential good" in said, "sequential I/O of 1 MiB reads back what was written"),
        *((f"{fs} check 0" in said, f"{fs} is clean") for fs in systems),
        *((f"{fs} the same" in said, f"{fs} keeps its files") for fs in systems),
        ("end" in said and "wrong" not in text, "the guest gets to its end"),
    ]


def run(tally, build, words=()):
    """run() - all cases in one lab, count each."""
    times = max((int(w) for w in words if w.isdigit()), default=1)
    words = [w for w in words if not w.isdigit()]
    chosen = {name: case for name, case in CASES.items() if all(w in name for w in words)}
    place = lab.Lab(HOST)
    place.timeout += 80 * (times - 1)
    place.files.add_data("times", f"{times}\n")
    place.files.add_program("bin/cloister", build / "cloister")
    place.files.add_program("bin/mkfs.ext4", program("mkfs.ext4"))
    place.files.add_file("vmlinuz", kernels.get(GUEST).image)
    for number, (name, data) in enumerate(place.kernel.modules("loop", "ext4")):
        place.files.add_data(f"host/{number:02}-{name}.ko", data)
    build.mkdir(exist_ok=True)
    initramfs(build).write(build / "disk-initramfs")
    place.files.add_file("initramfs", build / "disk-initramfs")
    place.files.add_data("cases", "".join(
        f"{name}:{level}:{flags}:{'/mnt/disk' if on_fs else '/tmp/disk'}:{','.join(systems.split())}\n"
        for name, (level, flags, on_fs, systems) in chosen.items()))
    try:
        parts = place.cases(SCRIPT)
    except lab.Crashed as crashed:
        tally.fails(f"lab {HOST}: disk", crashed, count=len(chosen))
        return
    for name, (_, flags, _, systems) in chosen.items():
        part = parts.get(name, "")
        promises = judge(part[part.find("status "):], "packed=on" in flags, systems.split())
        broken = [what for holds, what in promises if not holds]
        if broken:
            tally.fails(f"lab {HOST}: disk {name}",
                        "; ".join(f"not so: {what}" for what in broken) + "\n" + part[-1500:])
        else:
            tally.passes(f"lab {HOST}: disk {name}")


def body():
    tally = Tally()
    run(tally, ROOT / "build", sys.argv[1:])
    return tally.end()


if __name__ == "__main__":
    main(body)
