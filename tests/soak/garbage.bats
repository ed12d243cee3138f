# Rubbish on the live tracker, built with the sanitizers: it ends no service, and
# what is asked after is answered as the BEPs say. BT_ASAN is the folder of that
# build; BT_FULL=1 sends ten times as much, of a fresh seed.

setup() {
	BT_BIN=${BT_ASAN:-$BATS_TEST_DIRNAME/../../build/asan/bin}
	load ../lib/common
	bt_setup
}
teardown() { bt_teardown; }

@test "any bytes are borne, and right answers come after" {
	local n=100000 seed=1 rules="$BT_ROOT/tests/conformance/rules.py"

	[ -x "$BT_BIN/bt-tracker" ] || skip "not built: make soak-build"
	if [ "${BT_FULL:-}" = 1 ]; then
		n=1000000 seed=$(od -An -N4 -tu4 /dev/urandom)
	fi
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -days 2 -subj /CN=x -keyout key -out crt 2>/dev/null
	# the rubbish comes from a proxy, so that what it says of its client is
	# read; who asks by the rules is none
	bt_start tracker bt-tracker -l :0 -l https://127.0.0.1:0 --workers 2 \
	    --tls-cert crt --tls-key key --trust-proxy 127.1.0.1 \
	    --admin 127.0.0.1:0
	bt_line tracker 6 30
	port=$(sed -nE 's/^http:.*127.*:([0-9]+)\/announce/\1/p' tracker.out)
	https=$(sed -nE 's/^https:.*:([0-9]+)\/.*/\1/p' tracker.out)
	admin=$(sed -nE 's/^http:.*127.*:([0-9]+)\/stats$/\1/p' tracker.out)
	echo "# seed $seed" >&3
	run python3 "$BT_ROOT/tests/soak/garbage.py" "127.0.0.1:$port" \
	    "127.0.0.1:$port" "127.0.0.1:$https" "127.0.0.1:$admin" \
	    "$n" "$seed"
	assert_success
	echo "# $output" >&3
	assert_output --partial "sent $n, answered "
	# most were near enough to be answered, so they came far
	[ "${output##* }" -gt $((n / 4)) ]
	assert_equal "$(cat tracker.err)" ""
	run python3 "$rules" check "127.0.0.1:$port" "127.0.0.1:$port"
	assert_success
	refute_output --partial broken
	assert_equal "$(grep -c '^kept ' <<<"$output")" \
	    "$(python3 "$rules" names | wc -l)"
	bt_kill tracker
	bt_wait tracker 30
	assert_equal "$bt_status" 143
	assert_equal "$(cat tracker.err)" ""
}
