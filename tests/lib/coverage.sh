#!/usr/bin/env bash
# coverage.sh BUILD - lines of codec and core that unit tests, the simulator and
# the fuzz corpora run, of a build made with --coverage; a short table.
#
# Ends with "passed: N, failed: N": each room is to have 90 % at least.
set -u

build=$1
files=$(mktemp -d)
trap 'rm -rf "$files"' EXIT
gcov=${GCOV:-gcov}

bad=0 good=0
for room in codec core; do
	for c in common/$room/*.c; do
		o=$build/common/$room/$(basename "$c" .c).gcda
		if [ ! -e "$o" ]; then
			echo "$c 0 $(grep -c . "$c")"
			continue
		fi
		"$gcov" -n -o "$(dirname "$o")" "$c" 2>/dev/null | awk -v c="$c" '
		    /^File / { mine = index($0, "\x27" c "\x27") }
		    mine && /^Lines executed:/ {
			split($0, a, /[:% ]+/)
			printf "%s %d %d\n", c, a[3] * $NF / 100 + 0.5, $NF
			exit
		    }'
	done >"$files/$room"
	awk -v room=$room '
	{ run += $2; all += $3; p[$1] = $3 > 0 ? 100 * $2 / $3 : 100 }
	END {
		for (c in p)
			if (p[c] < 90)
				printf "  %-32s %5.1f %%\n", c, p[c]
		printf "%-8s %6d of %6d lines %5.1f %%\n", room, run, all,
		    100 * run / all
		exit run < all * 0.9
	}' "$files/$room" && good=$((good + 1)) || bad=$((bad + 1))
done
echo "passed: $good"
echo "failed: $bad"
[ "$bad" -eq 0 ]
