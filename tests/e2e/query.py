#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""telltale query: one question, archive or store, the same bytes."""
import csv
import io
import json
import os
import time

from tap import CORPUS, done, folder, ok, same, skip, telltale, write

DEMO = "demo/like-service"
DIR = folder()
STORE = os.path.join(DIR, "demo.db")
LAB = ('service("like service") { responsetime > 1 OR error } '
       'AND http.method = "POST"')


def query(expression, *more, **keys):
    return telltale("query", "-q", expression, *more, **keys)


def both_ways(archive, store):
    expressions = [
        LAB, "", "fault OR error", "!ok", "duration > 0.5", "inferred",
        'http.url CONTAINS "like"', "http.status = 404",
        'service("like service") { root AND http.status >= 400 }',
        'edge(id(type: "client"), "like service")', "partial",
        'annotation[x] OR rootcause.fault.service', "user",
    ]
    forms = [
        [], ["--json"], ["--ndjson"], ["--csv"], ["--limit", "3"],
        ["--sort", "duration", "--limit", "7", "--csv"],
        ["--sort", "url", "--reverse", "--csv"],
        ["--last", "3m", "--csv"],
        *(["--group-by", by] for by in (
            "url", "user", "method", "status", "client", "service",
            "rootcause", "annotation[x]")),
        ["--group-by", "url", "--sort", "average", "--json"],
        ["--group-by", "status", "--sort", "key", "--csv"],
    ]
    for form in forms:
        bad = [e for e in expressions
               if (lambda a, b: (a.out, a.status) != (b.out, b.status))(
                   query(e, *form, archive), query(e, *form, "--store", store))]
        same(bad, [], f"archive and store agree: {' '.join(form) or 'a list'}")


def lab_question():
    r = query(LAB, DEMO, "--json")
    d = r.json()
    same((r.status, d["schema"], d["command"]), (0, "telltale/1", "query"),
         "the lab's question works word for word")
    found = d["TraceSummaries"]
    ok(found and all(
        t["Http"]["HttpMethod"] == "POST" and
        (t.get("ResponseTime", 0) > 1 or t["HasError"]) for t in found),
       "and finds slow or failing POSTs")
    everything = query("", DEMO, "--json").json()["TraceSummaries"]
    mine = {t["Id"] for t in everything if t["Http"]["HttpMethod"] == "POST"
            and (t.get("ResponseTime", 0) > 1 or t["HasError"])}
    same({t["Id"] for t in found}, mine, "all of them")
    same(d["matched"], len(found), "as many as it says")


def forms():
    rows = list(csv.reader(io.StringIO(query("", DEMO, "--csv").text)))
    same(rows[0][:3], ["time", "id", "response_time"], "CSV has a head")
    ok(all(len(r) == len(rows[0]) for r in rows), "and whole lines")
    same(len(rows) - 1, query("", DEMO, "--json").json()["matched"],
         "a line a trace")
    groups = query("", DEMO, "--group-by", "status", "--json").json()
    same(sum(g["count"] for g in groups["groups"]), groups["matched"],
         "groups add up")
    r = query("", DEMO, "--group-by", "status", "--width", "100")
    ok("share" in r.text and "p99" in r.text, "groups as a table", r.text)
    for threads in ("1", "4"):
        same(query("", DEMO, "--csv", "-j", threads).out,
             query("", DEMO, "--csv").out, f"the same with {threads} threads")


def hostile():
    nasty = {"id": "53995c3f42cd8ad8", "trace_id": "1-5bfd0a00-" + "0" * 24,
             "name": "x\x1b[2J", "start_time": 1543309800, "end_time": 1543309801,
             "http": {"request": {"method": "GET", "url": 'a,"b"\n=cmd()'}}}
    path = write(os.path.join(DIR, "nasty.ndjson"), json.dumps(nasty) + "\n")
    r = query("", path, "--width", "200")
    ok(b"\x1b" not in r.out, "no control character reaches a terminal", r.text)
    rows = list(csv.reader(io.StringIO(query("", path, "--csv").text, newline="")))
    same(rows[1][6], nasty["http"]["request"]["url"], "CSV quotes what it must")
    same(query("", path, "--json").json()["TraceSummaries"][0]["Http"]["HttpURL"],
         nasty["http"]["request"]["url"], "JSON as well")


def statuses():
    same(query("fault", DEMO).status, 1, "nothing found is status 1")
    same(query("ok", os.path.join(DIR, "nothing")).status, 66,
         "no such file is 66")
    r = query("duration >", "--check")
    ok(r.status == 64 and "^" in r.err and "duration >" in r.err,
       "--check says what is wrong with a caret", r.err)
    same(query("duration > 1", "--check").status, 0, "--check of a good one")
    ok("did you mean" in query("responsetme > 1", "--check").err.lower()
       or "responsetime" in query("responsetme > 1", "--check").err,
       "the nearest word is named")
    r = query("(" * 10000 + "ok" + ")" * 10000, "--check")
    ok(r.status == 64, "10 000 brackets are refused", r.status)
    r = query("a" * 100 * 1024, "--check")
    ok(r.status == 64 and len(r.err) < 4000, "100 KiB are refused", len(r.err))
    for options, words in [
            (["ok"], "PATH or --store"), ([], "EXPRESSION"),
            (["ok", DEMO, "--store", STORE], "exclude"),
            (["ok", DEMO, "--group-by", "colour"], "none of url"),
            (["ok", DEMO, "--sort", "count"], "--sort"),
            (["ok", DEMO, "--json", "--csv"], "exclude"),
            (["fault", DEMO, "--findings"], "findings have no fault"),
            (["user", DEMO, "--requests"], "requests have no user"),
            (["", DEMO, "--requests", "--group-by", "user"], "grouped")]:
        r = telltale("query", "-q", *options)
        ok(r.status == 64 and words in r.err, f"64: {words}", r.err)


