"""torrents.py - hostile torrents and hostile folders, one scenario each.

A scenario gets a stage whose folder `copy` is where content goes; everything
beside it is looked at before and after, and nothing of it may have changed.
"""
import hashlib
import os
import re
import socket
import stat
import threading

from stage import *
from play import memory

SCENES = []
GATE = threading.Event()
GATE.set()


class Scene:
    def __init__(self, run):
        self.run = run
        self.name = "torrent/" + run.__name__.replace("_", "-")
        self.what = " ".join((run.__doc__ or "").split())


def scene(run):
    SCENES.append(Scene(run))
    return run


def single(name=b"x", length=10, piece_length=BLOCK, pieces=None, **more):
    d = {"name": name, "length": length, "piece length": piece_length,
         "pieces": b"h" * 20 if pieces is None else pieces}
    d.update(more)
    return bencode({"info": d})


def multi(*files, name=b"x", piece_length=BLOCK):
    """files: (path, bytes)"""
    data = b"".join(f[1] for f in files)
    return bencode({"info": {
        "name": name, "piece length": piece_length,
        "files": [{"length": len(b), "path": p} for p, b in files],
        "pieces": b"".join(hashlib.sha1(data[i:i + piece_length]).digest()
                           for i in range(0, len(data), piece_length))}})


def get(st, torrent, *more, wait=30):
    """bt-get into `copy`; the program, ended. A stage of others.py has another
    program in its place, of which only what it touches is judged."""
    if hasattr(st, "other"):
        return st.other(torrent, more)
    p = st.run("bt-get", "-v", "--port", "0", "--bind", US, "--no-tracker",
               "--stall-timeout", "2", "-d", st.path("copy"), *more,
               st.write("t.torrent", torrent))
    p.status = p.wait(wait)
    return p


def is_refused(st, torrent, status, pattern, *more, wait=30, tools=True):
    """By bt-get with status; what is malformed also by the others, with 3."""
    p = get(st, torrent, *more, wait=wait)
    said(p, status, pattern)
    if status == 3 and tools and not hasattr(st, "other"):
        t = st.path("t.torrent")
        for tool, *args in (("bt-info",), ("bt-scrape",),
                            ("bt-seed", "--no-tracker", "--port", "0")):
            q = st.run(tool, *args, t)
            q.wait(wait)
            said(q, 3, pattern)
            check(q.peak() < MEMORY + 16 * MIB, "memory of", tool)
    return memory(p, "bt-get")


