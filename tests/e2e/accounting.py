#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The accounting, computed here a second time and compared.

The model below reads the archive with twenty lines of Python: what is an
access line, which lines are one record, which were written twice.  What the
program says of every kind must be that, balance, and be what --out holds.
"""
import glob
import gzip
import json
import os
import re
import tap
from tap import ok, same

ACCESS = re.compile(r'(INFO:werkzeug:)?\d+\.\d+\.\d+\.\d+ - - \[[^]]+\] "'
                    r'(?:\x1b\[[\d;]*m)*([A-Z]+) (\S+) [^"]*" (\d{3}) -$')
KINDS = {"requests": "request", "logs": "log", "segments": "segment"}
COLUMNS = ("stored", "folded", "filtered", "duplicate", "dead-lettered")


def messages(path):
    with gzip.open(path, "rb") as f:
        for line in f.read().decode().splitlines():
            yield line[:24], line[25:]


def logs_of(lines):
    """(events, lines joined to the one before) of what is no access line."""
    events = joined = 0
    state = "free"
    for m in lines:
        if m is None:  # an access line stands between
            state = "free"
        elif state == "dashes":
            joined += 1
            state = "free" if set(m) == {"-"} else state
        elif m and set(m) == {"-"}:
            events += 1
            state = "dashes"
        elif m.startswith("Traceback") and state == "said":
            joined += 1
            state = "trace"
        elif m.startswith("Traceback"):
            events += 1
            state = "trace"
        elif state == "trace":
            joined += 1
            state = "trace" if m.startswith(" ") else "said"
        elif m.startswith("  "):
            joined += 1
        else:
            events += 1
            state = "said"
    return events, joined


def model(files):
    """What one file of an export comes to, by kind and column."""
    sums = {"events": 0, "requests": 0, "doubled": 0, "logs": 0, "joined": 0}
    for path in files:
        lines = []
        for _, m in messages(path):
            a = ACCESS.match(m)
            sums["events"] += 1
            sums["requests"] += bool(a)
            sums["doubled"] += bool(a and a.group(1))
            lines.append(None if a else m)
        events, joined = logs_of(lines)
        sums["logs"] += events
        sums["joined"] += joined
    return sums


def balances(accounting, claim):
    for kind, n in accounting.items():
        ok(n["read"] == sum(n[c] for c in COLUMNS),
           f"{claim}: {kind}: read = the sum of what became of it", n)
    for column in ("read", *COLUMNS):
        ok(accounting["all"][column] == sum(
            n[column] for k, n in accounting.items() if k != "all"),
           f"{claim}: all {column} is the sum of the kinds")


def documents(out, accounting, claim):
    for name, kind in KINDS.items():
        docs = tap.ndjson(f"{out}/{name}.ndjson")
        same(len(docs), accounting.get(kind, {}).get("stored", 0),
             f"{claim}: as many {name} in --out as stored")
        same(len({(d["_index"], d["_id"]) for d in docs}), len(docs),
             f"{claim}: no {kind} has another's id")
    same(len(tap.ndjson(f"{out}/deadletters.ndjson")),
         accounting["all"]["dead-lettered"],
         f"{claim}: as many dead letters in --out as counted")


def run(claim, *args):
    out = tap.folder()
    doc = tap.replay("--out", out, *args)
    balances(doc["accounting"], claim)
    documents(out, doc["accounting"], claim)
    for i in doc["inputs"]:
        if "accounting" in i:
            balances(i["accounting"], f"{claim}: {os.path.basename(i['path'])}")
    for kind in doc["accounting"]:
        same(sum(i.get("accounting", {}).get(kind, {}).get("read", 0)
                 for i in doc["inputs"]), doc["accounting"][kind]["read"],
             f"{claim}: {kind}: the inputs' sum")
    return doc, out


def archive(name, export, segments):
    files = sorted(glob.glob(f"{export}/*/*/*/*.gz"))
    want = model(files)
    doc, out = run(name, export, segments)
    got = doc["accounting"]
    n_segments = sum(1 for _ in open(segments, "rb"))
    same(got["all"]["read"], want["events"] + n_segments, f"{name}: events")
    same(got["request"]["read"], want["requests"], f"{name}: access lines")
    same(got["request"]["duplicate"], want["doubled"],
         f"{name}: lines written twice")
    same((got["log"]["stored"], got["log"]["folded"]),
         (want["logs"], want["joined"]), f"{name}: log events, joined lines")
    same(got["segment"]["read"], n_segments, f"{name}: segments")
    same(got["all"]["dead-lettered"], 0, f"{name}: nothing is dead")
    services = doc["services"]
    same(sum(s["probes"] for s in services), got["request"]["folded"],
         f"{name}: probes are what was folded")
    same(sum(s["requests"] for s in services), got["request"]["stored"] +
         sum(s["in_trace_only"] for s in services),
         f"{name}: requests of the services are the documents")
    for s in services:
        for r in s["routes"]:
            ok(sum(r["status"].values()) <= r["count"],
               f"{name}: {r['method']} {r['route']}: status classes")
    rollups = [d["_source"]["telltale"]["rollup"] for d in
               tap.ndjson(f"{out}/rollups.ndjson")]
    same(sum(r["count"] for r in rollups),
         sum(s["requests"] for s in services), f"{name}: roll-ups: requests")
    same(sum(r["probes"] for r in rollups),
         sum(s["probes"] + s["probes_probable"] for s in services),
         f"{name}: roll-ups: probes, certain and probable")
    return doc


def probes(name, paths, folded):
    keep = run(f"{name} --probes keep", "--probes", "keep", *paths)[0]
    drop = run(f"{name} --probes drop", "--probes", "drop", *paths)[0]
    fold = folded["accounting"]
    same(keep["accounting"]["request"]["stored"],
         fold["request"]["stored"] + fold["request"]["folded"],
         f"{name}: probes kept are documents")
    same(drop["accounting"]["request"]["filtered"],
         fold["request"]["folded"], f"{name}: probes dropped are counted")
    for other in (keep, drop):
        same(other["accounting"]["request"]["read"], fold["request"]["read"],
             f"{name}: the same lines are read")
        same([f["event"]["id"] for f in other["findings"]],
             [f["event"]["id"] for f in folded["findings"]],
             f"{name}: the same is found")


def ranges(name, export, segments):
    """--since and --until cut the archive in three that add up."""
    a, b = "2026-11-21T06:51:00Z", "2026-11-21T06:57:00Z"
    paths = (export, segments)
    parts = [run(f"{name} {label}", *options, *paths)[0]["accounting"]
             for label, options in (("before", ["--until", a]),
                                    ("between", ["--since", a, "--until", b]),
                                    ("after", ["--since", b]))]
    whole = run(f"{name} whole", *paths)[0]["accounting"]
    for kind in ("segment", "request"):
        for part in parts:
            same(part[kind]["read"], whole[kind]["read"],
                 f"{name}: a range reads all: {kind}")
        same(sum(p[kind]["read"] - p[kind]["filtered"] for p in parts),
             whole[kind]["read"], f"{name}: the ranges add up: {kind}")
    want = sum(1 for path in glob.glob(f"{export}/*/*/*/*.gz")
               for t, m in messages(path)
               if ACCESS.match(m) and not a[:19] <= t[:19] < b[:19])
    same(parts[1]["request"]["filtered"], want,
         f"{name}: as many lines are outside as there are")


def choices(name, paths):
    whole = tap.replay(*paths)
    for s in whole["services"]:
        doc = run(f"{name} --service {s['name']}", "--service", s["name"],
                  *paths)[0]
        shown = {x["name"]: x["requests"] for x in doc["services"]}
        same({n for n in shown if shown[n]}, {s["name"]},
             f"{name}: one service has requests")
        same(doc["accounting"]["all"]["read"],
             whole["accounting"]["all"]["read"],
             f"{name}: and all is read")
        same(shown[s["name"]], s["requests"],
             f"{name}: with its requests: {s['name']}")
    for rule in ("slow-post", "not-found", "target-health"):
        doc = run(f"{name} --rule {rule}", "--rule", rule, *paths)[0]
        same(doc["accounting"], whole["accounting"],
             f"{name}: a rule changes no count")
        same([f["event"]["id"] for f in doc["findings"]],
             [f["event"]["id"] for f in whole["findings"]
              if f["rule"]["id"] == rule], f"{name}: only what {rule} finds")


def unfinished():
    """Of a segment in progress and the finished one, the finished is kept."""
    def segment(i, lasts, agent="curl/7"):
        doc = {"trace_id": f"1-6b013f80-{i:024x}", "id": f"{i + 1:016x}",
               "name": "alpha", "start_time": 1795226400 + i,
               "http": {"request": {"method": "GET", "url": "http://h/b",
                                    "user_agent": agent}}}
        if lasts is None:
            return {**doc, "in_progress": True}
        doc["http"]["response"] = {"status": 200}
        return {**doc, "end_time": 1795226400 + i + lasts}

    n, alone, probe = 400, 7, 9
    lasting = [0, 0.5, 30, 3600]  # of an instant, to beyond every window
    done = [segment(i, lasting[i % 4]) for i in range(n) if i != alone
            and i != probe]
    begun = [segment(i, None, "ELB-HealthChecker/2.0" if i == probe else "x")
             for i in range(n) if i % 3 or i == probe]
    root = tap.folder()
    paths = [tap.write(f"{root}/{k}.json", "".join(
        json.dumps(s) + "\n" for s in v))
        for k, v in (("done", done), ("begun", begun))]
    both = tap.write(f"{root}/both.json", "".join(
        json.dumps(s) + "\n" for s in begun + done + begun))
    for claim, args, copies in (
            ("finished first", paths, 1), ("begun first", paths[::-1], 1),
            ("in one file", [both], 2),
            ("one thread", ["--threads", "1", *paths], 1)):
        doc, out = run(f"in progress, {claim}", *args)
        got = doc["accounting"]["segment"]
        same((got["read"], got["stored"], got["duplicate"]),
             (len(done) + copies * len(begun), len(done) + 2,
              copies * len(begun) - 2),
             f"in progress, {claim}: those that were finished are duplicates")
        kept = {d["_source"]["span"]["id"]:
                d["_source"]["aws"]["xray"]["in_progress"]
                for d in tap.ndjson(f"{out}/segments.ndjson")}
        same({i for i, still in kept.items() if still},
             {f"{i + 1:016x}" for i in (alone, probe)},
             f"in progress, {claim}: the finished documents are written")
        same(doc["services"][0]["requests"], len(done),
             f"in progress, {claim}: finished ones are requests")


def twice_finished():
    """Of two finished documents of a segment the one that traces are made of
    counts, in every view."""
    def segment(i, lasts, status, **more):
        return {"trace_id": f"1-6b013f80-{i:024x}", "id": f"{i + 1:016x}",
                "name": "alpha", "start_time": 1795226400 + i,
                "end_time": 1795226400 + i + lasts,
                "http": {"request": {"method": "POST", "url": "http://h/b"},
                         "response": {"status": status}}, **more}

    n = 300
    lasting = [0.25, 0.5, 30, 3600]  # with the other's end, to far from it
    first = [segment(i, 0.25, 200) for i in range(n)]
    other = [segment(i, lasting[i % 4], 500 + i % 3,
                     **({"user": "u"} if i % 5 == 0 else {}))
             for i in range(n)]
    begun = [{k: v for k, v in {**d, "in_progress": True,
                                "metadata": "m" * 999}.items()
              if k != "end_time"} for d in first if d["id"][-1] in "05af"]
    root = tap.folder()
    paths = [tap.write(f"{root}/{k}.json", "".join(
        json.dumps(s) + "\n" for s in v))
        for k, v in (("first", first), ("other", other + begun))]
    both = tap.write(f"{root}/both.json", "".join(
        json.dumps(s) + "\n" for s in other[::-1] + first + begun))
    answers = set()
    for claim, args in (("first", paths), ("last", paths[::-1]),
                        ("in one file", [both]),
                        ("one thread", ["--threads", "1", *paths])):
        doc, out = run(f"twice finished, {claim}", *args)
        got = doc["accounting"]["segment"]
        same((got["read"], got["stored"], got["duplicate"]),
             (2 * n + len(begun), n, n + len(begun)),
             f"twice finished, {claim}: one is a duplicate")
        same(doc["services"][0]["requests"], n,
             f"twice finished, {claim}: a segment is one request")
        written = sorted((d["_source"]["span"]["id"],
                          d["_source"]["http"]["response"]["status_code"])
                         for d in tap.ndjson(f"{out}/segments.ndjson"))
        traces = [json.loads(line) for line in tap.telltale(
            "query", "--ndjson", "", *[a for a in args if a[0] == "/"]
        ).text.splitlines()]
        same(written, sorted((f"{int(t['Id'][11:], 16) + 1:016x}",
                              t["Http"]["HttpStatus"]) for t in traces),
             f"twice finished, {claim}: that of the trace")
        answers.add((json.dumps(doc["services"][0]["routes"]),
                     json.dumps(written)))
    same(len(answers), 1, "twice finished: the same in any order")


def generated():
    """Lines of every fate, counted while they are written."""
    root = tap.folder()
    want = dict(request=0, log=0, joined=0, dead=0)
    lines = []
    for i in range(3000):
        stamp = f"[21/Nov/2026:06:{i // 60:02d}:{i % 60:02d} +0000]"
        what = i % 7
        if what == 3:
            lines.append(f"just words {i}")
            want["log"] += 1
        elif what == 5:
            lines += ["it broke", "Traceback (most recent call last):",
                      '  File "x.py", line 1, in f', f"ValueError: {i}"]
            want["log"] += 1
            want["joined"] += 3
        elif what == 6:
            lines.append(f'10.0.0.1 - - {stamp} "GET /x HTTP/1.1" 000 5')
            want["dead"] += 1
        else:
            lines.append(f'10.0.0.1 - - {stamp} "GET /x/{i} HTTP/1.1" 200 5')
            want["request"] += 1
    tap.write(f"{root}/a.log", "\n".join(lines) + "\n")
    got = run("generated", f"{root}/a.log")[0]["accounting"]
    same(got["request"]["stored"], want["request"], "generated: requests")
    same((got["log"]["stored"], got["log"]["folded"]),
         (want["log"], want["joined"]), "generated: log events, joined lines")
    same(got["all"]["dead-lettered"], want["dead"], "generated: dead letters")
    tap.write(f"{root}/b.log", "\n".join(lines) + "\n")
    twice = run("twice", f"{root}/a.log", f"{root}/b.log")[0]["accounting"]
    same(twice["request"]["duplicate"], want["request"],
         "twice: every request is counted once")
    same(twice["log"]["stored"], want["log"],
         "twice: every log event is stored once")


DEMO = ("demo/like-service/s3-export", "demo/like-service/xray/segments.ndjson")
first = archive("demo", *DEMO)
probes("demo", DEMO, first)
ranges("demo", *DEMO)
choices("demo", DEMO)
unfinished()
twice_finished()
generated()
if os.path.isdir(tap.CORPUS):
    for variant in ("python2-2019", "python3"):
        base = f"{tap.CORPUS}/like-service/{variant}"
        archive(variant, f"{base}/logs/s3-export",
                f"{base}/xray/segments.ndjson")
    run("corpus", *(f"{tap.CORPUS}/{d}" for d in ("logs", "xray")))
else:
    tap.skip("corpus", f"{tap.CORPUS} is not here")
tap.done()
