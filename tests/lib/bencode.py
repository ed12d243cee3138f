"""bencode - BEP 3's bencoding, written once for what the tests make.

Strings are bytes, or text that is taken as UTF-8; a dictionary's keys are
sorted as BEP 3 says, and a tuple is the pairs of one in the order given, so
that what is wrong can be written too.
"""


class Raw(bytes):
    """Bencoded already."""


def as_bytes(s):
    return s.encode() if isinstance(s, str) else s


def bencode(v):
    if isinstance(v, Raw):
        return bytes(v)
    if isinstance(v, int):
        return b"i%de" % v
    if isinstance(v, (str, bytes)):
        return b"%d:%s" % (len(as_bytes(v)), as_bytes(v))
    if isinstance(v, list):
        return b"l" + b"".join(map(bencode, v)) + b"e"
    if isinstance(v, tuple):
        return b"d" + b"".join(bencode(k) + bencode(x) for k, x in v) + b"e"
    return bencode(tuple(sorted(v.items(), key=lambda kv: as_bytes(kv[0]))))
