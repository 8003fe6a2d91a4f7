#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who asks for what is not there: burst, slow, hammering, behind a balancer
with and without an address, from traces; and who does not."""
import datetime
import json
import random
import tap
from tap import CORPUS, ok, same, telltale

T0 = 1795226400
rng = random.Random(42)
root = tap.folder()


def line(t, peer, path, status, forwarded="-"):
    at = datetime.datetime.fromtimestamp(t, datetime.timezone.utc)
    return (t, f'{peer} - - [{at:%d/%b/%Y:%H:%M:%S +0000}] "GET {path} '
               f'HTTP/1.1" {status} 12 "-" "Mozilla/5.0" "{forwarded}"')


def people():
    """Four hours of 200 clients; one answer in a hundred is a dead link."""
    return [line(T0 + rng.randrange(4 * 3600), f"203.0.113.{rng.randrange(200)}",
                 f"/item/{rng.randrange(400)}/view",
                 404 if rng.random() < 0.01 else 200) for _ in range(20000)]


def found(lines, *options):
    path = tap.write(f"{root}/shop/access.log", "\n".join(
        text for _, text in sorted(lines, key=lambda x: x[0])) + "\n")
    return [f for f in tap.replay(*options, path)["findings"]]


def scans(lines, *options):
    return [f for f in found(lines, *options)
            if f["rule"]["id"].startswith("not-found-")]


def seconds(text):
    return datetime.datetime.fromisoformat(
        text.replace("Z", "+00:00")).timestamp() - T0


base = people()
same(scans(base), [], "people find dead links, and nothing is said")

burst = [line(T0 + 3600 + i // 3, "198.51.100.23", f"/a/x{i}.php", 404)
         for i in range(340)]
f = scans(base + burst)
same([x["rule"]["id"] for x in f], ["not-found-scan"], "a burst is one finding")
t = f[0]["telltale"]["finding"]
same(f[0]["client"], {"ip": "198.51.100.23"}, "its client")
same((t["count"], t["total"]), (340, 340), "all its paths")
same(seconds(f[0]["event"]["start"]), 3600, "its onset")
same(seconds(t["detected"]), 3603, "detected at the twelfth failure")
same(len(t["paths"]), 5, "five paths")
same(f[0]["event"]["reason"], "198.51.100.23 asked shop for 340 paths that are "
     "not there, 0 were answered, from 03:00:00 to 03:01:53.", "its sentence")
same(f[0]["labels"]["filter"], 'service("shop") AND http.clientip = '
     '"198.51.100.23" AND (http.status = 404 OR http.status = 410)',
     "its filter")
for e, path in zip(t["evidence"], t["paths"]):
    text = open(e["path"], encoding="utf-8").read().splitlines()[e["line"] - 1]
    ok(text.startswith("198.51.100.23 ") and f" {path} " in text,
       "the evidence is a line of the path", text)
r = telltale("replay", f"{root}/shop/access.log", "--explain-finding",
             f[0]["event"]["id"], "--color", "never", "--width", "200")
ok("f = 12, s = 0, G = 13.832" in r.text, "explained", r.text)
same(scans(base + burst, "--rule", "not-found-surge"), [],
     "--rule of the other rule")
same(len(scans(base + burst, "--rule", "not-found-scan")), 1, "--rule of this")

hidden = [line(T0 + 9000 + i, f"10.0.0.{i % 4}", f"/d{i}/.env", 404)
          for i in range(90)]
f = scans(base + hidden)
same([x["rule"]["id"] for x in f], ["not-found-surge"],
     "behind a balancer without addresses it is a surge")
ok("client" not in f[0], "of nobody")
ok(seconds(f[0]["telltale"]["finding"]["detected"]) <= 9020, "soon")

named = [line(T0 + 9000 + i, f"10.0.0.{i % 4}", f"/d{i}/.env", 404,
              "198.51.100.77, 10.0.0.9") for i in range(90)]
f = scans(base + named)
same([x.get("client") for x in f], [{"ip": "198.51.100.77"}],
     "with addresses it is a scan of the client")

many = [line(T0 + 9000 + i, f"192.0.2.{i % 150}", f"/m{i}/.env", 404)
        for i in range(300)]
same([x["rule"]["id"] for x in scans(base + many)], ["not-found-surge"],
     "many clients with two paths each are a surge")

slow = [line(T0 + i * 290, "198.51.100.24", f"/s/{i}.bak", 404)
        for i in range(48)]
same([x["client"]["ip"] for x in scans(base + slow)], ["198.51.100.24"],
     "a path every five minutes is a scan")

hammer = [line(T0 + 7200 + i * 20, "198.51.100.25", "/gone/feed.xml", 404)
          for i in range(60)]
f = scans(base + hammer)
same([x["event"]["reason"] for x in f], ["198.51.100.25 asked shop 60 times for "
     "1 path that is not there, 0 other were answered, from 04:00:00 to "
     "04:19:40."], "one missing file")

behind = [line(T0 + 7200 + i * 20, f"10.0.0.{i % 4}", "/gone/feed.xml", 404)
          for i in range(60)]
f = scans(base + behind)
same([(x["rule"]["id"], x["telltale"]["route"], x.get("client")) for x in f],
     [("not-found-surge", "/gone/feed.xml", None)],
     "behind a balancer: the file that is asked for all at once")
t = f[0]["telltale"]["finding"]
same((58 <= t["count"] <= 60, t["total"] > 4 * t["count"],
      seconds(t["detected"]) < 7700),
     (True, True, True), "of all that the service was asked for meanwhile")
r = telltale("replay", f"{root}/shop/access.log", "--explain-finding",
             f[0]["event"]["id"], "--color", "never", "--width", "200")
ok("it was so before" in r.text or "decides" in r.text, "explained", r.text)
always = [line(T0 + 60 + i * 20, f"10.0.0.{i % 4}", "/favicon.ico", 404)
          for i in range(700)]
same(scans(base + always), [], "what is always missing is none")

crawler = [line(T0 + 5000 + i * 10, "198.51.100.26", f"/p/{i}/page",
                404 if rng.random() < 0.4 else 200) for i in range(200)]
same([x for x in scans(base + crawler) if "client" in x], [],
     "a crawler with 40 % dead links is none")

double = base + [line(t + (T0 - t) // 2 + 7200, f"203.0.113.{rng.randrange(200)}",
                      f"/item/{rng.randrange(400)}/view",
                      404 if rng.random() < 0.01 else 200) for t, _ in base]
same(scans(double), [], "three times the traffic is none")

# The client of a trace, joined with the line of a balanced peer.
out, segments = [], []
for i in range(40):
    t = T0 + 600 + i
    out.append(line(t, "10.0.0.8", f"/t{i}.cgi", 404))
    segments.append(json.dumps({
        "id": f"{i + 1:016x}", "trace_id": f"1-{t:08x}-{i + 1:024x}",
        "name": "shop", "start_time": t - 0.01, "end_time": t + 0.0,
        "http": {"request": {"url": f"http://h/t{i}.cgi", "method": "GET",
                             "client_ip": "198.51.100.99",
                             "x_forwarded_for": True},
                 "response": {"status": 404}}}))
seg = tap.write(f"{root}/x/segments.ndjson", "\n".join(segments) + "\n")
f = scans(base + out, seg)
same([x.get("client") for x in f], [{"ip": "198.51.100.99"}],
     "the trace's client is the one")
same(f[0]["telltale"]["finding"]["count"], 40, "each path once")
r = telltale("query", f[0]["labels"]["filter"], seg, "--json")
same((r.status, len(r.json()["TraceSummaries"])), (0, 40), "the filter finds the traces")

# Real and recorded archives, read by people: no client there fails on twelve
# paths more than it is answered on, and the demo's scanners ask for ten.
if CORPUS:
    for name in ("http-elastic", "logs", "like-service/python3",
                 "like-service/python2-2019"):
        f = tap.replay(f"{CORPUS}/{name}")["findings"]
        same([x["event"]["reason"] for x in f
              if x["rule"]["id"].startswith("not-found-")], [],
             f"{name}: no scan, no surge")
tap.done()
