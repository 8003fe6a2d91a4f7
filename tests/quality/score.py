#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Scores what `telltale replay` finds against what `telltale simulate` did.

    tests/quality/score.py [--json] DIR...        archives with labels

catalogue.py does it for every workshop and incident.  The measures are those of the detection reference, section 4:

    precision     findings that are of an incident, or of what calls the struck
                  route, / all findings
    recall        incidents that are found / incidents that struck anything
                  and left a trace of it
    known recall  the same, of incidents whose rule the program has
    doubled       findings beyond the first of one incident and place
    aside         findings of another rule or route while an incident is on
    false         findings while none is on, or of a decoy
    onset         finding's start - first struck record, seconds
    detect        finding's decision - first struck record, seconds
    failed        of a scan: requests of the client that failed up to then
    cause         found incidents whose label names a cause that is ranked first
    probes        precision and recall of class `probe` over access lines;
                  `probable-probe` counts apart, what probes cause not at all

$TELLTALE is the program, build/release/telltale by default.
"""
import argparse
import datetime
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

TELLTALE = os.path.abspath(os.environ.get("TELLTALE",
                                          "build/release/telltale"))
NAMED = {"slow-request"}
BEFORE, AFTER = 20, 120  # a finding may begin early by a cell, end late


def seconds(text):
    return datetime.datetime.fromisoformat(
        text.replace("Z", "+00:00")).timestamp()


def run(*args, cwd=None):
    r = subprocess.run([TELLTALE, *map(str, args)], cwd=cwd,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if r.returncode != 0:
        raise SystemExit(f"{args}: status {r.returncode}: "
                         f"{r.stderr.decode()}")
    return r.stdout


def known_rules():
    return {r["name"] for r in json.loads(run("components", "--json"))["rules"]}


def replay(folder, labels):
    """The findings of a replay, and its request documents."""
    paths = [p for p in ("logs", "alb", "xray")
             if os.path.isdir(os.path.join(folder, p))]
    out = tempfile.mkdtemp()
    found = json.loads(run("replay", "--json", "--probes", "keep", "--out",
                           out, *paths, cwd=folder))["findings"]
    # The rules that are off unless they are named, where one is expected.
    for rule in NAMED & {i.get("rule") for i in labels["incidents"]}:
        found += json.loads(run("replay", "--json", "--rule", rule, *paths,
                                cwd=folder))["findings"]
    with open(os.path.join(out, "requests.ndjson"), encoding="utf-8") as f:
        requests = [json.loads(line)["_source"] for line in f]
    shutil.rmtree(out)
    return found, requests


# Behind a balancer a program's log does not tell one client from many.
HIDDEN = {"not-found-scan": "not-found-surge"}


def at(finding, place):
    """The finding is of this rule, service and route."""
    rule = place.get("rule")
    if finding["rule"]["id"] not in (rule, HIDDEN.get(rule)):
        return False
    if finding["service"]["name"] != place.get("service",
                                               finding["service"]["name"]):
        return False
    route = finding["telltale"].get("route")
    return not route or route == place.get("route", route)


def fits(finding, incident):
    """The finding is of this incident, there or further up."""
    return during(finding, incident) and (
        at(finding, incident) or
        any(at(finding, p) for p in incident.get("also", ())))


def during(finding, incident):
    return (seconds(finding["event"]["start"]) <= seconds(incident["end"]) + AFTER
            and seconds(finding["event"]["end"]) >=
            seconds(incident["start"]) - BEFORE)


def name(finding):
    return " ".join(filter(None, (
        finding["rule"]["id"], finding["service"]["name"],
        finding.get("http", {}).get("request", {}).get("method"),
        finding["telltale"].get("route"))))


def failed_until(finding, requests):
    """What the client of a scan had failed with when that was decided."""
    ip = finding.get("client", {}).get("ip")
    end = seconds(finding["telltale"]["finding"]["detected"])
    return sum(r["http"].get("response", {}).get("status_code") in (404, 410)
               and r.get("client", {}).get("ip") == ip
               and seconds(r["@timestamp"]) <= end for r in requests)


def score_findings(labels, findings, known, requests=()):
    """Each finding to an incident, or to none."""
    real = [i for i in labels["incidents"]
            if i["class"] == "incident" and not i.get("invisible") and
            (i["affected"] or i["total"])]
    s = {"found": 0, "right": 0, "incidents": len(real), "known": 0, "known_found": 0,
         "doubled": [], "aside": [], "false": [], "missed": [], "onset": [],
         "detect": [], "failed": [], "causes": 0, "causes_first": 0,
         "findings": len(findings)}
    left = list(findings)
    for i in real:
        mine = [f for f in left if fits(f, i)]
        left = [f for f in left if f not in mine]
        s["known"] += i["rule"] in known
        if not mine:
            s["missed"].append(f"{i['kind']}: {i['rule']}"
                               f"{'' if i['rule'] in known else ' (no such rule)'}")
            continue
        s["found"] += 1
        s["known_found"] += i["rule"] in known
        mine.sort(key=lambda f: not at(f, i))
        names = [name(f) for f in mine]
        s["doubled"] += [n for k, n in enumerate(names) if n in names[:k]]
        s["right"] += len(set(names))
        first = seconds(i.get("first", i["start"]))
        f = mine[0]
        s["onset"].append(round(seconds(f["event"]["start"]) - first, 1))
        s["detect"].append(round(
            seconds(f["telltale"]["finding"]["detected"]) - first, 1))
        if i["rule"] == "not-found-scan":
            s["failed"].append(failed_until(f, requests))
        if "cause" in i:
            causes = f["telltale"]["finding"]["causes"]
            s["causes"] += 1
            s["causes_first"] += bool(causes) and i["cause"] in causes[0]["text"]
    for f in left:
        aside = any(during(f, i) for i in real)
        s["aside" if aside else "false"].append(name(f))
    return s


def score_probes(folder, requests):
    labels = {}
    with open(os.path.join(folder, "labels.ndjson"), encoding="utf-8") as f:
        for line in f:
            x = json.loads(line)
            labels[x["path"], x["line"]] = x["class"]
    s = {"right": 0, "wrong": 0, "missed": 0, "probable": 0,
         "probable_wrong": 0}
    for r in requests:
        at = (r["log"]["file"]["path"], r["telltale"]["line"])
        truth = labels.get(at, "client")
        said = r["telltale"]["class"]
        if truth == "cascade":
            continue
        if truth == "probe":
            s["right"] += said == "probe"
            s["probable"] += said == "probable-probe"
            s["missed"] += said == "client"
        else:
            s["wrong"] += said == "probe"
            s["probable_wrong"] += said == "probable-probe"
    return s


def score(folder, known):
    with open(os.path.join(folder, "labels.json"), encoding="utf-8") as f:
        labels = json.load(f)
    found, requests = replay(folder, labels)
    s = score_findings(labels, found, known, requests)
    s["probes"] = score_probes(folder, requests)
    s["service_days"] = (seconds(labels["end"]) - seconds(labels["start"])) \
        / 86400 * len(labels["services"])
    return s


def share(part, whole):
    return round(part / whole, 4) if whole else None


def total(scores):
    """The measures of many."""
    add = {k: sum(s[k] for s in scores)
           for k in ("found", "right", "incidents", "known", "known_found", "findings",
                     "causes", "causes_first", "service_days")}
    lists = {k: [x for s in scores for x in s[k]]
             for k in ("doubled", "aside", "false", "onset", "detect",
                       "failed")}
    p = {k: sum(s["probes"][k] for s in scores) for k in scores[0]["probes"]}
    detect = sorted(lists["detect"])
    return {
        "precision": share(add["right"], add["findings"]),
        "recall": share(add["found"], add["incidents"]),
        "known_recall": share(add["known_found"], add["known"]),
        "incidents": add["incidents"], "findings": add["findings"],
        "doubled": len(lists["doubled"]), "aside": len(lists["aside"]),
        "false": len(lists["false"]),
        "false_per_service_day": share(len(lists["false"]),
                                       add["service_days"]),
        "onset_median_s": statistics.median(lists["onset"])
        if lists["onset"] else None,
        "detect_median_s": statistics.median(detect) if detect else None,
        "detect_p90_s": detect[int(len(detect) * 0.9)] if detect else None,
        "failed_max": max(lists["failed"], default=None),
        "cause_first": share(add["causes_first"], add["causes"]),
        "probe_precision": share(p["right"], p["right"] + p["wrong"]),
        "probe_recall": share(p["right"],
                              p["right"] + p["probable"] + p["missed"]),
        "probe_recall_with_probable":
            share(p["right"] + p["probable"],
                  p["right"] + p["probable"] + p["missed"]),
        "probe_f1": share(2 * p["right"], 2 * p["right"] + p["wrong"] +
                          p["probable"] + p["missed"]),
    }


def show(label, s):
    words = [f"{s['found']}/{s['incidents']}"]
    for k in ("missed", "doubled", "aside", "false"):
        if s[k]:
            words.append(f"{k}: {', '.join(s[k])}")
    for k in ("onset", "detect"):
        if s[k]:
            words.append(f"{k} {s[k][0]:g} s")
    print(f"{label:36} {'; '.join(words)}", flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("dir", nargs="+")
    p.add_argument("--json", action="store_true")
    a = p.parse_args()
    known = known_rules()
    scores = {}
    for folder in a.dir:
        scores[folder] = score(folder, known)
        if not a.json:
            show(folder, scores[folder])
    sums = total(list(scores.values()))
    if a.json:
        json.dump({"schema": "telltale-score/1", "total": sums,
                   "runs": scores}, sys.stdout, indent=1)
        print()
        return
    for k, v in sums.items():
        print(f"{k:28} {v}")


if __name__ == "__main__":
    main()
