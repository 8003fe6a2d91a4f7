#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Simulated archives: the same bytes for the same seed, read without a dead
letter, labelled by what is in them, worded as the workshops' programs are; and
a live run over a real socket."""
import collections
import concurrent.futures
import datetime
import gzip
import json
import os
import re
import shutil
import socket
import subprocess
import tap
from tap import ok, same, telltale

WORKSHOPS = ("like", "interstella", "eks-shop", "threads", "fleet")
# Of the incidents, what a workshop has nothing for.
LACKS = {
    "like": {"scale-in"},
    "interstella": {"chaos", "dependency-throttle", "scale-in"},
    "eks-shop": {"chaos"},
    "threads": {"chaos", "dependency-slow", "dependency-throttle",
                "masked-failure"},
    "fleet": {"chaos"},
}
# Some that strike rarely or late need not strike in two minutes.
RARE = {"tail", "not-found-partial", "dependency-throttle"}
ACCESS = re.compile(r'\] "(?:\x1b\[\d+m)*([A-Z]+) (\S+) HTTP/1\.1(?:\x1b\[0m)?"'
                    r' (\d{3}) ')
KOA = re.compile(r"^([A-Z]+) (/\S*) - (\d+)$")
ALB = re.compile(r' (\d{3}|-) \d+ \d+ "([A-Z]+) http://[^/]+(\S+) HTTP/1\.1"')


def simulate(workshop, *args, **more):
    root = tap.folder()
    r = telltale("simulate", workshop, "-o", root, *args, **more)
    return root, r


def content(root):
    """Every file, inflated."""
    files = {}
    for base, _, names in os.walk(root):
        for name in names:
            path = os.path.join(base, name)
            with open(path, "rb") as f:
                data = f.read()
            if name.endswith(".gz"):
                data = gzip.decompress(data)
            files[os.path.relpath(path, root)] = data
    return files


def raw(root):
    return {os.path.relpath(os.path.join(b, n), root):
            open(os.path.join(b, n), "rb").read()
            for b, _, names in os.walk(root) for n in names}


def message(line, path):
    """What the program printed, without the export's time and wrapping."""
    if path.startswith("alb/"):
        return line
    text = line[25:]
    if text.startswith('{"log":'):
        return json.loads(text)["log"].rstrip("\n")
    return text


def access(text, path):
    """(method, path, status) of an access line, or None; koa has no status."""
    if path.startswith("alb/"):
        m = ALB.search(text)
        return m and (m[2], m[3], int(m[1]) if m[1] != "-" else 0)
    m = ACCESS.search(text)
    if m:
        return m[1], m[2], int(m[3])
    m = KOA.match(text)
    return m and (m[1], m[2], 0)


def check_files(name, files, labels, run):
    """An independent count of what the labels say."""
    lines = {p: [message(x, p) for x in d.decode().splitlines()]
             for p, d in files.items()
             if p.endswith(".gz")}
    same(sum(map(len, lines.values())), run["lines"],
         f"{name}: lines are as many as labels.json says")
    seen = collections.Counter()
    for p, texts in lines.items():
        if p.startswith("alb/"):
            continue
        for t in texts:
            # The monolith's second copies are no requests.
            if access(t, p) and not (t.startswith("INFO:werkzeug:") and
                                     "Monolith" in p):
                seen["requests"] += 1
    want = sum(s["requests"] + s["probes"] + s["cascade"]
               for s in run["services"])
    same(seen["requests"], want, f"{name}: access lines are the requests")
    wrong = []
    counted = collections.Counter()
    for x in labels:
        if x["path"].startswith("xray/"):
            doc = json.loads(files[x["path"]].splitlines()[x["line"] - 1])
            if doc["trace_id"] != x.get("trace_id"):
                wrong.append(x)
            continue
        what = access(lines[x["path"]][x["line"] - 1], x["path"])
        if not what:
            wrong.append(x)
            continue
        method, _, status = what
        if status and ("not-found" in x["marks"]) != (status == 404):
            wrong.append((x, what))
        if status and ("error" in x["marks"]) != (status >= 500):
            wrong.append((x, what))
        if x["class"] == "probe" and method != "GET":
            wrong.append((x, what))
        if "copy" not in x:
            counted[x["class"]] += 1
            counted["404"] += status == 404 and x["path"].startswith("logs/")
    ok(not wrong, f"{name}: every label is what its line is", wrong[:3])
    same(counted["probe"], sum(s["probes"] for s in run["services"]),
         f"{name}: labelled probes are those of labels.json")
    if "threads" not in name:
        in_files = sum(1 for p, texts in lines.items() for t in texts
                       if (a := access(t, p)) and a[2] == 404 and
                       not (t.startswith("INFO:werkzeug:") and
                            "Monolith" in p))
        same(counted["404"], in_files, f"{name}: every 404 has its label")


