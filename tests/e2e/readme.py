#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""README.md says what is so: its commands work, its demo is today's output.

    tests/e2e/readme.py --write    renews the demo's"""
import os
import re
import shutil
import subprocess
import sys
import tap
from tap import TELLTALE, ok, same, telltale

DEMO = re.compile(r"(^<!-- demo: .*?-->\n```\n)(.*?)(^```)", re.M | re.S)
now = telltale("replay", "--width", "100", "--color", "never",
               "demo/like-service", env={"LC_ALL": "C.UTF-8"})
text = open("README.md", encoding="utf-8").read()
if "--write" in sys.argv:
    with open("README.md", "w", encoding="utf-8") as f:
        f.write(DEMO.sub(lambda m: m[1] + now.text + m[3], text))
    sys.exit(0)
work = tap.folder()
os.makedirs(f"{work}/build/release")
os.symlink(os.path.abspath(TELLTALE), f"{work}/build/release/telltale")
for name in ("demo", "docs", "bench"):
    if os.path.isdir(name):
        shutil.copytree(name, f"{work}/{name}")

commands = [line.split(" # ")[0].strip()
            for block in re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S)
            for line in block.splitlines() if line.strip()]
ok(commands, "README.md has commands")
for command in commands:
    if command.startswith("make"):
        r = subprocess.run([*command.split(), "-n", "SETUP=true"],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    else:
        r = subprocess.run(["sh", "-c", command], cwd=work,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    ok(r.returncode == 0 and r.stdout, f"README.md: {command}",
       r.stdout.decode())

demo = DEMO.search(text)
ok(demo, "README.md has the demo's output")
want = demo.group(2).splitlines() if demo else []
got = now.text.splitlines()
ok(demo and now.text == demo.group(2), "which is what it prints today",
   "\n".join(f"line {i + 1}\n  README: {a}\n  prints: {b}" for i, (a, b) in
             enumerate(zip(want, got)) if a != b) or
   f"{len(want)} lines, {len(got)} printed")

COMMANDS = ("replay", "query", "trace", "map", "simulate")
for path in re.findall(r"\]\((?!https?:)([^)#]+)\)", text):
    ok(os.path.exists(path) or path == "bench/RESULTS.md",
       f"README.md: {path} is there")
for option in sorted(set(re.findall(r"(--[a-z][a-z-]+)", text))):
    ok(any(option in telltale("help", c).text for c in COMMANDS),
       f"README.md: {option} is an option")
same(telltale("help", "--man").text,
     open("docs/telltale.1", encoding="utf-8").read(),
     "docs/telltale.1 is the program's")
tap.done()
