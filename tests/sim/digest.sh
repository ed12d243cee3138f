#!/usr/bin/env bash
# digest.sh BUILD CFLAGS... - a seed replays a run exactly.
#
# The small scenarios are run as the tools are built, by clang, and under the
# sanitizers; every run must end well and leave the same digest of all that
# happened. The rest of the arguments are the sanitizers' flags.
set -u

digest='^[a-z]+ [0-9]+ [0-9a-f]{40}$'
build=$1
shift
make=(make --no-print-directory -s)
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# one NAME DIR MAKE-ARGUMENT...: a digest of each run to $out/NAME; what did not
# end well is bad
one() {
	local name=$1 dir=$2 status runs

	shift 2
	if ! "${make[@]}" BUILD="$dir" "$@" "$dir/tests/sim/sim" \
	    >"$out/log" 2>&1; then
		cat "$out/log"
		echo "$name: does not build"
		echo 'failed: 1'
		exit 1
	fi
	"$dir/tests/sim/sim" -d >"$out/all" 2>&1
	status=$?
	grep -E "$digest" "$out/all" | sort >"$out/$name"
	[ $status -ne 0 ] || return
	echo "of the $name build:"
	grep -vE "$digest" "$out/all"
	runs=$(grep -c '^to replay: ' "$out/all")
	bad=$((bad + (runs > 0 ? runs : 1)))
}

bad=0
one plain "$build"
one clang "$build/clang" CC=clang CFLAGS="-O2 -Werror"
one sanitized "$build/asan" CFLAGS="$*"
for other in clang sanitized; do
	diff "$out/plain" "$out/$other" >"$out/diff" && continue
	echo "not the same as of the $other build:"
	cat "$out/diff"
	bad=$((bad + 1))
done
good=$(($(wc -l <"$out/plain") - bad))
echo "passed: $((good > 0 ? good : 0))"
echo "failed: $bad"
[ "$bad" -eq 0 ]
