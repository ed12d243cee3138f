#!/usr/bin/env bash
# faults.sh SIM FROM COUNT - so many worlds of faults, from that seed on.
#
# Prints what failed with how to replay it, then how hosts and pieces were
# spread and how near the bound the slowest came. A long run can be had in
# parts: the seeds are numbers, and each world depends on its own alone.
set -u

sim=$1 from=$2 count=$3
"$sim" -s "$from" -r "$count" faults | awk '
/^faults +seed [0-9]+: [0-9]+ of/ {
	hosts = pieces = 0
	for (i = 2; i <= NF; i++) {
		if ($i == "hosts,") hosts = $(i - 1)
		if ($i == "pieces,") pieces = $(i - 1)
		if ($i == "stranded,") { stranded += $(i - 1); lost += $(i - 1) > 0 }
		if ($i == "failed," && $(i - 1) == "disks") broken += $(i - 2)
		if ($i == "bound,") share = $(i - 3)
		if ($i == "orphaned,") orphaned++
		if ($i == "s," && $(i + 2) == "events,") cpu += $(i - 1)
	}
	finished += $4
	leeches += $6
	a = int(log(hosts / 3) / log(20) * 5)
	b = int(log(pieces / 8) / log(50) * 5)
	n[a > 4 ? 4 : a, b > 4 ? 4 : b]++
	if (share > worst) worst = share
	tenth[share * 10 >= 9 ? 9 : int(share * 10)]++
	next
}
{ print }
END {
	printf "%d leeches: %d finished, %d stranded by a seed that died" \
	    " (in %d of %d such worlds), %d disks failed for good; %.0f s\n",
	    leeches, finished, stranded, lost, orphaned, broken, cpu
	print "hosts \\ pieces   8-17  18-37  38-83 84-182 183-400"
	split("3-5 6-9 10-17 18-32 33-60", h)
	for (a = 0; a < 5; a++) {
		printf "%14s", h[a + 1]
		for (b = 0; b < 5; b++) printf " %6d", n[a, b]
		print ""
	}
	printf "of the bound, by tenths:"
	for (i = 0; i < 10; i++) printf " %d", tenth[i]
	printf "; worst %.2f\n", worst
}'
exit "${PIPESTATUS[0]}"
