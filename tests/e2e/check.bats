# bt-info --check: v1, v2 and hybrids against content on disk and on stdin, told as
# it goes on (--json), and only until the first fault (--fail-fast).

setup() {
	load ../lib/common
	bt_setup
	mkdir -p album/sub
	head -c 200000 /dev/urandom >album/a
	: >album/empty
	head -c 9000 /dev/urandom >album/sub/s
	head -c 70000 /dev/urandom >album/z
	for kind in v1 v2 hybrid; do
		python3 "$BT_ROOT/tests/lib/bep52.py" make $kind album 32768 \
		    >$kind.torrent
	done
}
teardown() { bt_teardown; }

# damage FILE OFFSET: another byte there
damage() {
	python3 - "$1" "$2" <<-'P'
		import sys
		with open(sys.argv[1], "r+b") as f:
		    f.seek(int(sys.argv[2]))
		    b = f.read(1)[0]
		    f.seek(int(sys.argv[2]))
		    f.write(bytes([b ^ 1]))
	P
}

@test "v1, v2 and hybrids are whole, on disk and on stdin" {
	for kind in v1 v2 hybrid; do
		run --separate-stderr bt-info --check album $kind.torrent
		assert_success
		assert_line $'whole\tyes'
		[ -z "$stderr" ]
		run bash -c "cat album/a album/empty album/sub/s album/z |
		    bt-info --check - $kind.torrent"
		assert_success
		assert_line $'whole\tyes'
	done
}

@test "one byte of a v2 torrent or hybrid is found in its file and piece" {
	damage album/a 100000
	damage album/z 69999
	for kind in v2 hybrid; do
		run --separate-stderr bt-info --check album $kind.torrent
		assert_failure 8
		# a has pieces 0 to 6, sub/s 7, z 8 to 10
		assert_line $'bad\ta'
		assert_line $'bad\tz'
		refute_output --partial sub/s
		assert_line $'bad_pieces\t3,10'
		assert_line $'good_pieces\t9'
		run bash -c "cat album/a album/sub/s album/z |
		    bt-info --check - $kind.torrent"
		assert_failure 8
		assert_line $'bad_pieces\t3,10'
	done
}

@test "in a hybrid both halves must be right" {
	python3 - <<-'P'
		b = bytearray(open("hybrid.torrent", "rb").read())
		at = b.index(b"6:pieces") + len("6:pieces") + 4
		b[at] ^= 1 # of the first SHA-1
		open("x.torrent", "wb").write(b)
	P
	run bt-info --check album x.torrent
	assert_failure 8
	assert_line $'bad_pieces\t0'
}

@test "what is missing or short on disk or on stdin is said of v2 too" {
	rm album/sub/s
	truncate -s 40000 album/z
	run bt-info --check album v2.torrent
	assert_failure 8
	assert_line $'missing\tsub/s'
	assert_line $'short\tz'
	assert_line $'bad_pieces\t7,9-10'
	run bash -c 'cat album/a | bt-info --check - v2.torrent'
	assert_failure 8
	assert_line $'missing\tsub/s'
	assert_line $'missing\tz'
	assert_line $'good_pieces\t7'
	run bash -c 'cat album/a album/z album/z album/z | bt-info --check - v2.torrent'
	assert_failure 8
	assert_line $'bad\tsub/s'
	assert_line $'bad\tz'
}

@test "--json has a line for each file as it is done, and one at the end" {
	damage album/a 5
	for kind in v1 v2 hybrid; do
		bt-info --check album --json $kind.torrent >out 2>err || status=$?
		[ "$status" -eq 8 ]
		run python3 - <<-'P'
			import json
			lines = [json.loads(l) for l in open("out")]
			assert [l["event"] for l in lines] == ["file"] * 4 + ["done"]
			assert all("time" in l for l in lines)
			print(sorted((l["index"], l["path"], l["size"],
			    l["verdict"], l["bad_pieces"]) for l in lines[:-1]))
			d = lines[-1]
			print(d["whole"], d["name"], d["bad_pieces"],
			    d["pieces"] - d["good_pieces"])
			print(d["info_hash"] is None, d["info_hash_v2"] is None)
		P
		assert_line --index 0 "[(1, 'a', 200000, 'bad', [0]), (2, 'empty', 0, 'whole', []), (3, 'sub/s', 9000, 'whole', []), (4, 'z', 70000, 'whole', [])]"
		assert_line --index 1 'False album [0] 1'
	done
	run tail -1 out
	assert_output --partial '"info_hash_v2": "'
}

@test "--json tells of a file on stdin before the stream has ended" {
	mkfifo pipe
	bt_start check bash -c 'exec bt-info --json --check - v2.torrent <pipe'
	exec 9>pipe
	cat album/a >&9
	bt_line check 1 30
	[[ $bt_line == *'"file"'*'"path": "a"'*'"whole"'* ]]
	exec 9>&-
	bt_wait check 30
	[ "$bt_status" -eq 8 ]
	grep -q '"path": "z".*"missing"' check.out
}

@test "--fail-fast ends at the first fault, by size without reading" {
	damage album/a 5
	for kind in v1 v2 hybrid; do
		run --separate-stderr bt-info --fail-fast --check album $kind.torrent
		assert_failure 8
		assert_line $'bad\ta'
		assert_line $'whole\tno'
		assert_line --regexp $'^bad_pieces\t0$'
		# whatever follows in the pipe is not waited for
		run timeout 30 bash -c "{ cat album/a; exec cat </dev/zero; } |
		    bt-info --fail-fast --check - $kind.torrent"
		assert_failure 8
		assert_line $'bad\ta'
	done
	rm album/z
	run --separate-stderr bt-info --fail-fast --check album v1.torrent
	assert_failure 8
	assert_line $'missing\tz'
	assert_line $'good_pieces\t0'
	refute_output --partial bad
	run bt-info --fail-fast v1.torrent
	assert_failure 2
}

@test "--check draws its progress on a terminal, and only there" {
	run script -qec 'NO_COLOR=1 bt-info --check album v2.torrent' /dev/null
	assert_success
	assert_output --partial 'whole           yes'
	run --separate-stderr bt-info --progress --check album v2.torrent
	assert_success
	[[ $stderr == *%* ]]
}
