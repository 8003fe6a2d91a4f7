#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""telltale trace: the waterfall, its log lines, and hostile traces."""
import json
import os
import time

from tap import CORPUS, done, folder, ok, same, skip, telltale, write

WORK = folder()
DEMO = "demo/like-service"
SLOW = "1-6b013f87-e585adcb371e1c50312e525f"
ID = "1-5f84c7a1-0123456789abcdef01234567"
OTHER = "1-5f84c7a2-0123456789abcdef01234567"


def segment(name, i, start, end, parent=None, trace=ID, **more):
    doc = {"name": name, "id": f"{i:016x}", "trace_id": trace,
           "start_time": 1602537377 + start}
    if end is not None:
        doc["end_time"] = 1602537377 + end
    else:
        doc["in_progress"] = True
    if parent is not None:
        doc["parent_id"] = f"{parent:016x}"
    return {**doc, **more}


def sub(name, i, start, end, **more):
    return {"name": name, "id": f"{i:016x}", "start_time": 1602537377 + start,
            "end_time": 1602537377 + end, **more}


def archive(name, docs):
    return write(os.path.join(WORK, name),
                 "".join(json.dumps(d) + "\n" for d in docs))


USAGE = [
    ([], "an ID is missing, and PATHs to look for it in"),
    ([ID], "a PATH or --store is missing: files, directories, or - for standard input"),
    (["5f84c7", "."], "'5f84c7' is no trace id: 1-8hex-24hex, 32 hex digits, "
     "or at least the first 8 of them"),
    (["--json", "--raw", ID, "."],
     "--json, --summary and --raw exclude each other"),
    (["--compare", OTHER, ID, "-"],
     "--compare reads twice: standard input cannot be"),
]
for args, words in USAGE:
    r = telltale("trace", *args)
    same((r.status, r.err), (64, f"telltale: trace: {words}; see 'telltale "
                                 "help trace'\n"), f"usage: {args}")

# The demo's slow request, and what its program said meanwhile.
r = telltale("trace", SLOW, DEMO)
same((r.status, r.err), (0, ""), "the demo's slow request")
ok(max(map(len, r.text.splitlines())) <= 80, "a pipe gets 80 columns")
for words in ("most time  like service itself, 1.5 s or 100 %",
              "46 06:51:53.227 WARN: This thing should NOT be left on..",
              '56 06:51:53.249 10.0.0.214 - - [21/Nov/2026 06:51:53] "POST'):
    ok(words in r.text, f"says: {words}", r.text)
ok("57 06" not in r.text, "and nothing of the request after it", r.text)
ok("log" not in telltale("trace", "--no-logs", SLOW, DEMO).text,
   "--no-logs leaves them out")
same(telltale("trace", SLOW.replace("-", "")[1:].upper(), DEMO).out, r.out,
     "32 digits, upper case")
same(telltale("trace", SLOW[2:12], DEMO).out, r.out, "a unique prefix")
same(telltale("trace", "-j1", SLOW, DEMO).out, r.out,
     "the same for any number of threads")
r = telltale("trace", SLOW[2:10], DEMO)
same((r.status, r.out, r.err), (1, b"", f"telltale: 2 traces begin with "
     f"'6b013f87': 1-6b013f87-38213ac9b93a64b638a7155a, {SLOW}\n"),
     "a prefix of two")
r = telltale("trace", SLOW[:-1] + "0", DEMO)
ok(r.status == 1 and r.err.startswith(
    f"telltale: there is no trace {SLOW[:-1]}0; the nearest: {SLOW}, "),
   "an unknown id, and the nearest", r.err)
with open(os.path.join(DEMO, "xray", "segments.ndjson"), "rb") as f:
    lines = [x for x in f.read().splitlines() if SLOW.encode() in x]
same(telltale("trace", "--raw", SLOW, DEMO).out.splitlines(), lines,
     "--raw gives the bytes of its documents")

store = os.path.join(WORK, "store.db")
telltale("replay", "--quiet", "--store", store, DEMO)
same(telltale("trace", SLOW, "--store", store, DEMO).out,
     telltale("trace", SLOW, DEMO).out, "a store gives the same trace")
same(telltale("trace", SLOW[2:12], "--store", store).out,
     telltale("trace", "--no-logs", SLOW, DEMO).out,
     "by prefix too, without log lines where no PATH is given")
same(telltale("map", "--store", store).out, telltale("map", DEMO).out,
     "and the same map")
r = telltale("trace", SLOW, "--store", "/nonexistent.db")
ok(r.status == 66 and "/nonexistent.db" in r.err, "a store that is missing",
   r.err)

# All that a span can say.
docs = [
    segment("front", 1, 0, 2, user="alice", fault=True,
            http={"request": {"method": "POST", "url": "http://f/x"},
                  "response": {"status": 500}},
            annotations={"shop": "b", "n": 3, "yes": True},
            cause={"exceptions": [{"id": "a" * 16, "type": "ValueError",
                                   "message": "no such mysfit"}]},
            subsegments=[
                sub("db", 2, 0.25, 1.25, namespace="remote",
                    sql={"sanitized_query": "SELECT * FROM t WHERE i = ?",
                         "database_type": "PostgreSQL",
                         "url": "db:5432/shop"}),
                sub("DynamoDB", 3, 1.5, 1.75, namespace="aws", throttle=True,
                    aws={"operation": "PutItem", "table_name": "likes",
                         "region": "us-east-1"}),
                sub("idle", 4, 0.25, 0.3)]),
    segment("back", 5, 0.3, 1, parent=77),
    segment("late", 6, 1, None, parent=1),
    segment("odd", 7, 1.5, 1, parent=1),
]
path = archive("all.ndjson", docs)
log = write(os.path.join(WORK, "app.log"),
            f"2020-10-12T21:16:18.000Z [{ID}] looked it up\n"
            "2020-10-12T21:16:18.100Z something else\n")
