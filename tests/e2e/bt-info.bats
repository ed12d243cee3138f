# bt-info as a person at a shell meets it: show, -p, -l, --json, --check.

setup() {
	load ../lib/common
	bt_setup
}
teardown() { bt_teardown; }

# A torrent of one file "hello" with the content "hello", by hand.
hello_info() {
	printf 'd6:lengthi5e4:name5:hello12:piece lengthi16384e6:pieces20:'
	printf hello | sha1sum | cut -c1-40 | xxd -r -p
	printf e
}
hello() {
	printf 'd8:announce14:http://a.b/ann'
	printf '7:comment4:two\n4:info'
	hello_info
	printf e
}

# Content of three files over two pieces, with an empty one, and its torrent.
album() {
	mkdir -p album/sub
	head -c 20000 /dev/zero | tr '\0' a >album/a
	: >album/empty
	head -c 9000 /dev/zero | tr '\0' s >album/sub/s
	head -c 50000 /dev/zero | tr '\0' z >album/z
	bt-make -l 16K -o album.torrent album
}

@test "the facts are label, tab and value in a pipe" {
	hello >h.torrent
	run --separate-stderr bt-info h.torrent
	assert_success
	hash=$(hello_info | sha1sum | cut -c1-40)
	assert_line --index 0 $'name\thello'
	assert_line --index 1 $'info_hash\t'"$hash"
	assert_line $'size\t5'
	assert_line $'piece_length\t16384'
	assert_line $'pieces\t1'
	assert_line $'private\tno'
	assert_line $'comment\ttwo\\x0a'
	assert_line $'trackers\thttp://a.b/ann'
	assert_line $'files\t1'
	assert_line $'torrent_size\t'"$(stat -c %s h.torrent)"
	assert_line $'magnet\tmagnet:?xt=urn:btih:'"$hash&dn=hello&tr=http%3A%2F%2Fa.b%2Fann"
	refute_output --partial source
	[ -z "$stderr" ]
}

@test "a terminal gets aligned labels, human sizes, and colour unless NO_COLOR" {
	album
	run script -qec 'TERM=xterm bt-info album.torrent' /dev/null
	assert_success
	assert_output --partial $'\e[1msize'
	assert_output --partial '77.1 KiB (79000 bytes)'
	run script -qec 'TERM=xterm NO_COLOR=1 bt-info album.torrent' /dev/null
	refute_output --partial $'\e'
	assert_output --partial 'size            77.1 KiB (79000 bytes)'
}

@test "control bytes of a name never reach a terminal or a pipe raw" {
	{
		printf 'd4:infod6:lengthi1e4:name8:\033[31mx\n\t'
		printf '12:piece lengthi16384e6:pieces20:01234567890123456789ee'
	} >c.torrent
	run bt-info -p name c.torrent
	assert_output '\x1b[31mx\x0a\x09'
	run script -qec 'NO_COLOR=1 bt-info c.torrent; bt-info -l c.torrent' /dev/null
	refute_output --partial $'\e'
	assert_output --partial '\x1b[31mx\x0a\x09'
	run bash -c 'bt-info -l0 c.torrent | od -An -c | tr -d " \n"'
	assert_output '033[31mx\n\t\0'
}

@test "-p prints bare values in the order asked, and an empty line for what is absent" {
	hello >h.torrent
	run bt-info -p size --print=source -p name h.torrent
	assert_success
	assert_output $'5\n\nhello'
	album
	run bt-info -p files album.torrent
	assert_output $'a\nempty\nsub/s\nz'
}

@test "-p with a wrong field names the right ones" {
	run --separate-stderr bt-info -p nope x
	assert_failure 2
	[ -z "$output" ]
	[[ $stderr == "bt-info: 'nope' is not a field: it is one of name, info_hash,"* ]]
}

@test "-l lists index, size and path, and with -0 the paths alone" {
	album
	run bt-info -l album.torrent
	assert_success
	assert_output $'1\t20000\ta\n2\t0\tempty\n3\t9000\tsub/s\n4\t50000\tz'
	run bash -c 'bt-info -l -0 album.torrent | tr "\0" "|"'
	assert_output 'a|empty|sub/s|z|'
}

