# The statistics of bt-tracker: what they say, and to whom.

setup() {
	load ../lib/common
	bt_setup
}
teardown() { bt_teardown; }

# track OPTION...: a tracker; $base is the first address it prints, $port its
# port
track() {
	bt_start tracker bt-tracker "$@"
	bt_line tracker 1
	base=${bt_line%/announce}
	port=${base##*:}
}

# hi HASH-LETTER ID-LETTER PORT LEFT: an announce over HTTP
hi() {
	curl -sS --max-time 10 -o /dev/null "$base/announce?info_hash=$(printf '%20s' | tr ' ' "$1")&peer_id=$(printf '%20s' | tr ' ' "$2")&port=$3&left=$4"
}

udp() {
	python3 "$BT_ROOT/tests/lib/udp_tracker.py" "$@"
}

status_of() {
	curl -sS --max-time 10 -o /dev/null -w '%{http_code}' "$@"
}

# json URL EXPRESSION...: what Python makes of it, d being the whole and
# r(FRONT, FAMILY) a row of the requests
json() {
	curl -sS --max-time 10 "$1" >stats.json
	shift
	python3 - "$@" <<'END'
import json, sys
d = json.load(open("stats.json"))
def r(front, family):
    rows = [x for x in d["requests"]
            if (x["front"], x["family"]) == (front, family)]
    assert len(rows) == 1
    return rows[0]
def counts(front, family):
    x = r(front, family)
    return x["announce"], x["scrape"], x["refused"]
for expression in sys.argv[1:]:
    print(eval(expression))
END
}

# Three peers of one torrent and one of another, a scrape, and a refusal each
# by HTTP and UDP over IPv4.
ask_all() {
	hi h a 1001 0
	hi h b 1002 5
	hi x c 1003 5
	status_of "$base/scrape?info_hash=hhhhhhhhhhhhhhhhhhhh"
	status_of "$base/announce?info_hash=short"
	udp 127.0.0.1 "$port" announce hash=hhhhhhhhhhhhhhhhhhhh id=d \
	    port=1004 left=0
	udp 127.0.0.1 "$port" scrape hhhhhhhhhhhhhhhhhhhh
	udp 127.0.0.1 "$port" announce id=e port=0 left=0
}

@test "JSON: counts are exact, over all workers" {
	track -l 127.0.0.1:0 --workers 3
	ask_all
	run json "$base/stats.json" \
	    'counts("http", "ipv4"), counts("udp", "ipv4")' \
	    'counts("http", "ipv6"), counts("https", "ipv4")' \
	    'd["torrents"], d["peers"]["seeds"], d["peers"]["leeches"]' \
	    'd["peers"]["ipv4"], d["peers"]["ipv6"]' 'd["workers"]' \
	    '[(t["info_hash"], t["seeds"], t["leeches"]) for t in d["top"]]' \
	    'd["looked_at"]' \
	    '0 < d["memory"]["held"] < d["memory"]["held_max"] == 2 ** 29' \
	    '2 ** 20 < d["memory"]["resident"] < 2 ** 30' \
	    '0 < r("http", "ipv4")["announce_per_second"] <= 3'
	assert_success
	assert_line -n 0 "((3, 1, 1), (1, 1, 1))"
	assert_line -n 1 "((0, 0, 0), (0, 0, 0))"
	assert_line -n 2 "(2, 2, 2)"
	assert_line -n 3 \
	    "({'seeds': 2, 'leeches': 2}, {'seeds': 0, 'leeches': 0})"
	assert_line -n 4 3
	assert_line -n 5 "[('$(printf '68%.0s' {1..20})', 2, 1), ('$(printf '78%.0s' {1..20})', 0, 1)]"
	assert_line -n 6 2
	assert_line -n 7 True
	assert_line -n 8 True
	assert_line -n 9 True
}

@test "JSON: IPv6, a leecher that becomes a seed, and one that leaves" {
	track -l '[::1]:0'
	hi h a 1001 5
	hi h b 1002 5
	run json "$base/stats.json" 'd["peers"]["ipv6"]'
	assert_output "{'seeds': 0, 'leeches': 2}"
	hi h a 1001 0
	hi h b "1002&event=stopped" 5
	run json "$base/stats.json" 'd["peers"]["ipv6"]' \
	    'counts("http", "ipv6")'
	assert_line -n 0 "{'seeds': 1, 'leeches': 0}"
	assert_line -n 1 "(4, 0, 0)"
}

@test "JSON: HTTPS has counts of its own, and UDP over IPv6" {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -days 2 -subj /CN=one -addext subjectAltName=IP:127.0.0.1 \
	    -keyout one.pem -out one.crt 2>/dev/null
	cat one.crt >>one.pem
	track -l 127.0.0.1:0 -l https://127.0.0.1:0 -l 'udp://[::1]:0' \
	    --tls-cert one.pem
	https=$(grep ^https: tracker.out)
	udp6=$(grep '^udp:.*::1' tracker.out)
	udp6=${udp6%/announce}
	curl -sS --cacert one.crt -o /dev/null -o /dev/null "$https" \
	    "${https%/announce}/scrape?info_hash=hhhhhhhhhhhhhhhhhhhh"
	run udp ::1 "${udp6##*:}" announce id=a port=1001 left=5
	assert_output --partial "leechers 1"
	curl -sS --cacert one.crt "${https%/announce}/metrics" | grep -q HELP
	run json "$base/stats.json" 'counts("https", "ipv4")' \
	    'counts("udp", "ipv6")' 'counts("http", "ipv4")' 'd["torrents"]'
	assert_line -n 0 "(0, 1, 1)"
	assert_line -n 1 "(1, 0, 0)"
	assert_line -n 2 "(0, 0, 0)"
	assert_line -n 3 1
}

@test "JSON: the twenty torrents with the most peers, most first" {
	track -l 127.0.0.1:0 --workers 2
	# torrent number i has i peers
	for i in {1..25}; do
		for ((p = 1; p <= i; p++)); do
			printf 'url="%s/announce?info_hash=%020d&peer_id=%020d&port=%d&left=1"\noutput=/dev/null\n' \
			    "$base" "$i" "$p" "$((1000 + p))"
		done
	done >asked
	curl -sS --max-time 30 -K asked
	run json "$base/stats.json" '[t["leeches"] for t in d["top"]]' \
	    '[int(bytes.fromhex(t["info_hash"])) for t in d["top"]]' \
	    'd["looked_at"]'
	assert_line -n 0 "$(python3 -c 'print(list(range(25, 5, -1)))')"
	assert_line -n 1 "$(python3 -c 'print(list(range(25, 5, -1)))')"
	assert_line -n 2 25
}

@test "metrics: each has its HELP and TYPE, and the counts are the same" {
	track -l 127.0.0.1:0
	ask_all
	run curl -sS -D head "$base/metrics"
	assert_success
	assert_line 'bt_tracker_requests_total{front="http",family="ipv4",kind="announce"} 3'
	assert_line 'bt_tracker_requests_total{front="udp",family="ipv4",kind="refused"} 1'
	assert_line 'bt_tracker_torrents 2'
	assert_line 'bt_tracker_peers{family="ipv4",role="seed"} 2'
	run cat head
	assert_output --partial "Content-Type: text/plain; version=0.0.4"
	curl -sS "$base/metrics" >metrics
	run python3 - <<'END'
import re
told, seen = {}, set()
for line in open("metrics"):
    m = re.fullmatch(r"# (HELP|TYPE) ([a-z_]+) (.+)\n", line)
    if m:
        told.setdefault(m[2], []).append(m[1])
        continue
    m = re.fullmatch(r'([a-z_]+)(\{(?:[a-z]+="[^"\\\n]*",?)+\})? \d+\n', line)
    assert m, line
    assert told[m[1]] == ["HELP", "TYPE"], line
    assert (m[1], m[2]) not in seen, line
    seen.add((m[1], m[2]))
assert set(told) == {name for name, _ in seen}
print(len(seen))
END
	assert_success
	assert_output 30
}

@test "the page is whole, has no script, and fetches itself anew" {
	track -l 127.0.0.1:0
	ask_all
	curl -sS -D head "$base/stats" >page
	run python3 - <<'END'
from html.parser import HTMLParser
class Page(HTMLParser):
    VOID = {"meta"}
    def __init__(self):
        super().__init__()
        self.open, self.tags, self.text = [], [], []
    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)
    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag
    def handle_data(self, data):
        self.text.append(data)
p = Page()
p.feed(open("page").read())
p.close()
assert p.open == []
assert "script" not in [t for t, _ in p.tags]
print([a["content"] for t, a in p.tags if a.get("http-equiv") == "refresh"])
text = "".join(p.text)
print("prefers-color-scheme" in text, "68" * 20 in text)
END
	assert_success
	assert_line -n 0 "['5']"
	assert_line -n 1 "True True"
	run cat head
	assert_output --partial "Content-Type: text/html; charset=utf-8"
}

