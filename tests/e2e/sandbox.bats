# Every tool is confined: tried from inside the programs that users run, and
# seen from outside. What the tools do still works, in all the ways it is asked
# for that a rule for a folder could miss.

setup_file() {
	load ../lib/common
	export INSIDE=$BATS_FILE_TMPDIR/inside.so
	cc -shared -fPIC -D_GNU_SOURCE -o "$INSIDE" \
	    "$BT_ROOT/tests/lib/inside.c" -ldl
}

setup() {
	load ../lib/common
	bt_setup
	mkdir outside content
	echo secret >outside/secret
	head -c 100000 /dev/urandom >content/a
	echo b >content/b
	bt-make --no-sandbox -o t.torrent content
	hash=$(bt-info --no-sandbox -p info_hash t.torrent)
}
teardown() { bt_teardown; }

# A program that a sanitizer has instrumented has no filter, and no room for
# another library before the sanitizer's own.
needs_filter() {
	bt-info -v -p name t.torrent 2>&1 >/dev/null |
	    grep -q 'seccomp: [0-9]* calls refused' ||
	    skip 'NO FILTER: this build or kernel has none'
}

needs_landlock() {
	bt-info -v -p name t.torrent 2>&1 >/dev/null |
	    grep -q 'sandbox: Landlock ABI' ||
	    skip 'NO LANDLOCK in this kernel'
}

# inside COMMAND...: with the tries in it; report has what came of them
inside() {
	rm -f report
	BT_INSIDE_REPORT=$PWD/report BT_INSIDE_OUTSIDE=$PWD/outside \
	    LD_PRELOAD=$INSIDE "$@"
}

# expect_refused WHEN SOCKET: what the report says of that moment
expect_refused() {
	local files='Permission denied'

	bt-info -v -p name t.torrent 2>&1 >/dev/null |
	    grep -q 'no Landlock' && files=done
	run grep "^$1 " report
	assert_output "$1 read-outside: $files
$1 write-outside: $files
$1 make-outside: $files
$1 socket: $2
$1 ptrace: Operation not permitted
$1 exec: Operation not permitted"
	[ "$files" = done ] || [ ! -e outside/new ]
}

reported() { [ "$(grep -c "^$1 exec" report)" -ge "$2" ]; }

start_tracker() {
	bt_start tracker bt-tracker -l 127.0.0.1:0 "$@"
	bt_line tracker
	url=$bt_line
}

