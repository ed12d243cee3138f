# v2 and hybrid torrents, --edit, lists of files, and what is frozen. The facts
# are those of tests/lib/bep52.py: BEP 52 with Python's hashlib alone.

setup() {
	load ../lib/common
	bt_setup
}
teardown() { bt_teardown; }

bep52() { python3 "$BT_ROOT/tests/lib/bep52.py" "$@"; }

# Names whose order by bytes of the whole path is not that of a file tree.
odd() {
	mkdir -p odd/a odd/B odd/sub/deep
	for f in .hidden a.txt a/b a-b A B/z B.z 'a b'; do
		printf '%s' "$f" >"odd/$f"
	done
	: >odd/empty
	: >odd/sub/empty2
	head -c 300000 /dev/urandom >odd/sub/big
	cp odd/sub/big odd/sub/deep/copy
	head -c 16384 /dev/zero >odd/sub/exact
}

@test "--v2 and --hybrid give the info-hashes that BEP 52's text gives" {
	odd
	for kind in v1 v2 hybrid; do
		for l in 16384 65536 1048576; do
			bt-make --$kind -l $l odd >x.torrent
			bep52 make $kind odd $l >y.torrent
			[ "$(bep52 hash x.torrent)" = "$(bep52 hash y.torrent)" ]
			[ $kind = v1 ] || bep52 check x.torrent odd
		done
	done
	run bt-info -p info_hash_v2 x.torrent
	assert_output "$(bep52 hash y.torrent | tail -1)"
	bt-make odd >x.torrent
	bt-make --v1 odd | cmp - x.torrent
}

@test "a single file is a v2 torrent from a path and from stdin, at any size" {
	for n in 1 16384 16385 600000 2097153 5000000; do
		head -c $n /dev/urandom >f
		for kind in v2 hybrid; do
			bt-make --$kind f >x.torrent
			cat f | bt-make --$kind -n f - | cmp - x.torrent
			bt-make --$kind -n f - <f | cmp - x.torrent
			bt-make --$kind -l 64K f >x.torrent
			cat f | bt-make --$kind -l 64K -n f - | cmp - x.torrent
			bep52 make $kind f 65536 >y.torrent
			[ "$(bep52 hash x.torrent)" = "$(bep52 hash y.torrent)" ]
		done
	done
}

@test "--v1, --v2 and --hybrid exclude each other" {
	printf x >f
	for two in '--v1 --v2' '--v2 --hybrid' '--hybrid --v1'; do
		run --separate-stderr bt-make $two f
		assert_failure 2
		[[ $stderr == 'bt-make: --v1, --v2 and --hybrid exclude each other'* ]]
	done
}

@test "v2 and hybrids are made twice the same, with other order, dates and cores" {
	odd
	mkdir again
	(cd odd && find . -type f | sort -r | while read -r f; do
		mkdir -p "../again/${f%/*}" && cp "$f" "../again/$f"
	done)
	find again -exec touch -d '1999-01-01' {} +
	for kind in v2 hybrid; do
		bt-make --$kind -n odd odd >1.torrent
		taskset -c 0 bt-make --$kind -n odd again | cmp - 1.torrent
	done
}