@test "HEAD has the head alone, and other methods are refused" {
	track -l 127.0.0.1:0
	run curl -sS -I -w '%{size_download}' "$base/stats"
	assert_output --partial "200 OK"
	assert_output --regexp '0$'
	run status_of -X DELETE "$base/stats"
	assert_output 405
}

@test "without --admin only direct clients of a loopback listener see them" {
	track -l 127.0.0.1:0
	for path in stats stats.json metrics; do
		[ "$(status_of "$base/$path")" = 200 ]
		for by in "X-Forwarded-For: 127.0.0.1" "Forwarded: for=::1" \
		    "Via: 1.1 proxy" "X-Real-IP: 127.0.0.1"; do
			[ "$(status_of -H "$by" "$base/$path")" = 404 ]
		done
	done
	[ "$(status_of "$base/stats/")" = 404 ]
}

@test "a trusted proxy does not make a client direct" {
	track -l 127.0.0.1:0 --trust-proxy 127.0.0.1
	[ "$(status_of "$base/stats")" = 404 ]
	[ "$(status_of -H "X-Forwarded-For: 127.0.0.1" "$base/stats")" = 404 ]
}

@test "a listener of all addresses does not have them" {
	track -l :0
	for path in stats stats.json metrics; do
		[ "$(status_of "$base/$path")" = 404 ]
	done
}

