"""peerwire - BEP 3's handshake and messages, for the peers that tests play."""
import os
import struct


def handshake(info_hash, peer_id=None, reserved=bytes(8)):
    """peer_id: 20 bytes, or any."""
    return (b"\x13BitTorrent protocol" + reserved + info_hash +
            (peer_id or b"-XX0001-" + os.urandom(12)))


def message(kind, *words, body=b""):
    """Each word is 32 bits."""
    b = struct.pack(">B%dI" % len(words), kind, *words) + body
    return struct.pack(">I", len(b)) + b
