# bt-scrape keeps its word, with trackers that are right and trackers that are
# odd: what it prints, where failures go, its exit status, what it tells them.

setup() {
	load ../lib/common
	bt_setup
	hash=0123456789abcdef0123456789abcdef01234567
	other=89abcdef0123456789abcdef0123456789abcdef
}
teardown() {
	bt_teardown
}

# odd [MODE]...: start the odd tracker; $http and $udp are its addresses
odd() {
	HASHES="${HASHES-$hash}" bt_start odd \
	    python3 "$BT_ROOT/tests/lib/odd_tracker.py" "$@"
	bt_line odd 1
	http=$bt_line
	bt_line odd 2
	udp=$bt_line
}

# scrape OPTION...: run it, within a bound
scrape() {
	run --separate-stderr timeout 20 bt-scrape "$@"
}

# requests: what the odd tracker was asked
requests() {
	tail -n +3 odd.out
}

torrent() {
	head -c 100000 /dev/urandom >content
	bt-make -f -o t.torrent "$@" content
	hash=$(bt-info -p info_hash t.torrent)
}

@test "a scrape over HTTP is a line of tab-separated fields" {
	odd
	scrape -i $hash "$http/announce"
	[ "$status" -eq 0 ]
	[ "$output" = "$hash	3	4	5	$http/announce" ]
	[ -z "$stderr" ]
	[[ $(requests) == "GET /scrape?info_hash=%01%23Eg%89%AB"* ]]
}

@test "a scrape over UDP asks about all torrents in one packet" {
	odd
	scrape -i $hash -i $other "$udp"
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = "$hash	3	4	5	$udp" ]
	[ "${lines[1]}" = "$other	3	4	5	$udp" ]
	[ "$(requests)" = $'UDP connect\nUDP scrape 2' ]
}

@test "a torrent that the tracker does not know has nobody" {
	odd
	scrape -i $other "$http/announce"
	[ "$status" -eq 0 ]
	[ "$output" = "$other	0	0	0	$http/announce" ]
}

@test "a tracker that answers for one torrent at a time is asked again" {
	HASHES="$hash $other" odd
	scrape -i $other -i $hash "$http/one/announce"
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -eq 2 ]
	[[ $output == *"$hash	3	4	5"* ]]
	[ "$(requests | wc -l)" -eq 2 ]
}

@test "a torrent's own trackers are asked, and -a adds one" {
	odd
	torrent -a "$http/a/announce" -a "$udp/x"
	scrape -a "$http/b/announce" t.torrent
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -eq 3 ]
	[[ $output == *"$http/a/announce"* ]]
	[[ $output == *"$udp/x"* ]]
	[[ $output == *"$http/b/announce"* ]]
}

@test "hashes and torrents come on stdin" {
	odd
	torrent
	scrape - "$udp" <<<"$hash"
	[ "$status" -eq 0 ]
	[ "$output" = "$hash	3	4	5	$udp" ]
	scrape - "$udp" <t.torrent
	[ "$output" = "$hash	3	4	5	$udp" ]
}

@test "lines on stdin are hashes, torrents and tracker URLs" {
	odd
	torrent -a "$udp"
	printf '%s\r\n\n%s\nt.torrent\n' "$other" "$http/announce" >lines
	scrape - <lines
	echo "$output$stderr"
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[ "$(sort <<<"$output")" = "$(sort <<-END
		$other	0	0	0	$http/announce
		$hash	0	0	0	$http/announce
		$hash	3	4	5	$udp
	END
	)" ]
	# the torrent's own one alone is asked by UDP, and both at once by HTTP
	[ "$(requests | grep -c 'GET /scrape?info_hash=.*&info_hash=')" -eq 1 ]
	[ "$(requests | grep -c 'UDP scrape 1')" -eq 1 ]
}

@test "a bad line on stdin is said, and the rest go on" {
	odd
	scrape - "$udp" <<-END
		$hash
		no-such-file
		udp://nowhere
	END
	[ "$status" -eq 7 ]
	[ "$output" = "$hash	3	4	5	$udp" ]
	[[ $stderr == *"cannot open 'no-such-file': No such file"*"udp://nowhere"* ]]
	# what begins as a torrent is meant to be one
	scrape - "$udp" <<<'d4:infoi1ee'
	[ "$status" -eq 3 ]
	[[ $stderr == "bt-scrape: '-': "* ]]
}

