#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# boot.sh OUT DISK TOOLS LIMIT -- COMMAND...: boot the demo guest once and gather evidence.
#
# COMMAND is `cloister run` with all flags but those for the disks, console and report, which are
# added here. DISK is the read-only disk. When the guest is ready, the monitor and all processes
# below it are examined from outside, by /proc and by demo-prove (like demo-await in the directory
# TOOLS), not by their own word. The guest must end within LIMIT seconds; one that says it sleeps is
# interrupted. Left in OUT:
#   console      what the guest printed        errors    what cloister printed
#   report.json  at the end                    ready.json the report when the guest was ready
#   facts        lines "NAME VALUE"            prove     what the prover said
#   kvm          KVM's counters, if debugfs shows them
#   NAME.PID     mappings and descriptors of each process
# It judges nothing (demo.py does). Runs in the lab too: plain sh, no more than busybox has.
out=$1 disk=$2 tools=$3 limit=$4
shift 5
mkdir -p "$out"
scratch=$out/scratch.img
console=$out/console
truncate -s 4M "$scratch"
mkfifo "$out/keyboard"
: > "$console"

now() { cut -d' ' -f1 /proc/uptime; }
fact() { echo "$*" >> "$out/facts"; }
began=$(date +%s)
left() { echo $((began + limit - $(date +%s))); }
# said TEXT: wait until the guest has said it; fails at the limit or cloister's end
said() { "$tools/demo-await" "$console" "$1" "$monitor" "$(left)"; }
descendants() {
	for child in $(cat /proc/"$1"/task/*/children 2> /dev/null); do
		echo "$child"
		descendants "$child"
	done
}
examine() {
	name=$(tr -c 'a-zA-Z0-9\n' '-' < "/proc/$1/comm")
	{
		echo "== mappings"
		cat "/proc/$1/maps"
		echo "== descriptors"
		ls -l "/proc/$1/fd"
		echo "== memory"
		cat "/proc/$1/smaps"
		echo "== status"
		cat "/proc/$1/status"
	} > "$out/$name.$1" 2>&1
}

exec 9<> "$out/keyboard"
fact "start $(now)"
"$@" --disk "path=$disk,readonly=on" --disk "path=$scratch" --serial tty \
	--report "$out/report.json" < "$out/keyboard" > "$console" 2> "$out/errors" 9>&- &
monitor=$!
fact "monitor $monitor"

said "demo: kernel" && fact "up $(now)"
if said "demo: ready"; then
	fact "ready $(now)"
	kill -USR1 "$monitor"
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		[ ! -e "$out/report.json" ] || break
		sleep 0.3
	done
	cp "$out/report.json" "$out/ready.json"
	grep -s . /sys/kernel/debug/kvm/* > "$out/kvm"
	examine "$monitor"
	below=
	for pid in $(descendants "$monitor"); do
		examine "$pid"
		below="$below $name=$pid"
	done
	seed=$(sed -n 's/^demo: seed \([0-9a-f]*\).*/\1/p' "$console")
	at=$(sed -n 's/^demo: secret kept .* at \(0x[0-9a-f]*\).*/\1/p' "$console")
	# shellcheck disable=SC2086 # a list of words
	"$tools/demo-prove" "$seed@$at" "$monitor" $below > "$out/prove" 2>&1
	fact "proved $(now) status $?"
	"$tools/demo-trespass" "$monitor" > "$out/trespass" 2>&1
	fact "trespassed status $?"
	echo go >&9
	said "demo: sleeps" && kill -INT "$monitor"
fi
if ! "$tools/demo-await" "$console" "" "$monitor" "$(left)"; then
	fact "killed after $limit s"
	kill -KILL "$monitor"
fi
wait "$monitor"
fact "status $?"
fact "end $(now)"
fact "disk $(sha256sum < "$disk")"
fact "scratch $(dd if="$scratch" bs=1M skip=1 count=1 2> /dev/null | sha256sum)"
rm -f "$out/keyboard" "$scratch"
