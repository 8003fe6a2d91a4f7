#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""query --es: the answer is whole, or there is none.

What it prints of an index is what it prints of the archive, whatever goes wrong
between: tests/peers/elastic.py answers in part, too late, too much, or not.
What the query itself finds in real servers is tests/conformance's.
"""
import os
import sys

import tap
from tap import ok, same, telltale

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "peers"))
import elastic  # noqa: E402

ARCHIVE = "demo/like-service"
EXPRESSION = "service(\"like service\") { error } AND http.method = \"POST\""
FORMS = [[], ["--json"], ["--ndjson"], ["--csv"], ["--group-by", "service"],
         ["--group-by", "rootcause", "--csv"], ["--sort", "duration"]]


def archive(*row):
    r = telltale("query", *row, ARCHIVE)
    return r.status, r.out


def index(peer, *row):
    r = telltale("query", "--es", peer.url, *row)
    return r.status, r.out


def equal(peer, claim, rows):
    """Of all rows the same as of the archive."""
    other = [row for row in rows if index(peer, *row) != archive(*row)]
    same(other, [], claim)


EVERY = [[*form, ""] for form in FORMS]
with elastic.Peer(seed=7) as peer:
    r = telltale("replay", "-q", "--es", peer.url, ARCHIVE)
    same(r.status, 0, "the demo is indexed")
    equal(peer, "all traces are printed the same in every form", EVERY)
    equal(peer, "and those from a time on, or before it",
          [["--csv", "--since", "2026-11-21T06:50:01.197000001Z", ""],
           ["--csv", "--until", "2026-11-21T06:50:01.197Z", ""]])
    equal(peer, "requests and findings",
          [[k, f, ""] for k in ("--requests", "--findings")
           for f in ("--csv", "--json", "--ndjson")])

    peer.understands = False
    equal(peer, "what the server refuses is evaluated here",
          [[*form, EXPRESSION] for form in FORMS])
    peer.understands = True
    deep = "ok"
    for i in range(20):
        deep = f"!(error OR {deep} AND !throttle)"
    same(telltale("query", "--explain-es", deep).status, 64,
         "an expression may be nested too deeply for Elasticsearch")
    equal(peer, "and is evaluated here, too", [["--csv", deep]])

    peer.page = 10
    peer.questions.clear()
    equal(peer, "a page that is too long is asked for in parts",
          [["--csv", ""]])
    sizes = [q["size"] for q in peer.questions if "size" in q]
    ok(min(sizes) <= 10 < max(sizes), "of what was too much before", sizes)
    peer.page = None

    for fault in elastic.QUESTION:
        peer.question = {fault: 0.4}
        peer.faults.clear()
        equal(peer, f"{fault}: the answer is whole all the same",
              [["--csv", ""], ["--json", ""]])
        ok(peer.faults.get(fault), f"{fault}: there were some")
    peer.question = {"shard": 1}
    status, out = index(peer, "--csv", "")
    same((status, out), (69, b""), "a part of the index stays away: no answer")
    peer.question = {}

    peer.password = "who:knows"
    r = telltale("query", "--es", peer.url, "")
    ok(r.status == 69 and "not allowed" in r.err, "who asks must be known",
       r.err)
    same(index(peer, "--csv", "")[0], 69, "and is not guessed")
    r = telltale("query", "--es", peer.url, "--csv", "",
                 env={"TELLTALE_ES_USER": "who",
                      "TELLTALE_ES_PASSWORD": "knows"})
    same((r.status, r.out), archive("--csv", ""), "who is gets an answer")

with elastic.Peer() as peer:
    same(index(peer, "--csv", "")[0], 1, "of an empty server nothing is found")
    url = peer.url
r = telltale("query", "--es", url, "")
ok(r.status == 69 and r.out == b"" and url in r.err,
   "a server that is not there is named", r.err)
for row, claim in (
        (["--es", url, "", ARCHIVE], "instead of a store or PATHs"),
        (["--es", url, "--store", "x.db", ""], "instead of a store or PATHs"),
        (["--es", "nothing", ""], "an address such as")):
    r = telltale("query", *row)
    ok(claim in r.err and r.status in (64, 69), f"query {' '.join(row)}",
       (r.status, r.err))
tap.done()
