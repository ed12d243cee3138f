"""asking.py - hostile peers: what they ask for, and crowds of them."""
from scene import *


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
