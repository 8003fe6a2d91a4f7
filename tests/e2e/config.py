#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""--config: thresholds by service and route, names, and files that are wrong.

What is held: a setting changes the findings that it is for and no others; the
order of the file changes nothing; options go before the file; the decision says
the threshold and whence it is; any wrong file ends in status 78 with its place.
"""
import datetime
import itertools
import json
import os
import re
import tap
from tap import ok, same, telltale

ARCHIVE = "demo/like-service"
LIKE = "POST /mysfits/{id}/like"
FOLDER = tap.folder()


NUMBERS = itertools.count()


def config(text):
    """A file of its own for every text."""
    folder = os.path.join(FOLDER, str(next(NUMBERS)))
    return tap.write(os.path.join(folder, "t.yaml"), text)


def findings(*options):
    """{(rule, service, method and route): finding} of the demo."""
    found = tap.replay(*options, ARCHIVE)["findings"]
    return {(f["rule"]["id"], f["service"]["name"],
             f"{f['http']['request']['method']} {f['telltale']['route']}"): f
            for f in found}


def told(f):
    return f["telltale"]["finding"]


DEFAULT = findings()
SLOW = ("slow-post", "like service", LIKE)
MISSING = ("not-found", "like service", LIKE)
ok(SLOW in DEFAULT and MISSING in DEFAULT and len(DEFAULT) >= 3,
   "the demo has the findings that this is about", DEFAULT.keys())


def service(text, name="like service"):
    return f"services:\n- name: {name}\n" + text


def route(text, of="/mysfits/{id}/like"):
    return service(f"  routes:\n  - {{route: '{of}', {text}}}\n")


# What is set for a route, a service, a pattern, all.
for claim, text, gone in [
    ("an empty file changes nothing", "", []),
    ("a rule is switched off for a route",
     route("thresholds: {not-found: {judge: no}}"), [MISSING]),
    ("for a route by a pattern",
     route("thresholds: {not-found: {judge: no}}", "/mysfits/*"), [MISSING]),
    ("for another route: nothing changes",
     route("thresholds: {not-found: {judge: no}}", "/other"), []),
    ("for another method: nothing changes",
     route("method: GET, thresholds: {not-found: {judge: no}}"), []),
    ("for a service", service("  thresholds: {not-found: {judge: no}}\n"),
     [MISSING]),
    ("for services by a pattern",
     service("  thresholds: {not-found: {judge: no}}\n", '"l*e serv?ce"'),
     [MISSING]),
    ("for another service: nothing changes",
     service("  thresholds: {not-found: {judge: no}}\n", "monolith"), []),
    ("for all", "thresholds: {not-found: {judge: no}}\n", [MISSING]),
    ("for all but one service: nothing changes",
     "thresholds: {not-found: {judge: no}}\n" +
     service("  thresholds: {not-found: {judge: yes}}\n"), []),
    ("more are asked for than there are",
     route("thresholds: {not-found: {count: 50}}"), [MISSING]),
    ("a larger share is asked for",
     route("thresholds: {not-found: {above: 90%}}"), [MISSING]),
]:
    now = findings("--config", config(text))
    same(sorted(DEFAULT.keys() - now.keys()), gone, claim)
    same({k: f for k, f in DEFAULT.items() if k not in gone}, now,
         f"{claim}: the others are as they were")

# A limit of its own: exact, for one route, in findings, marks and roll-ups.
two = findings("--config", config(route("slow: 2s")))
general = findings("--slow", "2s")
same(told(two[SLOW]), told(general[SLOW]),
     "a route's own limit finds what --slow finds there")
ok("over 2" in told(two[SLOW])["unit"], "and says so", told(two[SLOW]))
ok("responsetime > 2" in json.dumps(two[SLOW]), "in the filter as well")
same({k: f for k, f in two.items() if k != SLOW},
     {k: f for k, f in DEFAULT.items() if k != SLOW},
     "the others are as they were")


def documents(*options):
    out = os.path.join(FOLDER, "out")
    r = telltale("replay", "-q", "--out", out, *options, ARCHIVE)
    same(r.status, 0, f"documents with {options}")
    return {k: tap.ndjson(os.path.join(out, k + ".ndjson"))
            for k in ("requests", "rollups", "segments")}


def marked(docs):
    return sorted(d["_id"] for kind in ("requests", "segments")
                  for d in docs[kind] if "slow-post" in
                  d["_source"].get("telltale", {}).get("marks", []))


def slow_sum(docs):
    return sum(d["_source"]["telltale"]["rollup"]["slow"]
               for d in docs["rollups"])


before = documents()
after = documents("--config", config(route("slow: 2s, method: POST")))
by_option = documents("--slow", "2s")
ok(0 < len(marked(after)) < len(marked(before)), "fewer requests are marked",
   (len(marked(after)), len(marked(before))))
same(marked(after), marked(by_option), "those that took longer than its limit")
same(slow_sum(after), slow_sum(by_option), "and so do the roll-ups count")

# The same words in another order.
a = """slow: 900ms
thresholds: {not-found: {count: 5}, slow-post: {count: 4}}
services:
- name: "l*"
  slow: 3s
