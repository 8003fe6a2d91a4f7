#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""telltale map: the drawing, its other forms, and hostile graphs."""
import json
import os
import shutil
import subprocess

from tap import done, folder, ok, same, skip, telltale, write

DEMO = "demo/like-service"
WORK = folder()


def trace(n):
    return f"1-5f84c7a1-{n:024x}"


def segment(n, name, i, parent=None, **more):
    doc = {"name": name, "id": f"{i:016x}", "trace_id": trace(n),
           "start_time": 1602537377.0 + n, "end_time": 1602537378.0 + n}
    if parent is not None:
        doc["parent_id"] = f"{parent:016x}"
    return {**doc, **more}


def call(name, i, **more):
    return {"name": name, "id": f"{i:016x}", "namespace": "remote",
            "start_time": 1602537377.1, "end_time": 1602537377.4, **more}


def archive(name, docs):
    return write(os.path.join(WORK, name),
                 "".join(json.dumps(d) + "\n" for d in docs))


USAGE = [
    ([], "a PATH or --store is missing: files, directories, or - for standard input"),
    (["--json", "--dot", "."],
     "--json, --dot and --series exclude each other"),
    (["--node", "x", "."], "--node is for --series"),
    (["--trace", "x", "."], "--trace: 'x' is no trace id: 1-8hex-24hex, or "
     "32 hex digits"),
]
for args, words in USAGE:
    r = telltale("map", *args)
    same((r.status, r.err), (64, f"telltale: map: {words}; see 'telltale "
                                 "help map'\n"), f"usage: {args}")

# a calls b twice, b calls c, c calls a back: a circle of services.
circle = [
    segment(1, "a", 1, subsegments=[call("b", 2), call("b", 3)],
            http={"request": {"method": "GET", "url": "http://a/"},
                  "response": {"status": 200}}),
    segment(1, "b", 4, 2, subsegments=[call("c", 5)]),
    segment(1, "b", 6, 3, fault=True),
    segment(1, "c", 7, 5, subsegments=[call("a", 8)]),
    segment(1, "a", 9, 8),
    # A health check goes to p, and p asks q.
    segment(2, "p", 10, subsegments=[call("q", 11)],
            http={"request": {"method": "GET", "url": "http://10.0.0.1/",
                              "user_agent": "ELB-HealthChecker/2.0"},
                  "response": {"status": 200}}),
]
path = archive("circle.ndjson", circle)
for width in (80, 200):
    r = telltale("map", "--width", width, path)
    lines = r.text.splitlines()
    same((r.status, r.err), (0, ""), f"a circle is drawn, {width} columns")
    ok(max(map(len, lines)) <= width, f"no line beyond {width}", r.text)
    same(sum("─▶ a" in x and "(above)" in x for x in lines), 1,
         "the call back refers to where the service is drawn")
    ok(any(x.strip().startswith("itself") for x in lines),
       "a service whose numbers are not the call's has a row of its own",
       r.text)
    same(sum("(probes only)" in x for x in lines), 2,
         "nodes that only health checks reach are marked")
    same(lines[0], "2 traces, of them 1 of a health check, counted beside",
         "the traces are counted")
ok("(probes" not in telltale("map", "--probes", "drop", path).text,
   "--probes drop leaves them out")
ok("(probes" not in telltale("map", "--probes", "keep", path).text,
   "--probes keep counts them like others")
ok(telltale("map", path, env={"LC_ALL": "C", "LC_CTYPE": "C",
                              "LANG": "C"}).out.isascii(),
   "without UTF-8 it is ASCII")
same(telltale("map", "-j1", path).out, telltale("map", "-j4", path).out,
     "the same for any number of threads")
same(telltale("map", archive("reversed.ndjson", circle[::-1])).out,
     telltale("map", path).out, "and for any order of the documents")

graph = telltale("map", "--json", path).json()
same([s["Name"] for s in graph["Services"] if s.get("Root")], ["a", "p"],
     "--json has the roots")
same(sum(s.get("SummaryStatistics", {}).get("TotalCount", 0)
         for s in graph["Services"]), 7, "and all requests, as X-Ray's has")
same(len(telltale("map", "--json", "--trace", trace(2),
                  path).json()["Services"]), 3,
     "--trace is one trace's graph")
r = telltale("map", "--trace", trace(7), path)
same((r.status, r.err), (1, f"telltale: there is no trace {trace(7)}\n"),
     "an unknown trace is status 1")

# An event leads to a trace of its own, as a link of either end says.
def link(n, i, name, to, **more):
    return {"trace_id": trace(n), "id": f"{i:016x}", "attributes": {
        "aws.xray.reserved.names": [name],
        "aws.xray.reserved.reference_type": to,
        **{"aws.xray.reserved." + k: v for k, v in more.items()}}}


