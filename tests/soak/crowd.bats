# Many connections to bt-tracker: 15,000 that are idle, or as many as the hard
# limit of descriptors less 1,000 allows; more than it takes; 10,000 that are
# slow. Others are served meanwhile, and it costs little memory and no time.

setup() {
	load ../lib/common
	bt_setup
	most=$(ulimit -Hn)
	[ "$most" != unlimited ] || most=1000000
}
teardown() { bt_teardown; }

# track OPTION...: $port
track() {
	bt_start tracker bt-tracker -l http://127.0.0.1:0 "$@"
	bt_line tracker 1
	port=$(sed -nE '1s/.*:([0-9]+)\/.*/\1/p' tracker.out)
}

# at_most N: N, or what the hard limit allows
at_most() {
	echo $((most - 1000 < $1 ? most - 1000 : $1))
}

crowd() {
	python3 "$BT_ROOT/tests/soak/crowd.py" "$port" "$@"
}

# begin KIND N: a crowd in the background; a line to descriptor 8 ends it
begin() {
	mkfifo go
	exec 8<>go
	bt_start "$1" bash -c 'exec python3 "$@" <&8' - \
	    "$BT_ROOT/tests/soak/crowd.py" "$port" "$1" "$2"
	bt_line "$1" 1 120
	assert_equal "$bt_line" "$2 there"
}

resident() {
	awk '/^VmRSS/ { print $2 }' "/proc/${bt_pids[tracker]}/status"
}

# CPU time of the tracker so far, in ms
cpu_ms() {
	local t ns sum=0

	for t in /proc/"${bt_pids[tracker]}"/task/*/schedstat; do
		read -r ns _ <"$t"
		((sum += ns / 1000))
	done
	echo $((sum / 1000))
}

# Announces are answered within a second: nobody waits for the crowd.
is_served() {
	run crowd ask 50
	assert_success
	echo "# slowest announce: $output ms" >&3
	[ "$output" -lt 1000 ]
}

# The tracker's CPU time in two seconds in which nothing is asked, in ms.
cpu_of_two_seconds() {
	local before=$(cpu_ms)

	bt_start wait timeout 2 tail -f /dev/null
	bt_wait wait || :
	echo $(($(cpu_ms) - before))
}

@test "15,000 idle connections cost little, and others are served" {
	local n=$(at_most 15000) before cpu

	track --workers 2
	is_served
	before=$(resident)
	begin idle "$n"
	echo "# $n connections, $((($(resident) - before) / 1024)) MB more," \
	    "$((($(resident) - before) * 1024 / n)) bytes each" >&3
	[ $(($(resident) - before)) -lt $((30 * 1024)) ]
	is_served
	cpu=$(cpu_of_two_seconds)
	echo "# $cpu ms of CPU in 2 s" >&3
	[ "$cpu" -lt 100 ]
	echo >&8
	bt_line idle 2
	assert_equal "$bt_line" "$n open"
}

@test "more than --max-connections are refused, and nothing spins" {
	local n=$(at_most 5000) cpu

	track --workers 2 --max-connections "$n"
	begin idle "$n"
	run crowd dial 500
	# a reset may overtake a refusal, but seldom
	[ "${output% refused}" -ge 450 ]
	cpu=$(cpu_of_two_seconds)
	echo "# at the limit of $n: $cpu ms of CPU in 2 s" >&3
	[ "$cpu" -lt 100 ]
	echo >&8
	bt_wait idle 30
	assert_equal "$(tail -n 1 idle.out)" "$n open"
	wait_until 10 is_served
}

@test "beyond the descriptors of the process nothing spins either" {
	local cpu

	# the crowd has its own limit, and waits where it is not accepted
	bt_start tracker bash -c 'ulimit -n 500; exec "$@"' - \
	    bt-tracker -l http://127.0.0.1:0 --workers 1 --timeout 60 \
	    --max-connections 10000
	bt_line tracker 1
	port=$(sed -nE '1s/.*:([0-9]+)\/.*/\1/p' tracker.out)
	begin idle 400
	bt_start waiting python3 -c '
import signal, socket, sys
conns = [socket.create_connection(("127.0.0.1", int(sys.argv[1])))
         for _ in range(200)]
print("there", flush=True)
signal.pause()' "$port"
	bt_line waiting 1 30
	cpu=$(cpu_of_two_seconds)
	echo "# out of descriptors: $cpu ms of CPU in 2 s" >&3
	[ "$cpu" -lt 300 ]
	echo >&8
	bt_wait idle 30
	assert_equal "$(tail -n 1 idle.out)" "400 open"
	bt_kill waiting KILL
	bt_wait waiting
	wait_until 10 is_served
}

@test "10,000 slow senders are cut, and others are served" {
	local n=$(at_most 10000)

	track --workers 2 --timeout 3
	begin slow "$n"
	is_served
	bt_line slow 2 60
	assert_equal "$bt_line" "$n cut, 0 answered"
	is_served
	bt_kill tracker
	bt_wait tracker
	assert_equal "$bt_status" 143
}
