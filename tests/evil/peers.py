"""peers.py - what hostile peers do, one scenario each.

A scenario is a function that plays one connection, `play(w)`, with what is told
of it here: whom it is played against (bt-get, bt-seed or both), what the program
must say of it at -v, and what must have come of it. Around it there are always
honest peers, and the download or the upload of all content must succeed.
"""
import os
import re
import struct
import threading

from stage import *

SCENES = []


class Scene:
    """Against `side`: get or seed."""

    def __init__(self, play, side, name, says, end, fast, times, hosts, torrent,
                 fair, full):
        self.play, self.side, self.says = play, side, says
        self.name = "%s/%s" % (side, name)
        self.end = end          # closed, banned, kept
        self.fast = fast        # the program's clock runs so many times faster
        self.times = times      # connections at once
        self.hosts = hosts      # of the hostile
        self.fair = fair        # why, being kept, it may be closed all the same
        self.full = full        # it takes all places before the honest come
        self.torrent = torrent
        self.what = " ".join((play.__doc__ or "").split())
        # what the log must have: who is closed is so for that reason
        self.told = says
        if end == "closed":
            self.told = r"closed (%s):\d+: .*(%s)" % (
                "|".join(map(re.escape, hosts)), says)


def scene(sides, says=None, end="closed", fast=0, times=1, torrent=SMALL,
          name=None, hosts=(EVIL,), fair=(), full=False):
    def add(play):
        for side in sides.split():
            SCENES.append(Scene(
                play, side, name or play.__name__.replace("_", "-"),
                says[side] if isinstance(says, dict) else says,
                end[side] if isinstance(end, dict) else end,
                fast, times, hosts, torrent, fair, full))
        return play
    return add


def hello(w, flags=0, bits=True):
    """As a seed would begin; a seed would not stay with another one."""
    w.shake(flags)
    if bits:
        w.msg(BITFIELD, body=w.t.bits(3 if w.side == "seed" else None))


# --- what it says it has

@scene("get seed", "its bitfield has the wrong length")
def bitfield_short(w):
    """A bitfield that is a byte too short."""
    w.shake()
    w.msg(BITFIELD, body=w.t.bits()[:-1])
    w.msg(UNCHOKE)
    w.until_closed()


@scene("get seed", "its bitfield has the wrong length")
def bitfield_long(w):
    """A bitfield that is a byte too long."""
    w.shake()
    w.msg(BITFIELD, body=w.t.bits() + b"\0")
    w.until_closed()


@scene("get seed", "it sent too long a message")
def bitfield_huge(w):
    """A bitfield of 512 MiB."""
    w.shake()
    w.send(struct.pack(">IB", 1 + (512 << 20), BITFIELD))
    w.flood(b"\xff" * MIB)


@scene("get seed", "its bitfield has spare bits set")
def bitfield_spare(w):
    """A bitfield with bits beyond the last piece."""
    w.shake()
    w.msg(BITFIELD, body=w.t.bits()[:-1] + b"\xff")
    w.until_closed()


@scene("get", "it sent a bitfield late: taken as haves", end="kept")
def bitfield_late(w):
    """The bitfield comes after some haves and the unchoke; it serves then."""
    w.shake()
    w.msg(HAVE, 1)
    w.msg(UNCHOKE)
    w.msg(HAVE, 2)
    w.msg(BITFIELD, body=w.t.bits())
    w.serve()


@scene("get", end="kept")
def bitfield_missing(w):
    """No bitfield and no have, but an unchoke: it is asked for nothing."""
    w.shake()
    w.msg(UNCHOKE)
    if w.wait_for(REQUEST, 2):
        w.asked = True


@scene("get", end="kept")
def have_only(w):
    """A seed that tells what it has by haves alone, and serves."""
    w.shake()
    for i in range(w.t.pieces):
        w.msg(HAVE, i)
    w.msg(UNCHOKE)
    w.begin_honest()
    w.serve()


@scene("get seed", "it has a piece that is not in the torrent")
def have_outside(w):
    """A have of a piece that the torrent has not."""
    w.shake()
    w.msg(HAVE, 0xffffffff)
    w.until_closed()


@scene("get seed", "it tells twice what it has")
def have_none_twice(w):
    """HAVE NONE twice, with the fast extension."""
    w.shake(FASTEXT)
    w.msg(HAVE_NONE)
    w.msg(HAVE_NONE)
    w.until_closed()


