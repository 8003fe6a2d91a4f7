#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs every command in turns, takes the least times, prints the ratios beside
their bars.  Started by bench/run.sh.

CPU seconds are user and system time of all processes of a command; a busy
neighbour changes them little, and both sides of a ratio meet the same one.
Only the row about two cores is of wall time, and wants a quiet machine.  Slow
yardsticks get the first megabytes of a file: ratios to them are of bytes a
second."""
import collections
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import time

import bulk

DIR = os.environ["BENCH_DIR"]
RUNS = int(os.environ["BENCH_RUNS"])
DATA = os.path.join(DIR, "data")
RESULTS = "bench/RESULTS.md"
OURS = "build/release/telltale"
NOISAL = "build/noisal/telltale"
HEAD = 20_000_000     # bytes for the slow ones
EXACT = 10_000_000    # bytes whose every document is compared
SLOW_MS = 50          # that a slow server takes for an answer

EXPORT = os.path.join(DATA, "export")
GZ = sorted(glob.glob(EXPORT + "/**/*.gz", recursive=True))
PLAIN = os.path.join(DATA, "plain.log")
BODIES = os.path.join(DIR, "bodies")
HOSTILE = os.path.join(DATA, "hostile.log")
SEGMENTS = os.path.join(DATA, "segments.ndjson")
INTERLEAVED = os.path.join(DATA, "interleaved.ndjson")
INTERLEAVED_TRACES = 1_000_000
POSTS = 'http.method = "POST"'
JQ_POSTS = 'select(.http.request.method == "POST") | .trace_id'
BY_STATUS = '{n[$9]++} END {for (k in n) print k, n[k]}'
BY_BOTH = '{n[$9 " " $7]++} END {for (k in n) print k, n[k]}'
SIX_FIELDS = ('[.id, .trace_id, .name, .start_time, .end_time,'
              ' .http.response.status] | @tsv')

Figure = collections.namedtuple("Figure", "cpu wall rss size")


def head(path, size):
    """The first whole lines of a file, kept beside it."""
    out = f"{path}.{size}"
    if not os.path.exists(out):
        with open(path, "rb") as f, open(out, "wb") as to:
            for line in f:
                size -= len(line)
                if size < 0:
                    break
                to.write(line)
    return out


def size_of(paths):
    return sum(os.path.getsize(p) for p in paths)


def ours(*args, program=OURS):
    return [program, "replay", "--quiet", "--color", "never", *args]


def query(*args):
    return [OURS, "query", "--quiet", "--threads", "1", *args]


def cases():
    """Name: command and the bytes it reads, unpacked."""
    plain_head, segments_head = head(PLAIN, HEAD), head(SEGMENTS, HEAD)
    lines = size_of([os.path.join(DATA, "export.txt")])
    c = {
        "zcat export": (["zcat", *GZ], lines),
        "zcat plain": (["zcat", PLAIN + ".gz"], size_of([PLAIN])),
        "mawk status": (["mawk", BY_STATUS, PLAIN], size_of([PLAIN])),
        "mawk status, path": (["mawk", BY_BOTH, PLAIN], size_of([PLAIN])),
        "jq": (["jq", "-r", SIX_FIELDS, segments_head],
               size_of([segments_head])),
        "jq, posts": (["jq", "-r", JQ_POSTS, segments_head],
                      size_of([segments_head])),
        "yyjson": ([DIR + "/yyjson_loop", SEGMENTS], size_of([SEGMENTS])),
        "export": (ours("--threads", "1", EXPORT), lines),
        "export, zlib, PCRE2": (
            ours("--threads", "1", "--pcre2", EXPORT, program=NOISAL), lines),
        "export, 2 threads": (ours("--threads", "2", EXPORT), lines),
        "plain": (ours("--threads", "1", PLAIN), size_of([PLAIN])),
        "hostile": (ours("--threads", "1", HOSTILE), size_of([HOSTILE])),
        "segments": (ours("--threads", "1", SEGMENTS), size_of([SEGMENTS])),
        "traces": ([OURS, "map", "--quiet", "--json", "--threads", "1",
                    SEGMENTS], size_of([SEGMENTS])),
        "query, posts": (query("--csv", POSTS, SEGMENTS),
                         size_of([SEGMENTS])),
        "a million traces": (
            query("--json", "--limit", "1", 'service("back")', INTERLEAVED),
            size_of([INTERLEAVED])),
    }
    if shutil.which("goaccess"):
        c["goaccess"] = (goaccess(plain_head), size_of([plain_head]))
    return c


def goaccess(path):
    return ["goaccess", path, "--log-format=COMBINED", "--no-progress",
            "--ignore-panel=GEO_LOCATION", "-o", DIR + "/goaccess.json"]


def run(command, size, ready=None):
    """`ready` waits until a daemon has done its work, and may be ended."""
    start = time.monotonic()
    p = subprocess.Popen(command, stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL)
    if ready:
        ready(p)
        p.terminate()
    _, status, u = os.wait4(p.pid, 0)
    p.returncode = os.waitstatus_to_exitcode(status)
    if p.returncode != 0:
        sys.exit(f"exit status {p.returncode}: {' '.join(command)}")
    return Figure(u.ru_utime + u.ru_stime, time.monotonic() - start,
                  u.ru_maxrss / 1024, size)


def to_bulk(mock, path):
    return ours("--threads", "1", "--es", mock.url, path)


def record_bodies():
    """What an archive is to Elasticsearch, in BODIES; how many documents."""
    with bulk.Mock("-r", BODIES) as mock:
        run(to_bulk(mock, EXPORT), 0)
    return mock.counts["documents"]


def to_files(out, size):
    shutil.rmtree(out, ignore_errors=True)
    figure = run(ours("--threads", "1", "--out", out, EXPORT), size)
    shutil.rmtree(out)
    return figure


def posting(command, size, documents, *options):
    """A sender to a mock; it counts if all has come, and nothing twice."""
    with bulk.Mock(*options) as mock:
        figure = run(command(mock), size)
    if documents and mock.counts["documents"] != documents:
        sys.exit(f"{mock.counts}: not {documents} documents")
    return figure


def sent_by(make, path):
    with open(path, "rb") as f:
        lines = sum(1 for _ in f)
    with bulk.Mock() as mock:
        figure = run(bulk.daemon(make, path, mock.port), size_of([path]),
                     lambda p: mock.wait(lines, p))
    if mock.counts["documents"] != lines:
        sys.exit(f"{mock.counts}: not {lines} documents")
    return figure


def bulk_cases(documents):
    """Name: a function that measures it."""
    size = size_of([os.path.join(DATA, "export.txt")])
    path = head(PLAIN, HEAD)
    loop = [DIR + "/bulk_loop"]
    out = os.path.join(DIR, "documents")
    c = {
        "export, --out": lambda: to_files(out, size),
        "export to _bulk": lambda: posting(
            lambda mock: to_bulk(mock, EXPORT), size, documents),
        "export to a slow _bulk": lambda: posting(
            lambda mock: to_bulk(mock, EXPORT), size, documents, "-d",
            str(SLOW_MS)),
        "loop to _bulk": lambda: posting(
            lambda mock: loop + [str(mock.port), BODIES], size, documents),
        "plain to _bulk": lambda: posting(
            lambda mock: to_bulk(mock, path), size_of([path]), None),
    }
    for name, make in bulk.daemons().items():
        c[name + " to _bulk"] = lambda m=make: sent_by(m, path)
    return c


def all_cases():
    for name, (command, size) in cases().items():
        yield name, lambda c=command, s=size: run(c, s)
    yield from bulk_cases(record_bodies()).items()


def measure():
    """The least times of RUNS rounds, and the most memory; one round is every
    command once.  Other work on the machine makes a run longer, never shorter,
    and hurts what waits for memory more than what computes."""
    all_runs = collections.defaultdict(list)
    commands = dict(all_cases())
    for i in range(RUNS):
        for name, case in commands.items():
            print(f"\rround {i + 1} of {RUNS}: {name:<24}", end="",
                  file=sys.stderr)
            all_runs[name].append(case())
    print(f"\r{'':48}\r", end="", file=sys.stderr)
    return {name: Figure(min(r.cpu for r in runs), min(r.wall for r in runs),
                         max(r.rss for r in runs), runs[0].size)
            for name, runs in all_runs.items()}


def replay_json(path, *options):
    return json.loads(subprocess.check_output(ours("--json", *options, path)))


def output(command):
    return subprocess.check_output(command, text=True)


def check_status():
    """Classes of status: all requests of the plain file, and mawk's."""
    mawk = collections.Counter()
    for line in output(["mawk", BY_STATUS, PLAIN]).splitlines():
        status, n = line.split()
        mawk[status[0] + "xx"] += int(n)
    mine = collections.Counter()
    for service in replay_json(PLAIN, "--probes", "keep")["services"]:
        for route in service["routes"]:
            mine.update(route["status"])
            # A roll-up holds probes apart; these all succeed.
            mine["2xx"] += route["probes"]
    return mine == mawk, f"{sum(mawk.values())} requests by class of status"


