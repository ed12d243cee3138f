#!/usr/bin/python3
"""odd_tracker.py - a tracker that does what trackers should not.

    odd_tracker.py [-6] [-s] [UDP-MODE [PORT]]

Listens on PORT for HTTP, or on any free port; -s makes it HTTPS. Prints its
HTTP and its UDP address, a line each, then a line for each request:

    GET PATH?QUERY
    UDP connect | UDP announce key=value... | UDP scrape N

What HTTP answers is chosen by the first part of the path, see `oddities`. What
UDP answers is chosen by UDP-MODE: good, error, silent, forgers (wrong packets
come before the right one), forgetful (a connection id is good for one question)
or lossy (the first packet of each kind is dropped).
"""
import gzip
import os
import socket
import ssl
import struct
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from bencode import bencode

pause = threading.Event().wait  # being slow is what some trackers do
six = "-6" in sys.argv[1:]
secure = "-s" in sys.argv[1:]
args = [a for a in sys.argv[1:] if not a.startswith("-")]
mode = args[0] if args else "good"
wanted = int(args[1]) if len(args) > 1 else 0
family = socket.AF_INET6 if six else socket.AF_INET
here = "::1" if six else "127.0.0.1"
shown = "[::1]" if six else here

PEERS = bytes([10, 0, 0, 1, 0x1a, 0xe1, 10, 0, 0, 2, 0x1a, 0xe2])
PEERS6 = bytes.fromhex("20010db8" + "00" * 11 + "01") + b"\x1a\xe1"


def log(text):
    os.write(1, (text + "\n").encode())


def answer(**more):
    d = {"interval": 1800, "complete": 1, "incomplete": 1, "peers": PEERS}
    d.update({k.replace("_", " "): v for k, v in more.items()})
    return bencode(d)


NAMED = [
    {"ip": "localhost", "port": 7001},
    {"ip": "10.0.0.3", "port": 7002, "peer id": b"x" * 20},
    {"ip": "2001:db8::9", "port": 7003},
    {"ip": "no-such-name.invalid", "port": 7004},
    {"ip": "10.0.0.4", "port": 0},
    {"port": 7005},
]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def send(self, body, status=200, **headers):
        self.send_response(status)
        for k, v in headers.items():
            self.send_header(k.replace("_", "-"), v)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def scrape(self, hashes):
        self.send(bencode({"files": {h: {"complete": 3, "downloaded": 5,
                                     "incomplete": 4} for h in hashes}}))

    def oddities(self, what, where):
        if what == "failure":
            self.send(bencode({"failure reason": "go away\x1b[31m"}))
        elif what == "failure403":
            self.send(bencode({"failure reason": "not you"}), 403)
        elif what == "status500":
            self.send(b"<html>oops</html>", 500)
        elif what == "html":
            self.send(b"<html>it works</html>")
        elif what == "empty":
            self.send(b"")
        elif what == "warning":
            self.send(answer(warning_message="beware"))
        elif what == "names":
            self.send(answer(peers=NAMED))
        elif what == "peers6":
            self.send(answer(peers6=PEERS6))
        elif what == "gzip":
            self.send(gzip.compress(answer()), Content_Encoding="gzip")
        elif what == "bomb":
            self.send(gzip.compress(b"d5:peers99999999:" + bytes(64 << 20)),
                      Content_Encoding="gzip")
        elif what == "redirect":
            self.send(b"", 302, Location=self.path.replace("/redirect", "/ok"))
        elif what == "loop":
            self.send(b"", 302, Location=self.path)
        elif what == "scheme":
            self.send(b"", 302, Location="ftp://%s:%d/x" % (shown, port))
        elif what == "file":
            self.send(b"", 302, Location="file:///etc/hostname")
        elif what == "chunked":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for b in answer():
                self.wfile.write(b"1\r\n%c\r\n" % b)
            self.wfile.write(b"0\r\n\r\n")
        elif what == "endless":
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"d5:peers99999999:")
            while True:
                self.wfile.write(bytes(65536))
        elif what == "drip":
            self.send_response(200)
            self.end_headers()
            for b in answer() * 100:
                self.wfile.write(bytes([b]))
                pause(0.2)
        elif what == "retry":
            self.send(bencode({"failure reason": "later", "retry in": 5}))
        elif what == "trackerid":
            self.send(answer(tracker_id="id of %s" % here, interval=1))
        elif what.startswith("interval-"):
            self.send(answer(interval=int(what[9:]), peers=b""))
        elif what == "nobody":
            self.send(answer(peers=b""))
        elif what.startswith("peer-"):
            self.send(answer(peers=[{"ip": "localhost",
                                     "port": int(what[5:])}]))
        elif what == "slow-stop" and "event=stopped" in self.path:
            pause(30)
        elif what == "cut":
            self.send_response(200)
            self.send_header("Content-Length", "5000")
            self.end_headers()
            self.wfile.write(answer()[:20])
            self.close_connection = True
        else:
            self.send(answer())

    def do_GET(self):
        log("GET " + self.path)
        path = self.path.partition("?")[0]
        what = path.split("/")[1]
        if path.endswith("/x.torrent"):
            with open("x.torrent", "rb") as f:
                self.send(f.read())
            return
        if "/scrape" in path and what != "failure":
            hashes = [bytes.fromhex(h) for h in served]
            self.scrape(hashes[:1] if what == "one" else hashes)
            return
        try:
            self.oddities(what, path)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True