@scene("get seed", "it uses an extension that was not agreed")
def fast_unagreed(w):
    """HAVE ALL without the fast extension."""
    w.shake()
    w.msg(HAVE_ALL)
    w.until_closed()


# --- blocks

@scene("get", r"banned 127\.0\.0\.66: ", end="banned")
def corrupt_one(w):
    """It spoils every block, beside good peers: it alone is banned."""
    hello(w)
    w.msg(UNCHOKE)
    for r in w.requests(30):
        if not w.give(*r, spoil=True):
            return
        w.begin_honest() # side by side from its first one on


@scene("get", r"from 2 peers and is wrong[^+]*banned 127\.0\.0\.66: ",
       end="banned")
def corrupt_second_block(w):
    """It spoils the second block of a piece and leaves the first one to others:
    found by comparing blocks."""
    hello(w)
    w.msg(UNCHOKE)
    for i, begin, n in w.requests(30):
        if begin > 0:
            w.give(i, begin, n, spoil=True)
            break
    w.msg(CHOKE)
    w.begin_honest()
    w.until_closed(30)


@scene("get seed", "it sent blocks that nobody asked for")
def blocks_unasked(w):
    """Blocks that nobody asked for, the right ones."""
    hello(w)
    w.msg(UNCHOKE)
    w.wait_for("shake")
    for _ in range(200):
        for b in w.t.blocks():
            if not w.give(*b):
                return


@scene("get", "127.0.0.66:[0-9]+: it sent blocks that nobody asked for",
       end="kept")
def block_wrong_index(w):
    """Each request is answered with a block of piece 32, which is short."""
    hello(w)
    w.msg(UNCHOKE)
    for i, begin, n in w.requests():
        if not w.msg(PIECE, 32, 0, body=b"abcd"):
            return


@scene("get", "it sent blocks that nobody asked for", end="kept")
def block_wrong_offset(w):
    """Each request is answered one byte further on."""
    hello(w)
    w.msg(UNCHOKE)
    for i, begin, n in w.requests():
        if not w.msg(PIECE, i, begin + 1,
                     body=w.t.bytes(i, begin, n)[:-1]):
            return


