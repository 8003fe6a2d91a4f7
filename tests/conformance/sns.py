#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Alerts through AWS's own words: moto's SNS, read back from SQS by boto3, and
signatures by botocore.

moto delivers what is published to a standard and a FIFO topic; each of the four
formats must come back from a queue as --print-alerts shows it, and a filter
policy must choose by the attributes.  tests/peers/sns.py says what is wrong
with a signature; botocore's signer must agree with it, and with ours.
"""
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "e2e"))
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "peers"))
import sns  # noqa: E402
import tap  # noqa: E402
from tap import ok, same, telltale  # noqa: E402

ARCHIVE = "demo/like-service"
REGION = "eu-west-1"

if os.path.basename(os.environ.get("BUILD", "build/release")) != "release":
    print("1..0 # skip one flavour asks")
    sys.exit(0)
made = subprocess.run(["tools/venv.sh"], capture_output=True, text=True)
if made.returncode != 0:
    print("1..0 # skip moto cannot be installed: PyPI is not reached")
    sys.exit(0)
PYTHON = os.path.abspath("build/venv/bin/python3")
if sys.executable != PYTHON and os.environ.get("IN_VENV") != "1":
    os.execve(PYTHON, [PYTHON, *sys.argv], dict(os.environ, IN_VENV="1"))
import boto3  # noqa: E402
from botocore.auth import SigV4Auth  # noqa: E402
from botocore.awsrequest import AWSRequest  # noqa: E402
from botocore.credentials import Credentials  # noqa: E402

WHO = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
       "AWS_SECRET_ACCESS_KEY": "secret/Example+key"}
CLIENT = {"region_name": REGION, "aws_access_key_id": "AKIDEXAMPLE",
          "aws_secret_access_key": "secret/Example+key"}


def printed(*options):
    r = telltale("replay", "-q", "--print-alerts", *options, ARCHIVE)
    assert r.status == 0, r.err
    return [json.loads(line) for line in r.out.splitlines()]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Moto:
    def __enter__(self):
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.log = tempfile.TemporaryFile()
        self.server = subprocess.Popen(
            ["build/venv/bin/moto_server", "-H", "127.0.0.1", "-p", str(port)],
            stdout=self.log, stderr=self.log)
        for _ in range(600):
            try:
                urllib.request.urlopen(self.url + "/moto-api/", timeout=1)
                return self
            except (urllib.error.URLError, OSError):
                if self.server.poll() is not None:
                    break
                time.sleep(0.1)
        self.log.seek(0)
        raise RuntimeError(self.log.read().decode())

    def __exit__(self, *_):
        self.server.terminate()
        self.server.wait()

    def client(self, service):
        return boto3.client(service, endpoint_url=self.url, **CLIENT)


def topic_with_queue(moto, name, fifo=False, policy=None):
    topics, queues = moto.client("sns"), moto.client("sqs")
    end = ".fifo" if fifo else ""
    more = {"FifoQueue": "true"} if fifo else {}
    topic = topics.create_topic(
        Name=name + end, Attributes={"FifoTopic": "true"} if fifo else {}
    )["TopicArn"]
    queue = queues.create_queue(QueueName=name + end,
                                Attributes=more)["QueueUrl"]
    arn = queues.get_queue_attributes(
        QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topics.subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=arn,
        Attributes={"FilterPolicy": json.dumps(policy)} if policy else {})
    return topic, queue


def received(moto, queue):
    """The notifications in a queue, in order."""
    queues, all_ = moto.client("sqs"), []
    while True:
        got = queues.receive_message(QueueUrl=queue, MaxNumberOfMessages=10,
                                     WaitTimeSeconds=0).get("Messages", [])
        if not got:
            return all_
        for m in got:
            all_.append(json.loads(m["Body"]))
            queues.delete_message(QueueUrl=queue,
                                  ReceiptHandle=m["ReceiptHandle"])


def publish(moto, topic, *options):
    return telltale("replay", "-q", "--json", "--alerts", "--sns", topic,
                    "--sns-endpoint", moto.url, *options, ARCHIVE,
                    env={**sns.nobody(), **WHO})


def comes_back(moto, topic, queue, form):
    want = printed("--sns", topic, "--alert-format", form)
    r = publish(moto, topic, "--alert-format", form)
    got = received(moto, queue)
    same((r.status, len(got)), (0, len(want)), f"{topic}: {form}: all arrive")
    for g, w in zip(got, want):
        body = g["Message"] if form == "text" else json.loads(g["Message"])
        if isinstance(body, dict) and "default" in body:
            body = json.loads(body["default"])
        attributes = {k: float(a["Value"]) if a["Type"] == "Number"
                      else a["Value"]
                      for k, a in g["MessageAttributes"].items()}
        same((g["Subject"], body, attributes),
             (w["subject"], w["message"], w["attributes"]),
             f"{form}: {w['attributes']['rule_id']} comes back as it was")


with Moto() as moto:
    for fifo in (False, True):
        for form in ("cloudwatch-alarm", "chat", "ecs", "text"):
            topic, queue = topic_with_queue(moto, f"alerts-{form}", fifo)
            comes_back(moto, topic, queue, form)
    topic, queue = topic_with_queue(moto, "twice", True)
    runs = [publish(moto, topic).status for _ in range(2)]
    same((runs, len(received(moto, queue))), ([0, 0], len(printed())),
         "a FIFO topic does not deliver a second run's messages again")
    topic, queue = topic_with_queue(moto, "some", policy={
        "rule_id": ["slow-post"], "severity_level": [{"numeric": [">=", 4]}]})
    r = publish(moto, topic)
    same([g["MessageAttributes"]["rule_id"]["Value"]
          for g in received(moto, queue)], ["slow-post"],
         "a filter policy chooses by the attributes")
    r = publish(moto, "arn:aws:sns:eu-west-1:123456789012:nobody")
    ok(r.status == 69 and "NotFound" in r.err, "no such topic: said", r.err)

# The peer that judges our signatures agrees with botocore's signer.
for token in (None, "a+token/of=it"):
    for body in ("", "Action=Publish", "A=%20b&B=%C3%A4"):
        request = AWSRequest(
            "POST", "http://127.0.0.1:8080/", data=body, headers={
                "Content-Type": "application/x-www-form-urlencoded"})
        SigV4Auth(Credentials("AKIDEXAMPLE", "secret/Example+key", token),
                  "sns", REGION).add_auth(request)
        headers = dict(request.headers, Host="127.0.0.1:8080")
        with sns.Peer() as peer:
            peer.keys["AKIDEXAMPLE"] = "secret/Example+key", token
            said = peer.authenticate("POST", "/", headers, body.encode())
            same(said, None, f"botocore's signature is right: {body!r}, "
                 f"token {bool(token)}")
            said = peer.authenticate("POST", "/", headers, b"x")
            same(said, "SignatureDoesNotMatch", "and of another body is not")

# And botocore's signer, given our request, makes our signature of it.
signed = []
with sns.Peer() as peer:
    judge = peer.authenticate

    def recorded(method, target, headers, body):
        signed.append((target, dict(headers.items()), body))
        return judge(method, target, headers, body)

    peer.authenticate = recorded
    telltale("replay", "-q", "--alerts", "--sns", peer.topic,
             "--sns-endpoint", peer.url, ARCHIVE, env=peer.env())


class Then(SigV4Auth):
    """At the time of a request that was signed."""

    def add_auth(self, request):
        request.context["timestamp"] = request.headers["X-Amz-Date"]
        string = self.string_to_sign(request, self.canonical_request(request))
        return self.signature(string, request)


ok(len(signed) >= 3, "requests to compare", len(signed))
for target, headers, body in signed:
    low = {k.lower(): v for k, v in headers.items()}
    names = low["authorization"].split("SignedHeaders=")[1].split(",")[0]
    request = AWSRequest("POST", f"http://{low['host']}{target}", data=body,
                         headers={n: low[n] for n in names.split(";")})
    want = Then(Credentials(*WHO.values()), "sns", REGION).add_auth(request)
    same(low["authorization"].split("Signature=")[1], want,
         "botocore makes the same signature")
tap.done()
