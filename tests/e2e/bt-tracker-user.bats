# bt-tracker --user: privileges are gone once ports are bound, and what it needs
# afterwards it has, or says so at the start. Most of it takes root.

setup() {
	load ../lib/common
	bt_setup
	# who is not root cannot come into the tests' own folders
	open=$(mktemp -d /tmp/bt-user.XXXXXX)
	chmod 755 "$open"
}
teardown() {
	bt_teardown
	rm -rf "$open"
}

root_only() {
	[ "$(id -u)" -eq 0 ] ||
	    skip "NOT ROOT: giving up privileges was not tested"
}

# track OPTION...: a tracker as nobody; $url is its announce URL
track() {
	bt_start tracker bt-tracker -v -l 127.0.0.1:0 --user nobody "$@"
	bt_line tracker 1
	url=$bt_line
}

hi() {
	curl -sS --max-time 10 "$url?info_hash=hhhhhhhhhhhhhhhhhhhh&peer_id=aaaaaaaaaaaaaaaaaaaa&port=1001&left=1" |
	    tr -d '\0'
}

again() {
	bt_kill tracker HUP
	wait_until 10 grep -qF -- "$1" tracker.err
}

# What each thread of the tracker is: ids, groups, capabilities.
whole() {
	cat "/proc/${bt_pids[tracker]}/task/"*/status |
	    grep -E "^($1):" | sort -u | tr '\t' ' ' | sed 's/ *$//'
}

@test "user, groups and capabilities are given up, in every thread" {
	root_only
	track --workers 2
	run whole Uid
	assert_output "Uid: $(yes "$(id -u nobody)" | head -4 | xargs)"
	run whole Gid
	assert_output "Gid: $(yes "$(id -g nobody)" | head -4 | xargs)"
	run whole Groups
	assert_output "Groups: $(id -G nobody)"
	run whole 'CapPrm|CapEff|CapInh|CapAmb'
	refute_output --regexp '[1-9a-f]$'
	run hi
	assert_output --partial 10:incompletei1e
}

@test "a group may be named, and both be numbers" {
	root_only
	bt_start tracker bt-tracker -l 127.0.0.1:0 --user 61234:61235
	bt_line tracker 1
	run whole 'Uid|Gid|Groups'
	assert_line "Uid: 61234 61234 61234 61234"
	assert_line "Gid: 61235 61235 61235 61235"
	assert_line "Groups: 61235"
}

@test "a port below 1024 is bound before" {
	root_only
	unshare -n true || skip "no network namespaces here"
	run unshare -n bash -c '
		ip link set lo up
		bt-tracker -l http://127.0.0.1:80 --user nobody >urls &
		pid=$!
		until [ -s urls ]; do read -rt 0.02 <> <(:) || :; done
		curl -sS -o /dev/null -w "%{http_code}\n" "$(cat urls)"
		grep ^Uid: /proc/$pid/status
		kill $pid'
	assert_line 200
	assert_line --regexp "^Uid:.$(id -u nobody)"
}

@test "state is saved and read by the user" {
	root_only
	mkdir "$open/state"
	chown nobody "$open/state"
	track --state "$open/state/swarms"
	hi
	bt_kill tracker
	bt_wait tracker
	assert_equal "$bt_status" 143
	assert_equal "$(ls "$open/state")" swarms
	assert_equal "$(stat -c %U:%a "$open/state/swarms")" nobody:600
	track --state "$open/state/swarms"
	run cat tracker.err
	assert_output --partial "1 torrents and 1 peers restored"
}

@test "lists, certificate and log are read or opened again by the user" {
	root_only
	: >"$open/deny"
	mkdir "$open/log"
	chown nobody "$open/log"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -keyout "$open/site.key" -out "$open/site.crt" -subj /CN=one \
	    2>openssl.err
	chown nobody "$open/site.key"
	track -l https://127.0.0.1:0 --tls-cert "$open/site.crt" \
	    --tls-key "$open/site.key" --deny "$open/deny" \
	    --log="$open/log/lines"
	echo 6868686868686868686868686868686868686868 >"$open/deny"
	again "read '$open/deny' again: 1 entries"
	again "read '$open/site.crt' again"
	run hi
	assert_output --partial "torrent not allowed"
	test "$(stat -c %U "$open/log/lines")" = nobody
	rm "$open/log/lines"
	again "read '$open/site.crt' again"
	wait_until 10 test -e "$open/log/lines"
	# what it may not read any more leaves all as it was
	chmod 600 "$open/deny"
	again "cannot open '$open/deny': Permission denied; the old one is kept"
	run hi
	assert_output --partial "torrent not allowed"
}