@test "150 torrents of one tracker are 3 packets" {
	odd
	for i in {100..249}; do
		printf '%040x\n' "$i"
	done >lines
	scrape - "$udp" <lines
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -eq 150 ]
	[ "$(requests | grep 'UDP scrape' | sort | uniq -c | xargs)" = \
	    "1 UDP scrape 2 2 UDP scrape 74" ]
}

# track OPTION...: our own tracker; $url, $udp_url
track() {
	bt_start tracker bt-tracker "$@"
	bt_line tracker 1
	url=$bt_line
}

@test "--check: a tracker that is well, by HTTP and UDP, over IPv4 and IPv6" {
	track -l 127.0.0.1:0 -l '[::1]:0'
	bt_line tracker 4
	mapfile -t urls <tracker.out
	scrape --check "${urls[@]}"
	echo "$output$stderr"
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[ "${#lines[@]}" -eq 12 ]
	[ "$(cut -f1 <<<"$output" | sort | uniq -c | xargs)" = \
	    "4 announce 4 scrape 4 stopped" ]
	[ "$(cut -f2 <<<"$output" | sort | uniq -c | xargs)" = "6 IPv4 6 IPv6" ]
	run ! grep -vqE $'^[a-z]+\tIPv[46]\t[0-9]+\\.[0-9]{3}\t' <<<"$output"
	# by name both families are tried, and one that is not served fails
	port=${url%/announce}
	scrape --check "http://localhost:${port##*:}/announce"
	[ "${#lines[@]}" -ge 3 ]
}

@test "--check: URLs of one tracker are peers apart" {
	local i urls=()

	track -l http://127.0.0.1:0
	for i in {1..5}; do
		urls+=("$url?n=$i")
	done
	scrape --check -i $hash "${urls[@]}"
	[ "$status" -eq 0 ]
	[ "$(cut -f1 <<<"$output" | sort | uniq -c | xargs)" = \
	    "5 announce 5 scrape 5 stopped" ]
}

@test "--check leaves no trace" {
	track -l http://127.0.0.1:0
	scrape --check -i $hash "$url"
	[ "$status" -eq 0 ]
	scrape -i $hash "$url"
	[ "$output" = "$hash	0	0	0	$url" ]
}

@test "--check leaves no trace where nothing can be printed" {
	track -l http://127.0.0.1:0
	run bash -c "bt-scrape --check -i $hash '$url' >/dev/full"
	[ "$status" -eq 7 ]
	scrape -i $hash "$url"
	[ "$output" = "$hash	0	0	0	$url" ]
}

@test "--check: --timeout holds while a name is looked up" {
	unshare -nm true || skip "no namespaces here"
	echo nameserver 127.0.0.1 >resolv.conf
	cat >in_there <<-'END'
		mount --bind resolv.conf /etc/resolv.conf || exit 77
		ip link set lo up
		# it takes every question, and answers none
		exec python3 -c "
		import socket, subprocess, sys
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		s.bind(('127.0.0.1', 53))
		sys.exit(subprocess.call(['bt-scrape', '--check', '--timeout', '0.5',
		    'udp://tracker.example:1']))"
	END
	sed -i 's/^\t*//' in_there
	run --separate-stderr unshare -nm bash in_there
	[ "$status" -ne 77 ] || skip "no mounts here"
	[ "$status" -eq 6 ]
	[ "$stderr" = "bt-scrape: cannot reach 'udp://tracker.example:1': no answer within 0 s" ]
}

@test "--check: what refuses, is silent or away fails, whatever else is well" {
	echo $hash >allow
	track -l http://127.0.0.1:0 --allow allow
	scrape --check "$url"
	[ "$status" -eq 5 ]
	[ -z "$output" ]
	[ "$stderr" = "bt-scrape: announce over IPv4: tracker '$url' refused: torrent not allowed" ]
	scrape --check -i $hash "$url" http://127.0.0.1:1/announce
	[ "$status" -eq 4 ]
	[ "${#lines[@]}" -eq 3 ]
	[ "$stderr" = "bt-scrape: announce over IPv4: cannot reach 'http://127.0.0.1:1/announce': connection refused" ]
	odd silent
	scrape --check --timeout 1 "$udp"
	[ "$status" -eq 6 ]
	[ "$stderr" = "bt-scrape: announce over IPv4: cannot reach '$udp': no answer within 1 s" ]
	scrape --check -6 "$udp"
	[ "$status" -eq 4 ]
	[[ $stderr == *"its address is of the other family" ]]
}

