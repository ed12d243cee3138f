# Swarms of our own programs on one machine: they share, they survive the loss
# of the seed, they are killed and go on.

setup() {
	load ../lib/common
	bt_setup
}
teardown() {
	bt_teardown
}

begin_tracker() {
	bt_start tracker bt-tracker -l 127.0.0.1:0 --interval 5
	bt_line tracker
	tracker=$bt_line
}

# uploaded NAME: bytes that a --json program had sent when it ended
uploaded() {
	jq_num up <(grep '"event": *"done"' "$1.out" | tail -n 1)
}
jq_num() {
	python3 -c 'import json, sys
print(json.loads(open(sys.argv[2]).read())[sys.argv[1]])' "$1" "$2"
}

now_ms() {
	echo $(($(date +%s%N) / 1000000))
}

begin_eight() {
	local i

	for i in {1..8}; do
		mkdir -p "d$i"
		bt_start "get$i" bt-get --json -d "d$i" --port 0 \
		    --bind 127.0.0.1 "$@" x.torrent
	done
}

@test "eight begin together: done in 1.5 times, the seed sends 1.5 copies" {
	local i start took sent size=33554432

	begin_tracker
	head -c $size /dev/urandom >x
	bt-make -a "$tracker" -o x.torrent x
	bt_start seed bt-seed --json --port 0 --bind 127.0.0.1 \
	    --limit-up 4M x.torrent
	bt_line seed
	start=$(now_ms)
	begin_eight
	for i in {1..8}; do
		bt_wait "get$i" 60
		[ "$bt_status" -eq 0 ]
	done
	took=$(($(now_ms) - start))
	for i in {1..8}; do
		cmp x "d$i/x"
	done
	bt_kill seed
	bt_wait seed
	[ "$bt_status" -eq 143 ]
	sent=$(uploaded seed)
	echo "# took $took ms; the seed sent $((sent * 100 / size)) % of a" \
	    "copy" >&3
	[ "$took" -lt 12000 ]
	[ $((sent * 2)) -le $((size * 3)) ]
}

@test "the seed is killed when the eight have it all: they still finish" {
	local i size=16777216 pieces covered

	begin_tracker
	head -c $size /dev/urandom >x
	bt-make -a "$tracker" -o x.torrent x
	pieces=$(bt-info -p pieces x.torrent)
	bt_start seed bt-seed --json --port 0 --bind 127.0.0.1 \
	    --limit-up 4M x.torrent
	bt_line seed
	begin_eight
	have_all() {
		[ "$(cat get?.out | grep '"event": *"piece"' |
		    grep -o '"index": *[0-9]*' | sort -u | wc -l)" -eq "$pieces" ]
	}
	wait_until 60 have_all
	bt_kill seed KILL
	for i in {1..8}; do
		bt_wait "get$i" 60
		[ "$bt_status" -eq 0 ]
		cmp x "d$i/x"
	done
}

# sum_up: what the seed has sent until now, by its last progress line
sum_up() {
	grep '"event": *"progress"' seed.out | tail -n 1 |
	    grep -oE '"up": *[0-9]+' | grep -oE '[0-9]+'
}

@test "killed at 20 random moments it goes on, and fetches little twice" {
	local i n size=33554432 piece=65536 had=0 begun=0 sent waste

	begin_tracker
	head -c $size /dev/urandom >x
	bt-make -a "$tracker" -l $piece -o x.torrent x
	bt_start seed bt-seed --json --port 0 --bind 127.0.0.1 \
	    --limit-up 8M x.torrent
	bt_line seed
	mkdir d
	for i in {1..20}; do
		bt_start "get$i" bt-get --json -d d --port 0 \
		    --bind 127.0.0.1 x.torrent
		# Killed after a random number of pieces of this run.
		n=$((RANDOM % 24))
		enough() {
			grep -q '"event": *"start"' "get$i.out" &&
			    [ "$(grep -c '"event": *"piece"' "get$i.out")" \
				-ge "$n" ]
		}
		wait_until 30 enough
		bt_kill "get$i" KILL
		bt_wait "get$i" || :
		# All that an earlier run had verified was there at its start.
		n=$(grep '"event": *"start"' "get$i.out" |
		    grep -oE '"have": *[0-9]+' | grep -oE '[0-9]+')
		echo "# run $i began with $n pieces; $had were verified before"
		[ "$n" -ge "$had" ]
		had=$((n + $(grep -c '"event": *"piece"' "get$i.out" || :)))
	done
	bt_start last bt-get --json -d d --port 0 --bind 127.0.0.1 x.torrent
	bt_wait last 60
	[ "$bt_status" -eq 0 ]
	cmp x d/x
	bt_kill seed
	bt_wait seed
	sent=$(uploaded seed)
	waste=$(((sent - size) / piece))
	echo "# 20 kills: $waste pieces sent twice of $((size / piece))" >&3
	# In flight at a kill: 1 s of requests is asked ahead at most, of which
	# the socket holds little at this rate.
	[ "$waste" -le $((20 * (4 + 8))) ]
}
