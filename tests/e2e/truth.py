#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The workshop's Like service: what was found against what happened.

The corpus' truth.json has every request as its driver sent it; its README says
what a good program finds, and what it must not say.
"""
import datetime
import gzip
import json
import os
import re
import tap
from tap import ok, same

LIKE = re.compile(r"^/mysfits/[^/]+/like$")
LINES = (re.compile(r'"(\x1b\[\d+m)*POST /mysfits/[^/]+/like '),
         re.compile(r'"(\x1b\[\d+m)*(POST /mysfits/[^/]+/fulfill-like'
                    r'|GET /mysfits/[^/ ]+) '))
CELL = 10
FAULTS = {"server-error", "masked-failure"}


def seconds(text):
    return datetime.datetime.fromisoformat(
        text.replace("Z", "+00:00")).timestamp()


def is_like(path):
    return LIKE.match(path) and not path.startswith("/mysfits/undefined/")


class Run:
    """One variant, replayed whole, and its truth."""

    def __init__(self, root, *options):
        self.paths = [f"{root}/s3-export", f"{root}/xray/segments.ndjson"]
        if not os.path.isdir(self.paths[0]):
            self.paths[0] = f"{root}/logs/s3-export"
        self.out = tap.folder()
        self.json = tap.replay("--out", self.out, *options, *self.paths)
        self.findings = self.json["findings"]
        self.requests = [d["_source"] for d in
                         tap.ndjson(f"{self.out}/requests.ndjson")]
        self.segments = [json.loads(x) for x in
                         open(self.paths[1], encoding="utf-8")]

    def service(self, name):
        return next(s for s in self.json["services"] if s["name"] == name)


def line_of(path, number):
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rb") as f:
        for i, line in enumerate(f, 1):
            if i == number:
                return line.decode()
    return ""


def evidence(name, run):
    """Every reference is opened, and is of the kind that is claimed."""
    traces = {}
    for s in run.segments:
        traces.setdefault(s["trace_id"], []).append(s)
    for f in run.findings:
        rule = f["rule"]["id"]
        refs = f["telltale"]["finding"]["evidence"]
        same(len(refs), min(3, f["telltale"]["finding"]["count"]),
             f"{name}: {rule}: three pieces of evidence, or all")
        for e in refs:
            what = f"{name}: {rule}: evidence"
            if "line" in e:
                line = line_of(e["path"], e["line"])
                what_line = LINES[rule in FAULTS]
                ok(what_line.search(line), f"{what} is a line of the route",
                   line)
                if rule in FAULTS:
                    ok(re.search(r'HTTP/1.1(\x1b\[0m)?" 500 ', line),
                       f"{what} is a 500", line)
                if rule == "not-found":
                    ok(re.search(r'HTTP/1.1(\x1b\[0m)?" 404 ', line),
                       f"{what} is a 404", line)
            if "trace_id" in e:
                like = [s for s in traces.get(e["trace_id"], [])
                        if s["name"] == "like service" and
                        s["http"]["request"]["method"] == "POST"]
                ok(like, f"{what} is the trace of a like", e)
                for s in like:
                    if rule == "slow-post":
                        ok(s["end_time"] - s["start_time"] > 1,
                           f"{what} took over a second", s)
                    else:
                        ok(s["http"]["response"]["status"] == 404,
                           f"{what} answered 404", s)


def arrived(truth, service):
    """The balancer's probes that a task has heard, and so has logged."""
    return [p for p in truth["probes"] if p["service"] == service
            and p["outcome"] != "ConnectionRefusedError"]


class Score:
    """Of one class of requests, each known by service, node and time."""

    def __init__(self, found, truth):
        self.right = self.wrong = 0
        left = sorted(truth)
        for what in sorted(found):
            near = [x for x in left if x[0] == what[0] and x[1] == what[1]
                    and -0.1 < what[2] - x[2] < 9]
            if near:
                self.right += 1
                left.remove(near[0])
            else:
                self.wrong += 1
        self.missed = len(left)
        self.f1 = 2 * self.right / max(
            1, 2 * self.right + self.wrong + self.missed)

    def __str__(self):
        return f"F1 {self.f1:.4f}, {self.right} right, " \
            f"{self.wrong} wrong, {self.missed} missed"


