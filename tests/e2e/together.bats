# The six tools as cli.md prints them together: everything begun at once, by a
# shell that waits for nothing but what a pipe or a && waits for.

setup() {
	load ../lib/common
	bt_setup
}
teardown() {
	bt_teardown
	[ -z "${tracker_pid:-}" ] || kill "$tracker_pid" 2>/dev/null || :
	[ -z "${seed_pid:-}" ] || kill "$seed_pid" 2>/dev/null || :
}

# A port that nobody listens on now. The tracker's own port 0 would have to be
# read from it first, and the point is that nothing waits for it.
free_port() {
	python3 - <<-'P'
		import socket
		s = socket.socket()
		s.bind(("127.0.0.1", 0))
		print(s.getsockname()[1])
	P
}

together() {
	local dir=$1 port=$2

	mkdir -p "$dir/album/art"
	cd "$dir"
	head -c 300000 /dev/urandom >album/a.flac
	head -c 2000000 /dev/urandom >album/b.flac
	head -c 70000 /dev/urandom >album/art/cover.jpg

	bt-tracker -l 127.0.0.1:$port >tracker.out 3>&- &
	tracker_pid=$!
	bt-make -a http://127.0.0.1:$port/announce album/ >album.torrent
	bt-seed album.torrent album/ >seed.out 3>&- &
	seed_pid=$!
	bt-get -d copy album.torrent | xargs -d '\n' sha256sum >sums
	bt-info --check copy/album album.torrent >check.out && echo whole >whole
	bt-scrape --announce album.torrent |
	    bt-get --peers - --no-tracker -s 1 -o - album.torrent |
	    sha256sum >one

	kill "$seed_pid" "$tracker_pid"
	wait "$seed_pid" || :
	wait "$tracker_pid" || :
	cd ..
}

@test "the pipeline of cli.md works twenty times in a row, each under 10 s" {
	local i start

	for i in {1..20}; do
		start=$SECONDS
		together "run$i" "$(free_port)"
		[ "$(cat "run$i/whole")" = whole ]
		[ "$(wc -l <"run$i/sums")" -eq 3 ]
		(cd "run$i" && sha256sum --quiet -c sums)
		diff -r "run$i/album" "run$i/copy/album"
		[ "$(cut -d' ' -f1 "run$i/one")" = \
		    "$(sha256sum <"run$i/album/a.flac" | cut -d' ' -f1)" ] ||
		[ "$(cut -d' ' -f1 "run$i/one")" = \
		    "$(sha256sum <"run$i/album/art/cover.jpg" |
			cut -d' ' -f1)" ]
		[ $((SECONDS - start)) -lt 10 ]
	done
}