@test "what the user may not read or save is an error at the start" {
	root_only
	: >"$open/deny"
	chmod 600 "$open/deny"
	run --separate-stderr bt-tracker -l 127.0.0.1:0 --user nobody \
	    --deny "$open/deny"
	assert_equal "$status" 7
	assert_equal "$stderr" "bt-tracker: as user 'nobody': cannot open '$open/deny': Permission denied"
	run --separate-stderr bt-tracker -l 127.0.0.1:0 --user nobody \
	    --state "$open/swarms"
	assert_equal "$status" 7
	assert_equal "$stderr" "bt-tracker: as user 'nobody': cannot write '$open/swarms.lock': Permission denied"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -keyout "$open/site.key" -out "$open/site.crt" -subj /CN=one \
	    2>openssl.err
	chmod 600 "$open/site.key"
	run --separate-stderr bt-tracker -l https://127.0.0.1:0 --user nobody \
	    --tls-cert "$open/site.crt" --tls-key "$open/site.key"
	assert_equal "$status" 7
	assert_equal "$stderr" "bt-tracker: as user 'nobody': cannot read the key '$open/site.key': Permission denied"
}

@test "who is not root can become nobody else, and may name itself" {
	root_only
	cp "$BT_BIN/bt-tracker" "$open"
	run --separate-stderr setpriv --reuid nobody --clear-groups --regid \
	    "$(id -g nobody)" "$open/bt-tracker" -l 127.0.0.1:0 --user daemon
	assert_equal "$status" 7
	assert_equal "$stderr" "bt-tracker: cannot become user 'daemon': Operation not permitted"
	bt_start tracker setpriv --reuid nobody --clear-groups --regid \
	    "$(id -g nobody)" "$open/bt-tracker" -l 127.0.0.1:0 --user nobody
	bt_line tracker 1
}

@test "who is that user already gives up capabilities and root's group too" {
	local as=(setpriv --reuid nobody --regid "$(id -g nobody)" --groups 0)
	local caps=+setgid,+setuid,+net_bind_service,+dac_override

	root_only
	cp "$BT_BIN/bt-tracker" "$open"
	bt_start tracker "${as[@]}" --inh-caps "$caps" --ambient-caps "$caps" \
	    "$open/bt-tracker" -l 127.0.0.1:0 --user nobody
	bt_line tracker 1
	run whole Groups
	assert_output "Groups: $(id -G nobody)"
	run whole 'CapPrm|CapEff|CapInh|CapAmb'
	refute_output --regexp '[1-9a-f]$'
	# and without the capability to leave that group
	run --separate-stderr "${as[@]}" "$open/bt-tracker" -l 127.0.0.1:0 \
	    --user nobody
	assert_equal "$status" 7
	assert_equal "$stderr" "bt-tracker: cannot become user 'nobody': it is in root's group"
}

@test "by number the groups that list the user are had too" {
	root_only
	unshare -m true || skip "no mount namespaces here"
	{
		cat /etc/group
		echo bt-readers:x:61236:nobody
	} >group
	run unshare -m bash -c '
		mount --bind group /etc/group
		bt-tracker -l 127.0.0.1:0 --user "$(id -u nobody)" >urls &
		pid=$!
		until [ -s urls ] || ! kill -0 $pid; do read -rt 0.02 <> <(:) || :; done
		grep ^Groups: /proc/$pid/status
		kill $pid'
	assert_output --regexp '[[:space:]]61236([[:space:]]|$)'
}

@test "no such user or group, and root, are exit 2" {
	local what said

	while IFS='|' read -r what said; do
		run --separate-stderr bt-tracker -l 127.0.0.1:0 --user "$what"
		assert_equal "$status" 2
		assert_regex "$stderr" "option '--user': $said"
	done <<-END
		no-such-user|there is no user 'no-such-user'
		nobody:no-such-group|there is no group 'no-such-group'
		root|'root' is root, and gives up nothing
		0|'0' is root, and gives up nothing
		nobody:0|'nobody:0' is root, and gives up nothing
		61234|user '61234' has no group: say '61234:GROUP'
		|there is no user ''
		4294967295|there is no user '4294967295'
	END
}
