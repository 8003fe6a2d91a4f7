#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The store: idempotent, merged, bounded, all or nothing; docs/store.md."""
import contextlib
import json
import os
import re
import resource
import shutil
import sqlite3
import subprocess

from tap import TELLTALE, done, folder, ok, same, telltale, write

DEMO = "demo/like-service"
DIR = folder()


def dump(path):
    with contextlib.closing(
            sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        return list(db.execute("SELECT name FROM sqlite_schema")), [
            list(db.execute(f'SELECT * FROM "{name}"'))
            for (name,) in db.execute(
                "SELECT name FROM sqlite_schema WHERE type = 'table'"
                " AND name NOT LIKE 'message_index%' ORDER BY name")]


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
    same(keep(path, DEMO, options=["--store-requests"]).status, 0,
         "an archive is kept")
    ask(path)
    ok(not os.path.exists(path + "-wal"), "no journal stays behind")
    first = dump(path)
    keep(path, DEMO, options=["--store-requests"])
    ok(dump(path) == first, "the same archive again changes no row")
    return path


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


def disk_full():
    path = os.path.join(DIR, "full.db")
    keep(path, lines("few.ndjson", segment(1, 1)))
    before = dump(path)
    data = lines("many.ndjson", *(
        segment(i + 1, i, annotations={"pad": os.urandom(400).hex()})
        for i in range(3000)))

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
    os.chmod(path, 0o444)
    same(len(ask(path).text.splitlines()), 1, "a read-only store can be asked")
    if os.geteuid() != 0:
        ok("read-only" in keep(path, DEMO).err, "but not written")
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


def documented(path):
    with open("docs/store.md", encoding="utf-8") as f:
        text = f.read()
    examples = re.findall(r"```sql\n(.*?)```", text, re.S)
    ok(len(examples) >= 7, "docs/store.md has examples", len(examples))
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    for sql in examples:
        rows = db.execute(sql).fetchall()
        ok(rows or "annotation" in sql, f"finds: {sql.split(' FROM ')[1][:50]}")
    for row in re.findall(r"^\| `(\w+)` \|.*\| ([^|]*) \|$", text, re.M):
        has = [c[1] for c in db.execute(f"PRAGMA table_info({row[0]})")]
        same(", ".join(has), row[1], f"the columns of {row[0]}")
    db.close()


kept = twice()
documents_join()
old_goes()
refusals()
disk_full()
read_only()
read_while_written()
documented(kept)
done()
