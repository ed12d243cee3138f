# bt-tracker as its clients meet it: curl for HTTP, tests/lib/udp_tracker.py for
# BEP 15, tests/lib/http_raw.py for what no client would do.

setup() {
	load ../lib/common
	bt_setup
}
teardown() { bt_teardown; }

# track OPTION...: a tracker on free ports; $http, $udp (of IPv4), $port
track() {
	bt_start tracker bt-tracker -l :0 "$@"
	bt_line tracker 1
	http=${bt_line%/announce}
	port=${http##*:}
}

# fetch PATH [QUERY...]: the body, as text; the query's parts joined by &
fetch() {
	local IFS='&' path=$1

	shift
	curl -sS --max-time 10 "$http$path?$*" --output - | tr -d '\0'
}

# hi LETTER PORT [NAME=VALUE...]: an announce to the swarm of twenty times "h"
hi() {
	local letter=$1 port=$2

	shift 2
	fetch /announce info_hash=hhhhhhhhhhhhhhhhhhhh \
	    "peer_id=$(printf '%20s' | tr ' ' "$letter")" "port=$port" "$@"
}

# The ports in a reply's list of dictionaries, sorted, on a line.
ports() {
	grep -oE '4:porti[0-9]+e' | grep -oE '[0-9]{2,}' | sort -n | xargs
}

counts() {
	fetch /scrape info_hash=hhhhhhhhhhhhhhhhhhhh |
	    sed -E 's/.*completei([0-9]+)e10:downloadedi([0-9]+)e.*incompletei([0-9]+)e.*/\1 \2 \3/'
}

counts_are() {
	[ "$(counts)" = "$*" ]
}

udp() {
	python3 "$BT_ROOT/tests/lib/udp_tracker.py" "$@"
}

raw() {
	python3 "$BT_ROOT/tests/lib/http_raw.py" 127.0.0.1 "$port" "$@"
}

status_of() {
	curl -sS --max-time 10 -o /dev/null -w '%{http_code}' "$@"
}

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

@test "a hash of any bytes is escaped or not" {
	track
	fetch /announce 'info_hash=%00%01%26%3d%3F%ffxxxxxxxxxxxxxx' \
	    peer_id=aaaaaaaaaaaaaaaaaaaa port=1 left=0
	run fetch /scrape 'info_hash=%00%01%26%3D%3f%FFxxxxx%78xxxxxxxx'
	assert_output --partial completei1e
}

@test "each refusal is a 200 with a failure reason" {
	local id=peer_id=aaaaaaaaaaaaaaaaaaaa hash=info_hash=hhhhhhhhhhhhhhhhhhhh

	track
	while IFS='|' read -r path query reason; do
		run curl -sS -w '|%{http_code}' "$http$path?$query"
		assert_output "d14:failure reason${#reason}:${reason}e|200"
	done <<-END
		/announce||info_hash is missing
		/announce|$hash&port=1|peer_id is missing
		/announce|$hash&$id|port is missing
		/announce|info_hash=short&$id&port=1|info_hash is not 20 bytes
		/announce|info_hash=%zz&$id&port=1|info_hash is not 20 bytes
		/announce|$hash&peer_id=xx&port=1|peer_id is not 20 bytes
		/announce|$hash&$id&port=0|port is not a number from 1 to 65535
		/announce|$hash&$id&port=65536|port is not a number from 1 to 65535
		/announce|$hash&$id&port=+1|port is not a number from 1 to 65535
		/announce|$hash&$id&port=-1|port is not a number from 1 to 65535
		/announce|$hash&$id&port=1&left=-1|left is not a number
		/announce|$hash&$id&port=1&left=+0|left is not a number
		/scrape|info_hash=short|info_hash is not 20 bytes
	END
	run fetch /scrape
	assert_output "d14:failure reason52:info_hash is missing: no scrape of all torrents here8:retry in5:nevere"
	assert_equal "$(counts)" "0 0 0"
}

@test "more left than 64 bits hold, or nothing said of it, is a leecher" {
	track
	hi a 1001 left=18446744073709551616
	hi b 1002
	assert_equal "$(counts)" "0 0 2"
}

@test "paths are exactly /announce and /scrape" {
	track
	for path in / /announc /announcee /announce/ /Announce //announce \
	    /x/announce /announce%20 /scrape/ /stats '/*'; do
		assert_equal "$(status_of --path-as-is "$http$path?info_hash=hhhhhhhhhhhhhhhhhhhh")" 404
	done
	assert_equal "$(status_of "$http/announce")" 200
}

@test "HEAD announces nothing, and other methods are refused" {
	track
	query="info_hash=hhhhhhhhhhhhhhhhhhhh&peer_id=aaaaaaaaaaaaaaaaaaaa&port=1&left=1"
	assert_equal "$(status_of -I "$http/announce?$query")" 200
	assert_equal "$(status_of -X DELETE "$http/announce?$query")" 405
	run curl -sS -i -d body "$http/announce?$query"
	assert_line -n 0 --partial "405 Method Not Allowed"
	assert_line --partial "Allow: GET, HEAD"
	assert_equal "$(status_of -I "$http/other")" 404
	assert_equal "$(counts)" "0 0 0"
}

@test "the connection stays open as HTTP/1.0 and 1.1 say" {
	track
	run curl -sS -o /dev/null -o /dev/null -w '%{num_connects} ' \
	    "$http/announce" "$http/announce"
	assert_output "1 0 "
	run curl -sS --http1.0 -i "$http/announce"
	assert_line --partial "Connection: close"
	run raw say 'GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /y HTTP/1.1\r\nConnection: close\r\n\r\n'
	assert_line -n 3 --partial "Connection: keep-alive"
	assert_equal "$(grep -c 'HTTP/1.1 404' <<<"$output")" 2
}

@test "a request may come in any two parts, or byte by byte" {
	local target='/scrape?info_hash=hhhhhhhhhhhhhhhhhhhh'

	track --workers 1
	run raw split "$target"
	assert_output "63 of 63"
	run raw bytes "$target"
	assert_output --partial "d5:filesd20:hhhhhhhhhhhhhhhhhhhh"
}

@test "pipelined requests are answered in turn, however many" {
	track
	for i in {1..60}; do
		hi a "$((1000 + i))" left=1 "key=$i" >/dev/null
	done
	run raw pipeline '/announce?info_hash=hhhhhhhhhhhhhhhhhhhh&peer_id=xxxxxxxxxxxxxxxxxxxx&port=7&compact=0' 2000
	assert_output 2000
}

@test "a slow sender is cut, and service goes on meanwhile" {
	track --timeout 0.4 --workers 1
	bt_start slow python3 "$BT_ROOT/tests/lib/http_raw.py" 127.0.0.1 "$port" slow
	until bt_has_lines slow 1; do
		hi a 1001 left=1 >/dev/null
	done
	bt_line slow
	assert_equal "$bt_line" cut
}

@test "an idle connection may stay longer than a request may take" {
	track --timeout 0.3 --workers 1
	bt_start idle bash -c 'exec 9<>"/dev/tcp/127.0.0.1/$1"
		printf "GET /x HTTP/1.1\r\n\r\n" >&9
		read -r status <&9; echo "$status"
		start=${EPOCHREALTIME/[.,]/}
		cat <&9 >/dev/null
		echo $(((${EPOCHREALTIME/[.,]/} - start) / 100000))' - "$port"
	bt_line idle 2
	# in tenths of a second: six times 3, and some
	assert [ "$bt_line" -ge 17 ]
	assert [ "$bt_line" -le 40 ]
}

@test "what is not HTTP, and a head that is too long, are refused" {
	track
	run raw say 'rubbish\r\n\r\n'
	assert_line -n 0 --partial "HTTP/1.1 400 Bad Request"
	run raw say 'GET /announce HTTP/3.0\r\n\r\n'
	assert_line -n 0 --partial "HTTP/1.1 505 "
	run raw say "GET /announce?$(printf '%9000s' | tr ' ' x) HTTP/1.1\\r\\n\\r\\n"
	assert_line -n 0 --partial "HTTP/1.1 431 "
	assert_equal "$(status_of "$http/announce")" 200
}

@test "beyond --max-connections a new one is refused, until one goes" {
	track --workers 1 --max-connections 3
	mkfifo in
	exec 8<>in
	raw hold 3 '/scrape?info_hash=hhhhhhhhhhhhhhhhhhhh' <&8 >held 3>&- &
	pid=$!
	wait_until 10 grep -q held held
	run curl -sS --max-time 10 -w ' %{http_code}' "$http/announce"
	assert_output "d14:failure reason47:this tracker has no room for another connection8:retry ini5ee 200"
	echo go >&8
	wait "$pid"
	wait_until 5 eval '[[ $(curl -sS "$http/announce") == *info_hash* ]]'
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

@test "UDP: announce and scrape, over IPv4 and IPv6 (BEP 15)" {
	track
	for at in 127.0.0.1 ::1; do
		udp "$at" "$port" announce id=a port=1001 left=5 event=2
		run udp "$at" "$port" announce id=b port=1002 left=0
		assert_line -n 0 "interval 5"
		assert_line -n 3 "peer $at 1001"
		assert_equal "${#lines[@]}" 4
		run udp "$at" "$port" announce id=a port=1001 left=0 event=1
		assert_equal "${#lines[@]}" 3
	done
	# one store behind both: 4 seeders, 2 completed, no leecher
	run udp 127.0.0.1 "$port" scrape h x
	assert_line -n 0 "4 2 0"
	assert_line -n 1 "0 0 0"
	udp 127.0.0.1 "$port" announce id=a port=1001 left=0 event=3
	run udp ::1 "$port" scrape h
	assert_output "3 2 0"
}

@test "UDP: nobody is told of a bad id in more bytes than it sent, or as many" {
	track
	# 25 bytes are as many as the error has, 26 are more; no id is good
	run python3 - "$port" <<-'P'
		import socket, sys
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		s.settimeout(10)
		s.connect(("127.0.0.1", int(sys.argv[1])))
		for n in 16, 25, 26:
		    s.send(bytes(11) + b"\x09" + b"%4d" % n + bytes(n - 16))
		print(s.recv(100)[4:])
	P
	assert_output "b'  26bad connection id'"
}

@test "UDP: what is too long or has options (BEP 41) is understood" {
	track
	run udp 127.0.0.1 "$port" announce left=1 extra=0205612f622f6300ffff
	assert_line "leechers 1"
	run udp 127.0.0.1 "$port" scrape {1..74}
	assert_equal "${#lines[@]}" 74
}

@test "UDP: numwant, and no more than fits a frame" {
	track --numwant-max 2000
	for i in {1001..1300}; do
		echo "url=http://[::1]:$port/announce?info_hash=hhhhhhhhhhhhhhhhhhhh&peer_id=$i................&port=$i&left=1"
	done >many
	curl -sS -g -K many >/dev/null
	hash=hash=hhhhhhhhhhhhhhhhhhhh
	run udp ::1 "$port" announce "$hash" left=1 numwant=1000 port=9
	assert_line "leechers 301"
	assert_equal "$(grep -c peer <<<"$output")" 79
	run udp ::1 "$port" announce "$hash" left=1 numwant=7 port=9
	assert_equal "$(grep -c peer <<<"$output")" 7
	run udp ::1 "$port" announce "$hash" left=1 numwant=-5 port=9
	assert_equal "$(grep -c peer <<<"$output")" 50
}

@test "UDP: a connection id is good for its address alone, in any worker" {
	track --workers 2
	read -r _ id <<<"$(udp 127.0.0.1 "$port" connect)"
	for i in {1..20}; do
		run udp -c "$id" 127.0.0.1 "$port" announce
		assert_line -n 0 "interval 5"
	done
	run udp -c "$id" -s 127.0.0.2 127.0.0.1 "$port" announce
	assert_output "error bad connection id"
	run udp -c 41727101980 127.0.0.1 "$port" scrape h
	assert_output "error bad connection id"
}

@test "UDP: rubbish gets no answer, and none longer than itself" {
	track
	for hex in 00 "$(printf '%030d' 0)" "$(printf '%032d' 0)" \
	    0000041727101980000000010000000100 ; do
		run udp -t 0.3 127.0.0.1 "$port" raw "$hex"
		assert_output silence
	done
	run udp 127.0.0.1 "$port" announce port=0
	assert_output "error port is not a number from 1 to 65535"
}

@test "UDP: the answer comes from the address that was asked" {
	track
	run udp 127.0.0.9 "$port" connect
	assert_output --partial "connection "
}

@test "UDP: a loopback client may say another IPv4 address" {
	track
	udp 127.0.0.1 "$port" announce id=a ip=192.0.2.9
	run udp 127.0.0.1 "$port" announce id=b port=1002
	assert_line "peer 192.0.2.9 1000"
	# the field means nothing in IPv6
	udp ::1 "$port" announce id=a ip=192.0.2.9
	run udp ::1 "$port" announce id=b port=1002
	assert_line "peer ::1 1000"
}
