# bt-tracker between strangers and its swarms: HTTPS, proxies, limits, and the
# service manager that starts it.

setup() {
	load ../lib/common
	bt_setup
}
teardown() { bt_teardown; }

# track OPTION...: a tracker; $url is the first one it prints, $port its port
track() {
	bt_start tracker bt-tracker "$@"
	bt_line tracker 1
	url=$bt_line
	port=${url%/announce}
	port=${port##*:}
}

fronts() {
	python3 "$BT_ROOT/tests/lib/fronts.py" "$@"
}

# certificate NAME: NAME.crt and NAME.key, self-signed, for loopback
certificate() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -days 2 -subj "/CN=$1" -addext subjectAltName=IP:127.0.0.1 \
	    -keyout "$1.key" -out "$1.crt" 2>/dev/null
}

# announce_as LETTER PORT CURL-OPTION...: a reply with dictionaries, as text
announce_as() {
	local letter=$1 at=$2

	shift 2
	curl -sS --max-time 10 -o - "$@" "$url?info_hash=hhhhhhhhhhhhhhhhhhhh&left=1&compact=0&port=$at&peer_id=$(printf '%20s' | tr ' ' "$letter")" |
	    tr -d '\0'
}

# The name in the certificate that is served.
served_name() {
	openssl s_client -connect "127.0.0.1:$port" </dev/null 2>/dev/null |
	    openssl x509 -noout -subject | sed 's/.*CN *= *//'
}

name_is() {
	[ "$(served_name)" = "$1" ]
}

@test "HTTPS: announces and scrapes, and the connection stays open" {
	certificate one
	track -l https://127.0.0.1:0 --tls-cert one.crt --tls-key one.key
	assert_regex "$url" '^https://127\.0\.0\.1:[0-9]+/announce$'
	run announce_as a 1001 --cacert one.crt
	assert_output --partial "5:peerslee"
	run announce_as b 1002 --cacert one.crt
	assert_output --partial "d2:ip9:127.0.0.14:porti1001ee"
	run curl -sS --cacert one.crt -o /dev/null -o /dev/null \
	    -w '%{num_connects} %{http_version} ' "$url" "$url"
	assert_output "1 1.1 0 1.1 "
	run curl -sS --cacert one.crt --tls-max 1.1 "$url"
	assert_failure
}

@test "HTTPS: the key may lie in the certificate's file" {
	certificate one
	cat one.key >>one.crt
	track -l http://127.0.0.1:0 -l https://127.0.0.1:0 --tls-cert one.crt
	bt_line tracker 2
	run cat tracker.out
	assert_line -n 0 --partial http://
	assert_line -n 1 --partial https://
	run curl -sS -k -w '%{http_code}' -o /dev/null "$bt_line"
	assert_output 200
}

@test "HTTPS: pipelined requests, more than a record, are answered in turn" {
	certificate one
	track -l https://127.0.0.1:0 --tls-cert one.crt --tls-key one.key
	for i in {1001..1060}; do
		echo "url=$url?info_hash=hhhhhhhhhhhhhhhhhhhh&peer_id=$i................&port=$i&left=1"
	done >many
	curl -sS -k -K many >/dev/null
	run fronts tls "$port" 2000 '/announce?info_hash=hhhhhhhhhhhhhhhhhhhh&peer_id=xxxxxxxxxxxxxxxxxxxx&port=7&compact=0'
	assert_output 2000
}

@test "HTTPS: SIGHUP reads the certificate again; a bad one changes nothing" {
	certificate one
	certificate two
	cp one.crt at.crt
	cp one.key at.key
	track -v -l https://127.0.0.1:0 --tls-cert at.crt --tls-key at.key
	assert_equal "$(served_name)" one
	cp two.crt at.crt
	bt_kill tracker HUP
	wait_until 5 grep -q "the old one is kept" tracker.err
	assert_equal "$(served_name)" one
	echo rubbish >at.crt
	bt_kill tracker HUP
	wait_until 5 grep -q "cannot read the certificate 'at.crt'" tracker.err
	assert_equal "$(served_name)" one
	cp two.crt at.crt
	cp two.key at.key
	bt_kill tracker HUP
	wait_until 5 name_is two
	bt_kill tracker TERM
	bt_wait tracker
	assert_equal "$bt_status" 143
}

@test "SIGHUP with nothing to read again ends nothing" {
	track -v -l http://127.0.0.1:0
	bt_kill tracker HUP
	wait_until 5 grep -q "nothing to read again" tracker.err
	run announce_as a 1001
	assert_output --partial 8:complete
}

