# SPDX-License-Identifier: Apache-2.0
"""Amazon SNS that fails as it is told, and the places credentials come from.

    with sns.Peer(seed=1, request={"applied_reset": 0.2}) as peer:
        ... replay --alerts --sns peer.topic --sns-endpoint peer.url ...
        peer.delivered

It checks every request's signature (Signature Version 4, written here after
AWS's description and held against botocore's by tests/conformance/sns.py) with
the credentials in `keys`, its time, and what SNS refuses: parameters, lengths,
characters.  A FIFO topic delivers a deduplication id once, a standard topic
whatever it accepts.

Faults of a request, by name, with their probability:
  refuse_connection  hangs up before it reads anything
  reset              hangs up before the message is accepted
  applied_reset      accepts it and hangs up without an answer
  truncated          accepts it and sends half of the answer
  garbage            accepts it and answers with what is no XML of SNS
  oversized          accepts it and sends an answer without end
  throttle           400 Throttling, not accepted
  busy               429 with Retry-After: 0, not accepted
  internal           500 without a body that says something
  gateway            504 after it was accepted
`error`: a function of the parameters that gives (status, code) for good.
`clock`: seconds that its clock is ahead of ours.

Beside it: STS (AssumeRoleWithWebIdentity), a container's credentials and an
instance's metadata, version 2, which give `session`.
"""
import datetime
import hashlib
import hmac
import http.server
import json
import random
import re
import socket
import struct
import sys
import threading
import time
import urllib.parse
import uuid

REQUEST = ("refuse_connection", "reset", "applied_reset", "truncated",
           "garbage", "oversized", "throttle", "busy", "internal", "gateway")
LIMIT = 262144
ATTRIBUTE = re.compile(r"MessageAttributes\.entry\.(\d+)\.(.+)")


def canonical(method, target, headers, body, names):
    """The canonical request (https://docs.aws.amazon.com/IAM/latest/UserGuide/
    reference_sigv-create-signed-request.html)."""
    path, _, query = target.partition("?")
    pairs = sorted(urllib.parse.parse_qsl(query, keep_blank_values=True))
    return "\n".join([
        method, urllib.parse.quote(path, safe="/-_.~%"),
        "&".join(f"{urllib.parse.quote(k, safe='-_.~')}="
                 f"{urllib.parse.quote(v, safe='-_.~')}" for k, v in pairs),
        "".join(f"{n}:{' '.join(headers[n].split())}\n" for n in names),
        ";".join(names), hashlib.sha256(body).hexdigest()])


def signature(secret, scope, date, request):
    text = "\n".join(["AWS4-HMAC-SHA256", date, scope,
                      hashlib.sha256(request.encode()).hexdigest()])
    key = ("AWS4" + secret).encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