@test "the frozen vectors still hold" {
	local kind content length args hash

	printf hello >hello
	seq 1 12000 >seq
	mkdir -p album/sub
	cp seq 'album/01 first.txt'
	seq 1 7000 >'album/sub/02 second.txt'
	: >album/empty
	printf x >album/a-b
	mkdir album/a
	printf y >album/a/b
	while IFS=$'\t' read -r kind content length args hash; do
		[[ $kind == \#* ]] && continue
		run bash -c "bt-make --$kind -l $length $args $content |
		    bt-info -p info_hash -p info_hash_v2 - | xargs"
		[ "$output" = "$hash" ] || {
			echo "$kind $content $length $args: '$output', not '$hash'"
			false
		}
	done <"$BT_ROOT/tests/data/vectors.tsv"
}

@test "--json says both hashes, and null for the half that is not there" {
	printf hello >hello
	for kind in v1 v2 hybrid; do
		run bash -c "bt-make --json --$kind hello | python3 -c '
import json, sys
d = json.load(sys.stdin)
print(d[\"info_hash\"] is None, d[\"info_hash_v2\"] is None, d[\"files\"])'"
		case $kind in
		v1) assert_output 'False True 1' ;;
		v2) assert_output 'True False 1' ;;
		hybrid) assert_output 'False False 1' ;;
		esac
	done
	run bt-make --magnet --hybrid hello
	assert_output --regexp '^magnet:\?xt=urn:btih:[0-9a-f]{40}&xt=urn:btmh:1220[0-9a-f]{64}&dn=hello$'
}

@test "--files-from takes the files that are listed, in lines or with NUL" {
	odd
	(cd odd && find . -type f -name 'a*') >list
	run bash -c 'bt-make --files-from list odd | bt-info -p files -'
	assert_output $'a b\na-b\na.txt'
	run bash -c "printf 'sub/big\0a b\0sub/big\0' |
	    bt-make -0 --files-from - odd | bt-info -p files -"
	assert_output $'a b\nsub/big'
	run bash -c "echo a/b | bt-make --files-from=- -x b odd"
	assert_failure 3
	for bad in ../odd/A /etc/passwd a//b; do
		run --separate-stderr bt-make --files-from <(echo $bad) odd
		assert_failure 3
		[[ $stderr == *"'$bad' in the list of files is no path beneath 'odd'" ]]
	done
	ln -s A odd/link
	run --separate-stderr bt-make --files-from <(echo link) odd
	assert_failure 7
	[[ $stderr == *"'odd/link' in the list of files is not a regular file" ]]
	run --separate-stderr bt-make --files-from <(echo none) odd
	assert_failure 7
	run --separate-stderr bt-make --files-from list -n x -
	assert_failure 2
	run --separate-stderr bt-make -0 odd
	assert_failure 2
}

@test "-i takes only what matches, and -x wins over it" {
	odd
	run bash -c "bt-make -i '*.txt' --include 'sub/b*' odd | bt-info -p files -"
	assert_output $'a.txt\nsub/big'
	run bash -c "bt-make -i '*.txt' -i 'sub/*' -x 'b*' odd | bt-info -p files -"
	assert_output $'a.txt\nsub/empty2\nsub/exact'
}

@test "--dry-run says what would be in it, and reads and writes nothing" {
	odd
	chmod 0 odd/sub/big
	run --separate-stderr bt-make --dry-run --hybrid -l 64K -i 'sub/*' -o x.torrent odd
	assert_success
	assert_output $'name\todd\nsize\t316384\npiece_length\t65536\npieces\t6\nfile\tsub/big\nfile\tsub/empty2\nfile\tsub/exact'
	[ ! -e x.torrent ]
	run bash -c 'bt-make --dry-run --json odd | python3 -c "
import json, sys
d = json.load(sys.stdin)
print(d[\"name\"], d[\"files\"], d[\"piece_length\"])"'
	assert_output 'odd 13 32768'
	run bt-make --dry-run -n x -
	assert_failure 2
}

@test "--edit changes trackers, seeds and comment, and no byte of the info" {
	odd
	bt-make --hybrid -a http://a/ -c old -s SRC odd >o.torrent
	run --separate-stderr bt-make --edit o.torrent \
	    -a http://b/,http://c/ -a udp://d:1 -c 'new one' -w http://w/ -o e.torrent
	assert_success
	assert_output "info_hash"$'\t'"$(bt-info -p info_hash o.torrent)"$'\n'"info_hash_v2"$'\t'"$(bt-info -p info_hash_v2 o.torrent)"
	[ -z "$stderr" ]
	run bt-info -p trackers -p comment -p web_seeds -p source e.torrent
	assert_output $'http://b/\nhttp://c/\nudp://d:1\nnew one\nhttp://w/\nSRC'
	[ "$(bep52 hash e.torrent)" = "$(bep52 hash o.torrent)" ]
	bt-make --edit o.torrent -a '' -c '' >n.torrent
	run bt-info -p trackers -p comment n.torrent
	assert_output ''
	# back again: the same bytes
	bt-make --edit e.torrent -a http://a/ -c old -w '' 2>/dev/null | cmp - o.torrent
	cat o.torrent | bt-make --edit - -c old 2>/dev/null | cmp - o.torrent
}

@test "--edit copies what is unsorted and unknown as it stands" {
	printf 'd4:infod4:name1:f6:lengthi005e1:xi1e12:piece lengthi16384e6:pieces20:aaaaaaaaaaaaaaaaaaaae1:zi-0e7:comment1:oe' >o.torrent
	bt-make --edit o.torrent -c new >e.torrent 2>err
	[ "$(cat e.torrent)" = 'd7:comment3:new4:infod4:name1:f6:lengthi005e1:xi1e12:piece lengthi16384e6:pieces20:aaaaaaaaaaaaaaaaaaaae1:zi-0ee' ]
	[ "$(cat err)" = "bt-make: info_hash $(bt-info -p info_hash o.torrent)" ]
}

@test "--edit of the source makes another torrent, and says so" {
	odd
	bt-make --hybrid odd >o.torrent
	bt-make --hybrid -s SRC odd >want.torrent
	run --separate-stderr bt-make --edit o.torrent -s SRC -o e.torrent
	assert_success
	cmp e.torrent want.torrent
	[[ $stderr == *"this is another torrent now: info_hash was $(bt-info -p info_hash o.torrent)"* ]]
	[[ $stderr == *"this is another torrent now: info_hash_v2 was $(bt-info -p info_hash_v2 o.torrent)"* ]]
	bt-make -q --edit e.torrent -s '' | cmp - o.torrent
}

@test "--edit refuses what it can not do" {
	printf x >f
	bt-make f >o.torrent
	for args in '' '-c x f' '-c x -p' '-c x --v2' '-c x -n y' '-c x -l 16K'; do
		run --separate-stderr bt-make --edit o.torrent $args
		assert_failure 2
	done
	run --separate-stderr bt-make --edit f -c x
	assert_failure 3
	run --separate-stderr bt-make --edit none -c x
	assert_failure 7
	run --separate-stderr bt-make --edit o.torrent -c x -o o.torrent
	assert_failure 7
	run --separate-stderr bt-make -f --edit o.torrent -c x -o o.torrent
	assert_success
	run bt-info -p comment o.torrent
	assert_output x
	run --separate-stderr bt-make -a '' f
	assert_failure 2
}

@test "each way of making a torrent works in a terminal too" {
	odd
	printf 'A\n' >list
	for args in '--v2 odd' '--hybrid odd' '--files-from list odd' '-i A odd' \
	    '-n f -' '--edit o.torrent -c x'; do
		bt-make -f -o o.torrent odd
		printf hello >in
		run script -qec "bt-make -q -f -o t.torrent $args <in" /dev/null
		assert_success
		bt-make -q -f -o p.torrent $args <in
		cmp t.torrent p.torrent
		run script -qec "bt-make $args <in" /dev/null
		assert_failure 2
		assert_output --partial 'a torrent is not written to a terminal'
	done
	run script -qec "bt-make --dry-run odd" /dev/null
	assert_success
	assert_output --partial 'sub/big'
}

@test "a file that changes while a hybrid is made of it is named" {
	mkdir d
	printf one >d/a
	truncate -s 3G d/b
	bt_start make bt-make --hybrid -l 16M --progress -o x.torrent d
	wait_until 10 test -s make.err
	printf more >>d/a
	bt_wait make 120
	[ "$bt_status" = 7 ]
	[[ $(cat make.err) == *"'d/a' changed while it was read" ]]
	[ ! -e x.torrent ]
}

# With the older torrent's time in the future all files are unchanged, so that
# what is taken from it can be told from what is read.
@test "--reuse takes unchanged files' hashes, and reads all others" {
	odd
	for kind in v2 hybrid; do
		bt-make -f --$kind -l 16K -o old.torrent odd
		printf new >odd/new
		head -c 50000 /dev/urandom >odd/zz
		bt-make --$kind -l 16K odd >fresh.torrent
		touch -d 'now + 1 hour' old.torrent
		bt-make --$kind -l 16K --reuse old.torrent odd | cmp - fresh.torrent
		# a lie that only a read would find
		cp odd/sub/big kept
		head -c 300000 /dev/zero >odd/sub/big
		bt-make --$kind -l 16K --reuse old.torrent odd | cmp - fresh.torrent
		# the torrent is older than the change: it is read
		touch -d 'now - 1 hour' old.torrent
		bt-make --$kind -l 16K odd >changed.torrent
		bt-make --$kind -l 16K --reuse old.torrent odd | cmp - changed.torrent
		run cmp changed.torrent fresh.torrent
		assert_failure
		# another size is read whatever the times are
		touch -d 'now + 1 hour' old.torrent
		printf more >>odd/sub/big
		bt-make --$kind -l 16K odd >grown.torrent
		bt-make --$kind -l 16K --reuse old.torrent odd | cmp - grown.torrent
		mv kept odd/sub/big
		rm odd/new odd/zz
	done
	bt-make -f --hybrid -l 16K -o old.torrent odd/sub/big
	touch -d 'now + 1 hour' old.torrent
	bt-make --hybrid -l 16K odd/sub/big |
	    cmp - <(bt-make --hybrid -l 16K --reuse old.torrent odd/sub/big)
}

@test "--reuse says what it can not do" {
	odd
	bt-make odd >v1.torrent
	bt-make --v2 -l 16K odd >v2.torrent
	run --separate-stderr bt-make --reuse v2.torrent odd
	assert_failure 2
	run --separate-stderr bt-make --v2 --reuse v2.torrent -n x -
	assert_failure 2
	run --separate-stderr bt-make --v2 --reuse v1.torrent odd
	assert_failure 3
	[[ $stderr == "bt-make: cannot reuse 'v1.torrent': it has no v2 part"* ]]
	run --separate-stderr bt-make --v2 -l 32K --reuse v2.torrent odd
	assert_failure 3
	[[ $stderr == *"give -l 16384" ]]
	# files and folders of equal sizes are told apart by the name alone
	head -c 40000 /dev/urandom >x.iso
	head -c 40000 /dev/urandom >y.iso
	mkdir x y
	cp x.iso x/disc
	cp y.iso y/disc
	touch x/two y/two
	for kind in v2 hybrid; do
		for end in .iso ''; do
			bt-make -f --$kind -l 16K -o x.torrent x$end
			touch -d 'now + 1 hour' x.torrent
			run --separate-stderr bt-make --$kind -l 16K \
			    --reuse x.torrent -o y.torrent y$end
			assert_failure 3
			[ "$stderr" = "bt-make: cannot reuse 'x.torrent': it is of another name" ]
			[ ! -e y.torrent ]
			# renamed since: who says so is believed
			mv x$end renamed
			bt-make --$kind -l 16K --reuse x.torrent -n x$end renamed |
			    cmp - x.torrent
			mv renamed x$end
		done
	done
	run --separate-stderr bt-make --v2 --reuse none odd
	assert_failure 7
}

@test "--edit keeps the time by which --reuse knows what has changed" {
	odd
	bt-make --v2 -l 16K -o old.torrent odd
	touch -d 'now - 1 hour' old.torrent
	head -c 300000 /dev/zero >odd/sub/big
	bt-make --edit old.torrent -c edited -o new.torrent
	[ "$(stat -c %.9Y new.torrent)" = "$(stat -c %.9Y old.torrent)" ]
	bt-make --edit - -c again -o again.torrent <new.torrent
	[ "$(stat -c %.9Y again.torrent)" = "$(stat -c %.9Y old.torrent)" ]
	bt-make -f --edit again.torrent -c '' -o again.torrent
	[ "$(stat -c %.9Y again.torrent)" = "$(stat -c %.9Y old.torrent)" ]
	bt-make --v2 -l 16K --reuse again.torrent odd |
	    cmp - <(bt-make --v2 -l 16K odd)
}

# A list by a pipe holds it at a moment between its beginning and its first look.
is_later() { touch now && [ now -nt mark ]; }
@test "a torrent is as old as when bt-make began, before it looks at files" {
	odd
	mkfifo list
	bt_start make bt-make --v2 -l 16K -o t.torrent --files-from list odd
	exec 4>list
	touch mark
	wait_until 10 is_later
	echo sub/big >&4
	exec 4>&-
	wait "$bt_pid"
	[ ! t.torrent -nt mark ]
	# and so what has changed since is read, whenever the torrent was written
	printf x | dd of=odd/sub/big conv=notrunc status=none
	echo sub/big >again
	bt-make --v2 -l 16K --reuse t.torrent --files-from again odd |
	    cmp - <(bt-make --v2 -l 16K --files-from again odd)
}