held() { # PID: all its threads have the filter and no new rights
	local f

	for f in /proc/"$1"/task/*/status; do
		grep -q '^NoNewPrivs:.1$' "$f" || return 1
		grep -q '^Seccomp:.2$' "$f" || return 1
	done
}

@test "bt-info and bt-make open nothing else, run nothing, have no socket" {
	needs_filter
	inside bt-info -p name t.torrent
	expect_refused enter 'Permission denied'
	inside bt-info --check content t.torrent
	expect_refused enter 'Permission denied'
	mkdir made
	inside bt-make -o made/t.torrent content
	expect_refused enter 'Permission denied'
	cmp t.torrent made/t.torrent
}

@test "bt-info has sockets where an operand is a URL" {
	needs_filter
	inside bt-info http://127.0.0.1:1/t.torrent || true
	expect_refused enter 'done'
}

@test "bt-scrape writes nothing and runs nothing, as it enters and as it waits" {
	needs_filter
	start_tracker
	inside bt-scrape "$url" t.torrent -a "$url"
	expect_refused enter 'done'
	expect_refused wait 'done'
}

@test "bt-get and bt-seed are confined while a download goes on" {
	needs_filter
	inside bt_start seed bt-seed --no-tracker --bind 127.0.0.1 --port 0 \
	    t.torrent content
	bt_line seed
	wait_until 10 reported wait 1
	held "${bt_pids[seed]}"
	expect_refused enter 'done'
	expect_refused wait 'done'
	mkdir copy
	inside bt-get --no-tracker --peer "${bt_line##*$'\t'}" -d copy t.torrent
	expect_refused enter 'done'
	expect_refused wait 'done'
	diff -r content copy/content
	# a folder that it makes itself is all that it has from then on
	inside bt-get --no-tracker --peer "${bt_line##*$'\t'}" -d new t.torrent
	rm -f outside/new
	grep -c '^wait' report
	expect_refused wait 'done'
	diff -r content new/content
}

@test "bt-tracker has no new sockets, in no thread" {
	needs_filter
	mkdir kept
	inside start_tracker --workers 2 --state kept/state
	wait_until 10 reported wait 2
	held "${bt_pids[tracker]}"
	expect_refused enter 'Permission denied'
	run sort -u <(grep ^wait report)
	assert_line 'wait socket: Permission denied'
	assert_line 'wait exec: Operation not permitted'
	refute_line 'wait socket: done'
	bt-scrape --announce -a "$url" t.torrent
}

@test "a log gives bt-tracker no file to read, and on stdout none at all" {
	needs_filter
	inside start_tracker --log=-
	wait_until 10 reported wait 1
	expect_refused enter 'Permission denied'
	bt_kill tracker
	bt_wait tracker
	needs_landlock
	mkdir kept
	echo secret >kept/secret
	rm -f report
	BT_INSIDE_REPORT=$PWD/report BT_INSIDE_OUTSIDE=$PWD/kept \
	    LD_PRELOAD=$INSIDE start_tracker --log=kept/log
	wait_until 10 reported wait 1
	grep -x 'wait read-outside: Permission denied' report
	grep -x 'wait make-outside: done' report
	bt_kill tracker
	bt_wait tracker
	[ ! -e ./- ]
}

@test "--no-sandbox keeps all, and -v says either" {
	for tool in 'bt-info -p name t.torrent' 'bt-make -o /dev/null content' \
	    "bt-get --no-tracker --timeout 0.1 -d x t.torrent" \
	    "bt-scrape --timeout 1 -a udp://127.0.0.1:1 t.torrent" \
	    "bt-seed --bind 127.0.0.1 --port 0 --no-tracker --until-time 0.1 t.torrent content"; do
		# shellcheck disable=SC2086
		run ${tool%% *} -v ${tool#* }
		assert_output --partial ': sandbox: '
		refute_output --partial 'sandbox: none'
		run ${tool%% *} -v --no-sandbox ${tool#* }
		assert_output --partial 'sandbox: none (--no-sandbox)'
		run ${tool%% *} ${tool#* }
		refute_output --partial 'sandbox'
	done
	start_tracker --no-sandbox
	grep -q '^Seccomp:.0$' "/proc/${bt_pids[tracker]}/status"
}

@test "not as root it is the same" {
	[ "$(id -u)" -eq 0 ] || skip 'not root: the other tests show it'
	chmod 755 "$BATS_TEST_TMPDIR"
	chmod 777 .
	sudo_nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)
	"${sudo_nobody[@]}" test -r t.torrent -a -x "$BT_BIN/bt-info" ||
	    skip 'nobody can not reach this folder'
	run "${sudo_nobody[@]}" "$BT_BIN/bt-info" -v -p name t.torrent
	assert_success
	assert_output --partial 'sandbox: '
	refute_output --partial 'not permitted'
	refute_output --partial 'none'
}

@test "what SIGHUP reads again may be replaced, also through links" {
	needs_landlock
	mkdir -p lists archive live
	echo "$hash" >archive/deny1
	: >archive/deny0
	ln -s ../archive/deny0 live/deny
	cp /dev/null lists/allow
	echo "$hash" >lists/allow
	bt_start tracker bt-tracker -v -l 127.0.0.1:0 --deny live/deny \
	    --allow lists/allow
	bt_line tracker
	bt-scrape --announce -a "$bt_line" t.torrent
	# the link is turned, and the other file renamed over
	ln -s ../archive/deny1 live/new && mv -T live/new live/deny
	echo "$hash" >lists/new && mv lists/new lists/allow
	bt_kill tracker HUP
	wait_until 10 grep -q "read 'live/deny' again: 1 entries" tracker.err
	wait_until 10 grep -q "read 'lists/allow' again: 1 entries" tracker.err
	run bt-scrape --announce -a "$bt_line" t.torrent
	[ "$status" -eq 5 ]
}

@test "a state file is saved where its link leads, and read again" {
	mkdir real
	: >real/state
	ln -s real/state state
	start_tracker --state state
	bt-scrape --announce --event started -a "$url" t.torrent
	bt_kill tracker
	bt_wait tracker
	[ -L state ]
	[ -s real/state ]
	start_tracker --state state
	run bt-scrape -a "$url" t.torrent
	assert_output --partial "$hash"$'\t0\t1\t'
}

@test "content behind links, and by its name in this folder, is served" {
	local peer args

	ln -s content link
	mkdir many && mv content many/content && ln -s many many-link
	ln -s many/content link2
	for args in 't.torrent link2' '-d many-link t.torrent' '-d many t.torrent'; do
		# shellcheck disable=SC2086
		bt_start seed bt-seed --no-tracker --bind 127.0.0.1 --port 0 $args
		bt_line seed
		peer=${bt_line##*$'\t'}
		bt-get --no-tracker --peer "$peer" -d copy t.torrent
		diff -r many/content copy/content
		rm -r copy
		bt_kill seed
		bt_wait seed
	done
	cd many
	bt_start seed bt-seed --no-tracker --bind 127.0.0.1 --port 0 ../t.torrent
	bt_line seed
	mkdir -p there && ln -s there to
	bt-get --no-tracker --peer "${bt_line##*$'\t'}" -d to ../t.torrent
	diff -r content there/content
	bt-get --no-tracker --peer "${bt_line##*$'\t'}" -s 1 -o there/x ../t.torrent
	cmp content/a there/x
	bt-get --no-tracker --peer "${bt_line##*$'\t'}" -s 1 -o - ../t.torrent >y
	cmp content/a y
	bt-get --no-tracker --peer "${bt_line##*$'\t'}" -d - ../t.torrent
	diff -r content ./-/content
}

@test "bt-seed without a PATH reads what the torrent names and no more" {
	needs_filter
	needs_landlock
	mkdir work && mv content work/
	echo hidden >work/secret
	cd work
	rm -f report
	BT_INSIDE_REPORT=$PWD/report BT_INSIDE_OUTSIDE=$PWD LD_PRELOAD=$INSIDE \
	    bt_start seed bt-seed --no-tracker --bind 127.0.0.1 --port 0 \
	    ../t.torrent
	bt_line seed
	wait_until 10 reported wait 1
	grep -x 'enter read-outside: done' report
	grep -x 'wait read-outside: Permission denied' report
}

@test "pipes, devices and files in the way of -o and of operands still work" {
	run bt-info -p info_hash <(cat t.torrent)
	assert_output "$hash"
	run bt-info -p info_hash - <t.torrent
	assert_output "$hash"
	mkfifo fifo
	cat fifo >got &
	bt-make -o fifo content
	wait $!
	cmp t.torrent got
	bt-make -o >(cat >got2) content
	wait_until 10 cmp -s t.torrent got2
	ln -s t.torrent other
	bt-make -f -o other content
	[ ! -L other ]
	run bt-make -o no/where content
	[ "$status" -eq 7 ]
	assert_output "bt-make: cannot write 'no/where': No such file or directory"
}
