#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Probes that do not come: a target that falls silent while others go on, and
what only looks like it."""
import datetime
import gzip
import random
import re
import tap
from tap import ok, same

T0 = 1_800_000_000
EXPORT = "4f2c1e7a-1111-4222-8333-000000000000"
NODES = ("10.0.0.214", "10.0.1.87")
AGENT = "ELB-HealthChecker/2.0"
LONG = 3600
HANG = 1800


def iso(t):
    d = datetime.datetime.fromtimestamp(round(T0 + t, 3), datetime.timezone.utc)
    return d.strftime("%Y-%m-%dT%H:%M:%S.") + f"{d.microsecond // 1000:03d}Z"


class World:
    """Streams of log groups; each line with its time."""

    def __init__(self, seed=1, agent=AGENT):
        self.random = random.Random(seed)
        self.agent = agent
        self.streams = {}

    def say(self, task, t, text, group="shop"):
        self.streams.setdefault((group, task), []).append((t, text))

    def get(self, task, t, peer, path, group="shop", agent="", status=200):
        stamp = datetime.datetime.fromtimestamp(
            T0 + t, datetime.timezone.utc).strftime("%d/%b/%Y:%H:%M:%S")
        tail = f' "-" "{agent}"' if agent else ""
        self.say(task, t, f'{peer} - - [{stamp} +0000] "GET {path} HTTP/1.1" '
                 f'{status} 2{tail}', group)

    def target(self, task, begin=0, end=LONG, period=10, group="shop",
               nodes=NODES, people=0.1, status=200):
        """Probed and asked for from begin to end."""
        for node in nodes:
            t = begin + self.random.random() * period
            while t < end:
                self.get(task, t, node, "/health", group, self.agent, status)
                t += period + self.random.uniform(-0.003, 0.003)
        t = begin + self.random.expovariate(people)
        while t < end:
            self.get(task, t, self.random.choice(nodes), "/mysfits", group)
            t += self.random.expovariate(people)

    def write(self, root, parts=1, export=EXPORT, broken=None):
        for (group, task), lines in self.streams.items():
            lines.sort()
            n = -(-len(lines) // parts)
            for part in range(parts):
                some = lines[part * n:(part + 1) * n]
                data = gzip.compress("".join(
                    f"{iso(t)} {text}\n" for t, text in some).encode())
                if (task, part) == (broken, parts - 1):
                    data = data[:-12]
                tap.write(f"{root}/{group}/{export}/{group}-web-"
                          f"{task.encode().hex():0>32}/{part:06d}.gz", data)
        return root


def silent(root, *options):
    found = tap.replay("--rule", "target-health", *options, root)["findings"]
    return [f for f in found if "silence" in f["telltale"]["finding"]]


def nothing(name, world, *options, **how):
    same([f["event"]["reason"] for f in
          silent(world.write(tap.folder(), **how), *options)], [], name)


def three(end, **how):
    """Of three targets one is silent from `end` on."""
    w = World(**how)
    for task in "abc":
        w.target(task, end=end if task == "b" else LONG)
    return w


def hang():
    for agent in (AGENT, "", "kube-probe/1.21+"):
        w = three(HANG, agent=agent)
        name = agent or "by the clock"
        found = silent(w.write(tap.folder()))
        same(len(found), 1, f"{name}: one target of three: one finding")
        f = found[0]
        told = f["telltale"]["finding"]
        s = told["silence"]
        ok(f["event"]["reason"].startswith(
            "/health of shop missed 179 of 539 health checks (33.2 %) from "),
           f"{name}: in words", f["event"]["reason"])
        probes = sorted(t for t, x in w.streams["shop", "b"] if "/health" in x)
        same(s["target"], f"{ord('b'):0>32x}", f"{name}: which target")
        same((s["probes"], s["probers"], s["others"], s["siblings"]),
             (len(probes), 2, 2, True), f"{name}: what was before, who goes on")
        same(s["last"][:19], iso(probes[-1])[:19], f"{name}: the last probe")
        same(s["period_ns"], 10 * 10**9, f"{name}: the period")
        same((told["count"], s["missing"], s["all"]), (179, 179, 179),
             f"{name}: of two nodes' probes a quarter of an hour's are missing")
        asks = f["labels"]["filter"]
        ok("fault" not in asks and "/health" in asks,
           f"{name}: the filter is not for failures, of which there are none",
           asks)
        first = probes[-2] + 10
        same(f["event"]["start"][:19], iso(first - (T0 + first) % 10)[:19],
             f"{name}: since the first slot")
        known = first + 25 - (T0 + first + 25) % 10 + 10
        same(told["detected"][:19], iso(known)[:19],
             f"{name}: not known before the third")
        line = [x for _, x in w.streams["shop", "b"]].index(
            [x for t, x in w.streams["shop", "b"] if t == probes[-1]][0]) + 1
        ok(line in [e["line"] for e in told["evidence"]],
           f"{name}: the last probe is the evidence", told["evidence"])


def just_before():
    w = three(HANG)
    w.say("b", HANG + 8, "GET of /mysfits takes long")
    same(len(silent(w.write(tap.folder()))), 1,
         "what it wrote between its last probe and the next is no sign of life")


def comes_back():
    w = World()
    w.target("a")
    w.target("b", end=HANG)
    w.target("b", begin=HANG + 120)
    found = silent(w.write(tap.folder()))
    same([f["telltale"]["finding"]["status"] for f in found], ["resolved"],
         "one that answers again: resolved")
    ok(22 <= found[0]["telltale"]["finding"]["count"] <= 24,
       "two minutes of probes", found[0]["event"]["reason"])


def alone():
    """No sibling: the balancer's other targets go on, and a task comes late."""
    w = World()
    w.target("a", group="users")
    w.target("b", end=HANG)
    w.target("c", begin=HANG + 400)
    found = silent(w.write(tap.folder()))
    same([f["service"]["name"] for f in found], ["shop"], "one target alone")
    reason = found[0]["event"]["reason"]
    ok(reason.endswith("; 1 other target of its prober went on."),
       "by what its prober asks elsewhere", reason)
    same(found[0]["telltale"]["finding"]["silence"]["missing"] // 10, 8,
         "until the next one begins")
    w = World()
    w.target("a", group="users")
    w.target("b", end=HANG)
    nothing("alone, and its export has nothing behind it", w)


