#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The documents of --out are a contract: fields, ids, indices, positions."""
import json
import gzip
import os
import re
import tap
from tap import ok, same, telltale

EXPORT = "demo/like-service/s3-export"
XRAY = "demo/like-service/xray/segments.ndjson"
KIND = {"requests": "request", "logs": "log", "segments": "segment",
        "traces": "trace",
        "rollups": "rollup", "findings": "finding",
        "deadletters": "deadletter"}
ID = re.compile(r"^[A-Za-z0-9_-]{22}$")
contents = {}


def out_of(*args, **more):
    out = tap.folder()
    r = telltale("replay", "--out", out, *args, **more)
    same(r.status, 0, f"replay {args[-1]}")
    return {name: tap.ndjson(f"{out}/{name}.ndjson") for name in KIND}


def content(path):
    if path not in contents:
        data = open(path, "rb").read()
        while data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
        contents[path] = data
    return contents[path]


def leaves(node, at=""):
    """Dotted names and values of a document; of arrays, each element."""
    if isinstance(node, dict):
        for k, v in node.items():
            yield from leaves(v, f"{at}.{k}" if at else k)
    elif isinstance(node, list):
        for v in node:
            yield from leaves(v, at)
    else:
        yield at, node


def table():
    """docs/fields.md, which is what the program prints."""
    text = telltale("help", "--fields").text
    same(text, open("docs/fields.md", encoding="utf-8").read(),
         "docs/fields.md is the program's table")
    rows = re.findall(r"^\| `([^`]+)` \| ([a-z ]+) \| ([^|]+) \|", text, re.M)
    return {name: (kinds.split(), kind.strip()) for name, kinds, kind in rows}


TYPES = {"long": int, "double": (int, float), "boolean": bool, "date": str,
         "keyword": str, "text": str, "wildcard": str, "ip": str,
         "binary": str}


def fields(docs, known):
    for name, kind in KIND.items():
        unknown, wrong = set(), set()
        for d in docs[name]:
            for field, value in leaves(d["_source"]):
                row = known.get(field)
                if not row or kind not in row[0]:
                    unknown.add(field)
                elif not isinstance(value, TYPES[row[1].split(",")[0]]):
                    wrong.add((field, value))
        same(unknown, set(), f"{name}: every field is in docs/fields.md")
        same(wrong, set(), f"{name}: and of the type given there")


def envelope(docs):
    for name in KIND:
        odd = [d for d in docs[name] if set(d) != {"_index", "_id", "_source"}
               or not ID.match(d["_id"])]
        same(odd, [], f"{name}: a line is _index, _id and _source")
        ids = [(d["_index"], d["_id"]) for d in docs[name]]
        same(len(set(ids)), len(ids), f"{name}: ids are unique")
        odd = [d["_index"] for d in docs[name] if d["_index"] !=
               f"telltale-{name}-" + d["_source"].get(
                   "@timestamp", "undated")[:10].replace("-", ".")]
        same(odd, [], f"{name}: the index is the event's day")


