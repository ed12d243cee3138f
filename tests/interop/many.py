"""many.py FOLDER - 200 files: odd sizes, empty ones, nested folders, names that
are not ASCII. The same every time, so that a failure can be had again."""
import os
import random
import sys

rng = random.Random(2)
top = sys.argv[1]
names = ["datei", "été", "файл", "文件", "name with blanks", "'quoted'", "a&b"]
for i in range(200):
    folder = os.path.join(top, *["%02d" % (i % 7), "tief", "noch tiefer"][:i % 4])
    os.makedirs(folder, exist_ok=True)
    size = (0 if i % 20 == 7 else 1 if i % 20 == 8 else
            rng.choice([rng.randrange(1, 2000), 16384, 65536, 65537,
                        rng.randrange(100000, 500000)]))
    with open(os.path.join(folder, "%s %03d.bin" % (names[i % 7], i)), "wb") as f:
        f.write(rng.randbytes(size))
