# bt-get -o -: what lies between two files of the stream, and is not in it.

setup() {
	load ../lib/common
	bt_setup
}
teardown() {
	bt_teardown
}

# torrent PIECE-LENGTH NAME:SIZE[:p]...: x.torrent and its content in x/, where a
# file with p is padding
torrent() {
	python3 - "$@" <<-'P'
		import hashlib, os, sys
		length, data, files = int(sys.argv[1]), b"", b""
		os.mkdir("x")
		for arg in sys.argv[2:]:
		    name, size, *pad = arg.split(":")
		    n = int(size)
		    data += bytes(n) if pad else os.urandom(n)
		    if not pad:
		        with open("x/" + name, "wb") as f:
		            f.write(data[len(data) - n:])
		    files += b"d%s6:lengthi%de4:pathl%d:%see" % (
		        b"4:attr1:p" if pad else b"", n, len(name), name.encode())
		pieces = b"".join(hashlib.sha1(data[i:i + length]).digest()
		    for i in range(0, len(data), length))
		with open("x.torrent", "wb") as f:
		    f.write(b"d4:infod5:filesl%se4:name1:x12:piece lengthi%de6:pieces"
		        b"%d:%see" % (files, length, len(pieces), pieces))
	P
}

# stream FLAG...: bt-get's from a seed of x, in `stream`
stream() {
	bt_start seed bt-seed --port 0 --bind 127.0.0.1 --no-tracker x.torrent
	bt_line seed
	timeout 30 bt-get --port 0 --bind 127.0.0.1 --no-tracker \
	    --peer "${bt_line##*$'\t'}" "$@" -o - x.torrent >stream
}

@test "an empty file behind padding ends the stream" {
	torrent 16384 a:100 pad:16284:p c:0
	stream
	cmp stream x/a
}

@test "an empty file in a piece that nobody wants is passed over" {
	torrent 16384 a:16384 b:65536 c:0 d:16384
	stream -s 1,3
	cmp stream x/a
}

@test "a stream of empty files alone is empty" {
	torrent 16384 a:0 b:40000 c:0
	stream -s 1,3
	[ ! -s stream ]
}
