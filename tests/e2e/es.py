#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""replay --es: every document once, whatever the server and the network do.

What is stored must be what --out writes of the same archive, after every fault
of tests/peers/elastic.py, alone and together, and after the program was killed
and run again.
"""
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time

import tap
from tap import ok, same, telltale

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "peers"))
import elastic  # noqa: E402

FLAVOUR = os.path.basename(os.environ.get("BUILD", "build/release"))
if FLAVOUR in ("tsan", "noisal"):
    print("1..0 # skip one thread, and nothing that is inflated")
    sys.exit(0)
ARCHIVE = "demo/like-service"
FOLDER = tap.folder()
SMALL = ["--es-bulk", "50K"]


def lines(*options):
    """{(index, id): source} of what --out writes."""
    out = os.path.join(FOLDER, "out")
    r = telltale("replay", "-q", "--out", out, *options, ARCHIVE)
    assert r.status == 0, r.err
    docs = {}
    for name in sorted(os.listdir(out)):
        with open(os.path.join(out, name), "rb") as f:
            for line in f:
                d = json.loads(line)
                source = line.rstrip(b"\n").split(b',"_source":', 1)[1][:-1]
                docs[d["_index"], d["_id"]] = source
    return docs


def digest(docs):
    h = hashlib.sha256()
    for (index, id_), source in sorted(docs.items()):
        h.update(f"{index}\0{id_}\0".encode() + source + b"\0")
    return h.hexdigest()


DOCS = lines()
WANT = digest(DOCS)


def replay(peer, *options, env=None):
    return telltale("replay", "-q", "--json", "--es", peer.url, *options,
                    ARCHIVE, env=env)


def balances(n):
    return n["documents"] == (n["stored"] + n["there"] + n["refused"] +
                              n["in_flight"])


# Without a fault.
with elastic.Peer() as peer:
    r = replay(peer)
    same((r.status, r.err), (0, ""), "a run without a fault is fine")
    n = r.json()["indexed"]
    same((n["documents"], n["stored"], n["there"], n["again"]),
         (len(DOCS), len(DOCS), 0, 0), "all documents are stored")
    same(peer.digest(), WANT, "they are the bytes that --out writes")
    same(peer.bad, [], "and nothing else was sent")
    n = replay(peer).json()["indexed"]
    same((n["stored"] + n["there"], peer.digest()), (len(DOCS), WANT),
         "a second run changes nothing")
    ok(n["there"] > len(DOCS) // 2, "what was there is counted as that", n)
    text = telltale("replay", "-q", "--es", peer.url, "--width", "200",
                    ARCHIVE).text
    ok("in flight: balances" in text and "Elasticsearch 8.19.0 at" in text,
       "the report says where and how many", text[-600:])
    out = os.path.join(FOLDER, "both")
    same(replay(peer, "--out", out).status, 0, "with --out as well")
    ok(os.path.getsize(os.path.join(out, "requests.ndjson")) > 0,
       "which gets its files")
    store = os.path.join(FOLDER, "s.db")
    same(replay(peer, "--store", store).status, 0, "with --store as well")
    same(peer.digest(), WANT, "the index does not mind")

# Every fault alone, then together; requests are small, so that there are many.
for fault in elastic.REQUEST:
    with elastic.Peer(seed=3, request={fault: 0.3}) as peer:
        r = replay(peer, *SMALL)
        n = r.json()["indexed"] if r.status == 0 else {}
        same((r.status, peer.digest()), (0, WANT), f"{fault}: nothing is lost")
        ok(peer.faults.get(fault, 0) > 5 and n.get("again", 0) > 0 and
           balances(n), f"{fault}: it happened, and the counts balance",
           (peer.faults, n))
for status in (429, 503, 403, 408, 500, 999):
    with elastic.Peer(seed=4, item={status: 0.005}) as peer:
        r = replay(peer, *SMALL)
        n = r.json()["indexed"] if r.status == 0 else {}
        same((r.status, peer.digest()), (0, WANT),
             f"items with {status}: nothing is lost")
        ok(peer.faults.get(status, 0) > 10 and balances(n),
           f"items with {status}: they were, and the counts balance",
           (peer.faults, n))
for seed in range(4):
    with elastic.Peer(seed=seed, item={429: 0.01, 500: 0.01},
                      request=dict.fromkeys(elastic.REQUEST, 0.03)) as peer:
        r = replay(peer, "--es-bulk", "20K")
        same((r.status, peer.digest()), (0, WANT),
             f"all faults together, seed {seed}: nothing is lost")

# Too large, not understood, refused for good.
with elastic.Peer(largest=100_000) as peer:
    r = replay(peer)
    same((r.status, peer.digest()), (0, WANT),
         "a server that takes 100 KB gets no more")
refused = os.path.join(FOLDER, "refused.ndjson")
some = {k for k, s in DOCS.items() if b"/favicon" in s or b"POST" in s}


def is_refused(source):
    return 400 if b"/favicon" in source or b"POST" in source else None


with elastic.Peer(refuse=is_refused) as peer:
    r = replay(peer, "--es-refused", refused)
    n = r.json()["indexed"]
    same((r.status, n["refused"], n["stored"], balances(n)),
         (65, len(some), len(DOCS) - len(some), True),
         "what is refused for good is counted, and the run says so")
    ok("told to say 400" in n["reasons"][0] and refused in r.err,
       "with the reason, and where it is", (n, r.err))
    with open(refused, "rb") as f:
        kept = [json.loads(line) for line in f]
    same({(d["_index"], d["_id"]) for d in kept}, some, "exactly these")
    ok(all(d["_error"]["reason"] and d["_source"] for d in kept),
       "each with its reason and itself")
    r = telltale("replay", "-q", "--json", "--es", peer.url, ARCHIVE)
    same(r.status, 65, "without a file it says so as well")
    ok("--es-refused" in r.err, "and what to do", r.err)

    r = telltale("replay", "-q", "--es", peer.url, "--es-refused", "/dev/full",
                 ARCHIVE)
    same((r.status, r.out), (74, b""), "a file on a full disk: status 74")
    ok("/dev/full: cannot write: No space left" in r.err, "in words", r.err)

    # Sent again after a repair.
    half = os.path.join(FOLDER, "half.ndjson")
    with open(refused, "rb") as f, open(half, "wb") as g:
        g.write(f.read())
    r = telltale("redrive", "--es", peer.url, half)
    same(r.status, 65, "redrive before a repair: refused as before")
    with open(half, "rb") as f:
        same(len(f.readlines()), len(some), "and all is kept")
    peer.refuse = lambda s: 400 if b"/favicon" in s else None
    r = telltale("redrive", "--es", peer.url, half)
    with open(half, "rb") as f:
        left = f.readlines()
    same((r.status, len(left)),
         (65, sum(b"/favicon" in DOCS[k] for k in some)),
         "after half a repair: what is stored is gone from the file")
    peer.refuse = None
    r = telltale("redrive", "--es", peer.url, half)
    same((r.status, os.path.getsize(half), peer.digest()), (0, 0, WANT),
         "after the repair: all is there")
    with open(half, "w") as f:
        f.write('{"no": "document"}\n')
    r = telltale("redrive", "--es", peer.url, half)
    same(r.status, 65, "a line that is no document is an error")
    ok(f"{half}:1:" in r.err, "with its place", r.err)
    with open(half) as f:
        same(f.read(), '{"no": "document"}\n', "and stays where it is")

# Who asks, and who answers.
with elastic.Peer(password="me:p@ss") as peer:
    r = replay(peer)
    same(r.status, 69, "without a password: not allowed")
    ok("not allowed" in r.err and "TELLTALE_ES_PASSWORD" in r.err,
       "and how to say who asks", r.err)
    r = replay(peer, env={"TELLTALE_ES_USER": "me",
                          "TELLTALE_ES_PASSWORD": "p@ss"})
    same((r.status, peer.digest()), (0, WANT), "by the environment")
    with_user = peer.url.replace("//", "//me:p%40ss@")
    r = telltale("replay", "-q", "--json", "--es", with_user, ARCHIVE)
    same(r.status, 0, "by the address")
    ok("p%40ss" not in r.text + r.err and "p@ss" not in r.text + r.err,
       "which is not told")
with elastic.Peer(api_key="aWQ6a2V5") as peer:
    r = replay(peer, env={"TELLTALE_ES_API_KEY": "aWQ6a2V5"})
    same((r.status, peer.digest()), (0, WANT), "by a key")
for version, distribution, root, name in [
        ("6.3.2", None, True, "Elasticsearch 6.3.2"),
        ("7.10.2", None, True, "Elasticsearch 7.10.2"),
        ("9.2.0", None, False, "Elasticsearch 9.2.0"),
        ("12.0.0", None, True, "Elasticsearch 12.0.0"),
        ("3.3.0", "opensearch", True, "OpenSearch 3.3.0")]:
    with elastic.Peer(version=version, distribution=distribution,
                      root=root) as peer:
        r = replay(peer)
        same((r.status, peer.digest()), (0, WANT), f"{name}: all is stored")
        ok(r.json()["indexed"]["server"].startswith(name + " at "),
           f"{name}: is known", r.json()["indexed"])
with elastic.Peer() as one, elastic.Peer() as two:
    two.index = one.index
    r = telltale("replay", "-q", "--es", one.url, "--es", two.url, *SMALL,
                 ARCHIVE)
    same((r.status, one.digest()), (0, WANT), "two hosts of one cluster")
    ok(one.requests > 10 and two.requests > 10, "in turns",
       (one.requests, two.requests))

# The template, in the form that the server takes.
printed = telltale("setup", "elasticsearch", "--print").text
same(printed.split("\n", 1)[0], "PUT _index_template/telltale",
     "setup --print: a console's request")
TEMPLATE = json.loads(printed.split("\n", 1)[1])


def types(properties, path=""):
    for name, v in properties.items():
        if "properties" in v:
            yield from types(v["properties"], f"{path}{name}.")
        if "type" in v:
            yield path + name, v["type"]


TYPES = dict(types(TEMPLATE["template"]["mappings"]["properties"]))
with open("docs/fields.md", encoding="utf-8") as f:
    table = re.findall(r"^\| `([^`]+)` \| [^|]+ \| (\w+)", f.read(), re.M)
same({n: t for n, t in table if "." in n or n in TYPES}, TYPES,
     "it has every field of the manual, with its type")
same(TEMPLATE["template"]["mappings"]["dynamic"], False,
     "and no other field is made")
for version, wildcard, path in [
        ("9.2.0", True, "/_index_template/telltale"),
        ("8.19.0", False, "/_index_template/telltale"),
        ("7.2.0", False, "/_template/telltale"),
        ("6.3.2", False, "/_template/telltale")]:
    with elastic.Peer(version=version) as peer:
        peer.wildcard = wildcard
        for _ in range(2):
            r = telltale("setup", "elasticsearch", "--es", peer.url)
            same((r.status, list(peer.templates)), (0, [path]),
                 f"setup: {version}, wildcard {wildcard}")
        ok(f"{path[1:]} is set" in r.text, "and says so", r.text)
        ok(('"wildcard"' in json.dumps(peer.templates)) == wildcard,
           "with the types that there are")
        ok(json.dumps(peer.templates).count('"type": "nested"') == 10,
           "and those in which one object must satisfy all")
        r = telltale("setup", "elasticsearch", "--remove", "--es", peer.url)
        same((r.status, peer.templates, peer.bad), (0, {}, []),
             "and is taken away")
with elastic.Peer(version="2.19.1", distribution="opensearch") as peer:
    same(telltale("setup", "elasticsearch", "--es", peer.url).status, 0,
         "setup: OpenSearch")
    ok('"wildcard"' not in json.dumps(peer.templates),
       "whose wildcard finds no text with a backslash: keyword")
with elastic.Peer(password="a:b") as peer:
    same(telltale("setup", "elasticsearch", "--es", peer.url).status, 69,
         "setup: not allowed")
for args in ([], ["kafka"], ["elasticsearch"]):
    same(telltale("setup", *args).status, 64, f"setup {args}: wrong")

# Nobody there, for now or for good.
gone = elastic.Peer()
gone.close()
start = time.monotonic()
r = telltale("replay", "-q", "--es", gone.url, "--es-wait", "1s", ARCHIVE)
same((r.status, r.out), (69, b""), "nobody there: given up")
ok("trying again for 1 s" in r.err, "which is said at once", r.err)
for url, words in [("ftp://x", "http://127.0.0.1:9200 is expected"),
                   ("http://", "has no host"),
                   ("http://x/?a", "more than a host and a path")]:
    r = telltale("replay", "-q", "--es", url, ARCHIVE)
    same(r.status, 64, f"{url} is no address")
    ok(words in r.err, f"{url}: said", r.err)
r = telltale("replay", "-q", "--es-refused", "x", ARCHIVE)
same(r.status, 64, "--es-refused without --es")

command = [os.path.abspath(tap.TELLTALE), "replay", "-q", "--json", *SMALL,
           "--es-wait", "20s", "--es"]
peer = elastic.Peer(request={"busy": 0.5})
p = subprocess.Popen([*command, peer.url, ARCHIVE], stdout=subprocess.PIPE)
ok(peer.wait_for(200), "a server that goes away in the middle")
peer.close()
back = elastic.Peer(port=peer.port)
back.index = peer.index
out, _ = p.communicate(timeout=60)
same((p.returncode, back.digest()), (0, WANT), "and comes back: all is stored")
back.close()

# Killed anywhere, and run again.
lost = 0
with elastic.Peer(request={"applied_reset": 0.05}) as peer:
    for i in range(1, 41):
        p = subprocess.Popen([*command, peer.url, ARCHIVE],
                             stdout=subprocess.DEVNULL)
        peer.wait_for(len(DOCS) * i // 42)
        p.send_signal(signal.SIGKILL)
        p.wait()
        lost += any(DOCS.get(k) != s for k, (_, s) in peer.index.items())
    same(lost, 0, "killed forty times: what is there is what belongs there")
    r = replay(peer)
    same((r.status, peer.digest()), (0, WANT), "and the next run completes it")
    peer.index.clear()
    p = subprocess.Popen([*command, peer.url, ARCHIVE],
                         stdout=subprocess.PIPE)
    peer.wait_for(100)
    p.send_signal(signal.SIGINT)
    out, _ = p.communicate(timeout=60)
    same((p.returncode, out), (130, b""), "interrupted: status 130")

# A roll-up of more stays, whichever comes last.
PART = ["--since", "2026-11-21T06:50:30Z"]
with elastic.Peer() as peer:
    for first, then in ((PART, []), ([], PART)):
        peer.index.clear()
        for options in (first, then):
            same(telltale("replay", "-q", "--es", peer.url, *options,
                          ARCHIVE).status, 0, f"{options} after another")
        less = [k for k, s in DOCS.items() if "rollups" in k[0] and
                peer.index[k][1] != s]
        same(less, [], "the fuller roll-ups are there")

# Memory, while the server is slow.
with elastic.Peer(request={"busy": 0.3}) as peer:
    status, _, _, _, mib = tap.measured(
        "replay", "-q", "--json", "--threads", "1", "--es", peer.url, ARCHIVE)
    same(status, 0, "a busy server")
    if FLAVOUR in ("asan", "tsan", "ubsan"):
        tap.skip("memory with a busy server", f"{FLAVOUR} adds memory")
    else:
        ok(mib < 64, "costs no more memory than is allowed", mib)
tap.done()
