# Torrents of other programs in bt-info, and bt-make's in theirs: what they
# show, that content verifies, and equal info-hashes for equal input.
#
# Facts about the others. transmission-create 3.00 always writes the key
# `private`, so its info-hash can be met only with -p; it leaves out empty files
# and sorts without regard to case. mktorrent sorts by the bytes of whole paths.
# libtorrent's add_files takes what readdir gives, so files are given in order.
# The empty keys of a file tree are too much for transmission-show 3.00, which
# refuses all hybrids, libtorrent's too, and for aria2 1.36, which shows another
# info-hash for them; both are asked of hybrids what they can say.

setup() {
	load ../lib/common
	bt_setup
	mkdir -p 'my album/sub/deep'
	head -c 100000 /dev/urandom >'my album/a'
	printf x >'my album/b c'
	head -c 65536 /dev/urandom >'my album/sub/deep/d'
	printf 'naïve' >'my album/sub/ünï'
	head -c 3000000 /dev/urandom >film.mkv
}
teardown() { bt_teardown; }

need() {
	command -v "$1" >/dev/null || skip "$1 is missing"
}
need_libtorrent() {
	/usr/bin/python3 -c 'import libtorrent' 2>/dev/null ||
	    skip "python3-libtorrent is missing"
}

# hash_of TORRENT, make_hash OPTIONS...
hash_of() { bt-info -p info_hash "$1"; }
make_hash() { bt-make "$@" | bt-info -p info_hash -; }

# assert_shows TORRENT NAME: bt-info reads it, finds its content whole
assert_shows() {
	local size

	size=$(find "$2" -type f -printf '%s\n' | awk '{ n += $1 } END { print n }')
	run bt-info -p name -p size "$1"
	assert_success
	assert_output "$2"$'\n'"$size"
	run bt-info --check "$2" "$1"
	assert_success
}

# lt_create PATH PIECE_LENGTH OUT
lt_create() {
	/usr/bin/python3 - "$@" <<-'PY'
		import os, sys
		import libtorrent as lt
		path, piece, out = sys.argv[1], int(sys.argv[2]), sys.argv[3]
		fs = lt.file_storage()
		if os.path.isdir(path):
		    paths = [os.path.join(d, f) for d, _, fs_ in os.walk(path) for f in fs_]
		else:
		    paths = [path]
		for p in sorted(paths, key=os.fsencode):
		    fs.add_file(p, os.path.getsize(p))
		ct = lt.create_torrent(fs, piece, flags=lt.create_torrent.v1_only)
		ct.add_tracker("http://t/announce", 0)
		lt.set_piece_hashes(ct, ".")
		open(out, "wb").write(lt.bencode(ct.generate()))
	PY
}

# lt_verify TORRENT: let libtorrent hash the content here; prints its info-hash
lt_verify() {
	/usr/bin/python3 - "$1" <<-'PY'
		import sys, time
		import libtorrent as lt
		ses = lt.session({"listen_interfaces": "127.0.0.1:0",
		    "enable_dht": False, "enable_lsd": False, "enable_upnp": False,
		    "enable_natpmp": False,
		    "alert_mask": lt.alert.category_t.status_notification |
		        lt.alert.category_t.error_notification})
		ti = lt.torrent_info(sys.argv[1])
		h = ses.add_torrent({"ti": ti, "save_path": "."})
		end = time.monotonic() + 30
		done = False
		while not done and time.monotonic() < end:
		    ses.wait_for_alert(1000)
		    for a in ses.pop_alerts():
		        done = done or isinstance(a, lt.torrent_checked_alert)
		assert h.status().is_seeding, h.status().progress
		print(ti.info_hash())
	PY
}

@test "mktorrent's torrents show and verify, with bt-make's info-hash" {
	need mktorrent
	for path in film.mkv 'my album'; do
		rm -f m.torrent
		mktorrent -l 15 -a http://t/announce,http://u/announce \
		    -a http://v/announce -c 'hi there' -w http://w/ \
		    -o m.torrent "$path" >/dev/null
		assert_shows m.torrent "$path"
		run bt-info -p trackers -p comment -p web_seeds m.torrent
		assert_output $'http://t/announce\nhttp://u/announce\nhttp://v/announce\nhi there\nhttp://w/'
		[ "$(make_hash -l 32K "$path")" = "$(hash_of m.torrent)" ]
	done
	rm m.torrent
	mktorrent -p -s SRC -n other -l 18 -o m.torrent 'my album' >/dev/null
	[ "$(make_hash -p -s SRC -n other -l 256K 'my album')" = \
	    "$(hash_of m.torrent)" ]
}

