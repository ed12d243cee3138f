# What trackers hear of a torrent, from its start to its stop, and what is made
# of what they say: the announcer's rules, seen from the tracker's side.

setup() {
	load ../lib/common
	bt_setup
	head -c 100000 /dev/urandom >content
	bt-make -o t.torrent content
	mkdir copy
}
teardown() {
	bt_teardown
}

# odd [MODE]...: start the odd tracker; $http and $udp are its addresses
odd() {
	bt_start odd python3 "$BT_ROOT/tests/lib/odd_tracker.py" "$@"
	bt_line odd 1
	http=$bt_line
	bt_line odd 2
	udp=$bt_line
}

# seed URL...: serve the content, announced to these, a tier each
seed() {
	local url tiers=()

	for url; do
		tiers+=(-a "$url")
	done
	bt-make -f -o t.torrent "${tiers[@]}" content
	bt_start seed bt-seed --port 0 --bind 127.0.0.1 t.torrent content
	bt_line seed
	port=${bt_line##*:}
}

# heard PATTERN [SECONDS]: the tracker was asked something that matches
heard() {
	wait_until "${2:-10}" grep -qE -e "$1" odd.out || {
		echo "never heard: $1"
		cat odd.out seed.err
		false
	}
}

times_heard() {
	grep -cE -e "$1" odd.out || :
}

heard_times() {
	(($(times_heard "$1") >= $2))
}

@test "a seed starts, goes on at the interval, and stops" {
	odd
	seed "$http/interval-1/announce"
	heard "port=$port&uploaded=0&downloaded=0&left=0&.*event=started"
	wait_until 10 heard_times 'GET /interval-1' 3
	[ "$(times_heard event=started)" -eq 1 ]
	[ "$(times_heard event=completed)" -eq 0 ]
	bt_kill seed
	bt_wait seed
	[ "$bt_status" -eq 143 ]
	[ "$(times_heard event=stopped)" -eq 1 ]
	[[ $(tail -1 odd.out) == *event=stopped* ]]
	# one program to the end: same id, same key
	[ "$(grep -oE 'peer_id=[^&]*' odd.out | sort -u | wc -l)" -eq 1 ]
	[ "$(grep -oE 'key=[^&]*' odd.out | sort -u | wc -l)" -eq 1 ]
}

@test "the same over UDP" {
	odd
	seed "$udp/x?y=1"
	heard "^UDP announce event=2 left=0 .* want=200 port=$port .* url=/x\?y=1"
	bt_kill seed
	bt_wait seed
	[[ $(tail -1 odd.out) == "UDP announce event=3"* ]]
}

@test "a download says started, completed once, and stopped" {
	odd
	seed "$http/announce"
	bt-make -f -o t.torrent -a "$http/peer-$port/announce" content
	timeout 20 bt-get --port 0 --bind 127.0.0.1 -d copy t.torrent
	cmp content copy/content
	heard 'GET /peer-.*left=100000&.*event=started'
	heard 'GET /peer-.*left=0&.*event=completed'
	heard 'GET /peer-.*event=stopped'
	[ "$(times_heard event=completed)" -eq 1 ]
	[ "$(times_heard 'GET /peer-.*event=stopped')" -eq 1 ]
	# in this order
	[ "$(grep -oE 'GET /peer-.*' odd.out | grep -oE 'event=[a-z]*')" = \
	    $'event=started\nevent=completed\nevent=stopped' ]
}

@test "a peer named by its host is found" {
	odd
	seed "$http/announce"
	bt-make -f -o t.torrent -a "$http/peer-$port/announce" content
	timeout 20 bt-get --port 0 -4 -d copy t.torrent
	cmp content copy/content
}

@test "a tracker that cannot be reached is passed over at once" {
	odd
	seed http://127.0.0.1:1/announce udp://127.0.0.1:1 "$http/announce"
	heard "GET /announce.*event=started" 5
	grep -q "cannot reach 'http://127.0.0.1:1/announce': connection refused" \
	    seed.err
	grep -q "cannot reach 'udp://127.0.0.1:1': connection refused" seed.err
}

@test "a tracker that refuses is passed over, once it said why" {
	odd
	seed "$http/retry/announce" "$http/status500/announce" "$http/announce"
	heard "GET /announce.*event=started"
	[ "$(times_heard /retry/)" -eq 1 ]
	grep -q "refused: later" seed.err
	grep -q "answered HTTP status 500" seed.err
}

@test "one tracker at a time: the second tier is not asked while the first answers" {
	odd
	seed "$http/interval-1/announce" "$http/second/announce"
	wait_until 10 heard_times 'GET /interval-1' 3
	[ "$(times_heard /second/)" -eq 0 ]
}

@test "a tracker id is sent back" {
	odd
	seed "$http/trackerid/announce"
	heard "trackerid=id%20of%20127.0.0.1"
	[ "$(sed -n 3p odd.out | grep -c trackerid=)" -eq 0 ]
}

@test "a tracker that comes up later is found within seconds" {
	local later

	later=$(python3 -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])')
	seed "http://127.0.0.1:$later/announce"
	wait_until 10 grep -q "connection refused" seed.err
	odd good "$later"
	heard event=started 8
	# the same failure again and again is one line
	[ "$(grep -c "connection refused" seed.err)" -eq 1 ]
}