@test "--check: a tracker that does not count who announced is wrong" {
	odd
	scrape --check "$http/announce"
	[ "$status" -eq 4 ]
	[ "$stderr" = "bt-scrape: scrape over IPv4: tracker '$http/announce' does not count who has announced" ]
	[ "$(cut -f1 <<<"$output" | xargs)" = "announce stopped" ]
	mapfile -t asked < <(requests)
	[[ ${asked[0]} == *"&event=started"* ]]
	[[ ${asked[2]} == *"&event=stopped"* ]]
	# one that cannot be scraped is not
	scrape --check -a "$http/ann"
	[ "$status" -eq 0 ]
	[ "$(cut -f1 <<<"$output" | xargs)" = "announce stopped" ]
}

@test "--check --json prints an object per answer and failure" {
	odd
	scrape --check --json -i $hash "$udp" http://127.0.0.1:1/announce
	[ "$status" -eq 4 ]
	[ -z "$stderr" ]
	python3 -c '
import json, sys
rows = [json.loads(line) for line in sys.argv[2].splitlines()]
good = [r for r in rows if "request" in r]
assert [r["request"] for r in good] == ["announce", "scrape", "stopped"], rows
assert all(r["family"] == 4 and r["microseconds"] > 0 and
           r["tracker"] == sys.argv[1] for r in good), rows
bad = [r for r in rows if "class" in r]
assert len(bad) == 1 and bad[0]["class"] == "net", rows' "$udp" "$output"
}

@test "--check: a signal ends it, and the tracker hears stopped" {
	odd silent
	bt_start scrape bt-scrape --check "$http/drip/announce"
	wait_until 5 grep -q 'GET /drip/announce.*event=started' odd.out
	bt_kill scrape INT
	bt_wait scrape
	[ "$bt_status" -eq 130 ]
	grep -q 'GET /drip/announce.*event=stopped' odd.out
}

@test "a torrent is fetched from its URL" {
	torrent
	mv t.torrent x.torrent
	odd
	scrape "$http/files/x.torrent" "$udp"
	[ "$status" -eq 0 ]
	[ "$output" = "$hash	3	4	5	$udp" ]
	[[ $(requests) == "GET /files/x.torrent"* ]]
	scrape "$http/status500/y.torrent" "$udp"
	[ "$status" -eq 4 ]
	[ "$stderr" = "bt-scrape: cannot fetch '$http/status500/y.torrent': HTTP status 500" ]
}

@test "--json prints an object per answer and failure" {
	odd
	scrape --json -i $hash "$http/announce" "$http/failure/announce"
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	python3 -c '
import json, sys
rows = [json.loads(line) for line in sys.argv[3].splitlines()]
good = [r for r in rows if "seeders" in r]
bad = [r for r in rows if "class" in r]
assert good == [{"info_hash": sys.argv[2], "seeders": 3, "leechers": 4,
    "completed": 5, "tracker": sys.argv[1] + "/announce"}], rows
assert len(bad) == 1 and bad[0]["class"] == "refused", rows
assert bad[0]["tracker"] == sys.argv[1] + "/failure/announce"
assert "go away" in bad[0]["message"]' "$http" $hash "$output"
}

@test "on a terminal the rows stand in a table" {
	odd
	run script -qec "bt-scrape -i $hash $udp" /dev/null
	[ "$status" -eq 0 ]
	[[ ${lines[0]} == "INFO HASH "*" SEEDERS   LEECHERS  COMPLETED  TRACKER"* ]]
	[[ ${lines[1]} == "$hash          3          4          5  $udp"* ]]
}