def probes(name, root, truth):
    """No line has a user agent: the clock tells, in each log by itself too."""
    logs = f"{root}/logs/s3-export"
    kinds = {s: [(s, p["node"], seconds(p["sent"]))
                 for p in arrived(truth, s)] for s in ("like", "monolith")}
    hops = [("monolith", c["node"], seconds(c["sent"]))
            for c in truth["calls"] if c["path"] == "/"]
    for what, paths, services in (
            ("Like's log", [f"{logs}/like"], ["like"]),
            ("the monolith's log", [f"{logs}/monolith"], ["monolith"]),
            ("both logs", [logs], ["like", "monolith"]),
            ("logs and segments", [logs, f"{root}/xray/segments.ndjson"],
             ["like", "monolith"])):
        out = tap.folder()
        tap.replay("--probes", "keep", "--out", out, *paths)
        found = {"own": [], "hop": []}
        for d in tap.ndjson(f"{out}/requests.ndjson"):
            r = d["_source"]
            if r["telltale"]["class"] == "client":
                continue
            s = "like" if "like" in r["aws"]["cloudwatch"]["log_stream"] \
                else "monolith"
            hop = "one hop on" in r["telltale"]["class_reason"]
            found["hop" if hop else "own"].append(
                (s, r["client"]["ip"], seconds(r["@timestamp"])))
        own = Score(found["own"], sum((kinds[s] for s in services), []))
        ok(own.f1 == 1, f"{name}: probes in {what}: {own}")
        hop = Score(found["hop"], hops if "monolith" in services else [])
        ok(hop.f1 == 1 or not hops or services == ["like"],
           f"{name}: probes one hop on in {what}: {hop}")
        same(len(found["hop"]), hop.right, f"{name}: and no other")


def counts(name, run, truth):
    """Likes, 404s, probes and joined segments, each from both sides."""
    sent = [r for r in truth["requests"]
            if r["method"] == "POST" and is_like(r["path"])]
    route = next(r for r in run.service("like service")["routes"]
                 if r["route"] == "/mysfits/{id}/like" and
                 r["method"] == "POST")
    same(route["count"], len(sent), f"{name}: likes on the route")
    same(route["not_found"], sum(r["status"] == 404 for r in sent),
         f"{name}: their 404s are those of the chaos")
    broken = [r for r in truth["requests"] if r["kind"] == "broken-like"]
    seen = [r for r in run.requests if r["service"]["name"] == "like service"
            and r["http"]["request"]["method"] == "POST"
            and "/undefined/" in r["url"]["path"]]
    same(len(seen), len(broken), f"{name}: the broken client's likes")
    # The balancer's probes: of the tasks' beginnings and ends as well.
    service = run.service("like service")
    same(service["probes"] + service["probes_failed"],
         len(arrived(truth, "like")), f"{name}: Like's probes")
    same(service["probes_probable"], 0, f"{name}: all of them for certain")
    mono = [c for c in truth["calls"] if c["method"] == "GET"]
    ok(mono and service["in_trace_only"] <= 1,
       f"{name}: each segment's request is in the log")
    roots = [s for s in run.segments if "parent_id" not in s]
    same(service["in_log_and_trace"] + service["in_trace_only"],
         sum("HealthChecker" not in s["http"]["request"]["user_agent"]
             for s in roots), f"{name}: joined = segments of no probe")
    slow = [s for s in roots if s["http"]["request"]["method"] == "POST" and
            s["end_time"] - s["start_time"] > 1]
    marked = [r for r in run.requests
              if "slow-post" in r.get("telltale", {}).get("marks", [])]
    same(len(marked), len(slow), f"{name}: slow POSTs are the segments'")
    ids = {s["trace_id"] for s in slow}
    same({r["aws"]["xray"]["trace_id"] for r in marked if "aws" in r}, ids,
         f"{name}: the same ones")


def onset(name, run, rule, deployed):
    found = [f for f in run.findings if f["rule"]["id"] == rule]
    same(len(found), 1, f"{name}: {rule} once")
    for f in found:
        t = seconds(f["event"]["start"])
        ok(-CELL <= t - deployed <= CELL + CELL,
           f"{name}: {rule} begins within a cell of the deployment",
           f"{f['event']['start']}: {t - deployed} s after it")
        same((f["service"]["name"], f["http"]["request"]["method"],
              f["telltale"]["route"]),
             ("like service", "POST", "/mysfits/{id}/like"),
             f"{name}: {rule} names the route")


# What stands beside each, by the corpus' README, and who is in it.
BESIDE = {"slow-post": "WARN: stress function activated",
          "not-found": "WARN: simulated 404 activated"}
SHORT = "0e37d916-f960-4772-a25a-01b762b5c1b"  # which the monolith fails on