def check_paths():
    """Every document of the first lines, by status and path."""
    path, out = head(PLAIN, EXACT), os.path.join(DIR, "documents")
    shutil.rmtree(out, ignore_errors=True)
    subprocess.run(ours("--probes", "keep", "--out", out, path), check=True,
                   stdout=subprocess.DEVNULL)
    mine = collections.Counter()
    for name in glob.glob(out + "/*request*"):
        with open(name, encoding="utf-8") as f:
            for line in f:
                d = json.loads(line)["_source"]
                status = d["http"]["response"]["status_code"]
                mine[f'{status} {d["url"]["original"]}'] += 1
    shutil.rmtree(out)
    mawk = collections.Counter()
    for line in output(["mawk", BY_BOTH, path]).splitlines():
        key, n = line.rsplit(" ", 1)
        mawk[key] += int(n)
    return mine == mawk, f"{len(mawk)} pairs of status and path"


def requests_of(result):
    return result["accounting"]["request"]["read"]


def check_goaccess():
    path = head(PLAIN, HEAD)
    subprocess.run(goaccess(path), check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    with open(DIR + "/goaccess.json", encoding="utf-8") as f:
        general = json.load(f)["general"]
    mine = requests_of(replay_json(path))
    return (general["valid_requests"] == mine and
            general["failed_requests"] == 0), f"{mine} requests as GoAccess"


def check_segments():
    path = head(SEGMENTS, HEAD)
    jq = output(["jq", "-r", SIX_FIELDS, path]).count("\n")
    mine = replay_json(path)["accounting"]["all"]["read"]
    whole = replay_json(SEGMENTS)["accounting"]["all"]["read"]
    yyjson = int(output([DIR + "/yyjson_loop", SEGMENTS]).split()[0])
    return jq == mine and whole == yyjson, f"{whole} segments"


def check_posts():
    """The ids that an expression finds, and jq's; every generated segment is
    the root of its trace."""
    path = head(SEGMENTS, HEAD)
    jq = output(["jq", "-r", JQ_POSTS, path]).split()
    rows = output(query("--csv", POSTS, path)).splitlines()[1:]
    mine = [row.split(",")[1] for row in rows]
    return sorted(jq) == sorted(mine), f"{len(mine)} traces that are POSTs"


def check_interleaved():
    """Every trace is whole: the front, and the back that it called."""
    edge = query("--json", "--limit", "1", 'edge("front", "back")',
                 INTERLEAVED)
    found = json.loads(output(edge))["matched"]
    return found == INTERLEAVED_TRACES, f"{found} interleaved traces"


def check_export():
    """The same findings from one and from two threads."""
    a = output(ours("--threads", "1", EXPORT))
    b = output(ours("--threads", "2", EXPORT))
    return a == b, "the same report from 1 and 2 threads"


def check_bulk():
    """What comes to _bulk is what --out writes, byte for byte."""
    path, out = head(PLAIN, EXACT), os.path.join(DIR, "documents")
    shutil.rmtree(out, ignore_errors=True)
    run(ours("--out", out, path), 0)
    written = collections.Counter()
    for name in glob.glob(out + "/*.ndjson"):
        with open(name, "rb") as f:
            written.update(line.partition(b',"_source":')[2][:-2]
                           for line in f)
    shutil.rmtree(out)
    with bulk.Mock("-r", BODIES) as mock:
        run(to_bulk(mock, path), 0)
    sent = collections.Counter(bulk.sources(BODIES))
    n = mock.counts["documents"]
    return sent == written and mock.counts["ids"] == n == sent.total(), \
        f"{n} documents as bytes to _bulk and by --out"


def check_answers():
    checks = [check_status, check_paths, check_bulk, check_segments, check_posts,
              check_interleaved, check_export]
    if shutil.which("goaccess"):
        checks.append(check_goaccess)
    good = True
    for check in checks:
        right, what = check()
        good = good and right
        print(f"{'equal' if right else 'NOT EQUAL'}: {what}")
    return good


def evaluations():
    """Of the lab's expression, the first that is measured, in millions a CPU
    second."""
    return float(output([DIR + "/bench_query"]).split()[0])


def store():
    """Of a million traces: inserted a CPU second, and the milliseconds that
    the lab's expression takes over one hour of them."""
    path = os.path.join(DIR, "bench.db")
    text = output([DIR + "/bench_store", path])
    os.unlink(path)
    return [float(re.search(pattern, text)[1])
            for pattern in (r": (\d+) a second", r" in ([0-9.]+) ms")]


def rows(f):
    """Claim, figure, bar, reach; a figure of memory is to be below."""
    def faster(a, b):
        return (f[b].cpu / f[b].size) / (f[a].cpu / f[a].size)

    yield "export gz, × zcat", faster("export", "zcat export"), 2.0, 3.0
    yield ("export gz with zlib and PCRE2, × zcat",
           faster("export, zlib, PCRE2", "zcat export"), 1.0, 1.3)
    yield ("8 files on 2 cores, × one (wall)",
           f["export"].wall / f["export, 2 threads"].wall, 1.8, 1.95)
    yield "plain text, × zcat", faster("plain", "zcat plain"), 4.0, 5.0
    yield ("plain text, × mawk by status and path",
           faster("plain", "mawk status, path"), 3.0, None)
    yield ("plain text, × mawk by status",
           faster("plain", "mawk status"), None, None)
    if "goaccess" in f:
        yield "plain text, × GoAccess", faster("plain", "goaccess"), 100, 140
    yield "segments, × bare yyjson", faster("segments", "yyjson"), 0.4, 0.8
    yield "segments, × jq", faster("segments", "jq"), 12, 25
    yield ("segments to traces and their map, × bare yyjson",
           faster("traces", "yyjson"), 0.25, 0.5)
    yield ("traces by an expression, × jq",
           faster("query, posts", "jq, posts"), 10, 25)
    yield ("the lab's expression: million traces evaluated a second",
           evaluations(), 5, None)
    inserted, asked = store()
    yield ("store: thousand traces with segments inserted a second, of a "
           "million", inserted / 1000, 100, 200)
    yield ("store: the lab's expression over one hour of a million traces, "
           "ms", asked, -50, -10)
    yield from bulk_rows(f, faster)
    yield "hostile lines, × plain", faster("hostile", "plain"), 0.5, 0.8
    for name in ("export", "plain", "hostile", "segments"):
        yield f"{name}: MiB resident", f[name].rss, -64, -32
    # Beside what is open: 64 MiB of documents, the budget of traces.h.
    yield "a million interleaved traces: MiB resident", \
        f["a million traces"].rss, -128, None
    yield "export, 2 threads: MiB resident", f["export, 2 threads"].rss, -64, \
        -32


def bulk_rows(f, faster):
    yield ("archive to _bulk, × a bare loop that posts the same bodies",
           faster("export to _bulk", "loop to _bulk"), 0.27, 0.6)
    yield ("archive to _bulk, × the same loop (wall)",
           f["loop to _bulk"].wall / f["export to _bulk"].wall, None, None)
    yield ("archive to _bulk, × --out of the same documents",
           faster("export to _bulk", "export, --out"), None, None)
    yield ("plain text to _bulk, × rsyslog",
           faster("plain to _bulk", "rsyslog to _bulk")
           if "rsyslog to _bulk" in f else None, 8, None)
    for name in ("export to _bulk", "export to a slow _bulk"):
        yield f"{name}: MiB resident", f[name].rss, -64, -48


def recorded():
    """The figures of the last record, by claim."""
    if not os.path.exists(RESULTS):
        return {}
    with open(RESULTS, encoding="utf-8") as f:
        cells = re.findall(r"^\| ([^|]+) \| ([0-9.]+) \|", f.read(), re.M)
    return {claim.strip(): float(figure) for claim, figure in cells}


def met(figure, bar):
    return bar is None or (figure >= bar if bar > 0 else figure <= -bar)


def bound(bar):
    if bar is None:
        return "–"
    return f"≥ {bar}" if bar > 0 else f"≤ {-bar}"


def table(figures):
    last = recorded()
    lines = ["| claim | figure | bar | reach | last |", "|---|---|---|---|---|"]
    for claim, figure, bar, reach in rows(figures):
        if figure is None:
            lines.append(f"| {claim} | not here | {bound(bar)} | – | – |")
            continue
        before = f"{last[claim]:.2f}" if claim in last else "–"
        mark = "" if met(figure, bar) else " **missed**"
        lines.append(f"| {claim} | {figure:.2f} | {bound(bar)}{mark} |"
                     f" {bound(reach)} | {before} |")
    return "\n".join(lines)


def seconds(figures):
    lines = ["| command | CPU s | wall s | MB/CPU s |", "|---|---|---|---|"]
    for name, f in figures.items():
        lines.append(f"| {name} | {f.cpu:.3f} | {f.wall:.3f} |"
                     f" {f.size / 1e6 / f.cpu:.0f} |")
    return "\n".join(lines)


def record(text):
    """Puts the tables between the marks of RESULTS.md."""
    begin, end = "<!-- measured -->\n", "<!-- end -->\n"
    with open(RESULTS, encoding="utf-8") as f:
        before, rest = f.read().split(begin)
    with open(RESULTS, "w", encoding="utf-8") as f:
        f.write(before + begin + text + end + rest.split(end)[1])


def main():
    # First: a command's memory counts from what this program had before.
    figures = measure()
    equal = check_answers()
    shown = table(figures)
    load = " ".join(f"{x:.1f}" for x in os.getloadavg())
    print(f"\n{shown}\n\n{seconds(figures)}\n\nload of the machine: {load}")
    if not equal:
        sys.exit("answers differ: no figure counts")
    if sys.argv[1:] == ["-record"]:
        lines = size_of([PLAIN]) // 1_000_000
        record(f"\n{lines} MB of each kind, the least of {RUNS} runs,"
               f" {os.cpu_count()} cores, load {load}.\n\n{shown}\n\n"
               f"{seconds(figures)}\n\n")


if __name__ == "__main__":
    main()
