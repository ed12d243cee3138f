"""web_seed.py FOLDER: serve it on a free port of loopback, printed first.

The first component of the path is how: good (ranges, BEP 19), plain (no ranges),
short (files end a byte early), long (a byte late), bad (each byte is another),
slow (never answers); the rest is the file's path beneath FOLDER.
"""
import http.server
import os
import re
import sys
import threading
import urllib.parse


class Seed(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        _, how, rest = urllib.parse.unquote(self.path).split("/", 2)
        try:
            with open(os.path.join(sys.argv[1], rest), "rb") as f:
                data = f.read()
        except OSError:
            self.send_error(404)
            return
        if how == "slow":
            threading.Event().wait(30)
            return
        if how == "short":
            data = data[:-1]
        if how == "long":
            data += b"x"
        if how == "bad":
            data = bytes(b ^ 1 for b in data)
        m = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if how == "plain" or m is None:
            self.answer(200, data)
            return
        a, b = int(m[1]), int(m[2])
        if a >= len(data):
            self.answer(416, b"", "bytes */%d" % len(data))
            return
        part = data[a:b + 1]
        self.answer(206, part, "bytes %d-%d/%d" % (
            a, a + len(part) - 1, len(data)))

    def answer(self, status, body, content_range=None):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if content_range:
            self.send_header("Content-Range", content_range)
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            pass

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Seed)
server.daemon_threads = True
print(server.server_port, flush=True)
server.serve_forever()