@test "mktorrent and bt-make agree on the order of awkward names" {
	need mktorrent
	mkdir -p odd/a odd/B
	for f in .hidden a.txt a/b a-b A B/z B.z 'a b' empty; do
		printf '%s' "$f" >"odd/$f"
	done
	: >odd/empty
	mktorrent -l 15 -o m.torrent odd >/dev/null
	[ "$(make_hash -l 32K odd)" = "$(hash_of m.torrent)" ]
}

@test "transmission-create's torrents show and verify, with bt-make's info-hash" {
	need transmission-create
	for path in film.mkv 'my album'; do
		rm -f t.torrent
		transmission-create -p -s 32 -t http://t/announce -c hello \
		    -o t.torrent "$path" >/dev/null
		assert_shows t.torrent "$path"
		run bt-info -p private -p comment t.torrent
		assert_output $'yes\nhello'
	done
	mv 'my album/sub/ünï' 'my album/sub/uni'
	for path in film.mkv 'my album'; do
		rm t.torrent
		transmission-create -p -s 32 -t http://t/ -o t.torrent \
		    "$path" >/dev/null
		[ "$(make_hash -p -l 32K "$path")" = "$(hash_of t.torrent)" ]
	done
}

@test "libtorrent's torrents show and verify, with bt-make's info-hash" {
	need_libtorrent
	for path in film.mkv 'my album'; do
		lt_create "$path" 65536 l.torrent
		assert_shows l.torrent "$path"
		run bt-info -p trackers l.torrent
		assert_output http://t/announce
		[ "$(make_hash -l 64K "$path")" = "$(hash_of l.torrent)" ]
	done
}

@test "bt-make's torrents show in transmission-show and aria2c" {
	need transmission-show
	need aria2c
	for path in film.mkv 'my album'; do
		bt-make -f -a http://t/announce,udp://u:1/announce \
		    -a http://v/announce -w http://w/x/ -c 'hi there' -p \
		    -o x.torrent "$path"
		run transmission-show x.torrent
		assert_success
		assert_line "  Name: $path"
		assert_line "  Hash: $(hash_of x.torrent)"
		assert_line "  Comment: hi there"
		assert_line --partial 'Private torrent'
		assert_line "  udp://u:1/announce"
		run aria2c -S x.torrent
		assert_success
		assert_line "Info Hash: $(hash_of x.torrent)"
		assert_line "Name: $path"
		assert_line --partial http://v/announce
	done
	assert_output --partial 'sub/ünï'
}

@test "bt-make's torrents verify in libtorrent" {
	need_libtorrent
	: >'my album/empty'
	for path in film.mkv 'my album'; do
		bt-make -f -o x.torrent "$path"
		run lt_verify x.torrent
		assert_success
		assert_output "$(hash_of x.torrent)"
	done
	printf Y >'my album/b c'
	run lt_verify x.torrent
	assert_failure
}

@test "the magnet link is read as the same torrent by libtorrent" {
	need_libtorrent
	bt-make -o x.torrent -a 'http://t/a?b=c&d=e' -w http://w/x 'my album'
	run /usr/bin/python3 -c '
import sys
import libtorrent as lt
p = lt.parse_magnet_uri(sys.argv[1])
print(p.info_hashes.v1, p.name, *p.trackers, *p.url_seeds)' \
	    "$(bt-info -p magnet x.torrent)"
	assert_output "$(hash_of x.torrent) my album http://t/a?b=c&d=e http://w/x"
}