linked = [segment(20, "sender", 1, subsegments=[
              {"name": "send", "id": f"{2:016x}",
               "start_time": 1602537397.25, "end_time": 1602537397.5,
               "links": [link(21, 3, "eater", "child",
                              received_event_end_time=1602537398.0)]}]),
          segment(21, "eater", 3, links=[link(20, 2, "sender", "parent")])]
for claim, docs, events, age in (
        ("both ends of a link are one", linked, 1, [[0.75, 1]]),
        ("the sender's end of it", linked[:1], 1, [[0.75, 1]]),
        ("the receiver's end shows it", linked[1:], 0, [])):
    path = archive("linked.ndjson", docs)
    services = telltale("map", "--json", path).json()["Services"]
    name = {s["ReferenceId"]: s["Name"] for s in services}
    edges = [(s["Name"], name[e["ReferenceId"]], e) for s in services
             for e in s["Edges"] if e.get("EdgeType") == "link"]
    same([x[:2] for x in edges], [("sender", "eater")], claim)
    edge = edges[0][2]
    same([edge["SummaryStatistics"]["TotalCount"],
          edge["SummaryStatistics"]["TotalResponseTime"],
          [[h["Value"], h["Count"]]
           for h in edge["ReceivedEventAgeHistogram"]],
          "ResponseTimeHistogram" in edge], [events, 0, age, False],
         "with the ages of its events, and no response times")
    same([e.get("EdgeType") for s in services for e in s["Edges"]
          if "ResponseTimeHistogram" in e], [None] * len(docs),
         "calls have no type")
path = archive("linked.ndjson", linked)
for args in ((), ("--json",), ("--dot",)):
    same(telltale("map", *args, archive("reversed.ndjson", linked[::-1])).out,
         telltale("map", *args, path).out, f"in any order: {args}")
row = [x.split() for x in telltale("map", "--width", 200, path).text.split("\n")
       if "╌▶ eater" in x]
same([x[1:7] for x in row],
     [["eater", "(above)", "1", "30/min", "750", "ms"]],
     "a link is drawn dashed")
ok(".> eater" in telltale("map", path, env={
    "LC_ALL": "C", "LC_CTYPE": "C", "LANG": "C"}).text, "in ASCII too")
same(sum("events: 1" in x and "style=dashed" in x
         for x in telltale("map", "--dot", path).text.splitlines()), 1,
     "and by Graphviz")
ok("links to " + trace(21) + " of eater" in
   telltale("trace", trace(20), path).text, "a trace names what it led to")

# Names that try to do something.
evil = ["\x1b]0;gone\x07", "a\"b\\l\\N<b>", "‮gone", "n" * 500, "\n\t"]
path = archive("evil.ndjson", [segment(i, name, 1, subsegments=[
    call(name + "x", 2)]) for i, name in enumerate(evil)])
r = telltale("map", path)
ok(r.status == 0 and not any(c in r.text for c in "\x1b\x07‮\t"),
   "hostile names never reach the terminal", r.text)
ok(max(map(len, r.text.splitlines())) <= 80, "nor make a line longer")
dot = telltale("map", "--dot", path)
if shutil.which("dot"):
    p = subprocess.run(["dot", "-Tsvg"], input=dot.out,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    ok(p.returncode == 0 and p.stdout.count(b"<svg") == 1,
       "Graphviz draws it", p.stderr)
else:
    # What its grammar asks of a quoted string.
    import re
    plain = re.sub(rb'"(?:[^"\\]|\\.)*"', b"S", dot.out)
    ok(b'"' not in plain and plain.count(b"[") == plain.count(b"]"),
       "every string of --dot ends", plain)
    skip("Graphviz draws it", "dot is not installed")

# A chain of 300 services, deeper than is indented.
path = archive("deep.ndjson", [
    segment(1, f"s{i}", 2 * i + 1, 2 * i if i else None,
            subsegments=[call(f"s{i + 1}", 2 * i + 2)])
    for i in range(300)])
r = telltale("map", "--max-nodes", 10000, path)
same(sum(1 for i in range(300)
         if any(x.split("▶ ")[-1].split()[0].startswith(f"s{i}"[:3])
                for x in r.text.splitlines()[2:])), 300,
     "a deep chain is drawn on from the margin")
r = telltale("map", "--max-nodes", 10, path)
ok("and 292 more nodes: --max-nodes shows them" in r.text,
   "--max-nodes says what is left out", r.text)

r = telltale("map", "--series", "60s", DEMO).json()
ok(all("EdgeSummaryStatistics" in s or list(s) == ["Timestamp"]
       for s in r["TimeSeriesServiceStatistics"]),
   "--series is of edges, and has empty steps")
r = telltale("map", "/nonexistent", DEMO)
same((r.status, r.err), (66, "telltale: /nonexistent: No such file or "
                             "directory\n"), "an input that is missing")
r = telltale("map", archive("none.ndjson", []))
same((r.status, r.text.strip()), (0, "0 traces"), "nothing is no error")

done()
