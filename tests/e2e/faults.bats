# The machine fails: each fault has its message and its exit code, and nothing
# is lost by it. tests/lib/faults.c is put between the tools and the kernel.

setup_file() {
	export FAULTS_SO=$BATS_FILE_TMPDIR/faults.so
	"${CC:-cc}" -O1 -shared -fPIC -o "$FAULTS_SO" \
	    "$BATS_TEST_DIRNAME/../lib/faults.c" -ldl
}
setup() {
	load ../lib/common
	bt_setup
	export FAULTS=$PWD/faults
	mkdir faults
}
teardown() {
	! mountpoint -q "$BATS_TEST_TMPDIR/small" ||
	    umount -l "$BATS_TEST_TMPDIR/small"
	bt_teardown
}

# faulty COMMAND...: with the faults in $FAULTS, which the sandbox would keep the
# tool from; in place of the shell, which is of its own under bt_start and run, so
# that signals reach it
faulty() {
	local arg command=()

	for arg; do
		command+=("$arg")
		case $arg in
		bt-*) command+=(--no-sandbox) ;;
		esac
	done
	LD_PRELOAD=$FAULTS_SO ASAN_OPTIONS=verify_asan_link_order=0 \
	    exec "${command[@]}"
}

# break_it NAME TEXT: a fault begins; it is there whole or not at all
break_it() {
	echo "$2" >faults/.new
	mv faults/.new "faults/$1"
}

