#!/usr/bin/env bash
# demo.sh BIN - a whole swarm on this machine, shown step by step.
#
# Makes an album of 24 MiB, a torrent of it, a tracker, a seed and three leeches
# that begin together; verifies the three copies; ends everything. What it runs
# is printed first, and is what the README shows. Nothing is left behind.
set -eu -o pipefail

bin=$(cd "${1:?demo.sh: where are the programs?}" && pwd)
export PATH="$bin:$PATH"
work=$(mktemp -d)
pids=()

end() {
	local pid
	for pid in "${pids[@]}"; do
		kill "$pid" 2>/dev/null || :
	done
	for pid in "${pids[@]}"; do
		wait "$pid" 2>/dev/null || :
	done
	rm -rf "$work"
}
trap end EXIT
cd "$work"

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
	bold=$'\e[1m' plain=$'\e[0m'
else
	bold='' plain=''
fi
say() { printf '\n%s# %s%s\n' "$bold" "$*" "$plain"; }
show() { printf '%s$ %s%s\n' "$bold" "$*" "$plain"; }
run() {
	show "$*"
	eval "$*"
}
# Begin $2.. in the background and wait for its first line on stdout.
begin() {
	local out=$1
	shift
	show "$* &"
	mkfifo "$out.fifo"
	eval "$* >$out.fifo &"
	pids+=($!)
	exec {fd}<"$out.fifo"
	IFS= read -r -t 20 line <&"$fd" || {
		echo "demo: '$*' did not begin" >&2
		exit 1
	}
	printf '%s\n' "$line"
}

say "something to share"
run "mkdir -p album/art"
run "head -c 16M /dev/urandom >album/one.flac"
run "head -c 8M /dev/urandom >album/two.flac"
run "head -c 300K /dev/urandom >album/art/cover.jpg"

say "a tracker on a free port; it prints its announce URLs"
begin tracker bt-tracker -l 127.0.0.1:0
tracker=$line

say "a torrent of the folder"
run "bt-make -a $tracker album/ >album.torrent"
run "bt-info album.torrent"
run "bt-info -l album.torrent"

say "a seed; it says when it is ready"
begin seed bt-seed --port 0 album.torrent album/

say "three leeches at once: they fetch from the seed and from each other"
gets=()
for d in a b c; do
	show "bt-get -d $d --port 0 album.torrent &"
	bt-get -d $d --port 0 album.torrent &
	gets+=($!)
done
for pid in "${gets[@]}"; do
	wait "$pid"
done

say "every copy is what the torrent says"
for d in a b c; do
	run "bt-info --check $d/album album.torrent >/dev/null && echo $d: whole"
done
run "diff -r album a/album && echo the same, byte for byte"

say "what the tracker knows, and a file straight to another program"
run "bt-scrape album.torrent"
run "bt-scrape --announce album.torrent |
    bt-get --peers - --no-tracker -s '*.jpg' -o - album.torrent | sha256sum"
run "sha256sum album/art/cover.jpg"

say "and all of it ends"
