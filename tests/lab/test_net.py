# SPDX-License-Identifier: Apache-2.0
"""virtio-net with a stock kernel, in the lab: what the guest sees, and data both ways over a tap.

Run alone: python3 tests/lab/test_net.py [MIB], so much more both ways at once, such as 1024
"""
import hashlib
import pathlib
import random
import re
import shutil
import sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[2] / d) for d in ("scripts/lib",)]
import cpio
import kernels
import lab
from paths import ROOT, main
from tally import Tally

HOST, GUEST = "7.3", "6.12"
SIZE = 4 << 20  # bytes each way by TCP
MAC, MTU = "52:54:00:12:34:56", 1400
# level -> flags of the network device beside its addresses, vCPUs, pairs of queues
CASES = {
    "off": ("num_queues=4", 2, 2),
    "soft": ("id=eth", 1, 1),
}

# Each side serves a file by HTTP, in large segments, and the other fetches it.
GUEST_INIT = f"""\
#!/bin/sh
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
for module in /modules/*.ko; do insmod $module; done
ip link set lo up; ifconfig eth0 10.9.0.2 netmask 255.255.255.0 up
echo "net: mac $(cat /sys/class/net/eth0/address)"
echo "net: mtu $(cat /sys/class/net/eth0/mtu)"
echo "net: carrier $(cat /sys/class/net/eth0/carrier)"
echo "net: pairs $(ls -d /sys/class/net/eth0/queues/rx-* | wc -l) $(ls -d /sys/class/net/eth0/queues/tx-* | wc -l)"
ping -c 5 -i 0.05 -s 1372 10.9.0.1 | grep received | sed 's/^/net: ping /'
ping -c 3 -i 0.05 -s 20000 10.9.0.1 | grep received | sed 's/^/net: fragments /'
mkdir -p /www
dd if=/dev/urandom of=/www/up bs=1M count={SIZE >> 20} 2> /dev/null
echo "net: sent $(sha256sum < /www/up)"
httpd -p 80 -h /www
wget -q -O /down http://10.9.0.1/down
echo "net: received $(sha256sum < /down)"
[ -e /www/cgi-bin ] && echo "net: much $(wget -q -O - http://10.9.0.1/cgi-bin/much | sha256sum)"
until wget -q -O /done http://10.9.0.1/done; do sleep 1; done
grep eth0 /proc/net/dev | sed 's/^/net: counters /'
poweroff -f
"""

SCRIPT = f"""\
read -r mib < /mib; limit=$((150 + mib))
for module in /tun/*.ko; do insmod $module; done
mkdir -p /dev/net /www; [ -e /dev/net/tun ] || mknod /dev/net/tun c 10 200
dd if=/dev/urandom of=/www/down bs=1M count={SIZE >> 20} 2> /dev/null
httpd -p 80 -h /www
while read -r level cpus flags; do
	echo "== $level"
	rm -f /up /much /www/done
	( until wget -q -O /up http://10.9.0.2/up; do sleep 1; done 2> /dev/null
	[ -e /www/cgi-bin ] && wget -q -O - http://10.9.0.2/cgi-bin/much | sha256sum > /much
	touch /www/done ) &
	fetcher=$!
	timeout $limit cloister run --kernel /vmlinuz --initramfs /initramfs --confidential $level \\
		--cmdline "console=ttyS0 quiet panic=-1 cryptomgr.notests" --cpus boot=$cpus \\
		--net tap=tap0,ip=10.9.0.1,mask=255.255.255.0,mac={MAC},mtu={MTU},$flags \\
		--serial file=/serial --xcr0-preset < /dev/null
	echo "status $?"
	kill $fetcher 2> /dev/null
	tr -d '\\r' < /serial
	echo "host: received $(sha256sum < /up)"
	echo "host: sent $(sha256sum < /www/down)"
	[ -e /much ] && echo "host: much $(cat /much)"
done < /cases
"""


# What a web server's program sends, so that no side has to have room for it.
MUCH = """\
#!/bin/sh
echo "Content-Type: application/octet-stream"; echo
i=0; while [ $i -lt {} ]; do i=$((i + 1)); echo $i; cat /blob; done
"""
BLOB = random.Random(1).randbytes(1 << 20)