@test "one tracker that answers makes up for those that do not" {
	odd
	scrape -i $hash http://127.0.0.1:1/announce "$udp"
	[ "$status" -eq 0 ]
	[ "$output" = "$hash	3	4	5	$udp" ]
	[ "$stderr" = "bt-scrape: cannot reach 'http://127.0.0.1:1/announce': connection refused" ]
}

@test "nobody there is exit 4, by HTTP and at once by UDP" {
	scrape -i $hash http://127.0.0.1:1/announce
	[ "$status" -eq 4 ]
	[ "$stderr" = "bt-scrape: cannot reach 'http://127.0.0.1:1/announce': connection refused" ]
	scrape -i $hash udp://127.0.0.1:1
	[ "$status" -eq 4 ]
	[ "$stderr" = "bt-scrape: cannot reach 'udp://127.0.0.1:1': connection refused" ]
	[ -z "$output" ]
}

@test "a refusal is exit 5 with the tracker's words made harmless" {
	odd error
	scrape --announce -i $hash "$http/failure/announce"
	[ "$status" -eq 5 ]
	[ "$stderr" = "bt-scrape: tracker '$http/failure/announce' refused: go away\\x1b[31m" ]
	scrape -i $hash "$http/failure/announce"
	[ "$status" -eq 5 ]
	scrape --announce -i $hash "$http/failure403/announce"
	[ "$status" -eq 5 ]
	[[ $stderr == *"refused: not you" ]]
	scrape --announce -i $hash "$udp"
	[ "$status" -eq 5 ]
	[ "$stderr" = "bt-scrape: tracker '$udp' refused: bad\\x1b[31m id" ]
}

@test "silence is exit 6, after --timeout" {
	odd silent
	scrape --timeout 1 -i $hash "$udp"
	[ "$status" -eq 6 ]
	[ "$stderr" = "bt-scrape: cannot reach '$udp': no answer within 1 s" ]
	scrape --announce --timeout 1 -i $hash "$udp"
	[ "$status" -eq 6 ]
	[ "$stderr" = "bt-scrape: cannot reach '$udp': no answer within 1 s" ]
	scrape --announce --timeout 1 -i $hash "$http/drip/announce"
	[ "$status" -eq 6 ]
}

@test "what is no tracker's answer is exit 4" {
	local what

	odd
	for what in html empty status500 endless bomb loop scheme file cut; do
		scrape --announce --timeout 10 -i $hash "$http/$what/announce"
		echo "$what: $status $stderr"
		[ "$status" -eq 4 ]
		[ -z "$output" ]
		[[ $stderr == "bt-scrape: "*"'$http/$what/announce'"* ]]
	done
	[[ $(requests | grep -c /loop/) -eq 6 ]] # the first and 5 redirects
}

@test "a tracker without a scrape address is a failure that says so" {
	scrape -i $hash -a http://127.0.0.1:1/a/x?announce
	[ "$status" -eq 4 ]
	[[ $stderr == *"'http://127.0.0.1:1/a/x?announce' cannot be scraped"* ]]
}

@test "--announce prints each peer once" {
	odd
	scrape --announce -i $hash "$http/announce" "$udp"
	[ "$status" -eq 0 ]
	[ "$(sort <<<"$output")" = $'10.0.0.1:6881\n10.0.0.2:6882' ]
}

@test "peers come chunked, zipped, redirected and from IPv6 lists" {
	local what

	odd
	for what in chunked gzip redirect warning; do
		scrape --announce -i $hash "$http/$what/announce"
		echo "$what: $status $stderr"
		[ "$status" -eq 0 ]
		[ "$output" = $'10.0.0.1:6881\n10.0.0.2:6882' ]
	done
	[ "$stderr" = "bt-scrape: tracker '$http/warning/announce' warns: beware" ]
	scrape --announce -i $hash "$http/peers6/announce"
	[ "${lines[2]}" = "[2001:db8::1]:6881" ]
}

@test "host names in a peer list are looked up" {
	odd
	scrape --announce --timeout 12 -i $hash "$http/names/announce"
	[ "$status" -eq 0 ]
	grep -qxF "127.0.0.1:$((7000 + 1))" <<<"$output"
	[[ $output == *"[::1]:7001"* ]]
	[[ $output == *"10.0.0.3:7002"* ]]
	[[ $output == *"[2001:db8::9]:7003"* ]]
	[[ $output != *":7004"* ]]
	[[ $output != *"10.0.0.4"* ]]
}

