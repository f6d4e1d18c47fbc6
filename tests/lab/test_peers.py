# SPDX-License-Identifier: Apache-2.0
"""Third-party back ends with a stock kernel, in the lab: qemu-storage-daemon's disk, virtiofsd's file system and
passt's network, all in one guest at each level, with data both ways, and how much of the guest's memory they have.

virtiofsd and passt are packages of trixie, so the lab has trixie's libc. Run alone: python3 tests/lab/test_peers.py
"""
import pathlib
import re
import shutil
import sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[2] / d) for d in ("scripts/lib",)]
import cpio
import debian
import kernels
import lab
from paths import CACHE, ROOT, Failed, main, made_once
from tally import Tally

HOST, GUEST = "7.3", "6.12"
DAEMON = "/usr/bin/qemu-storage-daemon"
LIBRARIES = "libc6 libcap-ng0 libseccomp2 libgcc-s1".split()
PACKAGES = [f"{name}/trixie" for name in ("virtiofsd", "passt", *LIBRARIES)]
MEMORY = 384  # MiB of the guest, of which it uses FILL at least
FILL, BOUNCE = 32, 64 << 20  # what it shares above level off has fewer bytes than that
LEVELS = ("off", "soft")
PEERS = ("disk", "fs", "net")
SIZE = 2  # MiB each way, for each peer

GUEST_INIT = f"""\
#!/bin/sh
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
mkdir /fs /www
for module in /modules/*.ko; do insmod $module; done
sum() {{ echo "$1 $(sha256sum | cut -c-64)"; }}
dd if=/dev/zero of=/fill bs=1M count={FILL} 2> /dev/null

echo "guest: disk queues $(ls /sys/block/vda/mq | wc -l)"
dd if=/dev/vda bs=1M count={SIZE} iflag=direct 2> /dev/null | sum "disk: down guest"
disk-verify random /dev/vda 4 20
disk-verify sequential /dev/vda 2 8
dd if=/dev/urandom of=/data bs=1M count={SIZE} 2> /dev/null
dd if=/data of=/dev/vda bs=1M oflag=direct conv=fsync 2> /dev/null
sum "disk: up guest" < /data

mount -t virtiofs share /fs || echo "fs: can't be mounted"
sum "fs: down guest" < /fs/down
cat /data /data > /fs/up
mkdir -p /fs/made/below; i=0
while [ $i -lt 40 ]; do echo $i > /fs/made/$i; i=$((i + 1)); done
rm /fs/made/7; mv /fs/made/8 /fs/made/below/eight; ln -s below/eight /fs/made/link; chmod 640 /fs/made/9
cd /fs; find made -exec stat -c '%n %a %F' {{}} + | sort | sum "fs: tree guest"; cd /
sync; umount /fs; mount -t virtiofs share /fs
sum "fs: up guest" < /fs/up
echo "guest: fs link $(cat /fs/made/link)"

ip link set lo up; ifconfig eth0 10.9.0.2 netmask 255.255.255.0 up; route add default gw 10.9.0.1
cp /data /www/up
sum "net: up guest" < /www/up
httpd -p 80 -h /www
wget -q -O - http://10.9.0.1/down | sum "net: down guest"
until wget -q -O /done http://10.9.0.1/done; do sleep 1; done
echo "guest: end at $(cut -d. -f1 /proc/uptime) s"
poweroff -f
"""

SCRIPT = f"""\
for module in /host/*.ko; do insmod $module; done
mkdir -p /www /share /run /etc; echo root:x:0:0::/: > /etc/passwd; echo nobody:x:65534:65534::/: >> /etc/passwd
ip link add dummy0 type dummy; ifconfig dummy0 10.7.0.2 netmask 255.255.255.0 up; route add default gw 10.7.0.1
httpd -p 80 -h /www
sum() {{ echo "$1 $(sha256sum | cut -c-64)"; }}
shared() {{
	for process in $2 $(cat /proc/$2/task/$2/children); do
		for range in $(sed -n 's/ rw-s .*memfd:guest-shared.*//p' /proc/$process/maps); do
			echo "map $1 $range $(stat -L -c %b /proc/$process/map_files/$range)"
		done
	done
}}
for level in {' '.join(LEVELS)}; do
	echo "== $level"
	rm -rf /share/* /www/* /run/*.sock
	for to in /disk /share/down /www/down; do dd if=/dev/urandom of=$to bs=1M count={SIZE} 2> /dev/null; done
	sum "disk: down host" < /disk; sum "fs: down host" < /share/down; sum "net: down host" < /www/down
	truncate -s 64M /disk
	qemu-storage-daemon --blockdev driver=file,node-name=disk,filename=/disk \\
		--export type=vhost-user-blk,id=e,node-name=disk,writable=on,num-queues=2,addr.type=unix,addr.path=/run/disk.sock &
	disk=$!
	virtiofsd --socket-path /run/fs.sock --shared-dir /share & fs=$!
	passt -f -q --vhost-user -s /run/net.sock -4 -a 10.9.0.2 -n 24 -g 10.9.0.1 -t 8080:80 & net=$!
	for i in 1 2 3 4 5 6 7 8 9; do [ -S /run/disk.sock -a -S /run/fs.sock -a -S /run/net.sock ] || sleep 1; done
	( until wget -q -O /up http://127.0.0.1:8080/up; do sleep 1; done 2> /dev/null
	shared disk $disk; shared fs $fs; shared net $net
	touch /www/done ) &
	fetcher=$!
	timeout 150 cloister run --kernel /vmlinuz --initramfs /initramfs --confidential $level \\
		--cmdline "console=ttyS0 quiet panic=-1 cryptomgr.notests" --cpus boot=2 --memory size={MEMORY}M \\
		--disk vhost_user=on,socket=/run/disk.sock,num_queues=2 --fs tag=share,socket=/run/fs.sock \\
		--net vhost_user=on,socket=/run/net.sock --serial file=/serial --xcr0-preset < /dev/null
	echo "status $?"
	kill $fetcher $disk $fs $net 2> /dev/null
	wait $disk $fs $net
	tr -d '\\r' < /serial
	head -c {SIZE << 20} /disk | sum "disk: up host"
	sum "fs: up host" < /share/up
	cd /share; find made -exec stat -c '%n %a %F' {{}} + | sort | sum "fs: tree host"; cd /
	sum "net: up host" < /up
done
"""