def must(docs):
    """What design.md promises of every document of a kind."""
    base = {"log.file.path", "telltale.line", "log.offset", "@timestamp"}
    need = {"requests": base | {"service.name", "http.request.method",
                                "url.original", "url.path",
                                "http.response.status_code",
                                "telltale.route", "telltale.class",
                                "aws.cloudwatch.log_group",
                                "aws.cloudwatch.log_stream", "client.ip"},
            "logs": base | {"message", "service.name"},
            "segments": base | {"trace.id", "aws.xray.trace_id", "span.id"},
            "traces": {"@timestamp", "trace.id", "aws.xray.trace_id",
                       "service.name", "event.duration", "telltale.class",
                       "telltale.trace.ok", "telltale.trace.start_ns",
                       "telltale.trace.summary", "services.name",
                       "services.client_node", "edges.from.name",
                       "edges.to.name"},
            "rollups": {"@timestamp", "service.name",
                        "telltale.rollup.count"},
            "findings": {"rule.id", "service.name", "http.request.method",
                         "telltale.route", "event.start", "event.end",
                         "telltale.finding.detected",
                         "telltale.finding.status", "telltale.finding.value",
                         "telltale.finding.baseline",
                         "telltale.finding.threshold",
                         "telltale.finding.count", "telltale.finding.total",
                         "telltale.finding.unit", "event.reason",
                         "telltale.finding.evidence.path", "labels.filter"}}
    for name, names in need.items():
        ok(docs[name], f"{name}: there are some")
        missing = {n for d in docs[name]
                   for n in names - {f for f, _ in leaves(d["_source"])}}
        same(missing, set(), f"{name}: have the fields that are promised")
    classes = {d["_source"]["telltale"]["class"] for d in docs["requests"]}
    ok(classes <= {"probe", "probable-probe", "client"}, "classes", classes)
    ids = [d["_source"] for d in docs["segments"]]
    same([s for s in ids if s["aws"]["xray"]["trace_id"].replace("-", "")[1:]
          != s["trace"]["id"]], [], "both forms of a trace id are one")
    same([s["log"]["offset"] for s in ids
          if json.loads(s["telltale"]["document"])["trace_id"] !=
          s["aws"]["xray"]["trace_id"]], [], "it is that of the document")


def positions(claim, docs):
    """log.offset and telltale.line are where the record's bytes are."""
    for name in ("requests", "logs", "segments", "deadletters"):
        bad = []
        for d in docs[name]:
            s = d["_source"]
            data = content(s["log"]["file"]["path"])
            at = s["log"]["offset"]
            if data.count(b"\n", 0, at) + 1 != s["telltale"]["line"] or \
                    (at and data[at - 1] != 10):
                bad.append((s["log"], s["telltale"]["line"]))
                continue
            end = data.find(b"\n", at)
            text = data[at:end if end >= 0 else None].decode("utf-8",
                                                             "replace")
            want = s.get("message") or s["telltale"]["document"]
            if want[:200].split("\n")[0] not in text:
                bad.append((want, text))
        same(bad[:2], [], f"{claim}: {name}: the position is the record's")


def ids(docs):
    return {name: sorted((d["_index"], d["_id"]) for d in docs[name])
            for name in ("requests", "logs", "segments", "traces", "findings",
                         "rollups")}


def members(node, at=""):
    """Names of all objects' members: services[].name."""
    if isinstance(node, dict):
        for k, v in node.items():
            yield f"{at}.{k}" if at else k
            yield from members(v, f"{at}.{k}" if at else k)
    elif isinstance(node, list):
        for v in node:
            yield from members(v, f"{at}[]")


def trace_services():
    """replay --json's part about traces, counted from the segments."""
    d = tap.replay(EXPORT, XRAY)
    got = [s for s in d["trace_services"] if s["name"] == "like service"]
    roots = [s for s in tap.ndjson(XRAY) if "parent_id" not in s and not
             s["http"]["request"]["user_agent"].startswith("ELB-Health")]
    times = sorted((round((s["end_time"] - s["start_time"]) * 1e9)
                    for s in roots), reverse=True)
    same([(s["traces"], s["slow"], s["failing"]) for s in got],
         [(len(roots), sum(t > 1e9 for t in times),
           sum(s["http"]["response"]["status"] >= 400 for s in roots))],
         "--json: traces of a service, the slow and the failing ones")
    slowest = [t["response_ns"] for t in got[0]["slowest"]]
    ok(len(slowest) == 3 and all(
        abs(a - b) < 1000 for a, b in zip(slowest, times)),
       "--json: the slowest traces", (slowest, times[:3]))
    failed = {s["trace_id"] for s in roots
              if s["http"]["response"]["status"] >= 400}
    ok(got[0]["failed"] and all(t["trace_id"] in failed and
                                t["outcome"] == "error"
                                for t in got[0]["failed"]),
       "--json: failing traces", got[0]["failed"])
    same(sum(h["share_ppm"] for h in got[0]["hops"]), 1000000,
         "--json: the hops have all of the slow ones' time")
    with open(XRAY, "rb") as f:
        piped = tap.telltale("replay", "--json", "-", stdin=f.read()).json()
    same(piped["trace_services"],
         tap.replay(XRAY)["trace_services"],
         "--json: the same of segments from standard input")
    text = open("docs/fields.md", encoding="utf-8").read()
    text = text[text.index("# Members of"):]
    said = {n for row in re.findall(r"^\| `([^`]+)`", text, re.M)
            for n in row.replace("[]", "").split(", ")}
    seen = {m.replace("[]", "") for m in members(d)}
    deep = ("inputs.", "accounting.", "services.", "findings.",
            "trace_services.failed.", "trace_services.name",
            "trace_services.hops.name")
    same({m for m in seen - said if not m.startswith(deep)}, set(),
         "--json: its members are in docs/fields.md")
    same(said - seen - {"trace_services.slowest.exception", "indexed",
                       "alerts"}, set(),
         "--json: and no others")