@test "an announce leaves no trace: no event, then stopped, same id and key" {
	odd
	torrent
	scrape --announce t.torrent "$http/announce"
	[ "$status" -eq 0 ]
	mapfile -t asked < <(requests)
	[ "${#asked[@]}" -eq 2 ]
	[[ ${asked[0]} == *"&port=6881&"* ]]
	[[ ${asked[0]} == *"&left=100000&"* ]]
	[[ ${asked[0]} == *"&peer_id=-BQ0100-"* ]]
	[[ ${asked[0]} != *event=* ]]
	[[ ${asked[1]} == *"&event=stopped"* ]]
	[[ ${asked[1]} == *"&numwant=0"* ]]
	[ "$(grep -oE 'peer_id=[^&]*' <<<"${asked[0]}")" = \
	    "$(grep -oE 'peer_id=[^&]*' <<<"${asked[1]}")" ]
	[ "$(grep -oE 'key=[^&]*' <<<"${asked[0]}")" = \
	    "$(grep -oE 'key=[^&]*' <<<"${asked[1]}")" ]
}

@test "the same over UDP, with the URL's path and query (BEP 41)" {
	odd
	torrent
	scrape --announce t.torrent "$udp/ann?pass=1"
	[ "$status" -eq 0 ]
	mapfile -t asked < <(requests)
	[ "${#asked[@]}" -eq 3 ]
	[ "${asked[0]}" = "UDP connect" ]
	[[ ${asked[1]} == "UDP announce event=0 left=100000 "*" url=/ann?pass=1" ]]
	[[ ${asked[1]} == *" want=200 port=6881 id=-BQ0100-"* ]]
	[[ ${asked[2]} == "UDP announce event=3 left=100000 "*" want=0 "* ]]
	[ "$(grep -o ' id=[^ ]*' <<<"${asked[1]}")" = \
	    "$(grep -o ' id=[^ ]*' <<<"${asked[2]}")" ]
	[ "$(grep -o 'key=[0-9a-f]*' <<<"${asked[1]}")" = \
	    "$(grep -o 'key=[0-9a-f]*' <<<"${asked[2]}")" ]
}

@test "with --event nothing is said afterwards" {
	odd
	scrape --announce --event started --left 0 --port 7000 --numwant 7 \
	    -i $hash "$http/announce"
	[ "$status" -eq 0 ]
	[ "$(requests | wc -l)" -eq 1 ]
	[[ $(requests) == *"&port=7000&"*"&left=0&"*"&numwant=7&"*"&event=started" ]]
}

@test "forged packets do not count, the right one does" {
	odd forgers
	scrape --announce --timeout 5 -i $hash "$udp"
	[ "$status" -eq 0 ]
	[ "$output" = $'10.0.0.1:6881\n10.0.0.2:6882' ]
}

