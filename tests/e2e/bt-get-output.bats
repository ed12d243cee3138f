# What bt-get leaves on disk or writes to stdout: which files, under which names,
# and in which room.

setup() {
	load ../lib/common
	load ../lib/get
	bt_setup
}
teardown() { bt_teardown; }

@test "content that is there and whole is printed without the network" {
	make_album
	mkdir copy
	cp -r album copy/
	run --separate-stderr timeout 10 bt-get --no-tracker -d copy \
	    album.torrent
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -eq 4 ]
	[ -z "$(state_files)" ]
}

@test "other content under a final name is exit 7 and untouched" {
	make_album
	mkdir -p copy/album
	head -c 100000 /dev/zero >copy/album/a.flac
	run --separate-stderr timeout 10 bt-get --no-tracker -d copy \
	    album.torrent
	[ "$status" -eq 7 ]
	[ "$stderr" = "bt-get: 'copy/album/a.flac' exists with other content\
 (-f adopts it)" ]
	cmp copy/album/a.flac <(head -c 100000 /dev/zero)
}

@test "-f adopts a file with other content and keeps its good pieces" {
	make_album
	begin_seed album.torrent
	mkdir copy
	cp -r album copy/
	# One byte of one piece of b.flac is wrong.
	printf X | dd of=copy/album/b.flac bs=1 seek=150000 conv=notrunc \
	    status=none
	get --json -f -d copy album.torrent
	[ "$status" -eq 0 ]
	diff -r album copy/album
	[ "$(grep -c '"event": *"piece"' <<<"$output")" -eq 1 ]
}

@test "a second bt-get on the same output is exit 7" {
	make_album
	mkdir copy
	bt_start one bt-get --json --port 0 --no-tracker -d copy album.torrent
	bt_line one
	run --separate-stderr timeout 10 bt-get --port 0 --no-tracker -d copy \
	    album.torrent
	[ "$status" -eq 7 ]
	[[ $stderr == "bt-get: "*"album"* ]]
	bt_kill one INT
	bt_wait one
	[ "$bt_status" -eq 130 ]
}

@test "-s takes numbers and ranges, and leaves no stray files" {
	make_album
	begin_seed album.torrent
	mkdir copy
	get -s 2 -d copy album.torrent
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -eq 1 ]
	[ "$(find copy -type f)" = "$output" ]
	cmp "album/${output#copy/album/}" "$output"
}

@test "-s takes a glob; one that matches nothing is exit 1" {
	make_album
	begin_seed album.torrent
	mkdir copy
	get -s '*.flac' -d copy album.torrent
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -eq 2 ]
	get -s '*.mp3' -d copy album.torrent
	[ "$status" -eq 1 ]
	[ "$stderr" = "bt-get: no file matches '*.mp3'" ]
}

@test "what was selected later comes without what is there" {
	make_album
	begin_seed album.torrent
	mkdir copy
	get -s '*.flac' -d copy album.torrent
	[ "$status" -eq 0 ]
	get --json -d copy album.torrent
	[ "$status" -eq 0 ]
	diff -r album copy/album
	# The files have 380,000 bytes in 12 pieces; most were there.
	[ "$(grep -c '"event": *"piece"' <<<"$output")" -le 3 ]
}

@test "-o names the one file" {
	head -c 200000 /dev/urandom >x
	bt-make -o x.torrent x
	begin_seed x.torrent
	get -o y x.torrent
	[ "$status" -eq 0 ]
	[ "$output" = y ]
	cmp x y
	make_album
	get -o y album.torrent
	[ "$status" -eq 2 ]
	[[ $stderr == *"-s"*"-d"* ]]
}

@test "-o FILE with -s gives one file of many its own name" {
	make_album
	begin_seed album.torrent
	get -s cover.jpg -o picture.jpg album.torrent
	[ "$status" -eq 0 ]
	cmp album/art/cover.jpg picture.jpg
	[ -z "$(state_files)" ]
}

@test "-o - streams verified content in order, and leaves nothing" {
	make_album
	begin_seed album.torrent
	mkdir empty
	TMPDIR=$PWD/empty timeout 30 bt-get --port 0 --bind 127.0.0.1 \
	    --no-tracker --peer "$seed" -o - album.torrent >stream
	cat album/a.flac album/art/cover.jpg album/b.flac >whole
	cmp stream whole
	[ -z "$(ls -A empty)" ]
}

