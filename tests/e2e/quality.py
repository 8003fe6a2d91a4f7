#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Simulated worlds whose truth is known: each incident is found once, in time,
and what is none is not.  A part of the whole catalogue, which
`make quality` runs."""
import os
import sys
import tempfile

sys.path.insert(0, "tests/quality")
import score  # noqa: E402
import tap  # noqa: E402
from tap import ok, same  # noqa: E402

# World, what happens, seconds until it must be detected (None: a decoy).
SCENES = [
    ("like", "chaos", 30),
    ("like", "not-found-partial", 60),
    ("like", "dependency-slow", 20),
    ("like", "scan-distributed", 20),
    ("like", "masked-failure", 20),
    ("like", "clean", None),
    ("like", "surge", None),
    ("like", "redeploy", None),
    ("like", "busy-root", None),
    ("interstella", "queueing", 30),
    ("interstella", "masked-failure", 120),
    ("interstella", "scan-slow", 600),
    ("interstella", "error-lines", None),
    ("eks-shop", "dependency-throttle", 60),
    ("eks-shop", "error-surge", 120),
    ("eks-shop", "hammer", 30),
    ("eks-shop", "probe-fail", 30),
    ("eks-shop", "poller", None),
    ("eks-shop", "target-gone", 60),
    ("eks-shop", "scale-in", None),
    ("threads", "small-step", 60),
    ("threads", "not-found", 30),
    ("threads", "scan-burst", 10),
    ("threads", "scan-slow", 300),
    ("threads", "hammer", 20),
    ("threads", "scan-distributed", 20),
    ("threads", "daily-rhythm", None),
    ("threads", "delivery-gap", None),
    ("eks-shop", "masked-failure", 30),
    ("fleet", "masked-failure", 40),
    ("fleet", "slow-post", 30),
    ("fleet", "tail", 300),
    ("fleet", "scan-distributed", 20),
    ("fleet", "target-gone", 60),
    ("fleet", "clean", None),
]


def play(world, kind, most):
    name = f"{world}, {kind}"
    with tempfile.TemporaryDirectory() as root:
        r = tap.telltale("simulate", world, "--seed", "1", "--duration", "40m",
                         "--incident", kind, "-q", "-o", root)
        same((r.status, r.err), (0, ""), f"{name}: is simulated")
        s = score.score(root, known)
    same(s["false"], [], f"{name}: nothing is found that is none")
    same(s["doubled"] + s["aside"], [], f"{name}: nothing is found twice")
    if most is None:
        same(s["findings"], 0, f"{name}: no finding at all")
        return
    same(s["missed"], [], f"{name}: is found")
    ok(s["detect"] and max(s["detect"]) <= most,
       f"{name}: within {most} s", s["detect"])
    same(s["probes"]["wrong"], 0, f"{name}: no client is called a probe")


score.TELLTALE = os.path.abspath(tap.TELLTALE)
known = score.known_rules()
# The thread sanitizer is ten times slower, and what it looks for is in each.
slow = "tsan" in os.environ.get("BUILD", "")
for scene in SCENES[::6] if slow else SCENES:
    play(*scene)
tap.done()
