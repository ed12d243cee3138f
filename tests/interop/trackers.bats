# Real clients at bt-tracker: they announce and scrape over HTTP, HTTPS with a
# certificate that they check, and UDP, by IPv4 and IPv6. Six instances of a
# client are there at once, each with one of the six announce URLs and a port of
# its own; the tracker's own counts say who asked for what and how, and that it
# knows them all as seeds.
#
# What a client cannot do is beside it, with the reason.

setup() {
	load ../lib/common
	bt_setup
	load clients
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -days 2 -subj /CN=localhost \
	    -addext subjectAltName=IP:127.0.0.1,IP:::1 -keyout key -out crt \
	    2>/dev/null
	mkdir content
	head -c 50000 /dev/urandom >content/x
	bt_start tracker bt-tracker -q -l 127.0.0.1:0 -l '[::1]:0' \
	    -l https://127.0.0.1:0 -l 'https://[::1]:0' --tls-cert crt \
	    --tls-key key --admin 127.0.0.1:0
	bt_line tracker 7
	admin=${bt_line%/stats}
	bt-make -o t.torrent content/x
	hash=$(bt-info -p info_hash t.torrent)
}
teardown() { bt_teardown; }

# url_of FRONT FAMILY: the announce URL
url_of() {
	local at='127\.0\.0\.1'

	[ "$2" = ipv4 ] || at='\[::1\]'
	grep "^$1://$at:.*announce" tracker.out
}

# times FRONT FAMILY KIND: how often the tracker answered that
times() {
	curl -sS --max-time 10 "$admin/metrics" |
	    sed -nE "s/^bt_tracker_requests_total\{front=\"$1\",family=\"$2\",kind=\"$3\"\} ([0-9]+)$/\1/p"
}

asked() {
	[ "$(times "$@")" -gt 0 ]
}

