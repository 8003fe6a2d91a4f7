#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every field of docs/fields.md is ECS's, of its type, or has a name of ours.

ECS's own list is that of its makers' package @elastic/ecs, which is fetched
once into build/ecs.
"""
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "e2e"))
import tap  # noqa: E402
from tap import ok, same  # noqa: E402

VERSION = "9.4.0"
KEPT = "build/ecs"
LIST = f"{KEPT}/node_modules/@elastic/ecs/generated/ecs_flat.ts"
# Below these everything is ours, or another's: aws.* is Filebeat's.
OURS = ("telltale.", "aws.")
# Objects of a trace, at the top so that a query of them is short.
TRACE = ("annotations", "causes", "edges", "services", "values")
# What APM and Filebeat write, and ECS does not have.
OTHERS = {"parent.id", "log.offset"}
# Known to every version, and searched in the same way.
SAME = {"match_only_text": "text"}


def leave(why):
    print(f"1..0 # skip {why}")
    sys.exit(0)


def fetch():
    if os.path.exists(LIST):
        return
    if not shutil.which("npm"):
        leave("there is no npm to fetch ECS's list with")
    os.makedirs(KEPT, exist_ok=True)
    try:
        subprocess.run(
            ["npm", "install", "--silent", "--no-audit", "--no-fund",
             "--ignore-scripts", "--prefix", KEPT, f"@elastic/ecs@{VERSION}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120)
    except subprocess.TimeoutExpired:
        pass
    if not os.path.exists(LIST):
        leave("the npm registry is not reached")


def theirs():
    """{name: Elasticsearch's type}, as the generated source has them."""
    with open(LIST, encoding="utf-8") as f:
        return {m[1]: m[2] for m in re.finditer(
            r"^  '?([@\w.]+)'?: \{\n.*?^    type: '(\w+)',\n", f.read(),
            re.S | re.M)}


def fields():
    with open("docs/fields.md", encoding="utf-8") as f:
        return {m[1]: m[2].split(",")[0] for m in re.finditer(
            r"^\| `([^`]+)` \| [a-z ]+ \| ([^|]+) \|", f.read(), re.M)}


def is_ours(name):
    return name.startswith(OURS) or name.split(".")[0] in TRACE


fetch()
ecs = theirs()
ok(len(ecs) > 800 and ecs.get("@timestamp") == "date", "ECS has its fields",
   len(ecs))
table = {n: t for n, t in fields().items() if not is_ours(n)}
ok(len(table) > 40, "so has docs/fields.md", len(table))
same(sorted(n for n in table.keys() - ecs.keys() - OTHERS
            if not n.startswith("labels.")), [],
     "every field is ECS's or has a name of ours")
same([(n, t, ecs[n]) for n, t in sorted(table.items())
      if n in ecs and SAME.get(ecs[n], ecs[n]) != t], [],
     "and of the type that it has there")
ok("labels" in ecs, "labels.* are ECS's labels")
clash = {n.split(".")[0] for n in ecs} & {*TRACE, "telltale"}
same(clash, set(), "no name of ours is one of ECS's")
tap.done()