def causes(name, run, truth):
    """The line that the program wrote, in all of them, and the second task."""
    task = next(t["log_stream"].rsplit("/", 1)[1] for t in truth["tasks"]
                if t["service"] == "like" and t["chaosmode"] == "on")
    for f in run.findings:
        of = f["telltale"]["finding"]
        rule = f["rule"]["id"]
        if rule not in run.must:
            same(of["causes"], [], f"{name}: {rule}: nothing stands out")
            ok(of["compared"]["bad"] > 0, f"{name}: {rule}: among some")
            continue
        same([c["kind"] for c in of["causes"]], ["line", "place"],
             f"{name}: {rule}: a line and a place")
        line, place = of["causes"]
        if rule in FAULTS:
            ok(line["template"].startswith("Exception on <path> ["),
               f"{name}: {rule}: the monolith's exception", line)
            ok(re.fullmatch(f"path /mysfits/{SHORT}(/fulfill-like)?",
                            place["text"]) and place["c"] == 0,
               f"{name}: {rule}: the id that lacks a digit", place)
            continue
        same((line["text"], line["service"]),
             (BESIDE[rule], "like service"), f"{name}: {rule}: the line")
        same((line["a"], line["b"]), (of["compared"]["bad"], 0),
             f"{name}: {rule}: all bad ones have it")
        ok(line["c"] * 50 <= line["c"] + line["d"],
           f"{name}: {rule}: hardly any other has", line)
        ok(line["lift"] > 20 and line["g2"] > 50, f"{name}: {rule}: by far",
           line)
        same(place["text"], f"task {task}", f"{name}: {rule}: the task")
        same((place["b"], place["since"]), (0, True),
             f"{name}: {rule}: all of them, and since it came")
        ok(f"co-occurs with “{BESIDE[rule]}”" in f["event"]["reason"],
           f"{name}: {rule}: said so", f["event"]["reason"])
        ok("because" not in f["event"]["reason"],
           f"{name}: {rule}: no word of why")


def clean(name, run, until):
    first = Run.__new__(Run)
    json_ = tap.replay("--until", until, *run.paths)
    first.json = json_
    same([f["rule"]["id"] for f in json_["findings"]
          if f["rule"]["id"] not in FAULTS], [],
         f"{name}: nothing is found before the chaos but the monolith's faults")
    ok(json_["accounting"]["request"]["stored"] > 500,
       f"{name}: though there is something to look at")


def faults(name, run, truth):
    """The monolith's own 500s: likes and views of the truncated id."""
    phases = truth["counts"].values()
    want = {("POST", "/mysfits/{id}/fulfill-like"):
            sum(c["likes"]["masked_500"] for c in phases),
            ("GET", "/mysfits/{id}"):
            sum(c["monolith_500_to_users"] for c in phases)}
    found = [f for f in run.findings if f["rule"]["id"] in FAULTS]
    for f in found:
        post = f["http"]["request"]["method"] == "POST"
        same(f["rule"]["id"], "masked-failure" if post else "server-error",
             f"{name}: only those of likes are hidden")
        by = f["telltale"]["finding"].get("hidden_by")
        same(by and (by["service"], by["method"], by["route"],
                     by["count"], by["total"]),
             ("like service", "POST", "/mysfits/{id}/like",
              *[want["POST", "/mysfits/{id}/fulfill-like"]] * 2)
             if post else None, f"{name}: who hides them, and how many")
        same(f["service"]["name"], "monolith", f"{name}: whose 500s they are")
        route = (f["http"]["request"]["method"], f["telltale"]["route"])
        same(f["telltale"]["finding"]["count"], want.get(route),
             f"{name}: server-error counts all of {' '.join(route)}")


def variant(name, root, truth, rules):
    run = Run(root)
    on = next(p for p in truth["phases"] if p["name"] == "on")
    same(sorted(f["rule"]["id"] for f in run.findings if
                f["rule"]["id"] not in rules["either"]),
         rules["must"], f"{name}: what must be found, and no more")
    for rule in set(rules["must"]) - FAULTS:
        onset(name, run, rule, seconds(on["from"]))
    same({s["name"] for s in run.json["services"]},
         {"like service", "monolith"}, f"{name}: the services' names")
    run.must = rules["must"]
    causes(name, run, truth)
    for f in run.findings:
        for cause in f["telltale"]["finding"]["causes"]:
            wrong = "should NOT be left on" in cause["text"] or \
                (rules["innocent"] and "stress" in cause["text"])
            ok(not wrong, f"{name}: {f['rule']['id']}: a right cause", cause)
    faults(name, run, truth)
    counts(name, run, truth)
    if root != "demo/like-service":
        probes(name, root, truth)
    evidence(name, run)
    clean(name, run, on["from"])
    return run


tap.need_corpus()
P2 = f"{tap.CORPUS}/like-service/python2-2019"
P3 = f"{tap.CORPUS}/like-service/python3"
T2 = json.load(open(f"{P2}/truth.json", encoding="utf-8"))
T3 = json.load(open(f"{P3}/truth.json", encoding="utf-8"))
DEMO = {"must": ["masked-failure", "not-found", "slow-post"], "either": [], "innocent": False}
variant("demo", "demo/like-service", T2, DEMO)
variant("python2-2019", P2, T2, DEMO)
variant("python3", P3, T3, {"must": ["masked-failure", "not-found",
                                     "server-error"],
                            "either": ["slow-post"], "innocent": True})
tap.done()