@test "a connection id that is good no more is asked for again" {
	odd forgetful
	scrape --announce --timeout 5 -i $hash "$udp"
	[ "$status" -eq 0 ]
	requests
	[ "$(requests | cut -d' ' -f1-3)" = "UDP connect
UDP announce event=0
UDP refused
UDP connect
UDP announce event=3" ]
}

@test "IPv6: over HTTP and UDP, and -4 says that it cannot be" {
	odd -6
	scrape --announce -i $hash "$udp"
	[ "$status" -eq 0 ]
	[ "$output" = "[2001:db8::1]:6881" ]
	scrape -6 -i $hash "$http/announce"
	[ "$output" = "$hash	3	4	5	$http/announce" ]
	scrape -4 --announce -i $hash "$udp"
	[ "$status" -eq 4 ]
	[[ $stderr == *"'$udp'"* ]]
}

@test "a tracker by name is reached over the family that answers" {
	odd -6
	scrape -i $hash "${udp/\[::1\]/localhost}"
	[ "$status" -eq 0 ]
	scrape --announce -i $hash "${http/\[::1\]/localhost}/announce"
	[ "$status" -eq 0 ]
	scrape -4 -i $hash "${udp/\[::1\]/localhost}"
	[ "$status" -eq 4 ]
}

@test "a host that is not known is exit 4" {
	scrape --timeout 10 -i $hash udp://no-such-name.invalid:1
	[ "$status" -eq 4 ] || [ "$status" -eq 6 ]
	[[ $stderr == "bt-scrape: cannot reach 'udp://no-such-name.invalid:1'"* ]]
}

@test "a certificate that nobody vouches for needs --insecure" {
	odd -s
	scrape -i $hash "$http/announce"
	[ "$status" -eq 4 ]
	[[ $stderr == "bt-scrape: cannot reach '$http/announce': SSL "* ]]
	scrape --insecure -i $hash "$http/announce"
	[ "$status" -eq 0 ]
	[ "$output" = "$hash	3	4	5	$http/announce" ]
	scrape --announce --insecure -i $hash "$http/announce"
	[ "$status" -eq 0 ]
}

@test "proxies of the environment are not for this machine" {
	odd
	http_proxy=http://127.0.0.1:1 scrape -i $hash "$http/announce"
	[ "$status" -eq 0 ]
	http_proxy=http://127.0.0.1:1 scrape -i $hash http://tracker.invalid/announce
	[ "$status" -eq 4 ]
}

@test "a signal ends it by that signal, and the tracker hears stopped" {
	odd silent
	bt_start scrape bt-scrape --announce -i $hash "$http/announce" "$udp"
	bt_line scrape 2
	wait_until 5 grep -q event=stopped odd.out
	bt_kill scrape INT
	bt_wait scrape
	[ "$bt_status" -eq 130 ]
}

@test "output that nobody reads ends it as any filter" {
	odd
	# a pipe whose reader is gone before it begins; drip would take 15 s
	run timeout 10 python3 -c '
import os, subprocess, sys
r, w = os.pipe()
os.close(r)
print(subprocess.run(["bt-scrape", "--announce", *sys.argv[1:]], stdout=w,
    preexec_fn=lambda: __import__("signal").signal(13, 0)).returncode)' \
	    -i $hash "$http/announce" "$http/drip/announce"
	[ "$status" -eq 0 ]
	[ "$output" = -13 ]
	[ "$(requests | grep -c 'GET /announce.*event=stopped')" -eq 1 ]
}

@test "usage: what cannot be asked is exit 2" {
	scrape
	[ "$status" -eq 2 ]
	scrape udp://127.0.0.1:1
	[ "$status" -eq 2 ]
	[[ $stderr == *"about which torrent?"* ]]
	scrape -i 123 udp://127.0.0.1:1
	[ "$status" -eq 2 ]
	scrape --left 5 -i $hash udp://127.0.0.1:1
	[ "$status" -eq 2 ]
	scrape -i $hash -6 --bind 127.0.0.1 udp://127.0.0.1:1
	[ "$status" -eq 2 ]
	scrape -i $hash -a gopher://x/
	[ "$status" -eq 2 ]
	scrape --check
	[ "$status" -eq 2 ]
	scrape --check --announce -i $hash udp://127.0.0.1:1
	[ "$status" -eq 2 ]
	scrape -i $hash udp://nope
	[ "$status" -eq 3 ]
}

@test "a bad operand is reported, the rest go on, its status stays" {
	odd
	printf 'd4:infoi1ee' >bad.torrent
	torrent -a "$udp"
	scrape bad.torrent t.torrent nowhere.torrent
	[ "$status" -eq 3 ]
	[ "$output" = "$hash	3	4	5	$udp" ]
	[[ $stderr == *"bad.torrent"*"nowhere.torrent"* ]]
	torrent
	scrape t.torrent
	[ "$status" -eq 3 ]
	[[ $stderr == *"no tracker to ask about '$hash'"* ]]
}

@test "a v2-only torrent is asked about by the first 20 bytes of its info-hash" {
	printf hello >hello
	bt-make --v2 -o t.torrent hello
	hash=$(bt-info -p info_hash_v2 t.torrent | cut -c 1-40)
	HASHES=$hash odd
	scrape t.torrent "$http/announce"
	[ "$status" -eq 0 ]
	[ "$output" = "$hash	3	4	5	$http/announce" ]
}
