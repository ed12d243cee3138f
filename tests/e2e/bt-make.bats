# bt-make as a person at a shell meets it. That other programs agree with what
# it makes is in tests/interop/metainfo.bats.

setup() {
	load ../lib/common
	bt_setup
}
teardown() { bt_teardown; }

album() {
	mkdir -p album/sub
	printf one >album/B
	printf two >album/a.txt
	printf three >album/sub/c
	printf four >album/.hidden
	: >album/empty
}

# Print a field of a torrent on stdin.
field() { bt-info -p "$1" -; }

@test "the torrent goes to stdout, or to the file that -o names" {
	printf hello >hello
	bt-make hello >a.torrent
	run --separate-stderr bt-make -o b.torrent hello
	assert_success
	assert_output ''
	cmp a.torrent b.torrent
	bt-make --output=- hello | cmp - a.torrent
	run field name <a.torrent
	assert_output hello
}

@test "a terminal is refused unless forced" {
	printf hello >hello
	run script -qec 'bt-make hello' /dev/null
	assert_failure 2
	assert_output --partial 'a torrent is not written to a terminal'
	run script -qec 'bt-make -f hello' /dev/null
	assert_success
	assert_output --partial 'infod'
}

@test "an existing file is overwritten only with -f, and kept until then" {
	printf hello >hello
	printf precious >x.torrent
	run --separate-stderr bt-make -o x.torrent hello
	assert_failure 7
	[ "$stderr" = "bt-make: 'x.torrent' exists: give -f to overwrite it" ]
	[ "$(cat x.torrent)" = precious ]
	bt-make -f -o x.torrent hello
	run field name <x.torrent
	assert_output hello
}

@test "no half-written file is left behind" {
	mkdir w && cd w
	printf hello >hello
	run --separate-stderr bt-make -o /dev/full hello
	assert_failure 7
	[[ $stderr == *"No space left on device" ]]
	run --separate-stderr bt-make -o nowhere/x.torrent hello
	assert_failure 7
	[[ $stderr == *"cannot write 'nowhere/x.torrent': No such file or directory" ]]
	run bash -c 'ls -A'
	assert_output hello
}

@test "a folder's files are in byte order of their paths, hidden and empty ones too" {
	album
	run bash -c 'bt-make album | bt-info -p files -'
	assert_output $'.hidden\nB\na.txt\nempty\nsub/c'
	run bash -c 'bt-make album/sub/../ | bt-info -p name -'
	assert_output album
	cd album
	run bash -c 'bt-make . | bt-info -p name -'
	assert_output album
}

@test "the same input gives the same bytes" {
	album
	bt-make -a http://t/announce album >1.torrent
	cp -r album again
	find again -exec touch -d '1999-01-01' {} +
	bt-make -a http://t/announce -n album again >2.torrent
	cmp 1.torrent 2.torrent
	taskset -c 0 bt-make -a http://t/announce album | cmp - 1.torrent
}

@test "links inside the folder are left out, the folder itself may be one" {
	album
	ln -s a.txt album/link
	ln -s . album/loop
	ln -s album other
	mkfifo album/fifo
	run --separate-stderr bt-make -o x.torrent other
	assert_success
	[ "$stderr" = "bt-make: left out of 'other': 3 that are links or special files" ]
	run --separate-stderr bt-make -f -o x.torrent -x loop -x link -x fifo other
	[ -z "$stderr" ]
	run bash -c 'bt-make -q other | bt-info -p name -p files -'
	assert_output $'other\n.hidden\nB\na.txt\nempty\nsub/c'
}

@test "-x leaves out by path and by name, folders with all they hold" {
	album
	run bash -c 'bt-make -x "*.txt" -x sub album | bt-info -p files -'
	assert_output $'.hidden\nB\nempty'
	run bash -c 'bt-make --exclude "sub/*" -x ".*" album | bt-info -p files -'
	assert_output $'B\na.txt\nempty'
	run bash -c 'bt-make -x "sub*c" album | bt-info -p files -'
	assert_output --partial sub/c
	run --separate-stderr bt-make -o x -x '*' album
	assert_failure 3
	[ "$stderr" = "bt-make: 'album' has nothing to share in it" ]
}

@test "its own output inside the folder is not part of the torrent" {
	album
	bt-make album >album/x.torrent
	run field files <album/x.torrent
	refute_output --partial x.torrent
	bt-make -f -o album/x.torrent album
	run field files <album/x.torrent
	refute_output --partial x.torrent
}