def check_segments(name, files, run):
    """What the reference asks of documents."""
    text = files.get("xray/segments.ndjson", b"")
    docs = [json.loads(x) for x in text.splitlines()]
    same(len(docs), run["segments"], f"{name}: segments are as many")
    bad = []
    inside = {}
    for d in docs:
        if not (re.fullmatch("[0-9a-f]{16}", d["id"]) and
                re.fullmatch("1-[0-9a-f]{8}-[0-9a-f]{24}", d["trace_id"]) and
                0 < d["start_time"] <= d["end_time"] and
                re.fullmatch(r"[\w\s.:/%&#=+\\@-]{1,200}", d["name"])):
            bad.append(d)
        if d["http"]["response"]["status"] >= 500 and not d.get("fault"):
            bad.append(d)
        if 400 <= d["http"]["response"]["status"] < 500 and not d.get("error"):
            bad.append(d)
        todo = list(d.get("subsegments", ()))
        while todo:
            sub = todo.pop()
            inside[d["trace_id"], sub["id"]] = sub
            todo += sub.get("subsegments", ())
            if not sub["start_time"] <= sub["end_time"]:
                bad.append(sub)
    ok(not bad, f"{name}: documents are well formed", bad[:2])
    same(len({(d["trace_id"], d["id"]) for d in docs}), len(docs),
         f"{name}: ids are unique")
    children = [d for d in docs if "parent_id" in d]
    orphans = [d for d in children
               if (d["trace_id"], d["parent_id"]) not in inside]
    # A caller that still waits for a task that hangs has printed nothing.
    ok(len(orphans) <= len(children) // 20,
       f"{name}: callees hang below the calls", orphans[:2])
    if name.startswith(("eks-shop", "interstella")) and docs:
        ok(children, f"{name}: there are such calls")


def make(workshop, kind):
    """One scenario's archive."""
    return simulate(workshop, "--duration", "4m", "--seed", "11",
                    "--incident", f"{kind}@80s+2m",
                    *(("--services", "4", "--rate", "8")
                      if workshop == "fleet" else ()))


def scenario(workshop, kind, root, r):
    name = f"{workshop} {kind}"
    if kind in LACKS[workshop]:
        ok(r.status == 64 and kind in r.err, f"{name}: is refused", r.err)
        return
    if not ok(r.status == 0, f"{name}: is simulated", r.err):
        return
    files = content(root)
    run = json.loads(files["labels.json"])
    labels = [json.loads(x) for x in files["labels.ndjson"].splitlines()]
    paths = [p for p in ("logs", "alb", "xray") if
             os.path.isdir(os.path.join(root, p))]
    found = telltale("replay", "--json", *paths, cwd=root).json()
    a = found["accounting"]["all"]
    same((a["dead-lettered"], a["read"], a["read"]),
         (0, sum(v for k, v in a.items() if k != "read"),
          run["lines"] + run["segments"]),
         f"{name}: no dead letter, all read, the accounting balances")
    check_files(name, files, labels, run)
    check_segments(name, files, run)
    for i in run["incidents"]:
        if i["class"] == "incident" and kind not in RARE:
            ok(i["affected"] or i["total"], f"{name}: it strikes", i)
        t = [datetime.datetime.fromisoformat(i[k].replace("Z", "+00:00"))
             for k in ("start", "end")]
        same((t[1] - t[0]).total_seconds(), 120.0, f"{name}: its window")


def every_scenario():
    kinds = [i["name"] for i in
             telltale("simulate", "--catalogue", "--json").json()["incidents"]]
    ok(len(kinds) > 20 and len(set(kinds)) == len(kinds),
       "the catalogue has its kinds", kinds)
    same([x.split()[0] for x in
          telltale("simulate", "--catalogue").text.splitlines()], kinds,
         "for people as well")
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        jobs = [(w, k, pool.submit(make, w, k))
                for w in WORKSHOPS for k in kinds]
        for w, k, job in jobs:
            root, r = job.result()
            scenario(w, k, root, r)
            shutil.rmtree(root)


def reproducible():
    for w in WORKSHOPS:
        args = ("--duration", "3m", "--incident", "hammer@1m+1m")
        a, _ = simulate(w, *args)
        b, _ = simulate(w, *args, env={"LC_ALL": "C", "TZ": "Asia/Tokyo"})
        ok(raw(a) == raw(b), f"{w}: the same seed, the same bytes")
        c, _ = simulate(w, *args, "--seed", "2")
        ok(raw(c) != raw(a), f"{w}: another seed, other bytes")
        d, _ = simulate(w, "--duration", "3m")
        before = "2026-11-21T02:01:00"
        ok(all(got.get(p, b"").decode().startswith(
                   "".join(x + "\n" for x in data.decode().splitlines()
                           if x[:19] < before))
               for got in (content(a),)
               for p, data in content(d).items() if p.startswith("logs/")
               and p.endswith(".gz")),
           f"{w}: an incident changes nothing before it")
        for root in (a, b, c, d):
            shutil.rmtree(root)


