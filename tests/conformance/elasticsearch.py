#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The demo in real servers: documents, the manual's questions, queries.

Of each server (tests/conformance/servers.py) is wanted: the template is taken,
in the best form that it knows; every document of --out is there once, and no
field without its type; what docs/elasticsearch.md asks is answered as the page
says; `telltale query` prints what it prints of the archive, byte for byte; and
random expressions over random traces find what the evaluator and the local
store find.
"""
import glob
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "e2e"))
sys.path.insert(0, os.path.dirname(__file__))
import servers  # noqa: E402
import tap  # noqa: E402
from expressions import World  # noqa: E402
from tap import ok, same, telltale  # noqa: E402

ARCHIVE = "demo/like-service"
PAGE = "docs/elasticsearch.md"
SEED = int(os.environ.get("CONFORMANCE_SEED", "1"))
EXPRESSIONS = int(os.environ.get(
    "CONFORMANCE_COUNT", "300" if os.environ.get("CONFORMANCE") else "60"))


def fields(node, path=""):
    """Every field that a document has a value of."""
    for name, v in node.items():
        at = f"{path}{name}"
        for one in v if isinstance(v, list) else [v]:
            if isinstance(one, dict):
                yield from fields(one, at + ".")
            else:
                yield at


def mapped(properties, path=""):
    for name, v in properties.items():
        if "properties" in v:
            yield from mapped(v["properties"], f"{path}{name}.")
            yield path + name, v.get("type", "object")
        else:
            yield path + name, v["type"]


def intended():
    """Every field of docs/fields.md, by its type."""
    with open("docs/fields.md", encoding="utf-8") as f:
        return {m[1]: m[2].split(",")[0] for m in re.finditer(
            r"^\| `([^`]+)` \| [a-z ]+ \| ([^|]+) \|", f.read(), re.M)}


def questions():
    """(heading, path, body, what is wanted) of the page."""
    with open(PAGE, encoding="utf-8") as f:
        text = f.read()
    for m in re.finditer(
            r"^### (.+?)\n.*?```\n(?:GET|POST) (\S+)\n(.*?)```\n\n"
            r"```json\n(.*?)```", text, re.S | re.M):
        yield m[1], "/" + m[2], json.loads(m[3]), json.loads(m[4])


def of_out():
    out = tap.folder()
    telltale("replay", "-q", "--out", out, ARCHIVE)
    found = {}
    for path in glob.glob(f"{out}/*.ndjson"):
        with open(path, encoding="utf-8") as f:
            for line in f:
                d = json.loads(line)
                found[d["_index"], d["_id"]] = d["_source"]
    return found


def everything(server):
    there = {}
    answer = server.ask("POST", "/telltale-*/_search?scroll=1m",
                        {"size": 2000})
    while answer["hits"]["hits"]:
        for hit in answer["hits"]["hits"]:
            there[hit["_index"], hit["_id"]] = hit["_source"]
        answer = server.ask("POST", "/_search/scroll", {
            "scroll": "1m", "scroll_id": answer["_scroll_id"]})
    return there


def documents(server, want):
    name = server.name
    r = telltale("setup", "elasticsearch", "--es", server.url)
    same((r.status, r.err), (0, ""), f"{name}: the template is taken")
    r = telltale("replay", "-q", "--json", "--es", server.url, ARCHIVE)
    n = r.json()["indexed"]
    same((r.status, n["stored"], n["refused"]), (0, n["documents"], 0),
         f"{name}: every document of the demo is")
    n = telltale("replay", "-q", "--json", "--es", server.url,
                 ARCHIVE).json()["indexed"]
    same(n["refused"], 0, f"{name}: and again")
    server.ask("POST", "/telltale-*/_refresh")
    there = everything(server)
    ok(there == want, f"{name}: what is there is what --out writes, once",
       [(k, there.get(k), want.get(k)) for k in
        sorted(there.keys() | want.keys())
        if there.get(k) != want.get(k)][:3])
    types = {"wildcard": ("wildcard", "keyword")}
    wrong, known = set(), set()
    for i in server.ask("GET", "/telltale-*/_mapping").values():
        got = dict(mapped(i["mappings"]["properties"]))
        known |= got.keys()
        wrong |= {(f, t, got.get(f)) for f, t in intended().items()
                  if got.get(f) not in types.get(t, (t,))}
    same(sorted(wrong), [], f"{name}: every field of docs/fields.md is mapped")
    same(sorted({f for d in want.values() for f in fields(d)} - known), [],
         f"{name}: every field of every document has its type")


def ask_page(server):
    asked = 0
    for heading, path, body, want in questions():
        asked += 1
        glue = "&" if "?" in path else "?"
        got = server.ask("POST", path + glue + "filter_path=" + ",".join(
            ["hits.total.value", "hits.hits._source", "count",
             "aggregations.**.key", "aggregations.**.key_as_string",
             "aggregations.**.doc_count", "aggregations.**.value",
             "aggregations.**.values"]), body)
        same(got, want, f"{server.name}: {PAGE}: {heading}")
    ok(asked >= 10, f"{PAGE} has ten questions", asked)


FORMS = [[], ["--json"], ["--ndjson"], ["--csv"], ["--sort", "duration"],
         ["--limit", "3"], ["--last", "5m"],
         ["--since", "2026-11-21T06:50:00.5Z", "--csv"],
         ["--until", "2026-11-21T06:50:00.5Z", "--csv"],
         *[["--group-by", k] for k in (
             "url", "user", "method", "status", "client", "service",
             "rootcause")]]
ASKED = ["", "!ok", "responsetime > 1 AND http.method = \"POST\"",
         "service(\"like service\") { error }"]


def queries(server):
    of_traces = [[*form, e] for form in FORMS for e in ASKED]
    others = [[kind, *form, "service(\"like service\")"]
              for kind in ("--requests", "--findings")
              for form in ([], ["--json"], ["--ndjson"], ["--csv"])]
    for claim, rows in (("traces", of_traces),
                        ("requests and findings", others)):
        other = []
        for row in rows:
            a = telltale("query", *row, ARCHIVE)
            e = telltale("query", "--es", server.url, *row)
            if (a.status, a.out, a.err) != (e.status, e.out, e.err):
                other.append((row, a.status, e.status, e.err, a.text[:200],
                              e.text[:200]))
        same(other[:2], [], f"{server.name}: query prints the same of the "
             f"archive and of the index: {claim}")


    # Of an archive a range is what is read, and what is judged by it.
    store = f"{tap.folder()}/store.db"
    telltale("replay", "-q", "--store", store, "--store-requests", ARCHIVE)
    for row in (["--requests", "--csv"], ["--findings", "--csv"]):
        row += ["--since", "2026-11-21T06:51:45.63Z", ""]
        a = telltale("query", "--store", store, *row)
        e = telltale("query", "--es", server.url, *row)
        same((e.status, e.out), (a.status, a.out),
             f"{server.name}: and of the store: {' '.join(row[:2])}")


def lines(result):
    return sorted(result.text.splitlines()[1:])


def differential(server):
    """Evaluator, SQLite and the server find the same traces."""
    w = World(SEED)
    folder = tap.folder()
    archive, store = f"{folder}/segments.ndjson", f"{folder}/store.db"
    tap.write(archive, "".join(w.archive()))
    for index in server.ask("GET", "/telltale-*/_mapping"):
        server.ask("DELETE", f"/{index}")
    r = telltale("replay", "-q", "--json", "--es", server.url, "--store",
                 store, archive)
    n = r.json()["indexed"]
    same((n["stored"], n["refused"]), (n["documents"], 0),
         f"{server.name}: random traces are stored")
    server.ask("POST", "/telltale-*/_refresh")
    other, some, asked = [], 0, 0
    while asked < EXPRESSIONS:
        e = w.expression()
        if telltale("query", "--check", e).status != 0:
            continue
        asked += 1
        got = [telltale("query", "--csv", e, archive),
               telltale("query", "--csv", "--store", store, e),
               telltale("query", "--csv", "--es", server.url, e)]
        some += 0 < len(lines(got[0])) <= w.n
        if len({(r.status, r.out) for r in got}) > 1:
            other.append((e, [len(lines(r)) for r in got],
                          [r.err for r in got]))
    same(other[:5], [], f"{server.name}: {asked} random expressions find the "
         f"same in archive, store and index")
    ok(some > asked / 4, f"{server.name}: most of them tell traces apart",
       (some, asked))


def remove(server):
    r = telltale("setup", "elasticsearch", "--remove", "--es", server.url)
    same(r.status, 0, f"{server.name}: the template is taken away")


def run(server, want):
    if not ok(server.wait(), f"{server.name}: starts", server.words()):
        return
    documents(server, want)
    ask_page(server)
    queries(server)
    differential(server)
    remove(server)


def main():
    want = of_out()
    for name in servers.wanted():
        try:
            server = servers.Server(name)
        except servers.Missing as why:
            tap.skip(name, str(why))
            continue
        try:
            run(server, want)
        finally:
            server.close()
    tap.done()


if not os.environ.get("BUILD", "").endswith(("release", "dev")):
    print("1..0 # skip one flavour asks the real servers")
    sys.exit(0)
main()
