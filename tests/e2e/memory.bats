# How much memory a download takes at most: the resident set at its peak, of a
# content much larger than that. 512 MiB of it, or 3 GiB with BT_FULL=1.

setup_file() {
	load ../lib/common
	export size=$((512 << 20)) patience=120

	if [ -n "${BT_FULL:-}" ]; then
		size=$((3 << 30)) patience=900
	fi
	cd "$BATS_FILE_TMPDIR"
	head -c $size /dev/urandom >x
	for length in 1M 4M 16M; do
		"$BT_BIN/bt-make" -l $length -o $length.torrent x
	done
}
setup() {
	load ../lib/common
	bt_setup
	peers=()
}
teardown() {
	bt_teardown
	rm -rf "$BATS_TEST_TMPDIR/copy" # as large as the content
}

# seed NAME LENGTH OPTION...
seed() {
	bt_start "$1" bt-seed --port 0 --bind 127.0.0.1 --no-tracker "${@:3}" \
	    "$BATS_FILE_TMPDIR/$2.torrent" "$BATS_FILE_TMPDIR/x"
	bt_line "$1" 1 "$patience"
	peers+=(--peer "${bt_line##*$'\t'}")
}

# eight LENGTH: seeds, each a program of its own
eight() {
	local i

	for i in {1..8}; do
		seed "seed$i" "$1" --no-check
	done
}

# get MIB LENGTH OPTION...: download, and stay below so many MiB
get() {
	local most=$1 length=$2 peak

	shift 2
	bt_start get "$BT_ROOT/tests/lib/maxrss.py" peak bt-get --port 0 \
	    --no-tracker "${peers[@]}" -d copy "$@" \
	    "$BATS_FILE_TMPDIR/$length.torrent"
	bt_wait get "$patience"
	[ "$bt_status" -eq 0 ]
	cmp "$BATS_FILE_TMPDIR/x" copy/x
	peak=$(cat peak)
	echo "# bt-get, pieces of $length, $((${#peers[@]} / 2)) seeds $*:" \
	    "$((peak / 1024)) MiB" >&3
	[ "$peak" -lt $((most * 1024)) ]
}

# seeds MIB: those that run have stayed below
seeds() {
	local name peak

	for name in "${!bt_pids[@]}"; do
		peak=$(awk '/^VmHWM:/ { print $2 }' \
		    "/proc/${bt_pids[$name]}/status")
		[ "$peak" -lt $(($1 * 1024)) ]
	done
	echo "# bt-seed: $((peak / 1024)) MiB" >&3
}

@test "16 MiB pieces: under 100 MiB; a seed that checked it, under 48" {
	seed seed 16M
	get 100 16M
	seeds 48
}

@test "1 MiB pieces: under 48 MiB, and the seed too" {
	seed seed 1M
	get 48 1M
	seeds 48
}

@test "16 MiB pieces from eight seeds at once: under 100 MiB" {
	eight 16M
	get 100 16M
	seeds 48
}

@test "1 MiB pieces from eight seeds at once: under 48 MiB" {
	eight 1M
	get 48 1M
	seeds 48
}

@test "4 MiB pieces with --memory 1M: under 16 MiB" {
	seed seed 4M
	get 16 4M --memory 1M
}

@test "4 MiB pieces with --memory 1M from eight seeds: under 16 MiB" {
	eight 4M
	get 16 4M --memory 1M
}
