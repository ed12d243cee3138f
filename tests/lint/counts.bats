# tests/lib/check.sh, which runs the suites: what it counts, and what it fails.

setup() {
	load ../lib/common
	bt_setup
	unset CI
	check=$BT_ROOT/tests/lib/check.sh
}
teardown() {
	bt_teardown
}

@test "what each kind of suite prints is counted" {
	run "$check" 'tap=echo ok 1 a; echo ok 2 b' \
	    'cmocka=echo "[  PASSED  ] 5 test(s)."' 'sim=echo passed: 70'
	assert_success
	assert_line --index -1 '77 passed, 0 failed, 0 skipped'
}

@test "a failed test, a failed command and a suite that runs nothing fail" {
	run "$check" 'a=echo ok 1 a; echo not ok 2 b' 'b=echo ok 1 a; exit 3' \
	    'c=:' 'd=echo " 2 FAILED TEST(S)"'
	assert_failure 1
	assert_line --partial 'failed in: a b c d'
	assert_line --index -1 '2 passed, 5 failed, 0 skipped'
	run "$check"
	assert_failure 1
}

@test "what failed is said once more at the end, with what it wrote" {
	run "$check" 'a=echo not ok 1 b; echo "# why b"; echo ok 2 c; echo "# of c"' \
	    'd=echo "[  ERROR   ] --- e"; echo "[  FAILED  ] e";
		echo " 1 FAILED TEST(S)"' \
	    'f=echo ok 1 f' 'g=echo broke; exit 1'
	assert_failure 1
	assert_equal "$(sed -n '/^---- g:/,$p' <<<"$output" | grep .)" \
	    "$(echo "$output" | grep -- '^---- g:')
---- failed in a
not ok 1 b
# why b
---- failed in d
[  ERROR   ] --- e
[  FAILED  ] e
---- failed in g
broke
failed in: a d g
2 passed, 3 failed, 0 skipped"
}

@test "what is skipped fails in CI" {
	run "$check" 'a=echo "ok 1 a # skip no peer"; echo ok 2 b'
	assert_success
	assert_line --index -1 '1 passed, 0 failed, 1 skipped'
	CI=true run "$check" 'a=echo "ok 1 a # skip no peer"; echo ok 2 b'
	assert_failure 1
	assert_line --index -1 '1 passed, 1 failed, 0 skipped'
}

@test "suites of idle time run beside the next ones, in turn, and count" {
	mkfifo ready go
	# a waits for c and d, which wait for nobody; b comes after a
	run timeout 30 "$check" 'a&=cat ready go; echo ok 1 a' \
	    'b&=chrt -p $$; echo not ok 1 b' 'c=echo go >ready; echo ok 1 c' \
	    'd=echo go >go; echo ok 1 d'
	assert_failure 1
	assert_line --partial SCHED_IDLE
	assert_line --index 0 '==== c'
	assert_line 'failed in: b'
	assert_line --index -1 '3 passed, 1 failed, 0 skipped'
	run timeout 30 "$check" 'last&=exit 4'
	assert_failure 1
	assert_line 'last: ended with status 4'
}

@test "a suite that measures waits for what runs in idle time" {
	mkfifo ready
	run timeout 30 "$check" 'a&=cat ready; echo ok 1 a; touch over' \
	    'b=echo go >ready; echo ok 1 b' 'c!=test -e over && echo ok 1 c' \
	    'd&=echo ok 1 d'
	assert_success
	assert_line --partial '---- c: 1 passed'
	assert_line --index -1 '4 passed, 0 failed, 0 skipped'
	run grep -n '^==== ' - <<<"$output"
	assert_equal "$(sed 's/.* //' <<<"$output" | tr -d '\n')" bacd
}

@test "whoever ends it ends what runs in idle time" {
	mkfifo up hold never
	bt_start check "$check" 'a&=echo $$ >up; exec cat never' \
	    'b=cat up >pid; echo up; cat hold'
	bt_line check 3 30
	[ "$bt_line" = up ]
	bt_kill check
	bt_wait check
	[ "$bt_status" -ne 0 ]
	wait_until 10 bt_is_gone "$(cat pid)"
	echo over >hold # b is not of the lane, and ends by itself
}
