# bt-get keeps its word: each option, each exit code.

setup() {
	load ../lib/common
	load ../lib/get
	bt_setup
}
teardown() { bt_teardown; }

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

@test "without a network and a resolver it says so in its own words" {
	unshare -n true || skip "no namespaces here"
	make_album
	run --separate-stderr unshare -n timeout 20 bt-get --timeout 2s \
	    -a udp://tracker.invalid:80/announce -d copy album.torrent
	[ "$status" -eq 6 ]
	[ "$(grep -vc '^bt-get: ' <<<"$stderr")" -eq 0 ]
}
