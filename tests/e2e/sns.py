#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""replay --alerts: every message once, whatever SNS, the network and the
machine do.

What a FIFO topic has delivered must be what an uninterrupted run publishes, in
its order, after every fault of tests/peers/sns.py, after kills at any moment
and at every call that changes something, and after a disk that fails.  Of a
standard topic the same set, and doubled only what SNS itself cannot tell.
"""
import json
import os
import re
import signal
import subprocess
import sys
import threading

import tap
from tap import ok, same, telltale

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "peers"))
import sns  # noqa: E402

ARCHIVE = "demo/like-service"
FOLDER = tap.folder()
FLAVOUR = os.path.basename(os.environ.get("BUILD", "build/release"))
if FLAVOUR in ("tsan", "noisal"):
    print("1..0 # skip one thread, and nothing that is inflated")
    sys.exit(0)
FULL = FLAVOUR in ("release", "dev")  # others try the same, less often
CONFIG = os.path.join(FOLDER, "telltale.yaml")
with open(CONFIG, "w") as f:
    f.write("alerts:\n  repeat: 1m\n  group: 0s\n")


def run(peer, *options, config=CONFIG, archive=(ARCHIVE,), **env):
    return telltale("replay", "-q", "--json", "--alerts", "--sns", peer.topic,
                    "--sns-endpoint", peer.url, "-c", config, *options,
                    *archive, env=peer.env(**env))


def printed(*options, config=CONFIG, archive=(ARCHIVE,)):
    r = telltale("replay", "-q", "--print-alerts", "-c", config, *options,
                 *archive)
    assert r.status == 0, r.err
    return [json.loads(line) for line in r.out.splitlines()]


def key(line):
    a = line["attributes"]
    return a["finding_id"], a["status"], str(a["sequence"])


def balances(n):
    return n["findings"] == (n["told"] + n["below"] + n["cooling"] +
                             n["limited"]) and \
        n["messages"] == (n["published"] + n["there"] + n["refused"] +
                          n["unsent"])


def state(name):
    return os.path.join(FOLDER, name)


WANT = [key(m) for m in printed()]
ok(len(WANT) > 20 and len(set(WANT)) == len(WANT), "the archive has many alerts",
   len(WANT))

# Without a fault: what is printed is what is published.
for fifo in (False, True):
    with sns.Peer(fifo=fifo) as peer:
        r = run(peer)
        n = r.json()["alerts"]
        same((r.status, r.err, peer.ids()), (0, "", WANT),
             f"fifo {fifo}: what is printed is published, in its order")
        same((n["messages"], n["published"], n["again"], balances(n)),
             (len(WANT), len(WANT), 0, True), "and counted")
        same(peer.bad, [], "nothing that SNS would not take")
        first = peer.delivered[0]
        a = sns.attributes(first)
        same((a["replay"], a["schema"], a["severity"], a["severity_level"],
              a["rule_id"], a["service"]),
             ("true", "telltale.alert/1", "critical", "4", "masked-failure",
              "monolith"), "with attributes, marked as replayed")
        text = json.loads(first["Message"])
        same((first["MessageStructure"], sorted(text)),
             ("json", ["default", "email", "sms"]), "people get text")
        alarm = json.loads(text["default"])
        same((alarm["NewStateValue"], alarm["Region"], alarm["AWSAccountId"]),
             ("ALARM", "EU (Ireland)", "123456789012"),
             "programs get an alarm of CloudWatch's shape")
        ok(first["Subject"].startswith('ALARM: "masked-failure: POST') and
           first["Subject"].endswith('in EU (Ireland)'), "and a subject",
           first["Subject"])
with sns.Peer() as peer:
    r = telltale("replay", "-q", "--sns", peer.topic, ARCHIVE, env=peer.env())
    same((r.status, peer.requests), (64, 0), "nothing without --alerts")
    r = run(peer, "--config", CONFIG)
    same(r.status, 0, "again")
    text = telltale("replay", "-q", "--alerts", "--sns", peer.topic,
                    "--sns-endpoint", peer.url, "--width", "200", ARCHIVE,
                    env=peer.env()).text
    ok("alerts: 3 findings = 3 told" in text and
       "3 messages = 3 published" in text and "balances" in text,
       "the report says how many", text[-600:])
    r = telltale("replay", "-q", "--alerts", "--print-alerts", "--sns",
                 peer.topic, ARCHIVE, env=peer.env(AWS_ENDPOINT_URL=peer.url))
    same((r.status, len(r.out.splitlines())), (0, 3),
         "the endpoint of the environment; printed as well")

# Every fault alone, then together.
for fault in sns.REQUEST:
    with sns.Peer(seed=3, request={fault: 0.3}, fifo=True) as peer:
        r = run(peer)
        n = r.json()["alerts"] if r.status == 0 else {}
        same((r.status, peer.ids()), (0, WANT),
             f"{fault}: nothing is lost or doubled")
        ok(peer.faults.get(fault, 0) > 3 and n.get("again", 0) > 0 and
           balances(n), f"{fault}: it happened, and the counts balance",
           (peer.faults, n))
for seed in range(6 if FULL else 1):
    with sns.Peer(seed=seed, request=dict.fromkeys(sns.REQUEST, 0.05),
                  fifo=True) as peer:
        r = run(peer)
        same((r.status, peer.ids()), (0, WANT),
             f"all faults together, seed {seed}: nothing is lost or doubled")
    with sns.Peer(seed=seed, request=dict.fromkeys(sns.REQUEST, 0.05)) as peer:
        r = run(peer)
        got = peer.ids()
        applied = sum(peer.faults.get(f, 0) for f in
                      ("applied_reset", "truncated", "garbage", "oversized",
                       "gateway"))
        same((r.status, list(dict.fromkeys(got)), len(got)),
             (0, WANT, len(WANT) + applied),
             f"a standard topic, seed {seed}: doubled is only what had no "
             "answer")

# What was published is not published again.
with sns.Peer() as peer:
    r = run(peer, "--state", state("s1"))
    same((r.status, peer.ids()), (0, WANT), "with --state: all are published")
    r = run(peer, "--state", state("s1"))
    n = r.json()["alerts"]
    same((r.status, len(peer.ids()), n["there"], n["published"]),
         (0, len(WANT), len(WANT), 0), "a second time: none of them")
    ok(balances(n), "and the counts balance", n)
    same(os.stat(state("s1")).st_mode & 0o777, 0o700, "the state is ours alone")
    r = run(peer, "--state", state("s1"), "--until", "2026-11-21T06:57:00Z")
    ok(r.json()["alerts"]["published"] == 0,
       "an earlier part of the archive has nothing new", r.json()["alerts"])

# Refused for good, and not allowed.
dead = state("dead.ndjson")
with sns.Peer(error=lambda p: (400, "InvalidParameter")
              if "not-found" in p["Subject"] else None) as peer:
    r = run(peer, "--alert-refused", dead, "--state", state("s2"))
    n = r.json()["alerts"]
    kept = [json.loads(line) for line in open(dead)]
    some = [k for k, m in zip(WANT, printed()) if "not-found" in m["subject"]]
    same((r.status, n["refused"], n["published"], balances(n)),
         (65, len(some), len(WANT) - len(some), True),
         "what is refused is counted, and the others go on")
    same([key(k) for k in kept], some, "it is kept")
    ok(all("InvalidParameter" in k["reason"] and k["message"] for k in kept)
       and dead in r.err, "with its reason", (kept[0]["reason"], r.err))
    peer.error = None
    r = run(peer, "--state", state("s2"))
    same((r.status, sorted(peer.ids())), (0, sorted(WANT)),
         "after a repair the next run publishes it")
    r = run(peer, "--alert-refused", "/nowhere/x")
    ok(r.status == 74 and "/nowhere/x: cannot write" in r.err,
       "a file that cannot be written is said first", r.err)
for error, words in (((404, "NotFound"), "NotFound"),
                     ((403, "AuthorizationError"), "AuthorizationError"),
                     ((403, "KMSAccessDenied"), "KMSAccessDenied")):
    with sns.Peer(error=lambda p, e=error: e) as peer:
        r = run(peer)
        n = r.json()["alerts"]
        same((r.status, peer.requests, n["unsent"], balances(n)),
             (69, 1, len(WANT), True), f"{words}: it stops at the first")
        ok(words in r.err and f"{len(WANT)} of {len(WANT)} alerts are not "
           "published" in r.err, f"{words}: and says why", r.err)
        ok("secret/Example" not in r.err + r.text, "and no secret")

# Times that differ, credentials that end.
for clock in (3600, -3600):
    with sns.Peer(clock=clock) as peer:
        r = run(peer)
        same((r.status, peer.ids(), r.json()["alerts"]["again"]),
             (0, WANT, 1), f"a clock {clock} s off is seen, once")
with sns.Peer() as peer:
    r = run(peer, AWS_SECRET_ACCESS_KEY="wrong")
    same((r.status, peer.requests, peer.ids()), (69, 2, []),
         "a wrong secret: looked for once more, then it stops")
    ok("SignatureDoesNotMatch" in r.err and "wrong" not in r.err, "and says so",
       r.err)
    r = run(peer, AWS_SECRET_ACCESS_KEY="")
    ok(r.status == 69 and "AWS_ACCESS_KEY_ID is set and "
       "AWS_SECRET_ACCESS_KEY is not" in r.err, "half of them: said", r.err)
    r = run(peer, AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
    ok(r.status == 69 and "AWS credentials: there are none" in r.err,
       "none: said", r.err)


# Where credentials come from.
def without(peer, *options, **env):
    """The run, and how many were delivered."""
    peer.delivered.clear()
    r = run(peer, *options, AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="", **env)
    return r, len(peer.delivered)


with sns.Peer() as peer:
    files = {"credentials": "[default]\naws_access_key_id = nobody\n"
             "aws_secret_access_key = x\n\n[work] ; of the office\n"
             "aws_access_key_id = AKIDEXAMPLE # ours\n"
             "s3 =\n  aws_access_key_id = nested\n"
             "aws_secret_access_key = secret/Example+key\n",
             "config": "[profile work]\nregion = eu-west-1\n"
             "[profile role]\nrole_arn = arn:aws:iam::1:role/x\n"
             "[profile half]\naws_access_key_id = x\n"}
    for name, text in files.items():
        with open(state(name), "w") as f:
            f.write(text)
        os.chmod(state(name), 0o600)
    where = {"AWS_SHARED_CREDENTIALS_FILE": state("credentials"),
             "AWS_CONFIG_FILE": state("config")}
    r, n = without(peer, AWS_PROFILE="work", **where)
    same((r.status, n, r.err), (0, len(WANT), ""), "of a profile")
    os.chmod(state("credentials"), 0o644)
    r, n = without(peer, AWS_PROFILE="work", **where)
    ok(r.status == 0 and "can be read by others" in r.err,
       "which is a secret: said", r.err)
    for profile, words in (("other", "no file of the AWS tools has"),
                           ("role", "has role_arn, which is not supported"),
                           ("half", "has no aws_secret_access_key")):
        r, n = without(peer, AWS_PROFILE=profile, **where)
        ok(r.status == 69 and n == 0 and words in r.err,
           f"profile {profile}: said", r.err)

    token = state("token")
    with open(token, "w") as f:
        f.write("a.web.token\n")
    web = {"AWS_WEB_IDENTITY_TOKEN_FILE": token,
           "AWS_ENDPOINT_URL_STS": peer.url,
           "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/telltale"}
    r, n = without(peer, **web)
    same((r.status, n, peer.asked), (0, len(WANT), ["sts"]),
         "of a web identity")
    r, n = without(peer, **dict(web, AWS_ROLE_ARN="nonsense"))
    ok(r.status == 69 and "AccessDenied" in r.err and "a.web" not in r.err,
       "whose role is none: said", r.err)

    peer.asked.clear()
    box = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": peer.url + "/container",
           "AWS_CONTAINER_AUTHORIZATION_TOKEN": "Bearer abc"}
    r, n = without(peer, **box)
    same((r.status, n, peer.asked), (0, len(WANT), ["/container"]),
         "of a container, asked once")
    with open(token, "w") as f:
        f.write("Bearer abc\n")
    r, n = without(peer, **dict(box, AWS_CONTAINER_AUTHORIZATION_TOKEN="",
                                AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=token))
    same((r.status, n), (0, len(WANT)), "with a token of a file")
    for uri, words in (("http://example.com/container", "neither https nor"),
                       ("http://127.0.0.1@example.com/", "neither https nor"),
                       ("http://10.0.0.1/x", "neither https nor"),
                       (peer.url + "/moved", "answered 302"),
                       (peer.url + "/none", "answered 404")):
        r, n = without(peer, **dict(
            box, AWS_CONTAINER_CREDENTIALS_FULL_URI=uri))
        ok(r.status == 69 and n == 0 and words in r.err, f"{uri}: no", r.err)
    before = peer.session["Expiration"]
    peer.session["Expiration"] = "2020-01-01T00:00:00Z"
    peer.asked.clear()
    r, n = without(peer, **box)
    same((r.status, n, len(peer.asked)), (0, len(WANT), len(WANT)),
         "what has expired is asked for again each time")
    peer.session["Expiration"] = before

    peer.asked.clear()
    r, n = without(peer, "--alert-wait", "1s", AWS_EC2_METADATA_DISABLED="",
                   AWS_EC2_METADATA_SERVICE_ENDPOINT=peer.url,
                   http_proxy="http://127.0.0.1:1", no_proxy="127.0.0.1:1")
    same(peer.asked[:3], ["/latest/api/token",
                          "/latest/meta-data/iam/security-credentials/",
                          "/latest/meta-data/iam/security-credentials/a-role"],
         "of an instance, version 2, and through no proxy")
    r, n = without(peer, AWS_EC2_METADATA_DISABLED="",
                   AWS_EC2_METADATA_SERVICE_ENDPOINT=peer.url)
    same((r.status, n), (0, len(WANT)), "which does")
    sessions = iter(range(10**6))

    def ends(p):
        """Every tenth session is over before its time."""
        if next(sessions) % 10 == 9:
            return 403, "ExpiredToken"
        return None

    peer.error = ends
    r, n = without(peer, **box)
    same((r.status, n), (0, len(WANT)), "a session that ended is renewed")

# What is told, and what is not.
SIM = state("sim")
assert telltale("simulate", "like", "--duration", "2h", "--incident",
                "chaos@20m+10m", "--incident", "chaos@60m+10m", "-o",
                SIM).status == 0
ENDED = [SIM + "/logs", SIM + "/xray"]


def told(text, *options):
    path = state("c.yaml")
    with open(path, "w") as f:
        f.write("alerts:\n" + text)
    return printed(*options, config=path, archive=ENDED)


got = [(m["attributes"]["rule_id"], m["attributes"]["status"])
       for m in told("  group: 0s\n  cooldown: 0s\n")]
same(got, [("slow-post", "open"), ("not-found", "open"),
           ("not-found", "resolved"), ("slow-post", "resolved"),
           ("slow-post", "open"), ("slow-post", "resolved")],
     "opened and resolved; what is found in one instant is told together")
got = told("  group: 30s\n  cooldown: 0s\n")
same([m["attributes"]["status"] for m in got], ["open", "resolved"] * 2,
     "grouped: one message for both")
ok(all("not-found: POST" in m["message"]["Telltale"]["Also"] for m in got),
   "which names the other")
got = told("  group: 0s\n  cooldown: 2h\n")
same(len(got), 4, "back while it cools down: not told")
got = told("  group: 0s\n  cooldown: 12m\n")
same([m["attributes"]["status"] for m in got].count("open"), 4,
     "still there when it has cooled down: told then")
got = told("  repeat: 1m\n  group: 0s\n  per-minute: 1\n")
left = [m for m in got if m["attributes"]["status"] == "suppressed"]
ok(len(left) > 20 and all("alerts suppressed" in m["subject"] for m in left),
   "more than a minute may have: it is said how many", len(left))
ok({m["attributes"]["finding_id"] for m in got
    if m["attributes"]["status"] == "resolved"} <=
   {m["attributes"]["finding_id"] for m in got
    if m["attributes"]["status"] == "open"},
   "what was never opened is not resolved")
same(told("  severity: critical\n", "--alert-severity", "info"),
     told("  severity: info\n"), "an option goes before the file")
for text in ("  sverity: info\n", "  format: xml\n", "  group: 1\n",
             "  per-minute: -1\n", "  topic: []\n", "  repeat: 1s\n",
             "  topic:\n", "- x\n"):
    with open(state("bad.yaml"), "w") as f:
        f.write("alerts:\n" + text)
    r = telltale("replay", "-q", "--print-alerts", "-c", state("bad.yaml"),
                 ARCHIVE)
    ok(r.status == 78 and re.search(r"bad\.yaml:\d+:\d+: ", r.err),
       f"{text.strip()}: said, with its place", r.err)

# Words of a log are words: they call nobody and break nothing.
hostile = state("hostile")
os.makedirs(hostile)
with open(hostile + "/log.txt", "w") as f:
    for i in range(400):
        second = f"{i // 60:02d}:{i % 60:02d}"
        status = 500 if i >= 200 else 200
        f.write(f'10.0.0.{i % 9} - - [21/Nov/2026:02:{second} +0000] "POST '
                f'/<!channel>/*_`~[x](y)\u202e\u00e9 HTTP/1.1" {status} 5 "-" '
                '"a"\n')
for form in ("cloudwatch-alarm", "chat", "ecs", "text"):
    with sns.Peer() as peer:
        r = run(peer, "--alert-format", form, archive=[hostile])
        same((r.status, peer.bad, len(peer.delivered) > 0), (0, [], True),
             f"{form}: a hostile route is published")
        body = peer.delivered[0]["Message"]
        if form == "chat":
            content = json.loads(json.loads(body)["default"])["content"]
            ok("&lt;!channel&gt;" in content["title"] and
               "<!" not in content["title"] + content["description"],
               "chat: it calls no channel", content)
        if form == "text":
            ok("\u202e" not in body and "\\u{202e}" in body,
               "text: nothing turns its direction", body)

# Nobody there, for now or for good; interrupted.
gone = sns.Peer()
gone.close()
r = run(gone, "--alert-wait", "1s", "--state", state("s3"))
same((r.status, r.json()["alerts"]["unsent"]), (69, len(WANT)),
     "nobody there: given up")
ok("trying again for 1 s" in r.err, "which is said at once", r.err)
back = sns.Peer(fifo=False, port=gone.port)
r = run(back, "--state", state("s3"))
same((r.status, back.ids()), (0, WANT), "and the next run completes it")
back.close()
COMMAND = [os.path.abspath(tap.TELLTALE), "replay", "-q", "--json", "--alerts",
           "-c", CONFIG]


def start(peer, name, **more):
    return subprocess.Popen(
        [*COMMAND, "--sns", peer.topic, "--sns-endpoint", peer.url, "--state",
         state(name), ARCHIVE], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=dict(os.environ, **peer.env(**more)))


GATE = threading.Event()


def waits(p):
    """From the third on nothing is answered before the gate is open."""
    if len(peer.delivered) >= 2:
        GATE.wait(60)


with sns.Peer(fifo=True, error=waits) as peer:
    p = start(peer, "s4")
    ok(peer.wait_for(2), "a topic that does not answer")
    r = run(peer, "--state", state("s4"))
    ok(r.status == 74 and "another telltale uses this state" in r.err,
       "a second process does not use the same state", r.err)
    p.send_signal(signal.SIGINT)
    out, _ = p.communicate(timeout=20)
    same((p.returncode, out), (130, b""), "interrupted: status 130, at once")
    GATE.set()
    same((run(peer, "--state", state("s4")).status, peer.ids()), (0, WANT),
         "and the next run completes it")

# Killed anywhere, and run again.
for fifo in (True, False):
    kills = 60 if FULL else 8
    killed = doubled = 0
    with sns.Peer(fifo=fifo, seed=1,
                  request={"applied_reset": 0.05, "busy": 0.05}) as peer:
        for i in range(kills):
            p = start(peer, f"k{fifo}")
            peer.wait_for(len(WANT) * i // (kills + 1) + 1)
            p.send_signal(signal.SIGKILL)
            p.communicate()
            killed += p.returncode == -signal.SIGKILL
        r = run(peer, "--state", state(f"k{fifo}"))
        got = peer.ids()
        same((r.status, list(dict.fromkeys(got))), (0, WANT),
             f"fifo {fifo}: killed {kills} times, nothing is lost")
        most = 0 if fifo else killed + peer.faults.get("applied_reset", 0)
        ok(len(got) - len(WANT) <= most,
           f"fifo {fifo}: nor doubled, but by what had no answer",
           (len(got), len(WANT), most))

# Killed at every call that changes something, and every such call failing.
STRIKE = state("strike.so")
made = subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-D_GNU_SOURCE", "-o",
                       STRIKE, "tests/peers/strike.c", "-ldl"],
                      capture_output=True)
FEW = state("few.yaml")
with open(FEW, "w") as f:
    f.write("alerts:\n  group: 0s\n")
FEW_WANT = [key(m) for m in printed(config=FEW)]


def struck(peer, name, at, how, count=None):
    env = {"LD_PRELOAD": STRIKE, "STRIKE_AT": str(at), "STRIKE": how}
    if count:
        env["STRIKE_COUNT"] = count
    return run(peer, "--state", state(name), config=FEW, **env)


if made.returncode != 0 or not FULL:
    tap.skip("killed at every call", made.stderr.decode() if FULL else
             "the calls are the same in every flavour")
else:
    with sns.Peer() as peer:
        struck(peer, "count", 0, "kill", state("count.txt"))
        calls = int(open(state("count.txt")).read())
        same(peer.ids(), FEW_WANT, "a reference run")
    ok(calls >= 5 * len(FEW_WANT), "it has calls that change something", calls)
    for how in ("kill", "half", "lose", "ENOSPC", "EIO", "EROFS"):
        lost, said, doubled = [], [], []
        for at in range(1, calls + 1):
            with sns.Peer(fifo=at % 2 == 0) as peer:
                r = struck(peer, f"{how}{at}", at, how)
                if how[0] == "E":
                    said.append(r.status in (0, 69, 74) and
                                (r.status == 0 or len(r.err) > 20))
                else:
                    said.append(r.status == -signal.SIGKILL)
                again = run(peer, "--state", state(f"{how}{at}"), config=FEW)
                got = peer.ids()
                if again.status != 0 or list(dict.fromkeys(got)) != FEW_WANT:
                    lost.append((at, r.status, r.err, again.status, again.err,
                                 got))
                elif len(got) - len(FEW_WANT) > (
                        0 if peer.fifo else
                        again.json()["alerts"]["doubtful"]):
                    doubled.append((at, got))
        same(lost, [], f"{how} at each of {calls} calls: nothing is lost")
        same(doubled, [], f"{how}: nor doubled, but by a standard topic what "
             "was said to be in doubt")
        ok(all(said), f"{how}: it happened, and was said", said)

# A state that was damaged.
with sns.Peer() as peer:
    same(run(peer, "--state", state("d")).status, 0, "a state")
    path = state("d") + "/alerts.outbox"
    with open(path, "rb") as f:
        good = f.read()
    with open(path, "wb") as f:
        f.write(good[:-9])
    r = run(peer, "--state", state("d"))
    same((r.status, len(peer.ids()), r.json()["alerts"]["doubtful"]),
         (0, len(WANT) + 1, 1), "a torn end: the last one is in doubt, and "
         "told as that")
    with open(path, "wb") as f:
        f.write(good[:100] + b"x" + good[101:])
    r = run(peer, "--state", state("d"))
    ok(r.status == 74 and "alerts.outbox:1: this line is damaged" in r.err or
       "alerts.outbox:2: this line is damaged" in r.err,
       "damage in the middle: said, and nothing is sent", r.err)
    same(len(peer.ids()), len(WANT) + 1, "nothing")
with open(state("file"), "w") as f:
    pass
with sns.Peer() as peer:
    r = run(peer, "--state", state("file"))
    ok(r.status == 74 and "cannot be used for --state" in r.err,
       "a state that is no directory", r.err)

# Options that do not go together.
for options, words in (
        (["--alerts"], "--sns ARN"),
        (["--alerts", "--sns", "nonsense"], "is no topic"),
        (["--alerts", "--sns", "arn:aws:sqs:eu-west-1:123456789012:x"],
         "is no topic"),
        (["--alerts", "--sns", "arn:aws:sns:eu-west-1:123456789012:x",
          "--sns-endpoint", "ftp://x"], "is no endpoint of SNS"),
        (["--state", "x"], "--alerts is missing"),
        (["--alert-format", "chat"], "--alerts is missing"),
        (["--alert-format", "xml", "--print-alerts"], "is not known"),
        (["--print-alerts", "--json"], "exclude each other"),
        (["--print-alerts", "--explain-input"], "does not replay")):
    r = telltale("replay", "-q", *options, ARCHIVE)
    ok(r.status == 64 and words in r.err, f"{' '.join(options)}: {words}",
       r.err)
tap.done()
