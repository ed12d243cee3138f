#!/usr/bin/env bash
# plant.sh - bugs planted in a copy of the core are caught.
#
# Each is one substitution that must fit the source and still compile, and a
# scenario that must fail with it, and say so with a word of why.
set -u

root=$(pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
passed=0 failed=0

# miss NAME WHAT: nothing was caught
miss() {
	echo "not caught: $1"
	echo "$2" | tail -5
	failed=$((failed + 1))
}

# What the lines that tell of a failure say, each without who and when.
failures() {
	sed -nE 's/^[a-z]+ seed [0-9]+: at [^:]*: //p
	    s/^[a-z]+ seed [0-9]+: (ended by signal)/\1/p
	    s/^.*(Assertion .*)$/\1/p'
}

# plant NAME FILE SED SCENARIO WHY [RUNS]: WHY must be in what is said of one
plant() {
	local name=$1 file=common/core/$2 edit=$3 scenario=$4 why=$5 runs=${6:-5}
	local said status told

	sed -i -E "$edit" "$dir/$file"
	if cmp -s "$root/$file" "$dir/$file"; then
		miss "$name" "the plant does not fit $file"
		return
	fi
	if ! said=$(make -C "$dir" --no-print-directory -s CFLAGS=-O1 \
	    build/tests/sim/sim 2>&1); then
		cp "$root/$file" "$dir/$file"
		miss "$name" "it does not compile: $said"
		return
	fi
	cp "$root/$file" "$dir/$file"
	said=$("$dir/build/tests/sim/sim" -r "$runs" "$scenario" 2>&1)
	status=$?
	told=$(failures <<<"$said" | grep -oEm1 "$why" | head -1)
	if [ $status -ne 1 ] || [ -z "$told" ]; then
		miss "$name" "$said"
		return
	fi
	echo "caught: $name: $told"
	passed=$((passed + 1))
}

cp -a Makefile common tests "$dir/"

plant 'what is asked is not recorded' begun.c \
    '/^ask\(struct/,/^}/ { /asked\[k->asked\]--/d; /k->asked\+\+/d; /asked\[k->asked\]\+\+/d }' \
    rough 'twice|check|Assertion'
plant 'a piece is announced though its hash is wrong' jobs_out.c \
    's/r->status == BT_DISK_OK\)$/r->status != BT_DISK_ERROR)/' \
    liar 'says piece|announces piece|its pieces'
plant 'blocks of the dead are not released' roster.c \
    '/^let_go\(/,/^}/ s/^\tbt_requests_drop_all\(t, p\);$//' \
    rough 'check|finished|Assertion'
plant 'chokers are asked' requests.c \
    's/return !p->choking \|\|.*/return true;/; s/p->choking \? &p->fast_in : NULL/NULL/' \
    rough 'chokes it'
plant 'every giver is banned' spoil.c \
    's/if \(r->digests\[i\] != digests\[i\] \&\&/if (r->ngivers > 0 \&\&/' \
    liar 'spoiled nothing'
plant 'nobody is banned' roster.c \
    '/^bt_roster_ban\(/,/^}/ s/bt_candidates_ban\(t->cands, &who\);/return;/' \
    fraud 'did not ban|finished|signal'
plant 'endgame begins at once' picker.c \
    '/^bt_picker_is_endgame\(/,/^}/ s/return .*/return p->lack.set > 0 || (/; /^bt_picker_is_endgame\(/,/^}/ s/ready.n == 0;/ready.n == 0);/' \
    rough 'asked of nobody'
plant 'the ceiling is forgotten' pieces.c \
    '/^has_room\(/,/^}/ s/return need <= .*/return true;/' \
    rough 'holds'
plant 'blocks that came are not waste' inbox.c \
    's/t->wasted \+= .*/;/' \
    echo 'check|gained'
plant 'a piece whose disk failed is taken for good' jobs_out.c \
    's/r->status == BT_DISK_OK\)$/r->status != BT_DISK_MISMATCH)/' \
    faults 'says piece|announces piece|its pieces' 40
plant 'a seed keeps who asks for what is not there' upload.c \
    '/^bt_upload_on_request\(/,/^}/ s/^\t\tbt_roster_blame\($/\t\tif (t->harvested > 0) &/' \
    outside 'still keeps'
plant 'a file is told of too soon' harvest.c \
    's/--t->file_left\[i\] == 0/--t->file_left[i] == 1/' \
    rough 'says file'

echo "passed: $passed"
echo "failed: $failed"
[ "$failed" -eq 0 ]
