#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Files that change while they are read, and what was written beside them.

Standard input is copied aside after all files were found and before any is
read: while that waits, files can be changed at a known moment.
"""
import json
import os
import subprocess

import tap
from tap import ok, same

DIR = tap.folder()
LINE = ('203.0.113.9 - - [21/Nov/2026:07:00:{:02d} +0000] '
        '"GET /shop HTTP/1.1" 200 5\n')


def lines(n):
    return "".join(LINE.format(i % 60) for i in range(n))


def replay_while(path, change):
    child = subprocess.Popen(
        [os.path.abspath(tap.TELLTALE), "replay", "-q", "--json", path, "-"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    # More than a pipe holds: written when it is read, and all files are found.
    child.stdin.write(b"\n" * (1 << 20))
    child.stdin.flush()
    change()
    out, err = child.communicate()
    return child.returncode, json.loads(out), err.decode()


def requests(report):
    return report["accounting"].get("request", {"read": 0})["read"]


def append():
    with open(PATH, "a", encoding="utf-8") as f:
        f.write(lines(500))


def shorten():
    os.truncate(PATH, len(lines(300)))


def replace():
    other = tap.write(os.path.join(DIR, "other"), lines(2000))
    os.replace(other, PATH)


PATH = os.path.join(DIR, "grow.log")
tap.write(PATH, lines(1000))
status, report, err = replay_while(PATH, append)
same((status, requests(report)), (0, 1000),
     "what is appended meanwhile is another run's")

tap.write(PATH, lines(1000))
status, report, err = replay_while(PATH, shorten)
same((status, requests(report)), (74, 300), "what is left of a file counts")
ok("it became shorter while it was read: it had" in err,
   "and it is said, with an error", err)

tap.write(PATH, lines(1000))
status, report, err = replay_while(PATH, replace)
same((status, requests(report)), (66, 0), "another file of that name is an error")
ok("it is another file than a moment ago" in err, "that is said", err)
# What a run writes below what it reads is not read by the next one.
home = tap.folder()
tap.write(os.path.join(home, "shop.log"), lines(100))
reports = [tap.replay("--out", "out", ".", cwd=home) for _ in range(2)]
same([requests(r) for r in reports], [100, 100],
     "documents of --out are no records")
ok(b"files left out: documents that telltale wrote" in
   tap.telltale("replay", ".", cwd=home).out, "and are named as left out")
tap.done()
