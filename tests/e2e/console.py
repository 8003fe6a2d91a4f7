#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The console: exit statuses, words on stderr, results on stdout."""
import json
import os
import pty
import re
import signal
import subprocess
import time

from tap import CORPUS, TELLTALE, done, folder, ok, same, skip, write

LIKE = os.path.join(CORPUS, "like-service", "python2-2019")
HAVE = os.path.isdir(LIKE)
ARCHIVE = [os.path.join(LIKE, "logs", "s3-export"),
           os.path.join(LIKE, "xray", "segments.ndjson")]


def run(*args, env=None, **more):
    more.setdefault("stdout", subprocess.PIPE)
    return subprocess.run([TELLTALE, *args], stderr=subprocess.PIPE,
                          stdin=subprocess.DEVNULL, timeout=60,
                          env={**os.environ, **(env or {})}, **more)


USAGE = [
    (["rpelay"], "there is no command 'rpelay'; did you mean 'replay'?"),
    (["xyzzy"], "there is no command 'xyzzy'; 'telltale help' lists them"),
    (["replay"], "replay: a PATH is missing: files, directories, or - for "
     "standard input; see 'telltale help replay'"),
    (["replay", "--jsn", "."], "replay: there is no option --jsn; did you "
     "mean --json?; see 'telltale help replay'"),
    (["replay", "--rule", "slow", "."], "replay: --rule: there is no rule "
     "'slow'; did you mean 'slow-post'?; see 'telltale help replay'"),
    (["replay", "--json", "--ndjson", "."], "replay: --json, --ndjson "
     "and --print-alerts exclude each other; see 'telltale help replay'"),
    (["replay", "--service-name", "x", "."], "replay: --service-name: 'x' is "
     "not GROUP=NAME; see 'telltale help replay'"),
    (["replay", "--since", "2020-01-02", "--until", "2020-01-01", "."],
     "replay: --since is not before --until: nothing is between them; see "
     "'telltale help replay'"),
    (["replay", "--dialect", "/nonexistent", "."], None),
    (["completion", "tcsh"], "completion: one shell is expected: bash, fish "
     "or zsh; see 'telltale help completion'"),
]
SAID = [  # a part of what is said
    (["replay", "--threads", "257", "."], "expected 0 to 256"),
    (["replay", "--block-size", "2M", "."], "expected 1 to 1048576 bytes"),
    (["replay", "--max-ratio", "9" * 30, "."], "is not a whole number"),
    (["replay", "--width", "5", "."], "expected 40 to 400"),
    (["replay", "--last", "0s", "."], "is too short, expected at least 1 s"),
    (["replay", "--store", "x", "--store-max", "1", "."],
     "expected at least 1048576 bytes"),
    (["replay", "--store-keep", "5s", "."], "--store is missing"),
    (["query", "--limit", "0", "", "."], "expected 1 to 1000000000"),
    (["replay", "--out", "", "."], "--out: its DIR is empty"),
    (["replay", "--store", "", "."], "--store: its FILE is empty"),
    (["replay", "--service=", "."], "--service: its NAME is empty"),
    (["replay", "--probe-agent", "", "."], "--probe-agent: its PREFIX is "),
    (["replay", "--service-name", "=x", "."], "'=x' is not GROUP=NAME"),
    (["replay", "--color=", "."], "expected auto, always or never"),
    (["query", "--store", "", ""], "--store: its FILE is empty"),
    (["trace", "", "."], "'' is no trace id"),
    (["map", "--node", "", "--series", "1m", "."], "--node: its NAME is "),
    (["group", "add", "", "ok"], "Invalid group name"),
    (["replay", "--explain-input", "--json", "."], "does not replay"),
    (["query", "--check", "--explain-sql", "ok"], "exclude each other"),
    (["query", "--explain-es", "--explain-sql", "ok"], "exclude each other"),
    (["query", "--findings", "--requests", "", "."], "exclude each other"),
    (["map", "--json", "--dot", "."], "exclude each other"),
    (["map", "--store", "x", "."], "exclude each other"),
    (["replay", "-x.log"], "there is no option -x"),
    (["replay", "--x.log"], "there is no option --x.log"),
]
for args, words in SAID:
    r = run(*args)
    ok(r.returncode == 64 and r.stdout == b"" and
       words in r.stderr.decode() and r.stderr.count(b"\n") == 1,
       f"usage: {' '.join(args)[:60]}", f"{r.returncode} {r.stderr.decode()}")
r = run("replay", "")
ok(r.returncode == 66 and r.stderr == b"telltale: : the path is empty\n",
   "an empty path is said to be empty", r.stderr)
