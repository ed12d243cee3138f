# bt-seed keeps its word.

setup() {
	load ../lib/common
	load ../lib/get
	bt_setup
	head -c 500000 /dev/urandom >x
	bt-make -l 32K -o x.torrent x
}
teardown() {
	bt_teardown
}

@test "ready names the torrent and where it is served" {
	begin_seed x.torrent
	[[ $bt_line =~ ^ready$'\t'[0-9a-f]{40}$'\t'127\.0\.0\.1:[0-9]+$ ]]
	[[ $bt_line == *"$(bt-info -p info_hash x.torrent)"* ]]
	bt_kill seed
	bt_wait seed
	[ "$bt_status" -eq 143 ]
}

@test "PATH is the content under any name" {
	mv x other
	begin_seed x.torrent other
	mkdir copy
	get -d copy x.torrent
	[ "$status" -eq 0 ]
	cmp other copy/x
}

# can_ask FILE: does the system say what of it is in the page cache?
can_ask() {
	python3 -c '
import os, sys
os.preadv(os.open(sys.argv[1], os.O_RDONLY), [bytearray(1)], 0, os.RWF_NOWAIT)
' "$1" 2>/dev/null
}

# read_of SEED: what it has read by calls, of files and sockets.
read_of() {
	awk '$1 == "rchar:" { print $2 }' "/proc/${bt_pids[$1]}/io"
}

@test "what is in the page cache goes out without being read" {
	local there

	unshare -n true || skip "no namespaces here"
	head -c 20000000 /dev/urandom >big
	bt-make -l 256K -o big.torrent big
	# its segments are those of Ethernet
	bt_start seed unshare -n bash -c 'ip link set lo mtu 1500 up &&
	    exec "$@"' - bt-seed --no-check --port 0 --bind 127.0.0.1 \
	    --no-tracker big.torrent
	bt_line seed
	there="nsenter -n -t ${bt_pids[seed]}"
	# the first blocks are read: the file is not open yet
	run timeout 60 $there python3 "$BT_ROOT/tests/lib/hungry.py" \
	    "${bt_line##*$'\t'}" "$(bt-info -p info_hash big.torrent)" \
	    big 262144
	[ "$status" -eq 0 ]
	! can_ask big || [ "$(read_of seed)" -lt 5000000 ]
	mkdir copy
	run timeout 20 $there bt-get --port 0 --no-tracker \
	    --peer "${bt_line##*$'\t'}" -d copy big.torrent
	[ "$status" -eq 0 ]
	cmp big copy/big
	! can_ask big || [ "$(read_of seed)" -lt 10000000 ]
}

# Copying what the receiver then finds in a cache takes less of both together.
@test "what stays on this machine is read, though it is in the page cache" {
	head -c 20000000 /dev/urandom >big
	bt-make -l 256K -o big.torrent big
	begin_seed --no-check big.torrent
	mkdir copy
	get -d copy big.torrent
	[ "$status" -eq 0 ]
	cmp big copy/big
	[ "$(read_of seed)" -ge 20000000 ]
}

@test "-d serves many torrents from one port" {
	local i

	mkdir many copy
	for i in 1 2 3; do
		head -c $((i * 100000)) /dev/urandom >many/f$i
		bt-make -o f$i.torrent many/f$i
	done
	begin_seed -d many f1.torrent f2.torrent f3.torrent
	bt_line seed 3
	[ "$(cut -f3 seed.out | sort -u)" = "$seed" ]
	get -d copy f1.torrent f2.torrent f3.torrent
	[ "$status" -eq 0 ]
	diff -r many copy
}

@test "content that does not match is exit 8, named, and not served" {
	printf Y | dd of=x bs=1 seek=40000 conv=notrunc status=none
	printf Z | dd of=x bs=1 seek=41000 conv=notrunc status=none
	run --separate-stderr timeout 10 bt-seed --port 0 --no-tracker x.torrent
	[ "$status" -eq 8 ]
	[[ $stderr == "bt-seed: "*"'x'"*"1 of 16 pieces"*"first is 1" ]]
	[ -z "$output" ]
}

@test "content of another size is exit 8; content missing is exit 7" {
	head -c 400000 x >y
	run --separate-stderr timeout 10 bt-seed --port 0 --no-tracker \
	    x.torrent y
	[ "$status" -eq 8 ]
	[[ $stderr == *"'y' has 400000 bytes and the torrent says 500000" ]]
	run --separate-stderr timeout 10 bt-seed --port 0 --no-tracker \
	    x.torrent nowhere
	[ "$status" -eq 7 ]
	[[ $stderr == *"nowhere"* ]]
}

