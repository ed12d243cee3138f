#!/usr/bin/python3
"""maxrss.py FILE COMMAND... - run a command and tell how much memory it had.

FILE gets the peak of its resident set in KiB, as the system counted it. SIGTERM
and SIGINT are passed on; the exit status is the command's, 128+N for a signal.
"""
import os
import signal
import sys

pid = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, lambda n, frame: os.kill(pid, n))
_, status, usage = os.wait4(pid, 0)
with open(sys.argv[1], "w") as f:
    print(usage.ru_maxrss, file=f)
code = os.waitstatus_to_exitcode(status)
sys.exit(code if code >= 0 else 128 - code)
