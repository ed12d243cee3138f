# Real clients, in both directions, over loopback: bt-get from their seeds, and
# they from bt-seed; one file of 64 MiB, and 200 files of odd sizes. Each client,
# direction and layout once, trackers and families spread over them; with
# BT_FULL=1 every case runs with every tracker.



setup_file() {
	cd "$BATS_FILE_TMPDIR"
	mkdir single multi
	head -c 67108864 /dev/urandom >single/x.bin
	/usr/bin/python3 "$BATS_TEST_DIRNAME/many.py" multi/ählbum
}

setup() {
	load ../lib/common
	bt_setup
	load clients
	mkdir dst
}
teardown() {
	bt_teardown
	[ -z "${open_dir:-}" ] || rm -rf "$open_dir"
}

make_torrent() {
	case $1 in
	single) content=$BATS_FILE_TMPDIR/single name=x.bin ;;
	multi) content=$BATS_FILE_TMPDIR/multi name=ählbum ;;
	esac
	bt-make -f -a "$tracker" -l 64K -o t.torrent "$content/$name"
}

# case CLIENT DIRECTION LAYOUT TRACKER
one_case() {
	local client=$1 direction=$2 layout=$3 kind=$4 dial=

	begin_tracker "$kind"
	make_torrent "$layout"
	serve_torrent "$kind" t.torrent
	"${direction}_case"
	bt_teardown
	rm -rf dst tr rt ${open_dir:+"$open_dir"}
	mkdir dst
}

# aria2 asks UDP trackers only with its DHT on; transmission that is bound to an
# IPv4 address asks none by IPv6. There they are dialled.
is_silent() {
	[[ $client == aria2 && $kind == *-udp ]] ||
	    [[ $client == transmission && $host == '[::1]' ]]
}

# bt-get from their seed
from_case() {
	"seed_$client" t.torrent "$content"
	if is_silent; then
		dial=$host:$port
	else
		wait_until 30 knows_seeds t.torrent
	fi
	run --separate-stderr timeout 60 bt-get --port 0 -d dst \
	    ${dial:+--peer "$dial"} t.torrent
	[ -z "$stderr" ] || echo "$stderr"
	output=
	[ "$status" -eq 0 ]
	diff -r "$content/$name" "dst/$name"
}

# they from bt-seed: they are there first, so that bt-seed is told of them
to_case() {
	"get_$client" t.torrent "$PWD/dst"
	if is_silent; then
		dial=$host:$port
	else
		wait_until 30 knows_leeches t.torrent
	fi
	bt_start seed bt-seed --port 0 ${dial:+--peer "$dial"} t.torrent \
	    "$content/$name"
	bt_line seed
	wait_got "$content/$name" "dst/$name" 60
}

all_kinds() {
	if [ "${BT_FULL:-}" = 1 ]; then
		echo bt-http bt-udp ot-http ot-udp
	else
		echo "$1"
	fi
}

cases() {
	local kind

	for kind in $(all_kinds "$4"); do
		one_case "$1" "$2" "$3" "$kind"
	done
}

@test "bt-get from transmission: one file, bt-http" {
	cases transmission from single bt-http
}

@test "bt-get from transmission: 200 files, bt-udp" {
	cases transmission from multi bt-udp
}

@test "transmission from bt-seed: one file, ot-http" {
	cases transmission to single ot-http
}

@test "transmission from bt-seed: 200 files, ot-udp" {
	cases transmission to multi ot-udp
}

@test "bt-get from aria2: one file, bt-udp" {
	cases aria2 from single bt-udp
}

@test "bt-get from aria2: 200 files, ot-http" {
	cases aria2 from multi ot-http
}

@test "aria2 from bt-seed: one file, ot-udp" {
	cases aria2 to single ot-udp
}

@test "aria2 from bt-seed: 200 files, bt-http" {
	cases aria2 to multi bt-http
}

@test "bt-get from libtorrent: one file, ot-http" {
	cases libtorrent from single ot-http
}

@test "bt-get from libtorrent: 200 files, ot-udp" {
	cases libtorrent from multi ot-udp
}

@test "libtorrent from bt-seed: one file, bt-http" {
	cases libtorrent to single bt-http
}

@test "libtorrent from bt-seed: 200 files, bt-udp" {
	cases libtorrent to multi bt-udp
}

@test "bt-get from rtorrent: one file, ot-udp" {
	cases rtorrent from single ot-udp
}

@test "bt-get from rtorrent: 200 files, bt-http" {
	cases rtorrent from multi bt-http
}

@test "rtorrent from bt-seed: one file, bt-udp" {
	cases rtorrent to single bt-udp
}

@test "rtorrent from bt-seed: 200 files, ot-http" {
	cases rtorrent to multi ot-http
}

@test "bt-get from libtorrent over IPv6: one file, bt-http" {
	host='[::1]'
	one_case libtorrent from single bt-http
}

@test "bt-get from libtorrent over IPv6: one file, bt-udp" {
	host='[::1]'
	one_case libtorrent from single bt-udp
}

@test "libtorrent from bt-seed over IPv6: 200 files, bt-http" {
	host='[::1]'
	one_case libtorrent to multi bt-http
}

@test "libtorrent from bt-seed over IPv6: 200 files, bt-udp" {
	host='[::1]'
	one_case libtorrent to multi bt-udp
}

@test "bt-get from aria2 over IPv6: one file, bt-http" {
	host='[::1]'
	one_case aria2 from single bt-http
}

@test "aria2 from bt-seed over IPv6: 200 files, bt-http" {
	host='[::1]'
	one_case aria2 to multi bt-http
}

@test "bt-get from transmission over IPv6: one file, bt-http" {
	host='[::1]'
	one_case transmission from single bt-http
}

@test "transmission from bt-seed over IPv6: 200 files, bt-udp" {
	host='[::1]'
	one_case transmission to multi bt-udp
}

