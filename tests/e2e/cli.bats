# What all tools keep: common options, exits, streams. bt-info and bt-make
# stand for the six where the code is the same for all.

setup() {
	load ../lib/common
	bt_setup
}
teardown() { bt_teardown; }

tools='bt-info bt-make bt-scrape bt-tracker bt-get bt-seed'

make_one() {
	printf hello >hello
	bt-make -o h.torrent hello
}

@test "every tool has its help and version on stdout, and ends with 0" {
	for t in $tools; do
		for o in -h --help; do
			run --separate-stderr "$t" $o
			assert_success
			assert_line --index 0 --partial "usage: $t [OPTION]... "
			assert_line --regexp '^Examples:$'
			[ -z "$stderr" ]
		done
		for o in -V --version; do
			run --separate-stderr "$t" $o
			assert_success
			assert_output --regexp "^$t [0-9]+\.[0-9]+\.[0-9]+$"
			[ -z "$stderr" ]
		done
	done
}

@test "the help of every tool fits 80 columns" {
	for t in $tools; do
		run "$t" --help
		[ "$(awk 'length > 80' <<<"$output")" = "" ]
	done
}

@test "every tool answers a wrong option with one sentence, a hint and status 2" {
	for t in $tools; do
		run --separate-stderr "$t" --no-such-option
		assert_failure 2
		[ -z "$output" ]
		[ "$stderr" = "$t: unknown option '--no-such-option'
try '$t --help'" ]
	done
}

@test "every tool that needs an operand says so" {
	for t in bt-info bt-make bt-scrape bt-get bt-seed; do
		run --separate-stderr "$t"
		assert_failure 2
		[ -z "$output" ]
		[[ $stderr == "usage: $t [OPTION]... "* ]]
	done
}

@test "options may follow operands, and two dashes end them" {
	make_one
	cp h.torrent -- --json
	run bt-info h.torrent -p name
	assert_output hello
	run bt-info -p name -- --json
	assert_output hello
}

@test "a full disk under stdout is a failure, not silence" {
	make_one
	for cmd in 'bt-info h.torrent' 'bt-info --json h.torrent' 'bt-info -h' \
	    'bt-info -V' 'bt-make hello' 'bt-make --magnet hello'; do
		run --separate-stderr bash -c "$cmd >/dev/full"
		assert_failure 7
		[[ $stderr == *": cannot write output: No space left on device" ]]
	done
}

@test "a reader that is gone ends the tool by SIGPIPE, without a word" {
	make_one
	mkfifo p
	for cmd in 'bt-info h.torrent' 'bt-make hello' 'bt-info -h'; do
		exec 5<>p 6>p 5<&- # a pipe that nobody reads
		run --separate-stderr bash -c "exec $cmd >&6"
		exec 6>&-
		[ "$status" -eq 141 ]
		[ -z "$stderr" ]
	done
}

@test "the progress line is drawn with --progress, and only then in a pipe" {
	make_one
	run --separate-stderr bt-make --progress -o a.torrent hello
	assert_success
	[[ $stderr == $'\r'*"% "*$'\e[K' ]]
	run --separate-stderr bt-make -o b.torrent hello
	[ -z "$stderr" ]
	run script -qec 'bt-make --no-progress -o c.torrent hello' /dev/null
	assert_output ''
	run script -qec 'bt-make -o d.torrent hello' /dev/null
	assert_output --partial '100%'
	run script -qec 'bt-make -q -o e.torrent hello' /dev/null
	assert_output ''
}

# Has process PID a handler for signal N, and is it waiting for something?
catches() {
	local caught

	caught=$(awk '/^SigCgt/ { print $2 }' "/proc/$1/status")
	((0x$caught >> ($2 - 1) & 1)) &&
	    grep -q '^State:.S' "/proc/$1/status"
}

@test "SIGINT and SIGTERM end a tool by that signal and leave no file" {
	make_one
	mkdir w && cd w
	mkfifo p
	exec 5<>p # so that reading from it waits
	for run in '2 bt-make -n x -o x.torrent -' \
	    '15 bt-make -n x -o x.torrent -' \
	    '2 bt-make -l 1M -n x -o x.torrent -' \
	    '15 bt-info --check - ../h.torrent'; do
		n=${run%% *}
		${run#* } <p 3>&- &
		wait_until 10 catches $! $n
		kill -$n $!
		status=0
		wait $! || status=$?
		[ "$status" -eq $((128 + n)) ]
		[ ! -e x.torrent ]
	done
	exec 5>&-
	run ls -A
	assert_output p
}

# What timeout(1) does: the process and then its group, so the process twice.
burst() {
	kill -TERM "$1" "$1" "$1" "$1" "$1" "$1" "$1" "$1"
}

@test "one signal that comes many times at once is one, and ends cleanly" {
	truncate -s 8G large
	bt-make -q -l 16M -o large.torrent large
	mkfifo p
	bt-make -n x -o x.torrent - <>p 3>&- &
	wait_until 10 catches $! 15
	burst $!
	wait $! || [ $? -eq 143 ]
	bt_start get bt-get --no-tracker large.torrent
	wait_until 10 test -e .large.lock
	burst "${bt_pids[get]}"
	bt_wait get
	[ "$bt_status" -eq 143 ]
	run find . -name '.*.lock' -o -name '.x*' -o -name 'x.*'
	assert_output ''

	head -c 100000 /dev/urandom >small
	bt-make -q -o small.torrent small
	bt_start odd python3 "$BT_ROOT/tests/lib/odd_tracker.py"
	bt_line odd
	bt_start get bt-get --port 0 --bind 127.0.0.1 -a "$bt_line/announce" \
	    -d copy small.torrent
	wait_until 10 grep -q event=started odd.out
	burst "${bt_pids[get]}"
	bt_wait get
	[ "$bt_status" -eq 143 ]
	grep -q event=stopped odd.out

	bt_start tracker bt-tracker -l 127.0.0.1:0 --state state
	bt_line tracker
	burst "${bt_pids[tracker]}"
	bt_wait tracker
	[ "$bt_status" -eq 143 ]
	[ -s state ]
}

@test "a name from outside is escaped in errors too" {
	run --separate-stderr bt-info $'no\e[31mpe'
	assert_failure 7
	[ "$stderr" = "bt-info: cannot open 'no\\x1b[31mpe': No such file or directory" ]
}

@test "with stdout closed nothing is printed into a file of ours" {
	local fd

	head -c 100000 /dev/urandom >x
	bt-make -o x.torrent x
	for fd in 0 1 2; do
		bt_start seed bt-seed --port 0 --bind 127.0.0.1 --no-tracker \
		    x.torrent
		bt_line seed
		run --separate-stderr bash -c "exec timeout 10 bt-get \
		    -v --port 0 --no-tracker --peer ${bt_line##*$'\t'} \
		    -d copy$fd x.torrent $fd>&-"
		cmp x copy$fd/x
		if [ $fd -eq 1 ]; then
			[ "$status" -eq 7 ]
			[[ $stderr == *"cannot write output: "* ]]
		else
			[ "$status" -eq 0 ]
		fi
		bt_kill seed
		bt_wait seed
	done
}

@test "many torrents of many files are served with the usual soft limit" {
	local i j

	for i in {1..12}; do
		mkdir -p many/t$i
		for j in {1..70}; do
			echo "$i $j" >many/t$i/$j
		done
		bt-make -o t$i.torrent many/t$i
	done
	bt_start seed bash -c 'ulimit -S -n 256
	    exec bt-seed --port 0 --bind 127.0.0.1 --no-tracker -d many \
	    t*.torrent'
	bt_line seed 12
	[ ! -s seed.err ]
}