# lt_facts TORRENT: hashes, name, sizes and paths as libtorrent has them
lt_facts() {
	/usr/bin/python3 - "$1" <<-'PY'
		import sys
		import libtorrent as lt
		ti = lt.torrent_info(sys.argv[1])
		h, fs = ti.info_hashes(), ti.files()
		print(h.v1 if h.has_v1() else "", h.v2 if h.has_v2() else "",
		    ti.name(), ti.piece_length(), sep="\n")
		for i in range(fs.num_files()):
		    if not fs.file_flags(i) & lt.file_flags_t.flag_pad_file:
		        print(fs.file_size(i), fs.file_path(i), sep="\t")
	PY
}

# our_facts TORRENT: the same from bt-info
our_facts() {
	local name

	name=$(bt-info -p name "$1")
	bt-info -p info_hash -p info_hash_v2 -p name -p piece_length "$1"
	bt-info -l "$1" | cut -f 2- | if [ "$(bt-info -p files "$1")" = "$name" ]
	then cat; else sed "s|\t|\t$name/|"; fi
}

# lt_make KIND PATH PIECE_LENGTH OUT
lt_make() {
	/usr/bin/python3 - "$@" <<-'PY'
		import os, sys
		import libtorrent as lt
		kind, path, piece, out = sys.argv[1:5]
		flags = {"v1": lt.create_torrent.v1_only, "v2": lt.create_torrent.v2_only,
		    "hybrid": 0}[kind]
		fs = lt.file_storage()
		lt.add_files(fs, path)
		ct = lt.create_torrent(fs, int(piece), flags=flags)
		lt.set_piece_hashes(ct, os.path.dirname(os.path.abspath(path)))
		open(out, "wb").write(lt.bencode(ct.generate()))
	PY
}

@test "libtorrent and bt-info say the same of v1, v2 and hybrids, whoever made them" {
	need_libtorrent
	: >'my album/empty'
	cp 'my album/a' 'my album/sub/copy'
	printf - >'my album/sub-x'
	for kind in v1 v2 hybrid; do
		for path in film.mkv 'my album'; do
			for l in 16384 65536 1048576; do
				bt-make -f --$kind -l $l -o x.torrent "$path"
				diff <(lt_facts x.torrent) <(our_facts x.torrent)
				lt_make $kind "$path" $l l.torrent
				diff <(lt_facts l.torrent) <(our_facts l.torrent)
			done
		done
	done
	for t in "$BT_ROOT"/tests/data/torrents/libtorrent-*.torrent; do
		diff <(lt_facts "$t") <(our_facts "$t")
	done
}

@test "libtorrent makes the same v2 torrent of a file, bit by bit in its info" {
	need_libtorrent
	for l in 16384 65536 1048576; do
		for kind in v2 hybrid; do
			bt-make -f --$kind -l $l -o x.torrent film.mkv
			lt_make $kind film.mkv $l l.torrent
			run python3 "$BT_ROOT/tests/lib/bep52.py" hash l.torrent
			assert_output "$(python3 "$BT_ROOT/tests/lib/bep52.py" hash x.torrent)"
		done
	done
}

@test "libtorrent verifies content against bt-make's v2 and hybrid torrents" {
	need_libtorrent
	: >'my album/empty'
	for kind in v2 hybrid; do
		for path in film.mkv 'my album'; do
			bt-make -f --$kind -o x.torrent "$path"
			run lt_verify x.torrent
			assert_success
		done
	done
	printf Y >'my album/b c'
	run lt_verify x.torrent
	assert_failure
}

@test "aria2c shows a hybrid's name, size and files" {
	need aria2c
	bt-make -f --hybrid -o x.torrent 'my album'
	run aria2c -S x.torrent
	assert_success
	assert_line 'Name: my album'
	assert_line "The Number of Pieces: $(bt-info -p pieces x.torrent)"
	assert_output --partial 'sub/ünï'
}

@test "libtorrent reads a hybrid's magnet link as both hashes" {
	need_libtorrent
	bt-make --hybrid -o x.torrent 'my album'
	run /usr/bin/python3 -c '
import sys
import libtorrent as lt
p = lt.parse_magnet_uri(sys.argv[1])
print(p.info_hashes.v1, p.info_hashes.v2, sep="\n")' "$(bt-info -p magnet x.torrent)"
	assert_output "$(bt-info -p info_hash -p info_hash_v2 x.torrent)"
}
