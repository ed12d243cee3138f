# bt-tracker --state: what it knew is known again, after a stop and after a
# kill, and a file that is not whole does no harm.

setup() {
	load ../lib/common
	bt_setup
}
teardown() { bt_teardown; }

# track OPTION...: a tracker with a state file; $http
track() {
	bt_start tracker bt-tracker -l http://127.0.0.1:0 --state state "$@"
	bt_line tracker
	http=${bt_line%/announce}
}

# hi SWARM LETTER PORT [NAME=VALUE...]: an announce to the swarm of twenty
# times that letter
hi() {
	local IFS='&' swarm=$1 letter=$2 port=$3

	shift 3
	curl -sS --max-time 10 "$http/announce?info_hash=$(twenty "$swarm")&peer_id=$(twenty "$letter")&port=$port&$*" \
	    --output - | tr -d '\0'
}

twenty() {
	printf '%20s' | tr ' ' "$1"
}

# counts SWARM: seeders, completions, leechers
counts() {
	curl -sS --max-time 10 "$http/scrape?info_hash=$(twenty "$1")" |
	    sed -E 's/.*completei([0-9]+)e10:downloadedi([0-9]+)e.*incompletei([0-9]+)e.*/\1 \2 \3/'
}

stop() {
	bt_kill tracker "${1:-TERM}"
	bt_wait tracker
}

ports() {
	grep -oE '4:porti[0-9]+e' | grep -oE '[0-9]{2,}' | sort -n | xargs
}

@test "stopped and started, it knows what it knew" {
	track
	hi a 1 1001 left=5
	hi a 2 1002 left=5
	hi a 2 1002 left=0 event=completed
	hi a 3 1003 left=0
	hi b 1 1001 left=5
	stop
	assert_equal "$bt_status" 143
	assert_equal "$(stat -c %a state)" 600
	assert [ ! -e state.lock ]
	assert [ ! -e state.new ]
	track
	assert_equal "$(counts a)" "2 1 1"
	assert_equal "$(counts b)" "0 0 1"
	run hi a 4 1004 left=5 compact=0
	assert_equal "$(ports <<<"$output")" "1001 1002 1003"
	assert_equal "$(cat tracker.err)" ""
}

hup_and_saved() {
	bt_kill tracker HUP
	[ -s state ]
}

@test "a SIGHUP now and again does not put a save off" {
	track --state-every 1
	hi a 1 1001 left=5
	# every few hundredths of a second
	wait_until 10 hup_and_saved
}

@test "killed, it knows what it had saved last" {
	track --state-every 0.02
	hi a 1 1001 left=5
	wait_until 10 saved_since_now
	stop KILL
	assert_equal "$bt_status" 137
	track
	assert_equal "$(counts a)" "0 0 1"
}

# Two whole saves that began after this call.
saved_since_now() {
	local was=$(stat -c %i.%Y.%y state 2>/dev/null)

	for _ in 1 2; do
		wait_until 10 differs "$was"
		was=$(stat -c %i.%Y.%y state)
	done
}
differs() {
	[ -e state ] && [ "$(stat -c %i.%Y.%y state)" != "$1" ]
}

# Who had been answered when a save began is in it, and nobody else is.
@test "killed under load, the swarms of the last save are back, and whole" {
	local before after

	for i in 1 2 3; do
		track --state-every 0.001
		bt_start load python3 "$BT_ROOT/tests/lib/tracker_load.py" \
		    "$http" 60000
		bt_line load 1
		before=$(counts l | cut -d ' ' -f 3)
		wait_until 10 saved_since_now
		stop KILL
		bt_wait load
		track
		assert_equal "$(cat tracker.err)" ""
		after=$(counts l | cut -d ' ' -f 3)
		assert [ "$before" -ge 100 ]
		assert [ "$after" -ge "$before" ]
		# twenty may have been told of, and their replies lost
		assert [ "$after" -le $(($(tail -n 1 load.out) + 20)) ]
		stop KILL
		rm state
	done
}