def explained():
    r = query("responsetime > 1", "--explain-sql")
    ok(r.status == 0 and "responsetime_ns" in r.text, "--explain-sql", r.text)
    r = query("responsetime > 1", "--explain-es")
    ok(json.loads(r.text), "--explain-es is JSON")


def requests_and_findings():
    for form in (["--csv"], ["--ndjson"], ["--json"], [],
                 ["--group-by", "status"]):
        a = query("http.status = 404", "--requests", *form, DEMO)
        b = query("http.status = 404", "--requests", *form, "--store", STORE)
        ok(a.status == 0 and a.out == b.out,
           f"requests, archive and store: {' '.join(form) or 'a list'}")
    r = query('service("like service") { http.status = 404 }', "--requests",
              "--ndjson", DEMO)
    ok(r.status == 0 and all(
        json.loads(x)["_source"]["service"]["name"] == "like service"
        for x in r.text.splitlines()), "requests by service")
    a = query('http.method = "POST"', "--findings", "--json", DEMO)
    b = query('http.method = "POST"', "--findings", "--json", "--store", STORE)
    ok(a.status == 0 and a.out == b.out and a.json()["findings"],
       "findings, archive and store")


def reproduced():
    """The filter of a finding gives the requests that it counts."""
    when = 1795226400
    text = ""
    for i in range(1200):
        status = 200 if i < 600 or i % 3 else 404 if i % 2 else 410
        at = time.strftime("%d/%b/%Y:%H:%M:%S", time.gmtime(when + i))
        text += (f'10.0.0.{i % 200} - - [{at} +0000] "GET /mysfits/{i}/like '
                 f'HTTP/1.1" {status} 5\n')
        # Another route that has all the words of the first.
        text += (f'10.0.0.{i % 200} - - [{at} +0000] "GET '
                 f'/mysfits/{i}/gone/like HTTP/1.1" 404 5\n')
    path = write(os.path.join(DIR, "gone.log"), text)
    found = [f for f in telltale("replay", "--json", path).json()["findings"]
             if f["rule"]["id"] == "not-found"]
    same(len(found), 1, "404 and 410 on one route are one finding")
    f = found[0]
    rows = query(f["labels"]["filter"], "--requests", "--ndjson", "--since",
                 f["event"]["start"], path).text.splitlines()
    statuses = [json.loads(x)["_source"]["http"]["response"]["status_code"]
                for x in rows]
    same((len(rows), set(statuses)),
         (f["telltale"]["finding"]["count"], {404, 410}),
         "its filter gives exactly the requests that it counts")
    # How long one took is in its log line, or in its segment.
    found = telltale("replay", "--json", DEMO).json()["findings"]
    for f in found:
        rows = query(f["labels"]["filter"], "--requests", "--ndjson", DEMO)
        same(len(rows.text.splitlines()), f["telltale"]["finding"]["count"],
             f"so does that of the demo's {f['rule']['id']}")
    same(len(found), 3, "all three of them")


def groups():
    env = {"TELLTALE_GROUPS": os.path.join(DIR, "new", "groups.json")}
    same(telltale("group", "add", "slow", "responsetime > 1", env=env).status,
         0, "a group is added")
    ok("responsetime > 1" in telltale("group", "list", env=env).text,
       "and listed")
    a = query('group.name = "slow"', "--csv", DEMO, env=env)
    same(a.out, query("responsetime > 1", "--csv", DEMO).out,
         "and stands for its expression")
    same(telltale("group", "add", "bad", "oh >", env=env).status, 64,
         "a wrong expression is refused")
    same(telltale("group", "remove", "slow", env=env).status, 0, "and removed")
    same(query('group.name = "slow"', "--check", env=env).status, 64,
         "and unknown then")


same(telltale("replay", "-q", "--store", STORE, "--store-requests",
              DEMO).status, 0, "the demo goes into a store")
lab_question()
both_ways(DEMO, STORE)
if os.path.isdir(CORPUS):
    corpus = os.path.join(DIR, "corpus.db")
    telltale("replay", "-q", "--store", corpus, f"{CORPUS}/xray")
    both_ways(f"{CORPUS}/xray", corpus)
else:
    skip("the corpus both ways", f"{CORPUS} is not here")
forms()
hostile()
statuses()
explained()
requests_and_findings()
reproduced()
groups()
done()