@test "each -a is a tier, commas part the trackers of one" {
	printf hello >hello
	run bash -c 'bt-make -a http://a/,udp://b:1 --announce https://c/ hello |
	    bt-info --json - | python3 -c "
import json, sys
print(json.load(sys.stdin)[\"trackers\"])"'
	assert_output "[['http://a/', 'udp://b:1'], ['https://c/']]"
	run --separate-stderr bt-make -a 'not a url' hello
	assert_failure 3
	[ -z "$output" ]
	run --separate-stderr bt-make -a http://a/, hello
	assert_failure 3
}

@test "-n, -w, -c, -s and -p go where they belong" {
	printf hello >hello
	bt-make -n other -w http://w/x --web-seed=https://v/ -c 'a comment' \
	    -s SRC -p hello >x.torrent
	run bt-info -p name -p web_seeds -p comment -p source -p private x.torrent
	assert_output $'other\nhttp://w/x\nhttps://v/\na comment\nSRC\nyes'
	for n in a/b .. . ''; do
		run --separate-stderr bt-make -n "$n" hello
		assert_failure 2
	done
	run --separate-stderr bt-make -w udp://x:1 hello
	assert_failure 2
}

@test "the source and private keys change the info-hash, the rest does not" {
	printf hello >hello
	hash() { bt-make "$@" hello | field info_hash; }
	plain=$(hash)
	[ "$(hash -c text -a http://t/ -w http://w/ --date 5)" = "$plain" ]
	[ "$(hash -p)" != "$plain" ]
	[ "$(hash -s X)" != "$plain" ]
	[ "$(hash -n y)" != "$plain" ]
}

@test "-l sets the piece length, a power of two" {
	head -c 100000 /dev/zero >z
	run bash -c 'bt-make -l 32KiB z | bt-info -p piece_length -p pieces -'
	assert_output $'32768\n4'
	for l in 3M 8K 2G 17 x -1; do
		run --separate-stderr bt-make --piece-length=$l z
		assert_failure 2
		[ -z "$output" ]
	done
}

@test "no date unless --date or SOURCE_DATE_EPOCH, and --date wins" {
	printf hello >hello
	run bash -c 'bt-make hello | bt-info -p creation_date -'
	assert_output ''
	run bash -c 'bt-make --date 2001-09-09T01:46:40Z hello | bt-info -p creation_date -'
	assert_output 1000000000
	run bash -c 'SOURCE_DATE_EPOCH=5 bt-make hello | bt-info -p creation_date -'
	assert_output 5
	run bash -c 'SOURCE_DATE_EPOCH=5 bt-make --date 1970-01-02 hello | bt-info -p creation_date -'
	assert_output 86400
	for d in yesterday 1969-12-31 2001-13-01 -5 ''; do
		run --separate-stderr bt-make --date="$d" hello
		assert_failure 2
	done
	run --separate-stderr env SOURCE_DATE_EPOCH=x bt-make hello
	assert_failure 2
}

@test "--magnet prints the link, and the torrent goes only where -o says" {
	mkdir w && cd w
	printf hello >hello
	run --separate-stderr bt-make --magnet -a http://t/ -o x.torrent hello
	assert_success
	assert_output "$(bt-info -p magnet x.torrent)"
	rm x.torrent
	run bt-make --magnet hello
	assert_success
	assert_output --regexp '^magnet:\?xt=urn:btih:[0-9a-f]{40}&dn=hello$'
	run bash -c 'ls -A'
	assert_output hello
	run --separate-stderr bt-make --magnet -o - hello
	assert_failure 2
}

@test "--json says what was made" {
	printf hello >hello
	run bash -c 'bt-make --json -o x.torrent hello | python3 -c "
import json, sys
d = json.load(sys.stdin)
print(d[\"name\"], d[\"size\"], d[\"pieces\"], d[\"files\"], d[\"info_hash\"])"'
	assert_output "hello 5 1 1 $(bt-info -p info_hash x.torrent)"
}

@test "content comes from stdin, and needs a name" {
	for n in 1 16384 600000 2097153 5000000; do
		head -c $n /dev/urandom >x
		bt-make x >file.torrent
		cat x | bt-make -n x - | cmp - file.torrent
		bt-make -n x - <x | cmp - file.torrent
		bt-make -l 64K x >file.torrent
		cat x | bt-make -l 64K -n x - | cmp - file.torrent
	done
	run --separate-stderr bt-make - <x
	assert_failure 2
	[[ $stderr == "bt-make: '-' (standard input) has no name: give -n NAME"* ]]
	run --separate-stderr bt-make -n x - </dev/null
	assert_failure 3
}

@test "what cannot be read is named" {
	album
	run --separate-stderr bt-make nope
	assert_failure 7
	[ "$stderr" = "bt-make: cannot open 'nope': No such file or directory" ]
	run --separate-stderr bt-make /dev/null
	assert_failure 7
	mkdir none
	run --separate-stderr bt-make none
	assert_failure 3
	run --separate-stderr bt-make album album
	assert_failure 2
}

@test "what it makes passes its own check" {
	album
	head -c 3000000 /dev/urandom >album/big
	bt-make -l 16K -o a.torrent album
	run bt-info --check album a.torrent
	assert_success
	assert_line $'whole\tyes'
}
