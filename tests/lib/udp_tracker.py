#!/usr/bin/env python3
"""A UDP tracker client (BEP 15) that says what it was told, a fact a line.

usage: udp_tracker.py [-s SOURCE] [-c CONNECTION] [-t SECONDS] ADDR PORT COMMAND

  connect                      connection HEX
  announce NAME=VALUE...       interval, leechers, seeders, then peer lines
      hash, id (text, padded to 20 bytes), port, left, event (0-3), key,
      numwant, ip, extra (hex after the packet)
  scrape HASH...               seeders, completed, leechers a line
  raw HEX                      the reply in hex

An error packet prints "error TEXT", no reply within SECONDS (5) "silence".
"""
import argparse
import ipaddress
import socket
import struct
import sys

MAGIC = 0x41727101980


def padded(text):
    return text.encode().ljust(20, b".")[:20]


class Client:
    def __init__(self, args):
        info = socket.getaddrinfo(args.addr, args.port,
                                  type=socket.SOCK_DGRAM)[0]
        self.family = info[0]
        self.sock = socket.socket(self.family, socket.SOCK_DGRAM)
        self.sock.settimeout(args.timeout)
        if args.source:
            self.sock.bind((args.source, 0))
        # connected: a reply from another address is not seen
        self.sock.connect(info[4])
        self.transaction = 0x5EED0000

    def ask(self, packet):
        self.sock.send(packet)
        try:
            return self.sock.recv(65536)
        except socket.timeout:
            print("silence")
            sys.exit(0)

    def request(self, connection, action, body=b""):
        self.transaction += 1
        reply = self.ask(struct.pack(">QII", connection, action,
                                     self.transaction) + body)
        got, transaction = struct.unpack_from(">II", reply)
        assert transaction == self.transaction, "transaction id"
        if got == 3:
            print("error", reply[8:].decode())
            sys.exit(0)
        assert got == action, "action %d" % got
        return reply[8:]

    def connect(self):
        return struct.unpack(">Q", self.request(MAGIC, 0))[0]

    def announce(self, connection, facts):
        body = struct.pack(
            ">20s20sQQQI4sIiH", padded(facts.get("hash", "h")),
            padded(facts.get("id", "i")), 0, int(facts.get("left", 1)), 0,
            int(facts.get("event", 0)),
            ipaddress.IPv4Address(facts.get("ip", "0.0.0.0")).packed,
            int(facts.get("key", 0)), int(facts.get("numwant", -1)),
            int(facts.get("port", 1000)))
        reply = self.request(connection, 1,
                             body + bytes.fromhex(facts.get("extra", "")))
        print("interval %d\nleechers %d\nseeders %d" %
              struct.unpack_from(">III", reply))
        size = 6 if self.family == socket.AF_INET else 18
        assert (len(reply) - 12) % size == 0, "length"
        for at in range(12, len(reply), size):
            ip = ipaddress.ip_address(reply[at:at + size - 2])
            port, = struct.unpack(">H", reply[at + size - 2:at + size])
            print("peer", ip, port)

    def scrape(self, connection, hashes):
        reply = self.request(connection, 2,
                             b"".join(padded(h) for h in hashes))
        for row in struct.iter_unpack(">III", reply):
            print(*row)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-s", "--source")
    parser.add_argument("-c", "--connection")
    parser.add_argument("-t", "--timeout", type=float, default=5)
    parser.add_argument("addr")
    parser.add_argument("port", type=int)
    parser.add_argument("command")
    parser.add_argument("rest", nargs="*")
    args = parser.parse_args()
    client = Client(args)
    if args.command == "raw":
        print(client.ask(bytes.fromhex(args.rest[0])).hex())
        return
    if args.connection:
        connection = int(args.connection, 16)
    else:
        connection = client.connect()
    if args.command == "connect":
        print("connection %016x" % connection)
    elif args.command == "announce":
        client.announce(connection, dict(f.split("=") for f in args.rest))
    elif args.command == "scrape":
        client.scrape(connection, args.rest)
    else:
        sys.exit("unknown command " + args.command)


main()
