# bt-tracker --full-scrape: all torrents in one reply, and service goes on.

setup() {
	load ../lib/common
	bt_setup
}
teardown() { bt_teardown; }

# track OPTION...: a tracker; $http is its URL without a path, $port its port
track() {
	bt_start tracker bt-tracker -l 127.0.0.1:0 --full-scrape "$@"
	bt_line tracker 1
	http=${bt_line%/announce}
	port=${http##*:}
}

full() {
	timeout 60 python3 "$BT_ROOT/tests/lib/full_scrape.py" "$port" "$@"
}

# hi LETTER
hi() {
	curl -sS --max-time 10 -o - "$http/announce?info_hash=$(printf '%20s' | tr ' ' "$1")&peer_id=aaaaaaaaaaaaaaaaaaaa&left=1&port=1001" |
	    tr -d '\0'
}

many() {
	python3 "$BT_ROOT/tests/lib/tracker_load.py" "$http" "$1" many >load.out
}

# hold: a full scrape that nobody reads, until `exec 8>&-`
hold() {
	mkfifo in
	bt_start hold bash -c 'exec "$@" <in' _ python3 \
	    "$BT_ROOT/tests/lib/full_scrape.py" "$port" hold
	exec 8>in
	bt_line hold
}

another="d14:failure reason48:another scrape of all torrents is being answered8:retry ini5ee"

@test "nothing, and a few torrents in order" {
	track
	run curl -sS "$http/scrape"
	assert_output d5:filesdee
	for t in c a b; do
		hi $t >/dev/null
	done
	run curl -sS "$http/scrape"
	row=d8:completei0e10:downloadedi0e11:downloadersi1e10:incompletei1ee
	assert_output "d5:filesd20:aaaaaaaaaaaaaaaaaaaa${row}20:bbbbbbbbbbbbbbbbbbbb${row}20:cccccccccccccccccccc${row}ee"
	# HEAD asks for none
	run curl -sS -I "$http/scrape"
	assert_line -n 0 --partial "200 OK"
	run full count
	assert_output 3
}

@test "what --deny lists is left out, and --keys asks for one" {
	echo 6161616161616161616161616161616161616161 >deny
	: >none
	echo key >keys
	track --deny none
	hi a >/dev/null
	hi b >/dev/null
	run full count
	assert_output 2
	cp deny none
	bt_kill tracker HUP
	wait_until 10 eval '[ "$(full count)" = 1 ]'
	bt_kill tracker
	bt_wait tracker
	track --keys keys
	run curl -sS "$http/scrape"
	assert_output --partial "unknown key"
	run curl -sS "$http/key/scrape"
	assert_output d5:filesdee
}

@test "more torrents than one pass keeps: each once, in order" {
	track
	many 70000
	run full count
	assert_output 70000
	# and again, whatever the first one left behind
	run full count
	assert_output 70000
}

@test "replies before it come first, and requests after it are not answered" {
	track
	hi a >/dev/null
	run full mixed
	assert_output 2
}

@test "the log has how many there were" {
	track --log=log
	hi a >/dev/null
	hi b >/dev/null
	run full count
	assert_output 2
	wait_until 10 grep -q '	scrape	-	2$' log
}

@test "over HTTPS" {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -keyout one.key -out one.crt -subj /CN=one 2>openssl.err
	track -l https://127.0.0.1:0 --tls-cert one.crt --tls-key one.key
	many 20000
	bt_line tracker 2
	port=$(grep -oE '^https://[^/]*' tracker.out | grep -oE '[0-9]+$')
	run full tls
	assert_output 20000
}

@test "while one is not read others are served, and a second one is refused" {
	track --workers 1
	many 70000
	hold
	# it was taken when another one is refused
	wait_until 10 eval '[[ $(curl -sS --max-time 5 -r 0-200 "$http/scrape" |
	    head -c 200) == *"another scrape"* ]]'
	run hi a
	assert_output --partial 10:incompletei1e
	run curl -sS "$http/scrape"
	assert_output "$another"
	exec 8>&-
	bt_wait hold 30
	run tail -n 1 hold.out
	# 98 bytes each, and the head
	assert [ "$output" -gt 6000000 ]
	wait_until 10 eval '[ "$(full count)" = 70001 ]'
}

@test "who does not read it is cut after --timeout, and the next has its turn" {
	track --workers 1 --timeout 1
	many 70000
	hold
	wait_until 30 eval '[ "$(full count 2>/dev/null)" = 70000 ]'
	exec 8>&-
	bt_wait hold 30
	run tail -n 1 hold.out
	assert [ "$output" -lt 6000000 ]
}

@test "who reads it slowly, but never too late, is cut in the end" {
	unshare -n true || skip "no network namespaces here"
	cat >in_there <<-'END'
		ip link set lo up
		# what the kernel holds counts as taken
		echo 4096 16384 65536 >/proc/sys/net/ipv4/tcp_wmem || exit 77
		bt-tracker -l 127.0.0.1:0 --full-scrape --timeout 2 >urls &
		pid=$!
		until [ -s urls ] || ! kill -0 $pid; do read -rt 0.02 <> <(:) || :; done
		http=$(head -n 1 urls)
		http=${http%/announce}
		python3 "$BT_ROOT/tests/lib/tracker_load.py" "$http" 20000 many >load.out
		timeout 50 python3 "$BT_ROOT/tests/lib/full_scrape.py" "${http##*:}" slow
		kill $pid
	END
	run --separate-stderr unshare -n bash in_there
	[ "$status" -ne 77 ] || skip "no limit on buffers here"
	# 98 bytes each would be 44 s
	assert [ "$output" -gt 100000 ]
	assert [ "$output" -lt 1000000 ]
}

@test "the end does not wait for who does not read it" {
	track --workers 1
	many 70000
	hold
	bt_kill tracker
	bt_wait tracker 8
	assert_equal "$bt_status" 143
}