def replaced():
    for begin in (-240, -5, 60, 150):
        w = three(HANG)
        w.target("d", begin=HANG + begin)
        nothing(f"a successor {begin} s from its last probe", w)
    w = three(HANG)
    w.say("d", HANG + 100, "Listening on port 8080")
    nothing("a successor that nobody asks yet", w)
    w = three(HANG)
    w.target("d", begin=600)
    nothing("one that had come for the load goes again", w)
    w = three(HANG)
    w.target("d", begin=600, end=900)
    same(len(silent(w.write(tap.folder()))), 1,
         "that one is gone already: it is no excuse")


def ends_well():
    for line in ("SIGTERM received, shutting down",
                 "[2027-01-15 08:30:00 +0000] [7] [INFO] Handling signal: term",
                 "[2027-01-15 08:30:00 +0000] [8] [INFO] Worker exiting (pid: 8)",
                 "Graceful stop"):
        for t in (HANG - 20, HANG + 3):
            w = three(HANG)
            w.say("b", t, line)
            nothing(f"scaled in, {t - HANG} s: {line[-30:]}", w)
    w = three(HANG)
    w.say("b", HANG - 300, "SIGTERM received, shutting down")
    w.say("b", HANG - 3, "GET of /mysfits took long")
    same(len(silent(w.write(tap.folder()))), 1,
         "another line, or one long before, is no end")


