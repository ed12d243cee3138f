# get.bash - an album, a seed of it, and bt-get that knows of nobody else.
#
#	setup() { load ../lib/common; load ../lib/get; bt_setup; }

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