seeds_are() {
	[ "$(curl -sS --max-time 10 "$admin/metrics" | awk '
	    /^bt_tracker_peers\{.*role="seed"/ { n += $2 }
	    END { print n }')" = "$1" ]
}

# all CLIENT [but FRONT-FAMILY]: an instance of it for each URL, or for all but
# one, by ask_CLIENT URL NAME TORRENT
all() {
	local front family name

	for front in http https udp; do
		for family in ipv4 ipv6; do
			name=$front-$family
			[ "${3:-}" != $name ] || continue
			bt-make -a "$(url_of $front $family)" \
			    -o "$name.torrent" content/x
			port=$(probe_port)
			"ask_$1" "$(url_of $front $family)" "$name" \
			    "$PWD/$name.torrent"
		done
	done
}

# announce [but FRONT-FAMILY]: all but one are announced, as that many seeds
announce() {
	local front family n=0

	for front in http https udp; do
		for family in ipv4 ipv6; do
			[ "${2:-}" != $front-$family ] || continue
			wait_until 60 asked $front $family announce || {
				echo "no announce by $front, $family"
				tail -n 20 ./*-*.out ./*-*.err
				return 1
			}
			((n += 1))
		done
	done
	wait_until 60 seeds_are $n
	[ "$(times http ipv4 refused)" -eq 0 ]
}

# scrape FRONT-FAMILY...: these ask for counts
scrape() {
	local kind

	for kind; do
		wait_until 60 asked "${kind%-*}" "${kind#*-}" scrape || {
			echo "no scrape by $kind"
			return 1
		}
	done
}

ask_libtorrent() {
	bt_start "$2" env SSL_CERT_FILE="$PWD/crt" /usr/bin/python3 \
	    "$BT_ROOT/tests/interop/lt_ask.py" "$3" content "$1"
}

@test "libtorrent announces and scrapes by all six" {
	/usr/bin/python3 -c 'import libtorrent' 2>/dev/null ||
	    skip "python3-libtorrent is not installed"
	all libtorrent
	announce
	scrape {http,https,udp}-ipv{4,6}
	# and understands what it is told
	for kind in {http,https,udp}-ipv{4,6}; do
		wait_until 10 grep -qE '^scraped [1-6]$' "$kind.out"
	done
}

ask_npm() {
	bt_start "$2" env NODE_EXTRA_CA_CERTS="$PWD/crt" node \
	    "$BT_ROOT/tests/interop/npm/ask.mjs" "$npm" "$1" "$hash" "$port"
}

@test "npm's client announces and scrapes by all but UDP over IPv6" {
	need node
	npm=$BT_ROOT/build/npm/node_modules
	[ -d "$npm" ] || skip "npm's bittorrent-tracker is not here: make deps"
	# its UDP socket is always one of IPv4
	all npm but udp-ipv6
	announce but udp-ipv6
	scrape {http,https}-ipv{4,6} udp-ipv4
	for kind in {http,https}-ipv{4,6} udp-ipv4; do
		wait_until 10 grep -qE '^scraped [1-6]$' "$kind.out"
	done
}

ask_transmission() {
	CURL_CA_BUNDLE="$PWD/crt" daemon_run "$2" "$2" "$3" content
}

@test "transmission announces by all but UDP over IPv6, and scrapes by UDP" {
	need transmission-daemon
	# of udp://[::1]:PORT it looks up the host "["
	all transmission but udp-ipv6
	announce but udp-ipv6
	# by HTTP the announce brought all counts, and it asks for none: BEP 15
	# has no place for completions
	scrape udp-ipv4
}

# UDP trackers are a part of its DHT; it knows no node, so it asks none.
ask_aria2() {
	local dht=(--enable-dht=false --enable-dht6=false)

	if [[ $2 == udp-* ]]; then
		dht=(--enable-dht=true --dht-file-path="$PWD/$2.dht"
		    --enable-dht6=true --dht-file-path6="$PWD/$2.dht6"
		    --dht-listen-port="$(probe_port)")
	fi
	bt_start "$2" aria2c --no-conf "${dht[@]}" --bt-enable-lpd=false \
	    --enable-peer-exchange=false --listen-port="$port" --dir=content \
	    --seed-ratio=0.0 --check-integrity=true --file-allocation=none \
	    --summary-interval=0 --ca-certificate="$PWD/crt" "$3"
}

@test "aria2 announces by all but UDP over IPv6; it has no scrape" {
	need aria2c
	# it sends to UDP trackers from the socket of its IPv4 DHT
	all aria2 but udp-ipv6
	announce but udp-ipv6
}

# rtorrent_with LOAD NAME TORRENT
rtorrent_with() {
	mkdir "$2"
	cat >"$2/rc" <<-R
		network.port_range.set = $port-$port
		network.port_random.set = no
		network.http.cacert.set = $PWD/crt
		dht.mode.set = disable
		protocol.pex.set = no
		trackers.use_udp.set = yes
		session.path.set = $PWD/$2
		directory.default.set = $PWD/content
		system.daemon.set = true
		method.set_key = event.download.inserted, 1_send_scrape, ((d.tracker.send_scrape,1))
		schedule2 = begin, 0, 0, (($1, "$3"))
	R
	bt_start "$2" rtorrent -n -o import="$PWD/$2/rc"
}

ask_rtorrent() { rtorrent_with load.start "$2" "$3"; }
ask_rtorrent_first() { rtorrent_with load.normal "$2" "$3"; }

@test "rtorrent announces by all six" {
	need rtorrent
	all rtorrent
	announce
}

@test "rtorrent scrapes by HTTP and HTTPS, before it announces" {
	need rtorrent
	# for ten minutes after, it has the counts that an announce brought
	all rtorrent_first
	# of UDP it says "Tracker type does not support scrape"
	scrape {http,https}-ipv{4,6}
	[ "$(times udp ipv4 scrape)" -eq 0 ]
}
