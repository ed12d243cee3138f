"""BEP 52 from its own text, with hashlib alone: what ours is held against.

	bep52.py root FILE			the pieces root
	bep52.py layer FILE PIECE_LENGTH	the piece layer, a hash a line
	bep52.py make v1|v2|hybrid PATH PIECE_LENGTH [NAME]	a torrent on stdout
	bep52.py hash TORRENT			the info-hashes, v1 and v2
	bep52.py check TORRENT PATH		roots and layers against content
"""
import hashlib
import os
import sys

from bencode import bencode

BLOCK = 16384
ZERO = bytes(32)


def sha256(b):
    return hashlib.sha256(b).digest()


def bdecode(b, i=0):
    """The value at i, and where it ends; dictionaries keep their raw bytes."""
    c = b[i:i + 1]
    if c == b"i":
        e = b.index(b"e", i)
        return int(b[i + 1:e]), e + 1
    if c == b"l":
        out, i = [], i + 1
        while b[i:i + 1] != b"e":
            v, i = bdecode(b, i)
            out.append(v)
        return out, i + 1
    if c == b"d":
        out, i = {}, i + 1
        while b[i:i + 1] != b"e":
            k, i = bdecode(b, i)
            v, j = bdecode(b, i)
            out[k] = v
            if k == b"info":
                out["raw info"] = b[i:j]
            i = j
        return out, i + 1
    e = b.index(b":", i)
    n = int(b[i:e])
    return b[e + 1:e + 1 + n], e + 1 + n


def leaves(data):
    return [sha256(data[i:i + BLOCK]) for i in range(0, len(data), BLOCK)]


def up(nodes):
    return [sha256(nodes[i] + nodes[i + 1]) for i in range(0, len(nodes), 2)]


def root_of(nodes):
    """The whole tree, built out to a power of two with zero leaves."""
    n = 1
    while n < len(nodes):
        n *= 2
    nodes = nodes + [ZERO] * (n - len(nodes))
    while len(nodes) > 1:
        nodes = up(nodes)
    return nodes[0]


def layer_of(data, piece_length):
    """A hash for each piece: of its own leaves, filled up with zero ones."""
    k = piece_length // BLOCK
    all_leaves = leaves(data)
    out = []
    for i in range(0, len(all_leaves), k):
        nodes = all_leaves[i:i + k]
        out.append(root_of(nodes + [ZERO] * (k - len(nodes))))
    return out


def files_beneath(path):
    """(components, full path), in the order of a file tree."""
    if os.path.isfile(path):
        return [([os.path.basename(path)], path)]
    out = []
    for top, _, names in os.walk(path):
        for n in names:
            full = os.path.join(top, n)
            parts = os.path.relpath(full, path).split(b"/")
            out.append((parts, full))
    return sorted(out)


def tree_of(files, piece_length, layers):
    tree = {}
    for parts, full in files:
        with open(full, "rb") as f:
            data = f.read()
        props = {b"length": len(data)}
        if data:
            props[b"pieces root"] = root_of(leaves(data))
            if len(data) > piece_length:
                layers[props[b"pieces root"]] = b"".join(
                    layer_of(data, piece_length))
        at = tree
        for p in parts:
            at = at.setdefault(p, {})
        at[b""] = props
    return tree


def v1_of(files, piece_length, single, padded, info):
    content, lst = b"", []
    for parts, full in files:
        with open(full, "rb") as f:
            data = f.read()
        gap = -len(content) % piece_length
        if padded and data and gap:
            lst.append({b"attr": b"p", b"length": gap,
                        b"path": [b".pad", b"%d" % gap]})
            content += bytes(gap)
        content += data
        lst.append({b"length": len(data), b"path": parts})
    if single:
        info[b"length"] = len(content)
    else:
        info[b"files"] = lst
    info[b"pieces"] = b"".join(
        hashlib.sha1(content[i:i + piece_length]).digest()
        for i in range(0, len(content), piece_length))


def make(kind, path, piece_length, name=None):
    single = os.path.isfile(path)
    files = files_beneath(path)
    if kind == "v1":
        files.sort(key=lambda f: b"/".join(f[0]))
    name = name or os.path.basename(os.path.abspath(path))
    if single:
        files = [([name], path)]
    info = {b"name": name, b"piece length": piece_length}
    top = {b"info": info}
    if kind != "v1":
        layers = {}
        info[b"file tree"] = tree_of(files, piece_length, layers)
        info[b"meta version"] = 2
        top[b"piece layers"] = layers
    if kind != "v2":
        v1_of(files, piece_length, single, kind == "hybrid", info)
    return bencode(top)


def check(torrent, path):
    top, _ = bdecode(torrent)
    info = top[b"info"]
    pl = info[b"piece length"]
    layers, want = top[b"piece layers"], {}
    name = info[b"name"]
    files = files_beneath(path)
    if os.path.isfile(path):
        files = [([name], path)]
    tree = tree_of(files, pl, want)
    assert info[b"file tree"] == tree, "the file tree differs"
    assert layers == want, "the piece layers differ"


def main(argv):
    what = argv[1]
    if what in ("root", "layer"):
        with open(argv[2], "rb") as f:
            data = f.read()
        if what == "root":
            print(root_of(leaves(data)).hex())
        else:
            for h in layer_of(data, int(argv[3])):
                print(h.hex())
    elif what == "make":
        name = os.fsencode(argv[5]) if len(argv) > 5 else None
        sys.stdout.buffer.write(
            make(argv[2], os.fsencode(argv[3]), int(argv[4]), name))
    elif what == "hash":
        with open(argv[2], "rb") as f:
            top, _ = bdecode(f.read())
        raw = top["raw info"]
        print(hashlib.sha1(raw).hexdigest() if b"pieces" in top[b"info"]
              else "-")
        print(sha256(raw).hex() if b"file tree" in top[b"info"] else "-")
    elif what == "check":
        with open(argv[2], "rb") as f:
            check(f.read(), os.fsencode(argv[3]))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv)