# Every count of 3,000 swarms, and the peers of one, sorted.
all_that_is_known() {
	python3 - "$http" <<'PY'
import sys, urllib.request
def get(what):
    return urllib.request.urlopen(sys.argv[1] + what, timeout=10).read()
for i in range(0, 3000, 50):
    print(get("/scrape?" + "&".join(
        "info_hash=%020d" % j for j in range(i, i + 50))))
reply = get("/announce?info_hash=llllllllllllllllllll&peer_id=%020d&port=65535"
            "&left=1&numwant=2000&event=stopped" % 0)
reply = get("/announce?info_hash=llllllllllllllllllll&peer_id=%020d&port=65535"
            "&left=1&numwant=2000" % 0)
at = reply.index(b"5:peers") + 7
n, rest = reply[at:].split(b":", 1)
packed = rest[:int(n)]
print(sorted(packed[i:i + 6] for i in range(0, len(packed), 6)))
print(get("/scrape?info_hash=llllllllllllllllllll"))
PY
}

@test "stopped and started, nothing is lost of many swarms and a large one" {
	track --numwant-max 2000
	python3 "$BT_ROOT/tests/lib/tracker_load.py" "$http" 3000 many >load.out
	python3 "$BT_ROOT/tests/lib/tracker_load.py" "$http" 1900 >load.out
	for i in {10..40}; do
		hi l 1 "$i" left=0 event=completed >/dev/null
	done
	all_that_is_known >before
	stop
	assert_equal "$bt_status" 143
	track --numwant-max 2000
	all_that_is_known >after
	cmp before after
	grep -q 8:completei31e10:downloadedi31e after
}

@test "a file that ends too early is set aside" {
	track
	for i in {10..40}; do
		hi a "$i" "10$i" left=5
	done
	stop
	cp state whole
	for size in 5 63 64 100 $(($(stat -c %s whole) - 1)); do
		head -c "$size" whole >state
		track
		assert_equal "$(counts a)" "0 0 0"
		assert_equal "$(cat tracker.err)" "bt-tracker: 'state' ends too early: it is now 'state.damaged', and no swarms are restored"
		assert_equal "$(stat -c %s state.damaged)" "$size"
		stop
	done
}

@test "a damaged file is set aside, wherever the damage is" {
	track
	hi a 1 1001 left=5
	stop
	cp state whole
	for at in 9 20 64 70 90 $(($(stat -c %s whole) - 1)); do
		cp whole state
		printf '\x77' | dd of=state bs=1 seek="$at" conv=notrunc \
		    status=none
		track
		assert_equal "$(counts a)" "0 0 0"
		assert_equal "$(cat tracker.err)" "bt-tracker: 'state' is damaged: it is now 'state.damaged', and no swarms are restored"
		stop
	done
	{ cat whole; echo; } >state
	track
	assert_regex "$(cat tracker.err)" "is damaged"
}

@test "what is no state file is an error, and left as it is" {
	echo precious >state
	run --separate-stderr bt-tracker -l 127.0.0.1:0 --state state
	assert_equal "$status" 3
	assert_equal "$stderr" "bt-tracker: 'state' is no state file of bt-tracker"
	assert_equal "$(cat state)" precious
	run --separate-stderr bt-tracker -l 127.0.0.1:0 --state /
	assert_equal "$status" 7
	run --separate-stderr bt-tracker -l 127.0.0.1:0 --state nowhere/state
	assert_equal "$status" 7
	assert_equal "$stderr" "bt-tracker: cannot write 'nowhere/state.lock': No such file or directory"
	assert_equal "${#lines[@]}" 0
}

