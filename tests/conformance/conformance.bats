# What the BEPs ask of a tracker, of bt-tracker and of opentracker alike: the
# rules (rules.py) were written from their texts, and that another tracker keeps
# them too shows that they are the protocol's and not our own habits. A rule that
# opentracker is known not to keep has the reason beside it, and it must not keep
# it: so the table cannot rot. They are what bt-tracker does
# better, or what Debian builds opentracker without.

setup_file() {
	load ../lib/common
	bt_setup
	cd "$BATS_FILE_TMPDIR"
	BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR
	rules=$BT_ROOT/tests/conformance/rules.py
	python3 "$rules" names >names
	bt_start tracker bt-tracker -l :0
	bt_line tracker 4
	port=$(sed -nE '1s/.*:([0-9]+)\/.*/\1/p' tracker.out)
	python3 "$rules" check "127.0.0.1:$port" "127.0.0.1:$port" >bt-tracker
	if command -v opentracker >/dev/null; then
		ask_opentracker
	fi
	bt_teardown
}

# It serves, as Debian builds it, only torrents that it is told of, and reads
# them as nobody, who cannot look into the test's own folder.
ask_opentracker() {
	local dir=$(mktemp -d) port

	chmod 755 "$dir"
	python3 "$rules" hashes >"$dir/whitelist"
	port=$(python3 -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])')
	bt_start other opentracker -i 127.0.0.1 -p "$port" -P "$port" \
	    -w "$dir/whitelist"
	wait_until 10 is_listening "$port"
	python3 "$rules" check "127.0.0.1:$port" "127.0.0.1:$port" >opentracker
	rm -rf "$dir"
}

