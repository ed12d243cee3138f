#!/usr/bin/env bash
# check.sh SUITE... - run suites, count what passed, say so in one line.
#
# SUITE is "name=command". A command's output is shown as it comes; its tests
# are counted from what cmocka, bats (TAP), the simulator and the corpora print.
# A command that fails without naming a failed test counts as one failure, and
# one that runs nothing does too. Exits 1 if anything failed.
set -u

passed=0 failed=0 skipped=0
broken=
log=$(mktemp)
trap 'rm -f "$log"' EXIT

count() { grep -cE "$1" "$log" || :; }
sum() { sed -nE "$1" "$log" | awk '{ n += $1 } END { print n + 0 }'; }

for suite; do
	name=${suite%%=*}
	start=$SECONDS
	printf '\n==== %s\n' "$name"
	bash -c "${suite#*=}" 2>&1 | tee "$log"
	status=${PIPESTATUS[0]}
	skip=$(count '^ok [0-9]+ .*# skip')
	ok=$(($(count '^ok [0-9]+ ') - skip +
	    $(sum 's/^\[  PASSED  \] ([0-9]+) test.*/\1/p') +
	    $(sum 's/^passed: ([0-9]+)$/\1/p')))
	bad=$(($(count '^not ok [0-9]+ ') +
	    $(sum 's/^ *([0-9]+) FAILED TEST\(S\)$/\1/p') +
	    $(sum 's/^failed: ([0-9]+)$/\1/p')))
	if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then
		echo "$name: ended with status $status"
		bad=1
	fi
	if [ $((ok + bad + skip)) -eq 0 ]; then
		echo "$name: ran nothing"
		bad=1
	fi
	# A missing peer skips its test on a user's machine, and fails it in CI.
	if [ "${CI:-}" = true ] && [ "$skip" -gt 0 ]; then
		echo "$name: $skip skipped, which CI does not allow"
		bad=$((bad + skip)) skip=0
	fi
	[ "$bad" -eq 0 ] || broken="$broken $name"
	passed=$((passed + ok)) failed=$((failed + bad))
	skipped=$((skipped + skip))
	printf -- '---- %s: %d passed, %d failed, %d skipped, %d s\n' \
	    "$name" "$ok" "$bad" "$skip" $((SECONDS - start))
done

[ -z "$broken" ] || printf '\nfailed in:%s\n' "$broken"
printf '\n%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