class Server(ThreadingHTTPServer):
    address_family = family
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass


def udp_announce(sock, packet, tid, src):
    (down, left, up, event, ip, key, want, listen) = struct.unpack(
        ">QQQIIIiH", packet[56:98])
    url, rest = b"", packet[98:]
    while len(rest) > 1 and rest[0] == 2:
        url += rest[2:2 + rest[1]]
        rest = rest[2 + rest[1]:]
    log("UDP announce event=%d left=%d key=%08x want=%d port=%d id=%s url=%s"
        % (event, left, key, want, listen,
           packet[36:56].decode("latin-1"), url.decode("latin-1")))
    peers = PEERS6 if six else PEERS
    good = struct.pack(">I4sIII", 1, tid, 1800, 1, 1) + peers
    if mode == "forgers":
        forged = struct.pack(">I4sIII", 1, tid, 1800, 1, 1) + bytes(
            [9, 9, 9, 9, 9, 9])
        sock.sendto(b"\0\0\0\1" + bytes(4) + forged[8:], src)
        sock.sendto(forged[:12], src)
        sock.sendto(b"\0\0\0\2" + forged[4:], src)
        sock.sendto(b"\0\0\0\0" + forged[4:], src)
        sock.sendto(b"", src)
        with socket.socket(family, socket.SOCK_DGRAM) as other:
            other.bind((here, 0))
            other.sendto(forged, src)
    sock.sendto(good, src)


def udp_serve(sock):
    seen, ids, n = set(), set(), 0x1234
    while True:
        packet, src = sock.recvfrom(4096)
        cid, action, tid = struct.unpack(">QI4s", packet[:16])
        if mode == "silent":
            continue
        if mode == "lossy" and action not in seen:
            seen.add(action)
            log("UDP lost %d" % action)
            continue
        if action == 0:
            log("UDP connect")
            n += 1
            ids.add(n)
            if mode == "forgers":
                sock.sendto(struct.pack(">I4sQ", 0, b"\0\0\0\0", 1), src)
                sock.sendto(struct.pack(">I4s", 0, tid), src)
            sock.sendto(struct.pack(">I4sQ", 0, tid, n), src)
            continue
        if mode == "error" or cid not in ids:
            log("UDP refused")
            sock.sendto(struct.pack(">I4s", 3, tid) + b"bad\x1b[31m id\0", src)
            continue
        if mode == "forgetful":
            ids.discard(cid)
        if action == 1:
            udp_announce(sock, packet, tid, src)
        elif action == 2:
            count = (len(packet) - 16) // 20
            log("UDP scrape %d" % count)
            sock.sendto(struct.pack(">I4s", 2, tid) +
                        struct.pack(">III", 3, 5, 4) * count, src)


served = os.environ.get("HASHES", "").split()
http = Server((here, wanted), Handler)
port = http.server_address[1]
udp = socket.socket(family, socket.SOCK_DGRAM)
udp.bind((here, 0))
if secure:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(os.path.join(os.path.dirname(__file__),
                                     "../data/localhost.pem"))
    http.socket = tls.wrap_socket(http.socket, server_side=True)
log("http%s://%s:%d" % ("s" if secure else "", shown, port))
log("udp://%s:%d" % (shown, udp.getsockname()[1]))
threading.Thread(target=udp_serve, args=(udp,), daemon=True).start()
http.serve_forever()
