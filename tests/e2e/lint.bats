# bt-info --lint: each id has torrents that have that fault and no other; what is
# right has none; how it is told, in a pipe, on a terminal and in JSON.

setup() {
	load ../lib/common
	bt_setup
	python3 "$BT_ROOT/tests/lib/lint_fixtures.py" all
}
teardown() { bt_teardown; }

# ids_of SEVERITY: as the man page has them, each one an item of a list
ids_of() {
	sed -n "/^\.Ss $1/,/^\.S[sh] /p" "$BT_ROOT/bt-info/bt-info.1" |
	    sed -n 's/^\.It Sy //p' | sort
}

@test "each id is in the man page and has torrents of its own, and no other" {
	run diff <( (ids_of Errors; ids_of Warnings) | sort) \
	    <(ls all | grep -v clean | sort)
	assert_output ''
	run diff <( (ids_of Errors; ids_of Warnings) | sort) \
	    <(sed -nE 's/^\t\[BT_LINT_.*= \{ "([a-z0-9-]+)".*/\1/p' \
		"$BT_ROOT/common/codec/lint.c" | sort)
	assert_output ''
}

@test "a clean torrent has no finding" {
	run --separate-stderr bt-info --lint --strict all/clean/*
	assert_success
	assert_output ''
	[ -z "$stderr" ]
	run --separate-stderr bt-info --lint --strict \
	    "$BT_ROOT"/tests/data/torrents/{mktorrent,transmission,libtorrent-v1}.torrent
	assert_success
	assert_output ''
}

@test "what bt-make makes has no finding" {
	mkdir -p album/sub
	head -c 50000 /dev/urandom >album/a
	head -c 50 /dev/urandom >album/sub/b
	: >album/empty
	bt-make -a http://t.example/announce -w http://s.example/ -p \
	    -o x.torrent album
	run bt-info --lint --strict x.torrent
	assert_success
	assert_output ''
}

# only SEVERITY STATUS ID: every torrent of it has this id alone, and this status
only() {
	local f

	for f in all/"$3"/*; do
		run --separate-stderr bt-info --lint "$f"
		echo "$f: $status '$output' '$stderr'"
		[ "$status" -eq "$2" ]
		[ "${#lines[@]}" -gt 0 ]
		run cut -f 2,3 <<<"$output"
		[ "$(sort -u <<<"$output")" = "$1"$'\t'"$3" ]
	done
}

@test "each error has its own id alone, and exits 3" {
	local id

	[ "$(ids_of Errors | wc -l)" -gt 20 ]
	for id in $(ids_of Errors); do
		only error 3 "$id"
	done
}

@test "each warning has its own id alone, and exits 0, or 1 with --strict" {
	local id

	[ "$(ids_of Warnings | wc -l)" -gt 9 ]
	for id in $(ids_of Warnings); do
		only warning 0 "$id"
		run bt-info -q --lint --strict "all/$id/1.torrent"
		assert_failure 1
		assert_output "bt-info: 'all/$id/1.torrent' has 1 warning"
	done
}

@test "a finding says where: the key's path and the byte's offset" {
	run --separate-stderr bt-info --lint all/path-traversal/3.torrent
	assert_failure 3
	offset=$(grep -abo '2:\.\.' all/path-traversal/3.torrent | cut -d: -f1)
	assert_output $'all/path-traversal/3.torrent\terror\tpath-traversal\t'$((
	    offset + 2))$'\tinfo.files[0].path[0]\t\'..\' is a folder and not a name'
	[ "$stderr" = "bt-info: 'all/path-traversal/3.torrent' has 1 error and 0 warnings" ]
	run --separate-stderr bt-info --lint all/unsorted-keys/1.torrent
	assert_output --partial $'\tunsorted-keys\t'"$(
	    grep -abo 8:announce all/unsorted-keys/1.torrent | cut -d: -f1
	)"$'\tannounce\t'
}

@test "a terminal gets sentences, and no byte of the torrent raw" {
	run script -qec 'bt-info --lint all/web-seed-slash/1.torrent' /dev/null
	assert_success
	assert_output --regexp '^all/web-seed-slash/1.torrent: warning: web-seed-slash: url-list\[0\], byte [0-9]+: the web seed of a folder should end with'
	printf 'd4:infod6:lengthi1e4:name1:x12:piece lengthi16384e6:pieces20:01234567890123456789e2:\033[i1e2:\033[i1ee' >c.torrent
	run script -qec 'bt-info --lint c.torrent' /dev/null
	assert_failure 3
	refute_output --partial $'\033'
	assert_output --partial 'duplicate-key: \x1b['
}

@test "--json is one object for each torrent" {
	run --separate-stderr bt-info --json --lint all/clean/1.torrent \
	    all/path-nul/1.torrent all/padding/1.torrent
	assert_failure 3
	run python3 -c '
import json, sys
for line in sys.argv[1].splitlines():
    o = json.loads(line)
    assert sorted(o) == ["errors", "findings", "torrent", "untold", "warnings"]
    print(o["torrent"], o["errors"], o["warnings"],
          [(f["id"], f["severity"], f["where"]) for f in o["findings"]])
    for f in o["findings"]:
        assert isinstance(f["offset"], int) and f["text"]
' "$output"
	assert_line "all/clean/1.torrent 0 0 []"
	assert_line "all/path-nul/1.torrent 1 0 [('path-nul', 'error', 'info.name')]"
	assert_line "all/padding/1.torrent 0 1 [('padding', 'warning', 'info.files[1]')]"
}

@test "of a thousand faults of one kind a hundred are told, and all counted" {
	python3 - <<-'P'
		import os, sys
		sys.path.insert(0, os.environ["BT_ROOT"] + "/tests/lib")
		import lint_fixtures as l
		open("many.torrent", "wb").write(l.torrent(l.folder(
		    *[(5, ["%d?" % i]) for i in range(1000)])))
	P
	run --separate-stderr bt-info --lint many.torrent
	assert_success
	[ "${#lines[@]}" -eq 100 ]
	[ "$stderr" = "bt-info: 'many.torrent': 900 more are not told" ]
	run bt-info --lint --strict -q many.torrent
	assert_failure 1
	assert_output --partial 'has 1000 warnings'
}

@test "--strict without --lint, and --lint with another way, are misuse" {
	run bt-info --strict all/clean/1.torrent
	assert_failure 2
	run bt-info --lint -l all/clean/1.torrent
	assert_failure 2
	run bt-info --tree --json all/clean/1.torrent
	assert_failure 2
}
