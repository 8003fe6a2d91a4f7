#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One archive, one answer: threads, block sizes, order and packing of the
inputs, and the order of lines in an export do not show."""
import csv
import gzip
import io
import json
import os
import random
import shutil
import tap
from tap import ok, same, telltale

DEMO = "demo/like-service"
rng = random.Random(20261121)


def outputs(paths, *options, cwd=None):
    """The report, the JSON and every document of one run."""
    out = tap.folder()
    run = telltale("replay", "--width", "100", "--color", "never", *options,
                   "--out", out, *paths, cwd=cwd)
    js = telltale("replay", "--json", *options, *paths, cwd=cwd)
    files = {f: open(os.path.join(out, f), "rb").read()
             for f in sorted(os.listdir(out))}
    shutil.rmtree(out)
    return run.status, run.out, js.out, files


def compare(name, paths, variants, cwd=None):
    want = outputs(paths, "--threads", "1", cwd=cwd)
    ok(want[0] == 0 and len(want[1]) > 200, f"{name}: a report", want[1])
    for label, options, order in variants:
        got = outputs(order(list(paths)), *options, cwd=cwd)
        for what, a, b in zip(("status", "report", "json"), got, want):
            ok(a == b, f"{name}: {label}: same {what}")
        ok(got[3] == want[3], f"{name}: {label}: same documents",
           [f for f in want[3] if got[3].get(f) != want[3][f]])


def keep(paths):
    return paths


def turned(paths):
    return paths[::-1]


VARIANTS = [
    ("2 threads", ("--threads", "2"), keep),
    ("5 threads, turned round", ("--threads", "5"), turned),
    ("blocks of 1 byte", ("--block-size", "1"), keep),
    ("blocks of 61 bytes", ("--block-size", "61"), turned),
    ("blocks of 1 MiB", ("--block-size", "1M"), keep),
]


def made_up(root):
    """Eight streams of two services, not in order, and their segments."""
    t0 = 1795226400000
    segments = []
    for s in range(8):
        lines = []
        for i in range(400):
            t = t0 + rng.randrange(3600_000)
            late = 1800_000 < t - t0 < 2400_000
            path = rng.choice(["/", "/a/%d" % rng.randrange(99), "/b",
                               "/c/%08x" % rng.randrange(1 << 32)])
            status = 404 if path == "/b" and late else 200
            method = rng.choice(["GET", "POST"])
            lines.append((t, '10.0.0.%d - - [21/Nov/2026 02:00:00] "%s %s '
                          'HTTP/1.1" %d -' % (rng.randrange(4), method, path,
                                              status)))
            if s < 4 and rng.random() < 0.4:
                d = 1.7 if late and method == "POST" else 0.02
                segments.append(
                    '{"id":"%016x","trace_id":"1-%08x-%024x","name":"alpha",'
                    '"start_time":%.3f,"end_time":%.3f,"http":{"request":{'
                    '"url":"http://h%s","method":"%s"},"response":{"status":%d'
                    '}}}' % (rng.randrange(1 << 64), t // 1000,
                             rng.randrange(1 << 96), t / 1e3 - d, t / 1e3,
                             path, method, status))
        # One client scans all streams, another hammers; a third is hidden.
        for i in range(40):
            for t, who, path in (
                    (2500_000 + i * 700, "198.51.100.23", f"/x{i % 20}/{s}.php"),
                    (900_000 + i * 1000, "198.51.100.24", "/gone/feed.xml"),
                    (3100_000 + i * 500, "10.0.0.9", f"/.git/{i}/{s}")):
                lines.append((t0 + t, f'{who} - - [21/Nov/2026 02:00:00] "GET '
                              f'{path} HTTP/1.1" 404 -'))
        text = "".join(f"{stamp(t)} {m}\n" for t, m in lines)
        group = "grp-a" if s < 4 else "grp-b"
        tap.write(f"{root}/{group}/4f2c1e7a-1111-4222-8333-00000000000{s}/"
                  f"x-{group}-{s:032x}/000000.gz",
                  gzip.compress(text.encode(), mtime=0))
    rng.shuffle(segments)
    tap.write(f"{root}/x/segments.ndjson", "\n".join(segments) + "\n")


def stamp(ms):
    import datetime
    t = datetime.datetime.fromtimestamp(ms / 1000, datetime.timezone.utc)
    return t.strftime("%Y-%m-%dT%H:%M:%S.") + "%03dZ" % (ms % 1000)


def findings(*args, cwd=None):
    """What was found, without where: places change when lines move."""
    found = tap.replay(*args, cwd=cwd)["findings"]
    for f in found:
        f["telltale"]["finding"].pop("evidence")
        f["telltale"]["finding"].pop("trace_id", None)
        f.pop("trace", None)
    return found


def events_of(export):
    """(ms, message, stream) of an export tree, in order of time."""
    events = []
    for base, _, names in sorted(os.walk(export)):
        for name in sorted(names):
            if not name.endswith(".gz"):
                continue
            with gzip.open(os.path.join(base, name), "rt",
                           encoding="utf-8") as f:
                events += [(line[:24], line[25:].rstrip("\n"),
                            os.path.basename(base)) for line in f]
    events.sort(key=lambda e: e[0])
    return events


def millis(when):
    import datetime
    t = datetime.datetime.fromisoformat(when.replace("Z", "+00:00"))
    return round(t.timestamp() * 1000)


def export(events):
    return "".join(f"{t} {m}\n" for t, m, _ in events)


def answer(events):
    return json.dumps({"events": [
        {"timestamp": millis(t), "message": m, "logStreamName": s}
        for t, m, s in events]})


def insights(events):
    return json.dumps({"results": [
        [{"field": "@timestamp", "value": t[:-1].replace("T", " ")},
         {"field": "@message", "value": m},
         {"field": "@logStream", "value": s}] for t, m, s in events]})


def console_csv(events):
    out = io.StringIO()
    w = csv.writer(out)
    w.writerow(["timestamp", "message", "logStreamName"])
    w.writerows((millis(t), m, s) for t, m, s in events)
    return out.getvalue()


def live_tail(events):
    return "".join(f"{t[:-1]}000+00:00 {s} {m}\n" for t, m, s in events)


def told(out):
    """All that a run says but where it stands in the file."""
    def strip(doc):
        if isinstance(doc, dict):
            return {k: strip(v) for k, v in doc.items() if k not in (
                "line", "offset", "evidence", "log.offset", "first_line")}
        return [strip(v) for v in doc] if isinstance(doc, list) else doc
    return {name: sorted(json.dumps(strip(d), sort_keys=True)
                         for d in tap.ndjson(f"{out}/{name}"))
            for name in sorted(os.listdir(out))}


def newest_first():
    """Events as they came, and turned round: lines that continue others then
    come before them, those of one millisecond too."""
    events = events_of(DEMO + "/s3-export/like")
    ok(any(a[0] == b[0] and a[2] == b[2] and b[1].startswith("  File")
           for a, b in zip(events, events[1:])),
       "newest first: lines of one traceback have one time")
    for name, form in (("logs-tail", live_tail), ("insights", insights),
                       ("filter-log-events", answer),
                       ("console", console_csv)):
        got = []
        for step in (1, -1):
            path = f"{tap.folder()}/like"
            tap.write(path, form(events[::step]))
            out = tap.folder()
            js = telltale("replay", "--json", "--out", out, "like",
                          cwd=os.path.dirname(path)).json()
            got.append((js["accounting"], told(out)))
            same(js["inputs"][0].get("newest_first", False), step < 0,
                 f"newest first: {name}: known, {step}")
        same(got[1][0], got[0][0], f"newest first: {name}: accounting")
        ok(got[0][0]["log"]["folded"] > 1000,
           f"newest first: {name}: there are tracebacks", got[0][0])
        for kind in got[0][1]:
            same(got[1][1][kind] == got[0][1][kind], True,
                 f"newest first: {name}: {kind}")
    one = [e for e in events if e[2] == events[-1][2]]
    root = tap.folder()
    for label, step in (("as it was", 1), ("turned", -1)):
        tap.write(f"{root}/{label}/like", export(one[::step]))
        tap.write(f"{root}/{label}/unlike", export(one[:40][::step]))
    same(findings("like", cwd=f"{root}/turned"),
         findings("like", cwd=f"{root}/as it was"),
         "newest first: lines of an export")
    compare("newest first", [f"{root}/turned"], VARIANTS)


compare("demo", [DEMO + "/s3-export", DEMO + "/xray"], VARIANTS)

root = tap.folder()
made_up(root)
compare("made up", [f"{root}/grp-a", f"{root}/grp-b", f"{root}/x"], VARIANTS)

# Packing: every file inflated, or packed twice.
for label, change in (("plain", gzip.decompress),
                      ("gzip in gzip", lambda b: gzip.compress(b, mtime=0))):
    other = tap.folder()
    for base, _, names in os.walk(root):
        for name in names:
            path = os.path.join(base, name)
            data = open(path, "rb").read()
            if name.endswith(".gz"):
                data = change(data)
            tap.write(os.path.join(other, os.path.relpath(path, root)), data)
    a = telltale("replay", "--json", ".", cwd=root).json()
    b = telltale("replay", "--json", ".", cwd=other).json()
    for doc in (a, b):
        for key in ("bytes", "bytes_packed"):
            doc.pop(key, None)
        for i in doc["inputs"]:
            for key in ("bytes", "bytes_packed", "gzip_members"):
                i.pop(key, None)
    ok(a == b, f"made up: {label}: the same but for the bytes")

# Order of lines inside the exports: sorted, and newest first.
want = findings(root)
ok(len(want) >= 2, "made up: there is something to find", want)
same({f["rule"]["id"] for f in want} & {"not-found-scan", "not-found-surge"},
     {"not-found-scan", "not-found-surge"}, "made up: scans as well")
for label, step in (("sorted", 1), ("newest first", -1)):
    other = tap.folder()
    for base, _, names in os.walk(root):
        for name in names:
            path = os.path.join(base, name)
            data = open(path, "rb").read()
            if name.endswith(".gz"):
                lines = gzip.decompress(data).splitlines(True)
                lines.sort(key=lambda l: l[:24])
                data = gzip.compress(b"".join(lines[::step]), mtime=0)
            tap.write(os.path.join(other, os.path.relpath(path, root)), data)
    same(findings(other), want, f"made up: {label}: the same findings")

newest_first()

# More origins than are told apart: which are kept is no thread's matter.
root = tap.folder()
for part in range(4):
    tap.write(f"{root}/{part}.ndjson", "".join(
        '{"logStreamName": "app-%s", "timestamp": %d, "message": "10.0.0.1'
        ' - - [29/Feb/2024 12:00:00] \\"POST /x HTTP/1.1\\" 200 -"}\n'
        % ("".join(chr(97 + int(c)) for c in str(i)), 1709208000000 + i * 100)
        for i in range(part * 300, part * 300 + 300)))
paths = [f"{root}/{part}.ndjson" for part in range(4)]
compare("1,200 origins", paths, VARIANTS[:3])
services = tap.replay(*paths)["services"]
other = [s for s in services if s["name"] == "other"]
same((len(services), sum(s["requests"] for s in services),
      [s["requests"] for s in other]), (1025, 1200, [1200 - 1024]),
     "1,200 origins: 1,024 have their names, the rest is other")
ok(other and "more than 1024" in other[0]["named"],
   "1,200 origins: and it is said", other)

if os.path.isdir(tap.CORPUS):
    one = [VARIANTS[1], VARIANTS[3]]
    compare("corpus", [f"{tap.CORPUS}/logs", f"{tap.CORPUS}/xray",
                       f"{tap.CORPUS}/like-service/python3/logs",
                       f"{tap.CORPUS}/like-service/python3/xray"], one)
else:
    tap.skip("corpus", f"{tap.CORPUS} is not here")
tap.done()
