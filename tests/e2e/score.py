#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The scorer: made-up findings against made-up labels, and one real run."""
import importlib.util
import json
import os
import subprocess
import sys
import tap
from tap import ok, same

spec = importlib.util.spec_from_file_location("score", "tests/quality/score.py")
score = importlib.util.module_from_spec(spec)
spec.loader.exec_module(score)

LABELS = {
    "start": "2026-11-21T02:00:00Z", "end": "2026-11-21T03:00:00Z",
    "services": [{"name": "a"}, {"name": "b"}],
    "incidents": [
        {"kind": "slow-post", "class": "incident", "rule": "slow-post",
         "start": "2026-11-21T02:10:00Z", "end": "2026-11-21T02:20:00Z",
         "first": "2026-11-21T02:10:05Z", "service": "a", "route": "/x",
         "cause": "lock wait", "affected": 9, "total": 9,
         "also": [{"service": "b", "route": "/y", "rule": "slow-post"}]},
        {"kind": "hammer", "class": "incident", "rule": "not-found-scan",
         "start": "2026-11-21T02:40:00Z", "end": "2026-11-21T02:50:00Z",
         "service": "a", "affected": 9, "total": 9},
        {"kind": "tail", "class": "incident", "rule": "slow-post",
         "start": "2026-11-21T02:40:00Z", "end": "2026-11-21T02:50:00Z",
         "service": "b", "affected": 0, "total": 0},
        {"kind": "surge", "class": "decoy", "start": "2026-11-21T02:25:00Z",
         "end": "2026-11-21T02:30:00Z", "service": "a", "affected": 0,
         "total": 9},
    ],
}


def finding(rule, service, route, start, end, causes=()):
    return {"rule": {"id": rule}, "service": {"name": service},
            "event": {"start": f"2026-11-21T02:{start}Z",
                      "end": f"2026-11-21T02:{end}Z"},
            "telltale": {"route": route, "finding": {
                "detected": f"2026-11-21T02:{end}Z",
                "causes": [{"text": c} for c in causes]}}}


def judged(*findings):
    return score.score_findings(LABELS, list(findings),
                                {"slow-post", "not-found"})


HIT = finding("slow-post", "a", "/x", "10:00", "10:30", ["a lock wait, long"])
s = judged()
same((s["found"], s["incidents"], s["known"], len(s["missed"])), (0, 2, 1, 2),
     "nothing found: what struck is missed, what did not is none")
s = judged(HIT)
same((s["found"], s["right"], s["onset"], s["detect"]), (1, 1, [-5], [25]),
     "a hit has its onset and its delay from the first record")
same((s["causes"], s["causes_first"]), (1, 1), "and its cause")
s = judged(HIT, HIT)
same((s["found"], len(s["doubled"])), (1, 1), "twice is doubled")
s = judged(HIT, finding("slow-post", "b", "/y", "10:10", "11:00"))
same((s["right"], s["doubled"], s["aside"]), (2, [], []),
     "what calls the struck route is right as well")
s = judged(finding("not-found", "a", "/x", "10:00", "11:00"),
           finding("slow-post", "a", "/z", "12:00", "13:00"))
same((s["found"], len(s["aside"])), (0, 2), "other rule, other route: aside")
s = judged(finding("slow-post", "a", "/x", "26:00", "27:00"))
same((s["found"], len(s["false"])), (0, 1), "during a decoy: false")

# A real run.
root = tap.folder()
r = tap.telltale("simulate", "like", "--duration", "20m", "--incident",
                 "chaos@8m+8m", "-o", root)
r = subprocess.run([sys.executable, "tests/quality/score.py", "--json", root],
                   stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                   env={**os.environ, "TELLTALE": tap.TELLTALE})
if ok(r.returncode == 0, "an archive is scored", r.stderr.decode()):
    t = json.loads(r.stdout)["total"]
    same((t["recall"], t["precision"], t["false"], t["doubled"]),
         (1.0, 1.0, 0, 0), "chaos mode is two findings and no other")
    ok(-15 < t["onset_median_s"] < 15, "with their onset", t)
    same(t["probe_precision"], 1.0, "no client is taken for a probe")
r = subprocess.run([sys.executable, "tests/quality/catalogue.py", "--seeds",
                    "1", "--workshop", "like", "--incident", "chaos"],
                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                   env={**os.environ, "TELLTALE": tap.TELLTALE})
if ok(r.returncode == 0, "a part of the catalogue is run", r.stderr):
    ok("| incident recall | 1 | ≥ 0.997 |" in r.stdout,
       "and its table has figure and goal", r.stdout)
    ok("Nothing is missed" in r.stdout, "and what is missed", r.stdout)
tap.done()
