# bt-tracker --log: a line for each request, and nobody waits for it.

setup() {
	load ../lib/common
	bt_setup
	hex=6868686868686868686868686868686868686868
}
teardown() { bt_teardown; }

# track OPTION...: a tracker; $http is its URL without a path, $port its port
track() {
	bt_start tracker bt-tracker -l 127.0.0.1:0 "$@"
	bt_line tracker 1
	http=${bt_line%/announce}
	port=${http##*:}
}

# ask PATH [QUERY]: what it says is of no interest
ask() {
	curl -sS --max-time 10 -o /dev/null "$@"
}

hi() {
	ask "$http/announce?info_hash=hhhhhhhhhhhhhhhhhhhh&peer_id=aaaaaaaaaaaaaaaaaaaa&left=1&port=$1"
}

udp() {
	python3 "$BT_ROOT/tests/lib/udp_tracker.py" 127.0.0.1 "$port" "$@"
}

# lines FILE N: wait until it has so many
lines() {
	wait_until 10 eval "((\$(wc -l <'$1') >= $2))" || {
		cat "$1"
		false
	}
}

@test "without --log nothing is written" {
	track
	hi 1001
	ask "$http/scrape"
	bt_kill tracker
	bt_wait tracker
	run cat tracker.err
	assert_output ''
}

@test "--log=FILE has a line for each announce and scrape, and no other" {
	track --log=log
	hi 1001
	hi '1002&event=started'
	hi 0
	ask "$http/scrape?info_hash=hhhhhhhhhhhhhhhhhhhh"
	ask "$http/scrape?info_hash=hhhhhhhhhhhhhhhhhhhh&info_hash=iiiiiiiiiiiiiiiiiiii"
	ask "$http/nowhere"
	udp announce hash=hhhhhhhhhhhhhhhhhhhh id=c left=1 port=1003 event=3
	udp scrape hhhhhhhhhhhhhhhhhhhh
	lines log 7
	# the first field is the time, to the second
	run cut -f1 log
	assert_line -n 0 --regexp "^$(date -u +%Y-%m)-[0-9]{2}T[0-9:]{8}Z\$"
	run cut -f2- log
	assert_output "127.0.0.0/24	http	announce	$hex	0
127.0.0.0/24	http	started	$hex	1
127.0.0.0/24	http	announce	-	refused: port is not a number from 1 to 65535
127.0.0.0/24	http	scrape	$hex	1
127.0.0.0/24	http	scrape	-	2
127.0.0.0/24	udp	stopped	$hex	0
127.0.0.0/24	udp	scrape	$hex	1"
}

@test "addresses are whole with --log-full, and cut to /24 and /48 without" {
	track --log=log --log-full --trust-proxy 127.0.0.1
	ask -H 'X-Forwarded-For: 192.0.2.77' "$http/scrape?info_hash=hhhhhhhhhhhhhhhhhhhh"
	ask -H 'X-Forwarded-For: 2001:db8:1:2:3::4' "$http/scrape?info_hash=hhhhhhhhhhhhhhhhhhhh"
	ask -H 'X-Forwarded-For: ::ffff:192.0.2.77' "$http/scrape?info_hash=hhhhhhhhhhhhhhhhhhhh"
	ask -H 'X-Forwarded-For: who' "$http/scrape?info_hash=hhhhhhhhhhhhhhhhhhhh"
	lines log 4
	run cut -f2 log
	assert_output "192.0.2.77
2001:db8:1:2:3::4
192.0.2.77
-"
	bt_kill tracker
	bt_wait tracker
	track --log=cut --trust-proxy 127.0.0.1
	ask -H 'X-Forwarded-For: 192.0.2.77' "$http/scrape?info_hash=hhhhhhhhhhhhhhhhhhhh"
	ask -H 'X-Forwarded-For: 2001:db8:1:2:3::4' "$http/scrape?info_hash=hhhhhhhhhhhhhhhhhhhh"
	lines cut 2
	run cut -f2 cut
	assert_output "192.0.2.0/24
2001:db8:1::/48"
}

@test "keys are in no line" {
	echo secret-word >keys
	track --log=log --keys keys
	ask "$http/secret-word/announce?info_hash=hhhhhhhhhhhhhhhhhhhh&peer_id=aaaaaaaaaaaaaaaaaaaa&left=1&port=1"
	ask "$http/another-word/announce?info_hash=hhhhhhhhhhhhhhhhhhhh"
	lines log 2
	run cut -f4- log
	assert_output "announce	$hex	0
announce	-	refused: unknown key"
}

@test "--log is on stderr, --log=- on stdout after the URLs" {
	track --log
	hi 1001
	lines tracker.err 1
	bt_kill tracker
	bt_wait tracker
	run cut -f2-5 tracker.err
	assert_output "127.0.0.0/24	http	announce	$hex"
	track --log=-
	hi 1001
	bt_line tracker 3
	assert_regex "$bt_line" "	http	announce	$hex	0"
}

@test "the file is added to, and opened again on SIGHUP" {
	echo before >log
	track --log=log
	hi 1001
	lines log 2
	mv log old
	bt_kill tracker HUP
	wait_until 10 test -e log
	hi 1002
	lines log 1
	run cat old
	assert_line -n 0 before
	assert_equal "$(wc -l <old)" 2
	assert_equal "$(stat -c %a log)" 640
	rm -r log
	mkdir log
	bt_kill tracker HUP
	wait_until 10 grep -q "cannot write 'log': Is a directory; the old one is kept" tracker.err
}

@test "a log may be a link to what is not there yet, and is opened again there" {
	mkdir kept
	ln -s kept/lines log
	track --log=log
	hi 1001
	lines kept/lines 1
	mv kept/lines kept/old
	bt_kill tracker HUP
	wait_until 10 test -e kept/lines
	hi 1002
	lines kept/lines 1
	assert_equal "$(wc -l <kept/old)" 1
	assert [ -L log ]
}

@test "signals that come while one is heeded do no harm" {
	# enough of them that reading takes longer than sending a signal
	{
		echo "$hex"
		printf '%040d\n' {1..50000}
	} >deny
	track --log=log --deny deny
	for _ in {1..50}; do
		bt_kill tracker HUP
	done
	run hi 1001
	assert_success
	bt_kill tracker HUP
	bt_kill tracker
	bt_wait tracker
	assert_equal "$bt_status" 143
	assert_equal "$(grep -c 'refused: torrent not allowed' log)" 1
}

@test "all that was put is written at the end" {
	track --log=log
	python3 "$BT_ROOT/tests/lib/tracker_load.py" "$http" 3000 >load.out
	bt_kill tracker
	bt_wait tracker
	assert_equal "$(grep -c "	http	" log)" 3000
}

@test "who does not read the log holds up nothing; what is lost is counted" {
	mkfifo log
	exec 7<>log
	track --log=log --workers 1
	# two times a megabyte and a pipe are 25000 lines
	python3 "$BT_ROOT/tests/lib/tracker_load.py" "$http" 40000 >load.out
	hi 1001
	# once it is read again, it says what is missing
	cat <&7 >got 7<&- &
	wait_until 10 grep -q '	lost	-	[0-9]*$' got
	hi 1002
	bt_kill tracker
	bt_wait tracker
	kill $!
	wait $! || :
	lost=$(awk -F'\t' '$4 == "lost" { n += $6 } END { print n }' got)
	kept=$(grep -c '	http	' got)
	assert_equal $((lost + kept)) 40002
	assert [ "$lost" -gt 1000 ]
	assert_regex "$(cat tracker.err)" "warning: $lost lines of the log were lost|$lost lines of the log were lost"
}

@test "where the disk was full a line that is a part is no part of the next" {
	# a limit on the file's size is as sudden, and can be lifted
	bt_start tracker bash -c 'ulimit -S -f 1
		exec bt-tracker -l http://127.0.0.1:0 --log=log'
	bt_line tracker 1
	http=${bt_line%/announce}
	for i in {1..30}; do
		hi "10$((i + 10))"
	done
	assert_equal "$(stat -c %s log)" 1024
	prlimit --pid "${bt_pids[tracker]}" --fsize=unlimited
	hi 1001
	wait_until 10 grep -q '	lost	-	[0-9]*$' log
	bt_kill tracker
	bt_wait tracker
	assert_equal "$(awk -F'\t' 'NF != 6' log | wc -l)" 1
	kept=$(awk -F'\t' -v h=$hex 'NF == 6 && $5 == h' log | wc -l)
	lost=$(awk -F'\t' '$4 == "lost" { n += $6 } END { print n }' log)
	assert_equal "$kept $lost" "12 19"
	assert_regex "$(cat tracker.err)" '19 lines of the log were lost'
}

@test "a log that cannot be written is exit 7, and --log-full alone 2" {
	run --separate-stderr bt-tracker -l 127.0.0.1:0 --log=no/such/log
	assert_equal "$status" 7
	assert_equal "$stderr" "bt-tracker: cannot write 'no/such/log': No such file or directory"
	run bt-tracker -l 127.0.0.1:0 --log-full
	assert_equal "$status" 2
	run bt-tracker -l 127.0.0.1:0 --log=- --json
	assert_equal "$status" 2
}
