# clients.bash - the programs that the rest of the world runs, as peers on
# loopback: each seeds or downloads one torrent, with plain TCP, no DHT, no peer
# exchange and no local discovery, so that what passes is what we mean to test.
#
#	seed_CLIENT TORRENT DIR		DIR/NAME is the content; $port is where
#	get_CLIENT TORRENT DIR		into DIR; $port is where it listens
#	wait_got NAME DIR/FOLDER	until the copy is the same as $content
#
# $host is the loopback address to use, 127.0.0.1 or [::1].
# A client that is not installed skips the test, by `need`.

host=127.0.0.1

need() {
	local p

	for p; do
		command -v "$p" >/dev/null || skip "$p is not installed"
	done
}

# A port that was free a moment ago, for programs that cannot say which one they
# took: for TCP and UDP, over IPv4 and IPv6, and below those that the kernel gives to
# whoever asks for any, so that no test beside this one gets it in between.
probe_port() {
	python3 -c 'import errno, random, socket

def is_taken(port):
    for family, host in ((socket.AF_INET, "127.0.0.1"),
                         (socket.AF_INET6, "::1")):
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            with socket.socket(family, kind) as s:
                try:
                    s.bind((host, port))
                except OSError as e:
                    if e.errno == errno.EADDRINUSE:
                        return True
    return False

with open("/proc/sys/net/ipv4/ip_local_port_range") as f:
    first = int(f.read().split()[0])
ports = random.sample(range(max(1024, first // 2), first), 100)
print(next(p for p in ports if not is_taken(p)))'
}

is_listening() {
	[ -n "$(ss -Hltn "sport = :$1")" ]
}

wait_listening() {
	wait_until 20 is_listening "$1"
}

lt_run() {
	/usr/bin/python3 -c 'import libtorrent' 2>/dev/null ||
	    skip "python3-libtorrent is not installed"
	bt_start "$1" /usr/bin/python3 "$BT_ROOT/tests/interop/lt.py" \
	    --listen "${host//[][]/}" "$2" "$3"
	bt_line "$1" 1 20
	port=${bt_line#listening }
}
seed_libtorrent() { lt_run theirs "$1" "$2"; bt_line theirs 2 30; }
get_libtorrent() { lt_run theirs "$1" "$2"; }

aria2_run() {
	need aria2c
	port=$(probe_port)
	bt_start theirs aria2c --no-conf --enable-dht=false \
	    --enable-dht6=false --bt-enable-lpd=false \
	    --enable-peer-exchange=false --listen-port="$port" \
	    --dir="$2" --seed-ratio=0.0 --file-allocation=none \
	    --summary-interval=0 --console-log-level=warn \
	    --bt-tracker-interval=2 --bt-min-crypto-level=plain \
	    --disable-ipv6="$([ "$host" = 127.0.0.1 ] && echo true ||
		echo false)" --allow-overwrite=true --auto-save-interval=0 \
	    "${@:3}" "$1"
	wait_listening "$port"
}
seed_aria2() { aria2_run "$1" "$2" --check-integrity=true; }
get_aria2() { aria2_run "$1" "$2"; }

# The daemon: transmission-cli ends when it looks at a torrent between the check
# of its files and its start, which on a busy machine it does.
#
# daemon_run NAME FOLDER TORRENT DIR [SETTINGS]: as NAME, with what it keeps in
# FOLDER, listening at $port
daemon_run() {
	mkdir -p "$2/watch"
	cp "$3" "$2/watch"
	cat >"$2/settings.json" <<-J
		{ "dht-enabled": false, "lpd-enabled": false,
		  "pex-enabled": false, "utp-enabled": false,
		  "port-forwarding-enabled": false, "peer-port": $port,
		  "rpc-enabled": false, "download-dir": "$(cd "$4" && pwd)",
		  "watch-dir": "$PWD/$2/watch", "watch-dir-enabled": true,
		  "rename-partial-files": false, "message-level": 3,
		  ${5:+$5,}
		  "start-added-torrents": true }
	J
	bt_start "$1" transmission-daemon -f -g "$2"
}

transmission_run() {
	need transmission-daemon
	port=$(probe_port)
	daemon_run theirs tr "$1" "$2" \
	    '"encryption": 0, "bind-address-ipv4": "127.0.0.1",
		  "bind-address-ipv6": "::1"'
	wait_listening "$port"
}
# While it checks it tells what it has by then, and no more to who came.
seed_transmission() {
	transmission_run "$1" "$2"
	wait_until 30 grep -q "Verification is done" theirs.err
}
get_transmission() { transmission_run "$1" "$2"; }

rtorrent_run() {
	need rtorrent
	port=$(probe_port)
	mkdir -p rt
	cat >rt/rc <<-R
		network.port_range.set = $port-$port
		network.port_random.set = no
		network.bind_address.set = 127.0.0.1
		dht.mode.set = disable
		protocol.pex.set = no
		trackers.use_udp.set = yes
		protocol.encryption.set = none
		session.path.set = $PWD/rt
		directory.default.set = $(cd "$2" && pwd)
		system.daemon.set = true
		pieces.hash.on_completion.set = no
		schedule2 = begin, 0, 0, ((load.start, "$(realpath "$1")"))
	R
	bt_start theirs rtorrent -n -o import="$PWD/rt/rc"
	wait_listening "$port"
}
seed_rtorrent() { rtorrent_run "$1" "$2"; }
get_rtorrent() { rtorrent_run "$1" "$2"; }

# Empty files are left out: transmission 3.00 does not make them.
is_same() {
	local f

	[ -e "$2" ] || return 1
	[ -d "$1" ] || { cmp -s "$1" "$2"; return; }
	while IFS= read -r -d '' f; do
		cmp -s "$1/$f" "$2/$f" || return 1
	done < <(cd "$1" && find . -type f -size +0c -print0)
}
# Their copy is right once every byte is; they preallocate and rename as they
# like in between.
wait_got() {
	wait_until "${3:-60}" is_same "$1" "$2"
}

# begin_tracker KIND [HASH]: bt-http, bt-udp, ot-http or ot-udp; its announce URL
# is left in $tracker. opentracker, as Debian builds it, serves only hashes that
# it is told of, so it begins when the torrent is known: announce_of comes first.
begin_tracker() {
	case $1 in
	bt-*)
		bt_start tracker bt-tracker -l "$host:0" --interval 2 \
		    --min-interval 1
		bt_line tracker 2
		tracker=$(grep "^${1#bt-}:" tracker.out | head -n 1)
		;;
	ot-*)
		need opentracker
		tracker_port=$(probe_port)
		tracker=${1#ot-}://127.0.0.1:$tracker_port/announce
		;;
	esac
}

# The tracker serves this torrent from here on.
serve_torrent() {
	[[ $1 == ot-* ]] || return 0
	# It drops to nobody, who cannot read the test's own folder.
	open_dir=$(mktemp -d)
	chmod 755 "$open_dir"
	bt-info -p info_hash "$2" >"$open_dir/whitelist"
	chmod 644 "$open_dir/whitelist"
	bt_start tracker opentracker -i 127.0.0.1 -p "$tracker_port" \
	    -P "$tracker_port" -w "$open_dir/whitelist"
	wait_listening "$tracker_port"
}

# knows_seeds, knows_leeches TORRENT: has the tracker been told of one?
knows_seeds() {
	[ "$(bt-scrape "$1" 2>/dev/null | cut -f2)" -ge 1 ] 2>/dev/null
}
knows_leeches() {
	[ "$(bt-scrape "$1" 2>/dev/null | cut -f3)" -ge 1 ] 2>/dev/null
}