def not_judged():
    """What the records cannot show is said, not passed over."""
    line = '10.0.0.1 - - [21/Nov/2026:02:00:%02d +0000] "GET /a HTTP/1.1" %s\n'
    for text, want in (
            ("".join(line % (i, "200 5") for i in range(12)), ["latency"]),
            (line % (1, "200 5"), ["latency", "few"]),
            ("GET /api/users - 3\n" * 12, ["status"])):
        r = tap.telltale("replay", "--json", "-", stdin=text.encode()).json()
        same([s["not_judged"] for s in r["services"]], [want],
             f"--json: not judged: {want}")
        r = tap.telltale("replay", "-", stdin=text.encode()).text
        ok("not judged: " in r, "which the report says", r)


docs = out_of(EXPORT, XRAY)
not_judged()
trace_services()
known = table()
fields(docs, known)
envelope(docs)
must(docs)
positions("demo", docs)
want = ids(docs)
same(ids(out_of(XRAY, EXPORT, "--threads", "3")), want,
     "ids are the same again")

# The same streams in more objects, as a longer export task leaves them.
split = tap.folder()
for base, _, names in os.walk(EXPORT):
    for name in names:
        path = os.path.join(base, name)
        to = os.path.join(split, os.path.relpath(path, EXPORT))
        if not name.endswith(".gz"):
            tap.write(to, open(path, "rb").read())
            continue
        lines = content(path).splitlines(True)
        # Only between times: equal events of one time stay in one object.
        cut = len(lines) // 2
        while lines[cut][:24] == lines[cut - 1][:24]:
            cut += 1
        for i, part in enumerate((lines[:cut], lines[cut:])):
            tap.write(to.replace("000000", f"{i:06d}"),
                      gzip.compress(b"".join(part), mtime=0))
other = ids(out_of(split, XRAY))
for name, had in want.items():
    same((len(other[name]), set(other[name]) ^ set(had)), (len(had), set()),
         f"{name}: ids are the same over another split")

# Records of every sort of trouble.
root = tap.folder()
tap.write(f"{root}/a.log", "\n".join([
    '10.0.0.1 - - [21/Nov/2026:06:00:00 +0000] "GET /x HTTP/1.1" 200 5',
    "words", '10.0.0.1 - - [21/Nov/2026:06:00:01 +0000] "GET /x HTTP/1.1" '
    "000 5", '10.0.0.1 - - [21/Nov/2026:06:00:02 +0000] "GET /y HTTP/1.1" '
    "200 5", ""]))
tap.write(f"{root}/b.ndjson", '{"trace_id": broken\n' + open(
    XRAY, encoding="utf-8").readline())
odd = out_of(root)
fields(odd, known)
positions("trouble", odd)
same({d["_source"]["error"]["message"] for d in odd["deadletters"]},
     {"a status of three digits was expected",
      "broken JSON: expected a comma or a closing bracket"},
     "dead letters say why")
same([d["_index"] for d in odd["deadletters"]],
     ["telltale-deadletters-undated"] * 2, "dead letters have no date")
if os.path.isdir(tap.CORPUS):
    corpus = out_of(f"{tap.CORPUS}/logs", f"{tap.CORPUS}/xray")
    fields(corpus, known)
else:
    tap.skip("the corpus' fields", f"{tap.CORPUS} is not here")
tap.done()
