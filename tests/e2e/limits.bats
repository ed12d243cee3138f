#!/usr/bin/env bats
# Rate limits, counted at the sockets of peers that would go faster: exact over
# ten seconds from the first block on, smooth, and fair.

bats_require_minimum_version 1.5.0

setup() {
	load ../lib/common
	bt_setup
	head -c 60000000 /dev/urandom >x
	bt-make -l 64K -o x.torrent x
	hash=$(bt-info -p info_hash x.torrent)
}

teardown() {
	bt_teardown
}

# figures NAME RATE SPREAD: what the peers of NAME counted is RATE within 2 %,
# shares differ by no more than SPREAD, and no tenth of a second is far off. Of
# fifty peers on a busy machine one may have had turns that others were late for.
figures() {
	python3 - "$(tail -n 1 "$1.out")" "$2" "$3" <<-'EOF'
	import json, sys
	d, rate, spread = json.loads(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
	print(d)
	assert abs(d["rate"] / rate - 1) <= 0.02, d
	assert d["least"] >= 1 - spread and d["most"] <= 1 + spread, d
	assert d["burst"] <= 4 and d["lull"] >= 0.25, d
	EOF
}

# up NAME N OPTION...: a seed with these options, and N who take of it.
up() {
	local name=$1 n=$2

	shift 2
	bt_start "$name-seed" bt-seed --port 0 --bind 127.0.0.1 --no-tracker \
	    --slots 60 --no-check "$@" x.torrent
	bt_line "$name-seed"
	bt_start "$name" python3 "$BT_ROOT/tests/lib/limit_peers.py" take \
	    "${bt_line##*$'\t'}" "$hash" 60000000 65536 "$n" 10
}

# down NAME N OPTION...: N seeds, and a download from them with these options.
down() {
	local name=$1 n=$2 i peers=()

	shift 2
	bt_start "$name" python3 "$BT_ROOT/tests/lib/limit_peers.py" give x \
	    "$hash" 65536 "$n" 10
	bt_line "$name"
	for ((i = 2; i < n + 2; i++)); do
		peers+=(--peer "127.0.0.$i:$bt_line")
	done
	bt_start "$name-get" bt-get --port 0 --no-tracker -d "$name-copy" \
	    "${peers[@]}" "$@" x.torrent
}

# All at once, as none of them needs much of the machine.
@test "limits are exact to 2 %, smooth and fair, for 1, 8 and 50 peers" {
	local name cpu

	up u1 1 --limit-up 512K
	up u8 8 --limit-up 2M
	up u50 50 --limit-up 2M
	up each 8 --limit-up-each 1M
	down d1 1 --limit-rate 512K
	down d8 8 --limit-rate 2M
	down d50 50 --limit-rate 4M
	for name in u1 u8 u50 each d1 d8 d50; do
		bt_wait "$name" 20
		[ "$bt_status" -eq 0 ]
	done
	figures u1 524288 0
	figures u8 2097152 0.15
	figures u50 2097152 0.4
	figures each 1048576 0.15
	figures d1 524288 0
	figures d8 2097152 0.15
	figures d50 4194304 0.4
	# and none of them spins: below a tenth of a core
	for name in u1-seed d1-get; do
		cpu=$(awk '{ print $14 + $15 }' "/proc/${bt_pids[$name]}/stat")
		[ "$cpu" -lt 100 ]
	done
}
