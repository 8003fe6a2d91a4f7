#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lines of one event: counted once, and all of their text is in its document."""
import json
import os
import tap
from tap import same, telltale

ACCESS = '10.0.0.1 - - [21/Nov/2026:06:00:%02d +0000] "GET /x HTTP/1.1" 500 5'
TRACE = ["Traceback (most recent call last):",
         '  File "x.py", line 1, in f', "    f(\"\x07\u00e9\")", "ValueError: bad"]

root = tap.folder()


def logs(lines):
    tap.write(f"{root}/in/a.log", "\n".join(lines) + "\n")
    out = tap.folder()
    r = telltale("replay", "--json", "--out", out, f"{root}/in")
    n = r.json()["accounting"]["log"]
    docs = [d["_source"]["message"] for d in
            tap.ndjson(os.path.join(out, "logs.ndjson"))]
    same(len(docs), n["stored"], "as many documents as log events")
    return n, docs


n, docs = logs([ACCESS % 1, "it broke", *TRACE, ACCESS % 2])
same((n["stored"], n["folded"]), (1, 4), "behind a log line: its continuation")
same(docs, ["\n".join(["it broke", *TRACE])], "the message holds every line")

n, docs = logs([ACCESS % 1, *TRACE, ACCESS % 2, "done"])
same((n["stored"], n["folded"]), (2, 3),
     "behind an access line: an event of its own")
same(docs, ["\n".join(TRACE), "done"], "the traceback is its message")

n, docs = logs([*TRACE, "done"])
same(docs, ["\n".join(TRACE), "done"], "first in its stream: likewise")

n, docs = logs(["-" * 80, "WARNING in m [m.py:1]:", "the text", "more of it",
                "-" * 80, "next"])
same(docs, ["the text\nmore of it", "next"],
     "a record between dashes is its text")

# Two streams of one file, line by line.
events = [{"timestamp": 1795244518000 + i, "logStreamName": f"s{i % 2}/x",
           "message": m} for i, m in enumerate(
               m for pair in zip(["a broke", *TRACE], ["b broke", *TRACE])
               for m in pair)]
tap.write(f"{root}/in/a.log", json.dumps({"events": events}))
out = tap.folder()
telltale("replay", "--out", out, f"{root}/in")
docs = sorted(d["_source"]["message"] for d in
              tap.ndjson(os.path.join(out, "logs.ndjson")))
same(docs, ["\n".join([w, *TRACE]) for w in ("a broke", "b broke")],
     "streams that are interleaved do not mix")
tap.done()
