# bt-info --web-seeds: what each url-list entry serves, from a server on loopback.

setup() {
	load ../lib/common
	bt_setup
	mkdir -p 'al bum/sub'
	head -c 200000 /dev/urandom >'al bum/a'
	: >'al bum/empty'
	head -c 9000 /dev/urandom >'al bum/sub/s?ng'
	head -c 70000 /dev/urandom >one
	bt_start serve python3 "$BT_ROOT/tests/lib/web_seed.py" .
	bt_line serve
	base=http://127.0.0.1:$bt_line
}
teardown() { bt_teardown; }

# verdict HOW STATUS REASON: of a seed of the folder, and of the one file
verdict() {
	bt-make -l 32K -w "$base/$1/" -o x.torrent 'al bum'
	bt-make -l 32K -w "$base/$1/one" -o y.torrent one
	for t in x y; do
		run --separate-stderr bt-info --web-seeds $t.torrent
		echo "$output / $stderr"
		[ "$status" -eq "$2" ]
		[[ $output == "$base/$1/"*$'\t'"$3"* ]]
		[ "${#lines[@]}" -eq 1 ]
		rm $t.torrent
	done
}

@test "a web seed that serves the content is ok" {
	verdict good 0 ok
	[ -z "$stderr" ]
	# BEP 19: a URL that ends with '/' is completed by the name
	bt-make -l 32K -w "$base/good/" -o y.torrent one
	run bt-info --web-seeds y.torrent
	assert_success
}

@test "of very many files in a piece only some are asked for" {
	mkdir many
	for i in {100..299}; do
		echo "$i" >many/$i
	done
	bt-make -l 32K -w "$base/good/" -o x.torrent many
	run bt-info --json --web-seeds x.torrent
	assert_success
	assert_output --partial '"length": true, "pieces": 0,'
	# the first 64 files
	echo >>many/163
	run bt-info --web-seeds x.torrent
	assert_failure 8
	echo 163 >many/163
	echo >>many/164
	run bt-info --web-seeds x.torrent
	assert_success
	# where there are other pieces those are asked for
	head -c 200000 /dev/urandom >many/z
	bt-make -l 32K -f -w "$base/good/" -o x.torrent many
	run bt-info --json --web-seeds x.torrent
	assert_success
	assert_output --partial '"pieces": 4, "good_pieces": 4,'
}

@test "v2 torrents and hybrids are asked for the same" {
	for kind in v2 hybrid; do
		python3 "$BT_ROOT/tests/lib/bep52.py" make $kind 'al bum' 32768 \
		    >plain.torrent
		python3 - "$base/good/" <<-'P'
			import sys
			u = sys.argv[1].encode()
			b = open("plain.torrent", "rb").read()
			open("x.torrent", "wb").write(
			    b[:-1] + b"8:url-listl%d:%see" % (len(u), u))
		P
		run --separate-stderr bt-info --web-seeds x.torrent
		assert_success
		assert_output "$base/good/"$'\tok\t'
		mv 'al bum/a' keep
		head -c 200000 /dev/zero >'al bum/a'
		run --separate-stderr bt-info --web-seeds x.torrent
		assert_failure 8
		assert_output --partial $'\tbad\tpiece 0 there is another'
		mv keep 'al bum/a'
	done
}

@test "another content, another length, no ranges: each is said" {
	verdict bad 8 $'bad\tpiece 0 there is another'
	verdict short 8 $'bad\tthe file there is shorter'
	verdict long 8 $'bad\tthe file there is longer'
	verdict plain 4 $'bad\tit answers no range requests'
}

@test "what is not there, or does not answer, is said" {
	mkdir -p gone
	printf x >gone/x
	bt-make -w "$base/good/" -o x.torrent gone
	rm -r gone
	run --separate-stderr bt-info --web-seeds x.torrent
	assert_failure 4
	assert_output "$base/good/"$'\tbad\tHTTP status 404'
	bt-make -w "$base/slow/" -o y.torrent 'al bum'
	run --separate-stderr bt-info --web-seeds --timeout 1 y.torrent
	assert_failure 6
	assert_output --partial 'no answer within 1 s'
	bt-make -w "$base/good/" -o z.torrent one
	bt_kill serve
	bt_wait serve
	run --separate-stderr bt-info --web-seeds z.torrent
	assert_failure 4
	assert_output --partial $'\tbad\t'
	[ "$stderr" = "bt-info: 1 of 1 web seeds of 'z.torrent' cannot be used" ]
}

@test "each of several is told, in JSON and on a terminal; none is exit 1" {
	bt-make -l 32K -w "$base/bad/" -w "$base/good/" -o x.torrent 'al bum'
	run --separate-stderr bt-info --json --web-seeds x.torrent
	assert_failure 8
	run python3 -c '
import json, sys
for l in sys.argv[1].splitlines():
    o = json.loads(l)
    print(o["url"].split("/")[3], o["ok"], o["reachable"], o["ranges"],
          o["length"], o["pieces"], o["good_pieces"],
          o["error"] and o["error"]["class"])' "$output"
	assert_output $'bad False True True True 1 0 mismatch\ngood True True True True 4 4 None'
	run script -qec 'bt-info --web-seeds x.torrent' /dev/null
	assert_output --partial "$base/good/: ok"
	assert_output --partial "$base/bad/: bad, piece 0 there is another"
	bt-make -o none.torrent one
	run --separate-stderr bt-info --web-seeds none.torrent
	assert_failure 1
	[ "$stderr" = "bt-info: 'none.torrent' has no web seeds" ]
	run bt-info --timeout 3 none.torrent
	assert_failure 2
}
