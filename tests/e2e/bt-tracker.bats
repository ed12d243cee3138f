# bt-tracker as its clients meet it: where it listens, who is told of whom, what
# is counted, and for how long.

setup() {
	load ../lib/common
	load ../lib/tracker
	bt_setup
}
teardown() { bt_teardown; }

@test "each announce URL is a line, HTTP first, one port for all" {
	track
	bt_line tracker 4
	run cat tracker.out
	assert_line -n 0 "http://127.0.0.1:$port/announce"
	assert_line -n 1 "http://[::1]:$port/announce"
	assert_line -n 2 "udp://127.0.0.1:$port/announce"
	assert_line -n 3 "udp://[::1]:$port/announce"
	assert_equal "$(cat tracker.err)" ""
}

@test "with --json they are JSON Lines" {
	bt_start tracker bt-tracker --json -l http://127.0.0.1:0
	bt_line tracker
	run python3 -c 'import json, sys
o = json.loads(sys.argv[1])
print(o["event"], o["url"].rsplit(":", 1)[0], o["time"] > 1e9)' "$bt_line"
	assert_output "listening http://127.0.0.1 True"
}

@test "a scheme narrows what is served, and several addresses share port 0" {
	bt_start tracker bt-tracker -l udp://127.0.0.1:0 -l '[::1]:0' \
	    -l http://127.0.0.2:0
	bt_line tracker 4
	port=${bt_line%/announce}
	port=${port##*:}
	run cat tracker.out
	assert_line -n 0 "http://[::1]:$port/announce"
	assert_line -n 1 "http://127.0.0.2:$port/announce"
	assert_line -n 2 "udp://127.0.0.1:$port/announce"
	assert_line -n 3 "udp://[::1]:$port/announce"
}

@test "an IPv4-mapped address is IPv4" {
	bt_start tracker bt-tracker -l 'http://[::ffff:127.0.0.1]:0'
	bt_line tracker
	assert_regex "$bt_line" '^http://127\.0\.0\.1:[0-9]+/announce$'
}

@test "a taken port is exit 4, and a sentence that names the address" {
	track --workers 2
	for scheme in http udp; do
		run --separate-stderr bt-tracker -l "$scheme://127.0.0.1:$port"
		assert_equal "$status" 4
		assert_equal "$output" ""
		assert_equal "$stderr" "bt-tracker: cannot listen on '$scheme://127.0.0.1:$port': Address already in use"
	done
}

@test "what is no address is exit 2" {
	for bad in nowhere 1.2.3.4 1.2.3.4:70000 ftp://1.2.3.4:5 :x '[::1]'; do
		run --separate-stderr bt-tracker -l "$bad"
		assert_equal "$status" 2
		assert_equal "${stderr_lines[0]}" "bt-tracker: option '--listen': '$bad' is not [http://|https://|udp://]ADDR:PORT"
	done
	run bt-tracker -l 127.0.0.1:0 -l udp://127.0.0.1:0
	assert_equal "$status" 2
	assert_output --partial "'udp://127.0.0.1:0' is listened on already"
	run bt-tracker operand
	assert_equal "$status" 2
	run bt-tracker --interval 0
	assert_equal "$status" 2
}

@test "SIGINT and SIGTERM end it by that signal" {
	for signal in INT:130 TERM:143; do
		track
		bt_kill tracker "${signal%:*}"
		bt_wait tracker
		assert_equal "$bt_status" "${signal#*:}"
	done
}

@test "peers are told of each other and not of themselves" {
	track
	hi a 1001 left=5
	hi b 1002 left=5
	run hi c 1003 left=5 compact=0
	assert_equal "$(ports <<<"$output")" "1001 1002"
	assert_output --partial "d2:ip9:127.0.0.14:porti"
	refute_output --partial "peer id"
	run hi a 1001 left=5 compact=0
	assert_equal "$(ports <<<"$output")" "1002 1003"
}

@test "the compact form is six bytes a peer (BEP 23)" {
	track
	hi a 258 left=5
	curl -sS "$http/announce?info_hash=hhhhhhhhhhhhhhhhhhhh&peer_id=bbbbbbbbbbbbbbbbbbbb&port=9&left=0&compact=1" >reply
	run xxd -p -c 1000 reply
	# 5:peers6: 127.0.0.1, port 258
	assert_output --partial "353a7065657273363a7f0000010102"
}

@test "an IPv6 peer is told of both families (BEP 7), and so is IPv4" {
	local query="info_hash=hhhhhhhhhhhhhhhhhhhh&left=5&peer_id=bbbbbbbbbbbbbbbbbbbb"

	track
	hi a 258 left=5
	curl -sS "http://[::1]:$port/announce?$query&port=259" >b
	run xxd -p -c 1000 b
	# 5:peers6: 127.0.0.1, port 258
	assert_output --partial "353a7065657273363a7f0000010102"
	curl -sS "http://[::1]:$port/announce?$query&port=260" >c
	run xxd -p -c 1000 c
	# 6:peers618: ::1, port 259
	assert_output --partial "363a70656572733631383a$(printf '%030d' 0)010103"
	run hi d 1004 left=5 compact=0
	assert_equal "$(ports <<<"$output")" "258 259 260"
	assert_output --partial "d2:ip3:::14:porti259e"
}

@test "seeders are not told of seeders" {
	track
	hi a 1001 left=0
	hi b 1002 left=9
	run hi c 1003 left=0 compact=0
	assert_equal "$(ports <<<"$output")" "1002"
	assert_output --partial "d8:completei2e"
	assert_output --partial "10:incompletei1e"
}

@test "numwant is kept to, and --numwant-max too" {
	track --numwant-max 10
	for i in {1001..1020}; do
		echo "url=$http/announce?info_hash=hhhhhhhhhhhhhhhhhhhh&peer_id=$i................&port=$i&left=1"
	done >many
	curl -sS -K many >/dev/null
	for want in 0:0 3:3 10:10 11:10 4000000000:10 99999999999999999999:10; do
		run hi x 999 left=1 compact=0 "numwant=${want%:*}"
		assert_equal "$(ports <<<"$output" | wc -w)" "${want#*:}"
	done
}

@test "the same peer is there once; completed counts once; stopped is gone" {
	track
	hi a 1001 left=5 event=started
	hi a 1001 left=5
	assert_equal "$(counts)" "0 0 1"
	hi a 1001 left=0 event=completed
	assert_equal "$(counts)" "1 1 0"
	hi a 1001 left=0 event=completed
	hi b 1002 left=0 event=completed
	assert_equal "$(counts)" "2 1 0"
	run hi a 1001 left=0 event=stopped compact=0
	assert_output --partial "5:peerslee"
	assert_equal "$(counts)" "1 1 0"
}

@test "who is silent for --expire is forgotten" {
	track --interval 1 --expire 0.3
	hi a 1001 left=5
	wait_until 5 counts_are 0 0 0
}

@test "who announces again is not forgotten" {
	track --interval 1 --expire 1
	hi a 1001 left=5
	hi b 1002 left=5
	until [ "$(counts)" = "0 0 1" ]; do
		hi a 1001 left=5 >/dev/null
		refute [ $SECONDS -gt 60 ]
	done
	run hi c 1003 left=5 compact=0
	assert_equal "$(ports <<<"$output")" "1001"
}

@test "an announce with the same id and key from elsewhere moves the peer" {
	track
	hi a 1001 left=5 key=1234abcd
	run curl -sS --interface 127.0.0.2 "$http/announce?info_hash=hhhhhhhhhhhhhhhhhhhh&peer_id=aaaaaaaaaaaaaaaaaaaa&port=1009&left=5&key=1234abcd&compact=0"
	assert_output --partial "5:peerslee"
	run hi b 1002 left=5 compact=0
	assert_output --partial "d2:ip9:127.0.0.24:porti1009ee"
	assert_equal "$(counts)" "0 0 2"
}

@test "nobody else can remove a peer" {
	track
	hi a 1001 left=5 key=1234abcd
	curl -sS --interface 127.0.0.2 "$http/announce?info_hash=hhhhhhhhhhhhhhhhhhhh&peer_id=aaaaaaaaaaaaaaaaaaaa&port=1001&left=5&key=9999&event=stopped"
	assert_equal "$(counts)" "0 0 1"
}

@test "a loopback client may say another address, and IPv4-mapped is IPv4" {
	track
	hi a 1001 left=5 ip=192.0.2.7
	hi b 1002 left=5 ip=%3a%3affff%3a192.0.2.8
	run hi c 1003 left=5 compact=0
	assert_output --partial "d2:ip9:192.0.2.74:porti1001ee"
	assert_output --partial "d2:ip9:192.0.2.84:porti1002ee"
}

# A network of its own: root may make one where user namespaces are barred.
alone() {
	if [ "$(id -u)" -eq 0 ]; then
		unshare -n "$@"
	else
		unshare -rn "$@"
	fi
}

@test "a public client may not" {
	alone true || skip "no network namespaces here"
	run alone bash -c '
		ip link set lo up && ip addr add 198.18.0.1/16 dev lo
		bt-tracker -l http://198.18.0.1:0 >urls &
		pid=$!
		until [ -s urls ]; do read -rt 0.02 <> <(:) || :; done
		url=$(cat urls)"?info_hash=hhhhhhhhhhhhhhhhhhhh&left=1&compact=0"
		curl -sS --interface 198.18.0.1 "$url&peer_id=aaaaaaaaaaaaaaaaaaaa&port=1001&ip=192.0.2.7"
		curl -sS --interface 198.18.0.1 "$url&peer_id=bbbbbbbbbbbbbbbbbbbb&port=1002"
		kill $pid'
	assert_output --partial "d2:ip10:198.18.0.14:porti1001ee"
	refute_output --partial "192.0.2.7"
}

@test "the interval is 5 s while a swarm has fewer than 5 peers" {
	track --interval 20m --min-interval 90
	for i in 1001 1002 1003; do
		hi a "$i" left=5 key="$i"
	done
	run hi a 1004 left=5
	assert_output --partial "8:intervali5e12:min intervali5e"
	run hi a 1005 left=5
	assert_output --regexp '8:intervali1[0-9]{3}e12:min intervali90e'
}

@test "from 5 peers on the intervals differ, and are a tenth shorter at most" {
	local all

	track --interval 1000 --min-interval 1000
	for i in 1001 1002 1003 1004; do
		hi a "$i" left=5 key="$i"
	done
	all=$(for i in {1..40}; do
		hi b 1005 left=5 event=started numwant=0 |
		    grep -oE '8:intervali[0-9]+e12:min intervali[0-9]+e'
	done | tr -c '0-9\n' ' ' | awk '{ print $2, $4 }' | sort -u)
	# 40 of 101 that are all the same, or within 20 of each other, by chance
	# alone: less than one in 10^24
	awk '$1 < 900 || $1 > 1000 || $1 != $2 { bad = 1 }
	    NR == 1 { first = $1 }
	    END { exit bad || $1 - first < 20 }' <<<"$(sort -n <<<"$all")"
	run udp 127.0.0.1 "$port" announce hash=hhhhhhhhhhhhhhhhhhhh id=c left=1
	assert_line -n 0 --regexp '^interval (9[0-9][0-9]|1000)$'
}

@test "who comes before its min interval is answered, and warned" {
	track --interval 1000 --min-interval 500 --workers 1
	for i in 1001 1002 1003 1004; do
		hi a "$i" left=5 key="$i"
	done
	run hi b 1005 left=5 key=5
	refute_output --partial warning
	run hi b 1005 left=5 key=5 compact=0
	assert_output --regexp 'porti1004ee.*e15:warning message[0-9]+:you announce too often: (500|49[0-9]) s too soone$'
	# events are told when they come
	run hi b 1005 left=0 key=5 event=completed
	refute_output --partial warning
	run hi b 1005 left=0 key=5 event=stopped
	refute_output --partial warning
	# another program at that address
	run hi b 1005 left=5 key=6
	refute_output --partial warning
}

@test "who is not kept, since a seeder has its address and port, is warned" {
	track
	hi a 1001 left=0 key=7
	run hi b 1001 left=5 key=8
	assert_output --partial "15:warning message62:another peer at your address has port 1001: you are not listede"
	counts_are 1 0 0
	run hi a 1001 left=0 key=7 event=completed
	refute_output --partial warning
}

@test "a scrape's keys are sorted, there once, and zeros if unknown" {
	track
	hi a 1001 left=0
	run fetch /scrape info_hash=zzzzzzzzzzzzzzzzzzzz \
	    info_hash=hhhhhhhhhhhhhhhhhhhh info_hash=aaaaaaaaaaaaaaaaaaaa \
	    info_hash=hhhhhhhhhhhhhhhhhhhh
	zeros=d8:completei0e10:downloadedi0e11:downloadersi0e10:incompletei0ee
	assert_output "d5:filesd20:aaaaaaaaaaaaaaaaaaaa${zeros}20:hhhhhhhhhhhhhhhhhhhhd8:completei1e10:downloadedi0e11:downloadersi0e10:incompletei0ee20:zzzzzzzzzzzzzzzzzzzz${zeros}ee"
}

@test "who is paused is no downloader (BEP 21)" {
	track
	hi a 1001 left=5
	hi b 1002 left=5 event=paused
	hi c 1003 left=0
	run fetch /scrape info_hash=hhhhhhhhhhhhhhhhhhhh
	assert_output --partial "11:downloadersi1e10:incompletei2e"
	hi b 1002 left=5
	run fetch /scrape info_hash=hhhhhhhhhhhhhhhhhhhh
	assert_output --partial "11:downloadersi2e10:incompletei2e"
}

@test "more left than 64 bits hold, or nothing said of it, is a leecher" {
	track
	hi a 1001 left=18446744073709551616
	hi b 1002
	assert_equal "$(counts)" "0 0 2"
}

@test "for a new torrent beyond --max-torrents the oldest is forgotten" {
	track --max-torrents 1
	hi a 1001 left=1
	run fetch /announce info_hash=xxxxxxxxxxxxxxxxxxxx \
	    peer_id=aaaaaaaaaaaaaaaaaaaa port=1
	assert_output --partial "10:incompletei1e"
	counts_are 0 0 0
}

@test "a peer is refused where --max-memory holds its own torrent alone" {
	track --max-memory 1M
	python3 "$BT_ROOT/tests/lib/tracker_load.py" \
	    "http://127.0.0.1:$port" 60000 >load.out
	run fetch /announce info_hash=llllllllllllllllllll \
	    peer_id=aaaaaaaaaaaaaaaaaaaa port=65535
	assert_output "d14:failure reason41:this tracker has no room for another peer8:retry ini5ee"
	# who is there is served
	run fetch /announce info_hash=llllllllllllllllllll \
	    peer_id=aaaaaaaaaaaaaaaaaaaa port=1 left=0
	assert_output --partial "d8:completei1e"
	# and who has room of its own is not forgotten for what never fits
	fetch /announce info_hash=ssssssssssssssssssss \
	    peer_id=aaaaaaaaaaaaaaaaaaaa port=1 left=0
	run fetch /announce info_hash=llllllllllllllllllll \
	    peer_id=aaaaaaaaaaaaaaaaaaaa port=65534
	assert_output --partial "no room for another peer"
	run fetch /scrape info_hash=ssssssssssssssssssss
	assert_output --partial "8:completei1e"
}