@scene("get", "it sent blocks that nobody asked for", end="kept")
def block_short(w):
    """Each request is answered with half of the block."""
    hello(w)
    w.msg(UNCHOKE)
    for i, begin, n in w.requests():
        if not w.msg(PIECE, i, begin, body=w.t.bytes(i, begin, n // 2)):
            return


@scene("get", "it sent a block that is not in the torrent")
def block_long(w):
    """A block that goes on beyond the end of its piece."""
    hello(w)
    w.msg(UNCHOKE)
    for i, begin, n in w.requests():
        w.msg(PIECE, i, begin, body=w.t.bytes(i, begin, n) + bytes(BLOCK * 2))
        break
    w.until_closed()


@scene("get seed", "it sent too long a block")
def block_huge(w):
    """A block of 128 KiB and a byte."""
    hello(w)
    w.msg(UNCHOKE)
    w.msg(PIECE, 0, 0, body=bytes((128 << 10) + 1))
    w.until_closed()


@scene("get", "it sent a block that is not in the torrent")
def block_outside(w):
    """A block of piece 2^32-1, at 2^32-16384: begin + length wraps."""
    hello(w)
    w.msg(UNCHOKE)
    w.msg(PIECE, 0, 0xffffc000, body=bytes(BLOCK))
    w.until_closed()


@scene("get seed", "it sent a malformed message")
def piece_empty(w):
    """A piece message without index and begin."""
    hello(w)
    w.send(b"\0\0\0\5\7\0\0\0\0")
    w.until_closed()


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


# --- choking and time

@scene("get", end="kept")
def choke_midway(w):
    """It chokes after half a piece, rejects nothing, and never comes back."""
    hello(w)
    w.msg(UNCHOKE)
    for r in w.requests():
        w.give(*r)
        break
    w.msg(CHOKE)
    w.wait_for("never", 2)


@scene("get", r"nothing came of .x. for 10 s: of 2 peers 2 choke us and 0 owe", end="kept",
       fast=10)
def never_unchoke(w):
    """It has all and never unchokes; the honest one comes late."""
    hello(w)
    w.wait_for("never", 2)


@scene("get", "127.0.0.66:[0-9]+: it owes us blocks and sent nothing for 30 s", end="kept",
       fast=15)
def stall_half_block(w):
    """It gives half a block and no more: its blocks are asked of others."""
    hello(w)
    w.msg(UNCHOKE)
    for i, begin, n in w.requests():
        m = message(PIECE, i, begin, body=w.t.bytes(i, begin, n))
        w.send(m[:len(m) // 2])
        break
    w.wait_for("never", 30)


@scene("get seed", "it has been silent for too long", fast=20)
def silent(w):
    """Not a byte after the handshake, for four minutes."""
    w.shake()
    w.until_closed(30)


@scene("get", end="kept")
def byte_by_byte(w):
    """A seed that sends one byte a segment."""
    out = w.s.sendall
    def trickle(data):
        for b in data[:3 * BLOCK]:
            out(bytes([b]))
        if len(data) > 3 * BLOCK:
            out(data[3 * BLOCK:])
    w.send = lambda data, wait=None: trickle(data) or True
    hello(w)
    w.msg(UNCHOKE)
    for n, r in enumerate(w.requests(30)):
        if n == 4:
            break
        w.give(*r)


@scene("seed", end="kept")
def request_byte_by_byte(w):
    """A leech that sends one byte a segment; it gets what it asked for."""
    whole = w.send
    w.send = lambda data, wait=None: all(
        [whole(bytes([b])) for b in data])
    w.shake()
    w.msg(INTERESTED)
    check(w.wait_for(UNCHOKE) is not None, "never unchoked")
    for b in list(w.t.blocks())[-20:]:
        w.msg(REQUEST, *b)
    for i, at, n in list(w.t.blocks())[-20:]:
        check(w.wait_for(PIECE) == struct.pack(">II", i, at) +
              w.t.bytes(i, at, n), "wrong answer")


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


# --- requests

def asking(w, *what, n=3000, interested=False, flags=0):
    w.shake(flags)
    if flags & FASTEXT:
        w.msg(HAVE_NONE)
    if interested:
        w.msg(INTERESTED)
        w.wait_for(UNCHOKE, 15)
    m = message(REQUEST, *what)
    for _ in range(n // 100):
        if not w.send(m * 100):
            break
    w.until_closed()


@scene("seed", "it asks and asks for what no request may")
def request_beyond_piece(w):
    """Requests that go on beyond the end of the piece."""
    asking(w, 0, BLOCK, 2 * BLOCK, interested=True)


@scene("seed", "it asks and asks for what no request may")
def request_wraps(w):
    """Requests whose begin + length is 0 in 32 bits."""
    asking(w, 0, 0xffffc000, BLOCK, interested=True)


@scene("seed", "it asks and asks for what no request may")
def request_over_128k(w):
    """Requests of 128 KiB and a byte."""
    asking(w, 0, 0, (128 << 10) + 1, interested=True)


@scene("get seed", "it asked for what is not in the torrent")
def request_outside(w):
    """A request for a piece that the torrent has not."""
    asking(w, w.t.pieces, 0, BLOCK, n=100)


@scene("seed", "it asked for what is not in the torrent")
def request_nothing(w):
    """A request of no bytes."""
    asking(w, 0, 0, 0, n=100)


@scene("get seed", "it asks and asks though it is choked")
def request_choked(w):
    """Requests while it is choked."""
    asking(w, 0, 0, BLOCK)


@scene("get", "it asks and asks for pieces that we lack")
def request_lacking(w):
    """Requests for what the program has not yet, once it is unchoked."""
    asking(w, 0, 0, BLOCK, interested=True)


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


# --- crowds

CROWDED = ("it makes room for others",
           "it makes room for others, without a handshake yet",
           "it is banned, or there is no place for it")


@scene("seed", "makes room", times=400)
def strangers(w):
    """Hundreds of connections from one address that never say a word."""
    w.until_closed(3)


@scene("seed", "makes room for others", times=1100, end="kept", fair=CROWDED,
       full=True)
def idlers(w):
    """Over a thousand connections that shake hands and idle: all places."""
    w.shake()
    w.wait_for("never", 6)


@scene("get", "makes room for others", times=250, end="kept", fair=CROWDED,
       full=True)
def idlers_within(w):
    """As many as there are places shake hands with a download and idle."""
    w.shake()
    w.wait_for("never", 6)


@scene("seed", end="kept", times=8, fair=("the connection ended",))
def flapping(w):
    """Connections that come and go at once, thousands of them."""
    port = w.s.getpeername()[1]
    w.shake()
    check(w.wait_for("shake") is not None, "no handshake came")
    w.close()
    for n in range(250):
        try:
            s = dial(port, EVIL)
        except OSError as e:
            raise Failed("cannot connect: %s" % e)
        with s:
            if n % 2:
                s.send(handshake(w.t.hash))