dashed = folder()
write(f"{dashed}/-x.log", '10.0.0.1 - - [21/Nov/2026:06:00:00 +0000] '
      '"GET /x HTTP/1.1" 200 5\n')
for args in (["--json", "--", "-x.log"], ["./-x.log", "--json"]):
    r = subprocess.run([os.path.abspath(TELLTALE), "replay", *args],
                       cwd=dashed, stdout=subprocess.PIPE)
    same(json.loads(r.stdout)["accounting"]["request"]["stored"], 1,
         f"a path that begins with a dash: {' '.join(args)}")
for args in [["--since", "2026-11-21T06:59:00Z", "--last", "10m"],
             ["--since", "2026-11-21T06:40:00Z", "--last", "2m"]]:
    r = run("replay", "--json", *args, "demo/like-service")
    first = json.loads(r.stdout)["first"]
    ok("2026-11-21T06:59:" <= first, f"the later begin counts: {args}", first)
for args, words in USAGE:
    r = run(*args)
    ok(r.returncode == 64 and r.stdout == b"" and
       (words is None or r.stderr.decode() == f"telltale: {words}\n"),
       f"usage: {' '.join(args)}", f"{r.returncode} {r.stderr.decode()}")

for args in (["--version"], ["--help"], ["help"], ["help", "replay"],
             ["replay", "--help"], ["components"], ["completion", "fish"]):
    r = run(*args)
    ok(r.returncode == 0 and r.stdout and not r.stderr,
       f"stdout alone and status 0: {' '.join(args)}", r.stderr.decode())
same(json.loads(run("components", "--json").stdout)["schema"], "telltale/1",
     "components --json is one object")
same(subprocess.run(["bash", "-n"], input=run("completion", "bash").stdout)
     .returncode, 0, "bash accepts its completion")

r = run("replay", "/nonexistent/\x1b[31mred")
ok(r.returncode == 66 and b"\x1b" not in r.stdout + r.stderr and
   b"\\x1b[31mred: No such file or directory" in r.stderr,
   "a missing input is status 66, and its escapes are shown", r.stderr)

DEMO = "demo/like-service"
# A program has one name, whichever of its two signals was given it.
plain = run("replay", DEMO).stdout.decode()
for group in ("like", "like service"):
    r = run("replay", "--service-name", f"{group}=Like", DEMO)
    text = r.stdout.decode()
    same((r.stderr, "2,569 requests" in text, "like service\n" in text,
          text.count("CRITICAL")),
         (b"", True, False, plain.count("CRITICAL")),
         f"logs and traces of one program are one service: {group}=Like")
    j = json.loads(run("replay", "--service-name", f"{group}=Like",
                       "--service", "Like", "--json", DEMO).stdout)
    same(([s["name"] for s in j["services"]],
          [(s["name"], s["traces"]) for s in j["trace_services"]]),
         (["Like"], [("Like", 264)]), "and asked for by that name")
r = run("replay", "--service-name", "nosuch=X", DEMO)
same((r.returncode, r.stdout.decode(), r.stderr.decode()),
     (0, plain, "telltale: --service-name: no log group, stream, path or "
      "traced service is 'nosuch'\n"), "a name that is nobody's is said")

# "No findings" says what it is none of.
for args in (["--service", "like", DEMO],
             ["--service", "like", "--fail-on", "critical", DEMO],
             ["--service", "like", "--out", f"{dashed}/none", DEMO]):
    r = run("replay", *args)
    same((r.returncode, r.stdout, r.stderr.decode()),
         (64, b"", "telltale: --service: nothing is of a service 'like'; did "
          "you mean 'like service'? There are: like service, monolith\n"),
         f"a service that there is not: {' '.join(args[2:-1])}")
same(os.path.exists(f"{dashed}/none"), False, "and nothing is written for it")
r = run("replay", "--service", "x", "/nonexistent")
same((r.returncode, r.stderr.decode()),
     (64, "telltale: /nonexistent: No such file or directory\n"
      "telltale: --service: nothing is of a service 'x'; there is none\n"),
     "no service at all, and why")
write(f"{dashed}/undated.log", "".join(
    f"POST /api/orders {s} 1500.123 ms - 12\n" for s in [200] + [500] * 99))
text = run("replay", f"{dashed}/undated.log").stdout.decode()
words = " ".join(text.split())
ok("Judged 0 client requests on 1 route of 1 service by slow-post, " in words
   and "server-error" in words and "slow-request" not in words and
   "Not judged: 100 requests without a time." in text,
   "what has no time is said not to be judged, nor what is off", text)
