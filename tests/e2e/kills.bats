# kill -9 at random moments under load: nothing that was whole is lost, content
# is right each time. A dozen each here, a hundred in check-long.

setup() {
	load ../lib/common
	bt_setup
	kills=12
	[ -z "${BT_FULL:-}" ] || kills=100
}
teardown() {
	bt_teardown
}

# killed TOOL: the seed of its chances is printed
killed() {
	local seed=${BT_SEED:-$RANDOM}

	echo "# BT_SEED=$seed" >&3
	timeout 900 python3 "$BT_ROOT/tests/lib/kills.py" "$1" "$kills" "$seed"
}

@test "bt-get is killed and goes on from what it had" {
	killed get
}

@test "bt-seed is killed and comes back to its leech" {
	killed seed
}

@test "bt-tracker is killed and knows what it had saved" {
	killed tracker
}