def said(p, status, pattern):
    if p.is_other:
        return
    got = p.p.returncode
    check(got == status, "status", got, "and not", status)
    err = p.err()
    check(re.search(pattern, err), "never said:", pattern)
    check(not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", err), "raw control bytes")


def is_got(st, torrent, wanted, wait=30):
    """Downloaded whole; wanted: path in copy to bytes."""
    t = Whole(torrent, b"".join(wanted.values()))
    seed = st.keep(honest_seed(t, GATE))
    p = get(st, torrent, "--peer", seed.at, wait=wait)
    check(p.is_other or p.status == 0, "status", p.status)
    for path, data in wanted.items():
        with open(os.path.join(os.fsencode(st.path("copy")), path), "rb") as f:
            check(f.read() == data, "wrong content of", path)
    said(p, 0, "")
    check(p.is_other or not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", p.out()),
          "raw control bytes")
    return memory(p, "bt-get")


class Whole(Torrent):
    """What an honest seed needs, of metainfo bytes and the content."""

    def __init__(self, metainfo, data):
        at = metainfo.index(b"4:info") + 6
        self.hash = hashlib.sha1(metainfo[at:-1]).digest()
        self.length = int(re.search(rb"12:piece lengthi(\d+)e",
                                    metainfo).group(1))
        self.data, self.size = data, len(data)
        self.pieces = -(-self.size // self.length)


# --- names

@scene
def name_300(st):
    """A name of 300 bytes: exit 3."""
    return is_refused(st, single(b"n" * 300), 3, "unsafe name 'n{255,300}'")


@scene
def component_300(st):
    """A folder's name of 300 bytes: exit 3."""
    return is_refused(st, multi(([b"n" * 300, b"f"], b"12345")), 3,
                      "unsafe .*'n{255,300}'")


@scene
def path_5000(st):
    """A path of 5,000 bytes: exit 3."""
    return is_refused(st, multi(([b"d" * 100] * 50, b"12345")), 3,
                      "the path is longer than [0-9]+ bytes or [0-9]+ folders")


@scene
def path_deep(st):
    """A path of a thousand folders: exit 3."""
    return is_refused(st, multi(([b"d"] * 1000, b"12345")), 3,
                      "the path is longer than [0-9]+ bytes or [0-9]+ folders")


@scene
def name_255(st):
    """A name of 255 bytes, the most that a file may have: comes."""
    name = b"n" * 255
    return is_got(st, multi(([name], b"abc"), name=b"x"),
                  {b"x/" + name: b"abc"})


@scene
def name_not_utf8(st):
    """Names that are no UTF-8 and hold escapes: kept on disk, escaped on
    the terminal."""
    return is_got(st, multi(([b"\xff\xfe\x1b[31m"], b"abc"),
                            ([b"\xc3("], b"de"), name=b"\x80"),
                  {b"\x80/\xff\xfe\x1b[31m": b"abc", b"\x80/\xc3(": b"de"})


@scene
def case_twins(st):
    """Names that differ in their case alone: both come."""
    return is_got(st, multi(([b"A"], b"abc"), ([b"a"], b"de"),
                            ([b"D", b"x"], b"1"), ([b"d", b"X"], b"2")),
                  {b"x/A": b"abc", b"x/a": b"de", b"x/D/x": b"1",
                   b"x/d/X": b"2"})


@scene
def file_and_folder(st):
    """One path is a file and a folder: exit 3."""
    return is_refused(st, multi(([b"a", b"b"], b"1"), ([b"a"], b"2")), 3,
                      "'a' is both a file and a folder")


@scene
def part_twin(st):
    """A file that has the name another one has while it comes: both come."""
    return is_got(st, multi(([b"a"], b"abc"), ([b"a.part"], b"de")),
                  {b"x/a": b"abc", b"x/a.part": b"de"})


@scene
def state_twin(st):
    """Files that are called as our own state, lock and side files: they
    come, and ours are elsewhere."""
    return is_got(st, multi(([b".x.lock"], b"abc"), ([b".x.bt"], b"de")),
                  {b"x/.x.lock": b"abc", b"x/.x.bt": b"de"})


@scene
def climbs(st):
    """Paths with '..', '/', NUL, absolute ones: exit 3, each."""
    for path in ([b"..", b"up"], [b"a/../../up"], [b"/etc/x"], [b"a\0b"],
                 [b"."], [b""], []):
        note = is_refused(st, multi((path, b"12345"), ([b"y"], b"1")), 3,
                          "file 1: ")
    return note


@scene
def attr_link(st):
    """A symbolic link by attr 'l' (BEP 47): refused by name."""
    t = bencode({"info": {
        "name": "x", "piece length": BLOCK, "pieces": b"h" * 20, "files": [
            {"path": ["l"], "attr": "l", "length": 0,
             "symlink path": ["..", "beside"]},
            {"path": ["f"], "length": 5}]}})
    return is_refused(st, t, 3, "cannot make 'x/l': it is a symbolic link",
                      tools=False)


# --- what lies in the way

DATA = b"0123456789"
TEN = multi(([b"d", b"f"], DATA))


def in_the_way(st, make, path, status=7, pattern="cannot open '.*'"):
    at = st.path("copy", *path)
    os.makedirs(os.path.dirname(at), exist_ok=True)
    make(at)
    before = os.lstat(at)
    seed = st.keep(honest_seed(Whole(TEN, DATA), GATE))
    p = get(st, TEN, "--peer", seed.at)
    said(p, status, pattern)
    now = os.lstat(at)
    check((before.st_mode, before.st_ino) == (now.st_mode, now.st_ino),
          "it was replaced")
    return memory(p, "bt-get")


def link_out(st):
    """make for in_the_way(): a link to a file or folder outside."""
    return lambda at: os.symlink(st.path("beside", "file"), at)


@scene
def link_is_file(st):
    """A planted link where the file belongs, to a file outside: exit 7."""
    return in_the_way(st, link_out(st), ("x", "d", "f"),
                      pattern="symbolic link is in the way")


@scene
def link_is_part(st):
    """The same with the name of the .part file."""
    return in_the_way(st, link_out(st), ("x", "d", "f.part"),
                      pattern="symbolic link is in the way")


@scene
def link_dangles(st):
    """A link to what is not there yet outside: not made."""
    return in_the_way(
        st, lambda at: os.symlink(st.path("beside", "new"), at),
        ("x", "d", "f.part"), pattern="symbolic link is in the way")


@scene
def link_is_folder(st):
    """A planted link where a folder belongs, to a folder outside."""
    return in_the_way(st, lambda at: os.symlink(st.path("beside"), at),
                      ("x", "d"), pattern="symbolic link is in the way")


@scene
def link_is_root(st):
    """A planted link in place of the torrent's own folder."""
    return in_the_way(st, lambda at: os.symlink(st.path("beside"), at),
                      ("x",), pattern="symbolic link is in the way")


def hidden(suffix):
    return ".x.%s.%s" % (Whole(TEN, DATA).hash[:4].hex(), suffix)


@scene
def link_is_state(st):
    """A planted link in place of our state: exit 7."""
    return in_the_way(st, link_out(st), (hidden("bt"),),
                      pattern="cannot keep state in .*: not a regular file")


@scene
def link_is_lock(st):
    """A planted link in place of our lock: exit 7."""
    return in_the_way(st, link_out(st), (".x.lock",), pattern=(
        r"cannot open '.*/\.x\.lock': Too many levels of symbolic links"))


@scene
def fifo_is_file(st):
    """A FIFO where the file belongs: exit 7, and no wait for a writer."""
    return in_the_way(st, os.mkfifo, ("x", "d", "f"),
                      pattern="not a regular file")


@scene
def fifo_is_part(st):
    """The same with the name of the .part file."""
    return in_the_way(st, os.mkfifo, ("x", "d", "f.part"),
                      pattern="not a regular file")


@scene
def fifo_is_state(st):
    """A FIFO in place of our state: exit 7."""
    return in_the_way(st, os.mkfifo, (hidden("bt"),),
                      pattern="cannot keep state in .*: not a regular file")


@scene
def fifo_is_lock(st):
    """A FIFO in place of our lock: exit 7."""
    return in_the_way(st, os.mkfifo, (".x.lock",), pattern=(
        r"cannot lock '.*/\.x\.lock': not a regular file"))


@scene
def socket_is_file(st):
    """A socket where the file belongs: exit 7."""
    def make(at):
        here = os.open(os.path.dirname(at), os.O_RDONLY)
        s = st.keep(socket.socket(socket.AF_UNIX))
        s.bind("/proc/self/fd/%d/f" % here)
        os.close(here)
    return in_the_way(st, make, ("x", "d", "f"), pattern="not a regular file")


@scene
def device_is_file(st):
    """A device where the file belongs (/dev/full's numbers): exit 7."""
    def make(at):
        try:
            os.mknod(at, stat.S_IFCHR | 0o666, os.makedev(1, 7))
        except PermissionError: # only root may; a link to one is refused too
            os.symlink("/dev/full", at)
    return in_the_way(st, make, ("x", "d", "f"),
                      pattern="not a regular file|symbolic link")


@scene
def folder_is_file(st):
    """A folder where the file belongs: exit 7."""
    return in_the_way(st, os.mkdir, ("x", "d", "f"),
                      pattern="cannot open '.*x/d/f': Is a directory")


@scene
def file_is_folder(st):
    """A file where a folder belongs: exit 7."""
    return in_the_way(st, lambda at: open(at, "w").close(), ("x", "d"),
                      pattern="cannot open '.*x/d/f': Not a directory")


@scene
def seed_of_links(st):
    """bt-seed -d whose content is a link out of its folder: not served."""
    os.makedirs(st.path("copy", "x", "d"))
    with open(st.path("beside", "ten"), "wb") as f:
        f.write(DATA)
    os.symlink(st.path("beside", "ten"), st.path("copy", "x", "d", "f"))
    p = st.run("bt-seed", "-v", "--port", "0", "--bind", US, "--no-tracker",
               "-d", st.path("copy"), st.write("t.torrent", TEN))
    p.wait(20)
    said(p, 7, "symbolic link is in the way")
    os.unlink(st.path("beside", "ten"))
    return memory(p, "bt-seed")


@scene
def seed_of_fifo(st):
    """bt-seed whose content is a FIFO: exit 7, and no wait."""
    os.makedirs(st.path("copy", "x", "d"))
    os.mkfifo(st.path("copy", "x", "d", "f"))
    p = st.run("bt-seed", "-v", "--port", "0", "--bind", US, "--no-tracker",
               "-d", st.path("copy"), st.write("t.torrent", TEN))
    p.wait(20)
    said(p, 7, "not a regular file")
    return memory(p, "bt-seed")


# --- sizes

@scene
def file_of_2_62(st):
    """One file of 2^62 bytes, which needs 2^32 pieces: exit 3."""
    return is_refused(st, single(length=1 << 62, piece_length=1 << 30), 3,
                      "1 piece hashes where the sizes need 4294967296")


@scene
def file_over_2_62(st):
    """One of 2^62 + 1, and one of 2^63 - 1 bytes: exit 3."""
    is_refused(st, single(length=(1 << 62) + 1), 3, "too large")
    return is_refused(st, single(length=(1 << 63) - 1), 3, "too large")


@scene
def file_of_2_46(st):
    """One file of 64 TiB that is whole in itself: no space, exit 7, nothing
    made."""
    note = is_refused(
        st, single(length=1 << 46, piece_length=1 << 30,
                   pieces=os.urandom(20) * (1 << 16)), 7,
        "no space in '.*' for 'x': 64.0 TiB needed")
    check(not os.path.exists(st.path("copy", "x.part")), "x.part was made")
    return note


@scene
def sizes_that_wrap(st):
    """Four files whose sizes add up to 2^64: exit 3."""
    t = bencode({"info": {"name": "x", "piece length": BLOCK, "pieces": b"",
                      "files": [{"length": 1 << 62, "path": [b"%d" % i]}
                                for i in range(4)]}})
    return is_refused(st, t, 3, "file 2: the file is too large|overflow")


@scene
def piece_length_1(st):
    """Pieces of one byte, 20,000 of them: comes."""
    data = os.urandom(20000)
    return is_got(st, multi(([b"f"], data), piece_length=1), {b"x/f": data})


@scene
def piece_length_2_31(st):
    """Pieces of 2^31 bytes: exit 3."""
    return is_refused(st, single(piece_length=1 << 31), 3,
                      "a piece length of more than 1073741824 bytes")


@scene
def piece_length_2_32(st):
    """Pieces of 2^32 + 16384 bytes, which 32 bits make 16384: exit 3."""
    return is_refused(st, single(piece_length=(1 << 32) + BLOCK), 3,
                      "a piece length of more than 1073741824 bytes")


@scene
def piece_length_2_30(st):
    """A piece of 2^30 bytes, the most: memory stays where it is."""
    t = single(length=1 << 30, piece_length=1 << 30)
    w = Whole(t, b"\0" * BLOCK)
    seed = st.keep(Listens(w, HONEST, lambda c: (
        c.shake(), c.msg(BITFIELD, body=b"\x80"), c.msg(UNCHOKE),
        [c.msg(PIECE, 0, b, body=bytes(n))
         for n_, (i, b, n) in enumerate(c.requests()) if n_ < 3000],
        c.close())))
    p = get(st, t, "--peer", seed.at)
    said(p, 6, "nothing came for 2 s")
    return memory(p, "bt-get")


def million():
    """10^6 files, of which one is not empty."""
    return (b"d4:infod5:filesl" +
            b"".join(b"d6:lengthi0e4:pathl6:%06dee" % i
                     for i in range(999999)) +
            b"d6:lengthi1e4:pathl1:zeee4:name1:x12:piece lengthi16384e"
            b"6:pieces20:" + hashlib.sha1(b"z").digest() + b"ee")


@scene
def files_10_6(st):
    """10^6 files in a torrent of 29 MB: told by bt-info, and one of them chosen
    and got."""
    t = million()
    path = st.write("m.torrent", t)
    q = st.run("bt-info", "-p", "pieces", path)
    q.wait(120)
    said(q, 0, "")
    seed = st.keep(honest_seed(Whole(t, b"z"), GATE))
    p = get(st, t, "-s", "1000000", "--peer", seed.at, wait=120)
    said(p, 0, "")
    with open(st.path("copy", "x", "z"), "rb") as f:
        check(f.read() == b"z", "wrong content")
    check(len(os.listdir(st.path("copy", "x"))) == 1, "stray files")
    return memory(p, "bt-get", q)


# --- one scenario

def look(st):
    """What is beside `copy`: names, modes, times, content."""
    seen = {}
    for top in (st.path("beside"), st.path("outside")):
        for folder, _, files in os.walk(top):
            for n in [folder] + [os.path.join(folder, f) for f in files]:
                s = os.lstat(n)
                seen[n] = (s.st_mode, s.st_size, s.st_mtime_ns, s.st_ino)
    return seen, set(os.listdir(st.dir)) | {"copy"}


def play(st, s):
    """A scenario, and that nothing outside was touched."""
    for d in ("beside", "outside"):
        os.mkdir(st.path(d))
        with open(st.path(d, "file"), "wb") as f:
            f.write(b"not yours")
    before, names = look(st)
    note, bad = "", None
    try:
        note = s.run(st)
    except Failed as e:
        bad = e
    after, now = look(st)
    if s.name == "torrent/seed-of-links": # the scenario put a file there
        before = {k: v for k, v in before.items() if os.path.isfile(k)}
        after = {k: v for k, v in after.items() if os.path.isfile(k)}
    check(before == after, "something outside was touched")
    mine = {n for n in now - names
            if not re.fullmatch(r"run\d*|[tm]\.torrent|tr|home", n)}
    check(not mine, "made beside the folder:", mine)
    if bad:
        raise bad
    return note