@test "padding files are neither listed nor counted, and offsets keep them" {
	{
		printf 'd4:infod5:filesl'
		printf 'd6:lengthi1e4:pathl1:aee'
		printf 'd4:attr1:p6:lengthi16383e4:pathl4:.pad5:16383ee'
		printf 'd6:lengthi2e4:pathl1:bee'
		printf 'e4:name1:n12:piece lengthi16384e6:pieces40:'
		printf '0123456789012345678901234567890123456789ee'
	} >p.torrent
	run bt-info -l p.torrent
	assert_output $'1\t1\ta\n2\t2\tb'
	run bt-info -p size -p files p.torrent
	assert_output $'3\na\nb'
	run bash -c 'bt-info --json p.torrent | python3 -c "
import json, sys
print([(f[\"index\"], f[\"offset\"]) for f in json.load(sys.stdin)[\"files\"]])"'
	assert_output '[(1, 0), (2, 16384)]'
}

@test "--json is one object with every key, null where a fact is absent" {
	hello >h.torrent
	run bash -c 'bt-info --json h.torrent | python3 -c "
import json, sys
d = json.load(sys.stdin)
print(*d)
print(d[\"comment\"], d[\"trackers\"], d[\"source\"], d[\"private\"])"'
	assert_success
	assert_line --index 0 'name info_hash info_hash_v2 meta_version size piece_length pieces private source comment created_by creation_date trackers web_seeds nodes peers magnet files torrent_size'
	assert_line --index 1 'two'
	assert_line --index 2 " [['http://a.b/ann']] None False"
}

@test "bytes that are not UTF-8 leave the JSON valid" {
	{
		printf 'd4:infod6:lengthi1e4:name4:a\xff\xc3b'
		printf '12:piece lengthi16384e6:pieces20:01234567890123456789ee'
	} >b.torrent
	run bash -c 'bt-info --json b.torrent | python3 -c "
import json, sys
print(json.loads(sys.stdin.buffer.read().decode())[\"name\"])"'
	assert_success
	assert_output 'a\xff\xc3b'
}

@test "one bad operand is reported and the rest go on" {
	hello >h.torrent
	run --separate-stderr bt-info -p name nope.torrent h.torrent
	assert_failure 7
	assert_output hello
	[ "$stderr" = "bt-info: cannot open 'nope.torrent': No such file or directory" ]
}

@test "a torrent comes from stdin, once" {
	run bash -c "$(declare -f hello hello_info); hello | bt-info -p name -"
	assert_output hello
	run --separate-stderr bt-info - - </dev/null
	assert_failure 2
	[[ $stderr == "bt-info: '-' (standard input) is given twice"* ]]
	run --separate-stderr bt-info --check - - </dev/null
	assert_failure 2
}

@test "whatever is no torrent gets one clear sentence, status 3, and no output" {
	local big p=20:01234567890123456789 n=0 f

	big=$(printf '%04097d' 0)
	bad() { n=$((n + 1)); printf "$1" "${@:2}" >"bad$n.torrent"; }
	bad ''
	bad 'hello world, this is no torrent'
	bad 'le'
	bad 'de'
	bad 'd4:infoi1ee'
	bad 'd4:infod6:lengthi1e4:name1:x12:piece lengthi16384e6:pieces%s' "${p%9}"
	bad 'd4:infod6:lengthi-1e4:name1:x12:piece lengthi16384e6:pieces%see' $p
	bad 'd4:infod6:length1:14:name1:x12:piece lengthi16384e6:pieces%see' $p
	bad 'd4:infod6:lengthi9223372036854775807e4:name1:x12:piece lengthi16384e6:pieces%see' $p
	bad 'd4:infod6:lengthi99999999999999999999e4:name1:x12:piece lengthi16384e6:pieces%see' $p
	bad 'd4:infod6:lengthi1e4:name1:x12:piece lengthi0e6:pieces%see' $p
	bad 'd4:infod6:lengthi1e4:name1:x12:piece lengthi-5e6:pieces%see' $p
	bad 'd4:infod6:lengthi1e4:name1:x12:piece lengthi99999999999e6:pieces%see' $p
	bad 'd4:infod6:lengthi40000e4:name1:x12:piece lengthi16384e6:pieces%see' $p
	bad 'd4:infod6:lengthi1e4:name1:x12:piece lengthi16384e6:pieces19:0123456789012345678ee'
	bad 'd4:infod6:lengthi1e4:name2:..12:piece lengthi16384e6:pieces%see' $p
	bad 'd4:infod6:lengthi1e4:name1:/12:piece lengthi16384e6:pieces%see' $p
	bad 'd4:infod6:lengthi1e4:name4:/etc12:piece lengthi16384e6:pieces%see' $p
	bad 'd4:infod6:lengthi1e4:name3:a\0b12:piece lengthi16384e6:pieces%see' $p
	bad 'd4:infod6:lengthi1e4:name0:12:piece lengthi16384e6:pieces%see' $p
	bad 'd4:infod5:filesld6:lengthi1e4:pathl2:..1:aeee4:name1:x12:piece lengthi16384e6:pieces%see' $p
	bad 'd4:infod5:filesld6:lengthi1e4:pathl4:/etceee4:name1:x12:piece lengthi16384e6:pieces%see' $p
	bad 'd4:infod5:filesld6:lengthi1e4:pathl3:a\0beee4:name1:x12:piece lengthi16384e6:pieces%see' $p
	bad 'd4:infod5:filesld6:lengthi1e4:pathleee4:name1:x12:piece lengthi16384e6:pieces%see' $p
	bad 'd4:infod5:filesld6:lengthi1e4:pathl%d:%seee4:name1:x12:piece lengthi16384e6:pieces%see' ${#big} "$big" $p
	bad 'd4:infod5:filesi1e4:name1:x12:piece lengthi16384e6:pieces%see' $p
	bad 'd4:infod5:filesle4:name1:x12:piece lengthi16384e6:pieces%see' $p
	bad '99999999999999999999:'
	bad 'd4:info999999999999:xe'
	n=$((n + 1))
	head -c 1000000 /dev/zero | tr '\0' l >bad$n.torrent
	n=$((n + 1))
	{ head -c 1000000 /dev/zero | tr '\0' l
	    head -c 1000000 /dev/zero | tr '\0' e; } >bad$n.torrent

	for f in $(seq "$n"); do
		for option in '' --json -l; do
			run --separate-stderr bt-info $option "bad$f.torrent"
			[ "$status" -eq 3 ] || { cat -v "bad$f.torrent" | head -c 300; echo; echo "status $status: $stderr"; false; }
			[ -z "$output" ]
			[ "${#stderr_lines[@]}" -eq 1 ] || { echo "$stderr"; false; }
			[[ $stderr == "bt-info: 'bad$f.torrent'"* ]] || { echo "$stderr"; false; }
		done
	done
}

@test "a folder, a malformed magnet link and too many torrents are refused in words" {
	mkdir d
	run --separate-stderr bt-info d
	assert_failure 3
	[ "$stderr" = "bt-info: 'd' is a folder" ]
	run --separate-stderr bt-info 'magnet:?xt=urn:btih:0'
	assert_failure 3
	[ "$stderr" = "bt-info: 'magnet:?xt=urn:btih:0': malformed magnet link: its btih is not a hash" ]
	run --separate-stderr bt-info -l a b
	assert_failure 2
}

@test "more than 100 MB of torrent is too big" {
	run --separate-stderr bash -c 'head -c 104857601 /dev/zero | bt-info -'
	assert_failure 3
	[[ $stderr == *larger* ]]
}

@test "--check says whole, exits 0, and -q says nothing" {
	album
	run --separate-stderr bt-info --check album album.torrent
	assert_success
	assert_output $'pieces\t5\ngood_pieces\t5\nwhole\tyes'
	[ -z "$stderr" ]
	run --separate-stderr bt-info -q --check album album.torrent
	assert_success
	assert_output ''
}

@test "--check of a single file takes the file itself, under any name" {
	hello >h.torrent
	printf hello >other
	run bt-info --check other h.torrent
	assert_success
	printf hellx >other
	run bt-info --check other h.torrent
	assert_failure 8
	assert_line $'bad\thello'
	assert_line $'bad_pieces\t0'
}

@test "--check names each bad, missing, short and long file, and the pieces" {
	album
	cp -r album orig
	printf X | dd of=album/z bs=1 seek=40000 conv=notrunc status=none
	run --separate-stderr bt-info --check album album.torrent
	assert_failure 8
	assert_output $'bad\tz\nbad_pieces\t4\npieces\t5\ngood_pieces\t4\nwhole\tno'
	[ "$stderr" = "bt-info: 'album' does not match 'album.torrent': 1 of 5 pieces and 1 of 4 files are not right" ]

	# a's last piece is shared with the missing file, its first is good
	rm -r album && cp -r orig album
	rm album/sub/s
	run bt-info --check album album.torrent
	assert_failure 8
	assert_line $'missing\tsub/s'
	assert_line $'unproven\ta'
	assert_line $'bad_pieces\t1'

	rm -r album && cp -r orig album
	truncate -s 49999 album/z
	run bt-info --check album album.torrent
	assert_failure 8
	assert_line $'short\tz'
	assert_line $'bad_pieces\t4'

	rm -r album && cp -r orig album
	printf x >>album/z
	printf x >>album/empty
	run bt-info --check album album.torrent
	assert_failure 8
	assert_line $'long\tz'
	assert_line $'long\tempty'
	refute_output --partial bad_pieces
	assert_line $'whole\tno'

	rm album/empty
	run bt-info --check album album.torrent
	assert_line $'missing\tempty'
}

@test "--check --json gives each file its verdict" {
	album
	rm album/z
	run bash -c 'bt-info --check album --json album.torrent 2>/dev/null | python3 -c "
import json, sys
*files, d = map(json.loads, sys.stdin)
print(d[\"whole\"], d[\"pieces\"], d[\"good_pieces\"], d[\"bad_pieces\"])
print(*[f[\"verdict\"] for f in sorted(files, key=lambda f: f[\"index\"])])"'
	assert_line --index 0 'False 5 1 [1, 2, 3, 4]'
	assert_line --index 1 'unproven whole unproven missing'
}

@test "--check where PATH is missing, or of the other kind" {
	album
	hello >h.torrent
	run --separate-stderr bt-info --check nope album.torrent
	assert_failure 7
	[ "$stderr" = "bt-info: cannot open 'nope': No such file or directory" ]
	run --separate-stderr bt-info --check album h.torrent
	assert_failure 8
	run --separate-stderr bt-info --check h.torrent album.torrent
	assert_failure 8
}

@test "--check - reads the content end to end from stdin" {
	album
	run bash -c 'cat album/a album/empty album/sub/s album/z |
	    bt-info --check - album.torrent'
	assert_success
	run bash -c 'cat album/a album/sub/s | bt-info --check - album.torrent'
	assert_failure 8
	assert_line $'missing\tz'
	assert_line $'bad_pieces\t1-4'
	run bash -c 'cat album/a album/sub/s album/z album/a |
	    bt-info --check - album.torrent'
	assert_failure 8
	assert_line $'good_pieces\t5'
	assert_line $'whole\tno'
}

@test "--check counts padding as zeros, on disk and on stdin" {
	{
		printf 'd4:infod5:filesl'
		printf 'd6:lengthi1e4:pathl1:aee'
		printf 'd4:attr1:p6:lengthi16383e4:pathl4:.pad5:16383ee'
		printf 'd6:lengthi2e4:pathl1:bee'
		printf 'e4:name1:n12:piece lengthi16384e6:pieces40:'
		{ printf A; head -c 16383 /dev/zero; } | sha1sum | cut -c1-40 | xxd -r -p
		printf BB | sha1sum | cut -c1-40 | xxd -r -p
		printf ee
	} >p.torrent
	mkdir n
	printf A >n/a
	printf BB >n/b
	run bt-info --check n p.torrent
	assert_success
	run bash -c 'printf ABB | bt-info --check - p.torrent'
	assert_success
	run bash -c 'printf AXB | bt-info --check - p.torrent'
	assert_failure 8
}

@test "--check never follows a link out of the folder" {
	album
	mv album/z outside
	ln -s ../outside album/z
	run bt-info --check album album.torrent
	[ "$status" -ne 0 ]
}

@test "a torrent comes from an http URL, and libcurl only then" {
	hello >h.torrent
	cat >serve.py <<-'PY'
		import http.server
		s = http.server.ThreadingHTTPServer(("127.0.0.1", 0),
		    http.server.SimpleHTTPRequestHandler)
		print(s.server_port, flush=True)
		s.serve_forever()
	PY
	bt_start serve python3 serve.py
	bt_line serve
	run --separate-stderr bt-info -p name \
	    "http://127.0.0.1:$bt_line/h.torrent"
	assert_success
	assert_output hello
	run --separate-stderr bt-info "http://127.0.0.1:$bt_line/nope"
	assert_failure 4
	[[ $stderr == "bt-info: cannot fetch 'http://127.0.0.1:$bt_line/nope': "*404* ]]
	run env LD_DEBUG=libs bt-info -p name h.torrent
	refute_output --partial libcurl
	run env LD_DEBUG=libs bt-make -o x.torrent h.torrent
	refute_output --partial libcurl
}

@test "--tree shows folders with the size of all that is in them" {
	album
	run bt-info --tree album.torrent
	assert_success
	assert_output $'20000\ta\n0\tempty\n9000\tsub/\n9000\tsub/s\n50000\tz'
	mkdir -p d/b/c 'd/b c'
	printf 1 >d/b/c/x
	printf 22 >d/b/c/y
	printf 333 >'d/b c/z'
	bt-make -o d.torrent d
	run bt-info --tree d.torrent
	assert_output $'3\tb/\n3\tb/c/\n1\tb/c/x\n2\tb/c/y\n3\tb c/\n3\tb c/z'
}

@test "--tree on a terminal is drawn" {
	mkdir -p d/b/c
	printf 1 >d/b/c/x
	printf 22 >d/b/y
	printf 333 >d/z
	bt-make -o d.torrent d
	run script -qec 'bt-info --tree d.torrent' /dev/null
	assert_success
	assert_output $'d/  (6 B)\r
├── b/  (3 B)\r
│   ├── c/  (1 B)\r
│   │   └── x  (1 B)\r
│   └── y  (2 B)\r
└── z  (3 B)\r'
}

@test "v2 torrents have a v2 hash and no other, hybrids have both" {
	local d=$BT_ROOT/tests/data/torrents

	run bt-info -p info_hash -p info_hash_v2 $d/libtorrent-v2.torrent
	assert_output $'\n347d68b5bd2c46b68fdc07162ac0b79106f95809f0c35fdd3b76070edcb81475'
	run bt-info -p info_hash -p info_hash_v2 -p size $d/libtorrent-hybrid.torrent
	assert_output $'c46e003ebf521358f26cf541bf1cf0896c30558e\n96875a6a2bbf1a9525c657222c05569fa29cfadcaed45cc2013a447d2a3b6600\n94787'
	run bash -c "bt-info --json $d/libtorrent-v2.torrent | python3 -c '
import json, sys
print(json.load(sys.stdin)[\"info_hash\"])'"
	assert_output None
	run bt-info -l $d/libtorrent-v2.torrent
	assert_output $'1\t60894\t01 first.txt\n2\t0\tempty\n3\t33893\tsub/02 sécond.txt'
	run bt-info -p magnet $d/libtorrent-v2.torrent
	assert_output --partial 'magnet:?xt=urn:btmh:1220347d68b5bd2c46b68fdc07162ac0b79106f95809f0c35fdd3b76070edcb81475&dn=album'
	run bt-info -p magnet $d/libtorrent-hybrid.torrent
	assert_output --partial 'magnet:?xt=urn:btih:c46e003ebf521358f26cf541bf1cf0896c30558e&xt=urn:btmh:122096875a6a2bbf1a9525c657222c05569fa29cfadcaed45cc2013a447d2a3b6600&dn=album'
}

@test "what is v2 only is not transferred, and that is said" {
	local t=$BT_ROOT/tests/data/torrents/libtorrent-v2.torrent

	for tool in bt-get bt-seed; do
		run --separate-stderr $tool "$t"
		assert_failure 3
		[ "$stderr" = "$tool: cannot transfer '$t': it is a v2-only torrent, and only v1 and hybrid ones are transferred" ]
	done
}

@test "a magnet link is shown: hashes, name, size, trackers, seeds, peers" {
	local hash=c46e003ebf521358f26cf541bf1cf0896c30558e
	local link="magnet:?xt=urn:btih:$hash&dn=a%20b&xl=12345"

	link+='&tr=http%3A%2F%2Ft%2Fann&tr=udp%3A%2F%2Fu%3A1&ws=http%3A%2F%2Fw%2F&x.pe=1.2.3.4%3A5'
	run --separate-stderr bt-info "$link"
	assert_success
	assert_output "name	a b
info_hash	$hash
meta_version	1
size	12345
trackers	http://t/ann
trackers	udp://u:1
web_seeds	http://w/
peers	1.2.3.4:5
magnet	$link"
	run bt-info -p size -p pieces -p private -p peers "$link"
	assert_output $'12345\n\n\n1.2.3.4:5'
	run script -qec "NO_COLOR=1 bt-info '$link'" /dev/null
	assert_output --partial '12.1 KiB (12345 bytes)'
	run bash -c "bt-info --json '$link' | python3 -c '
import json, sys
d = json.load(sys.stdin)
print(d[\"trackers\"], d[\"private\"], d[\"files\"], d[\"info_hash_v2\"])'"
	assert_output "[['http://t/ann'], ['udp://u:1']] None [] None"
	run --separate-stderr bt-info -l "$link"
	assert_failure 3
	[ "$stderr" = "bt-info: '$link' is a link, and only a torrent has files" ]
}

@test "-p magnet of every kind of torrent reads back as the same torrent" {
	for kind in v1 v2 hybrid; do
		t=$BT_ROOT/tests/data/torrents/libtorrent-$kind.torrent
		run bt-info -p name -p info_hash -p info_hash_v2 -p meta_version \
		    -p trackers -p web_seeds "$t"
		assert_success
		said=$output
		run bt-info -p name -p info_hash -p info_hash_v2 -p meta_version \
		    -p trackers -p web_seeds "$(bt-info -p magnet "$t")"
		assert_output "$said"
	done
}

# on_tty COMMAND: what it says on a terminal, without colour, ends of lines as \n
on_tty() {
	script -qec "NO_COLOR=1 $1" /dev/null | tr -d '\r'
}

@test "what is for scripts is the same on a terminal" {
	album
	for options in '-p name -p size -p files' --json; do
		diff <(on_tty "bt-info $options album.torrent") \
		    <(bt-info $options album.torrent)
	done
	run on_tty 'bt-info -l -0 album.torrent | tr "\0" "|"'
	assert_output 'a|empty|sub/s|z|'
	diff <(on_tty 'bt-info --json --lint album.torrent') \
	    <(bt-info --json --lint album.torrent)
}

@test "-l, --strict, --fail-fast, -q and --no-progress on a terminal" {
	album
	run on_tty 'bt-info -l album.torrent'
	assert_output --regexp '^ +1 +19\.5 KiB  a
 +2 +0 B  empty
 +3 +8\.[78] KiB  sub/s
 +4 +48\.8 KiB  z$'
	run on_tty 'bt-info --lint --strict album.torrent; echo $?'
	assert_output 0
	rm album/z
	run on_tty 'bt-info --no-progress --fail-fast --check album album.torrent; echo $?'
	assert_line --regexp '^missing +z$'
	assert_line 8
	run on_tty 'bt-info -q --check album album.torrent'
	assert_output --regexp "^[^a-z]*bt-info: 'album' does not match"
}