class Peer:
    def __init__(self, seed=0, request=None, error=None, fifo=False, clock=0,
                 port=0):
        self.random = random.Random(seed)
        self.request = request or {}
        self.error = error
        self.clock = clock
        self.topic = "arn:aws:sns:eu-west-1:123456789012:alerts" + \
            (".fifo" if fifo else "")
        self.fifo = fifo
        self.keys = {"AKIDEXAMPLE": ("secret/Example+key", None)}
        self.session = {"AccessKeyId": "ASIASESSION",
                        "SecretAccessKey": "of/a+session",
                        "Token": "a+token/of=it",
                        "Expiration": "2099-01-01T00:00:00Z"}
        self.delivered = []     # parameters of each message
        self.seen = set()       # deduplication ids
        self.requests = 0
        self.asked = []         # where credentials were asked for
        self.faults = {}
        self.bad = []           # what no client should have sent
        self.lock = threading.Lock()
        self.applied = threading.Condition(self.lock)
        self.server = Server(("127.0.0.1", port), Handler)
        self.server.peer = self
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self.server.serve_forever,
                                       kwargs={"poll_interval": 0.01})
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def env(self, **more):
        """Of a client with credentials, and nothing of this machine's."""
        return {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
                "AWS_SECRET_ACCESS_KEY": self.keys["AKIDEXAMPLE"][0],
                **nobody(), **more}

    def wait_for(self, n, timeout=30):
        """Until n messages are accepted."""
        with self.applied:
            return self.applied.wait_for(lambda: len(self.delivered) >= n,
                                         timeout)

    def draw(self):
        for name, p in self.request.items():
            if self.random.random() < p:
                self.faults[name] = self.faults.get(name, 0) + 1
                return name
        return None

    def now(self):
        return time.time() + self.clock

    def authenticate(self, method, target, headers, body):
        """None, or the code of what is wrong."""
        h = {k.lower(): v for k, v in headers.items()}
        m = re.fullmatch(
            r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\S+/aws4_request), "
            r"SignedHeaders=(\S+), Signature=([0-9a-f]{64})",
            h.get("authorization", ""))
        if not m:
            return "MissingAuthenticationToken"
        key, scope, names, got = m.groups()
        if key not in self.keys:
            return "InvalidClientTokenId"
        secret, token = self.keys[key]
        if token != h.get("x-amz-security-token"):
            return "ExpiredToken"
        date = h.get("x-amz-date", "")
        when = datetime.datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(
            tzinfo=datetime.timezone.utc).timestamp()
        if abs(when - self.now()) > 900:
            return "RequestExpired"
        signed = names.split(";")
        if not {"host", "x-amz-date", "content-type"} <= set(signed) or \
                scope != f"{date[:8]}/eu-west-1/sns/aws4_request" or \
                (token and "x-amz-security-token" not in signed):
            return "IncompleteSignature"
        want = signature(secret, scope, date,
                         canonical(method, target, h, body, signed))
        return None if hmac.compare_digest(want, got) \
            else "SignatureDoesNotMatch"

    def refuses(self, p):
        """(status, code) of what SNS would not take, or None."""
        said = self.error and self.error(p)
        if said:
            return said
        attributes = {}
        for name, value in p.items():
            m = ATTRIBUTE.fullmatch(name)
            if m:
                attributes.setdefault(m[1], {})[m[2]] = value
        size = len(p["Message"].encode()) + sum(
            len(v.encode()) for a in attributes.values() for v in a.values())
        subject = p.get("Subject", "x")
        problems = [
            p["TopicArn"] != self.topic and (404, "NotFound"),
            not re.fullmatch(r"[!-~][ -~]{0,98}", subject) and "subject",
            size > LIMIT and "size", not p["Message"] and "empty",
            len(attributes) > 10 and "attributes",
            any(a["Value.DataType"] not in ("String", "Number") or
                not a["Value.StringValue"] for a in attributes.values()) and
            "attribute",
            self.fifo and not all(
                re.fullmatch(r"[!-~]{1,128}", p.get(k, "")) for k in
                ("MessageGroupId", "MessageDeduplicationId")) and "fifo",
            "MessageStructure" in p and
            "default" not in json.loads(p["Message"]) and "default",
        ]
        for problem in problems:
            if problem:
                self.bad.append((problem, p))
                return problem if isinstance(problem, tuple) else \
                    (400, "InvalidParameter")
        return None

    def accept(self, p):
        dedup = p.get("MessageDeduplicationId")
        if not self.fifo or dedup not in self.seen:
            self.delivered.append(p)
        self.seen.add(dedup)
        self.applied.notify_all()

    def ids(self):
        """Of what was delivered, in order: what a reader tells messages by."""
        with self.lock:
            return [identity(p) for p in self.delivered]


def attributes(p):
    """{name: value} of a message's attributes."""
    by = {}
    for name, value in p.items():
        m = ATTRIBUTE.fullmatch(name)
        if m:
            by.setdefault(m[1], {})[m[2]] = value
    return {a["Name"]: a["Value.StringValue"] for a in by.values()}


def identity(p):
    a = attributes(p)
    return a["finding_id"], a["status"], a["sequence"]


