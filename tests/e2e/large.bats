# A torrent of 30 MB, a million pieces and 200,000 files: bt-info reads it in little
# more than its own size of memory, and in so many instructions.

setup() {
	load ../lib/common
	bt_setup
	python3 - <<-'P'
		import os
		pieces, n = 1000000, 200000
		length = pieces * (1 << 20) // n
		entries = b"".join(
		    b"d6:lengthi%de4:pathl9:folder%03d18:a file, no. %06dee" % (
		        length, i // 1000, i) for i in range(n))
		with open("big.torrent", "wb") as f:
		    f.write(b"d8:announce20:http://t.example/ann4:infod5:filesl" +
		        entries + b"e4:name3:big12:piece lengthi1048576e6:pieces")
		    f.write(b"%d:" % (20 * pieces) + os.urandom(20 * pieces) + b"ee")
	P
	size=$(stat -c %s big.torrent)
	((size > 30000000 && size < 34000000))
}
teardown() { bt_teardown; }

@test "a torrent of 32 MB takes less than 3 times its size of memory" {
	run "$BT_ROOT/tests/lib/maxrss.py" peak bt-info big.torrent
	assert_success
	assert_line $'files\t200000'
	assert_line $'pieces\t1000000'
	echo "# bt-info of $size bytes: $(cat peak) KiB" >&3
	(($(cat peak) * 1024 < 3 * size))
}

# Instructions do not depend on what else the machine does. What is counted here
# took 0.15 s of a processor's time; the digest's part depends on the processor,
# and under valgrind it has no SHA instructions.
@test "a torrent of 32 MB takes less than 1.4e9 instructions, the digest with it" {
	command -v valgrind >/dev/null || skip "valgrind is missing"
	[[ $BT_BIN == "$BT_ROOT/build/bin" ]] || skip "of another build"
	valgrind --tool=callgrind --callgrind-out-file=/dev/null bt-info \
	    big.torrent >out 2>err
	count=$(sed -nE 's/^==[0-9]+== Collected : ([0-9]+)$/\1/p' err)
	echo "# bt-info of $size bytes: $count instructions" >&3
	((count > 0 && count < 1400000000))
}

# For each of them all others of its piece would be gone through: 4.5 * 10^8 steps.
@test "30,000 files of one piece, the last of them gone, are judged at once" {
	[[ $BT_BIN == "$BT_ROOT/build/bin" ]] || skip "of another build"
	mkdir many
	python3 - <<-'P'
		for i in range(30000):
		    open("many/%05d" % i, "wb").write(b"x")
	P
	bt-make -l 32K -o many.torrent many
	rm many/29999
	TIMEFORMAT=%U
	{ time bt-get --no-tracker --port 0 --bind 127.0.0.1 --timeout 1s \
	    many.torrent >out 2>err || status=$?; } 2>took
	[ "$status" -eq 6 ]
	echo "# of 29,999 files: $(cat took) s" >&3
	[ "$(cut -d . -f 1 took)" -lt 1 ]
}
