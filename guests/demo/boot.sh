#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# boot.sh OUT DISK PROVE LIMIT -- COMMAND...: boot the demo guest once and gather the evidence.
#
# COMMAND is `cloister run` with all flags but those for the disks, console and report, which are
# added here. DISK is the read-only disk. When the guest is ready, the monitor and all processes
# below it are examined from outside, by /proc and by the prover PROVE, not by their own word. The
# guest must power off within LIMIT seconds. Left in OUT:
#   console      what the guest printed        errors    what cloister printed
#   report.json  at the end                    ready.json the report when the guest was ready
#   facts        lines "NAME VALUE"            prove     what the prover said
#   NAME.PID     mappings and descriptors of each process
# It judges nothing (demo.py does). Runs in the lab too: plain sh, no more than busybox has.
out=$1 disk=$2 prove=$3 limit=$4
shift 5
mkdir -p "$out"
scratch=$out/scratch.img
console=$out/console
truncate -s 4M "$scratch"
mkfifo "$out/keyboard"
: > "$console"

now() { cut -d' ' -f1 /proc/uptime; }
fact() { echo "$*" >> "$out/facts"; }
alive() { kill -0 "$monitor" 2> /dev/null && [ "$(cut -d' ' -f3 "/proc/$monitor/stat")" != Z ]; }
tenths=0
# until_or_end CONDITION: wait until the shell condition holds; fails at the limit or cloister's end
until_or_end() {
	until eval "$1"; do
		alive || return 1
		[ $tenths -lt $((limit * 10)) ] || return 1
		sleep 0.1
		tenths=$((tenths + 1))
	done
}
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
		cat "/proc/$1/smaps_rollup"
		echo "== status"
		cat "/proc/$1/status"
	} > "$out/$name.$1" 2>&1
	fact "rss_kib $name $(sed -n 's/^Pss: *\([0-9]*\) kB/\1/p' "/proc/$1/smaps_rollup")"
}

exec 9<> "$out/keyboard"
fact "start $(now)"
"$@" --disk "path=$disk,readonly=on" --disk "path=$scratch" --serial tty \
	--report "$out/report.json" < "$out/keyboard" > "$console" 2> "$out/errors" 9>&- &
monitor=$!
fact "monitor $monitor"

until_or_end "grep -q '^demo: kernel' '$console'" && fact "up $(now)"
if until_or_end "grep -q '^demo: ready' '$console'"; then
	fact "ready $(now)"
	kill -USR1 "$monitor"
	until_or_end "[ -e '$out/report.json' ]" && cp "$out/report.json" "$out/ready.json"
	examine "$monitor"
	below=
	for pid in $(descendants "$monitor"); do
		examine "$pid"
		below="$below $name=$pid"
	done
	seed=$(sed -n 's/^demo: seed \([0-9a-f]*\).*/\1/p' "$console")
	# shellcheck disable=SC2086 # a list of words
	"$prove" "$seed" "$monitor" $below > "$out/prove" 2>&1
	fact "proved $(now) status $?"
	echo go >&9
fi
until_or_end "! alive"
if alive; then
	fact "killed after $limit s"
	kill -KILL "$monitor"
fi
wait "$monitor"
fact "status $?"
fact "end $(now)"
fact "disk $(sha256sum < "$disk")"
fact "scratch $(dd if="$scratch" bs=1M skip=1 count=1 2> /dev/null | sha256sum)"
rm -f "$out/keyboard" "$scratch"