@test "HTTPS: what cannot be served is said at the start" {
	certificate one
	certificate two
	openssl ec -in one.key -aes128 -passout pass:x -out locked.key 2>/dev/null
	run bt-tracker -l https://127.0.0.1:0
	assert_equal "$status" 2
	assert_line -n 0 "bt-tracker: https:// needs --tls-cert"
	run bt-tracker -l 127.0.0.1:0 --tls-cert one.crt
	assert_equal "$status" 2
	run bt-tracker -l https://127.0.0.1:0 --tls-cert none.crt
	assert_equal "$status" 7
	assert_output "bt-tracker: cannot read the certificate 'none.crt': No such file or directory"
	run bt-tracker -l https://127.0.0.1:0 --tls-cert one.crt \
	    --tls-key two.key
	assert_equal "$status" 7
	assert_output --partial "two.key"
	run bt-tracker -l https://127.0.0.1:0 --tls-cert one.crt \
	    --tls-key locked.key
	assert_equal "$status" 7
	assert_output --partial "cannot read the key 'locked.key': "
}

@test "HTTPS: a handshake that does not go on is cut, others are served" {
	certificate one
	track --timeout 0.4 --workers 1 -l https://127.0.0.1:0 \
	    --tls-cert one.crt --tls-key one.key
	bt_start silent bash -c 'exec 9<>"/dev/tcp/127.0.0.1/$1"
		cat <&9 >/dev/null; echo cut' - "$port"
	bt_start half bash -c 'exec 9<>"/dev/tcp/127.0.0.1/$1"
		printf "\x16\x03\x01\x02\x00\x01" >&9
		cat <&9 >/dev/null; echo cut' - "$port"
	until bt_has_lines silent 1 && bt_has_lines half 1; do
		announce_as a 1001 -k >/dev/null
	done
	# plain HTTP is no handshake
	run curl -sS --max-time 5 "http://127.0.0.1:$port/announce"
	assert_failure
	run announce_as a 1001 -k
	assert_output --partial 8:complete
}

@test "behind a trusted proxy the client is who it names" {
	track -l http://127.0.0.1:0 --trust-proxy 127.0.0.0/8 \
	    --trust-proxy 10.0.0.0/8
	announce_as a 1001 -H 'X-Forwarded-For: 6.6.6.6, 203.0.113.5, 10.1.1.1'
	announce_as b 1002 -H 'Forwarded: for="[2001:db8::5]:4711";proto=https'
	announce_as c 1003 -H 'X-Forwarded-For: 203.0.113.6&' \
	    -H 'X-Forwarded-For: ::ffff:203.0.113.7'
	run announce_as d 1004
	assert_output --partial "d2:ip11:203.0.113.54:porti1001ee"
	assert_output --partial "d2:ip11:2001:db8::54:porti1002ee"
	assert_output --partial "d2:ip11:203.0.113.74:porti1003ee"
	refute_output --partial "6.6.6.6"
	run announce_as e 1005 -H 'X-Forwarded-For: unknown'
	assert_output "d14:failure reason42:the proxy in between does not say who askse"
	run announce_as e 1005 -H 'X-Forwarded-For: 203.0.113.5' \
	    -H 'Forwarded: for=203.0.113.6'
	assert_output --partial "failure reason"
}

@test "behind a trusted proxy the external ip is the client's (BEP 24)" {
	track -l http://127.0.0.1:0 --trust-proxy 127.0.0.1
	curl -sS -H 'X-Forwarded-For: 203.0.113.5' "$url?info_hash=hhhhhhhhhhhhhhhhhhhh&peer_id=aaaaaaaaaaaaaaaaaaaa&port=1&left=1" |
	    xxd -p -c 1000 >reply
	# 11:external ip4: 203.0.113.5
	assert_equal "$(grep -c 31313a65787465726e616c206970343acb007105 reply)" 1
}

@test "an untrusted proxy is not believed, and ip= does not count then" {
	track -l http://127.0.0.1:0
	announce_with_ip() {
		curl -sS -H "$1" "$url?ip=192.0.2.7&info_hash=hhhhhhhhhhhhhhhhhhhh&left=1&compact=0&peer_id=aaaaaaaaaaaaaaaaaaaa&port=$2"
	}
	announce_with_ip 'X-Forwarded-For: 203.0.113.5' 1001
	announce_with_ip 'Via: 1.1 cache' 1002
	announce_with_ip 'Accept: x' 1003
	run announce_with_ip 'Forwarded: for=203.0.113.5' 1004
	assert_output --partial "d2:ip9:127.0.0.14:porti1001ee"
	assert_output --partial "d2:ip9:127.0.0.14:porti1002ee"
	assert_output --partial "d2:ip9:192.0.2.74:porti1003ee"
	refute_output --partial "203.0.113.5"
}

