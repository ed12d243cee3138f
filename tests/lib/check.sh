#!/usr/bin/env bash
# check.sh SUITE... - run suites, count what passed, say so in one line.
#
# SUITE is "name=command". A command's output is shown as it comes; its tests
# are counted from what cmocka, bats (TAP), the simulator and the corpora print.
# "name&=command" runs in the machine's idle time, beside the suites after it: for
# what computes, beside what waits. Such suites run one after another, and are
# shown before the next "name!=command", which begins when they are over: for what
# measures; or at the end.
# A command that fails without naming a failed test counts as one failure, and
# one that runs nothing does too. Exits 1 if anything failed.
set -u

passed=0 failed=0 skipped=0
broken=
beside=() # suites of the lane that runs in idle time, or is to
lane=     # its process group
dir=$(mktemp -d)
trap '[ -z "$lane" ] || kill -- "-$lane" 2>/dev/null; rm -rf "$dir"' EXIT

idle=(chrt --idle 0)
"${idle[@]}" true 2>/dev/null || idle=(nice -n 19)

count() { grep -cE "$1" "$log" || :; }
sum() { sed -nE "$1" "$log" | awk '{ n += $1 } END { print n + 0 }'; }

# blame NAME: what $log says of its failures, kept for the end, where it is read
# by who sees no more than that: bats' tests with what they wrote, cmocka's reasons
# and names, what was skipped; of anything else the last lines.
blame() {
	broken="$broken $1"
	awk '/^not ok / { left = 16 } /^ok / { left = 0 }
	    left-- > 0 || /^\[  (ERROR|FAILED)/ || /^\[   LINE/ || /^ok .*# skip/' \
	    "$log" >"$dir/why"
	[ -s "$dir/why" ] || tail -n 16 "$log" >"$dir/why"
	{
		printf '\n---- failed in %s\n' "$1"
		head -n 60 "$dir/why" | cut -c 1-200
	} >>"$dir/failures"
}

# tally NAME STATUS SECONDS: what $log says
tally() {
	local name=$1 status=$2 skip ok bad

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
	[ "$bad" -eq 0 ] || blame "$name"
	passed=$((passed + ok)) failed=$((failed + bad))
	skipped=$((skipped + skip))
	printf -- '---- %s: %d passed, %d failed, %d skipped, %d s\n' \
	    "$name" "$ok" "$bad" "$skip" "$3"
}

run_lane() {
	local i start

	for i in "${!beside[@]}"; do
		start=$SECONDS
		"${idle[@]}" bash -c "${beside[i]#*=}" >"$dir/$i.log" 2>&1
		echo "$? $((SECONDS - start))" >"$dir/$i.end"
	done
}

begin_lane() {
	[ ${#beside[@]} -gt 0 ] && [ -z "$lane" ] || return
	set -m # a process group of its own
	run_lane </dev/null &
	lane=$!
	set +m
}

end_lane() {
	local i status took

	begin_lane
	[ -n "$lane" ] || return
	wait "$lane"
	lane=
	for i in "${!beside[@]}"; do
		log=$dir/$i.log
		read -r status took <"$dir/$i.end"
		printf '\n==== %s\n' "${beside[i]%%&=*}"
		cat "$log"
		tally "${beside[i]%%&=*}" "$status" "$took"
	done
	beside=()
}

for suite; do
	name=${suite%%=*}
	case $name in
	*'&')
		[ -z "$lane" ] || end_lane # there is one lane
		beside+=("$suite")
		continue
		;;
	*'!')
		end_lane
		name=${name%!}
		;;
	esac
	begin_lane
	start=$SECONDS
	printf '\n==== %s\n' "$name"
	log=$dir/log
	bash -c "${suite#*=}" 2>&1 | tee "$log"
	tally "$name" "${PIPESTATUS[0]}" $((SECONDS - start))
done
end_lane

if [ -n "$broken" ]; then
	cat "$dir/failures"
	printf '\nfailed in:%s\n' "$broken"
fi
printf '\n%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
