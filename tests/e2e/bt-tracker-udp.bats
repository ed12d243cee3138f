# bt-tracker by UDP: BEP 15 and 41.

setup() {
	load ../lib/common
	load ../lib/tracker
	bt_setup
}
teardown() { bt_teardown; }

@test "UDP: announce and scrape, over IPv4 and IPv6 (BEP 15)" {
	track
	for at in 127.0.0.1 ::1; do
		udp "$at" "$port" announce id=a port=1001 left=5 event=2
		run udp "$at" "$port" announce id=b port=1002 left=0
		assert_line -n 0 "interval 5"
		assert_line -n 3 "peer $at 1001"
		assert_equal "${#lines[@]}" 4
		run udp "$at" "$port" announce id=a port=1001 left=0 event=1
		assert_equal "${#lines[@]}" 3
	done
	# one store behind both: 4 seeders, 2 completed, no leecher
	run udp 127.0.0.1 "$port" scrape h x
	assert_line -n 0 "4 2 0"
	assert_line -n 1 "0 0 0"
	udp 127.0.0.1 "$port" announce id=a port=1001 left=0 event=3
	run udp ::1 "$port" scrape h
	assert_output "3 2 0"
}

@test "UDP: nobody is told of a bad id in more bytes than it sent, or as many" {
	track
	# 25 bytes are as many as the error has, 26 are more; no id is good
	run python3 - "$port" <<-'P'
		import socket, sys
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		s.settimeout(10)
		s.connect(("127.0.0.1", int(sys.argv[1])))
		for n in 16, 25, 26:
		    s.send(bytes(11) + b"\x09" + b"%4d" % n + bytes(n - 16))
		print(s.recv(100)[4:])
	P
	assert_output "b'  26bad connection id'"
}

@test "UDP: what is too long or has options (BEP 41) is understood" {
	track
	run udp 127.0.0.1 "$port" announce left=1 extra=0205612f622f6300ffff
	assert_line "leechers 1"
	run udp 127.0.0.1 "$port" scrape {1..74}
	assert_equal "${#lines[@]}" 74
}

@test "UDP: numwant, and no more than fits a frame" {
	track --numwant-max 2000
	for i in {1001..1300}; do
		echo "url=http://[::1]:$port/announce?info_hash=hhhhhhhhhhhhhhhhhhhh&peer_id=$i................&port=$i&left=1"
	done >many
	curl -sS -g -K many >/dev/null
	hash=hash=hhhhhhhhhhhhhhhhhhhh
	run udp ::1 "$port" announce "$hash" left=1 numwant=1000 port=9
	assert_line "leechers 301"
	assert_equal "$(grep -c peer <<<"$output")" 79
	run udp ::1 "$port" announce "$hash" left=1 numwant=7 port=9
	assert_equal "$(grep -c peer <<<"$output")" 7
	run udp ::1 "$port" announce "$hash" left=1 numwant=-5 port=9
	assert_equal "$(grep -c peer <<<"$output")" 50
}

@test "UDP: a connection id is good for its address alone, in any worker" {
	track --workers 2
	read -r _ id <<<"$(udp 127.0.0.1 "$port" connect)"
	for i in {1..20}; do
		run udp -c "$id" 127.0.0.1 "$port" announce
		assert_line -n 0 "interval 5"
	done
	run udp -c "$id" -s 127.0.0.2 127.0.0.1 "$port" announce
	assert_output "error bad connection id"
	run udp -c 41727101980 127.0.0.1 "$port" scrape h
	assert_output "error bad connection id"
}

@test "UDP: rubbish gets no answer, and none longer than itself" {
	track
	for hex in 00 "$(printf '%030d' 0)" "$(printf '%032d' 0)" \
	    0000041727101980000000010000000100 ; do
		run udp -t 0.3 127.0.0.1 "$port" raw "$hex"
		assert_output silence
	done
	run udp 127.0.0.1 "$port" announce port=0
	assert_output "error port is not a number from 1 to 65535"
}

@test "UDP: the answer comes from the address that was asked" {
	track
	run udp 127.0.0.9 "$port" connect
	assert_output --partial "connection "
}

@test "UDP: a loopback client may say another IPv4 address" {
	track
	udp 127.0.0.1 "$port" announce id=a ip=192.0.2.9
	run udp 127.0.0.1 "$port" announce id=b port=1002
	assert_line "peer 192.0.2.9 1000"
	# the field means nothing in IPv6
	udp ::1 "$port" announce id=a ip=192.0.2.9
	run udp ::1 "$port" announce id=b port=1002
	assert_line "peer ::1 1000"
}