@test "one of a later version is an error, and left as it is" {
	python3 - <<'PY'
# the head of version 2, with its SipHash-2-4 under zeros
M = (1 << 64) - 1
rot = lambda v, n: (v << n | v >> (64 - n)) & M
def sip(data):
    v = [0x736f6d6570736575, 0x646f72616e646f6d, 0x6c7967656e657261,
         0x7465646279746573]
    def step(n):
        for _ in range(n):
            v[0] = (v[0] + v[1]) & M; v[2] = (v[2] + v[3]) & M
            v[1] = rot(v[1], 13) ^ v[0]; v[3] = rot(v[3], 16) ^ v[2]
            v[0] = rot(v[0], 32)
            v[2] = (v[2] + v[1]) & M; v[0] = (v[0] + v[3]) & M
            v[1] = rot(v[1], 17) ^ v[2]; v[3] = rot(v[3], 21) ^ v[0]
            v[2] = rot(v[2], 32)
    data += bytes(7 - len(data) % 8) + bytes([len(data) % 256])
    for i in range(0, len(data), 8):
        m = int.from_bytes(data[i:i + 8], "little")
        v[3] ^= m; step(2); v[0] ^= m
    v[2] ^= 255
    step(4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]
head = b"bt-state" + (2).to_bytes(4, "big") + bytes(44)
open("state", "wb").write(head + sip(head).to_bytes(8, "big"))
PY
	cp state was
	run --separate-stderr bt-tracker -l 127.0.0.1:0 --state state
	assert_equal "$status" 3
	assert_equal "$stderr" "bt-tracker: 'state' was written by a later bt-tracker"
	cmp state was
}

@test "an empty file is a new one, and a link stays a link" {
	mkdir real
	: >real/state
	ln -s real/state state
	track
	hi a 1 1001 left=5
	stop
	assert [ -L state ]
	assert [ -s real/state ]
	track
	assert_equal "$(counts a)" "0 0 1"
}

@test "two trackers do not share one" {
	track
	run --separate-stderr bt-tracker -l 127.0.0.1:0 --state state
	assert_equal "$status" 7
	assert_equal "$stderr" "bt-tracker: 'state' is in use by another bt-tracker"
	stop KILL
	track # the lock of one that was killed holds up nobody
}

@test "a save that fails is said, and the tracker serves on" {
	track --state-every 0.05
	wait_until 10 mkdir state.new # not while one is being written
	wait_until 10 grep -q "cannot write 'state.new'" tracker.err
	hi a 1 1001 left=5
	assert_equal "$(counts a)" "0 0 1"
	rmdir state.new
	stop
	track
	assert_equal "$(counts a)" "0 0 1"
}

@test "the torrents announced longest ago go first, of all shards" {
	track --max-torrents 3
	for swarm in a b c; do
		hi "$swarm" 1 1001 left=5
		wait_until 2 a_moment_passed
	done
	hi a 1 1001 left=5
	hi d 1 1001 left=5
	for swarm in a:1 b:0 c:1 d:1; do
		assert_equal "$(counts "${swarm%:*}")" "0 0 ${swarm#*:}"
	done
	stop
	# with less room than before, the last ones are kept
	track --max-torrents 1
	assert_equal "$(counts c)" "0 0 0"
	assert_equal "$(counts d)" "0 0 1"
}

# 0.1 s: ages of torrents are kept in steps of 64 ms
a_moment_passed() {
	local now=${EPOCHREALTIME/[.,]/}

	: "${moment:=$now}"
	((now - moment > 100000)) || return 1
	moment=
}

@test "--max-memory holds, and torrents go for it" {
	track --max-memory 1M --workers 1
	python3 "$BT_ROOT/tests/lib/tracker_load.py" "$http" 12000 many >load.out
	# some 110 bytes each, so one in four is gone, and none of the last
	run python3 - "$http" <<'PY'
import sys, urllib.request
def there(i):
    url = "%s/scrape?info_hash=%020d" % (sys.argv[1], i)
    return b"incompletei1e" in urllib.request.urlopen(url).read()
known = [there(i) for i in range(0, 12000, 97)]
print(80 < sum(known) < 110 and all(known[-30:]), sum(known))
PY
	assert_line --partial True
}
