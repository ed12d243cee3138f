# What ends bt-get: time-outs, signals, a reader that goes, a ratio; and what the
# next run finds.

setup() {
	load ../lib/common
	load ../lib/get
	bt_setup
}
teardown() { bt_teardown; }

@test "a reader that goes away ends it quietly by SIGPIPE" {
	head -c 8000000 /dev/urandom >x
	bt-make -o x.torrent x
	begin_seed x.torrent
	run --separate-stderr bash -o pipefail -c "timeout 30 bt-get --port 0 \
	    --bind 127.0.0.1 --no-tracker --peer $seed -o - x.torrent |
	    head -c 1000 | wc -c"
	[ "$output" = 1000 ]
	[ "$status" -eq 141 ]
	[ -z "$stderr" ]
}

@test "--stall-timeout and --timeout end it with 6" {
	make_album
	mkdir copy
	run --separate-stderr timeout 10 bt-get --port 0 --no-tracker \
	    --stall-timeout 0.3s -d copy album.torrent
	[ "$status" -eq 6 ]
	[[ $stderr == *"nothing came for"* ]]
	run --separate-stderr timeout 10 bt-get --port 0 --no-tracker \
	    --timeout 0.3s -d copy album.torrent
	[ "$status" -eq 6 ]
}

@test "SIGTERM keeps what was downloaded and the next run goes on" {
	head -c 20000000 /dev/urandom >x
	bt-make -l 64K -o x.torrent x
	begin_seed --limit-up 10M x.torrent
	mkdir copy
	bt_start one bt-get --json --port 0 --bind 127.0.0.1 --no-tracker \
	    --peer "$seed" -d copy x.torrent
	some() {
		[ "$(grep -c '"event": *"piece"' one.out)" -ge 20 ]
	}
	wait_until 20 some
	bt_kill one
	bt_wait one
	[ "$bt_status" -eq 143 ]
	had=$(grep -c '"event": *"piece"' one.out)
	get --json -d copy x.torrent
	[ "$status" -eq 0 ]
	cmp x copy/x
	[ "$(grep -o '"have": *[0-9]*' <<<"$output" | grep -o '[0-9]*')" -ge \
	    "$had" ]
}

@test "--seed=RATIO serves on until it has sent as much" {
	head -c 1000000 /dev/urandom >x
	bt-make -l 64K -o x.torrent x
	begin_seed x.torrent
	mkdir one two
	bt_start one bt-get --json --port 0 --bind 127.0.0.1 --no-tracker \
	    --peer "$seed" --seed=1 -d one x.torrent
	done_one() {
		grep -q '"event": *"done"' one.out
	}
	wait_until 20 done_one
	bt_kill seed KILL
	bt_wait seed
	seed=$(grep '"event": *"start"' one.out |
	    grep -o '127\.0\.0\.1:[0-9]*')
	get -d two x.torrent
	[ "$status" -eq 0 ]
	bt_wait one 20
	[ "$bt_status" -eq 0 ]
}

@test "a reader who is slow is not a stall, but is no end either" {
	head -c 20000000 /dev/urandom >x
	bt-make -l 256K -o x.torrent x
	begin_seed x.torrent
	mkfifo unread
	exec 5<>unread
	run --separate-stderr bash -c "exec timeout 30 bt-get --port 0 \
	    --bind 127.0.0.1 --no-tracker --memory 2M --stall-timeout 0.3s \
	    --timeout 2s --peer $seed -o - x.torrent >unread"
	exec 5<&-
	[ "$status" -eq 6 ]
	[[ $stderr == *"not whole after 2 s (--timeout)" ]]
}

@test "a signal ends it while it waits for an operand" {
	make_album
	mkfifo never
	exec 5<>never
	run timeout -k 8 0.5 bt-get --no-tracker - <never
	[ "$status" -eq 124 ]
	run timeout -k 8 0.5 bt-get --no-tracker --peers - album.torrent <never
	[ "$status" -eq 124 ]
	run timeout -k 8 0.5 bt-seed --no-tracker - <never
	[ "$status" -eq 124 ]
	exec 5<&-
}

@test "paths and events that nobody reads end it by SIGPIPE" {
	local i how

	mkdir many
	for i in {1..8}; do
		head -c 200000 /dev/urandom >many/$i
	done
	bt-make -o many.torrent many
	begin_seed --limit-up 1M many.torrent
	for how in -q --json; do
		run --separate-stderr bash -o pipefail -c "timeout 30 bt-get \
		    $how --port 0 --bind 127.0.0.1 --no-tracker --peer $seed \
		    -d copy many.torrent | head -n 1"
		[ "$status" -eq 141 ]
		[ "${#lines[@]}" -eq 1 ]
		[ -z "$stderr" ]
		rm -r copy
	done
}

@test "a second signal does not wait for a tracker that is silent" {
	local begun took

	make_album
	bt_start odd python3 "$BT_ROOT/tests/lib/odd_tracker.py"
	bt_line odd
	bt_start get bt-get --port 0 --bind 127.0.0.1 \
	    -a "$bt_line/slow-stop/announce" -d copy album.torrent
	heard() {
		grep -q "event=$1" odd.out
	}
	wait_until 10 heard started
	bt_kill get
	wait_until 10 heard stopped
	begun=$(date +%s%N)
	bt_kill get INT
	bt_wait get
	took=$((($(date +%s%N) - begun) / 1000000))
	[ "$bt_status" -eq 130 ]
	[ "$took" -lt 2000 ]
}

@test "a signal while content is checked ends it, and it goes on from there" {
	truncate -s 8G large
	bt-make -q -l 16M -o large.torrent large
	bt_start get bt-get --no-tracker large.torrent
	wait_until 10 test -e .large.lock
	bt_kill get
	bt_wait get
	[ "$bt_status" -eq 143 ]
	[ ! -s get.out ]
	[ ! -s get.err ]
	[ -z "$(find . -name '.large*')" ]
	run timeout -k 8 0.1 bt-seed --no-tracker large.torrent
	[ "$status" -eq 124 ]
	[ -z "$output" ]
}