@test "what is no network is exit 2" {
	for bad in proxy 10.0.0.0/33 ::/129 ''; do
		run bt-tracker --trust-proxy "$bad"
		assert_equal "$status" 2
		assert_line -n 0 --partial "option '--trust-proxy': '$bad' "
	done
}

# A network of its own: root may make one where user namespaces are barred.
alone() {
	if [ "$(id -u)" -eq 0 ]; then
		unshare -n "$@"
	else
		unshare -rn "$@"
	fi
}

# public OPTION... -- COMMAND...: a tracker at a public address there
public() {
	alone true || skip "no network namespaces here"
	run alone bash -c '
		ip link set lo up
		ip addr add 198.18.0.0/16 dev lo
		ip addr add 198.18.0.1/16 dev lo
		ip -6 route add local 2001:db8::/32 dev lo
		ip -6 addr add 2001:db8::1/128 dev lo nodad
		sysctl -qw net.ipv6.ip_nonlocal_bind=1
		options=()
		until [ "$1" = -- ]; do options+=("$1"); shift; done
		shift
		bt-tracker -l http://:0 "${options[@]}" >urls &
		pid=$!
		until [ -s urls ]; do read -rt 0.02 <> <(:) || :; done
		port=$(sed -n "1s/.*:\([0-9]*\)\/.*/\1/p" urls)
		"${@//PORT/$port}"
		kill $pid' - "$@"
}

@test "beyond --max-per-address connections are refused, at --admin by 429" {
	public --max-per-address 3 -- python3 "$BT_ROOT/tests/lib/fronts.py" \
	    held PORT 5 198.18.0.9 198.18.0.8 2001:db8::5 2001:db8::6 \
	    2001:db8:0:1::5
	assert_line "198.18.0.9 3"
	assert_line "198.18.0.8 3"
	# one /64, and then another
	assert_line "2001:db8::5 3"
	assert_line "2001:db8::6 0"
	assert_line "2001:db8:0:1::5 3"
	assert_line "d14:failure reason38:too many connections from your address8:retry ini5ee"
	refute_line --partial 429
	public --admin 198.18.0.1:0 --max-per-address 3 -- bash -c '
		until grep -q "/stats$" urls; do read -rt 0.02 <> <(:) || :; done
		port=$(sed -n "\$s/.*:\([0-9]*\)\/.*/\1/p" urls)
		python3 "$BT_ROOT/tests/lib/fronts.py" held "$port" 4 198.18.0.9'
	assert_line "198.18.0.9 3"
	assert_line "429 Too Many Requests"
}

@test "a trusted proxy has no limit of its own" {
	public --max-per-address 3 --trust-proxy 198.18.0.9 -- \
	    python3 "$BT_ROOT/tests/lib/fronts.py" held PORT 5 198.18.0.9
	assert_line "198.18.0.9 5"
}

@test "with --allow-ip-param a public client may say another address" {
	public --allow-ip-param -- curl -sS --interface 198.18.0.9 \
	    "http://198.18.0.1:PORT/announce?info_hash=hhhhhhhhhhhhhhhhhhhh&peer_id=aaaaaaaaaaaaaaaaaaaa&port=1001&ip=192.0.2.7&left=1" \
	    "http://198.18.0.1:PORT/announce?info_hash=hhhhhhhhhhhhhhhhhhhh&peer_id=bbbbbbbbbbbbbbbbbbbb&port=1002&compact=0&left=1"
	assert_output --partial "d2:ip9:192.0.2.74:porti1001ee"
}

cpu_ticks() {
	awk '{ print $14 + $15 }' "/proc/$1/stat"
}

@test "out of descriptors nothing spins, and service comes back" {
	track -l http://127.0.0.1:0 --workers 1 --timeout 4
	bt_start crowd python3 -c '
import socket, sys
conns = [socket.create_connection(("127.0.0.1", int(sys.argv[1])))
         for _ in range(60)]
print("there", flush=True)
sys.stdin.read()' "$port" </dev/null
	prlimit --pid "${bt_pids[tracker]}" --nofile=16:
	bt_start waiting python3 -c '
import socket, sys
conns = [socket.create_connection(("127.0.0.1", int(sys.argv[1])))
         for _ in range(30)]
print("there", flush=True)
conns[0].settimeout(2)
try:
    conns[0].recv(1)
except OSError:
    pass' "$port"
	bt_line waiting
	before=$(cpu_ticks "${bt_pids[tracker]}")
	bt_wait waiting
	# under 0.3 s of 2
	assert [ $(($(cpu_ticks "${bt_pids[tracker]}") - before)) -lt 30 ]
	prlimit --pid "${bt_pids[tracker]}" --nofile=1024:
	wait_until 10 curl -sS --max-time 1 -o /dev/null "$url"
}

