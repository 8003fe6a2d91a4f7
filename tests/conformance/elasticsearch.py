#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The demo's documents in a real Elasticsearch, and the manual's questions.

Elasticsearch 8.19, as its makers publish it for integration tests, comes from
Maven Central once and is kept in build/conformance.  It is started for this
test as a user who is not root, on ports that are free, and stopped by its
process id.  What docs/elasticsearch.md asks is asked here, and must be answered
as the page says.
"""
import glob
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zipfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "e2e"))
import tap  # noqa: E402
from tap import ok, same, telltale  # noqa: E402

ARTIFACT = ("org.elasticsearch.distribution.integ-test-zip:elasticsearch:"
            "8.19.0:zip")
KEPT = "build/conformance"
ARCHIVE = "demo/like-service"
PAGE = "docs/elasticsearch.md"
NOBODY = 65534


def leave(why):
    print(f"1..0 # skip {why}")
    sys.exit(0)


def unpacked():
    """The server's folder; leaves when it cannot be had."""
    if not shutil.which("java"):
        leave("there is no Java")
    found = glob.glob(f"{KEPT}/elasticsearch-*.zip")
    if not found:
        if not shutil.which("mvn"):
            leave("there is no Maven to fetch Elasticsearch with")
        os.makedirs(KEPT, exist_ok=True)
        r = subprocess.run(
            ["mvn", "-q", "-B", "dependency:copy", f"-Dartifact={ARTIFACT}",
             f"-DoutputDirectory={os.path.abspath(KEPT)}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            timeout=200)
        found = glob.glob(f"{KEPT}/elasticsearch-*.zip")
        if r.returncode != 0 or not found:
            leave("Maven Central is not reached")
    root = tempfile.mkdtemp(prefix="telltale-es-", dir="/tmp")
    with zipfile.ZipFile(found[0]) as z:
        z.extractall(root)
    home = glob.glob(f"{root}/elasticsearch-*")[0]
    for program in glob.glob(f"{home}/bin/*"):
        os.chmod(program, 0o755)
    return root, home


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """Refuses to run as root, so it runs as nobody."""

    def __init__(self):
        self.root, home = unpacked()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = open(f"{self.root}/log", "wb")
        os.chmod(self.root, 0o755)
        command = [f"{home}/bin/elasticsearch"]
        for setting in ("discovery.type=single-node",
                        "xpack.security.enabled=false",
                        f"http.port={self.port}",
                        f"transport.port={free_port()}",
                        "cluster.routing.allocation.disk.threshold_enabled="
                        "false"):
            command += ["-E", setting]
        if os.geteuid() == 0:
            for folder, _, names in os.walk(self.root):
                for name in [".", *names]:
                    os.chown(os.path.join(folder, name), NOBODY, NOBODY)
            command = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}",
                       "--clear-groups", *command]
        java = os.path.dirname(os.path.dirname(
            os.path.realpath(shutil.which("java"))))
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=self.log,
            stderr=self.log, start_new_session=True, cwd=self.root,
            env={"PATH": os.environ["PATH"], "HOME": self.root,
                 "ES_JAVA_HOME": java,
                 "ES_JAVA_OPTS": "-Xms512m -Xmx512m"})

    def ask(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        r = urllib.request.Request(
            self.url + path, data, {"Content-Type": "application/json"},
            method=method)
        with urllib.request.urlopen(r, timeout=30) as answer:
            return json.load(answer)

    def wait(self, seconds=150):
        """Until it answers; False: it never did."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and self.process.poll() is None:
            try:
                self.ask("GET", "/_cluster/health?timeout=1s")
                return True
            except (urllib.error.URLError, OSError, ValueError):
                time.sleep(0.2)
        return False

    def close(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        self.log.close()
        shutil.rmtree(self.root)


def fields(node, path=""):
    """Every field that a document has a value of."""
    for name, v in node.items():
        at = f"{path}{name}"
        for one in v if isinstance(v, list) else [v]:
            if isinstance(one, dict):
                yield from fields(one, at + ".")
            else:
                yield at


def mapped(properties, path=""):
    for name, v in properties.items():
        if "properties" in v:
            yield from mapped(v["properties"], f"{path}{name}.")
        else:
            yield path + name


def questions():
    """(heading, path, body, what is wanted) of the page."""
    with open(PAGE, encoding="utf-8") as f:
        text = f.read()
    for m in re.finditer(
            r"^### (.+?)\n.*?```\n(?:GET|POST) (\S+)\n(.*?)```\n\n"
            r"```json\n(.*?)```", text, re.S | re.M):
        yield m[1], "/" + m[2], json.loads(m[3]), json.loads(m[4])


def run(server):
    if not ok(server.wait(), "Elasticsearch starts",
              open(f"{server.root}/log", errors="replace").read()[-2000:]):
        return
    r = telltale("setup", "elasticsearch", "--es", server.url)
    same((r.status, r.err), (0, ""), "the template is taken")
    r = telltale("replay", "-q", "--json", "--es", server.url, ARCHIVE)
    n = r.json()["indexed"]
    same((r.status, n["stored"], n["refused"]), (0, n["documents"], 0),
         "every document of the demo is")
    n = telltale("replay", "-q", "--json", "--es", server.url,
                 ARCHIVE).json()["indexed"]
    same(n["refused"], 0, "and again")
    server.ask("POST", "/telltale-*/_refresh")
    same(server.ask("GET", "/telltale-*/_count")["count"], n["documents"],
         "each is there once")

    out = tap.folder()
    telltale("replay", "-q", "--out", out, ARCHIVE)
    of_out = {}
    for path in glob.glob(f"{out}/*.ndjson"):
        with open(path, encoding="utf-8") as f:
            for line in f:
                d = json.loads(line)
                of_out[d["_index"], d["_id"]] = d["_source"]
    there = {}
    answer = server.ask("POST", "/telltale-*/_search?scroll=1m",
                        {"size": 2000})
    while answer["hits"]["hits"]:
        for hit in answer["hits"]["hits"]:
            there[hit["_index"], hit["_id"]] = hit["_source"]
        answer = server.ask("POST", "/_search/scroll", {
            "scroll": "1m", "scroll_id": answer["_scroll_id"]})
    ok(there == of_out, "what is there is what --out writes",
       [(k, there.get(k), of_out.get(k)) for k in
        sorted(there.keys() | of_out.keys())
        if there.get(k) != of_out.get(k)][:3])
    known = {f for i in server.ask("GET", "/telltale-*/_mapping").values()
             for f in mapped(i["mappings"]["properties"])}
    same(sorted({f for d in of_out.values() for f in fields(d)} - known), [],
         "every field of every document has its type")

    asked = 0
    for heading, path, body, want in questions():
        asked += 1
        glue = "&" if "?" in path else "?"
        got = server.ask("POST", path + glue + "filter_path=" + ",".join(
            ["hits.total.value", "hits.hits._source", "count",
             "aggregations.**.key", "aggregations.**.key_as_string",
             "aggregations.**.doc_count", "aggregations.**.value",
             "aggregations.**.values"]), body)
        same(got, want, f"{PAGE}: {heading}")
    ok(asked >= 10, f"{PAGE} has ten questions", asked)


if not os.environ.get("BUILD", "").endswith("release"):
    leave("one flavour asks the real server")
server = Server()
try:
    run(server)
finally:
    server.close()
tap.done()
