"""power_cut.py FOLDER DISK - what a power cut leaves of the files in FOLDER.

Each keeps its name, size and time, and of its bytes what was synced: the copy
that tests/lib/faults.c made in DISK, under the inode's number. The rest is
zeros, as a file system leaves blocks that were allocated and not written. The
state of bt-get (.bt) is taken to be on the disk whole: the worst for it.
"""

import os
import sys

folder, disk = sys.argv[1:]
lost = 0
for at, _, names in os.walk(folder):
    for name in names:
        path = os.path.join(at, name)
        if name.endswith((".bt", ".lock")):
            continue
        st = os.stat(path)
        copy = os.path.join(disk, str(st.st_ino))
        kept = b""
        if os.path.exists(copy):
            with open(copy, "rb") as f:
                kept = f.read()
        with open(path, "r+b") as f:
            lost += f.read() != kept
            f.seek(0)
            f.write(kept[: st.st_size].ljust(st.st_size, b"\0"))
        os.utime(path, ns=(st.st_atime_ns, st.st_mtime_ns))
print(lost)
