#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every workshop x incident of `telltale simulate`, scored, as a table.

    tests/quality/catalogue.py [--record] [--seeds 101,102,103,104,105]
                               [--workshop W]... [--incident KIND]...

Thresholds were chosen on seeds below 100; tests/e2e/quality.py runs seed 1 of
a part in every check.  What is reported, the default here, are seeds that
nobody looked at before.  Goals are those of the detection reference, section
4.  --record writes the table and what is missed into tests/quality/RESULTS.md,
where it stands beside the next run as `last`.

$TELLTALE is the program, build/release/telltale by default.
"""
import argparse
import collections
import json
import multiprocessing
import os
import re
import shutil
import subprocess
import tempfile

import score

RESULTS = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                       "RESULTS.md")
WORKSHOPS = ("like", "interstella", "eks-shop", "threads", "fleet")
DURATION = "40m"
QUIET = ("clean", "daily-rhythm", "surge", "redeploy", "scale-in",
         "delivery-gap")


def simulate(job):
    """One scenario, scored; None: this workshop has no such dependency."""
    workshop, kind, seed = job
    root = tempfile.mkdtemp()
    try:
        r = subprocess.run(
            [score.TELLTALE, "simulate", workshop, "--seed", str(seed),
             "--duration", DURATION, "--incident", kind, "-q", "-o", root],
            stderr=subprocess.PIPE, text=True)
        if r.returncode == 64:
            return job, None
        if r.returncode != 0:
            raise SystemExit(f"{job}: {r.stderr}")
        return job, score.score(root, score.known_rules())
    finally:
        shutil.rmtree(root)


def of(scores, *kinds):
    some = [s for (_, kind, _), s in scores.items()
            if not kinds or kind in kinds]
    return score.total(some) if some else collections.defaultdict(lambda: None)


def measures(scores):
    """Name, figure, whether more is better, goal."""
    everything = of(scores)
    yield "probe F1", everything["probe_f1"], True, 0.9998
    yield "probe F1, busy `/`", of(scores, "busy-root")["probe_f1"], True, 0.9995
    yield "incident precision", everything["precision"], True, 1
    yield "incident recall", everything["recall"], True, 0.997
    yield ("false alerts a service and day",
           everything["false_per_service_day"], False, 0.004)
    yield ("... on clean, daily rhythm, surge, redeploy, scale-in, delivery gap",
           of(scores, *QUIET)["false"], False, 0)
    chaos = of(scores, "chaos")
    yield "seconds to detect, chaos, median", chaos["detect_median_s"], False, 20
    yield "seconds to detect, chaos, p90", chaos["detect_p90_s"], False, 45
    yield "seconds to detect, median", everything["detect_median_s"], False, 25
    yield "seconds to detect, p90", everything["detect_p90_s"], False, 300
    yield ("failed paths of a scan, most",
           of(scores, "scan-burst", "scan-slow")["failed_max"], False, 12)
    yield "findings doubled", everything["doubled"], False, 0
    yield ("findings of another rule or route meanwhile", everything["aside"],
           False, 0)
    yield "cause ranked first", everything["cause_first"], True, 0.99


def last():
    """What RESULTS.md says, by measure."""
    if not os.path.exists(RESULTS):
        return {}
    with open(RESULTS, encoding="utf-8") as f:
        return dict(re.findall(r"^\| ([^|]+?) \| ([^|]+?) \|", f.read(), re.M))


def table(scores, seeds):
    before = last()
    lines = [f"{len(scores)} runs of {DURATION}, seeds "
             f"{', '.join(map(str, seeds))}.", "",
             "| measure | figure | goal | last |", "|---|---|---|---|"]
    for name, v, more, goal in measures(scores):
        met = v is not None and (v >= goal if more else v <= goal)
        lines.append(f"| {name} | {'-' if v is None else f'{v:g}'} | "
                     f"{'≥' if more else '≤'} {goal:g}"
                     f"{'' if met else ' **missed**'} | "
                     f"{before.get(name, '-')} |")
    return "\n".join(lines) + "\n"


def misses(scores):
    """What went wrong: kind of fault and finding, in which of the runs."""
    found = collections.defaultdict(list)
    for (workshop, kind, seed), s in scores.items():
        for fault in ("missed", "doubled", "aside", "false"):
            for what in s[fault]:
                found[workshop, kind, fault, what].append(str(seed))
    if not found:
        return "Nothing is missed, doubled or false.\n"
    lines = ["| workshop | scenario | | what | seeds |", "|---|---|---|---|---|"]
    lines += [f"| {w} | {k} | {fault} | {what} | {', '.join(seeds)} |"
              for (w, k, fault, what), seeds in sorted(found.items())]
    return "\n".join(lines) + "\n"


def record(text):
    with open(RESULTS, encoding="utf-8") as f:
        old = f.read()
    new = re.sub(r"<!-- recorded -->\n.*<!-- end -->",
                 lambda _: f"<!-- recorded -->\n\n{text}\n<!-- end -->", old,
                 flags=re.S)
    with open(RESULTS, "w", encoding="utf-8") as f:
        f.write(new)


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--seeds", default="101,102,103,104,105")
    p.add_argument("--workshop", action="append")
    p.add_argument("--incident", action="append")
    p.add_argument("--record", action="store_true")
    a = p.parse_args()
    seeds = [int(s) for s in a.seeds.split(",")]
    kinds = a.incident or [i["name"] for i in json.loads(score.run(
        "simulate", "--catalogue", "--json"))["incidents"]]
    jobs = [(w, k, s) for w in a.workshop or WORKSHOPS for k in kinds
            for s in seeds]
    scores = {}
    with multiprocessing.Pool(os.cpu_count()) as pool:
        for job, s in pool.imap(simulate, jobs):
            if s:
                scores[job] = s
                score.show(" ".join(map(str, job)), s)
    text = f"{table(scores, seeds)}\n{misses(scores)}"
    print(f"\n{text}")
    if a.record:
        record(text)


if __name__ == "__main__":
    main()