@test "who came before the end is answered" {
	track -l http://127.0.0.1:0 --workers 2
	run fronts burst "$port" 50 \
	    '/scrape?info_hash=hhhhhhhhhhhhhhhhhhhh' "${bt_pids[tracker]}"
	assert_output 50
	bt_wait tracker
	assert_equal "$bt_status" 143
}

@test "sockets that are handed over are served, by all workers" {
	certificate one
	bt_start tracker python3 "$BT_ROOT/tests/lib/fronts.py" activate tcp \
	    udp tcp6 tcp=https -- bt-tracker --workers 2 --tls-cert one.crt \
	    --tls-key one.key
	bt_line tracker 4
	run cat tracker.out
	assert_equal "${#lines[@]}" 4
	assert_line -n 0 --regexp '^http://127\.0\.0\.1:[0-9]+/announce$'
	assert_line -n 1 --regexp '^http://\[::1\]:[0-9]+/announce$'
	assert_line -n 2 --regexp '^https://127\.0\.0\.1:[0-9]+/announce$'
	assert_line -n 3 --regexp '^udp://127\.0\.0\.1:[0-9]+/announce$'
	for i in {1..20}; do
		url=${lines[i % 3]} announce_as a "$((2000 + i))" -k >/dev/null
	done
	port=${lines[3]%/announce}
	run python3 "$BT_ROOT/tests/lib/udp_tracker.py" 127.0.0.1 \
	    "${port##*:}" scrape hhhhhhhhhhhhhhhhhhhh
	assert_output "0 0 20"
	# IPv4 on the IPv6 socket is IPv4
	url=$(sed -n 2p tracker.out)
	url=${url/\[::1\]/127.0.0.1}
	announce_as v 1001
	run announce_as w 1002
	assert_output --partial "d2:ip9:127.0.0.14:porti1001ee"
}

@test "what is handed over and is no socket of IP is exit 2" {
	run fronts activate unix -- bt-tracker
	assert_equal "$status" 2
	assert_line -n 0 "bt-tracker: descriptor 3 is not a socket of TCP or UDP"
	# meant for another process
	bt_start tracker env LISTEN_PID=1 LISTEN_FDS=1 bt-tracker \
	    -l udp://127.0.0.1:0
	bt_line tracker
	assert_regex "$bt_line" '^udp://127'
}

@test "a service manager is told of its state" {
	for path in "$PWD/notify" "@bt-$BATS_TEST_NUMBER-$$"; do
		bt_start manager python3 "$BT_ROOT/tests/lib/fronts.py" \
		    notified "$path"
		bt_line manager
		export NOTIFY_SOCKET=$path
		track -l udp://127.0.0.1:0
		bt_line manager 2
		assert_equal "$bt_line" READY=1
		bt_kill tracker HUP
		bt_line manager 4
		assert_equal "$(sed -n 3p manager.out)" RELOADING=1
		assert_equal "$bt_line" READY=1
		bt_kill tracker TERM
		bt_line manager 5
		assert_equal "$bt_line" STOPPING=1
		bt_wait tracker
		bt_kill manager KILL
		bt_wait manager
	done
}

@test "who takes no replies costs a bounded memory, and nobody else theirs" {
	local before after

	track -l http://127.0.0.1:0 --workers 1 --timeout 60
	before=$(awk '/^RssAnon/ { print $2 }' "/proc/$bt_pid/status")
	mkfifo go
	python3 "$BT_ROOT/tests/lib/slow_readers.py" "127.0.0.1:$port" 1500 \
	    <go >readers 2>readers.err 3>&- &
	exec 9>go
	wait_until 60 test -s readers
	after=$(awk '/^RssAnon/ { print $2 }' "/proc/$bt_pid/status")
	echo "before $before KiB, after $after KiB" >&2
	run announce_as a 1001
	assert_output --partial "8:completei"
	exec 9>&-
	wait $!
	# 32 MiB that connections wait with, and what else they need
	[ $((after - before)) -lt 49152 ]
	# some were cut for it, and by no means all
	run sed -n 2p readers
	[ "$output" -gt 200 ]
	[ "$output" -lt 1500 ]
}
