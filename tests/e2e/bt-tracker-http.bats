# bt-tracker as a server of HTTP: curl, and tests/lib/http_raw.py for what no
# client would do.

setup() {
	load ../lib/common
	load ../lib/tracker
	bt_setup
}
teardown() { bt_teardown; }

raw() {
	python3 "$BT_ROOT/tests/lib/http_raw.py" 127.0.0.1 "$port" "$@"
}

status_of() {
	curl -sS --max-time 10 -o /dev/null -w '%{http_code}' "$@"
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
