#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Probes by the clock: made worlds without user agents, whose truth is known.

Each line's truth is its number in the file; the class in the documents must be
that, however the lines are divided among files and threads.
"""
import datetime
import gzip
import random
import tap
from tap import ok, same

T0 = 1_800_000_000
TASK = "4f2c1e7a-1111-4222-8333-000000000000"
NODES = ("10.0.0.214", "10.0.1.87")


class World:
    """Streams of one log group; lines with the class they should get."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.streams = {}

    def add(self, stream, t, text, truth):
        name = f"shop-web-{stream.encode().hex():0>32}"
        self.streams.setdefault(name, []).append((T0 + t, text, truth))

    def get(self, stream, t, peer, path, truth):
        stamp = datetime.datetime.fromtimestamp(
            T0 + t, datetime.timezone.utc).strftime("%d/%b/%Y %H:%M:%S")
        self.add(stream, t, f'{peer} - - [{stamp}] "GET {path} HTTP/1.1" 200 -',
                 truth)

    def probes(self, stream, begin, end, period, path, nodes=NODES,
               jitter=0.005, truth="probe"):
        for node in nodes:
            phase = self.random.random() * period
            ppm = self.random.uniform(-50, 50) * 1e-6
            t = begin + phase
            while t < end:
                self.get(stream, t + self.random.uniform(0, jitter), node,
                         path, truth)
                t += period * (1 + ppm)

    def people(self, stream, begin, end, rate, path, peers=NODES):
        t = begin + self.random.expovariate(rate)
        while t < end:
            self.get(stream, t, self.random.choice(peers), path, "client")
            t += self.random.expovariate(rate)

    def write(self, root, parts=1, bare=False, task=TASK):
        """An export task's folders; the truths by (stream, line)."""
        truths = {}
        for stream, lines in self.streams.items():
            lines.sort(key=lambda x: x[0])
            n = -(-len(lines) // parts)
            for part in range(parts):
                some = lines[part * n:(part + 1) * n]
                data = "".join(
                    text + "\n" if bare else
                    f"{iso(t)} {text}\n" for t, text, _ in some)
                name = f"{root}/shop/{task}/{stream}/{part:06d}"
                if bare:
                    tap.write(f"{name}.log", data)
                else:
                    tap.write(f"{name}.gz", gzip.compress(data.encode()))
                for i, (_, _, truth) in enumerate(some):
                    truths[(stream, part * n + i)] = truth
        self.parts = n
        return truths


def iso(t):
    d = datetime.datetime.fromtimestamp(round(t, 3), datetime.timezone.utc)
    return d.strftime("%Y-%m-%dT%H:%M:%S.") + f"{d.microsecond // 1000:03d}Z"


def classes(root, *options):
    """(class, reason) by (stream, line), and the replay's document."""
    out = tap.folder()
    found = {}
    document = tap.replay("--probes", "keep", "--out", out, *options, root)
    sizes = {}
    docs = [d["_source"] for d in tap.ndjson(f"{out}/requests.ndjson")]
    for d in docs:
        stream, part = d["log"]["file"]["path"].split("/")[-2:]
        key = (stream, int(part.split(".")[0]))
        sizes[key] = max(sizes.get(key, 0), d["telltale"]["line"])
    for d in docs:
        stream, part = d["log"]["file"]["path"].split("/")[-2:]
        before = sum(n for (s, p), n in sizes.items()
                     if s == stream and p < int(part.split(".")[0]))
        found[(stream, before + d["telltale"]["line"] - 1)] = (
            d["telltale"]["class"], d["telltale"].get("class_reason", ""))
    return found, document


def score(name, found, truths, least):
    pairs = [(found.get(k, ("nothing", ""))[0] == "probe", t == "probe")
             for k, t in truths.items()]
    right, wrong, missed = (pairs.count(p) for p in
                            ((True, True), (True, False), (False, True)))
    f1 = 2 * right / max(1, 2 * right + wrong + missed) if right else \
        float(not wrong and not missed)
    same(len(found), len(truths), f"{name}: every line has its document")
    ok(f1 >= least, f"{name}: F1 {f1:.5f}, {right} right, {wrong} wrong, "
       f"{missed} missed")


def service():
    """Two nodes, a deployment, a replaced node, a page of people."""
    w = World(1)
    w.probes("web-old", 0, 7200, 10, "/")
    w.people("web-old", 0, 7200, 0.05, "/")
    w.people("web-old", 0, 7200, 0.3, "/mysfits")
    w.probes("web-new", 7150, 14000, 10, "/", (NODES[0],))
    w.probes("web-new", 7150, 10000, 10, "/", (NODES[1],))
    w.probes("web-new", 10060, 14000, 10, "/", ("10.0.1.99",))
    w.people("web-new", 7200, 14000, 0.05, "/")
    # A third task that lives for half a minute only.
    w.probes("web-brief", 3000, 3030, 10, "/")
    return w


def every_chunking():
    w = service()
    truths = w.write(tap.folder())
    root = tap.folder()
    w.write(root)
    found, whole = classes(root)
    score("a service", found, truths, 0.999)
    reasons = {r for c, r in found.values() if c == "probe"}
    ok(any(r.startswith("every 10.00 s \u00b1 0.00 from 10.0.0.214, ") and
           r.endswith(" slots") for r in reasons), "the reason in words",
       "\n".join(sorted(reasons)))
    ok(any("known to probe" in r for r in reasons),
       "a task too brief for the clock: its prober is known", reasons)
    for parts, options in ((3, ()), (1, ("--threads", "1")),
                           (7, ("--threads", "5"))):
        root = tap.folder()
        w.write(root, parts)
        again, document = classes(root, *options)
        same(again, found, f"the same classes from {parts} parts, {options}")
        same([{k: v for k, v in s.items()} for s in document["services"]],
             whole["services"], "and the same sums")
    # Twice: the second copy is a duplicate, and the plan goes by rows.
    root = tap.folder()
    w.write(root)
    w.write(root, task=TASK[:-1] + "1")
    out = tap.folder()
    document = tap.replay("--probes", "keep", "--out", out, root)
    for mine, theirs in zip(document["services"], whole["services"]):
        same((mine["probes"], mine["requests"], mine["probes_probable"]),
             (theirs["probes"], theirs["requests"],
              theirs["probes_probable"]), "read twice, counted once")
    fold = tap.replay("--probes", "fold", root)["accounting"]["request"]
    drop = tap.replay("--probes", "drop", root)["accounting"]["request"]
    same((fold["folded"], fold["duplicate"]),
         (drop["filtered"], drop["duplicate"]),
         "what one folds the other filters")
    same(fold["folded"], whole["services"][0]["probes"], "all probes")


def periods():
    for period in (5, 6, 15, 20, 30, 60, 120):
        w = World(period)
        w.probes("web-a", 0, 7200, period, "/up", jitter=0.02)
        w.people("web-a", 0, 7200, 0.1, "/")
        root = tap.folder()
        truths = w.write(root)
        score(f"every {period} s", classes(root)[0], truths, 0.9998)


def jitter():
    w = World(3)
    w.probes("web-a", 0, 14400, 10, "/", jitter=0.5)
    w.people("web-a", 0, 14400, 0.3, "/mysfits")
    root = tap.folder()
    truths = w.write(root)
    score("half a second of jitter", classes(root)[0], truths, 0.9998)
    w = World(4)
    w.probes("web-a", 0, 43200, 10, "/", jitter=0.002)
    w.people("web-a", 0, 43200, 0.25, "/")
    root = tap.folder()
    truths = w.write(root)
    score("a busy page", classes(root)[0], truths, 0.9995)
    w = World(5)
    w.probes("web-a", 0, 14400, 10, "/", jitter=0.02)
    w.people("web-a", 0, 14400, 0.3, "/mysfits")
    root = tap.folder()
    truths = w.write(root, bare=True)
    score("lines with whole seconds", classes(root)[0], truths, 0.9998)


def no_balancer():
    """By the clock, and nobody's health check."""
    w = World(6)
    w.probes("web-a", 0, 14400, 60, "/report", ("10.0.9.9",), truth="client")
    w.people("web-a", 0, 14400, 0.1, "/")
    # A job that asks through the balancer: any node, each time.
    for i in range(0, 14400, 30):
        w.get("web-a", i + 3, w.random.choice(NODES), "/", "client")
    root = tap.folder()
    truths = w.write(root)
    found, document = classes(root)
    score("periodic clients", found, truths, 1)
    same(document["services"][0]["probes_probable"], 0, "nor probable ones")
    ok(any(r.startswith("a periodic client and no balancer: every 60.00 s")
           for _, r in found.values()), "the reason says so")


def few():
    w = World(7)
    w.get("web-a", 0, NODES[0], "/", "probable-probe")
    w.get("web-a", 33, NODES[0], "/", "probable-probe")
    w.get("web-a", 40, NODES[0], "/mysfits", "client")
    root = tap.folder()
    truths = w.write(root)
    same({k: v[0] for k, v in classes(root)[0].items()}, truths,
         "too few for the clock: address and path")


def nobody_named():
    """koa's lines: method, path and milliseconds."""
    w = World(8)
    for node in range(2):
        t = w.random.random() * 6
        while t < 7200:
            ms = w.random.randrange(1, 30)
            w.add("users-a", t + ms / 1000, f"GET / - {ms}", "probe")
            t += 6
    for _ in range(900):
        w.add("users-a", w.random.random() * 7200, "GET /api/users - 4",
              "client")
    root = tap.folder()
    truths = w.write(root)
    score("no peer in the lines", classes(root)[0], truths, 0.9998)


every_chunking()
periods()
jitter()
no_balancer()
few()
nobody_named()
tap.done()
