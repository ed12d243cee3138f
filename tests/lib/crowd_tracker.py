#!/usr/bin/env python3
"""crowd_tracker.py [INTERVAL [DELAY]]: an HTTP tracker that takes DELAY s for each
announce (0.02) and prints, in JSON lines, every 50 announces: how many came, from
how many torrents, how many at once at most, and of the second announces of
torrents the waits since the first answer. Its URL is the first line.
"""
import asyncio
import json
import sys
import time

interval = float(sys.argv[1]) if len(sys.argv) > 1 else 1800
delay = float(sys.argv[2]) if len(sys.argv) > 2 else 0.02
now_going = most = count = 0
answered = {}
waits = []


def say():
    print(json.dumps({"count": count, "torrents": len(answered), "most": most,
                      "waits": waits}), flush=True)


async def serve(reader, writer):
    global now_going, most, count
    body = b"d8:intervali%de5:peers0:e" % interval
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            now_going += 1
            most = max(most, now_going)
            who = head.split(b"info_hash=")[1].split(b"&")[0]
            if who in answered and b"event=" not in head:
                waits.append(round(time.monotonic() - answered[who], 3))
            await asyncio.sleep(delay)
            answered.setdefault(who, time.monotonic())
            now_going -= 1
            count += 1
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
                         % len(body) + body)
            if count % 50 == 0:
                say()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print("http://127.0.0.1:%d/announce" % server.sockets[0].getsockname()[1],
          flush=True)
    async with server:
        await server.serve_forever()

asyncio.run(main())