- name: like service
  routes:
  - {route: "/mysfits/*", slow: 4s}
  - {route: "/mysfits/{id}/like", slow: 2s}
  - {route: "/mysfits/{id}/like", method: POST, slow: 1500ms}
  from: [like]
"""
b = """services:
- from: [like]
  routes:
  - {slow: 1500ms, method: POST, route: "/mysfits/{id}/like"}
  - {route: "/mysfits/{id}/like", slow: 2s}
  - {slow: 4s, route: "/mysfits/*"}
  name: like service
- slow: 3s
  name: "l*"
thresholds: {slow-post: {count: 4}, not-found: {count: 5}}
slow: 900ms
"""
first = findings("--config", config(a))
same(first, findings("--config", config(b)),
     "the order of keys and items changes nothing")
ok("over 1.5" in told(first[SLOW])["unit"], "the most specific holds",
   told(first[SLOW])["unit"])
same(first, findings("--config", config(a), "-j1"),
     "nor does the number of threads")
same(first, findings("--config", config(a), "-j7",
                     "--block-size", "1K"), "nor the size of blocks")

for claim, text, want in [
    ("all are for something", route("slow: 2s"), "with 1 threshold"),
    ("a mistyped route is for none",
     route("slow: 2s, thresholds: {slow-post: {count: 4}}",
           "/mysfits/{id}/likes"),
     "with 2 thresholds, 2 of them for no service or route here"),
    ("nor is another method of it", "slow: 1s\n" + route("method: PUT, slow: "
                                                         "2s"),
     "with 2 thresholds, 1 of them for no service or route here"),
]:
    text = telltale("replay", "--config", config(text), ARCHIVE,
                    "--width", "400").text
    same(re.search(r"^  config +\S+, (.*)$", text, re.M).group(1), want,
         f"the report: {claim}")

# Options go before the file.
same(findings("--config", config(route("slow: 3s")), "--slow", "2s"), general,
     "--slow goes before what the file says of slow")
same(findings("--config", config("thresholds: {not-found: {judge: no}}"),
              "--rule", "not-found"), findings("--rule", "not-found"),
     "--rule goes before what the file says of judging")
r = tap.replay("--config", config("thresholds: {slow-request: {judge: yes}}"),
               ARCHIVE)
ok(r["findings"], "a rule that is off can be switched on")

# Every decision says its thresholds, and who set them.
path = config("\n" + route("slow: 2s, thresholds: {slow-post: {ratio: 11%}}"))
one = findings("--config", path)[SLOW]
text = telltale("replay", "--config", path, ARCHIVE, "--explain-finding",
                one["event"]["id"], "--width", "200").text
for row in [rf"slow +2s +{re.escape(path)}:5",
            rf"ratio +11% +{re.escape(path)}:5",
            r"count +3 +default", r"g +13\.816 +default"]:
    ok(re.search(rf"^ +{row}$", text, re.M), f"explained: {row}", text)
text = telltale("replay", "--slow", "2s", "--rule", "slow-post", ARCHIVE,
                "--explain-finding", one["event"]["id"]).text
ok(re.search(r"^ +slow +2s +--slow$", text, re.M), "--slow is named", text)
ok(re.search(r"^ +judge +yes +--rule$", text, re.M), "--rule is named", text)

# Names.
for claim, text, option, want in [
    ("a log group's name is given", 'like', [], "Like!"),
    ("by a pattern", '"li?e"', [], "Like!"),
    ("by what its segments say", '"like serv*"', [], "Like!"),
    ("but the command line's goes before", "like",
     ["--service-name", "like=Other"], "Other"),
]:
    text = f'services:\n- name: "Like!"\n  from: [{text}]\n'
    j = tap.replay("--config", config(text), *option, ARCHIVE)
    same(sorted(s["name"] for s in j["services"]), sorted([want, "monolith"]),
         claim)
text = telltale("replay", "--config",
                config('services:\n- name: Like\n  from: [like]\n'), ARCHIVE,
                "--width", "400").text
ok(re.search(r'named by [^ ]*t\.yaml:2, for "like"', text),
   "the report says who gave the name", text)
r = telltale("replay", "-q", "--config",
             config("services:\n- name: a\n  from: [nosuch]\n"), ARCHIVE)
same((r.status, r.err), (0, ""), "a name that fits nobody is no complaint")

# The other commands that judge.
off = config("thresholds: {not-found: {judge: no}}\n"
             "services: [{name: Like, from: [like]}]\n")
found = telltale("query", "--findings", "", "--ndjson", "-q", ARCHIVE,
                 "--config", off)
same(sorted(d["_source"]["event"]["id"] for d in
            map(json.loads, found.text.splitlines())),
     sorted(f["event"]["id"] for f in findings("--config", off).values()),
     "query --findings finds what replay finds")
found = telltale("query", "--requests", 'service("Like")', "--csv", "-q",
                 ARCHIVE, "--config", off)
ok(found.text.count("\n") > 100, "query --requests knows the name",
   found.text[:500])
r = telltale("query", "--config", off, "", ARCHIVE)
same(r.status, 64, "query of traces: no use for it, and said")
ok("--config is for --findings and --requests" in r.err, "in words", r.err)
SEGMENTS = tap.write(os.path.join(FOLDER, "segments.ndjson"), json.dumps({
    "name": "front", "id": "1" * 16, "trace_id": "1-5bf4c1a0-" + "2" * 24,
    "start_time": 1542767008.0, "end_time": 1542767008.1,
    "http": {"request": {"method": "GET", "url": "http://front/",
                         "user_agent": "Mon/1"}}}) + "\n")
monitor = ["--config", config("probes: {agents: [Mon/]}")]
for claim, command in [("the map", ["map"]),
                       ("a trace", ["trace", "5bf4c1a0"])]:
    without = telltale(*command, "-q", SEGMENTS).text
    ok("health check" not in without, f"{claim}: a client's", without)
    text = telltale(*command, "-q", *monitor, SEGMENTS).text
    ok("health check" in text, f"{claim}: the file says it is no client's",
       text)

# Health checks, and scans of a service.
where = os.path.join(FOLDER, "checks.log")
when = datetime.datetime(2026, 11, 21)
with open(where, "w") as f:
    for i in range(200):
        at = (when + datetime.timedelta(seconds=i)).strftime(
            "%d/%b/%Y:%H:%M:%S +0000")
        f.write(f'10.0.0.1 - - [{at}] "GET /ok HTTP/1.1" 200 2 "-" "Mon/1"\n')
        f.write(f'203.0.113.9 - - [{at}] "GET /no{i} HTTP/1.1" 404 2 "-" '
                '"curl/8"\n')
        f.write(f'198.51.100.4 - - [{at}] "GET / HTTP/1.1" 200 2 "-" "x"\n')


def probes(*options):
    return sum(s["probes"] for s in
               tap.replay(*options, where)["services"])


same(probes(), 0, "an agent that nobody knows is a client")
text = config("probes: {agents: [Mon/]}")
same(probes("--config", text), 200, "the file makes it a health check")
same(probes("--config", text, "--probe-agent", "x"), 200,
     "an option's list stands for the file's")


def scans(text):
    return [f["rule"]["id"] for f in
            tap.replay("--config", config(text), where)["findings"]
            if f["rule"]["id"] == "not-found-scan"]


same(scans(""), ["not-found-scan"], "a client scans")
same(scans("thresholds: {not-found-scan: {g: 500}}"), [],
     "which more is asked of")
same(scans("services: [{name: checks, thresholds: {not-found-scan: "
           "{judge: no}}}]"), [], "or which nobody wants to know")
same(scans("services: [{name: other, thresholds: {not-found-scan: "
           "{judge: no}}}]"), ["not-found-scan"], "of that service alone")

# Files that are wrong: status 78, the place, and not a word of a result.
for claim, path, words in [
    ("a missing file", "/nonexistent/t.yaml", "cannot be opened: No such"),
    ("a folder", FOLDER, "cannot be read: Is a directory"),
    ("a mistyped key", config("thresold: {}"),
     ":1:1: 'thresold' is not known here; did you mean 'thresholds'?"),
    ("no UTF-8", config(b"slow: 1s\n\xff"), ":2:1: this is no text in UTF-8"),
    ("too long", config("#" * (100 << 20)), ": more than 1 MiB"),
    ("deep", config("[" * 500000), ":1:17: more than 16 lists and maps"),
    ("anchors", config("a: &a [x]\nb: [*a, *a]"), ":1:4: an anchor"),
    ("too many limits", config("services:\n" + "".join(
        f"- {{name: s{i}, slow: {i + 2}s}}\n" for i in range(8))),
     ": 'slow' has more than 8 different values"),
    ("control characters in a key", config('"a\\eb": 1'),
     ":1:1: a text with a control character"),
]:
    for command in (["check-config"], ["replay", ARCHIVE, "--config"],
                    ["query", "--findings", "", ARCHIVE, "--config"],
                    ["map", ARCHIVE, "--config"],
                    ["trace", "00000000", ARCHIVE, "--config"]):
        r = telltale(*command, path, timeout=10)
        same((r.status, r.out), (78, b""), f"{command[0]}: {claim}: 78")
        ok(words in r.err and r.err.count("\n") == 1,
           f"{command[0]}: {claim}: said", r.err)

# What holds, shown.
r = telltale("check-config", "docs/telltale.yaml")
same((r.status, r.err), (0, ""), "the example in docs/ is right")
shown = telltale("check-config", "--json", config(a)).json()
same([(t["route"], t.get("method"), t["value"])
      for t in shown["thresholds"] if t.get("route")],
     [("/mysfits/{id}/like", "POST", "1500ms"),
      ("/mysfits/{id}/like", None, "2s"), ("/mysfits/*", None, "4s")],
     "the most specific is shown first")
rows = [t for t in telltale("check-config", "--json").json()["thresholds"]]
same({t["from"] for t in rows}, {"default"}, "without a file: the defaults")

with open("docs/telltale.yaml.5") as f:
    page = f.read()
example = re.search(r"\.Bd -literal\n(.*?)\.Ed", page, re.S).group(1)
r = telltale("check-config", config(example))
same((r.status, r.err), (0, ""), "the manual's example is right")
for t in rows:
    ok(f"{t['threshold']}: {t['value']}" in page,
       f"the manual has {t['rule']} {t['threshold']}")

tap.done()
