"""chatter.py - hostile peers: handshakes, messages and extension messages."""
import os

from scene import *


# --- messages

@scene("get seed", "it sent too long a message")
def message_4g(w):
    """A message of 4 GiB less a byte, and as much of it as is taken."""
    hello(w)
    w.send(b"\xff\xff\xff\xff\x07")
    w.flood(bytes(MIB))


@scene("get seed", "it sent too long a message")
def message_2g(w):
    """A message of 2^31 bytes, with an id that nobody knows."""
    hello(w)
    w.send(b"\x80\0\0\0\x63")
    w.flood(bytes(MIB))


@scene("get seed", "it sent a malformed message")
def message_odd(w):
    """A have of three bytes."""
    w.shake()
    w.send(b"\0\0\0\4\4\0\0\0")
    w.until_closed()


@scene("get seed", "it says nothing new, again and again")
def messages_unknown(w):
    """Messages of unknown ids of up to 1 MiB, without end."""
    hello(w)
    w.flood(message(99, body=bytes((1 << 20) - 1)) + message(98) * 100)


@scene("get seed", "it says nothing new, again and again")
def keepalive_flood(w):
    """Keep-alives without end."""
    hello(w)
    w.flood(bytes(MIB))


@scene("get seed", "it says nothing new, again and again")
def have_flood(w):
    """A have of the same piece without end."""
    w.shake()
    w.flood(message(HAVE, 3) * 10000)


@scene("get seed", "it says nothing new, again and again")
def choke_flood(w):
    """Choke and unchoke without end."""
    hello(w)
    w.flood((message(CHOKE) + message(UNCHOKE)) * 10000)


@scene("get seed", "it says nothing new, again and again")
def interest_flood(w):
    """Interested and not interested without end."""
    w.shake()
    w.flood((message(INTERESTED) + message(UNINTERESTED)) * 10000)


@scene("get seed", "it says nothing new, again and again")
def cancel_flood(w):
    """Cancels of what was never asked for, without end."""
    w.shake()
    w.flood(message(CANCEL, 0, 0, BLOCK) * 10000)


@scene("seed", "it asks and takes back what it asked for")
def request_cancel_flood(w):
    """Requests and their cancels without end."""
    w.shake()
    w.msg(INTERESTED)
    w.wait_for(UNCHOKE)
    w.flood(b"".join(message(REQUEST, i % w.t.pieces, 0, 5) +
                     message(CANCEL, i % w.t.pieces, 0, 5)
                     for i in range(10000)))


@scene("seed", "it asks and asks for more than its queue holds")
def request_flood(w):
    """Requests without end, and it reads nothing of what it is sent."""
    w.shake()
    w.msg(INTERESTED)
    w.wait_for(UNCHOKE)
    w.flood(b"".join(message(REQUEST, *b) for b in w.t.blocks()) * 100,
            reading=False)


@scene("seed", "it asks and asks")
def request_flood_fast(w):
    """The same while choked, with the fast extension: each wants a reject."""
    w.shake(FASTEXT)
    w.msg(HAVE_NONE)
    w.flood(message(REQUEST, 32, 0, 5) * 10000, reading=False)


# --- handshakes

@scene("get seed", {"get": "its handshake is for another torrent",
                    "seed": "it wants a torrent that is not here"})
def wrong_info_hash(w):
    """The handshake names another torrent."""
    w.shake(info_hash=b"\0" * 20)
    w.until_closed()


@scene("get seed", {"get": "it is ourselves",
                    "seed": "it has our own peer id"}, fast=20)
def own_peer_id(w):
    """It answers with the program's own peer id."""
    if w.dialled: # theirs comes once the info-hash is known
        w.send(b"\x13BitTorrent protocol" + bytes(8) + w.t.hash)
    if (theirs := w.wait_for("shake")) is None:
        return
    if w.dialled:
        w.send(theirs[48:])
    else:
        w.shake(peer_id=theirs[48:])
    w.until_closed(20)


@scene("get seed", "no handshake came in time", fast=20)
def slow_handshake(w):
    """A handshake that stops before its last byte."""
    w.send(b"\x13BitTorrent protocol" + bytes(8) + w.t.hash + b"-EV0000-")
    w.until_closed(20)


@scene("get seed", "no handshake came in time", fast=20)
def no_handshake(w):
    """Not a byte."""
    w.until_closed(20)


@scene("get seed", "it does not speak BitTorrent")
def other_protocol(w):
    """It speaks HTTP."""
    w.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    w.until_closed()


@scene("get", end="kept")
def glued(w):
    """Handshake, bitfield, unchoke and keep-alive in one segment."""
    w.shake(more=message(BITFIELD, body=w.t.bits()) + message(UNCHOKE) +
            bytes(4))
    w.serve()


# --- extension messages

@scene("get seed", "its extension handshake is malformed")
def ext_garbage(w):
    """Garbage as extension handshake."""
    hello(w, LTEP)
    w.msg(EXTENDED, body=b"\0" + os.urandom(1000))
    w.until_closed()


@scene("get seed", "its extension handshake is malformed")
def ext_nested(w):
    """An extension handshake of 60,000 lists in lists."""
    hello(w, LTEP)
    w.msg(EXTENDED, body=b"\0d1:m" + b"l" * 30000 + b"e" * 30000 + b"e")
    w.until_closed()


@scene("get seed", "its extension handshake is malformed")
def ext_nested_dicts(w):
    """The same of dictionaries that never end."""
    hello(w, LTEP)
    w.msg(EXTENDED, body=b"\0" + b"d1:a" * 15000)
    w.until_closed()


@scene("get seed", "its extension handshake is malformed")
def ext_string_wraps(w):
    """A string of 2^64 + 4 bytes within it."""
    hello(w, LTEP)
    w.msg(EXTENDED, body=b"\0d1:v18446744073709551620:xxxxe")
    w.until_closed()


@scene("get seed", "it sent too long an extended message")
def ext_huge(w):
    """An extended message of 900 KiB."""
    hello(w, LTEP)
    w.msg(EXTENDED, body=b"\0" + bytes(900 << 10))
    w.until_closed()


@scene("get seed", "it sent a malformed message")
def ext_empty(w):
    """An extended message without an id."""
    hello(w, LTEP)
    w.msg(EXTENDED)
    w.until_closed()


@scene("get seed", "it says nothing new, again and again")
def ext_flood(w):
    """Extension handshakes of 60 KiB without end."""
    hello(w, LTEP)
    d = bencode({"m": {"x%d" % i: 1 for i in range(6000)}, "v": "evil\x1b[31m"})
    w.flood(message(EXTENDED, body=b"\0" + d) * 10)


@scene("get seed", end="kept")
def ext_odd_values(w):
    """An extension handshake with negative, huge and mistyped values."""
    hello(w, LTEP, bits=w.side == "get")
    w.msg(EXTENDED, body=b"\0" + bencode({
        "m": {"ut_pex": -1, "ut_metadata": 1 << 40, "upload_only": "x"},
        "reqq": -5, "p": 99999999, "v": "v" * 10000, "yourip": "x",
        "metadata_size": 1 << 62}))
    if w.side == "get":
        w.msg(UNCHOKE)
        w.serve()
    else:
        check(w.wait_for("shake") is not None, "no handshake came")