begin_seed() {
	bt_start seed bt-seed --port 0 --bind 127.0.0.1 --no-tracker "$@"
	bt_line seed
	seed=${bt_line##*$'\t'}
}

begin_get() {
	bt_start get faulty bt-get --json --port 0 --bind 127.0.0.1 \
	    --no-tracker --peer "$seed" "$@"
}

get() {
	run --separate-stderr faulty timeout 60 bt-get --json --port 0 \
	    --bind 127.0.0.1 --no-tracker --peer "$seed" "$@"
}

# What the last `get` had when it began.
had() {
	sed -n 's/.*"event": *"start".*"have": *\([0-9]*\).*/\1/p' <<<"$output"
}

has_pieces() {
	[ "$(grep -c '"event": *"piece"' get.out)" -ge "$1" ]
}

make_file() {
	head -c "$1" /dev/urandom >x
	bt-make -l 64K -o x.torrent x
}

small_disk() {
	[ "$(id -u)" -eq 0 ] || skip "mounting needs root"
	mkdir small
	mount -t tmpfs -o size="$1" none small || skip "no tmpfs here"
}

@test "a disk that fills up midway is exit 7, and with room again it goes on" {
	small_disk 8m
	make_file 6000000
	begin_seed --limit-up 2M x.torrent
	begin_get -d small x.torrent
	wait_until 20 has_pieces 10
	head -c 8M /dev/zero >small/filler || :
	bt_wait get 20
	[ "$bt_status" -eq 7 ]
	grep -qx "bt-get: cannot write 'small/x.part': No space left on device" \
	    get.err
	rm small/filler
	get -d small x.torrent
	[ "$status" -eq 0 ]
	cmp x small/x
	[ "$(had)" -ge 10 ]
}

@test "a file that is larger than the free space is not begun" {
	small_disk 1m
	make_file 5000000
	seed=127.0.0.1:1
	get -d small x.torrent
	[ "$status" -eq 7 ]
	[[ $stderr == "bt-get: no space in 'small' for 'x': 4.8 MiB needed, "* ]]
	[ -z "$(ls -A small)" ]
}

@test "a read-only folder is exit 7" {
	small_disk 8m
	make_file 100000
	mount -o remount,ro small
	seed=127.0.0.1:1
	get -d small x.torrent
	[ "$status" -eq 7 ]
	[ "$stderr" = "bt-get: cannot open 'small/.x.lock': Read-only file\
 system" ]
	run --separate-stderr bt-make -o small/x.torrent x
	[ "$status" -eq 7 ]
	[ "$stderr" = "bt-make: cannot write 'small/x.torrent': Read-only file\
 system" ]
	run --separate-stderr timeout 10 bt-tracker -l 127.0.0.1:0 \
	    --state small/state
	[ "$status" -eq 7 ]
	[[ $stderr == *"small/state"*"Read-only file system" ]]
}

@test "a write that fails is exit 7, and what was written is kept" {
	make_file 6000000
	begin_seed --limit-up 2M x.torrent
	begin_get -d copy x.torrent
	wait_until 20 has_pieces 10
	break_it write "EIO x.part"
	bt_wait get 20
	[ "$bt_status" -eq 7 ]
	grep -qx "bt-get: cannot write 'copy/x.part': Input/output error" get.err
	rm faults/write
	get -d copy x.torrent
	[ "$status" -eq 0 ]
	[ "$(had)" -ge 10 ]
	cmp x copy/x
}

@test "a state that cannot be written is said, and the download goes on" {
	make_file 3000000
	begin_seed x.torrent
	break_it write "ENOSPC .bt-none"
	get -d copy x.torrent
	[ "$status" -eq 0 ]
	bt_kill seed
	bt_wait seed
	begin_seed --limit-up 200K x.torrent
	rm -r copy
	break_it write "ENOSPC .new"
	begin_get -d copy x.torrent
	wait_until 20 has_pieces 3
	bt_kill get
	bt_wait get
	[ "$bt_status" -eq 143 ]
	grep -q "^bt-get: cannot write 'copy/.x.[0-9a-f]*.new': No space left" \
	    get.err
	rm faults/write
	get -d copy x.torrent
	[ "$status" -eq 0 ]
	[ "$(had)" -ge 3 ]
	cmp x copy/x
}

@test "a state that could not be written is written when it can be" {
	local states

	# has_state: there is one that says something
	has_state() {
		states=(copy/.x.*.bt)
		[ -s "${states[0]}" ]
	}
	make_file 3000000
	begin_seed --limit-up 200K x.torrent
	break_it write "ENOSPC .new"
	begin_get -d copy x.torrent
	wait_until 20 has_pieces 3
	bt_kill seed KILL # no other piece comes
	break_it ahead 6
	wait_until 20 grep -q "cannot write 'copy/.x" get.err
	! has_state
	rm faults/write
	break_it ahead 12
	wait_until 8 has_state # later a sync has it written anyhow
	bt_kill get KILL
	[ "$(grep -c "cannot write" get.err)" -eq 1 ]
}

@test "content that cannot be read is exit 7 when it is checked" {
	make_file 1000000
	break_it read "EIO /x"
	run --separate-stderr faulty timeout 20 bt-seed --port 0 --no-tracker \
	    x.torrent
	[ "$status" -eq 7 ]
	[ "$stderr" = "bt-seed: cannot read 'x': Input/output error" ]
	run --separate-stderr faulty timeout 20 bt-info --check x x.torrent
	[ "$status" -eq 7 ]
	[[ $stderr == *"cannot read 'x': Input/output error" ]]
	run --separate-stderr faulty timeout 20 bt-make -o y.torrent x
	[ "$status" -eq 7 ]
	[[ $stderr == *"'x': Input/output error" ]]
	[ ! -e y.torrent ]
}

# An album of two files that share no piece.
make_album() {
	mkdir album
	head -c 1048576 /dev/urandom >album/a
	head -c 1048576 /dev/urandom >album/b
	bt-make -l 64K -o album.torrent album
}

begin_faulty_seed() {
	bt_start seed faulty bt-seed --port 0 --bind 127.0.0.1 --no-tracker \
	    "$@"
	bt_line seed
	seed=${bt_line##*$'\t'}
}

# The leech has file b whole and the other not at all.
expect_b_alone() {
	get --stall-timeout 3s -d copy album.torrent
	[ "$status" -eq 6 ]
	cmp album/b copy/album/b
	[ ! -e copy/album/a ]
}

@test "a piece that cannot be read is offered no more, and the rest is" {
	make_album
	begin_faulty_seed album.torrent
	break_it read "EIO album/a"
	expect_b_alone
	grep -q "cannot upload piece [0-9]*: cannot read 'album/a': Input/outp" \
	    seed.err
	[ "$(grep -c . seed.err)" -le 16 ]
}

@test "a file that changes under a seed is noticed and offered no more" {
	make_album
	begin_seed album.torrent
	printf X | dd of=album/a conv=notrunc status=none
	expect_b_alone
	grep -q "'album/a' has been changed or removed since it was opened" \
	    seed.err
}

@test "a file that is removed under a seed is noticed and offered no more" {
	make_album
	begin_seed album.torrent
	rm album/a
	expect_b_alone
	grep -q "'album/a' has been changed or removed since it was opened" \
	    seed.err
}

@test "a file that is cut short under a seed is noticed and offered no more" {
	make_album
	begin_seed album.torrent
	: >album/a
	expect_b_alone
	grep -q "cannot upload piece [0-9]*: 'album/a'" seed.err
	kill -0 "${bt_pids[seed]}"
}

@test "out of descriptors is said, and few are enough" {
	local i

	mkdir many
	for i in {1..60}; do
		head -c 20000 /dev/urandom >many/$i
	done
	bt-make -l 16K -o many.torrent many
	bt_start seed bash -c "ulimit -n 40; exec bt-seed --port 0 \
	    --bind 127.0.0.1 --no-tracker many.torrent"
	bt_line seed
	seed=${bt_line##*$'\t'}
	run --separate-stderr bash -c "ulimit -n 40; exec timeout 30 bt-get \
	    --port 0 --bind 127.0.0.1 --no-tracker --peer $seed -d copy \
	    many.torrent"
	[ "$status" -eq 0 ]
	diff -r many copy/many
	run --separate-stderr bash -c "ulimit -n 8; exec timeout 30 bt-get \
	    --port 0 --bind 127.0.0.1 --no-tracker --peer $seed -d none \
	    many.torrent"
	[ "$status" -eq 7 ]
	[[ $stderr == "bt-get: "*"Too many open files"* ]]
}

@test "a clock that jumps changes nothing" {
	make_file 4000000
	bt_start tracker faulty bt-tracker -l 127.0.0.1:0 --interval 60
	bt_line tracker
	bt_start seed faulty bt-seed --limit-up 1M --port 0 --bind 127.0.0.1 \
	    -a "$bt_line" x.torrent
	bt_line seed
	seed=${bt_line##*$'\t'}
	begin_get --stall-timeout 20s --timeout 60s -d copy x.torrent
	wait_until 20 has_pieces 3
	break_it clock 86400
	wait_until 20 has_pieces 20
	break_it clock -86400
	bt_wait get 40
	[ "$bt_status" -eq 0 ]
	cmp x copy/x
	bt_line tracker
	run --separate-stderr bt-scrape -i "$(bt-info -p info_hash x.torrent)" \
	    "$bt_line"
	[ "$status" -eq 0 ]
	[ "$(cut -f 2 <<<"$output")" -eq 1 ]
}

@test "a network that dies and comes back is waited for" {
	[ "$(id -u)" -eq 0 ] || skip "a namespace needs root"
	unshare -n true || skip "no namespaces here"
	make_file 4000000
	cat >in_there <<'END'
ip link set lo up
bt-seed --limit-up 1M --port 0 --bind 127.0.0.1 --no-tracker x.torrent \
    >seed.out 2>seed.err &
seed=$!
until [ -s seed.out ]; do read -rt 0.02 <>never || :; done
bt-get --json --port 0 --bind 127.0.0.1 --no-tracker --timeout 60s \
    --peer "$(cut -f 3 seed.out)" -d copy x.torrent >get.out 2>get.err &
get=$!
pieces() { grep -c '"event": *"piece"' get.out; }
until [ "$(pieces)" -ge 5 ]; do read -rt 0.02 <>never || :; done
ip link set lo down
read -rt 1 <>never # what was on its way has come
was=$(pieces)
read -rt 3 <>never
[ "$(pieces)" -eq "$was" ] || echo "it goes on over no network"
ip link set lo up
wait $get
echo "get: $?"
kill $seed
wait $seed
END
	mkfifo never
	bt_start there unshare -n bash in_there
	bt_wait there 60
	[ "$(cat there.out)" = "get: 0" ]
	cmp x copy/x
	[ ! -s get.err ]
}

@test "after a power cut what was synced is believed and the rest hashed" {
	local had_then

	mkdir faults/disk
	cat /proc/sys/kernel/random/uuid >faults/boot_id
	make_file 8000000
	begin_seed --limit-up 400K x.torrent
	begin_get -d copy x.torrent
	wait_until 20 has_pieces 20
	break_it ahead 40 # time for a sync
	synced() {
		[ -n "$(ls faults/disk)" ]
	}
	wait_until 20 synced
	had_then=$(grep -c '"event": *"piece"' get.out)
	saved() {
		[ "$(stat -c %Y copy/.x.*.bt)" -gt "$began" ]
	}
	began=$(date +%s)
	break_it ahead 50 # and for a save after it
	wait_until 20 has_pieces $((had_then + 10))
	wait_until 20 saved
	bt_kill get KILL
	bt_wait get
	[ "$(python3 "$BT_ROOT/tests/lib/power_cut.py" copy faults/disk)" -eq 1 ]
	cat /proc/sys/kernel/random/uuid >faults/boot_id
	bt_kill seed
	bt_wait seed
	begin_seed x.torrent
	get -d copy x.torrent
	[ "$status" -eq 0 ]
	cmp x copy/x
	[ "$(had)" -ge 15 ]
	[ "$(had)" -lt 110 ]
}

@test "a sync that fails is exit 7 and leaves no clean mark" {
	make_file 8000000
	begin_seed --limit-up 1M x.torrent
	begin_get -d copy x.torrent
	wait_until 20 has_pieces 5
	break_it sync "EIO x.part"
	break_it ahead 40
	bt_wait get 20
	[ "$bt_status" -eq 7 ]
	grep -q "^bt-get: cannot sync 'copy/x.*Input/output error$" get.err
	# bytes 48 .. 63 of the state: the boot id, not zeros
	[ "$(xxd -s 48 -l 16 -p copy/.x.*.bt)" != "$(printf '0%.0s' {1..32})" ]
	rm faults/sync
	get -d copy x.torrent
	[ "$status" -eq 0 ]
	cmp x copy/x
}