# Every line of the Like service, ids and times apart: workshops.md, 4.1, and
# the corpus of real runs.
UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
STAMP = r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}\] "
WERKZEUG = r'10\.0\.[01]\.\d+ - - \[\d\d/Nov/2026 \d\d:\d\d:\d\d\] '
LIKE_WORDS = [
    STAMP + r"INFO in mysfits_like: Like received\.",
    STAMP + r"INFO in mysfits_like: Like processed\.",
    STAMP + r"INFO in mysfits_like: Fulfill processed\.",
    STAMP + r"WARNING in mysfits_like: WARN: stress function activated",
    STAMP + r"WARNING in mysfits_like: WARN: simulated 404 activated",
    STAMP + r"WARNING in mysfits_like: WARN: This thing should NOT be left "
            r"on\.\.",
    WERKZEUG + r'"GET / HTTP/1\.1" 200 -',
    WERKZEUG + rf'"POST /mysfits/{UUID}/like HTTP/1\.1" 200 -',
    WERKZEUG + "\"\x1b\\[33mPOST /mysfits/" + UUID +
    "/like HTTP/1\\.1\x1b\\[0m\" 404 -",
    WERKZEUG + "\"\x1b\\[33mPOST /mysfits/" + UUID +
    "/undefined/like HTTP/1\\.1\x1b\\[0m\" 404 -",
    STAMP + r"INFO in middleware: initializing xray middleware",
    r" \* Serving Flask app 'mysfits_like'",
    r" \* Debug mode: on",
    "\x1b\\[31m\x1b\\[1mWARNING: This is a development server\\. Do not use it "
    "in a production deployment\\. Use a production WSGI server instead\\."
    "\x1b\\[0m",
    r" \* Running on all addresses \(0\.0\.0\.0\)",
    r" \* Running on http://127\.0\.0\.1:80",
    r" \* Running on http://10\.0\.[23]\.\d+:80",
    "\x1b\\[33mPress CTRL\\+C to quit\x1b\\[0m",
    r" \* Restarting with stat",
    r" \* Debugger is active!",
    r" \* Debugger PIN: \d{3}-\d{3}-\d{3}",
]


def words():
    root, _ = simulate("like", "--duration", "10m", "--incident",
                       "chaos@3m+5m")
    used = collections.Counter()
    strange = []
    order = []
    for path, data in content(root).items():
        if "LikeLog" not in path or not path.endswith(".gz"):
            continue
        for line in data.decode().splitlines():
            text = line[25:]
            i = next((i for i, w in enumerate(LIKE_WORDS)
                      if re.fullmatch(w, text)), None)
            if i is None:
                strange.append(text)
            used[i] += 1
            order.append(i)
    ok(not strange, "like: lines are the program's, word for word", strange)
    ok(set(used) == set(range(len(LIKE_WORDS))), "like: and all of them occur",
       [LIKE_WORDS[i] for i in range(len(LIKE_WORDS)) if i not in used])
    likes = used[5] + used[4]
    ok(likes > 300 and abs(used[3] / likes - 0.64) < 0.06 and
       abs(used[4] / likes - 0.25) < 0.05,
       "like: chaos draws 64 % stress and 25 % 404", used)
    shutil.rmtree(root)


def shapes():
    """One telling line of each other program."""
    want = {
        "interstella": [
            r"-{80}", r"INFO in iridium \[iridium\.py:86\]:",
            r"Gathering requested item", r"Producing magnesite", r"200",
            r"iridium fulfilled", r"API Status Code: 200",
            r'INFO:werkzeug:10\.177\.1[01]\.14[24] - - \[\d\d/Nov/2026 '
            r'\d\d:\d\d:\d\d\] "POST /iridium/ HTTP/1\.1" 200 -'],
        "eks-shop": [
            r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000\] \[7\] \[INFO\] "
            r"Starting gunicorn 20\.1\.0",
            r'192\.168\.\d+\.\d+ - - \[\d\d/Nov/2026:\d\d:\d\d:\d\d \+0000\] '
            r'"GET /api/v1/healthz HTTP/1\.1" 200 15 "-" "kube-probe/1\.21\+"',
            r'192\.168\.\d+\.\d+ - - \[\d\d/Nov/2026:\d\d:\d\d:\d\d \+0000\] '
            r'"GET /products HTTP/1\.1" 200 14630'],
        "threads": [r"Worker started", r"GET / - \d+", r"GET /api/users - \d+"],
        "fleet": [r'10\.8\.\d+\.\d+ - - \[\d\d/Nov/2026 \d\d:\d\d:\d\d\] '
                  r'"GET /v1/orders/\d+ HTTP/1\.1" 200 1150 0\.\d{4}'],
    }
    for w, patterns in want.items():
        root, _ = simulate(w, "--duration", "2m")
        texts = [message(x, p) for p, d in content(root).items()
                 if p.endswith(".gz") for x in d.decode().splitlines()]
        for p in patterns:
            ok(any(re.fullmatch(p, t) for t in texts), f"{w}: prints {p[:40]}",
               texts[:5])
        shutil.rmtree(root)