def add_much(archive, mib):
    """Let this side's web server send so much."""
    if mib:
        archive.add_data("blob", BLOB)
        archive.add_data("www/cgi-bin/much", MUCH.format(mib), 0o755)


def much_of(mib):
    """Return: what is to be said of it by sha256sum"""
    digest = hashlib.sha256()
    for i in range(mib):
        digest.update(f"{i + 1}\n".encode() + BLOB)
    return digest.hexdigest() + "  -"


def initramfs(mib=0):
    archive = cpio.Archive()
    add_much(archive, mib)
    archive.add_file("bin/busybox", shutil.which("busybox"))
    for name in ("sh mount insmod ip ifconfig cat ls wc ping grep sed dd sha256sum httpd wget "
                 "mkdir sleep poweroff").split():
        archive.add_link(f"bin/{name}", "busybox")
    archive.add_data("init", GUEST_INIT, 0o755)
    archive.add_char("dev/console", 5, 1)
    for empty in ("proc", "sys"):
        archive.add_dir(empty)
    for number, (name, data) in enumerate(kernels.get(GUEST).modules("virtio_pci", "virtio_net")):
        archive.add_data(f"modules/{number:02}-{name}.ko", data)
    return archive


def judge(text, pairs, mib=0):
    """Return: [(whether it holds, what)]"""
    def said(key):
        return re.findall(rf"^{key} (.*)$", text, re.M)

    return [
        (text.startswith("status 0\n"), "the guest runs and powers off"),
        (said("net: mac") == [MAC], "the guest has the address that was given"),
        (said("net: mtu") == [str(MTU)], "the guest has the MTU that was given"),
        (said("net: carrier") == ["1"], "the link is up"),
        (said("net: pairs") == [f"{pairs} {pairs}"], f"the guest has {pairs} pairs of queues"),
        ("5 packets transmitted, 5 packets received" in "".join(said("net: ping")),
         "each ping is answered"),
        ("3 packets transmitted, 3 packets received" in "".join(said("net: fragments")),
         "each ping of many fragments is answered"),
        (said("net: sent") and said("net: sent") == said("host: received"),
         "what the guest sends by TCP is what comes"),
        (said("net: received") and said("net: received") == said("host: sent"),
         "what the host sends by TCP is what comes"),
        *((said(f"{side}: much") == [much_of(mib)], f"{mib} MiB come to the {who} unchanged")
          for side, who in (("net", "guest"), ("host", "host")) if mib),
    ]


def run(tally, build, mib=0):
    """run() - all cases in one lab, count each. mib: more to transfer"""
    place = lab.Lab(HOST)
    place.timeout += 2 * mib
    add_much(place.files, mib)
    place.files.add_data("mib", f"{mib}\n")
    place.files.add_program("bin/cloister", build / "cloister")
    place.files.add_file("vmlinuz", kernels.get(GUEST).image)
    for number, (name, data) in enumerate(place.kernel.modules("tun")):
        place.files.add_data(f"tun/{number:02}-{name}.ko", data)
    build.mkdir(exist_ok=True)
    initramfs(mib).write(build / "net-initramfs")
    place.files.add_file("initramfs", build / "net-initramfs")
    place.files.add_data("cases", "".join(
        f"{level} {cpus} {flags}\n" for level, (flags, cpus, pairs) in CASES.items()))
    try:
        parts = place.cases(SCRIPT)
    except lab.Crashed as crashed:
        tally.fails(f"lab {HOST}: net", crashed, count=len(CASES))
        return
    for level, (_, _, pairs) in CASES.items():
        part = parts.get(level, "")
        broken = [what for holds, what in judge(part[part.find("status "):], pairs, mib) if not holds]
        name = f"lab {HOST}: net {level}"
        if broken:
            tally.fails(name, "; ".join(f"not so: {what}" for what in broken) + "\n" + part[-1500:])
        else:
            tally.passes(name)


def body():
    tally = Tally()
    run(tally, ROOT / "build", int(sys.argv[1]) if sys.argv[1:] else 0)
    return tally.end()


if __name__ == "__main__":
    main(body)