text = run("replay", "--rule", "slow-request",
           f"{dashed}/undated.log").stdout.decode()
ok(" by slow-request: nothing" in " ".join(text.split()),
   "what is named is on, and the others are off", text)
same(json.loads(run("replay", "--json", f"{dashed}/undated.log").stdout)
     ["services"][0]["undated"], 100, "and in JSON")

if HAVE:
    r = run("replay", *ARCHIVE)
    same((r.returncode, r.stderr), (0, b""), "findings are no failure, and "
         "without a terminal there is no progress")
    wide = [x for x in r.stdout.decode().splitlines() if len(x) > 80]
    ok(wide and all(re.search(r"\.gz:\d+$", x) for x in wide),
       "a pipe gets 80 columns, and references to evidence whole", wide)
    same(run("replay", "--fail-on", "critical", *ARCHIVE).returncode, 1,
         "--fail-on is met")
    same(run("replay", "--fail-on", "critical", *ARCHIVE,
             "/nonexistent").returncode, 1,
         "--fail-on stands whatever else is missing")
    same(run("replay", "--rule", "target-health", "--fail-on", "critical",
             "/nonexistent", *ARCHIVE).returncode, 66,
         "nothing found where something is missing is no success")
    ok(b"\x1b[" in run("replay", *ARCHIVE,
                       env={"CLICOLOR_FORCE": "1"}).stdout and
       b"\x1b[" not in run("replay", *ARCHIVE,
                           env={"CLICOLOR_FORCE": "1",
                                "NO_COLOR": "1"}).stdout,
       "colour is forced and forbidden by the environment")
    ok(run("replay", *ARCHIVE, env={"LC_ALL": "C"}).stdout.isascii(),
       "without UTF-8 the report is ASCII")
    with open("/dev/full", "wb") as full:
        r = run("replay", *ARCHIVE, stdout=full)
    same((r.returncode, r.stderr), (74, b"telltale: standard output: cannot "
         b"write: No space left on device\n"), "a full disk is said")
    reader, writer = os.pipe()
    os.close(reader)
    r = run("replay", *ARCHIVE, stdout=writer)
    os.close(writer)
    same((r.returncode, r.stderr), (141, b""),
         "a reader that is gone ends it quietly")
    findings = json.loads(run("replay", "--json", *ARCHIVE).stdout)["findings"]
    lines = run("replay", "--ndjson", *ARCHIVE).stdout.decode().splitlines()
    same([json.loads(x)["_source"] for x in lines], findings,
         "--ndjson are the documents of --json's findings")
    out = os.path.join(os.environ.get("TMPDIR", "/tmp"), "console-out")
    runs = []
    for _ in range(2):
        run("replay", "--out", out, *ARCHIVE)
        runs.append({n: open(os.path.join(out, n)).read()
                     for n in sorted(os.listdir(out))})
    same(runs[0], runs[1], "--out gives the same files again")
    same(runs[0]["findings.ndjson"].splitlines(), lines,
         "findings.ndjson is what --ndjson prints")
    r = run("replay", "--out", "/dev/null", *ARCHIVE)
    ok(r.returncode == 74 and b"/dev/null: cannot be used for --out" in
       r.stderr, "--out that is no directory is said", r.stderr)
else:
    skip("the archive's report", "../shared/corpus is not here")

# Progress moves the cursor, which a dumb terminal cannot.
for name, moves in (("xterm", True), ("dumb", False)):
    ours, theirs = pty.openpty()
    subprocess.run([TELLTALE, "replay", "--json", DEMO], stderr=theirs,
                   stdout=subprocess.DEVNULL, timeout=60,
                   env={**os.environ, "TERM": name})
    os.write(theirs, b"end\n")
    said = b""
    while b"end" not in said:
        said += os.read(ours, 65536)
    os.close(ours)
    os.close(theirs)
    same(b"\x1b" in said, moves, f"progress on TERM={name}")

for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
    reader, writer = os.pipe()
    with subprocess.Popen([TELLTALE, "replay", "-"], stdin=reader,
                          stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as p:
        os.write(writer, b"one line\n")
        time.sleep(0.5)
        p.send_signal(number)
        stdout, stderr = p.communicate(timeout=30)
    os.close(reader)
    os.close(writer)
    same((p.returncode, stdout, stderr),
         (status, b"", b"telltale: interrupted: nothing is printed, since it "
          b"would not be complete\n"), f"{number.name} prints nothing found")

done()
