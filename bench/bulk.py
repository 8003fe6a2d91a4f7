# SPDX-License-Identifier: Apache-2.0
"""The other end of the rows about Elasticsearch, and who is compared there.

Only the sender is measured; bulk_mock, which parses every line that it gets,
is a process of its own, a new one for every run.  rsyslog is a daemon: it is
ended when the mock has all that it is to send.  It does less than telltale
does: it sends lines as they are, and makes no ids.  Fluent Bit is in no
release of Debian, and so not compared."""
import glob
import json
import os
import shutil
import socket
import subprocess
import sys
import time

DIR = os.environ["BENCH_DIR"]
PATIENCE = 60  # seconds without a document

WORK = os.path.abspath(os.path.join(DIR, "daemon"))
RSYSLOG = os.path.abspath(os.path.join(DIR, "rsyslog"))
RSYSLOG_CONF = r"""
global(workDirectory="{work}")
module(load="imfile")
module(load="omelasticsearch")
main_queue(queue.size="100000" queue.dequeueBatchSize="4096")
template(name="document" type="list" option.jsonf="on") {{
	property(outname="@timestamp" name="timereported"
		dateFormat="rfc3339" format="jsonf")
	property(outname="message" name="msg" format="jsonf")
}}
input(type="imfile" file="{path}" tag="access")
action(type="omelasticsearch" server="127.0.0.1" serverport="{port}"
	template="document" searchIndex="bench" searchType="" bulkmode="on")
"""


class Mock:
    """A bulk_mock for one sender; `counts` once it has ended."""

    def __init__(self, *options):
        self.options = options
        self.counts = None

    def __enter__(self):
        self.process = subprocess.Popen(
            [DIR + "/bulk_mock", *self.options], stdout=subprocess.PIPE,
            text=True)
        self.port = int(self.process.stdout.readline())
        self.url = f"http://127.0.0.1:{self.port}"
        return self

    def __exit__(self, kind, *_):
        self.process.terminate()
        text, _ = self.process.communicate()
        if kind is None:
            self.counts = json.loads(text)
            if self.process.returncode != 0:
                sys.exit(f"what came to _bulk is wrong: {text}")

    def stored(self):
        with socket.create_connection(("127.0.0.1", self.port)) as s:
            s.sendall(b"GET /_count HTTP/1.1\r\nHost: bench\r\n\r\n")
            answer = s.recv(4096)  # a short one, sent at once
        return json.loads(answer.partition(b"\r\n\r\n")[2])["count"]

    def wait(self, documents, process):
        """Until they are there."""
        have, since = -1, time.monotonic()
        while have < documents:
            time.sleep(0.05)
            now = self.stored()
            if now != have:
                have, since = now, time.monotonic()
            # WNOWAIT: its times are asked for later.
            if os.waitid(os.P_PID, process.pid,
                         os.WEXITED | os.WNOHANG | os.WNOWAIT):
                sys.exit(f"it ended too early: {process.args}")
            if time.monotonic() - since > PATIENCE:
                process.kill()
                sys.exit(f"{have} of {documents} documents came: "
                         f"{process.args}")


def sources(path):
    """Of every document in bodies that a mock has kept."""
    with open(path, "rb") as f:
        for line in f:
            body = f.read(int(line)).split(b"\n")
            yield from body[1::2]


def write(name, text):
    """Into a daemon's folder; where it is."""
    path = os.path.join(WORK, name)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def rsyslog(path, port):
    conf = write("conf", RSYSLOG_CONF.format(
        work=WORK, path=os.path.abspath(path), port=port))
    modules = glob.glob(RSYSLOG + "/usr/lib/*/rsyslog")[0]
    libraries = os.path.dirname(modules)
    return ["env", "LD_LIBRARY_PATH=" + libraries,
            RSYSLOG + "/usr/sbin/rsyslogd", "-n", "-f", conf,
            "-i", WORK + "/pid", "-M", modules]


def daemon(make, path, port):
    """The command of one that has never run before."""
    shutil.rmtree(WORK, ignore_errors=True)
    os.mkdir(WORK)
    return make(path, port)


def daemons():
    """Name: what makes the command.  Those that are here."""
    found = {}
    if os.path.exists(RSYSLOG + "/usr/sbin/rsyslogd"):
        found["rsyslog"] = rsyslog
    return found
