# A malformed operand of every kind gives one clear sentence and status 3, from
# every tool that takes a torrent, and leaves nothing on disk.

setup() {
	load ../lib/common
	bt_setup
	mkdir bad out
	python3 - <<-'P'
		import os, sys
		sys.path.insert(0, os.environ["BT_ROOT"] + "/tests/lib")
		from bencode import bencode

		def info(**k):
		    d = {b"length": 10, b"name": b"x", b"piece length": 16384,
		         b"pieces": b"h" * 20}
		    for key, v in k.items():
		        key = key.replace("_", " ").encode()
		        d.pop(key, None) if v is None else d.__setitem__(key, v)
		    return d

		def files(*paths, size=5):
		    return info(length=None, files=[
		        {b"length": size, b"path": p} for p in paths])

		whole = bencode({b"info": info()})
		cases = {
		    "empty": b"",
		    "one byte": b"d",
		    "text": b"this is not a torrent\n",
		    "truncated": whole[:-3],
		    "truncated early": whole[:20],
		    "a list": b"le",
		    "no info": bencode({b"announce": b"http://a/"}),
		    "info is a string": bencode({b"info": b"x"}),
		    "name is a number": bencode({b"info": info(name=1)}),
		    "name is empty": bencode({b"info": info(name=b"")}),
		    "length is a string": bencode({b"info": info(length=b"10")}),
		    "negative length": bencode({b"info": info(length=-1)}),
		    "huge length": whole.replace(b"i10e", b"i99999999999999999999e"),
		    "length over 2^62": bencode({b"info": info(length=2**63 - 1)}),
		    "piece length 0": bencode({b"info": info(piece_length=0)}),
		    "negative piece length": bencode({b"info": info(piece_length=-1)}),
		    "huge piece length": bencode({b"info": info(piece_length=2**40)}),
		    "too many pieces": bencode({b"info": info(pieces=b"h" * 40)}),
		    "too few pieces": bencode({b"info": info(pieces=b"")}),
		    "pieces not of 20": bencode({b"info": info(pieces=b"h" * 19)}),
		    "pieces is a list": bencode({b"info": info(pieces=[])}),
		    "huge string": b"d4:info99999999999:x",
		    "string length wraps": b"d4:info18446744073709551620:x",
		    "name is ..": bencode({b"info": info(name=b"..")}),
		    "name is absolute": bencode({b"info": info(name=b"/etc/passwd")}),
		    "name has NUL": bencode({b"info": info(name=b"a\0b")}),
		    "path has ..": bencode({b"info": files([b"..", b"x"], [b"y"])}),
		    "path is absolute": bencode({b"info": files([b"/x"], [b"y"])}),
		    "path has NUL": bencode({b"info": files([b"a\0b"], [b"y"])}),
		    "path has slash": bencode({b"info": files([b"a/b"], [b"y"])}),
		    "path is empty": bencode({b"info": files([], [b"y"])}),
		    "component is empty": bencode({b"info": files([b""], [b"y"])}),
		    "component is .": bencode({b"info": files([b"."], [b"y"])}),
		    "path is a string": bencode({b"info": files(b"x", [b"y"])}),
		    "same path twice": bencode({b"info": files([b"y"], [b"y"])}),
		    "file and folder": bencode({b"info": files([b"y"], [b"y", b"z"])}),
		    "negative file": bencode({b"info": files([b"a"], [b"b"], size=-5)}),
		    "sizes that wrap": bencode({b"info": files(
		        *[[b"%d" % i] for i in range(4)], size=2**62)}),
		    "no files": bencode({b"info": info(length=None, files=[])}),
		    "a million lists": b"l" * 10**6 + b"e" * 10**6,
		    "a million dicts": b"d1:a" * 10**6,
		    "info a million deep": b"d4:info" + b"l" * 10**6,
		}
		for name, data in cases.items():
		    open(os.path.join("bad", name), "wb").write(data)
	P
}
teardown() {
	bt_teardown
}

# refused TOOL...: each bad file, as the tool's last operand
refused() {
	local f

	for f in bad/*; do
		run --separate-stderr timeout 10 "$@" "$f"
		echo "$* '$f': status $status, '$stderr'"
		[ "$status" -eq 3 ]
		[ -z "$output" ]
		[ "${#stderr_lines[@]}" -eq 1 ]
		[[ $stderr == "$1: "*"'$f'"* ]]
		[[ $stderr != *[[:cntrl:]]* ]]
	done
}

@test "bt-info refuses whatever is no torrent" {
	[ "$(ls bad | wc -l)" -gt 40 ]
	refused bt-info
}

@test "bt-get refuses whatever is no torrent, and makes nothing" {
	refused bt-get --no-tracker --port 0 -d out
	[ -z "$(ls -A out)" ]
}

@test "bt-seed refuses whatever is no torrent" {
	refused bt-seed --no-tracker --port 0 -d out
}

@test "bt-scrape refuses whatever is no torrent" {
	refused bt-scrape
}

# Mutations of real torrents, each to a program of its own: status 0, or 3 and one
# sentence, in turn for showing it and for --lint.
@test "bt-info shows, refuses or lints each of 2000 mutated torrents" {
	make -s -C "$BT_ROOT" build/tests/fuzz/mutate
	mkdir mutants
	"$BT_ROOT/build/tests/fuzz/mutate" -w mutants 2000 3 \
	    "$BT_ROOT"/tests/data/torrents/*.torrent
	run python3 - <<-'P'
		import os, subprocess, sys

		shown = 0
		for i, name in enumerate(sorted(os.listdir("mutants"))):
		    path = "mutants/" + name
		    option = ["--lint"] if i % 2 else []
		    p = subprocess.run(["bt-info", *option, path], timeout=60,
		        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
		    said = p.stderr.decode()
		    ok = p.returncode == 0 and said == "" or \
		        p.returncode == 3 and said.count("\n") == 1 and \
		        said.startswith("bt-info: '%s'" % path) and \
		        (option or p.stdout == b"")
		    if not ok:
		        sys.exit("%s %s: %d, %r" % (path, option, p.returncode,
		            said))
		    shown += p.returncode == 0 and not option
		print("%d of 1000 are shown still" % shown)
		sys.exit(shown < 100)
	P
	echo "$output"
	assert_success
}
