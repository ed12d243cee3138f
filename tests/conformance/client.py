"""A tracker's client that takes nothing for granted: what BEP 3, 7, 15, 23, 24,
31 and 48 say of each reply is asserted as it is read.

Tracker(http, udp).as_peer(...) and so on raise Broken with what was wrong.
"""
import ipaddress
import socket
import struct

MAGIC = 0x41727101980
PATIENCE = 20.0  # for what must come
SILENCE = 0.4    # for what must not


class Broken(Exception):
    pass


def need(fact, what):
    if not fact:
        raise Broken(what)


def decode(data):
    """The one value in data, in the one form that BEP 3 allows it."""
    value, at = decode_at(data, 0)
    need(at == len(data), "bytes after the dictionary")
    return value


def decode_at(data, at):
    first = data[at:at + 1]
    if first == b"i":
        end = data.find(b"e", at)
        digits = data[at + 1:end]
        need(end > at and str(int(digits)).encode() == digits,
             "an integer of another form")
        return int(digits), end + 1
    if first == b"l":
        out, at = [], at + 1
        while data[at:at + 1] != b"e":
            value, at = decode_at(data, at)
            out.append(value)
        return out, at + 1
    if first == b"d":
        return decode_dict(data, at + 1)
    colon = data.find(b":", at)
    digits = data[at:colon]
    need(colon > at and digits.isdigit() and
         str(int(digits)).encode() == digits, "no bencoding: %r" % data[:60])
    end = colon + 1 + int(digits)
    need(end <= len(data), "a string that is cut")
    return data[colon + 1:end], end


def decode_dict(data, at):
    out, last = {}, None
    while data[at:at + 1] != b"e":
        key, at = decode_at(data, at)
        need(isinstance(key, bytes), "a key that is no string")
        need(last is None or key > last, "keys unsorted or there twice")
        last = key
        out[key], at = decode_at(data, at)
    return out, at + 1


def endpoints(packed, size):
    need(len(packed) % size == 0, "peers of %d bytes" % len(packed))
    return [(str(ipaddress.ip_address(packed[i:i + size - 2])),
             struct.unpack_from(">H", packed, i + size - 2)[0])
            for i in range(0, len(packed), size)]


def escape(raw):
    return "".join("%%%02x" % b for b in raw)


class Reply:
    """One HTTP reply: status, headers by lower-case name, body."""

    def __init__(self, stream, body=True):
        line = stream.readline()
        need(line.startswith(b"HTTP/1."), "no HTTP reply: %r" % line)
        self.status = int(line.split()[1])
        self.headers = {}
        for line in iter(stream.readline, b"\r\n"):
            need(line.endswith(b"\r\n"), "a head that ends too early")
            name, _, value = line.decode("latin-1").partition(":")
            self.headers[name.lower()] = value.strip()
        self.body = b""
        length = self.headers.get("content-length")
        if body and length is not None:
            self.body = stream.read(int(length))
            need(len(self.body) == int(length), "a body that is cut")
        elif body:
            self.body = stream.read()

    @property
    def keeps(self):
        return "close" not in self.headers.get("connection", "").lower()


class Http:
    def __init__(self, where, source=None):
        v6 = ":" in where[0]
        source = source or ("::1" if v6 else "127.0.0.1")
        try:
            self.sock = socket.create_connection(where, PATIENCE,
                                                 (source, 0))
        except OSError as e:
            raise Broken("no connection to %s: %s" % (where[0], e)) from None
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.stream = self.sock.makefile("rb")

    def send(self, data):
        self.sock.sendall(data)

    def reply(self, body=True):
        try:
            return Reply(self.stream, body)
        except OSError as e:
            raise Broken("no reply: %s" % e) from None

    def is_closed(self):
        self.sock.settimeout(PATIENCE)
        try:
            return self.stream.read(1) == b""
        except TimeoutError:
            return False
        except OSError:
            return True

    def close(self):
        self.stream.close()
        self.sock.close()


def request(target, more="", method="GET", version="1.1"):
    return ("%s %s HTTP/%s\r\nHost: tracker.example\r\n%s\r\n" %
            (method, target, version, more)).encode("latin-1")


