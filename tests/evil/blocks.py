"""blocks.py - hostile peers: what they say they have, what they give, and when."""
import struct

from scene import *


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


@scene("get seed", dict(get="it is asked anew what it has",
                        seed="it has been silent for too long"), fast=20)
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
