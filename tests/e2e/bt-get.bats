# bt-get keeps its word: each option, each exit code, what is on disk when.

setup() {
	load ../lib/common
	bt_setup
}
teardown() {
	bt_teardown
}

# An album of three files that share pieces, with an empty one and a folder.
make_album() {
	mkdir -p album/art
	head -c 100000 /dev/urandom >album/a.flac
	head -c 250000 /dev/urandom >album/b.flac
	: >album/empty
	head -c 30000 /dev/urandom >album/art/cover.jpg
	bt-make -l 32K -o album.torrent "$@" album
}

# A seed that nobody but --peer "$seed" can find.
begin_seed() {
	bt_start seed bt-seed --port 0 --bind 127.0.0.1 --no-tracker "$@"
	bt_line seed
	seed=${bt_line##*$'\t'}
}

get() {
	run --separate-stderr timeout 30 bt-get --port 0 --bind 127.0.0.1 \
	    --no-tracker --peer "$seed" "$@"
}

state_files() {
	find . -name '.album.*' -o -name '*.part'
}

@test "prints each file's path as it finishes, and leaves no state" {
	make_album
	begin_seed album.torrent
	mkdir copy
	get -d copy album.torrent
	[ "$status" -eq 0 ]
	[ "$(sort <<<"$output")" = "$(printf 'copy/album/%s\n' a.flac \
	    art/cover.jpg b.flac empty)" ]
	diff -r album copy/album
	[ -z "$(state_files)" ]
}

@test "-0 ends paths with NUL" {
	make_album
	begin_seed album.torrent
	mkdir copy
	timeout 30 bt-get --port 0 --no-tracker --peer "$seed" -0 -d copy \
	    album.torrent | xargs -0 sha256sum >sums
	[ "$(wc -l <sums)" -eq 4 ]
}

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

@test "a reader that goes away ends it quietly by SIGPIPE" {
	head -c 8000000 /dev/urandom >x
	bt-make -o x.torrent x
	begin_seed x.torrent
	run --separate-stderr bash -o pipefail -c "timeout 30 bt-get --port 0 \
	    --bind 127.0.0.1 --no-tracker --peer $seed -o - x.torrent |
	    head -c 1000 | wc -c"
	[ "$output" = 1000 ]
	[ "$status" -eq 141 ]
	[ -z "$stderr" ]
}

@test "--json begins with start and its address, and ends with done" {
	make_album
	begin_seed album.torrent
	mkdir copy
	get --json -d copy album.torrent
	[ "$status" -eq 0 ]
	[[ ${lines[0]} == *'"event"'*'"start"'*'"address"'*'127.0.0.1:'* ]] ||
	    [[ $output == *'"start"'*'127.0.0.1:'* ]]
	[[ ${lines[-1]} == *'"done"'* ]]
	python3 -c 'import json, sys
for l in sys.stdin:
    e = json.loads(l)
    assert e["event"] and e["time"] > 1e9' <<<"$output"
}

@test "--stall-timeout and --timeout end it with 6" {
	make_album
	mkdir copy
	run --separate-stderr timeout 10 bt-get --port 0 --no-tracker \
	    --stall-timeout 0.3s -d copy album.torrent
	[ "$status" -eq 6 ]
	[[ $stderr == *"nothing came for"* ]]
	run --separate-stderr timeout 10 bt-get --port 0 --no-tracker \
	    --timeout 0.3s -d copy album.torrent
	[ "$status" -eq 6 ]
}

@test "SIGTERM keeps what was downloaded and the next run goes on" {
	head -c 20000000 /dev/urandom >x
	bt-make -l 64K -o x.torrent x
	begin_seed --limit-up 10M x.torrent
	mkdir copy
	bt_start one bt-get --json --port 0 --bind 127.0.0.1 --no-tracker \
	    --peer "$seed" -d copy x.torrent
	some() {
		[ "$(grep -c '"event": *"piece"' one.out)" -ge 20 ]
	}
	wait_until 20 some
	bt_kill one
	bt_wait one
	[ "$bt_status" -eq 143 ]
	had=$(grep -c '"event": *"piece"' one.out)
	get --json -d copy x.torrent
	[ "$status" -eq 0 ]
	cmp x copy/x
	[ "$(grep -o '"have": *[0-9]*' <<<"$output" | grep -o '[0-9]*')" -ge \
	    "$had" ]
}

@test "--limit-rate holds" {
	local start took

	head -c 3000000 /dev/urandom >x
	bt-make -l 64K -o x.torrent x
	begin_seed x.torrent
	mkdir copy
	start=$(date +%s%N)
	get --limit-rate 1M -d copy x.torrent
	took=$((($(date +%s%N) - start) / 1000000))
	[ "$status" -eq 0 ]
	[ "$took" -gt 2600 ]
	[ "$took" -lt 5000 ]
}

# took_ms COMMAND...
took_ms() {
	local start=$(date +%s%N)

	"$@"
	took=$((($(date +%s%N) - start) / 1000000))
}

@test "--limit-rate-each holds for each torrent and not for all together" {
	local i

	mkdir many
	for i in 1 2 3; do
		head -c 1500000 /dev/urandom >many/f$i
		bt-make -l 64K -o f$i.torrent many/f$i
	done
	bt_start seed bt-seed --port 0 --bind 127.0.0.1 --no-tracker -d many \
	    f1.torrent f2.torrent f3.torrent
	bt_line seed 3
	seed=${bt_line##*$'\t'}
	took_ms get --limit-rate-each 1M -d one f1.torrent f2.torrent f3.torrent
	[ "$status" -eq 0 ]
	[ "$took" -gt 1200 ]
	[ "$took" -lt 3000 ]
	took_ms get --limit-rate 1M -d two f1.torrent f2.torrent f3.torrent
	[ "$status" -eq 0 ]
	[ "$took" -gt 4000 ]
}

@test "--limit-up-each holds at a seed and at a bt-get that serves" {
	head -c 1500000 /dev/urandom >x
	bt-make -l 64K -o x.torrent x
	begin_seed --limit-up-each 1M x.torrent
	took_ms get -d one x.torrent
	[ "$status" -eq 0 ]
	[ "$took" -gt 1200 ]
	bt_kill seed
	bt_wait seed
	bt_start one bt-get --json --port 0 --bind 127.0.0.1 --no-tracker \
	    --limit-up-each 1M --seed -d one x.torrent
	bt_line one
	seed=$(grep -o '127\.0\.0\.1:[0-9]*' one.out | head -n 1)
	took_ms get -d two x.torrent
	[ "$status" -eq 0 ]
	[ "$took" -gt 1200 ]
}

@test "--seed=RATIO serves on until it has sent as much" {
	head -c 1000000 /dev/urandom >x
	bt-make -l 64K -o x.torrent x
	begin_seed x.torrent
	mkdir one two
	bt_start one bt-get --json --port 0 --bind 127.0.0.1 --no-tracker \
	    --peer "$seed" --seed=1 -d one x.torrent
	done_one() {
		grep -q '"event": *"done"' one.out
	}
	wait_until 20 done_one
	bt_kill seed KILL
	bt_wait seed
	seed=$(grep '"event": *"start"' one.out |
	    grep -o '127\.0\.0\.1:[0-9]*')
	get -d two x.torrent
	[ "$status" -eq 0 ]
	bt_wait one 20
	[ "$bt_status" -eq 0 ]
}

@test "-4 and -6 choose the family" {
	head -c 100000 /dev/urandom >x
	bt-make -o x.torrent x
	bt_start seed bt-seed --port 0 -6 --bind ::1 --no-tracker x.torrent
	bt_line seed
	seed=${bt_line##*$'\t'}
	[[ $seed == '[::1]:'* ]]
	mkdir four six
	run timeout 10 bt-get -4 --port 0 --no-tracker --peer "$seed" \
	    --stall-timeout 1s -d four x.torrent
	[ "$status" -eq 6 ]
	run timeout 20 bt-get -6 --port 0 --no-tracker --peer "$seed" \
	    -d six x.torrent
	[ "$status" -eq 0 ]
	cmp x six/x
}

@test "one bad operand is said and the rest goes on" {
	head -c 100000 /dev/urandom >x
	bt-make -o x.torrent x
	begin_seed x.torrent
	mkdir copy
	get -d copy missing.torrent x.torrent
	[ "$status" -eq 7 ]
	[ "$stderr" = "bt-get: cannot open 'missing.torrent': No such file or\
 directory" ]
	cmp x copy/x
}

@test "peers come from a file and from stdin" {
	head -c 100000 /dev/urandom >x
	bt-make -o x.torrent x
	begin_seed x.torrent
	mkdir one two
	echo "$seed" >peers
	run timeout 20 bt-get --port 0 --no-tracker --peers peers -d one \
	    x.torrent
	[ "$status" -eq 0 ]
	run timeout 20 bt-get --port 0 --no-tracker --peers - -d two \
	    x.torrent <peers
	[ "$status" -eq 0 ]
	cmp one/x two/x
}

@test "a port that is taken is exit 4" {
	make_album
	begin_seed album.torrent
	mkdir copy
	get --port "${seed##*:}" -d copy album.torrent
	[ "$status" -eq 4 ]
	[[ $stderr == *"cannot listen on"* ]]
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

@test "on one core too there are two workers: a sync keeps one of them" {
	make_album
	bt_start get taskset -c 0 bt-get --port 0 --bind 127.0.0.1 \
	    --no-tracker -d copy album.torrent
	has_two() { # and itself
		grep -q '^Threads:.3$' "/proc/${bt_pids[get]}/status"
	}
	wait_until 10 has_two
	bt_kill get
	bt_wait get
}

@test "a budget of 1 MiB finishes a torrent of 4 MiB pieces" {
	head -c 20000000 /dev/urandom >x
	bt-make -l 4M -o x.torrent x
	begin_seed x.torrent
	mkdir copy
	get --memory 1M -d copy x.torrent
	[ "$status" -eq 0 ]
	cmp x copy/x
}

@test "one torrent given twice is exit 2 under whatever name, and comes once" {
	make_album
	cp album.torrent same.torrent
	begin_seed album.torrent
	get -d copy album.torrent same.torrent
	[ "$status" -eq 2 ]
	[ "$stderr" = "bt-get: 'same.torrent' is the torrent that\
 'album.torrent' is" ]
	[ "${#lines[@]}" -eq 4 ]
	diff -r album copy/album
}

@test "what cannot be meant is said before anything is done" {
	make_album
	seed=127.0.0.1:1
	get -s '' -d copy album.torrent
	[ "$status" -eq 1 ]
	get -s 1 -o copy/ album.torrent
	[ "$status" -eq 2 ]
	[[ $stderr == *"'copy/' is not a file's path"* ]]
	get -s 1 -o '' album.torrent
	[ "$status" -eq 2 ]
	get -6 -d copy album.torrent
	[ "$status" -eq 2 ]
	[[ $stderr == *"--bind 127.0.0.1 is not of the family that -6 leaves" ]]
	get -a nonsense -d copy album.torrent
	[ "$status" -eq 3 ]
	[[ $stderr == *"malformed URL 'nonsense'"* ]]
	[ ! -e copy/album ]
}

@test "--json says start before the files that are there already" {
	make_album
	begin_seed album.torrent
	mkdir copy
	get -s 2 -d copy album.torrent
	get --json -d copy album.torrent
	[ "$status" -eq 0 ]
	[[ ${lines[0]} == *'"start"'* ]]
	[ "$(grep -c '"event": *"file"' <<<"$output")" -eq 4 ]
	get --json -d copy album.torrent
	[ "$status" -eq 0 ]
	[[ ${lines[0]} == *'"start"'* ]]
	[ "$(grep -c '"event": *"file"' <<<"$output")" -eq 4 ]
	get --json --port "${seed##*:}" -d new album.torrent
	[ "$status" -eq 4 ]
	[[ ${lines[-1]} == *'"error"'*'"class": "net"'* ]]
	    [[ ${lines[-1]} == *'"error"'*'"net"'* ]]
}

@test "a reader who is slow is not a stall, but is no end either" {
	head -c 20000000 /dev/urandom >x
	bt-make -l 256K -o x.torrent x
	begin_seed x.torrent
	mkfifo unread
	exec 5<>unread
	run --separate-stderr bash -c "exec timeout 30 bt-get --port 0 \
	    --bind 127.0.0.1 --no-tracker --memory 2M --stall-timeout 0.3s \
	    --timeout 2s --peer $seed -o - x.torrent >unread"
	exec 5<&-
	[ "$status" -eq 6 ]
	[[ $stderr == *"not whole after 2 s (--timeout)" ]]
}

@test "a signal ends it while it waits for an operand" {
	make_album
	mkfifo never
	exec 5<>never
	run timeout -k 8 0.5 bt-get --no-tracker - <never
	[ "$status" -eq 124 ]
	run timeout -k 8 0.5 bt-get --no-tracker --peers - album.torrent <never
	[ "$status" -eq 124 ]
	run timeout -k 8 0.5 bt-seed --no-tracker - <never
	[ "$status" -eq 124 ]
	exec 5<&-
}

@test "--peers passes over who cannot be dialled, and refuses what is none" {
	head -c 100000 /dev/urandom >x
	bt-make -o x.torrent x
	begin_seed x.torrent
	printf '0.0.0.0:0\n%s\tseed\n[ff02::1]:5\r\n\n' "$seed" >peers
	run timeout 20 bt-get --port 0 --no-tracker --peers peers -d copy \
	    x.torrent
	[ "$status" -eq 0 ]
	echo hello >peers
	run --separate-stderr timeout 20 bt-get --port 0 --no-tracker \
	    --peers peers -d copy x.torrent
	[ "$status" -eq 3 ]
	[ "$stderr" = "bt-get: 'hello' in 'peers' is not a peer's ADDR:PORT" ]
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

@test "without a network and a resolver it says so in its own words" {
	unshare -n true || skip "no namespaces here"
	make_album
	run --separate-stderr unshare -n timeout 20 bt-get --timeout 2s \
	    -a udp://tracker.invalid:80/announce -d copy album.torrent
	[ "$status" -eq 6 ]
	[ "$(grep -vc '^bt-get: ' <<<"$stderr")" -eq 0 ]
}

@test "paths and events that nobody reads end it by SIGPIPE" {
	local i how

	mkdir many
	for i in {1..8}; do
		head -c 200000 /dev/urandom >many/$i
	done
	bt-make -o many.torrent many
	begin_seed --limit-up 1M many.torrent
	for how in -q --json; do
		run --separate-stderr bash -o pipefail -c "timeout 30 bt-get \
		    $how --port 0 --bind 127.0.0.1 --no-tracker --peer $seed \
		    -d copy many.torrent | head -n 1"
		[ "$status" -eq 141 ]
		[ "${#lines[@]}" -eq 1 ]
		[ -z "$stderr" ]
		rm -r copy
	done
}

@test "a second signal does not wait for a tracker that is silent" {
	local begun took

	make_album
	bt_start odd python3 "$BT_ROOT/tests/lib/odd_tracker.py"
	bt_line odd
	bt_start get bt-get --port 0 --bind 127.0.0.1 \
	    -a "$bt_line/slow-stop/announce" -d copy album.torrent
	heard() {
		grep -q "event=$1" odd.out
	}
	wait_until 10 heard started
	bt_kill get
	wait_until 10 heard stopped
	begun=$(date +%s%N)
	bt_kill get INT
	bt_wait get
	took=$((($(date +%s%N) - begun) / 1000000))
	[ "$bt_status" -eq 130 ]
	[ "$took" -lt 2000 ]
}

@test "a signal while content is checked ends it, and it goes on from there" {
	truncate -s 8G large
	bt-make -q -l 16M -o large.torrent large
	bt_start get bt-get --no-tracker large.torrent
	wait_until 10 test -e .large.lock
	bt_kill get
	bt_wait get
	[ "$bt_status" -eq 143 ]
	[ ! -s get.out ]
	[ ! -s get.err ]
	[ -z "$(find . -name '.large*')" ]
	run timeout -k 8 0.1 bt-seed --no-tracker large.torrent
	[ "$status" -eq 124 ]
	[ -z "$output" ]
}
