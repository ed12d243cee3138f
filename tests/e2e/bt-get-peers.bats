# Peers that are odd, and what bt-get makes of them.

setup() {
	load ../lib/common
	load ../lib/get
	bt_setup
}
teardown() { bt_teardown; }

@test "a peer that told too little is asked anew what it has" {
	head -c 1000000 /dev/urandom >x
	bt-make -l 64K -o x.torrent x
	bt_start teller python3 "$BT_ROOT/tests/lib/late_teller.py" x \
	    "$(bt-info -p info_hash x.torrent)" 65536
	bt_line teller
	mkdir copy
	run --separate-stderr timeout 90 bt-get -v --port 0 \
	    --bind 127.0.0.1 --no-tracker --peer "127.0.0.1:${bt_line#* }" \
	    -d copy x.torrent
	echo "$stderr"
	[ "$status" -eq 0 ]
	cmp x copy/x
	assert_equal "$(grep -c . teller.out)" 3
	assert_equal "$(tail -n 2 teller.out)" $'told 1\ntold 16'
}