@test "--admin has them for all who reach it, and nothing else has" {
	track -l 127.0.0.1:0 --admin 127.0.0.1:0 --workers 2
	bt_line tracker 3
	admin=${bt_line%/stats}
	assert_regex "$bt_line" '^http://127\.0\.0\.1:[0-9]+/stats$'
	assert_not_equal "$admin" "$base"
	ask_all
	run json "$admin/stats.json" 'counts("http", "ipv4")'
	assert_output "(3, 1, 1)"
	for path in stats stats.json metrics; do
		[ "$(status_of "$base/$path")" = 404 ]
		[ "$(status_of "$admin/$path")" = 200 ]
		[ "$(status_of -H "X-Forwarded-For: 192.0.2.1" \
		    "$admin/$path")" = 200 ]
	done
	[ "$(status_of "$admin/announce?info_hash=hhhhhhhhhhhhhhhhhhhh")" = 404 ]
	[ "$(status_of "$admin/scrape?info_hash=hhhhhhhhhhhhhhhhhhhh")" = 404 ]
}

@test "--admin: its URL comes last, and as an event of its own" {
	bt_start tracker bt-tracker --json -l 127.0.0.1:0 --admin '[::1]:0'
	bt_line tracker 3
	run sed -E 's/.*"event": ?"([a-z]+)".*/\1/' tracker.out
	assert_output "$(printf 'listening\nlistening\nadmin')"
}

@test "--admin: what is no address, or taken already, is refused" {
	run -2 bt-tracker --admin nonsense
	assert_output --partial "option '--admin': 'nonsense' is not ADDR:PORT"
	track -l 127.0.0.1:0
	run -2 bt-tracker -l "127.0.0.1:$port" --admin "127.0.0.1:$port"
	assert_output --partial "is listened on already"
}