def nobody():
    """An environment in which no credentials are."""
    return {"AWS_EC2_METADATA_DISABLED": "true", "AWS_PROFILE": "",
            "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
            "AWS_CONFIG_FILE": "/nowhere", "AWS_SESSION_TOKEN": "",
            "AWS_ENDPOINT_URL": "", "AWS_ENDPOINT_URL_SNS": "",
            "AWS_WEB_IDENTITY_TOKEN_FILE": "", "AWS_ROLE_ARN": "",
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": "",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": "",
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": ""}


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        what = sys.exc_info()[1]
        if not isinstance(what, ConnectionError):
            self.peer.bad.append(what)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def date_time_string(self, timestamp=None):
        return super().date_time_string(timestamp or self.server.peer.now())

    def answer(self, status, body, headers=(), length=None):
        data = body if isinstance(body, bytes) else body.encode()
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(length or len(data)))
        self.end_headers()
        self.wfile.write(data)

    def fail(self, status, code):
        self.answer(status, "<ErrorResponse><Error><Type>Sender</Type>"
                    f"<Code>{code}</Code><Message>it is told to say &quot;"
                    f"{code}&quot;</Message></Error></ErrorResponse>")

    def hang_up(self):
        """A reset, not an end."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                   struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def credentials(self, token_header, token):
        peer = self.server.peer
        if token and self.headers.get(token_header) != token:
            self.answer(401, "who are you?")
        else:
            s = peer.session
            peer.keys[s["AccessKeyId"]] = s["SecretAccessKey"], s["Token"]
            self.answer(200, json.dumps(s))

    def do_PUT(self):
        peer = self.server.peer
        peer.asked.append(self.path)
        if self.path == "/latest/api/token" and \
                self.headers.get("X-aws-ec2-metadata-token-ttl-seconds"):
            self.answer(200, "an-imds-token")
        else:
            self.answer(400, "")

    def do_GET(self):
        peer = self.server.peer
        peer.asked.append(self.path)
        roles = "/latest/meta-data/iam/security-credentials/"
        if self.path == "/container":
            self.credentials("Authorization", "Bearer abc")
        elif self.path == "/moved":
            self.answer(302, "", [("Location", peer.url + "/container")])
        elif self.path == roles and \
                self.headers.get("X-aws-ec2-metadata-token"):
            self.answer(200, "a-role\n")
        elif self.path == roles + "a-role":
            self.credentials("X-aws-ec2-metadata-token", "an-imds-token")
        else:
            self.answer(404, "")

    def assume(self, p):
        peer, s = self.server.peer, self.server.peer.session
        peer.asked.append("sts")
        if p.get("WebIdentityToken") != "a.web.token" or \
                not p.get("RoleArn", "").startswith("arn:aws:iam:"):
            self.fail(403, "AccessDenied")
            return
        peer.keys[s["AccessKeyId"]] = s["SecretAccessKey"], s["Token"]
        self.answer(200, "<R><Credentials>" + "".join(
            f"<{n}>{s[k]}</{n}>" for n, k in
            [("AccessKeyId", "AccessKeyId"), ("SessionToken", "Token"),
             ("SecretAccessKey", "SecretAccessKey"),
             ("Expiration", "Expiration")]) + "</Credentials></R>")

    def do_POST(self):
        peer = self.server.peer
        with peer.lock:
            peer.requests += 1
            fault = peer.draw()
        if fault == "refuse_connection":
            self.hang_up()
            return
        body = self.rfile.read(int(self.headers["Content-Length"]))
        p = dict(urllib.parse.parse_qsl(body.decode(), strict_parsing=True,
                                        encoding="utf-8", errors="strict"))
        if p.get("Action") == "AssumeRoleWithWebIdentity":
            self.assume(p)
            return
        wrong = peer.authenticate("POST", self.path, self.headers, body)
        if wrong:
            self.fail(403, wrong)
            return
        self.publish(p, fault)

    def publish(self, p, fault):
        peer = self.server.peer
        if p.get("Action") != "Publish" or p.get("Version") != "2010-03-31":
            peer.bad.append(("action", p))
        refused = peer.refuses(p)
        if refused:
            self.fail(*refused)
            return
        early = {"throttle": (400, "Throttling"), "internal": (500, "")}
        if fault == "reset":
            self.hang_up()
            return
        if fault == "busy":
            self.answer(429, "busy", [("Retry-After", "0")])
            return
        if fault in early:
            self.fail(*early[fault])
            return
        with peer.lock:
            peer.accept(p)
        text = ("<PublishResponse><PublishResult><MessageId>"
                f"{uuid.uuid4()}</MessageId></PublishResult>"
                "</PublishResponse>").encode()
        if fault == "applied_reset":
            self.hang_up()
        elif fault == "truncated":
            self.answer(200, text[:len(text) // 2], length=len(text))
            self.hang_up()
        elif fault == "garbage":
            self.answer(200, "<html>ok</html>")
        elif fault == "oversized":
            self.answer(200, text + b" " * (1 << 20))
        elif fault == "gateway":
            self.answer(504, "late")
        else:
            self.answer(200, text)