def leaves_and_loses():
    """Lines per stream, by the time before them."""
    def lines(kind):
        root, _ = simulate("fleet", "--services", "4", "--duration", "10m",
                           "--incident", f"{kind}@4m")
        return {p: [(x[11:19], x[25:]) for x in d.decode().splitlines()]
                for p, d in content(root).items() if p.startswith("logs/")}
    last = {p: x[-1] for p, x in lines("scale-in").items() if x}
    gone = [p for p, (t, _) in last.items() if t < "02:05:00"]
    same(len(gone), 1, "scale-in: one task of all ends")
    ok(last[gone[0]][1].endswith("SIGTERM received, shutting down"),
       "scale-in: and says so", last[gone[0]])
    lost = [t for x in lines("delivery-gap").values() for t, _ in x]
    ok(lost and not [t for t in lost if "02:04:00" <= t < "02:08:00"],
       "delivery-gap: four minutes without a line")
    ok(min(lost) < "02:01" and max(lost) > "02:09",
       "delivery-gap: and there are lines before and after")


def live():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        s.settimeout(0.2)
        start = datetime.datetime.now(datetime.timezone.utc)
        with subprocess.Popen(
                [os.path.abspath(tap.TELLTALE), "simulate", "like", "--live",
                 "--duration", "4s", "--rate", "30", "-q", "--udp",
                 "127.0.0.1:%d" % s.getsockname()[1]],
                stdout=subprocess.PIPE) as p:
            out = p.communicate(timeout=60)[0]
        end = datetime.datetime.now(datetime.timezone.utc)
        took = (end - start).total_seconds()
        got = []
        try:
            while True:
                got.append(s.recv(65536))
        except socket.timeout:
            pass
    same(p.returncode, 0, "live: ends well")
    ok(3.5 < took < 30, "live: takes its time", took)
    ok(len(got) >= 4, "live: datagrams arrive", len(got))
    for d in got:
        head, _, doc = d.partition(b"\n")
        if json.loads(head) != {"format": "json", "version": 1} or \
                json.loads(doc)["name"] != "like service":
            ok(False, "live: a datagram is header and document", d)
            break
    else:
        ok(True, "live: datagrams are header and document")
    times = [datetime.datetime.fromisoformat(x.split(" ", 1)[0])
             for x in out.decode().splitlines()]
    ok(len(times) > 100 and times == sorted(times) and
       (start - times[0]).total_seconds() < 1 and
       (times[-1] - end).total_seconds() < 1,
       "live: lines have the clock's times", (start, times[:1], times[-1:]))
    r = telltale("replay", "--json", "-", stdin=out).json()
    same(r["accounting"]["all"]["read"], len(times),
         "live: replay reads standard output")
    same(r["inputs"][0]["envelope"], "logs-tail", "live: as aws logs tail's")


def refusals():
    full = tap.folder()
    tap.write(f"{full}/x", "x")
    for args, status, word in (
            (("nowhere",), 64, "nowhere"),
            ((), 64, "missing"),
            (("like", "--incident", "slow-pots"), 64, "slow-post"),
            (("like", "--incident", "tail@3h"), 64, "within"),
            (("like", "--incident", "tail@soon"), 64, "soon"),
            (("like", "--live", "--out", "x"), 64, "--out"),
            (("like", "--services", "3"), 64, "--services"),
            (("like", "--json"), 64, "--catalogue"),
            (("like", "--rate", "-1"), 64, "--rate"),
            (("like", "--out", full), 74, "not empty"),
            (("like", "--udp", "nothing"), 74, "HOST:PORT")):
        r = telltale("simulate", *args)
        ok(r.status == status and word in r.err and not r.out,
           f"simulate {' '.join(args)[:30]}: {word}", (r.status, r.err))


reproducible()
words()
shapes()
leaves_and_loses()
every_scenario()
live()
refusals()
tap.done()