class Udp:
    """A socket of one address, and the connection id that it was given."""

    def __init__(self, where, source=None):
        v6 = ":" in where[0]
        self.size = 18 if v6 else 6
        self.sock = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET,
                                  socket.SOCK_DGRAM)
        self.sock.bind((source or ("::1" if v6 else "127.0.0.1"), 0))
        # connected: what comes from elsewhere is not seen
        self.sock.connect(where)
        self.transaction = 0x7E000000
        self.id = None

    def close(self):
        self.sock.close()

    def raw(self, packet, seconds=PATIENCE):
        """The reply, or None."""
        self.sock.settimeout(seconds)
        try:
            self.sock.send(packet)
            return self.sock.recv(65536)
        except OSError:
            return None

    def ask(self, action, body=b"", connection=None, seconds=PATIENCE):
        """(action, the rest) of the reply, or None."""
        self.transaction += 1
        connection = self.id if connection is None else connection
        reply = self.raw(struct.pack(">QII", connection, action,
                                     self.transaction) + body, seconds)
        if reply is None:
            return None
        need(len(reply) >= 8, "a reply of %d bytes" % len(reply))
        got, transaction = struct.unpack_from(">II", reply)
        need(transaction == self.transaction, "another transaction id")
        return got, reply[8:]

    def connect(self, more=b""):
        got = self.ask(0, more, MAGIC)
        need(got is not None, "no answer to a connect by UDP")
        need(got[0] == 0 and len(got[1]) == 8, "no answer to a connect")
        self.id, = struct.unpack(">Q", got[1])
        return self

    def announce(self, swarm, seconds=PATIENCE, connection=None, extra=b"",
                 peer=b"p", port=1, left=1, event=0, key=0, want=-1):
        body = struct.pack(">20s20sQQQIIIiH", swarm, peer.ljust(20, b"."), 0,
                           left, 0, event, 0, key, want, port)
        return self.ask(1, body + extra, connection, seconds)

    def peers(self, swarm, **more):
        """An announce that must be answered: interval, counts, peers."""
        got = self.announce(swarm, **more)
        need(got is not None, "no answer to an announce")
        need(got[0] == 1, "action %d: %r" % got)
        need(len(got[1]) >= 12, "an announce reply of %d bytes" % len(got[1]))
        interval, leechers, seeders = struct.unpack_from(">III", got[1])
        return Told(interval, seeders, leechers,
                    endpoints(got[1][12:], self.size),
                    (self.sock.getsockname()[0], more.get("port", 1)))

    def scrape(self, *swarms, extra=b""):
        """(seeders, completed, leechers) of each."""
        got = self.ask(2, b"".join(swarms) + extra)
        need(got is not None, "no answer to a scrape")
        need(got[0] == 2, "action %d: %r" % got)
        need(len(got[1]) == 12 * len(swarms),
             "%d bytes for %d torrents" % (len(got[1]), len(swarms)))
        return list(struct.iter_unpack(">III", got[1]))


class Told:
    """What an announce brought; peers are the others, without the asker.

    That the asker is left out is a rule of its own: `itself` says if it is not.
    """

    def __init__(self, interval, complete, incomplete, peers, asker):
        need(0 < interval < 86400, "an interval of %r s" % interval)
        self.interval = interval
        self.complete, self.incomplete = complete, incomplete
        self.itself = asker in peers
        self.peers = [peer for peer in peers if peer != asker]

    @property
    def ports(self):
        return sorted(port for _, port in self.peers)


class Tracker:
    """http, udp: (address, port), their IPv6 ones at ::1 and the same port."""

    def __init__(self, http, udp):
        self.at = {("http", 4): http, ("http", 6): ("::1", http[1]),
                   ("udp", 4): udp, ("udp", 6): ("::1", udp[1])}

    def http(self, source=None, family=4):
        return Http(self.at["http", family], source)

    def udp(self, source=None, family=4):
        return Udp(self.at["udp", family], source).connect()

    def get(self, target, source=None, family=4, **more):
        conn = self.http(source, family)
        try:
            conn.send(request(target, **more))
            return conn.reply()
        finally:
            conn.close()

    def query(self, swarm, peer=b"p", **more):
        """An announce's target; None leaves a parameter out."""
        said = {"port": 1, "uploaded": 0, "downloaded": 0, "left": 1}
        said.update(more)
        return "/announce?info_hash=%s&peer_id=%s" % (
            escape(swarm), escape(peer.ljust(20, b"."))) + "".join(
                "&%s=%s" % (name, value) for name, value in said.items()
                if value is not None)

    def fetch(self, target, **more):
        """A dictionary that comes with status 200."""
        reply = self.get(target, **more)
        need(reply.status == 200, "status %d" % reply.status)
        got = decode(reply.body)
        need(isinstance(got, dict), "no dictionary")
        return got

    def announce(self, swarm, source=None, family=4, **more):
        """One that must be answered, as the dictionary that came."""
        got = self.fetch(self.query(swarm, **more), source=source,
                         family=family)
        need(b"failure reason" not in got, "refused: %r" % got)
        need(b"interval" in got and b"peers" in got, "no interval or peers")
        return got

    def told(self, swarm, **more):
        got = self.announce(swarm, **more)
        peers = got[b"peers"]
        if isinstance(peers, list):
            peers = [(p[b"ip"].decode(), p[b"port"]) for p in peers]
        else:
            peers = endpoints(peers, 6)
        peers += endpoints(got.get(b"peers6", b""), 18)
        source = more.get("source") or (
            "::1" if more.get("family") == 6 else "127.0.0.1")
        return Told(got[b"interval"], got.get(b"complete"),
                    got.get(b"incomplete"), peers,
                    (source, more.get("port", 1)))

    def refused(self, target):
        """It must be refused, in whichever way; gives the reply."""
        reply = self.get(target)
        need(reply.status >= 400 or b"failure reason" in decode(reply.body),
             "not refused: %.80r" % reply.body)
        return reply

    def files(self, *swarms):
        got = self.fetch("/scrape?" + "&".join(
            "info_hash=" + escape(s) for s in swarms))
        need(b"failure reason" not in got, "refused: %r" % got)
        need(isinstance(got.get(b"files"), dict), "no files: %r" % got)
        return got[b"files"]

    def counts(self, swarm):
        """complete, downloaded, incomplete; 0 where nothing is known."""
        row = self.files(swarm).get(swarm, {})
        return tuple(row.get(name, 0)
                     for name in (b"complete", b"downloaded", b"incomplete"))
