# tracker.bash - a bt-tracker, and announces and scrapes to it by curl and, for
# BEP 15, by tests/lib/udp_tracker.py.
#
#	setup() { load ../lib/common; load ../lib/tracker; bt_setup; }

# track OPTION...: a tracker on free ports; $http is its URL, $port its port
track() {
	bt_start tracker bt-tracker -l :0 "$@"
	bt_line tracker 1
	http=${bt_line%/announce}
	port=${http##*:}
}

# fetch PATH [QUERY...]: the body, as text; the query's parts joined by &
fetch() {
	local IFS='&' path=$1

	shift
	curl -sS --max-time 10 "$http$path?$*" --output - | tr -d '\0'
}

# hi LETTER PORT [NAME=VALUE...]: an announce to the swarm of twenty times "h"
hi() {
	local letter=$1 port=$2

	shift 2
	fetch /announce info_hash=hhhhhhhhhhhhhhhhhhhh \
	    "peer_id=$(printf '%20s' | tr ' ' "$letter")" "port=$port" "$@"
}

# The ports in a reply's list of dictionaries, sorted, on a line.
ports() {
	grep -oE '4:porti[0-9]+e' | grep -oE '[0-9]{2,}' | sort -n | xargs
}

counts() {
	fetch /scrape info_hash=hhhhhhhhhhhhhhhhhhhh |
	    sed -E 's/.*completei([0-9]+)e10:downloadedi([0-9]+)e.*incompletei([0-9]+)e.*/\1 \2 \3/'
}

counts_are() {
	[ "$(counts)" = "$*" ]
}

udp() {
	python3 "$BT_ROOT/tests/lib/udp_tracker.py" "$@"
}
