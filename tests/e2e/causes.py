#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is said to co-occur with a finding, in made-up services whose cause is
known; and that it does not depend on how the records were read.
"""
import json
import random
import shutil
import tap
from tap import ok, same, write

T0 = 1795244400  # 2026-11-21T07:00:00Z
SECONDS = 1800   # of traffic; what goes wrong does so in the second half
ONSET = SECONDS // 2


class Log:
    """One stream of a group as CloudWatch answers, with combined lines."""

    def __init__(self, group, task):
        self.stream = f"app/{group}/{task}"
        self.events = []

    def line(self, at, text):
        self.events.append((at, text))

    def request(self, at, request, status, took=None, peer="203.0.113.9"):
        when = f"21/Nov/2026:07:{int(at) // 60:02d}:{int(at) % 60:02d} +0000"
        tail = f' "-" "curl/8" {took:.3f}' if took is not None else ""
        self.line(at, f'{peer} - - [{when}] "{request} HTTP/1.1" {status} 5'
                      f'{tail}')


def put(root, *logs):
    """One file a stream, as FilterLogEvents answers."""
    for log in logs:
        name = log.stream.replace("/", "-")
        log.events.sort(key=lambda e: e[0])
        write(f"{root}/{name}.json", json.dumps({"events": [
            {"timestamp": round((T0 + at) * 1000), "message": text,
             "logStreamName": log.stream, "eventId": f"{name}{i}"}
            for i, (at, text) in enumerate(log.events)]}))


def findings(root, *options):
    return tap.replay(*options, root)["findings"]


def one(name, root, rule):
    found = [f for f in findings(root) if f["rule"]["id"] == rule]
    same(len(found), 1, f"{name}: {rule} once")
    return found[0] if found else None


def causes(f):
    return f["telltale"]["finding"]["causes"]


def steady(rng, rate):
    """Times of requests, so many a second."""
    at = 1.0
    while at < SECONDS - 10:
        yield at
        at += 0.01 + rng.expovariate(rate)


def two_tasks():
    """One of two tasks answers 404, without a line that says why."""
    rng = random.Random(1)
    tasks = [Log("cart", "11111111111111111111111111111111"),
             Log("cart", "22222222222222222222222222222222")]
    for at in steady(rng, 1):
        k = rng.randrange(2)
        tasks[k].line(at - 0.02, f"Looking up cart {rng.randrange(999)}")
        bad = k == 1 and at > ONSET
        tasks[k].request(at, "GET /cart/items", 404 if bad else 200)
    root = tap.folder()
    put(root, *tasks)
    f = one("two tasks", root, "not-found")
    same([(c["kind"], c["text"], c["places"], c["since"]) for c in causes(f)],
         [("place", "task 22222222222222222222222222222222", 2, False)],
         "two tasks: the one that is broken, and no line")
    out = tap.telltale("replay", "--color", "never", root).text
    ok("no template stands out, of 1 in " in out,
       "two tasks: said that no template stands out", out)
    ok("in task 22222222 (1 of 2 tasks), 0 of the " in out,
       "two tasks: said which of how many", out)
    return root


def deployed():
    """A new version has lost a route; its banner is all that says so."""
    rng = random.Random(2)
    log = Log("shop", "33333333333333333333333333333333")
    for at in steady(rng, 1):
        log.line(at - 0.02, f"Handling {rng.randrange(9999)}")
        log.request(at, "GET /shop/offers", 404 if at > ONSET else 200)
        if rng.random() < 0.05:
            log.line(at + 0.01, "Cache refreshed")
    log.line(ONSET - 2, "Starting shop 2.0 on port 8080")
    root = tap.folder()
    put(root, log)
    f = one("deployed", root, "not-found")
    same([(c["kind"], c["template"], c["a"], c["c"]) for c in causes(f)],
         [("onset", "Starting shop <n> on port <n>", 1, 0)],
         "deployed: the banner")
    ok("“Starting shop 2.0 on port 8080” was logged for the first time "
       in f["event"]["reason"], "deployed: said in the sentence", f["event"])
    return root


def tracebacks():
    """An exception behind the access line belongs to the request."""
    rng = random.Random(3)
    log = Log("users", "44444444444444444444444444444444")
    for at in steady(rng, 1):
        bad = at > ONSET and rng.random() < 0.5
        log.request(at, "GET /users/me", 404 if bad else 200)
        if bad:
            for i, text in enumerate(
                    ["Traceback (most recent call last):",
                     '  File "users.py", line 7, in get',
                     f"KeyError: 'user{rng.randrange(999)}'"]):
                log.line(at + 0.001 * (i + 1), text)
    root = tap.folder()
    put(root, log)
    f = one("tracebacks", root, "not-found")
    same([(c["kind"], c["template"], c["b"], c["c"]) for c in causes(f)],
         [("line", "KeyError: 'user<n>'", 0, 0)], "tracebacks: what was thrown")
    return root


def throttled():
    """A table one hop down is out of units; the frontend logs nothing of it."""
    rng = random.Random(4)
    front = Log("frontend", "55555555555555555555555555555555")
    catalog = Log("catalog", "66666666666666666666666666666666")
    documents = []
    for at in steady(rng, 0.08):
        bad = at > ONSET and rng.random() < 0.6
        took = rng.uniform(1.5, 3) if bad else rng.uniform(0.04, 0.09)
        trace = f"1-{T0 + int(at):08x}-{rng.getrandbits(96):024x}"
        ids = [f"{rng.getrandbits(64):016x}" for _ in range(4)]
        began = at - took
        table = {"id": ids[3], "name": "DynamoDB", "namespace": "aws",
                 "start_time": T0 + began + 0.01, "end_time": T0 + at - 0.01,
                 "aws": {"operation": "GetItem", "table_name":
                         "ProductCatalog", "retries": 4 if bad else 0}}
        if bad:
            table["throttle"] = table["error"] = True
        request = {"method": "POST", "url": "http://shop.example/buy"}
        documents.append({
            "id": ids[0], "trace_id": trace, "name": "frontend",
            "start_time": T0 + began, "end_time": T0 + at,
            "http": {"request": request, "response": {"status": 200}},
            "subsegments": [{"id": ids[1], "name": "catalog",
                             "namespace": "remote",
                             "start_time": T0 + began + 0.001,
                             "end_time": T0 + at - 0.001}]})
        documents.append({
            "id": ids[2], "trace_id": trace, "parent_id": ids[1],
            "name": "catalog", "start_time": T0 + began + 0.002,
            "end_time": T0 + at - 0.002,
            "http": {"request": {"method": "GET",
                                 "url": "http://catalog/product/7"},
                     "response": {"status": 200}},
            "subsegments": [table]})
        front.line(began + 0.0005, f"Buying {rng.randrange(99)}")
        front.request(at, "POST /buy", 200)
        catalog.line(began + 0.003, "Product asked for")
        if bad:
            catalog.line(began + 0.4, "ProvisionedThroughputExceeded, waiting "
                                      f"{rng.randrange(50, 400)} ms")
        catalog.request(at - 0.002, "GET /product/7", 200)
    root = tap.folder()
    put(root, front, catalog)
    write(f"{root}/segments.ndjson",
          "".join(json.dumps(d) + "\n" for d in documents))
    f = next(x for x in findings(root) if x["rule"]["id"] == "slow-post"
             and x["service"]["name"] == "frontend")
    first = causes(f)[0]
    same((first["kind"], first["template"], first["service"], first["b"],
          first["c"]),
         ("line", "ProvisionedThroughputExceeded, waiting <n> ms", "catalog",
          0, 0), "throttled: the line one hop down, in all and no other")
    alone = tap.folder()
    put(alone, front)
    write(f"{alone}/segments.ndjson",
          "".join(json.dumps(d) + "\n" for d in documents))
    f = next(x for x in findings(alone) if x["rule"]["id"] == "slow-post")
    first = causes(f)[0]
    same((first["kind"], first["service"], first["b"], first["c"]),
         ("call", "catalog", 0, 0), "throttled: without its log, the call")
    ok(first["text"].startswith("DynamoDB GetItem on ProductCatalog, "),
       "throttled: of the table, and how it went", first)
    return root


STEPS = ["Card checked", "Limit not reached", "Address is known", "No voucher",
         "Asked the bank", "Bank has answered", "Mail queued", "Points added",
         "Stock was taken", "Invoice number is drawn", "Basket emptied",
         "Session kept"]


def chance():
    """Slow for no reason that the log knows: nothing is blamed."""
    rng = random.Random(5)
    log = Log("pay", "77777777777777777777777777777777")
    for at in steady(rng, 1):
        bad = at > ONSET and rng.random() < 0.5
        for k in range(12):
            if rng.random() < 0.3:
                log.line(at - 0.03 + 0.001 * k, STEPS[k])
        log.request(at, "POST /pay", 404 if bad else 200)
    root = tap.folder()
    put(root, log)
    f = one("chance", root, "not-found")
    same(causes(f), [], "chance: no cause")
    same(f["telltale"]["finding"]["compared"]["templates"], 12,
         "chance: of all steps")
    return root


def elsewhere():
    """What a service waits for says why in a log of its own, without traces;
    a third one prints what it always prints, and something new, once."""
    rng = random.Random(6)
    front = Log("front", "88888888888888888888888888888888")
    db = Log("db", "99999999999999999999999999999999")
    mail = Log("mail", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
    for at in steady(rng, 1):
        bad = at > ONSET
        front.line(at - 0.02, "Order taken")
        front.request(at, "POST /orders", 200, 1.5 if bad else 0.02)
        if bad:
            db.line(at - 1.4, f"pool exhausted, {rng.randrange(99)} waiting")
        db.line(at, "commit")
        mail.line(at, f"Sent {rng.randrange(9999)}")
    mail.line(ONSET - 1, "Template reloaded")
    root = tap.folder()
    put(root, front, db, mail)
    f = one("elsewhere", root, "slow-post")
    same([(c["kind"], c["service"], c["template"]) for c in causes(f)],
         [("elsewhere", "db", "pool exhausted, <n> waiting")],
         "elsewhere: the other's line that began then")
    ok("; db began to log “pool exhausted, " in f["event"]["reason"],
       "elsewhere: said in the sentence", f["event"])
    out = tap.telltale("replay", "--color", "never", root).text
    ok("as the first of these began" in " ".join(out.split()),
       "elsewhere: said in the report", out)
    return root


def one_cell():
    """All that is bad came within ten seconds: three of it are shown."""
    rng = random.Random(7)
    till = Log("till", "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb")
    for at in steady(rng, 2):
        if at < ONSET or at > ONSET + 10:
            till.request(at, "GET /cart", 200)
    for i in range(40):
        till.request(ONSET + 1 + i / 5, "GET /cart", 500)
    root = tap.folder()
    write(f"{root}/till.log", "".join(
        f"{text}\n" for _, text in sorted(till.events, key=lambda e: e[0])))
    f = one("one cell", root, "server-error")
    with open(f"{root}/till.log", encoding="utf-8") as lines:
        bad = [i for i, l in enumerate(lines, 1) if " 500 " in l]
    same([e["line"] for e in f["telltale"]["finding"]["evidence"]], bad[:3],
         "one cell: three references, the first ones")
    return root


def same_everywhere(roots):
    """Threads, blocks, the order of the paths and joined files do not show."""
    for name, root in roots.items():
        want = findings(root)
        for options in (["--threads", "1", "--block-size", "4k"],
                        ["--threads", "4", "--block-size", "1M"]):
            same(findings(root, *options), want, f"{name}: {options}")
    root = tap.folder()
    for name, one_root in roots.items():
        shutil.copytree(one_root, f"{root}/{name}")
    # What began elsewhere, too, is of a larger world then.
    whole = {f["event"]["id"]: [c for c in causes(f)
                                if c["kind"] != "elsewhere"]
             for f in findings(root)}
    for name, one_root in roots.items():
        for f in findings(one_root):
            same(whole[f["event"]["id"]],
                 [c for c in causes(f) if c["kind"] != "elsewhere"],
                 f"{name}: the same among the others")


same_everywhere({f.__name__: f() for f in
                 (two_tasks, deployed, tracebacks, throttled, chance, elsewhere,
                  one_cell)})
tap.done()
