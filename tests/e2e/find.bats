# bt-info --find: a torrent's files beneath a folder, under whatever names.

setup() {
	load ../lib/common
	bt_setup
	mkdir -p album/sub other/deep
	head -c 200000 /dev/urandom >album/a
	: >album/empty
	head -c 900 /dev/urandom >album/s1
	head -c 900 /dev/urandom >album/s2
	head -c 70000 /dev/urandom >album/sub/z
	for kind in v1 v2 hybrid; do
		python3 "$BT_ROOT/tests/lib/bep52.py" make $kind album 32768 \
		    >$kind.torrent
	done
	bt-make -l 32K -o plain.torrent album
	cp album/a other/deep/renamed
	cp album/s1 other/x
	cp album/s2 other/w
	cp album/sub/z 'other/deep/z z'
	head -c 900 /dev/urandom >other/v # of the same size, and others
	head -c 200000 /dev/urandom >other/large
}
teardown() { bt_teardown; }

@test "every file is found by its hash, in v1, v2 and hybrids" {
	for kind in plain v1 v2 hybrid; do
		run --separate-stderr bt-info --find other $kind.torrent
		echo "$kind: $output"
		assert_success
		assert_output $'1\ta\tother/deep/renamed
3\ts1\tother/x
4\ts2\tother/w
5\tsub/z\tother/deep/z z'
		[ -z "$stderr" ]
	done
}

@test "what is not there is said, and exits 1" {
	printf x | dd of=other/deep/renamed bs=1 seek=100000 conv=notrunc status=none
	rm other/w
	run --separate-stderr bt-info --find other v2.torrent
	assert_failure 1
	assert_output $'1\ta\t
3\ts1\tother/x
4\ts2\t
5\tsub/z\tother/deep/z z'
	[ "$stderr" = "bt-info: 2 of 4 files of 'v2.torrent' are not in 'other'" ]
	# in v1 the two small files share a piece with each other, and with z
	run --separate-stderr bt-info --find other plain.torrent
	assert_failure 1
	assert_line $'3\ts1\t'
	assert_line $'5\tsub/z\tother/deep/z z'
}

@test "a folder that may not be read is passed over, and said once" {
	local as=()

	mkdir -p other/a/locked other/b
	cp other/x other/b/locked # not the only one
	chmod 0 other/a/locked
	chmod 0 other/b
	if [ "$(id -u)" -eq 0 ]; then
		chmod 755 "$BATS_TEST_TMPDIR" .
		as=(setpriv --reuid 65534 --regid 65534 --clear-groups)
		"${as[@]}" test -r v1.torrent -a -x "$BT_BIN/bt-info" ||
		    skip 'nobody can not reach this folder'
	fi
	run --separate-stderr "${as[@]}" "$BT_BIN/bt-info" --find other v1.torrent
	chmod 755 other/a/locked other/b
	assert_success
	assert_line $'3\ts1\tother/x'
	[ "${#lines[@]}" -eq 4 ]
	assert_equal "$stderr" "bt-info: 2 paths in 'other' cannot be looked at"
}

@test "--find in JSON, on a terminal, and what is misuse" {
	run bash -c 'bt-info --find other --json v2.torrent | python3 -c "
import json, sys
for l in sys.stdin:
    o = json.loads(l)
    print(o[\"index\"], o[\"path\"], o[\"size\"], o[\"found\"])"'
	assert_line --index 0 '1 a 200000 other/deep/renamed'
	assert_line --index 3 '5 sub/z 70000 other/deep/z z'
	run script -qec 'bt-info --find other v2.torrent' /dev/null
	assert_success
	assert_line --partial 'other/deep/renamed'
	run bt-info --find nowhere v2.torrent
	assert_failure 7
	run bt-info --find other v1.torrent v2.torrent
	assert_failure 2
}
