#!/usr/bin/env python3
"""many_torrents.py N: content in c/ and torrents in t/, small and all different."""
import hashlib
import os
import sys

os.makedirs("c")
os.makedirs("t")
for i in range(int(sys.argv[1])):
    name = b"t%05d" % i
    data = name * 3000
    pieces = b"".join(hashlib.sha1(data[at:at + 16384]).digest()
                      for at in range(0, len(data), 16384))
    with open(b"c/" + name, "wb") as f:
        f.write(data)
    with open(b"t/" + name + b".torrent", "wb") as f:
        f.write(b"d4:infod6:lengthi%de4:name%d:%s12:piece lengthi16384e"
                b"6:pieces%d:%see" % (len(data), len(name), name,
                                      len(pieces), pieces))
