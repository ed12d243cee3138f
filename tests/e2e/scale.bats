#!/usr/bin/env bats
# Many torrents and many connections in one bt-seed, at a size that is quick to
# test: what each costs is bounded, so that ten times as many fit too.

bats_require_minimum_version 1.5.0

setup() {
	load ../lib/common
	bt_setup
}

teardown() {
	bt_teardown
}

# The named program's anonymous memory now, KiB; its CPU time so far, us.
memory_of() {
	awk '/^RssAnon/ { print $2 }' "/proc/${bt_pids[$1]}/status"
}

cpu_of() {
	local t ns sum=0

	for t in /proc/"${bt_pids[$1]}"/task/*/schedstat; do
		read -r ns _ <"$t"
		((sum += ns / 1000))
	done
	echo "$sum"
}

descriptors_of() {
	find "/proc/${bt_pids[$1]}/fd" -type l | wc -l
}

@test "an idle torrent costs little memory, few descriptors and no CPU" {
	local few many cpu

	python3 "$BT_ROOT/tests/lib/many_torrents.py" 600
	bt_start few bt-seed --port 0 --bind 127.0.0.1 --no-tracker -d c \
	    t/t0000?.torrent
	bt_start many bash -c 'ulimit -n 256
	    exec bt-seed --port 0 --bind 127.0.0.1 --no-tracker -d c t/*.torrent'
	bt_line few 10
	bt_line many 600 20
	few=$(memory_of few) many=$(memory_of many)
	cpu=$(cpu_of many)
	echo "# $(((many - few) * 1024 / 590)) bytes a torrent," \
	    "$(descriptors_of many) descriptors" >&3
	[ $(((many - few) * 1024 / 590)) -lt 8192 ]
	[ "$(descriptors_of many)" -lt 64 ]
	# what they do in a second
	bt_start second timeout 1 tail -f /dev/null
	bt_wait second || :
	cpu=$(($(cpu_of many) - cpu))
	echo "# $cpu us of CPU in a second" >&3
	[ "$cpu" -lt 5000 ]
	# each of them is served all the same
	run timeout 20 bt-get --port 0 --no-tracker \
	    --peer "$(sed -n 's/.*\t//p;q' many.out)" -d copy t/t00{003,599}.torrent
	[ "$status" -eq 0 ]
	cmp c/t00599 copy/t00599
}

@test "few announces go to a tracker at once, and the next ones are spread" {
	python3 "$BT_ROOT/tests/lib/many_torrents.py" 300
	bt_start tracker python3 "$BT_ROOT/tests/lib/crowd_tracker.py" 4 0.02
	bt_line tracker
	bt_start seed bt-seed --port 0 --bind 127.0.0.1 -a "$bt_line" -d c \
	    t/*.torrent
	bt_line tracker 13 20
	python3 - "$bt_line" <<-'EOF'
	import json, sys
	d = json.loads(sys.argv[1])
	assert d["torrents"] == 300, d
	assert d["most"] <= 8, d
	w = sorted(d["waits"])
	# none sooner than half of the interval, and from there on all along it
	assert len(w) > 250 and w[0] > 1.9, w
	for a, b in ((1.9, 2.7), (2.7, 3.4), (3.4, 4.5)):
	    assert sum(a <= x < b for x in w) > len(w) / 6, w
	EOF
}

@test "an idle peer costs little memory and slows no other" {
	local before after cpu

	head -c 30000000 /dev/urandom >x
	bt-make -l 256K -o x.torrent x
	bt_start seed bt-seed --port 0 --bind 127.0.0.1 --no-tracker \
	    --max-peers 1200 x.torrent
	bt_line seed
	before=$(memory_of seed)
	bt_start idle python3 "$BT_ROOT/tests/lib/idle_peers.py" \
	    "${bt_line##*$'\t'}" "$(bt-info -p info_hash x.torrent)" 115 1000
	bt_line idle 1 20
	[ "$bt_line" -eq 1000 ]
	after=$(memory_of seed)
	echo "# $(((after - before) * 1024 / 1000)) bytes a peer" >&3
	[ $(((after - before) * 1024 / 1000)) -lt 2560 ]
	cpu=$(cpu_of seed)
	bt_start second timeout 1 tail -f /dev/null
	bt_wait second || :
	cpu=$(($(cpu_of seed) - cpu))
	echo "# $cpu us of CPU in a second" >&3
	[ "$cpu" -lt 10000 ]
	bt_line seed
	run timeout 20 bt-get --port 0 --no-tracker --peer "${bt_line##*$'\t'}" \
	    -d copy x.torrent
	[ "$status" -eq 0 ]
	cmp x copy/x
	bt_has_lines idle 1
}
