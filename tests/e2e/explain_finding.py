#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""--explain-finding: what it prints adds up, by the formulas that it prints."""
import math
import re
import tap
from tap import ok, same, telltale

ARCHIVE = "demo/like-service"
SHARE = r"([\d,]+) of ([\d,]+)"
NUMBER = re.compile(r"^-?\d+\.\d+$")


def number(text):
    return int(text.replace(",", ""))


def explain(finding, *options):
    r = telltale("replay", *options, ARCHIVE, "--explain-finding", finding,
                 "--width", "200", "--color", "never",
                 env={"LC_ALL": "C.UTF-8"})
    same((r.status, r.err), (0, ""), f"{finding} is explained")
    return r.text


def g_of(k, n, p0):
    r = k / n
    return k * math.log(r / p0) + \
        ((n - k) * math.log((1 - r) / (1 - p0)) if k < n else 0)


def section(text, title):
    return re.search(rf"^{title}.*?\n(.*?)(?:\n\n|\Z)", text,
                     re.M | re.S).group(1).splitlines()


def check(f):
    name = f["rule"]["id"]
    told = f["telltale"]["finding"]
    text = explain(f["event"]["id"])
    m, prior = re.search(r"bad before \+ (\d+) · ([\d.]+) %", text).groups()
    m, prior = int(m), float(prior) / 100
    rows = section(text, "The windows")
    deciding = None
    for row in rows[1:]:
        shares = [tuple(map(number, s)) for s in re.findall(SHARE, row)]
        (k, n), (base_k, base_n) = shares[:2]
        p0 = (base_k + m * prior) / (base_n + m)
        g = re.findall(r" (\d+\.\d{3}) ", row)
        if g:
            ok(abs(float(g[0]) - g_of(k, n, p0)) < 0.0015,
               f"{name}: G by the formula", f"{row}: {g_of(k, n, p0)}")
        if row.endswith("decides"):
            deciding = (k, n, base_k, base_n, p0)
            same(float(g[0]), told["g"], f"{name}: the finding's G")
    ok(deciding, f"{name}: one window decides", rows)
    k, n, base_k, base_n, p0 = deciding
    same((k, n), (told["window"]["count"], told["window"]["total"]),
         f"{name}: its window is the finding's")
    same((base_k, base_n), (told["before"]["count"], told["before"]["total"]),
         f"{name}: its base is the finding's")
    bad = total = 0
    best = (-1, None)
    for row in section(text, "The cells")[1:]:
        when = " ".join(row.split()[:2])
        shares = [tuple(map(number, s)) for s in re.findall(SHARE, row)]
        bad += shares[0][0]
        total += shares[0][1]
        same(shares[1], (bad, total), f"{name}: {when}: the sum from there on")
        if shares[0][0]:
            best = max(best, (g_of(bad, total, p0), when), key=lambda b: b[0])
        if row.endswith("the largest G"):
            onset = when
    same((bad, total), (k, n), f"{name}: the cells are the window")
    same(onset, best[1], f"{name}: the onset has the largest G")
    same(onset.replace(" ", "T"), f["event"]["start"][:19],
         f"{name}: which is the finding's")


findings = tap.replay(ARCHIVE)["findings"]
ok(len(findings) >= 3, "the demo has findings")
for finding in findings:
    check(finding)
r = telltale("replay", ARCHIVE, "--explain-finding", "A" * 22)
same(r.status, 66, "an id that is not there: no input")
ok("no finding 'AAAA" in r.err, "which is said", r.err)
r = telltale("replay", ARCHIVE, "--explain-finding", "short")
same(r.status, 64, "an id of another length: usage")
ok("22 characters" in r.err, "with what was expected", r.err)
tap.done()
