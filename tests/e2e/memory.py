#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Memory does not grow with the archive: 64 MiB, and 48 KiB for each gzip
input that is open at once (one a thread)."""
import gzip
import json
import os
import random
import tap
from tap import measured, ok, same

BUILD = os.path.basename(os.environ.get("BUILD", "release"))
if BUILD not in ("release", "clang", "noisal"):
    print(f"1..0 # skip {BUILD} adds memory of its own to every allocation")
    raise SystemExit(0)
LIMIT = 64 + 2 * 48 / 1024
T0 = 1795226400
DAY = 86400
rng = random.Random(64)
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


def line(t, path="/x", client="10.0.0.1", status=200):
    import time
    g = time.gmtime(t)
    when = f"{g.tm_mday:02d}/{MONTHS[g.tm_mon - 1]}/{g.tm_year}:" + \
        f"{g.tm_hour:02d}:{g.tm_min:02d}:{g.tm_sec:02d} +0000"
    return (f'{client} - - [{when}] "GET {path} HTTP/1.1" {status} 5 "-" '
            f'"Mozilla/5.0"\n')


def segment(i, t):
    return json.dumps({
        "trace_id": f"1-{t:08x}-{rng.getrandbits(96):024x}",
        "id": f"{rng.getrandbits(64):016x}", "name": f"s{i % 5}",
        "start_time": t, "end_time": t + 0.02,
        "http": {"request": {"method": "GET", "url": f"http://h/b/{i % 60}"},
                 "response": {"status": 200}}}) + "\n"


def check(claim, events, *args, env=None):
    threads = ("--threads", "2")
    status, out, err, seconds, mib = measured("replay", "--json", *threads,
                                              *args, env=env)
    if not ok(status == 0, f"{claim}: status", err):
        return
    same(json.loads(out)["accounting"]["all"]["read"], events,
         f"{claim}: all is read")
    ok(mib <= LIMIT, f"{claim}: {mib:.1f} MiB at most, in {seconds:.1f} s")


def month():
    path = f"{tap.folder()}/month.log"
    with open(path, "w") as f:
        for i in range(60000):
            f.write(line(T0 + i * 43, f"/r{i % 40}"))
    check("a month, sparse", 60000, path)


def many_services():
    path = f"{tap.folder()}/services.ndjson"
    with open(path, "w") as f:
        for i in range(4000):
            doc = json.loads(segment(i, T0 + i))
            doc["name"] = f"svc{i}"
            doc["http"]["request"] = {"method": "POST",
                                      "url": f"http://svc/a/{i}"}
            doc["http"]["response"]["status"] = 500
            f.write(json.dumps(doc) + "\n")
    check("4,000 services", 4000, path)


def many_files():
    root = tap.folder()
    for i in range(10000):
        d = f"{root}/{i // 100}"
        os.makedirs(d, exist_ok=True)
        text = "".join(line(T0 + i % 700 + k * 60, f"/f{i % 9}")
                       for k in range(4))
        with open(f"{d}/{i}.gz", "wb") as f:
            f.write(gzip.compress(text.encode(), 1, mtime=0))
    check("10,000 gzip files", 40000, root)


def unsorted():
    path = f"{tap.folder()}/mixed.log"
    times = [T0 + rng.randrange(3 * DAY) for _ in range(120000)]
    with open(path, "w") as f:
        for i, t in enumerate(times):
            f.write(line(t, f"/r{i % 30}"))
    check("three days, not sorted", 120000, path)


def distinct():
    path = f"{tap.folder()}/wide.log"
    with open(path, "w") as f:
        for i in range(98000):
            f.write(line(T0 + i // 20, f"/p{rng.getrandbits(60):x}z/w{i}",
                         f"10.{i >> 16}.{i >> 8 & 255}.{i & 255}"))
    check("98,000 distinct paths and clients", 98000, path)


def sorting():
    root = tap.folder()
    with open(f"{root}/a.ndjson", "w") as f:
        for i in range(150000):
            f.write(segment(i, T0 + rng.randrange(DAY)))
    with open(f"{root}/b.log", "w") as f:
        for i in range(100000):
            f.write(line(T0 + rng.randrange(DAY), f"/b/{i % 60}"))
    check("traces and logs, sorted on disk", 250000, root)
    out = tap.folder()
    check("the same with --out", 250000, "--out", out, root)


for case in (month, many_services, many_files, unsorted, distinct,
             sorting):
    case()
tap.done()
