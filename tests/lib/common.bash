# common.bash - what every bats file here loads: where the programs are, and
# how to run one beside a test without sleeping or leaving it behind.
#
#	setup() { load ../lib/common; bt_setup; }
#	teardown() { bt_teardown; }
#
#	bt_start NAME COMMAND...	run it in the background; $bt_pid is its pid
#	bt_line NAME [N [SECONDS]]	wait for the Nth line (1) of its stdout,
#					left in $bt_line
#	bt_wait NAME [SECONDS]		wait for its end; its status in $bt_status
#	bt_kill NAME [SIGNAL]		send a signal (TERM) to it
#	wait_until SECONDS COMMAND...	until the command succeeds, within a bound
#
# What a program wrote is in NAME.out and NAME.err in $BATS_TEST_TMPDIR, which
# is also the working directory of each test.

: "${BT_ROOT:=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)}"
: "${BT_BIN:=$BT_ROOT/build/bin}"
[[ $BT_BIN == /* ]] || BT_BIN=$PWD/$BT_BIN
export BT_ROOT BT_BIN
# Python's cache would lie about in the tree.
export PYTHONDONTWRITEBYTECODE=1

bt_setup() {
	bats_load_library bats-support
	bats_load_library bats-assert
	bats_require_minimum_version 1.5.0
	declare -gA bt_pids=()
	export PATH="$BT_BIN:$PATH" LC_ALL=C.UTF-8
	unset SOURCE_DATE_EPOCH NO_COLOR http_proxy https_proxy all_proxy
	cd "$BATS_TEST_TMPDIR"
}

# Nothing that a test began outlives it: asked to end first, then made to.
bt_teardown() {
	local name pid

	for name in "${!bt_pids[@]}"; do
		kill -TERM "${bt_pids[$name]}" 2>/dev/null || :
	done
	for name in "${!bt_pids[@]}"; do
		pid=${bt_pids[$name]}
		wait_until 5 bt_is_gone "$pid" || kill -KILL "$pid" || :
		wait "$pid" 2>/dev/null || :
	done
	bt_pids=()
}

bt_start() {
	local name=$1

	shift
	: >"$BATS_TEST_TMPDIR/$name.out" # there before the program is
	"$@" >"$BATS_TEST_TMPDIR/$name.out" \
	    2>"$BATS_TEST_TMPDIR/$name.err" </dev/null 3>&- &
	bt_pid=$!
	bt_pids[$name]=$bt_pid
}

bt_line() {
	local name=$1 n=${2:-1} seconds=${3:-10}

	if ! wait_until "$seconds" bt_has_lines "$name" "$n"; then
		echo "no line $n from $name within $seconds s; it said:" >&2
		cat "$BATS_TEST_TMPDIR/$name.out" \
		    "$BATS_TEST_TMPDIR/$name.err" >&2
		return 1
	fi
	bt_line=$(sed -n "${n}p" "$BATS_TEST_TMPDIR/$name.out")
}

bt_wait() {
	local name=$1 seconds=${2:-10} pid=${bt_pids[$1]}

	if ! wait_until "$seconds" bt_is_gone "$pid"; then
		echo "$name did not end within $seconds s" >&2
		return 1
	fi
	bt_status=0
	wait "$pid" || bt_status=$?
	unset "bt_pids[$name]"
}

bt_kill() {
	kill -"${2:-TERM}" "${bt_pids[$1]}"
}

# The one place that polls. The bound is generous where it is used: it is for
# what never comes, not for how long things take.
wait_until() {
	local deadline=$((${EPOCHREALTIME/[.,]/} + $1 * 1000000))

	shift
	until "$@"; do
		((${EPOCHREALTIME/[.,]/} < deadline)) || return 1
		sleep 0.02
	done
}

bt_has_lines() {
	(($(wc -l <"$BATS_TEST_TMPDIR/$1.out") >= $2))
}

bt_is_gone() {
	! kill -0 "$1" 2>/dev/null
}
