#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bad input: a clear word, bounded cost, and nothing else lost.

Each case has a good file beside the bad one; the good one's requests must all
be there, the bad one must be said and counted.
"""
import base64
import gzip
import json
import os
import pty
import random
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import threading
import time
import zlib
import tap
from tap import TELLTALE, measured, ok, same, skip, telltale

ROOT = os.geteuid() == 0
BUILD = os.path.basename(os.environ.get("BUILD", "release"))
PLAIN = BUILD in ("release", "clang", "noisal")
MIB = 1024 * 1024
DIR = tap.folder()
rng = random.Random(404)


def stamp(i):
    return f"21/Nov/2026:{6 + i // 3600:02d}:{i // 60 % 60:02d}:{i % 60:02d}"


def line(i, path="/x", status=200, when=None):
    return (f'10.0.0.1 - - [{when or stamp(i) + " +0000"}] '
            f'"GET {path} HTTP/1.1" {status} 5\n')


def lines(n, first=0, path="/x"):
    return "".join(line(first + i, path) for i in range(n)).encode()


def segment(i, **more):
    doc = {"trace_id": f"1-6b013f80-{i:024x}", "id": f"{i + 1:016x}",
           "name": "alpha", "start_time": 1795226400 + i,
           "end_time": 1795226400.5 + i,
           "http": {"request": {"method": "GET", "url": "http://h/b"},
                    "response": {"status": 200}}}
    doc.update(more)
    return json.dumps(doc) + "\n"


GOOD_N = 100
GOOD = tap.write(f"{DIR}/good.log", lines(GOOD_N, 50000, "/good"))


class Case:
    """The good file and another, replayed."""

    def __init__(self, name, bad, *options, **more):
        self.name = name
        self.path = bad
        self.out = tap.folder()
        before = time.monotonic()
        self.run = telltale("replay", "--json", "--out", self.out, *options,
                            GOOD, bad, **more)
        self.seconds = time.monotonic() - before
        self.doc = self.run.json() if self.run.out else {}
        self.input = next((i for i in self.doc.get("inputs", [])
                           if i["path"] == bad), {})
        self.accounts = self.input.get("accounting", {})
        docs = tap.ndjson(f"{self.out}/requests.ndjson") \
            if os.path.exists(f"{self.out}/requests.ndjson") else []
        self.requests = [d["_source"] for d in docs]
        good = [r for r in self.requests if r["log"]["file"]["path"] == GOOD]
        same(len(good), GOOD_N, f"{name}: the good file is whole")
        dead = tap.ndjson(f"{self.out}/deadletters.ndjson") \
            if os.path.exists(f"{self.out}/deadletters.ndjson") else []
        self.dead = [d["_source"] for d in dead]
        total = self.doc["accounting"]["all"]
        ok(total["read"] == sum(v for k, v in total.items() if k != "read"),
           f"{name}: balances", total)
        same(len(self.dead), total["dead-lettered"],
             f"{name}: the dead letters are written")

    def count(self, kind, column="stored"):
        return self.accounts.get(kind, {}).get(column, 0)

    def stored(self, requests, logs=0, dead=0):
        same((self.count("request") + self.count("segment"),
              self.count("log"), self.count("all", "dead-lettered")),
             (requests, logs, dead), f"{self.name}: requests, logs, dead")

    def status(self, want):
        same(self.run.status, want, f"{self.name}: status")

    def died_of(self, *reasons):
        got = sorted({d["error"]["message"] for d in self.dead})
        ok(len(got) == len(reasons) and
           all(r in g for r, g in zip(sorted(reasons), got)),
           f"{self.name}: the dead letters' reasons", got)

    def says(self, *words):
        text = telltale("replay", "--width", "200", GOOD, self.path)
        for w in words:
            ok(w in text.text, f"{self.name}: the report says: {w}",
               text.text)


def put(name, data):
    return tap.write(f"{DIR}/{name}", data)


def unreadable():
    c = Case("missing", f"{DIR}/missing.log")
    c.status(66)
    ok("missing.log: No such file" in c.run.err, "missing: said", c.run.err)
    c.says("not read: No such file or directory", "read       1 file, ")
    c = Case("a device", "/dev/null")
    c.status(66)
    c.says("a device, not a file")
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(f"{DIR}/sock")
        Case("a socket", f"{DIR}/sock").says("a socket, not a file")
    path = put("secret.log", lines(3))
    if not ROOT:
        os.chmod(path, 0)
        Case("unreadable", path).status(66)
        return
    if subprocess.run(["sh", "-c", "command -v setpriv"],
                      stdout=subprocess.DEVNULL).returncode:
        skip("unreadable", "root, and no setpriv")
        return
    os.chmod(path, 0)
    for d in (DIR, os.environ.get("TMPDIR", "/tmp"), os.path.dirname(
            os.environ.get("TMPDIR", "/tmp/x")) or "/"):
        if not d == "/tmp":
            os.chmod(d, 0o755)
    r = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534",
                        "--clear-groups", os.path.abspath(TELLTALE), "replay",
                        "--width", "200", GOOD, path], cwd="/",
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if r.returncode == 126 or b"exec" in r.stderr:
        skip("unreadable", "the program's folder is closed to others")
        return
    ok(r.returncode == 66 and b"not read: Permission denied" in r.stdout and
       b"100 requests" in r.stdout, "unreadable: said, the rest is read",
       (r.returncode, r.stdout.decode(), r.stderr))


def archives():
    """A tar archive is known by its magic, packed or not, and refused."""
    source = put("in/app.log", lines(20))
    for name, form, mode in (("posix", tarfile.USTAR_FORMAT, "w"),
                             ("gnu", tarfile.GNU_FORMAT, "w"),
                             ("pax", tarfile.PAX_FORMAT, "w"),
                             ("packed", tarfile.GNU_FORMAT, "w:gz")):
        path = f"{DIR}/{name}.tar"
        with tarfile.open(path, mode, format=form) as t:
            t.add(source, "app.log")
        for block in ("1", "256k"):
            c = Case(f"tar, {name}, blocks of {block}", path,
                     "--block-size", block)
            c.status(66)
            c.stored(0)
        c.says("not read: tar is not built in: unpack it first, e.g. tar -xf "
               "FILE -C FOLDER && telltale replay FOLDER",
               "read       1 file, 100 events")


def empty():
    c = Case("empty", put("empty", ""))
    c.status(0)
    c.stored(0)
    c.says("is empty")
    Case("empty gzip", put("empty.gz", gzip.compress(b""))).stored(0)


def loops():
    root = f"{DIR}/loop"
    put("loop/a/one.log", lines(10, 0, "/loop"))
    os.symlink("..", f"{root}/a/up")
    os.symlink("itself", f"{root}/itself")
    os.symlink("/etc", f"{root}/out")
    os.mkfifo(f"{root}/fifo")
    r = telltale("replay", "--json", root, timeout=20)
    same(r.json()["accounting"]["request"]["stored"], 10,
         "directory loop: each file once")
    text = telltale("replay", "--width", "200", root, timeout=20).text
    for words in ("a link that leads nowhere", "a link that leads out of",
                  "a FIFO in a directory"):
        ok(words in text, f"directory loop: the report says: {words}", text)


def broken_gzip():
    body = lines(4000, 0, "/gz")
    other = lines(50, 5000, "/next")
    whole = gzip.compress(body, mtime=0)
    c = Case("truncated gzip", put("cut.gz", whole[:len(whole) // 2]))
    c.status(0)
    inflated = zlib.decompressobj(31).decompress(whole[:len(whole) // 2])
    got = c.count("request")
    c.stored(inflated.count(b"\n"), 0, 1)
    ok(got > 1000, f"truncated gzip: its whole lines count: {got}")
    c.died_of("half a line: what it was packed in ends early")
    same(c.input["dead_letters"][0]["line"], got + 1,
         "truncated gzip: where the half line is")
    same(c.input["gzip_broken"], 1, "truncated gzip: counted")
    c.says("1 gzip member is broken", "ended early",
           "every whole line that came out counts")
    # Stored blocks: the break is where it is, not where it shows.
    z = zlib.compressobj(0, zlib.DEFLATED, 31)
    raw = bytearray(z.compress(body) + z.flush())
    half = len(raw) // 2
    raw[half:] = b"\xff" * 40
    c = Case("corrupt gzip, then a member",
             put("corrupt.gz", bytes(raw) + gzip.compress(other, mtime=0)))
    same(len([r for r in c.requests if r["url"]["path"] == "/next"]), 50,
         "corrupt gzip: the next member is whole")
    c.says("gzip member is broken")
    bad = bytearray(whole)
    bad[-8] ^= 1
    c = Case("wrong checksum", put("crc.gz", bytes(bad)))
    c.stored(4000)
    c.says("its checksum does not match", "every whole line that came out")
    bare = bytearray(gzip.compress(body[:-1], mtime=0))
    bare[-8] ^= 1
    c = Case("wrong checksum, no line end", put("crc2.gz", bytes(bare)))
    c.stored(4000)
    c = Case("padding", put("pad.gz", whole + b"\0" * 512))
    c.stored(4000)
    c = Case("trailing garbage", put("tail.gz", whole + b"garbage"))
    c.stored(4000)
    c.says("what follows it is no gzip member")
    nested = whole
    for _ in range(5):
        nested = gzip.compress(nested, mtime=0)
    c = Case("gzip in gzip in gzip in gzip", put("onion.gz", nested))
    c.stored(0, 0, c.count("all", "dead-lettered"))
    ok(c.dead, "too many layers: a dead letter")


def small(claim, mib, bound=64):
    if PLAIN:
        ok(mib < bound, f"{claim}: memory is bounded: {mib:.0f} MiB")
    else:
        skip(f"{claim}: memory is bounded", f"{BUILD} has memory of its own")


def bomb():
    z = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = b"a" * 8191 + b"\n"
    with open(f"{DIR}/bomb.gz", "wb") as f:
        for _ in range(128 * 300):
            f.write(z.compress(block))
        f.write(z.flush())
    inner = open(f"{DIR}/bomb.gz", "rb").read()
    put("bomb2.gz", gzip.compress(inner, 9, mtime=0))
    for name, limit in (("bomb.gz", "100"), ("bomb2.gz", "1200")):
        status, out, err, seconds, mib = measured(
            "replay", "--json", "--max-ratio", limit, f"{DIR}/{name}", GOOD)
        doc = json.loads(out)
        bad = next(i for i in doc["inputs"] if name in i["path"])
        ok(bad["bytes"] <= max(64 * MIB, int(limit) *
                               (bad["bytes_packed"] + 64 * 1024)),
           f"{name}: stopped at the limit", bad)
        same(doc["accounting"]["request"]["stored"], GOOD_N,
             f"{name}: the good file is whole")
        small(name, mib)
        ok(seconds < 60, f"{name}: in bounded time: {seconds:.1f} s")
        text = telltale("replay", "--width", "200", "--max-ratio", limit,
                        f"{DIR}/{name}", GOOD).text
        ok("--max-ratio" in text, f"{name}: the option is named", text)


def documents():
    """Tiny lines, packed: each makes a document of a hundred times its size."""
    for name, text, kind in (("lines", b"x\n" * 500000, "log"),
                             ("broken JSON", segment(0).encode() +
                              b'{"a" 1}\n' * 250000, "other")):
        path = put("tiny.gz", gzip.compress(text, mtime=0))
        c = Case(f"documents, {name}", path)
        n = c.accounts[kind]
        left = c.input["documents_left_out"]
        kept = n["stored"] + n["dead-lettered"]
        same((left, kept + left), (n["filtered"], n["read"]),
             f"{c.name}: what is not written is filtered")
        size = sum(os.path.getsize(f"{c.out}/{f}") for f in os.listdir(c.out))
        ok(64 * MIB <= size < 65 * MIB, f"{c.name}: 64 MiB: {size / MIB:.1f}")
        with open(f"{c.out}/{'logs' if kind == 'log' else 'deadletters'}"
                  ".ndjson", "rb") as f:
            same(sum(1 for _ in f), kept, f"{c.name}: each is counted")
        shutil.rmtree(c.out)
    out = tap.folder()
    text = telltale("replay", "--width", "200", "--out", out, path).text
    ok(f"makes documents of more than --max-ratio times its size: {left:,} "
       "were not written, but filtered" in text, "documents: said", text)
    shutil.rmtree(out)


def long_line():
    """1 GiB without a line end, through a pipe, and as a sparse file."""
    with open(f"{DIR}/sparse", "wb") as f:
        f.write(lines(20, 0, "/before"))
        f.seek((1024 if PLAIN else 128) * MIB)
        f.write(b"\n" + lines(20, 50, "/after"))
    for how in ("file", "pipe"):
        cat = None
        args = [f"{DIR}/sparse"]
        if how == "pipe":
            if not PLAIN:
                skip("1 GiB through a pipe", f"too slow in {BUILD}")
                continue
            cat = subprocess.Popen(["cat", f"{DIR}/sparse"],
                                   stdout=subprocess.PIPE)
            args = ["-"]
        status, out, err, seconds, mib = measured(
            "replay", "--json", *args, GOOD, stdin=cat and cat.stdout)
        if cat:
            cat.wait()
        doc = json.loads(out)
        same(doc["accounting"]["request"]["stored"], GOOD_N + 40,
             f"a 1 GiB line, {how}: all lines before and behind it")
        same(doc["accounting"]["all"]["dead-lettered"], 1,
             f"a 1 GiB line, {how}: is one dead letter")
        small(f"a 1 GiB line, {how}", mib)
    os.unlink(f"{DIR}/sparse")


def bytes_():
    c = Case("binary", put("binary", rng.randbytes(200000)))
    c.stored(0, 0, 1)
    c.died_of("binary data: expected text, JSON or gzip")
    c.says('1 piece could not be decoded and went to the dead letters: '
           '"binary data: expected text, JSON or gzip", on line 1')
    same(c.input["dead_letters"],
         [{"reason": c.dead[0]["error"]["message"], "count": 1, "line": 1}],
         "binary: its dead letter, in JSON")
    c = Case("two reasons", put("two.json", segment(0) + '{"a" 1}\n' * 3 +
                                '{"a":,}\n' + segment(1)))
    c.says('4 pieces could not be decoded and went to the dead letters: 3 of '
           '"broken JSON: expected a colon", first on line 2; 1 of "broken '
           'JSON: expected a value", on line 5')
    body = lines(50)
    c = Case("NUL bytes", put("nul.log", body.replace(b"/x", b"/x\0y")))
    c.stored(50)
    c = Case("NULs only", put("zeros", b"\0" * 5000))
    same(c.count("all", "read"), 1, "NULs only: one record")
    c = Case("invalid UTF-8", put("bad8.log", body.replace(b"/x",
                                                           b"/x\xff\xfe")))
    c.stored(50)
    bad = [r["url"]["path"] for r in c.requests if "good" not in
           r["url"]["path"]]
    same(set(bad), {"/x\ufffd\ufffd"}, "invalid UTF-8: written as U+FFFD")
    c = Case("BOM", put("bom.log", b"\xef\xbb\xbf" + body))
    c.stored(50)
    c = Case("CRLF", put("crlf.log", body.replace(b"\n", b"\r\n")))
    c.stored(50)
    ok(not any("\r" in r["message"] for r in c.requests),
       "CRLF: is no part of the line")
    c = Case("lone CR", put("cr.log", body.replace(b"\n", b"\r")))
    c.stored(50)
    same(sorted(d["telltale"]["line"] for d in c.requests
                if d["log"]["file"]["path"] == c.path), list(range(1, 51)),
         "lone CR: every line is where an editor shows it")
    text = telltale("replay", "--explain-input", c.path).text
    ok("its lines end in CR alone" in " ".join(text.split()),
       "lone CR: said by --explain-input", text)
    c = Case("lone CR inside", put("cr2.log", b"10 %\r20 %\r30 %\n" + body))
    c.stored(50, 1)
    c = Case("UTF-16", put("wide.log", body.decode().encode("utf-16")))
    c.stored(0, 0, 1)
    c.died_of("UTF-16 text: expected UTF-8; convert it first")
    c = Case("no line end at the end", put("noend.log", body[:-1]))
    c.stored(50)


TIMES = [  # as written; as understood, or None: a dead letter
    ("21/Nov/9999:00:00:00 +0000", None),
    ("21/Nov/0000:00:00:00 +0000", None),
    ("21/Nov/2200:00:00:00 +0000", "2200-11-21T00:00:00"),
    ("31/Dec/2016:23:59:60 +0000", "2017-01-01T00:00:00"),
    ("29/Feb/2024:00:00:00 +0000", "2024-02-29T00:00:00"),
    ("29/Feb/2023:00:00:00 +0000", None),
    ("29/Feb/1900:00:00:00 +0000", None),
    ("01/Jan/2024:00:00:00 +1400", "2023-12-31T10:00:00"),
    ("01/Jan/2024:00:00:00 -1200", "2024-01-01T12:00:00"),
    ("99/Zzz/2024:99:99:99 +9999", None),
    ("01/Jan/2024:24:00:00 +0000", None),
]


def times():
    c = Case("times", put("times.log", "".join(
        line(i, f"/t{i}", 200, when) for i, (when, _) in enumerate(TIMES))))
    got = {r["url"]["path"]: r["@timestamp"][:19] for r in c.requests}
    for i, (when, want) in enumerate(TIMES):
        same(got.get(f"/t{i}"), want, f"times: {when}")
    c.died_of("a time that exists was expected")
    mixed = [line(i) for i in range(9000)]
    rng.shuffle(mixed)
    c = Case("out of order by hours", put("mixed.log", "".join(mixed)))
    c.stored(9000)
    same(c.input["first"][:19], "2026-11-21T06:00:00", "out of order: first")
    same(c.input["last"][:19], "2026-11-21T08:29:59", "out of order: last")


def numbers():
    huge = "9" * 30
    c = Case("statuses", put("status.log", line(0, "/a", "000") +
                             line(1, "/b", "99999") + line(2, "/c", huge) +
                             line(3, "/d", 999) + line(4, "/e", 200)))
    same(c.count("all", "dead-lettered"), 3 if c.count("request") == 2 else 4,
         "statuses: 000, 99999 and 30 digits are dead letters")
    ok(all("status" in d["error"]["message"] for d in c.dead),
       "statuses: and it is said why", c.dead)
    ok("/e" in {r["url"]["path"] for r in c.requests}, "statuses: 200 is kept")
    c = Case("bytes beyond 64 bits", put("bytes.log", line(0).replace(
        " 5\n", f" {huge}\n") + line(1)))
    same(c.count("all", "read"), 2, "bytes beyond 64 bits: both are counted")
    ok(c.count("request") >= 1, "bytes beyond 64 bits: the next is kept")
    c = Case("huge exponents", put("exp.json", segment(0).replace(
        "1795226400,", "1e999999,") + segment(1).replace(
        "1795226401.5", huge) + segment(2)))
    same(c.count("all", "read"), 3, "huge exponents: all are counted")
    ok(any("start_time" in d["error"]["message"] for d in c.dead),
       "huge exponents: said", c.dead)
    ok(c.count("segment") >= 1, "huge exponents: the next is kept")


def json_():
    deep = '{"a":' * 10000 + "1" + "}" * 10000 + "\n"
    c = Case("JSON 10,000 deep", put("deep.json", deep + segment(0)))
    c.stored(1, 0, 1)
    c.died_of("JSON is nested too deeply")
    c = Case("arrays 10,000 deep", put("deep2.json", "[" * 10000 +
                                       "]" * 10000))
    c.stored(0, 0, 1)
    twice = segment(0).replace('"name": "alpha"',
                               '"name": "alpha", "name": "alpha"')
    Case("duplicate keys", put("twice.json", twice + segment(1))).stored(2)
    with open(f"{DIR}/string.json", "w") as f:
        f.write(segment(0))
        f.write('{"trace_id": "' + "x" * (64 * MIB) + '"}\n')
        f.write(segment(1))
    c = Case("a string of 64 MiB", f"{DIR}/string.json")
    c.stored(2, 0, 1)
    same(len(base64.b64decode(c.dead[0]["telltale"]["dead"]["bytes"])),
         64 * 1024, "a string of 64 MiB: 64 KiB of it are kept")
    small("a string of 64 MiB",
          measured("replay", "--json", f"{DIR}/string.json")[4])
    os.unlink(f"{DIR}/string.json")
    broken = '{"trace_id": broken\n'
    for n, text in (("first", broken + segment(0) + segment(1)),
                    ("between", segment(0) + broken + segment(1)),
                    ("last", segment(0) + segment(1) + broken[:-1])):
        c = Case(f"a broken line {n}", put(f"broken-{n}.json", text))
        c.stored(2, 0, 1)
        same(c.dead[0]["telltale"]["line"], text[:text.index(broken[:-1])]
             .count("\n") + 1, f"a broken line {n}: its position")
        same(base64.b64decode(c.dead[0]["telltale"]["dead"]["bytes"]),
             broken[:-1].encode(), f"a broken line {n}: its bytes")
    if not os.path.isdir(tap.CORPUS):
        skip("malformed documents", f"{tap.CORPUS} is not here")
        return
    x = f"{tap.CORPUS}/xray"
    for name in sorted(os.listdir(x)):
        if "malformed" in name or "truncated" in name:
            c = Case(name, f"{x}/{name}")
            c.status(0)
            ok(c.count("all", "dead-lettered") >= 1 or
               c.count("all", "read") >= 1, f"{name}: is counted", c.input)


def payloads():
    """A broken line takes nothing along, in a payload as in a file."""
    for name, bad in (("cut in a string", '{"trace_id": "1-6b'),
                      ("cut behind a colon", '{"a":'),
                      ("cut behind a value", '{"a":{"b":1}'),
                      ("no value", '{"trace_id": broken')):
        for at in range(3):
            text = [segment(0), segment(1)]
            text.insert(at, bad + "\n")
            text = "".join(text).encode()
            whole = base64.b64encode(gzip.compress(text)).decode()
            put("payload.json", json.dumps({"Records": [
                {"kinesis": {"data": whole}, "eventSource": "aws:kinesis"},
                {"kinesis": {"data": base64.b64encode(
                    segment(2).encode()).decode()},
                 "eventSource": "aws:kinesis"}]}) + "\n")
            c = Case(f"payload, line {at + 1} {name}", f"{DIR}/payload.json")
            c.stored(3, 0, 1)
            c = Case(f"file, line {at + 1} {name}", put("plain.json", text))
            c.stored(2, 0, 1)


NOT_TIME = "expected epoch seconds, before the year 2262"
SEGMENTS = [  # what is wrong, the members, the reason when it is refused
    ("ends before it starts", {"end_time": 1795226300}, None),
    ("times as strings", {"start_time": "1795226400.5",
                          "end_time": "2026-11-21T06:00:01Z"}, None),
    ("times as integers", {"start_time": 1795226400,
                           "end_time": 1795226401}, None),
    ("a negative time", {"start_time": -5, "end_time": 1}, "before 1970"),
    ("a time far ahead", {"start_time": 1e15, "end_time": 1e15}, NOT_TIME),
    ("a time that is true", {"start_time": True}, NOT_TIME),
    ("its own parent", {"parent_id": f"{1:016x}"}, None),
    ("a name of 500", {"name": "n" * 500}, None),
    ("no name", {"name": ""}, "segment without name"),
    ("a number for a name", {"name": 5}, "segment without name"),
    ("70 KiB", {"metadata": {"x": "y" * 70000}}, "at most 64 KiB"),
    ("1,000 annotations", {"annotations": {f"k{i}": i for i in range(1000)}},
     None),
    ("keys that differ in case", {"annotations": {"Key": 1, "key": 2}}, None),
    ("a status of five digits", {"http": {
        "request": {"method": "GET", "url": "http://h/b"},
        "response": {"status": 99999}}}, None),
    ("odd subsegments", {"subsegments": [1, "x", None, {"id": 5}]}, None),
    ("odd blocks", {"annotations": [1], "cause": [1], "aws": 5, "sql": [],
                    "links": {}, "subsegments": {"a": 1}}, None),
    ("progress and end", {"in_progress": True}, "only one of the two"),
]


def traces():
    """A segment of every sort of oddity, beside a good one."""
    for name, members, reason in SEGMENTS:
        path = put("odd.json", segment(0, **members) + segment(1))
        want = 1 if reason else 2
        c = Case(f"segment: {name}", path)
        c.stored(want, 0, 2 - want)
        if reason:
            c.died_of(reason)
        r = telltale("query", "-q", "--json", "", path)
        same((r.status, len(r.json()["TraceSummaries"])), (0, want),
             f"segment: {name}: query")
        r = telltale("map", path)
        ok(r.status == 0 and f"{want} trace" in r.text,
           f"segment: {name}: map", r.text + r.err)
        r = telltale("trace", f"1-6b013f80-{0:024x}", path)
        same(r.status, 1 if reason else 0, f"segment: {name}: trace")
        store = f"{DIR}/odd.db"
        telltale("replay", "-q", "--store", store, path)
        same(telltale("query", "-q", "--csv", "", "--store", store).out,
             telltale("query", "-q", "--csv", "", path).out,
             f"segment: {name}: the store answers the same")
        os.unlink(store)
    c = Case("a cycle of parents", put("cycle.json", "".join(
        segment(0, id=f"{i:016x}", parent_id=f"{i % 3 + 1:016x}")
        for i in (1, 2, 3))))
    c.stored(3)
    r = telltale("trace", f"1-6b013f80-{0:024x}", f"{DIR}/cycle.json")
    ok(r.status == 0 and r.text.count("alpha") >= 3,
       "a cycle of parents: all are shown", r.text + r.err)


def doubles():
    body = lines(300, 0, "/same")
    a, b = put("two/a.log", body), put("two/b.log", body)
    for name, more, want in (("a copy", [b], (600, 300)),
                             ("itself", [a], (300, 0))):
        doc = tap.replay(a, *more)["accounting"]["request"]
        same((doc["read"], doc["duplicate"], doc["stored"]), (*want, 300),
             f"twice, {name}: counted once")
    earlier, doubled = [lines(n, 0, "/same") for n in (100, 200)], 300
    for name, paths, want in (
            ("an earlier state", ("two/a.log.1", "two/a.log.2"), doubled),
            ("packed", ("old/a.log.gz", "older/a.log.1.gz"), doubled),
            ("of another service", ("x/c.log", "x/d.log"), 0)):
        paths = [put(f"earlier/{p}", gzip.compress(text, mtime=0)
                     if p.endswith("gz") else text)
                 for p, text in zip(paths, earlier)]
        doc = tap.replay(a, *paths)["accounting"]["request"]
        got = doc["duplicate"] if want else doc["stored"]
        same((doc["read"], got), (600, want or 500),
             f"twice, {name}: counted once" if want else
             f"twice, {name}: only what is twice there")
    begin = lines(3, 0, "/same")
    doc = tap.replay(put("few/a.log", begin), a)["accounting"]["request"]
    same(doc["stored"], 303, "twice, three lines: they prove nothing")
    paths = [put(f"apart/{p}/access.log", body) for p in ("a", "b", "backup/a")]
    doc = tap.replay(f"{DIR}/apart", "--out", f"{DIR}/apart.out")
    same({s["name"]: s["requests"] for s in doc["services"]},
         {"a": 300, "b": 300}, "the same bytes of two services: both count")
    same(doc["accounting"]["request"]["duplicate"], 300,
         "the same bytes of one service: one counts")
    ids = {d["_id"] for d in tap.ndjson(f"{DIR}/apart.out/requests.ndjson")}
    same(len(ids), 600, "the same bytes of two services: no document is lost")
    alone = f"{DIR}/apart.alone"
    telltale("replay", "--out", alone, paths[0])
    ok({d["_id"] for d in tap.ndjson(f"{alone}/requests.ndjson")} < ids,
       "the first of them has the ids that it has alone")
    doc = telltale("replay", "--json", "-", a, stdin=body).json()
    same(doc["accounting"]["request"]["stored"], 300,
         "twice, by a pipe: counted once")
    os.unlink(b)
    os.link(a, b)
    same(tap.replay(a, b)["accounting"]["request"]["read"], 300,
         "twice, a hard link: read once")
    os.unlink(b)
    os.symlink(a, b)
    same(tap.replay(f"{DIR}/two")["accounting"]["request"]["read"], 300,
         "twice, a link in the tree: read once")
    if not os.path.isdir(tap.CORPUS):
        skip("export and API answer", f"{tap.CORPUS} is not here")
        return
    base = f"{tap.CORPUS}/like-service/python2-2019/logs"
    one = tap.replay(f"{base}/s3-export/like")
    both = tap.replay(f"{base}/s3-export/like",
                      f"{base}/filter-log-events.json")
    for kind in ("request", "log"):
        same(both["accounting"][kind]["stored"],
             one["accounting"][kind]["stored"],
             f"export and filter-log-events: each {kind} once")
    same(both["accounting"]["request"]["duplicate"],
         one["accounting"]["request"]["read"],
         "export and filter-log-events: the others are duplicates")


def under_pty(*args):
    """What a terminal would get.  The program leads no session: the terminal
    of one whose leader ends is hung up, and what was not read yet is lost."""
    master, slave = pty.openpty()
    out = bytearray()

    def read():
        try:
            while more := os.read(master, 65536):
                out.extend(more)
        except OSError:  # nobody has it open any more
            pass

    reader = threading.Thread(target=read)
    reader.start()
    status = subprocess.run([TELLTALE, *args], stdin=slave, stdout=slave,
                            stderr=slave, check=False,
                            env={**os.environ, "TERM": "xterm-256color"}
                            ).returncode
    os.close(slave)
    reader.join()
    os.close(master)
    return status, bytes(out)


def terminal():
    evil = b"\x1b]0;owned\x07\x1b[2J\x9b31m\r"
    path = f"{DIR}/esc/".encode() + b"a\x1b]0;owned\x07\x1b[2J\nb.log"
    os.makedirs(os.path.dirname(path))
    text = b""
    for i in range(900):
        status = 404 if i > 500 else 200
        text += line(i, "/p\x1b[2J\x07q/like", status).encode() + \
            (evil + b"\n" if i % 50 == 0 else b"")
    with open(path, "wb") as f:
        f.write(text)
    for args in (["replay"], ["replay", "--explain-input"],
                 ["replay", "--color", "always"], ["map"], ["query", ""],
                 ["query", "--requests", ""], ["trace", "6b013f80"]):
        status, out = under_pty(*args, os.fsdecode(path), "/none\x1b[2J\x07")
        ok(b"\x1b]0;owned" not in out and b"\x1b[2J" not in out and
           b"\x07" not in out and b"\xc2\x9b" not in out,
           f"escapes never reach a terminal: {' '.join(args)}", out)
        ok(b"\\x1b" in out or b"\\u001b" in out,
           f"they are shown: {' '.join(args)}", out)
    out = telltale("replay", "--json", os.fsdecode(path)).out
    ok(b"\x1b" not in out and json.loads(out), "--json escapes them")


def full_disk():
    out = f"{DIR}/full"
    telltale("replay", "--out", out, GOOD)
    was = {n: open(f"{out}/{n}", "rb").read() for n in os.listdir(out)}
    big = put("big.log", lines(5000))

    def limited():
        resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))

    r = subprocess.run([TELLTALE, "replay", "--out", out, big],
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       preexec_fn=limited)
    ok(r.returncode == 74 and b"requests.ndjson: cannot write: File too large"
       in r.stderr and not r.stdout, "a full disk: said, nothing printed",
       (r.returncode, r.stderr))
    same({n: open(f"{out}/{n}", "rb").read() for n in os.listdir(out)}, was,
         "a full disk: --out has the former files, and no others")
    if not ROOT:
        skip("a full disk, really", "only root can mount one")
        return
    tiny = f"{DIR}/tiny"
    os.mkdir(tiny)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "none",
                       tiny], stderr=subprocess.DEVNULL).returncode:
        skip("a full disk, really", "mount is not allowed here")
        return
    try:
        r = telltale("replay", "--out", f"{tiny}/out", big)
        ok(r.status == 74 and "No space left on device" in r.err and
           not r.out, "a full tmpfs: said", r.err)
        same(os.listdir(f"{tiny}/out"), [], "a full tmpfs: nothing is left")
        xs = put("many.json", "".join(segment(i) for i in range(90000)))
        r = telltale("replay", xs, env={"TMPDIR": tiny}, timeout=60)
        ok(r.status == 74 and "sorting needs room in $TMPDIR: No space left"
           in r.err and not r.out, "$TMPDIR is full: said", r.err)
    finally:
        subprocess.run(["umount", "-l", tiny])
    r = telltale("replay", xs, env={"TMPDIR": "/nonexistent"})
    ok(r.status == 74 and "/nonexistent" in r.err, "no $TMPDIR: said", r.err)
    os.unlink(xs)


def interrupted():
    out = f"{DIR}/kept"
    telltale("replay", "--out", out, GOOD)
    was = {n: open(f"{out}/{n}", "rb").read() for n in os.listdir(out)}
    with open(f"{DIR}/endless", "wb") as f:
        f.truncate(1 << 40)
    os.mkfifo(f"{DIR}/slow")
    for name, path in (("an endless line", f"{DIR}/endless"),
                       ("a FIFO without writer", f"{DIR}/slow")):
        p = subprocess.Popen([TELLTALE, "replay", "--out", out, path, GOOD],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(0.7)
        p.send_signal(signal.SIGINT)
        try:
            o, e = p.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            p.kill()
            o, e = p.communicate()
        ok(p.returncode == 130 and o == b"" and b"interrupted" in e,
           f"SIGINT in {name}: status 130, nothing is printed",
           (p.returncode, o, e))
        same({n: open(f"{out}/{n}", "rb").read() for n in os.listdir(out)},
             was, f"SIGINT in {name}: --out has the former files")
    os.unlink(f"{DIR}/endless")
    for args in (["replay"], ["query", ""], ["query", "--requests", ""],
                 ["query", "--findings", ""], ["map"],
                 ["trace", "1-6b013f80-" + "0" * 24]):
        for number, want in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            p = subprocess.Popen([TELLTALE, *args, f"{DIR}/slow"],
                                 stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE)
            time.sleep(0.2)
            p.send_signal(number)
            o, e = p.communicate(timeout=20)
            ok(p.returncode == want and o == b"" and
               e.count(b"interrupted: nothing is printed") == 1 and
               e.count(b"\n") == 1,
               f"{number.name} in {' '.join(args[:2])}: status {want}",
               (p.returncode, o, e))


def streams():
    with open(GOOD, "rb") as f:
        r = subprocess.run([TELLTALE, "replay", "--json", "-", "-"], stdin=f,
                           stdout=subprocess.PIPE)
    same(json.loads(r.stdout)["accounting"]["request"]["read"], GOOD_N,
         "stdin twice: read once")
    r = telltale("replay", "--json", "-", stdin=open(GOOD, "rb").read())
    same(r.json()["accounting"]["request"]["stored"], GOOD_N, "stdin, a pipe")
    r = telltale("replay", "-", stdin=b"")
    ok(r.status == 0 and "is empty" in r.text, "stdin, empty", r.text)
    os.mkfifo(f"{DIR}/fifo")
    feeder = threading.Thread(target=lambda: open(
        f"{DIR}/fifo", "wb").write(lines(77)))
    feeder.start()
    r = telltale("replay", "--json", f"{DIR}/fifo", timeout=30)
    feeder.join()
    same(r.json()["accounting"]["request"]["stored"], 77, "a FIFO by name")
    a, b = put("a/one.log", lines(9)), put("b/two.log", lines(5, 20))
    r = subprocess.run(["bash", "-c", 'exec "$0" replay --json '
                        '<(cat "$1") <(cat "$2")', TELLTALE, a, b],
                       stdout=subprocess.PIPE, check=False)
    same(sorted((s["requests"], s["name"][:2], s["name"][2:].isdigit())
                for s in json.loads(r.stdout)["services"]),
         [(5, "fd", True), (9, "fd", True)],
         "what a shell pipes in: a service each, by its descriptor")
    r = subprocess.run(f"exec '{TELLTALE}' replay '{GOOD}' >&-", shell=True,
                       stderr=subprocess.PIPE)
    ok(r.returncode == 74 and b"standard output" in r.stderr,
       "standard output closed: said", r.stderr)
    growing = put("growing.log", lines(1000))
    stop = threading.Event()

    def grow():
        with open(growing, "ab") as f:
            i = 1000
            while not stop.is_set() and i < 80000:
                f.write(lines(50, i % 3000))
                f.flush()
                i += 50
    t = threading.Thread(target=grow)
    t.start()
    c = Case("a file that grows", growing)
    stop.set()
    t.join()
    ok(c.count("request") >= 1000 and c.run.status == 0,
       "a file that grows: what was there is read", c.input)
    put("names/a\nb.log", lines(5))
    same(tap.replay(f"{DIR}/names")["inputs"][0]["path"],
         f"{DIR}/names/a\nb.log", "a name with a line end")


for case in (unreadable, archives, empty, loops, broken_gzip, bomb, documents,
             long_line, bytes_, times, numbers, json_, payloads, traces,
             doubles, terminal, full_disk, interrupted, streams):
    try:
        case()
    except (AssertionError, KeyError, StopIteration, OSError, ValueError,
            IndexError, subprocess.TimeoutExpired) as e:
        at = sys.exc_info()[2]
        while at.tb_next:
            at = at.tb_next
        ok(False, f"{case.__name__}: ends", f"{e!r} at {at.tb_lineno}")
tap.done()
