"""lint_fixtures.py FOLDER: for each id of bt-info --lint, torrents that have that
one fault and no other, as FOLDER/ID/NAME; torrents without any in FOLDER/clean.

A torrent is written by hand here, so that faults can be: a dictionary is a
Python dict, in whose own order its keys are written, or a list of pairs.
"""
import hashlib
import os
import sys

from bencode import Raw, as_bytes, bencode

PIECE = 16384


def changed(d, changes):
    d = dict(d)
    for key, value in changes.items():
        key = key.replace("_", " ")
        if value is None:
            d.pop(key, None)
        else:
            d[key] = value
    return d


def info(**changes):
    """One file of 20000 bytes."""
    return changed({"length": 20000, "name": "x", "piece length": PIECE,
                    "pieces": b"h" * 40}, changes)


def folder(*files, **changes):
    """Files given as (length, path, more...)."""
    entries = []
    size = 0
    for length, path, *more in files:
        entry = {"length": length, "path": path}
        for m in more:
            entry = changed(entry, m)
        entries.append(entry)
        size += length if isinstance(length, int) else 0
    pieces = b"h" * (20 * -(-size // PIECE))
    return info(length=None, files=entries, pieces=pieces, **changes)


def torrent(i=None, **root):
    return bencode(changed({"announce": "http://t.example/announce",
                        "info": info() if i is None else i}, root))


LAYER = b"1" * 32 + b"2" * 32  # of two leaves, which are pieces here
ROOT = hashlib.sha256(LAYER).digest()


def leaf(length, **changes):
    """A file of the tree, whose root is right where there is a layer."""
    return {"": changed({"length": length, "pieces root": ROOT}, changes)}


def v2(tree=None, layers=None, **changes):
    """BEP 52: a file of 20000 bytes, or this tree."""
    i = {"name": "x", "piece length": PIECE, "meta version": 2,
         "file tree": {"x": leaf(20000)} if tree is None else tree}
    return torrent(changed(i, changes), **{
        "piece layers": {ROOT: LAYER}
                               if layers is None else layers})


def hybrid(layers=None, **changes):
    i = info(**{"meta version": 2, "file tree": {"x": leaf(20000)}})
    return torrent(changed(i, changes), **{"piece layers": {ROOT: LAYER}
                                           if layers is None else layers})


WHOLE = torrent()
TRACKERS = ["http://a.example/announce", "udp://b.example:6969"]

CASES = {
    "clean": [
        WHOLE,
        torrent(info(private=1), comment="é", nodes=[["h.example", 6881]]),
        torrent(folder((16384, ["a"]), (5, ["b", "c"]), (0, ["b", "d"]))),
        torrent(folder((10, ["a"]), (PIECE - 10, [".pad", "16374"],
                                     {"attr": "p"}), (7, ["b"]))),
        torrent(folder((1, ["a"]), (1, ["A b"]), (1, ["a.b"], {"attr": "x"}))),
        torrent(announce=TRACKERS[0],
                **{"announce-list": [[TRACKERS[0]], [TRACKERS[1]]],
                   "url-list": ["http://s.example/x", "ftp://f.example/x"]}),
        torrent(**{"url-list": ""}, announce="wss://w.example"),
        torrent(folder((5, ["a"])), **{"url-list": "https://s.example/"}),
        torrent(info(length=5, pieces=b"h" * 20, piece_length=1 << 20)),
        v2(), v2({"a": leaf(20000), "b": {"c": leaf(5), "d": leaf(0)}}),
        hybrid(),
        torrent(changed(folder((5, ["a"]), (PIECE - 5, [".pad", "16379"],
                                            {"attr": "p"}), (5, ["b"])), {
            "meta version": 2,
            "file tree": {"a": leaf(5), "b": leaf(5)}}),
            **{"piece layers": {}}),
    ],
    "meta-version": [torrent(info(**{"meta version": 3})),
                     torrent(info(**{"meta version": 0}))],
    "v2-piece-length": [v2(piece_length=8192), hybrid(piece_length=20000,
                                                      pieces=b"h" * 20)],
    "v2-file-tree": [
        v2({}), v2({"x": {}}), v2({"x": 5}), v2({"x": {"": 5}}),
        v2({"x": leaf(-5)}), v2({"x": leaf("5")}),
        v2({"x": {"": {"pieces root": ROOT}}}),
        v2({"x": leaf(5, pieces_root=None)}),
        v2({"x": leaf(5, pieces_root=b"short")}),
        v2({"x": leaf(5, attr="p")})],
    "v2-piece-layers": [
        v2(layers={}), v2(layers={ROOT: LAYER[:32]}),
        v2(layers={ROOT: LAYER[::-1]}), hybrid(layers={}),
        v2(layers={ROOT: 5}), v2(layers={b"short": LAYER})],
    "v1-v2-mismatch": [
        hybrid(length=20001), hybrid(file_tree={"y": leaf(20000)}),
        hybrid(file_tree={"x": leaf(20000), "y": leaf(5)}),
        hybrid(file_tree={}),
        torrent(changed(folder((5, ["a"]), (5, ["b"])), {
            "meta version": 2,
            "file tree": {"a": leaf(5), "b": leaf(5)}}))],
    "malformed": [b"not a torrent", WHOLE[:-1], WHOLE[:40],
                  WHOLE.replace(b"i20000e", b"i2x000e"), b"d4:info99:xe"],
    "too-deep": [b"d1:a" + b"l" * 1000 + b"e" * 1001],
    "unsorted-keys": [
        bencode((("info", info()), ("announce", "http://t.example/"))),
        torrent(tuple(reversed(sorted(info().items()))))],
    "duplicate-key": [
        bencode((("announce", "http://t.example/"), ("info", info()),
             ("info", info()))),
        torrent((("length", 20000), ("length", 9), ("name", "x"),
                 ("piece length", PIECE), ("pieces", b"h" * 40)))],
    "odd-integer": [
        WHOLE.replace(b"i20000e", b"i020000e"),
        WHOLE.replace(b"4:name", b"04:name"),
        torrent(creation_date=Raw(b"i-0e")),
        torrent(creation_date=Raw(b"i-05e"))],
    "trailing-bytes": [WHOLE + b"\n", WHOLE + b"e"],
    "not-a-torrent": [b"le", b"4:spam", torrent(b"info"),
                      bencode({"announce": "http://t.example/"})],
    "missing-key": [
        torrent(info(name=None)), torrent(info(piece_length=None)),
        torrent(info(pieces=None)),
        torrent(folder((5, None, {"path": None}))),
        torrent(folder((5, ["a"], {"length": None}), (5, ["b"])))],
    "wrong-type": [
        torrent(info(name=5)), torrent(info(pieces=[])),
        torrent(info(length=b"10")), torrent(comment=["x"]),
        torrent(creation_date=b"today"), torrent(folder((5, ["a", 5]))),
        torrent(folder((b"5", ["a"]))), torrent(folder((5, "a"))),
        torrent(info(length=None, files={"a": 1})),
        torrent(info(length=None, files=["a"], pieces=b"")),
        torrent(**{"announce-list": [TRACKERS[0]]}),
        torrent(announce=None, **{"announce-list": [[5]]}),
        torrent(**{"url-list": 5}), torrent(**{"url-list": [5]}),
        torrent(nodes="h:1")],
    "single-or-multi": [torrent(info(length=None)),
                        torrent(changed(folder((20000, ["a"])),
                                        {"length": 20000}))],
    "no-files": [torrent(info(length=None, files=[], pieces=b""))],
    "file-length": [
        torrent(info(length=-1)), torrent(info(length=2 ** 63 - 1)),
        torrent(folder((5, ["a"]), (5, ["b"], {"length": -5}))),
        torrent(folder(*[(0, [c], {"length": 2 ** 61}) for c in "abc"]))],
    "piece-length": [torrent(info(piece_length=0)),
                     torrent(info(piece_length=-1)),
                     torrent(info(piece_length=2 ** 40))],
    "piece-count": [torrent(info(pieces=b"h" * 20)),
                    torrent(info(pieces=b"h" * 60)),
                    torrent(info(pieces=b"h" * 39)),
                    torrent(info(pieces=b""))],
    "path-traversal": [
        torrent(info(name="..")), torrent(info(name=".")),
        torrent(folder((5, ["..", "x"]))), torrent(folder((5, ["a", "."]))),
        v2({"..": {"x": leaf(5)}}),
        torrent(folder((5, ["a"], {"path.utf-8": ["..", "a"]})))],
    "path-absolute": [v2({"/x": leaf(20000)}),torrent(info(name="/etc")),
                      torrent(folder((5, ["/a"])))],
    "path-separator": [torrent(info(name="a/b")),
                       torrent(folder((5, ["a/b"])))],
    "path-empty": [torrent(info(name="")), torrent(folder((5, ["a", ""]))),
                   torrent(folder((5, [])))],
    "path-nul": [torrent(info(name="a\0b")), torrent(folder((5, ["a\0"])))],
    "path-long": [torrent(info(name="x" * 256)),
                  torrent(folder((5, ["x"] * 129))),
                  torrent(folder((5, ["x" * 200] * 21)))],
    "duplicate-path": [
        torrent(folder((5, ["a"]), (5, ["b"]), (5, ["a"]))),
        torrent(folder((5, ["a"]), (5, ["b"], {"path.utf-8": ["a"]})))],
    "file-and-folder": [
        v2({"x": changed(leaf(5), {"y": leaf(5)})}),
        torrent(folder((5, ["a"]), (5, ["a", "b"]))),
        torrent(folder((5, ["a", "b", "c"]), (5, ["a b"]), (5, ["a"]),
                       (5, ["a.b"])))],
    "invalid-utf8": [
        torrent(info(name=b"x\xff")), torrent(comment=b"\xe9t\xe9"),
        torrent(folder((5, [b"\xc0\xaf"]))), torrent(created_by=b"\x80"),
        torrent(info(source=b"\xed\xa0\x80"))],
    "tracker-url": [
        torrent(announce="t.example"), torrent(announce="http:///announce"),
        torrent(announce="udp://t.example"), torrent(announce="gopher://t/"),
        torrent(announce=" http://t.example/"),
        torrent(announce=None, **{"announce-list": [["http://[::1/"]]})],
    "web-seed-url": [
        torrent(**{"url-list": ["s.example/x"]}),
        torrent(**{"url-list": "http://s.example/a b"}),
        torrent(**{"url-list": ["udp://s.example:1/"]}),
        torrent(httpseeds=["http://:80/"])],
    "node": [torrent(nodes=[["h.example", 0]]), torrent(nodes=[["h"]]),
             torrent(nodes=["h"]), torrent(nodes=[["", 1]])],
    "piece-length-odd": [
        torrent(info(piece_length=20000, pieces=b"h" * 20)),
        torrent(info(piece_length=8192, pieces=b"h" * 60))],
    "piece-length-unusual": [
        torrent(info(length=1 << 30, pieces=b"h" * (20 << 16))),
        torrent(info(length=1 << 26, piece_length=1 << 25,
                     pieces=b"h" * 40)),
        torrent(info(length=5, piece_length=1 << 23, pieces=b"h" * 20))],
    "case-collision": [
        torrent(folder((5, ["Read"]), (5, ["z"]), (5, ["rEAD"]))),
        torrent(folder((5, ["é", "ß"]), (5, ["É", "ß"]))),
        v2({"a": {"x": leaf(5)}, "A": {"X": leaf(5)}}),
        torrent(folder((5, ["ΣΑΣ"]), (5, ["σας"])))],
    "windows-name": [torrent(info(name=n)) for n in (
        "a:b", "what?", "a\\b", "dot.", "blank ", "CON", "nul.txt", "Lpt1.a.b",
        "aux .c", "tab\t", 'say "x"')],
    "padding": [
        torrent(folder((10, ["a"]), (20, [".pad", "20"], {"attr": "p"}),
                       (7, ["b"]))),
        torrent(folder((PIECE, ["a"]), (PIECE, [".pad", "1"], {"attr": "p"}),
                       (7, ["b"]))),
        torrent(folder((PIECE, ["a"]), (0, [".pad", "0"], {"attr": "p"}),
                       (7, ["b"]))),
        torrent(folder((10, ["a"]), (PIECE - 10, ["_____padding_file_0_"]),
                       (7, ["b"])))],
    "private-no-tracker": [torrent(info(private=1), announce=None)],
    "tracker-duplicate": [torrent(
        **{"announce-list": [["http://t.example/announce", TRACKERS[1]],
                             [TRACKERS[1]]]})],
    "announce-not-in-list": [torrent(**{"announce-list": [TRACKERS]})],
    "web-seed-duplicate": [
        torrent(**{"url-list": ["http://s.example/x"] * 2})],
    "web-seed-slash": [
        torrent(folder((5, ["a"])), **{"url-list": ["http://s.example"]})],
    "larger-than-needed": [
        torrent(junk=b"x" * 5000), torrent(info(junk=b"x" * 5000)),
        torrent(folder(*[(5, ["%03d" % i], {"md5sum": "0" * 32})
                         for i in range(150)])),
        torrent(folder(*[(5, ["a file, number %03d" % i], {
            "path.utf-8": ["a file, number %03d" % i]})
            for i in range(150)]))],
}


def main():
    for rule, torrents in CASES.items():
        path = os.path.join(sys.argv[1], rule)
        os.makedirs(path)
        for i, data in enumerate(torrents, 1):
            with open(os.path.join(path, "%d.torrent" % i), "wb") as f:
                f.write(data)


if __name__ == "__main__":
    main()
