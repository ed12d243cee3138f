# bt-tracker's lists: who is let in, by HTTP and UDP, and after SIGHUP.

setup() {
	load ../lib/common
	bt_setup
}
teardown() { bt_teardown; }

# The swarms of twenty times a letter, in hex.
h=6868686868686868686868686868686868686868
x=7878787878787878787878787878787878787878

# track OPTION...: a tracker; $http is its URL without a path, $port its port
track() {
	bt_start tracker bt-tracker -v -l 127.0.0.1:0 "$@"
	bt_line tracker 1
	http=${bt_line%/announce}
	port=${http##*:}
}

# twenty LETTER
twenty() {
	printf '%20s' | tr ' ' "$1"
}

# hi TORRENT PORT [ID [PREFIX]]: an announce, as text after the status
hi() {
	curl -sS --max-time 10 -o - -w ' %{http_code}' "$http${4:-}/announce?info_hash=$(twenty "$1")&peer_id=${3:-aaaaaaaaaaaaaaaaaaaa}&port=$2&left=1&compact=0" |
	    tr -d '\0'
}

# scrape TORRENT... : as the first letter of each in the reply, in its order
scrape() {
	local query

	query=$(for t in "$@"; do printf 'info_hash=%s&' "$(twenty "$t")"; done)
	curl -sS --max-time 10 -o - "$http${key:-}/scrape?$query" |
	    grep -oE '([a-z])\1{19}|e5:filesde|failure reason.*' | cut -c1-40 |
	    sed -E 's/^([a-z])\1{19}$/\1/' | xargs
}

udp() {
	python3 "$BT_ROOT/tests/lib/udp_tracker.py" 127.0.0.1 "$port" "$@"
}

# option PATH: BEP 41 URLData in hex, and the end of options
option() {
	printf '02%02x%s00' "${#1}" "$(printf %s "$1" | od -An -tx1 | tr -d ' \n')"
}

# again WORDS: send SIGHUP, and wait until the tracker says WORDS
again() {
	bt_kill tracker HUP
	wait_until 5 grep -qF -- "$1" tracker.err
}

refused() {
	assert_output "d14:failure reason${#1}:${1}8:retry in5:nevere 200"
}

@test "--deny refuses its torrents, over HTTP and UDP" {
	printf '# bad ones\n%s  # x\n' "$x" >deny
	track --deny deny
	run hi x 1001
	refused "torrent not allowed"
	run hi h 1001
	assert_output --partial 8:complete
	run udp announce hash=xxxxxxxxxxxxxxxxxxxx left=1
	assert_output "error torrent not allowed"
	run udp announce hash=hhhhhhhhhhhhhhhhhhhh id=b left=1
	assert_line --partial interval
}

@test "--allow serves its torrents alone, and --deny wins" {
	printf '%s\r\n%s\r\n' "${h^^}" "$x" >allow
	echo "$x" >deny
	track --allow allow --deny deny
	run hi h 1001
	assert_output --partial 8:complete
	run hi i 1001
	refused "torrent not allowed"
	run hi x 1001
	refused "torrent not allowed"
	run udp announce hash=iiiiiiiiiiiiiiiiiiii left=1
	assert_output "error torrent not allowed"
}

@test "an empty --allow serves nothing" {
	: >allow
	track --allow allow
	run hi h 1001
	refused "torrent not allowed"
}

@test "a scrape leaves out what is denied; over UDP it counts 0" {
	echo "$x" >deny
	: >none
	track --deny none
	hi h 1001
	hi x 1001
	run scrape x h
	assert_output "h x"
	run udp scrape xxxxxxxxxxxxxxxxxxxx hhhhhhhhhhhhhhhhhhhh
	assert_line -n 0 "0 0 1"
	cp deny none
	again "read 'none' again: 1 entries"
	run scrape x h
	assert_output h
	run udp scrape xxxxxxxxxxxxxxxxxxxx hhhhhhhhhhhhhhhhhhhh
	assert_line -n 0 "0 0 0"
	assert_line -n 1 "0 0 1"
	run hi x 1002
	refused "torrent not allowed"
}

@test "--deny-client refuses peer ids that begin so" {
	printf -- '-XL\n-SD01\n' >clients
	track --deny-client clients
	run hi h 1001 -XL0012-aaaaaaaaaaaa
	refused "client not allowed"
	run hi h 1001 -SD0110-aaaaaaaaaaaa
	refused "client not allowed"
	run hi h 1001 -SD0210-aaaaaaaaaaaa
	assert_output --partial 8:complete
	run udp announce id=-XL0012 left=1
	assert_output "error client not allowed"
	run udp announce id=-TR0012 left=1
	assert_line --partial interval
}

@test "--keys: who has one announces and scrapes, others do not" {
	printf 'k-1\nother\n' >keys
	track --keys keys
	run hi h 1001 "" /k-1
	assert_output --partial 8:complete
	run hi h 1001 "" /other
	assert_output --partial 8:complete
	for wrong in "" /k /k-12 /K-1 / /k-1%20; do
		run hi h 1001 "" "$wrong"
		refused "unknown key"
		key=$wrong run scrape h
		assert_output "failure reason11:unknown key8:retry in5:"
	done
	key=/k-1 run scrape h
	assert_output h
	for path in /k-1 /k-1/ /k-1/announce/ /k-1/x /other/k-1/announce /; do
		run curl -sS -o /dev/null -w '%{http_code}' "$http$path"
		assert_output 404
	done
}

@test "without --keys a path with one is a 404" {
	track
	run hi h 1001 "" /k-1
	assert_output --partial " 404"
}

@test "--keys over UDP: the path is in the URL data" {
	echo k-1 >keys
	track --keys keys
	run udp announce left=1
	assert_output "error unknown key"
	for path in /k-2/announce /announce /k-1/announc /k-1/scrape k-1/announce \
	    '?/k-1/announce' ''; do
		run udp announce left=1 "extra=$(option "$path")"
		assert_output "error unknown key"
	done
	for path in /k-1/announce '/k-1/announce?a=b'; do
		run udp announce left=1 "extra=$(option "$path")"
		assert_line --partial interval
	done
	# in two parts, with one that does nothing between
	run udp announce left=1 "extra=02032f6b2d01020a312f616e6e6f756e6365"
	assert_line --partial interval
	run udp scrape hhhhhhhhhhhhhhhhhhhh
	assert_output "error unknown key"
}

@test "SIGHUP reads all lists again; a bad one changes nothing" {
	echo "$h" >allow
	echo "$x" >deny
	echo -XL >clients
	echo k-1 >keys
	track --workers 3 --allow allow --deny deny --deny-client clients \
	    --keys keys
	run hi h 1001 "" /k-1
	assert_output --partial 8:complete
	echo k-2 >keys
	echo rubbish >>deny
	printf '%s\n%s\n' "$h" 6969696969696969696969696969696969696969 >allow
	rm clients
	again "read 'keys' again: 1 entries"
	run cat tracker.err
	assert_line --partial "bad line 2 in 'deny': 'rubbish' is not an info-hash of 40 hex digits; the old one is kept"
	assert_line --partial "cannot open 'clients': No such file or directory; the old one is kept"
	assert_line --partial "read 'allow' again: 2 entries"
	run hi h 1001 "" /k-1
	refused "unknown key"
	for n in {1001..1020}; do
		run hi i "$n" "" /k-2
		assert_output --partial 8:complete
	done
	run hi x 1001 "" /k-2
	refused "torrent not allowed"
	run hi h 1001 -XL0012-aaaaaaaaaaaa /k-2
	refused "client not allowed"
	bt_kill tracker TERM
	bt_wait tracker
	assert_equal "$bt_status" 143
}

@test "a connection that stays open meets the new list" {
	: >deny
	track --deny deny
	exec 9<>"/dev/tcp/127.0.0.1/$port"
	ask() {
		local line

		printf 'GET /announce?info_hash=%s&peer_id=%s&port=7&left=1 HTTP/1.1\r\n\r\n' \
		    "$(twenty h)" "$(twenty a)" >&9
		while IFS= read -r -t 5 line <&9 && [ "$line" != $'\r' ]; do
			[[ $line != Content-Length:* ]] || length=${line//[^0-9]/}
		done
		body=$(head -c "$length" <&9 | tr -d '\0')
	}
	ask
	assert_regex "$body" 8:complete
	echo "$h" >deny
	again "read 'deny' again: 1 entries"
	ask
	exec 9>&-
	assert_equal "$body" "d14:failure reason19:torrent not allowed8:retry in5:nevere"
}

@test "what is wrong in a list is said at the start" {
	printf '%s\n\n-XL\n' "$h" >bad
	for option in allow deny; do
		run bt-tracker -l 127.0.0.1:0 "--$option" bad
		assert_equal "$status" 3
		assert_output "bt-tracker: bad line 3 in 'bad': '-XL' is not an info-hash of 40 hex digits"
	done
	echo "a b" >bad
	run bt-tracker -l 127.0.0.1:0 --deny-client bad
	assert_equal "$status" 3
	assert_output "bt-tracker: bad line 1 in 'bad': 'a b' is not the beginning of a peer id"
	run bt-tracker -l 127.0.0.1:0 --keys bad
	assert_equal "$status" 3
	assert_output --partial "bad line 1 in 'bad': 'a b' is not a key"
	for option in allow deny deny-client keys; do
		run bt-tracker -l 127.0.0.1:0 "--$option" none
		assert_equal "$status" 7
		assert_output "bt-tracker: cannot open 'none': No such file or directory"
	done
}
