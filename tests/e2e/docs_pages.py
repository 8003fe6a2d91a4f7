#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The pages show what the program prints: every block that begins with
"$ telltale" is run, from the repository's root, 80 columns, UTF-8.

    tests/e2e/docs_pages.py --write    renews the blocks"""
import os
import re
import shlex
import sys

from tap import CORPUS, done, ok, same, skip, telltale

# How many blocks there are at least.
PAGES = {"docs/traces.md": 8, "docs/findings.md": 1, "docs/alerts.md": 3}
BLOCK = re.compile(r"(```console\n\$ telltale ([^\n]*)\n)(.*?)(```\n)", re.S)
ENV = {"LC_ALL": "C.UTF-8", "COLUMNS": "80", "NO_COLOR": "1"}


def printed(line):
    args = shlex.split(line)
    if "|" not in args:
        return telltale(*args, env=ENV)
    # "| head -n N": what is cut is said by the reader's eyes.
    at = args.index("|")
    r = telltale(*args[:at], env=ENV)
    assert args[at + 1:at + 3] == ["head", "-n"], line
    keep = r.out.splitlines(keepends=True)[:int(args[at + 3])]
    r.out = b"".join(keep)
    return r


for page, least in PAGES.items():
    with open(page, encoding="utf-8") as f:
        text = f.read()
    if "--write" in sys.argv:
        with open(page, "w", encoding="utf-8") as f:
            f.write(BLOCK.sub(
                lambda m: m[1] + printed(m[2]).text + m[4], text))
        continue
    blocks = BLOCK.findall(text)
    ok(len(blocks) >= least, f"{page}: its blocks are there", len(blocks))
    for _, line, want, _ in blocks:
        if CORPUS in line and not os.path.isdir(CORPUS):
            skip(line, f"{CORPUS} is not here")
            continue
        r = printed(line)
        same((r.status, r.err), (0, ""), f"runs: {line}")
        ok(r.text == want, f"prints: {line}", f"got:\n{r.text}\nwant:\n{want}")
if "--write" not in sys.argv:
    done()
