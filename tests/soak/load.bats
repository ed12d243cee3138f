# Mixed load with churn, by HTTP, HTTPS and UDP: counts equal a recount at the
# end, and memory does not grow. DURATION is in seconds; twenty minutes with
# BT_FULL=1. The tracker may be one of the sanitizers (BT_BIN): then any report
# of theirs fails it, and memory is not looked at.

setup() {
	load ../lib/common
	bt_setup
	if [ "${BT_FULL:-}" = 1 ]; then
		: "${DURATION:=1200}"
	fi
	: "${DURATION:=12}"
}
teardown() { bt_teardown; }

# figure NAME: of the last line that churn.py printed
figure() {
	tail -n 1 churn.out | grep -oE "(^| )$1=[0-9]+" | cut -d= -f2
}

is_sanitized() {
	grep -qaE '__(asan|tsan)_init' "$BT_BIN/bt-tracker"
}

@test "under load and churn counts equal a recount, and memory stays" {
	local expire=5 peers=3000 swarms=300 load
	local announce="$BT_ROOT/build/tests/bench/announce"

	[ -x "$announce" ] || skip "not built: make soak-build"
	if [ "$DURATION" -ge 300 ]; then
		expire=60 peers=20000 swarms=3000
	fi
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -days 2 -subj /CN=x -keyout key -out crt 2>/dev/null
	echo "ffffffffffffffffffffffffffffffffffffffff" >deny
	bt_start tracker bt-tracker -q -l 127.0.0.1:0 -l '[::1]:0' \
	    -l https://127.0.0.1:0 -l 'https://[::1]:0' --tls-cert crt \
	    --tls-key key --deny deny --state state --state-every 1 \
	    --interval $((expire / 2)) --expire "$expire" --timeout 60 \
	    --workers 4
	bt_line tracker 6 30
	port=$(sed -nE '1s/.*:([0-9]+)\/.*/\1/p' tracker.out)
	https=$(sed -nE 's/^https:.*127.*:([0-9]+)\/.*/\1/p' tracker.out)

	mkfifo on
	exec 8<>on # opening it to write would wait for a reader
	bt_start keep "$announce" -c 8 -t "$DURATION" keep "127.0.0.1:$port"
	bt_start flood "$announce" -c 2 -s 8 -t "$DURATION" udp \
	    "127.0.0.1:$port"
	bt_start churn bash -c 'exec python3 "$@" <&8' - \
	    "$BT_ROOT/tests/soak/churn.py" "$port" "$https" "$DURATION" \
	    "$expire" "$peers" "$swarms" "${bt_pids[tracker]}"
	# what reads its files again meanwhile
	while ! bt_has_lines churn 1; do
		bt_kill tracker HUP
		bt_is_gone "${bt_pids[churn]}" && break
		wait_until 1 bt_has_lines churn 1 || :
	done
	for load in keep flood; do
		bt_wait "$load" $((DURATION + 120))
		echo "# $(cat "$load.out")" >&3
		assert_equal "$bt_status" 0
		assert_regex "$(cat "$load.out")" ' bad=0 '
	done
	echo >&8
	bt_wait churn $((expire * 4 + 120))
	cat churn.out churn.err
	assert_equal "$bt_status" 0
	echo "# $(tail -n 1 churn.out)" >&3
	assert_equal "$(figure differ)" 0
	# enough was said for that to mean something
	[ "$(figure announces)" -gt $((peers * 2)) ]
	[ "$(figure sure)" -gt $((swarms / 4)) ]
	if ! is_sanitized; then
		[ "$(figure rss_late)" -le \
		    $(($(figure rss_early) * 21 / 20 + 2048)) ]
	fi
	bt_kill tracker
	bt_wait tracker 30
	assert_equal "$bt_status" 143
	assert_equal "$(cat tracker.err)" ""
}