def packages():
    """The programs of trixie, and what they run with. Return: the top of their tree"""
    return made_once(CACHE / "peers-1", lambda to: debian.unpack(to, *PACKAGES))


def add_peers(files):
    """The back ends; trixie's libraries instead of those that the rest came with."""
    if not pathlib.Path(DAEMON).exists():
        raise Failed(f"{DAEMON} is not installed (package qemu-system-common or qemu-utils)")
    files.add_program("bin/qemu-storage-daemon", DAEMON)
    top = packages()
    for name in ("usr/bin/passt", "usr/bin/passt.avx2", "usr/libexec/virtiofsd"):
        files.add_file(f"bin/{pathlib.Path(name).name}", top / name)
    for library in (top / "usr/lib/x86_64-linux-gnu").glob("*.so*"):
        files.add_file(f"lib/x86_64-linux-gnu/{library.name}", library)
    files.add_file("lib64/ld-linux-x86-64.so.2", top / "usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2")


def initramfs(build):
    archive = cpio.Archive()
    archive.add_file("bin/busybox", shutil.which("busybox"))
    for name in ("sh mount umount mkdir insmod ip ifconfig route cat ls wc cut dd sha256sum httpd wget cp mv rm ln chmod "
                 "find stat sort sync sleep poweroff").split():
        archive.add_link(f"bin/{name}", "busybox")
    archive.add_file("bin/disk-verify", build / "guests/disk/disk-verify")
    archive.add_data("init", GUEST_INIT, 0o755)
    archive.add_char("dev/console", 5, 1)
    for empty in ("proc", "sys"):
        archive.add_dir(empty)
    for number, (name, data) in enumerate(
            kernels.get(GUEST).modules("virtio_pci", "virtio_blk", "virtio_net", "virtiofs")):
        archive.add_data(f"modules/{number:02}-{name}.ko", data)
    return archive


def memory_of(text, peer):
    """Return: how many bytes there are in the part of the guest's memory that the peer has mapped"""
    found = re.findall(rf"^map {peer} [0-9a-f]+-[0-9a-f]+ (\d+)$", text, re.M)
    return max((int(blocks) * 512 for blocks in found), default=0)


def judge(text, level, peer):
    """Return: [(whether it holds, what)] of one peer"""
    def same(what):
        sums = [re.findall(rf"^{peer}: {what} {side} (\w{{64}})$", text, re.M) for side in ("host", "guest")]
        return len(sums[0]) == 1 and sums[0] == sums[1]

    there = memory_of(text, peer)
    of_peer = {
        "disk": [("guest: disk queues 2\n" in text, "the guest has 2 queues"),
                 ("disk: random good\n" in text, "random I/O of 4 KiB reads back what was written"),
                 ("disk: sequential good\n" in text, "sequential I/O of 1 MiB reads back what was written")],
        "fs": [(same("tree"), "both see the same files"),
               ("guest: fs link 8\n" in text, "a symbolic link leads to a file that was moved")],
        "net": [],
    }[peer]
    return [
        ("\nstatus 0\n" in text and "guest: end" in text, "the guest gets to its end and powers off"),
        (same("down"), "what the host has is what the guest reads"),
        (same("up"), "what the guest writes is what the host finds"),
        (there > BOUNCE if level == "off" else 0 < there <= BOUNCE,
         f"it has {'all memory' if level == 'off' else 'what is shared and no other'}: {there >> 20} MiB"),
        *of_peer,
    ]


def run(tally, build):
    """run() - a boot at each level in one lab, count each peer."""
    place = lab.Lab(HOST)
    place.files.add_program("bin/cloister", build / "cloister")
    add_peers(place.files)
    place.files.add_file("vmlinuz", kernels.get(GUEST).image)
    for number, (name, data) in enumerate(place.kernel.modules("dummy")):
        place.files.add_data(f"host/{number:02}-{name}.ko", data)
    initramfs(build).write(build / "peers-initramfs")
    place.files.add_file("initramfs", build / "peers-initramfs")
    try:
        parts = place.cases(SCRIPT)
    except lab.Crashed as crashed:
        tally.fails(f"lab {HOST}: peers", crashed, count=len(LEVELS) * len(PEERS))
        return
    for level in LEVELS:
        part = "\n" + parts.get(level, "")
        for peer in PEERS:
            broken = [what for holds, what in judge(part, level, peer) if not holds]
            name = f"lab {HOST}: {peer} of others {level}"
            if broken:
                tally.fails(name, "; ".join(f"not so: {what}" for what in broken) + "\n" + part[-3500:])
            else:
                tally.passes(name)


def body():
    tally = Tally()
    run(tally, ROOT / "build")
    return tally.end()


if __name__ == "__main__":
    main(body)