@test "--no-check trusts the content" {
	printf Y | dd of=x bs=1 seek=40000 conv=notrunc status=none
	begin_seed --no-check x.torrent
}

@test "--until-time, --until-idle and --until-ratio end it with 0" {
	run timeout 10 bt-seed --port 0 --no-tracker --until-time 0.5s \
	    x.torrent
	[ "$status" -eq 0 ]
	run timeout 10 bt-seed --port 0 --no-tracker --until-idle 0.5s \
	    x.torrent
	[ "$status" -eq 0 ]
	begin_seed --until-ratio 1 x.torrent
	mkdir copy
	get -d copy x.torrent
	[ "$status" -eq 0 ]
	bt_wait seed 10
	[ "$bt_status" -eq 0 ]
}

@test "a file that vanishes under a seed is no more offered, and said" {
	begin_seed x.torrent
	: >x
	mkdir copy
	get --stall-timeout 2s -d copy x.torrent
	[ "$status" -eq 6 ]
	grep -q "cannot upload piece" seed.err
}

@test "--json says ready, and done with what was sent" {
	bt_start seed bt-seed --json --port 0 --bind 127.0.0.1 --no-tracker \
	    --until-time 0.5s x.torrent
	bt_wait seed 10
	[ "$bt_status" -eq 0 ]
	[[ $(head -n 1 seed.out) == *'"ready"'* ]]
	[[ $(tail -n 1 seed.out) == *'"done"'*'"up"'* ]]
	python3 -c 'import json, sys
for l in open("seed.out"): json.loads(l)'
}

# A block takes half a second here, and seven others are before it in the line. One
# is under way, and what a busy machine lets wait comes at once.
@test "under a limit an answer does not wait its turn among blocks" {
	begin_seed --slots 8 --limit-up 32K x.torrent
	run timeout 60 python3 "$BT_ROOT/tests/lib/askers.py" \
	    "$seed" "$(bt-info -p info_hash x.torrent)" 8
	[ "$status" -eq 0 ]
	[ "$output" -le 4 ]
}

# Connections that say nothing, as many as it would be told to have.
begin_idlers() {
	bt_start idlers python3 "$BT_ROOT/tests/lib/idlers.py" "$@"
	bt_line idlers
}

@test "idle strangers keep no peer out, however few may connect" {
	begin_seed --max-peers 2 x.torrent
	begin_idlers "$seed" 20
	# sooner than the strangers would go by themselves
	run timeout 10 bt-get --port 0 --no-tracker --peer "$seed" -d copy \
	    x.torrent
	[ "$status" -eq 0 ]
}

@test "with few descriptors strangers and peers leave some for content" {
	local i

	mkdir many
	for i in {1..40}; do
		head -c 20000 /dev/urandom >many/$i
	done
	bt-make -o many.torrent many
	bt_start seed bash -c 'ulimit -n 48
	    exec bt-seed --port 0 --bind 127.0.0.1 --no-tracker many.torrent'
	bt_line seed
	begin_idlers "${bt_line##*$'\t'}" 100
	bt_line seed
	run --separate-stderr bash -c "ulimit -n 48; exec timeout 20 bt-get \
	    --port 0 --no-tracker --peer ${bt_line##*$'\t'} -d copy \
	    many.torrent"
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[ ! -s seed.err ]
	diff -r many copy/many
}

@test "one torrent given twice is exit 2, and is served once" {
	cp x.torrent y.torrent
	run --separate-stderr timeout 10 bt-seed --port 0 --no-tracker \
	    --until-time 0.2s -d . x.torrent y.torrent
	[ "$status" -eq 2 ]
	[ "${#lines[@]}" -eq 1 ]
	[ "$stderr" = "bt-seed: 'y.torrent' is the torrent that 'x.torrent' is" ]
}

@test "--json says what failed, too" {
	: >x
	run --separate-stderr timeout 10 bt-seed --json --port 0 --no-tracker \
	    x.torrent
	[ "$status" -eq 8 ]
	python3 -c 'import json, sys
e = json.loads(sys.argv[1])
assert e["event"] == "error" and e["class"] == "mismatch", e' "$output"
}