def not_asked():
    w = three(HANG)
    for t in range(HANG + 15, LONG, 60):
        w.say("b", t, "metrics: 12 series")
    nothing("its own log goes on", w)
    w = World()
    for task in "abc":
        w.target(task, end=HANG)
        w.target(task, begin=HANG + 240)
    nothing("a gap that strikes all", w)
    w = World()
    for task in "abc":
        w.target(task, end=HANG)
    nothing("the archive's end", w)
    nothing("--until", three(HANG), "--until", iso(HANG + 25))
    nothing("--since behind it", three(HANG), "--since", iso(HANG + 5))
    nothing("a file that is cut", three(HANG), broken="b")
    nothing("one of its parts is cut", three(HANG), broken="b", parts=3)
    nothing("--probes drop", three(HANG), "--probes", "drop")
    w = World()
    for task in "abc":
        w.target(task, end=HANG if task == "b" else LONG, period=900)
    nothing("hardly probed at all", w)
    w = World()
    w.target("a")
    w.target("b", begin=HANG - 45, end=HANG, nodes=NODES[:1])
    nothing("five probes make no period", w)
    w = World()
    w.target("a", nodes=NODES[:1])
    w.target("b", nodes=NODES[:1])
    w.target("a", end=HANG, nodes=NODES[1:])
    w.target("b", end=HANG, nodes=NODES[1:])
    nothing("a node of the balancer goes", w)


def captures():
    """Each file was written by itself: the end of one says nothing."""
    w = three(HANG)
    root = tap.folder()
    for (_, task), lines in w.streams.items():
        tap.write(f"{root}/web-{task}.log", "".join(
            f"{iso(t)} {text}\n" for t, text in sorted(lines)))
    same(silent(root), [], "files of one target each")
    w = three(HANG)
    for task in "abc":
        for t, text in list(w.streams["shop", task]):
            if t < 900:
                w.say(task, t, text, "users")
    same(len(silent(w.write(tap.folder()))), 1,
         "streams of the same names in another group are others")


def told_once():
    """The balancer's log has as time-outs what is silence in the target's."""
    w = three(HANG)
    root = w.write(tap.folder())
    b = World(2)
    b.target("nginx", end=HANG, group="edge", people=0.01)
    b.target("nginx", begin=HANG, group="edge", people=0.01, status=504)
    b.write(root, export=EXPORT[:-1] + "1")
    found = tap.replay("--rule", "target-health", root)["findings"]
    same([f["service"]["name"] for f in found], ["edge"],
         "a target that hangs is told once, where its probes fail")
    reason = found[0]["event"]["reason"]
    ok("failed" in reason and "was silent: the last of" in reason,
       "with the words of its silence", reason)


def every_chunking():
    for agent in (AGENT, ""):
        w = three(HANG, agent=agent)
        whole = silent(w.write(tap.folder()))
        for parts, options in ((1, ("--threads", "1")),
                               (5, ("--threads", "4")), (2, ())):
            again = silent(w.write(tap.folder(), parts=parts), *options)
            for f in again + whole:
                f["telltale"]["finding"].pop("evidence", None)
            same(again, whole, f"{agent}: {parts} parts, {options}")
        root = w.write(tap.folder())
        w.write(root, export=EXPORT[:-1] + "2")
        twice = silent(root)
        same([(f["telltale"]["finding"]["silence"]["missing"],
               f["telltale"]["finding"]["silence"]["probes"]) for f in twice],
             [(179, whole[0]["telltale"]["finding"]["silence"]["probes"])],
             f"{agent}: read twice, missing once")


def explained():
    root = three(HANG).write(tap.folder())
    f = silent(root)[0]
    r = tap.telltale("replay", root, "--explain-finding", f["event"]["id"],
                     "--width", "200", env={"LC_ALL": "C.UTF-8"})
    same(r.status, 0, "it is explained")
    s = f["telltale"]["finding"]["silence"]
    m = re.search(r"the last of (\d+) at ([\d-]+) ([\d:]+), one every "
                  r"([\d.]+) s from each of (\d) probers; (\d+) missing",
                  r.text)
    ok(m, "by the slots", r.text)
    same(m and m.groups(),
         (str(s["probes"]), s["last"][:10], s["last"][11:19], "10.000", "2",
          str(s["missing"])), "which are the finding's")
    ok("meanwhile 2 other targets of the service went on being probed"
       in " ".join(r.text.split()), "and who went on", r.text)


hang()
just_before()
comes_back()
alone()
replaced()
ends_well()
not_asked()
captures()
told_once()
every_chunking()
explained()
tap.done()