@test "-o - waits for its reader" {
	head -c 60000000 /dev/urandom >x
	bt-make -l 256K -o x.torrent x
	bt_start seed bt-seed --json --port 0 --bind 127.0.0.1 --no-tracker \
	    x.torrent
	bt_line seed
	seed=$(grep -o '127\.0\.0\.1:[0-9]*' seed.out | head -n 1)
	mkfifo slow
	bt_start get bash -c "exec bt-get --port 0 --bind 127.0.0.1 \
	    --memory 8M --no-tracker --peer $seed -o - x.torrent >slow"
	exec 5<slow
	head -c 1000000 <&5 >first
	# Nobody reads on: what the seed sent must come to rest, well before
	# the end.
	at_rest() {
		local up

		mapfile -t up < <(grep '"event": *"progress"' seed.out |
		    tail -n 2 | grep -oE '"up": *[0-9]+' | grep -oE '[0-9]+')
		[ "${#up[@]}" -eq 2 ] && [ "${up[0]}" -gt 0 ] &&
		    [ "${up[0]}" -eq "${up[1]}" ] && sent=${up[1]}
	}
	wait_until 20 at_rest
	[ "$sent" -lt 40000000 ]
	cat <&5 >rest
	exec 5<&-
	cat first rest | cmp - x
	bt_wait get 30
	[ "$bt_status" -eq 0 ]
}

@test "an output folder is made, but not its parents" {
	make_album
	begin_seed album.torrent
	get -d new album.torrent
	[ "$status" -eq 0 ]
	diff -r album new/album
	get -d no/where album.torrent
	[ "$status" -eq 7 ]
	[[ $stderr == *"no/where"*"No such file or directory" ]]
}

@test "no space is said before anything is written" {
	[ "$(id -u)" -eq 0 ] || skip "mounting needs root"
	head -c 5000000 /dev/urandom >x
	bt-make -o x.torrent x
	mkdir small
	mount -t tmpfs -o size=1m none small || skip "no tmpfs here"
	seed=127.0.0.1:1
	get -d small x.torrent
	umount small
	[ "$status" -eq 7 ]
	[[ $stderr == *"no space"*"needed"*"free"* ]]
}

@test "a file's room is taken at once, and counts when it goes on" {
	[ "$(id -u)" -eq 0 ] || skip "mounting needs root"
	head -c 30000000 /dev/urandom >x
	bt-make -q -o x.torrent x
	mkdir disk
	truncate -s 48M image
	mkfs.ext4 -q image
	mount -o loop image disk || skip "no loop devices here"
	begin_seed --limit-up 2M x.torrent
	bt_start get bt-get --port 0 --bind 127.0.0.1 --no-tracker \
	    --peer "$seed" -d disk x.torrent
	has_some() {
		[ -s disk/x.part ]
	}
	wait_until 10 has_some || { umount disk && false; }
	bt_kill get
	bt_wait get
	room=$(stat -c %b disk/x.part)
	left=$(df --output=avail -B 1 disk | tail -n 1)
	bt_kill seed
	bt_wait seed
	begin_seed x.torrent
	get -d disk x.torrent
	cmp x disk/x || status=99
	umount disk
	[ "$status" -eq 0 ]
	[ "$((room * 512))" -ge 30000000 ]
	[ "$left" -lt 25000000 ] # so that it did not fit twice
}

@test "two torrents of one name do not write into each other's files" {
	mkdir one two
	head -c 300000 /dev/urandom >one/x
	head -c 300000 /dev/urandom >two/x
	bt-make -o x1.torrent one/x
	bt-make -o x2.torrent two/x
	bt_start other bt-seed --port 0 --bind 127.0.0.1 --no-tracker \
	    --limit-up 100K x2.torrent two/x
	bt_line other
	begin_seed --limit-up 100K x1.torrent one/x
	get -d copy --peer "${bt_line##*$'\t'}" x1.torrent x2.torrent
	[ "$status" -eq 7 ]
	[ "$stderr" = "bt-get: 'x' is being downloaded into 'copy' already" ]
	cmp one/x copy/x
}

@test "one torrent's files may come by -o side by side" {
	make_album
	begin_seed album.torrent
	bt_start a bt-get --port 0 --bind 127.0.0.1 --no-tracker \
	    -s a.flac -o a album.torrent
	bt_start b bt-get --port 0 --bind 127.0.0.1 --no-tracker \
	    -s b.flac -o b album.torrent
	there() {
		[ -e .a.lock ] && [ -e .b.lock ]
	}
	wait_until 10 there
	bt_kill a
	bt_kill b
	bt_wait a
	bt_wait b
	get -s a.flac -o a album.torrent
	[ "$status" -eq 0 ]
	cmp album/a.flac a
}
