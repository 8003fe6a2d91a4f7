#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The store: idempotent, merged, bounded, all or nothing; docs/store.md."""
import contextlib
import gzip
import json
import os
import random
import re
import resource
import shutil
import signal
import sqlite3
import subprocess
import time

from tap import TELLTALE, done, folder, ndjson, ok, same, telltale, write

DEMO = "demo/like-service"
DIR = folder()
ALL = ["--store-requests", "--store-logs"]
TRACES = ["trace", "segment", "call", "annotation"]
VIEWS = [*TRACES, "request", "rollup", "log"]


def dump(path):
    with contextlib.closing(
            sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        return list(db.execute("SELECT name FROM sqlite_schema")), [
            list(db.execute(f'SELECT * FROM "{name}"'))
            for (name,) in db.execute(
                "SELECT name FROM sqlite_schema WHERE type = 'table'"
                " AND name NOT LIKE 'message_index%' ORDER BY name")]


def views(path, names=VIEWS):
    """What people see, in no order."""
    with contextlib.closing(
            sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        return {v: sorted(db.execute(f"SELECT * FROM {v}"), key=repr)
                for v in names}


def keep(path, *inputs, options=(), **more):
    return telltale("replay", "-q", "--store", path, *options, *inputs, **more)


def segment(number, trace, **more):
    return dict({"id": f"{number:016x}", "name": "shop",
                 "trace_id": f"1-5bfd0a00-{trace:024x}",
                 "start_time": 1543309800 + trace,
                 "end_time": 1543309801 + trace}, **more)


def lines(name, *segments):
    return write(os.path.join(DIR, name),
                 "".join(json.dumps(s) + "\n" for s in segments))


def ask(path, expression="", *more):
    return telltale("query", expression, "--store", path, "--ndjson", *more)


def twice():
    path = os.path.join(DIR, "twice.db")
    same(keep(path, DEMO, options=ALL).status, 0, "an archive is kept")
    ask(path)
    ok(not os.path.exists(path + "-wal"), "no journal stays behind")
    first = dump(path)
    keep(path, DEMO, options=ALL)
    ok(dump(path) == first, "the same archive again changes no row")
    return path


def rich():
    """Traces of all that a store has a table for."""
    for t in range(12):
        root = segment(16 * t + 1, t, user=f"u{t % 3}", annotations={
            "tier": "gold" if t % 2 else 7, "beta": t % 4 == 0},
            aws={"ec2": {"availability_zone": "eu-west-1a",
                         "instance_id": f"i-{t % 2}"}},
            http={"request": {"method": "POST" if t % 3 else "GET",
                              "url": f"http://shop.example/buy/{t}"},
                  "response": {"status": 500 if t % 4 == 1 else 200}})
        call = {"id": f"{16 * t + 2:016x}", "name": "stock",
                "namespace": "remote", "start_time": root["start_time"],
                "end_time": root["end_time"] - 0.25}
        stock = segment(16 * t + 3, t, name="stock", parent_id=call["id"],
                        annotations={"shelf": f"s{t}"})
        if t % 4 == 1:
            cause = {"exceptions": [{
                "id": f"{16 * t + 4:016x}", "type": "OutOfStock",
                "message": f"no more of item {t}"}]}
            root.update(fault=True)
            call.update(fault=True)
            stock.update(fault=True, cause=cause)
        root["subsegments"] = [call]
        yield root
        yield stock


def as_written(path):
    """Roll-ups, requests and logs are the documents of --out."""
    out = os.path.join(DIR, "out")
    telltale("replay", "-q", "--out", out, DEMO)
    seen = views(path)
    want = []
    for line in ndjson(os.path.join(out, "rollups.ndjson")):
        d = line["_source"]
        u = d["telltale"]["rollup"]
        want.append((d["service"]["name"], d["http"]["request"]["method"],
                     d["telltale"]["route"], u["count"], u["probes"],
                     u.get("duration_sum", 0), u.get("status", {}).get("4xx", 0)))
    got = [(r[2], r[3], r[4], r[5], r[9], round(r[11] * 1e9), r[16])
           for r in seen["rollup"]]
    ok(sorted(got) == sorted(want), "roll-ups are those of --out",
       f"{sorted(got)[:3]}\n{sorted(want)[:3]}")
    for kind, view in (("logs", "log"), ("requests", "request")):
        ids = [d["_id"] for d in ndjson(os.path.join(out, f"{kind}.ndjson"))]
        same(sorted(r[0] for r in seen[view]), sorted(ids),
             f"so are the ids of {kind}")
    texts = {d["_id"]: d["_source"]["message"]
             for d in ndjson(os.path.join(out, "logs.ndjson"))}
    ok(all(r[8] == texts[r[0]] for r in seen["log"]), "and the logs' texts")


def as_the_archive(path):
    url = ["--group-by", "url", "--json"]
    for more in ([""], ["--requests", "error"], ["--findings", ""],
                 ["--requests", 'responsetime > 1 AND http.method = "POST"'],
                 ["--requests", "", "--last", "20m"],
                 ["--requests", "", *url],
                 ['service("like service") { error }', *url]):
        form = [] if "--json" in more else ["--ndjson"]
        same(telltale("query", *more, *form, "--store", path).text,
             telltale("query", *more, *form, "-q", DEMO).text,
             f"answers as the archive: {' '.join(more)}")


def parts_are_the_whole():
    whole = os.path.join(DIR, "all.db")
    rng = random.Random(7)
    segments = list(rich())
    keep(whole, lines("all.ndjson", *segments))
    for n in range(3):
        path = os.path.join(DIR, f"some{n}.db")
        pieces = [[s for s in segments if rng.random() < 0.4]
                  for _ in range(4)]
        pieces.append([s for s in segments
                       if not any(s in p for p in pieces)])
        for i, p in enumerate(pieces):
            keep(path, lines(f"some{i}.ndjson", *p))
        ok(views(path, TRACES) == views(whole, TRACES),
           "overlapping parts give the whole")
    cut = ["2026-11-21T07:20:00Z", "2026-11-21T07:40:30Z"]
    spans = [["--until", cut[1]], ["--since", cut[0]], [],
             ["--since", cut[0], "--until", cut[1]]]
    demo = views(os.path.join(DIR, "twice.db"), ["trace", "log"])
    for n in range(2):
        path = os.path.join(DIR, f"span{n}.db")
        for span in (spans[:2] if n == 0 else spans[::-1]):
            keep(path, DEMO, options=ALL + span)
        ok(views(path, ["trace", "log"]) == demo,
           "so do overlapping spans of time")
        ok(set(r[0] for r in views(path)["request"]) ==
           set(r[0] for r in views(os.path.join(DIR, "twice.db"))["request"]),
           "with all requests")


def minutes():
    """Whatever part comes first or last, a minute has its fullest count."""
    path = os.path.join(DIR, "minutes.db")
    line = ('10.0.0.9 - - [27/Nov/2018:10:{:02d}:{:02d} +0000] '
            '"GET /cart HTTP/1.1" 200 5 "-" "curl/7"\n')
    log = write(os.path.join(DIR, "cart.log"), "".join(
        line.format(i // 60, i % 60) for i in range(600)))
    whole = os.path.join(DIR, "minutes-all.db")
    keep(whole, log)
    cut = ["--since", "2018-11-27T10:03:30Z", "--until", "2018-11-27T10:06:30Z"]
    for options in (cut, ["--until", "2018-11-27T10:05:00Z"],
                    ["--since", "2018-11-27T10:05:00Z"], cut):
        keep(path, log, options=options)
    same(views(path)["rollup"], views(whole)["rollup"],
         "roll-ups of parts are those of the whole")
    same(sum(r[5] for r in views(path)["rollup"]), 600, "no request twice")


def migrates():
    path = os.path.join(DIR, "first.db")
    fresh = os.path.join(DIR, "fresh.db")
    data = lines("rich.ndjson", *rich())
    with gzip.open("tests/e2e/data/store-1.db.gz") as f:
        old = f.read()
    write(path, old)
    r = ask(path)
    ok(r.status == 66 and "older version" in r.err,
       "a store of version 1 is not read", r.err)
    same(open(path, "rb").read(), old, "and not touched by that")
    same(keep(path, lines("none.ndjson")).status, 0,
         "a replay brings it up to date")
    keep(fresh, data)
    ok(views(path, TRACES) == views(fresh, TRACES),
       "its views are those of a new store")
    for e in ('service("stock") { fault }', "annotation.tier = 7",
              'edge("shop", "stock") { responsetime > 0.5 }',
              'user = "u1"', 'service("stock") { annotation.shelf = "s3" }',
              'rootcause.fault.exception { message CONTAINS "item 5" }',
              'instance.id = "i-1" AND http.method = "POST"'):
        same(ask(path, e).text, ask(fresh, e).text, f"answers: {e}")
    with contextlib.closing(sqlite3.connect(path)) as db:
        same(db.execute("PRAGMA integrity_check").fetchone()[0], "ok",
             "it is sound")
        same(db.execute("SELECT count(*) FROM message_index"
                        " WHERE message_index MATCH 'item'").fetchone()[0], 3,
             "it can be searched")
        kinds = "SELECT type, name, tbl_name FROM sqlite_schema ORDER BY 1, 2"
        columns = ("SELECT m.name, c.name, c.type, c.\"notnull\", c.pk"
                   " FROM sqlite_schema m, pragma_table_info(m.name) c"
                   " WHERE m.type = 'table' ORDER BY 1, c.cid")
        with contextlib.closing(sqlite3.connect(fresh)) as new:
            # What the first traces were written without is there, too.
            guesses = "SELECT * FROM sqlite_stat1 ORDER BY 1, 2"
            for sql in (kinds, columns, guesses):
                same(db.execute(sql).fetchall(), new.execute(sql).fetchall(),
                     "its schema is that of a new store")
    keep(path, data)
    before = dump(path)
    ok(views(path) == views(fresh), "what it had is known by its ids")
    keep(path, data)
    ok(dump(path) == before, "and the same again changes no row")


def documents_join():
    whole = os.path.join(DIR, "whole.db")
    parts = os.path.join(DIR, "parts.db")
    root = segment(1, 1)
    child = segment(2, 1, parent_id=root["id"], name="stock", fault=True)
    early = dict(root, in_progress=True)
    del early["end_time"]
    keep(whole, lines("whole.ndjson", root, child))
    for i, s in enumerate([early, child, root, early]):
        keep(parts, lines(f"part{i}.ndjson", s))
    same(ask(parts).text, ask(whole).text,
         "a trace that comes back in pieces is the whole trace")
    one = json.loads(ask(parts).text)
    ok(not one["IsPartial"], "what is finished replaces what was in progress")
    same(ask(parts, 'service("stock") { fault }').status, 0,
         "its new service can be asked for")


def old_goes():
    path = os.path.join(DIR, "old.db")
    data = lines("old.ndjson", *(segment(i + 1, i * 100) for i in range(50)))
    keep(path, data)
    same(len(ask(path).text.splitlines()), 50, "all are there")
    keep(path, data, options=["--store-keep", "1000s"])
    n = len(ask(path).text.splitlines())
    ok(10 <= n <= 11, "the old ones go by age", n)
    path = os.path.join(DIR, "small.db")
    data = lines("pads.ndjson", *(
        segment(i + 1, i, annotations={"pad": os.urandom(400).hex()})
        for i in range(3000)))
    keep(path, data)
    same(len(ask(path).text.splitlines()), 3000, "all are there")
    r = keep(path, data, options=["--store-max", "2M"])
    ok(r.status == 0 and os.path.getsize(path) <= 2 << 20,
       "--store-max bounds the file", (os.path.getsize(path), r.err))
    left = ask(path).text.splitlines()
    ok(0 < len(left) < 3000, "and the oldest went", len(left))


def refusals():
    path = os.path.join(DIR, "bad.db")
    cases = [
        ("a text", b"this is no store", "it is no SQLite file"),
        ("half a store", None, "is damaged"),
    ]
    good = os.path.join(DIR, "twice.db")
    with open(good, "rb") as f:
        half = f.read()
    for name, data, words in cases:
        write(path, half[:len(half) // 2] if data is None else data)
        before = open(path, "rb").read()
        for r in (keep(path, DEMO), ask(path)):
            ok(r.status in (66, 74) and words in r.err,
               f"{name} is refused with a word", r.err)
        ok(open(path, "rb").read() == before, f"{name} stays as it is")
    os.unlink(path)
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE mine(a)")
    db.close()
    ok("another program" in keep(path, DEMO).err,
       "another program's database is refused")
    shutil.copy(good, path)
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 7")
    db.close()
    ok("newer telltale" in ask(path).err, "a newer version is refused")
    r = telltale("replay", "--store-keep", "1d", DEMO)
    ok(r.status == 64 and "--store" in r.err, "an option without its store")
    r = ask(os.path.join(DIR, "none.db"))
    ok(r.status == 66 and "there is no store" in r.err,
       "a store that is not there is said", r.err)


def truncated():
    """At a page and within, with and without its last byte."""
    path = os.path.join(DIR, "cut.db")
    with open(os.path.join(DIR, "twice.db"), "rb") as f:
        whole = f.read()
    for n in (1, 50, 99, 100, 4096, 5000, len(whole) // 3,
              len(whole) - 4096, len(whole) - 1):
        write(path, whole[:n])
        for r in (keep(path, DEMO), ask(path)):
            ok(r.status in (66, 74) and ("damaged" in r.err or
                                         "no SQLite file" in r.err),
               f"cut after {n} bytes it is refused", r.err)
        ok(open(path, "rb").read() == whole[:n] and
           not os.path.exists(path + "-wal"), "and stays as it is")
    write(path, b"")
    same(keep(path, lines("few.ndjson", segment(1, 1))).status, 0,
         "an empty file becomes a store")


def damaged():
    """Bytes changed anywhere: a word, or an answer, and never a crash."""
    path = os.path.join(DIR, "hurt.db")
    with open(os.path.join(DIR, "twice.db"), "rb") as f:
        whole = f.read()
    rng = random.Random(1)
    statuses = set()
    for _ in range(40):
        hurt = bytearray(whole)
        at = rng.randrange(100, len(hurt) - 4096)
        hurt[at:at + 2000] = rng.randbytes(2000)
        write(path, bytes(hurt))
        for r in (ask(path), telltale("map", "--store", path),
                  keep(path, DEMO)):
            statuses.add(r.status)
    ok(statuses <= {0, 1, 66, 74}, "damage is an answer or a message",
       statuses)
    ok(74 in statuses, "and found")


def nobody():
    if os.geteuid() == 0:
        os.setgid(65534)
        os.setuid(65534)


def as_nobody(*args):
    """Permissions do not hold for root, who may run the tests."""
    binary = os.path.join(DIR, "telltale")
    if not os.path.exists(binary):
        shutil.copy(TELLTALE, binary)
        os.chmod(binary, 0o755)
    scratch = os.path.join(DIR, "scratch")
    os.makedirs(scratch, exist_ok=True)
    os.chmod(scratch, 0o1777)
    folder = DIR
    while folder not in ("/", "/tmp") and os.geteuid() == 0:
        os.chmod(folder, os.stat(folder).st_mode | 0o055)
        folder = os.path.dirname(folder)
    r = subprocess.run([binary, *args], preexec_fn=nobody,
                       env=dict(os.environ, HOME=DIR, TMPDIR=scratch),
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return r.returncode, r.stdout.decode(), r.stderr.decode()


def many(n=3000):
    rng = random.Random(3)
    return lines("many.ndjson", *(
        segment(i + 1, i, annotations={"pad": rng.randbytes(400).hex()})
        for i in range(n)))


def disk_full():
    path = os.path.join(DIR, "full.db")
    keep(path, lines("few.ndjson", segment(1, 1)))
    before = dump(path)
    data = many()

    def limit():
        size = os.path.getsize(path) + 100_000
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    r = subprocess.run(
        [os.path.abspath(TELLTALE), "replay", "-q", "--store", path, data],
        preexec_fn=limit, restore_signals=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    words = r.stderr.decode()
    ok(r.returncode == 74 and "as it was" in words,
       "no room is a message", f"{r.returncode} {words}")
    ok(dump(path) == before, "and leaves what was there")
    same(keep(path, data).status, 0, "with room it goes on")


def read_only():
    path = os.path.join(DIR, "ro.db")
    keep(path, lines("few.ndjson", segment(1, 1)))
    where = os.path.join(DIR, "readonly")
    os.mkdir(where)
    inside = shutil.copy(path, where)
    data = os.path.join(DIR, "few.ndjson")
    os.chmod(path, 0o444)
    os.chmod(inside, 0o644)
    os.chmod(where, 0o555)
    for p, what in ((path, "file"), (inside, "directory")):
        before = open(p, "rb").read()
        r = as_nobody("query", "", "--ndjson", "--store", p)
        same((r[0], len(r[1].splitlines())), (0, 1),
             f"a store that is a read-only {what}'s can be asked")
        r = as_nobody("replay", "-q", "--store", p, data)
        ok(r[0] == 74 and p in r[2] and "read-only" in r[2],
           "but not written, which is said", f"{r[0]} {r[2]}")
        ok(open(p, "rb").read() == before, "and stays as it is")
    r = as_nobody("replay", "-q", "--store", os.path.join(where, "new.db"),
                  data)
    ok(r[0] == 74 and "new.db" in r[2], "a new one there is a message", r[2])
    os.chmod(where, 0o755)
    os.chmod(path, 0o644)


def read_while_written():
    path = os.path.join(DIR, "busy.db")
    keep(path, lines("few.ndjson", segment(1, 1)))
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("BEGIN IMMEDIATE")
    db.execute("DELETE FROM traces")
    same(len(ask(path).text.splitlines()), 1,
         "who reads while it is written reads what was there")
    db.execute("ROLLBACK")
    db.close()


def killed():
    """Killed at any moment: what was there, or all of it."""
    path = os.path.join(DIR, "killed.db")
    whole = os.path.join(DIR, "unharmed.db")
    few, data = lines("few.ndjson", segment(1, 1)), many()
    keep(whole, few)
    begun = time.monotonic()
    keep(whole, data)
    span = time.monotonic() - begun
    counts = set()
    for i in range(1, 9):
        for end in ("", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path + end)
        keep(path, few)
        child = subprocess.Popen(
            [os.path.abspath(TELLTALE), "replay", "-q", "--store", path,
             data], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(span * i / 9)
        child.send_signal(signal.SIGKILL)
        child.wait()
        with contextlib.closing(sqlite3.connect(path)) as db:
            counts.add(db.execute("SELECT count(*) FROM trace").fetchone()[0])
        same(ask(path).status, 0, "a killed replay leaves a store to ask")
    ok(counts <= {1, 3000}, "of what was there, or all", counts)
    keep(path, data)
    ok(views(path) == views(whole), "and the next one makes it whole")


def writers_at_once():
    path = os.path.join(DIR, "two.db")
    parts = [lines(f"{i}.ndjson", *list(rich())[i * 8:i * 8 + 16])
             for i in range(3)]
    for _ in range(20):
        for end in ("", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                os.remove(path + end)
        children = [subprocess.Popen(
            [os.path.abspath(TELLTALE), "replay", "-q", "--store", path, p],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            for p in parts]
        words = [child.communicate()[1] for child in children]
        same([child.returncode for child in children], [0, 0, 0],
             f"three writers of a new store at once {words}")
        ok(views(path, TRACES) == views(os.path.join(DIR, "all.db"), TRACES),
           "and all of theirs is there")
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        r = keep(path, DEMO)
        ok(r.status == 74 and "another program is writing" in r.err,
           "who waited ten seconds says so", r.err)
        db.execute("ROLLBACK")


def nobodys():
    """What is there between a new file's first page and its tables."""
    path = os.path.join(DIR, "nobodys.db")
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA auto_vacuum = INCREMENTAL")
    ok(os.path.getsize(path) == 4096, "a file of one page")
    ok("there is no store" in ask(path).err, "is no store to read")
    same(keep(path, DEMO).status, 0, "and is made one")
    same(ask(path).status, 0, "which can be read")


def documented(path):
    with open("docs/store.md", encoding="utf-8") as f:
        text = f.read()
    examples = re.findall(r"```sql\n(.*?)```", text, re.S)
    ok(len(examples) >= 9, "docs/store.md has examples", len(examples))
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    for sql in examples:
        rows = db.execute(sql).fetchall()
        ok(rows or "annotation" in sql, f"finds: {sql.split(' FROM ')[1][:50]}")
    for row in re.findall(r"^\| `(\w+)` \|.*\| ([^|]*) \|$", text, re.M):
        has = [c[1] for c in db.execute(f"PRAGMA table_info({row[0]})")]
        same(", ".join(has), row[1], f"the columns of {row[0]}")
    db.close()


kept = twice()
as_written(kept)
as_the_archive(kept)
documents_join()
parts_are_the_whole()
minutes()
migrates()
old_goes()
refusals()
truncated()
damaged()
disk_full()
read_only()
read_while_written()
killed()
writers_at_once()
nobodys()
documented(kept)
done()