@test "with nobody there it asks again after 5 s" {
	local start=${EPOCHREALTIME/[.,]/} took

	odd
	bt-make -f -o t.torrent -a "$http/nobody/announce" content
	bt_start get bt-get --port 0 --bind 127.0.0.1 -d copy t.torrent
	wait_until 12 heard_times 'GET /nobody' 2
	took=$((${EPOCHREALTIME/[.,]/} - start))
	((took >= 5000000 && took < 9000000))
	bt_kill get
	bt_wait get
	[ "$bt_status" -eq 143 ]
}

@test "a silent UDP tracker lets the next be asked after 15 s, and is tried on" {
	odd lossy
	seed "$udp" "$http/announce"
	heard "^UDP lost 0"
	heard "GET /announce.*event=started" 20
	# BEP 15: the connect is sent again, and then the announce is lost
	heard "^UDP connect" 5
	heard "^UDP lost 1" 5
	# it ends at once: nobody waits for an answer that is that late
	bt_kill seed
	bt_wait seed 4
	heard "GET /announce.*event=stopped"
}

@test "a stop is not held up for more than 3 s" {
	local start

	odd
	seed "$http/slow-stop/announce"
	heard event=started
	start=${EPOCHREALTIME/[.,]/}
	bt_kill seed
	bt_wait seed
	[ "$bt_status" -eq 143 ]
	((${EPOCHREALTIME/[.,]/} - start < 4500000))
	heard event=stopped
}

@test "each family that is listened on is announced" {
	bt_start tracker bt-tracker -l 127.0.0.1:0
	bt_line tracker
	port=${bt_line##*:}
	port=${port%%/*}
	bt_start tracker6 bt-tracker -l "[::1]:$port"
	bt_line tracker6
	bt-make -f -o t.torrent -a "http://localhost:$port/announce" content
	bt_start seed bt-seed --port 0 t.torrent content
	bt_line seed
	wait_until 10 announced "http://127.0.0.1:$port/announce"
	wait_until 10 announced "http://[::1]:$port/announce"
	bt_kill seed
	bt_wait seed
	run ! announced "http://127.0.0.1:$port/announce"
	run ! announced "http://[::1]:$port/announce"
}

announced() {
	local hash

	hash=$(bt-info -p info_hash t.torrent)
	[[ $(bt-scrape -i "$hash" "$1") == "$hash	1	"* ]]
}

@test "hundreds of torrents share one asker and all are announced" {
	local i

	bt_start tracker bt-tracker -l 127.0.0.1:0
	bt_line tracker 2
	udp=$bt_line
	bt_line tracker 1
	http=$bt_line
	mkdir many
	for i in {1..150}; do
		echo "$i" >"many/f$i"
		bt-make -o "$i.torrent" -a "$http" "many/f$i"
		bt-make -s u -o "u$i.torrent" -a "$udp" "many/f$i"
	done
	bt_start seed bt-seed --port 0 --bind 127.0.0.1 -d many ./*[0-9].torrent
	bt_line seed 300 20
	wait_until 20 all_announced
	bt_kill seed
	bt_wait seed
	[ "$bt_status" -eq 143 ]
	bt-info -p info_hash ./*[0-9].torrent | bt-scrape - "$udp" >rows
	[ "$(awk '$2 == 0' rows | wc -l)" -eq 300 ]
}

all_announced() {
	bt-info -p info_hash ./*[0-9].torrent | bt-scrape - "$udp" >rows
	[ "$(awk '$2 == 1' rows | wc -l)" -eq 300 ]
}
