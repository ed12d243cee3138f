# The bench programs speak the protocol and move the bytes that they tell of.

setup_file() {
	load ../lib/common
	unset MAKEFLAGS MFLAGS MAKELEVEL
	make --no-print-directory -s -C "$BT_ROOT" BUILD=build bench-programs
	cd "$BATS_FILE_TMPDIR"
	head -c 5000001 /dev/urandom >x
	"$BT_BIN/bt-make" -l 64K -o x.torrent x
}
setup() {
	load ../lib/common
	bt_setup
	bench=$BT_ROOT/build/tests/bench
	x=$BATS_FILE_TMPDIR/x
}
teardown() {
	bt_teardown
}

seed() {
	bt_start seed bt-seed --port 0 --bind 127.0.0.1 --no-tracker \
	    "$x.torrent" "$x"
	seed_pid=$bt_pid
	bt_line seed
	at=${bt_line##*$'\t'}
}

@test "floor copies the content, by one thread and by two" {
	local how

	for how in '-t 1' '-t 1 -h openssl' '-t 2' '-t 2 -w 2 -k 3'; do
		# shellcheck disable=SC2086
		run -0 "$bench/floor" $how "$x.torrent" "$x" copy
		[[ $output == *' bytes=5000001 '* ]]
		cmp "$x" copy
	done
}

@test "drain takes all of a seed, and tells what it cost" {
	seed
	run -0 "$bench/drain" -w 48 -o copy -p "$seed_pid" "$at" "$x.torrent"
	[[ $output == *' bytes=5000001 '*' seed_cpu='* ]]
	cmp "$x" copy
	run -0 "$bench/drain" -n 1M "$at" "$x.torrent"
	[[ $output == *' bytes=1048576 '* ]]
}

@test "source gives all to a leech, and tells how much" {
	bt_start source "$bench/source" 127.0.0.1 "$x.torrent" "$x"
	bt_line source
	run -0 bt-get --port 0 --bind 127.0.0.1 --no-tracker \
	    --peer "${bt_line#listening }" -d copy "$x.torrent"
	cmp "$x" copy/x
	bt_kill source
	bt_wait source
	[ "$bt_status" -eq 0 ]
	bt_line source 2
	[[ $bt_line == source*' bytes=5000001 '*' connections=1' ]]
}

@test "load is served on many connections at once, or has them idle" {
	seed
	run -0 "$bench/load" -c 20 -f 127.0.4.0 -t 1 -p "$seed_pid" "$at" "$x.torrent"
	[[ $output == 'load served='[1-9]*' asked=20 lost=0 '*' seed_cpu='* ]]
	bt_start idle "$bench/load" -i -c 50 -f 127.0.5.0 "$at" "$x.torrent"
	bt_line idle
	[ "$bt_line" = 'idle 50' ]
	bt_kill idle
	bt_wait idle
	bt_line idle 2
	[ "$bt_line" = 'load idle=50 lost=0' ]
}

@test "meter tells what a command took" {
	run -3 "$bench/meter" told sh -c 'exit 3'
	grep -qE '^wall=[0-9.]+ cpu=[0-9.]+ vmhwm_kib=[1-9][0-9]* .*status=3$' \
	    told
}

@test "announce asks a tracker in three ways, and looks at the replies" {
	bt_start tracker bt-tracker -l 127.0.0.1:0
	bt_line tracker
	at=${bt_line#http://}
	at=${at%/announce}
	for mode in close keep udp; do
		run -0 "$bench/announce" -t 1 -n 20 -P 500 -p "$bt_pid" \
		    "$mode" "$at"
		assert_output --regexp "^mode=$mode replies=[1-9][0-9]* bad=0 "
		assert_output --regexp 'peers=[1-4][0-9]\.[0-9] .* server_us=[1-9]'
	done
	run -0 "$bench/announce" -n 20 hashes
	assert_equal "${#lines[@]}" 20
	assert_line -n 0 --regexp '^[0-9a-f]{40}$'
}