r = telltale("trace", ID, path, log)
for words in ("outcome    fault, throttled, incomplete",
              "exception ValueError: no such mysfit",
              "sql SELECT * FROM t WHERE i = ? of PostgreSQL at db:5432/shop",
              "aws PutItem table likes in us-east-1", "note shop = b",
              "note n = 3", "note yes = true", "user alice", "throttled",
              "not in the trace: its parent 000000000000004d",
              "ends before it starts", "running",
              f"1 21:16:18.000 [{ID}] looked"):
    ok(words in r.text, f"says: {words}", r.text)
ok("something else" not in r.text, "lines of nobody's request are not there")
marked = [x.split()[1] for x in r.text.splitlines() if x.startswith("* ")]
ok(marked[:2] == ["front", "db"] and "idle" not in marked,
   "the critical path is marked", marked)
ok(telltale("trace", ID, path, env={"LC_ALL": "C", "LC_CTYPE": "C",
                                    "LANG": "C"}).out.isascii(),
   "without UTF-8 it is ASCII")
same(telltale("trace", ID, archive("back.ndjson", docs[::-1])).out,
     telltale("trace", ID, path).out, "the same for any order")

# Side by side.
path = archive("two.ndjson", docs[:1] + [
    segment("front", 1, 10, 11, trace=OTHER, subsegments=[
        sub("db", 2, 10.25, 10.5, namespace="remote"),
        sub("cache", 3, 10.5, 10.75)])])
r = telltale("trace", ID, "--compare", OTHER, path)
rows = {x.split()[0]: x.split()[1:] for x in r.text.splitlines()[4:]
        if x.split()}
same(rows.get("front"), "2 s fault 1 s -1 s".split(), "compare: the root")
same(rows.get("idle"), "50 ms -".split(), "compare: only in the first")
same(rows.get("cache"), "- 250 ms".split(), "compare: only in the second")

# Names and texts that try to do something.
evil = "\x1b]0;gone\x07‮\n\x00" + "n" * 500
path = archive("evil.ndjson", [segment(
    evil, 1, 0, 1, user=evil, annotations={evil: evil},
    cause={"exceptions": [{"id": "b" * 16, "type": evil, "message": evil}]},
    http={"request": {"method": evil, "url": evil, "user_agent": evil}},
    sql={"sanitized_query": evil}, aws={"operation": evil})])
for more in ([], ["--compare", ID]):
    r = telltale("trace", ID, *more, path)
    ok(r.status == 0 and not any(c in r.text for c in "\x1b\x07‮\0"),
       f"hostile texts never reach the terminal {more}", r.text)
    ok(max(map(len, r.text.splitlines())) <= 80, "nor make a line longer",
       max(r.text.splitlines(), key=len))

# Large: 100,000 spans, flat, and a chain; in one trace.
flat = [segment("top", 1, 0, 100)]
flat += [segment(f"s{i % 7}", i + 2, i / 1000, i / 1000 + (i == 777) + 0.001,
                 parent=1, type="subsegment") for i in range(50000)]
flat += [segment("c", i + 100000, 1, 2,
                 parent=i + 99999 if i else 1, type="subsegment")
         for i in range(50000)]
path = archive("large.ndjson", flat)
for more in ([], ["--compare", ID], ["--json"]):
    began = time.monotonic()
    r = telltale("trace", ID, "--no-logs", *more, path)
    took = time.monotonic() - began
    ok(r.status == 0 and took < 60, f"100,000 spans {more}",
       f"{r.status} {took:.1f} s {r.err}")
r = telltale("trace", ID, "--no-logs", path)
ok("99701 spans left out" in r.text, "and says what it leaves out",
   r.text[-300:])
ok("1 s" in r.text and len(r.text.splitlines()) < 2000,
   "the longest are shown")

# Parents in a circle.
path = archive("circle.ndjson", [
    segment("a", 1, 0, 1, parent=2), segment("b", 2, 0.5, 1, parent=1)])
r = telltale("trace", ID, path)
ok(r.status == 0 and "its parents run in a circle" in r.text and
   "  b" in r.text, "a circle is cut, and said", r.text)

if os.path.isdir(CORPUS):
    r = telltale("trace", ID, os.path.join(CORPUS, "xray"))
    same(r.status, 1, "the corpus, malformed documents and all")
else:
    skip("the corpus", f"{CORPUS} is not here")

# Beyond 50 000 segments the report does not put traces together again.
many = os.path.join(folder(), "many.ndjson")
with open(many, "w") as f:
    for i in range(50001):
        f.write('{"id":"%016x","trace_id":"1-6b0141e8-%024x","name":"s",'
                '"start_time":1795244520.0,"end_time":1795244520.1}\n' % (i, i))
big = telltale("replay", many).text
ok("more than are read again for a report" in big and "50,001 traces" in big,
   "an archive of many traces: the report says where to ask", big)

done()