is_listening() {
	(: <>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

setup() {
	cd "$BATS_FILE_TMPDIR"
}

# is VERDICT TRACKER RULE: what the tracker made of it; said if another
is() {
	grep -qE "^$1 $3(:|\$)" "$2" || {
		echo "$2: $(grep -E "^[a-z]+ $3(:|\$)" "$2")"
		false
	}
}

# kept RULE [WHY]: bt-tracker keeps it, and opentracker too; or with WHY,
# opentracker is known not to.
kept() {
	is kept bt-tracker "$1"
	[ -e opentracker ] || skip "opentracker is not installed"
	if [ $# -eq 1 ]; then
		is kept opentracker "$1"
	else
		is broken opentracker "$1"
	fi
}

@test "every rule is a test here" {
	sed -nE 's/^\tkept ([a-z0-9_]+).*/\1/p' "$BATS_TEST_FILENAME" |
	    sort >here
	diff <(sort names) here
}

@test "reply is a dictionary" {
	kept reply_is_a_dictionary
}

@test "peers are told of each other" {
	kept peers_are_told_of_each_other
}

@test "swarms are apart" {
	kept swarms_are_apart
}

@test "own address is left out" {
	kept own_address_is_left_out "it tells the asker of itself"
}

@test "seeds are not told of seeds" {
	kept seeds_are_not_told_of_seeds "it tells seeds of all"
}

@test "leeches are told of seeds" {
	kept leeches_are_told_of_seeds
}

@test "replies have counts" {
	kept replies_have_counts
}

@test "numwant is kept to" {
	kept numwant_is_kept_to
}

@test "numwant of 0 is none" {
	kept numwant_of_0_is_none
}

@test "fifty unless it is said" {
	kept fifty_unless_it_is_said
}

@test "a numwant that is no number is no advice" {
	kept a_numwant_that_is_no_number_is_no_advice "it says 400"
}

@test "the choice is fair" {
	kept the_choice_is_fair
}

@test "a peer is there once" {
	kept a_peer_is_there_once
}

@test "two ports are two peers" {
	kept two_ports_are_two_peers
}

@test "completed makes a seed" {
	kept completed_makes_a_seed
}

@test "completed counts once" {
	kept completed_counts_once
}

@test "stopped is gone" {
	kept stopped_is_gone
}

@test "stopped is told of nobody" {
	kept stopped_is_told_of_nobody
}

@test "nobody else can stop a peer" {
	kept nobody_else_can_stop_a_peer
}

@test "id and key move a peer" {
	kept id_and_key_move_a_peer "it keeps no ids and no keys"
}

@test "id and key stop a peer" {
	kept id_and_key_stop_a_peer "it keeps no ids and no keys"
}

@test "hashes are read escaped or not" {
	kept hashes_are_read_escaped_or_not
}

@test "what is unknown is ignored" {
	kept what_is_unknown_is_ignored
}

@test "left of 0 alone is a seed" {
	kept left_of_0_alone_is_a_seed
}

@test "left that overflows is no seed" {
	kept left_that_overflows_is_no_seed "2^64 is 0 to it"
}

@test "a refusal is a 200 with its reason" {
	kept a_refusal_is_a_200_with_its_reason "it says 400, without a reason"
}

@test "a missing hash is refused" {
	kept a_missing_hash_is_refused
}

@test "a hash of another length is refused" {
	kept a_hash_of_another_length_is_refused
}

@test "a bad escape is refused" {
	kept a_bad_escape_is_refused
}

@test "a missing port is refused" {
	kept a_missing_port_is_refused "it takes 6881"
}

@test "a missing id is refused" {
	kept a_missing_id_is_refused "it keeps no ids"
}

@test "port 0 is refused" {
	kept port_0_is_refused "it keeps a port of 0"
}

@test "a port that overflows is refused" {
	kept a_port_that_overflows_is_refused "2^32 + 80 is 80 to it"
}

@test "signs of ports are refused" {
	kept signs_of_ports_are_refused "-80 is a port to it"
}

@test "a port that is no number is refused" {
	kept a_port_that_is_no_number_is_refused
}

@test "signs of counts are refused" {
	kept signs_of_counts_are_refused "-1 is a number to it"
}

@test "paths are exact" {
	kept paths_are_exact "whatever begins with /a is an announce to it"
}

@test "the path of a scrape is exact" {
	kept the_path_of_a_scrape_is_exact \
	    "whatever begins with /sc is a scrape to it"
}

@test "retry in is minutes or never" {
	kept retry_in_is_minutes_or_never
}

@test "a reply says whether it closes" {
	kept a_reply_says_whether_it_closes "it closes without a word of it"
}

@test "a client that closes is closed" {
	kept a_client_that_closes_is_closed
}

@test "a connection serves many" {
	kept a_connection_serves_many "it closes after each reply"
}

@test "pipelined requests are answered in turn" {
	kept pipelined_requests_are_answered_in_turn \
	    "it closes after each reply"
}

@test "a request may come in parts" {
	kept a_request_may_come_in_parts
}

@test "other methods announce nothing" {
	kept other_methods_announce_nothing
}

@test "rubbish is no 200" {
	kept rubbish_is_no_200
}

@test "a refusal ends no connection" {
	kept a_refusal_ends_no_connection "it closes after each reply"
}

@test "a scrape counts" {
	kept a_scrape_counts
}

@test "a scrape changes nothing" {
	kept a_scrape_changes_nothing
}

@test "scraped keys are sorted and there once" {
	kept scraped_keys_are_sorted_and_there_once \
	    "it writes them as they were asked"
}

@test "a scrape of the unknown is no error" {
	kept a_scrape_of_the_unknown_is_no_error
}

@test "a scrape of no hash is refused" {
	kept a_scrape_of_no_hash_is_refused
}

@test "a full scrape is refused" {
	kept a_full_scrape_is_refused "Debian builds it to give them"
}

@test "paused is no downloader" {
	kept paused_is_no_downloader "it has no BEP 21"
}

@test "compact unless it is said" {
	kept compact_unless_it_is_said
}

@test "dictionaries if asked" {
	kept dictionaries_if_asked "it says 400 to compact=0"
}

@test "IPv6 peers are peers6" {
	kept ipv6_peers_are_peers6 "Debian builds it for IPv4 alone"
}

@test "each family is told of both" {
	kept each_family_is_told_of_both "Debian builds it for IPv4 alone"
}

@test "one peer may have both families" {
	kept one_peer_may_have_both_families "Debian builds it for IPv4 alone"
}

@test "the external ip is said" {
	kept the_external_ip_is_said "it has no BEP 24"
}

@test "the external ip of IPv6 is 16 bytes" {
	kept the_external_ip_of_ipv6_is_16_bytes \
	    "Debian builds it for IPv4 alone"
}

@test "loopback may say another address" {
	kept loopback_may_say_another_address "Debian builds it without ip="
}

@test "UDP: connects" {
	kept udp_connects
}

@test "UDP: connect needs the magic" {
	kept udp_connect_needs_the_magic
}

@test "UDP: announces" {
	kept udp_announces
}

@test "UDP: leaves the asker out" {
	kept udp_leaves_the_asker_out "it tells the asker of itself"
}

@test "UDP: tells seeds of no seeds" {
	kept udp_tells_seeds_of_no_seeds "it tells seeds of all"
}

@test "UDP: keeps to num_want" {
	kept udp_keeps_to_num_want
}

@test "UDP: tells of fifty unless it is said" {
	kept udp_tells_of_fifty_unless_it_is_said "it fills the packet"
}

@test "UDP: num_want of 0 is none" {
	kept udp_num_want_of_0_is_none
}

@test "UDP: knows the events" {
	kept udp_knows_the_events
}

@test "UDP: scrapes in the order asked" {
	kept udp_scrapes_in_the_order_asked
}

@test "UDP: and HTTP are one" {
	kept udp_and_http_are_one
}

@test "UDP: refuses port 0" {
	kept udp_refuses_port_0 "it keeps a port of 0"
}

@test "UDP: ids serve more than once" {
	kept udp_ids_serve_more_than_once
}

@test "UDP: ids that were not given are not served" {
	kept udp_ids_that_were_not_given_are_not_served
}

@test "UDP: ids of another address are not served" {
	kept udp_ids_of_another_address_are_not_served
}

@test "UDP: bad ids are told so" {
	kept udp_bad_ids_are_told_so
}

@test "UDP: amplifies nothing" {
	kept udp_amplifies_nothing
}

@test "UDP: what is short is not served" {
	kept udp_what_is_short_is_not_served
}

@test "UDP: other actions are not served" {
	kept udp_other_actions_are_not_served
}

@test "UDP: packets may be longer" {
	kept udp_packets_may_be_longer
}

@test "UDP: options are skipped" {
	kept udp_options_are_skipped
}

@test "UDP: of IPv6 has 18 bytes a peer" {
	kept udp_of_ipv6_has_18_bytes_a_peer "Debian builds it for IPv4 alone"
}

@test "UDP: of IPv4 is told of IPv4 alone" {
	kept udp_of_ipv4_is_told_of_ipv4_alone \
	    "Debian builds it for IPv4 alone"
}
