# SPDX-License-Identifier: Apache-2.0
"""An Elasticsearch that fails as it is told: _bulk, _search, and who it is.

    with elastic.Peer(seed=1, request={"reset": 0.2}, item={429: 0.05}) as peer:
        ... replay --es peer.url ...
        peer.digest()

It keeps what it has stored, as the real one would: `create` of an id that is
there is a conflict, `index` with an external version only goes forward.  What
goes wrong is drawn from the seed, so that a run can be repeated.

Faults of a request, by name, with their probability:
  refuse_connection  hangs up before it reads anything
  reset              hangs up before the documents are applied
  applied_reset      applies them and hangs up without an answer
  truncated          applies them and sends half of the answer
  wrong_count        applies them and leaves one item out of the answer
  garbage            applies them and answers with what is no JSON
  oversized          applies them and sends an answer without end
  busy               429 with Retry-After: 0, not applied
  unavailable        503, not applied
  gateway            504 after it was applied
Faults of a question, by name, with their probability: busy, reset, garbage,
unavailable as above, and
  shard              the answer of a part of the index, with status 200
  late               the answer of what was found in time
  oversized          an answer of more than `page` hits is without end
It knows no query but a range: with understands=False others are refused, as a
server refuses what is nested too deeply; else all documents match.
Faults of an item: its status, with its probability; `refuse` is a function of
the source that gives a status for good.
"""
import gzip
import hashlib
import http.server
import json
import random
import socket
import struct
import threading

REQUEST = ("refuse_connection", "reset", "applied_reset", "truncated",
           "wrong_count", "garbage", "oversized", "busy", "unavailable",
           "gateway")
QUESTION = ("busy", "reset", "garbage", "unavailable", "shard", "late")


class Peer:
    def __init__(self, seed=0, request=None, item=None, refuse=None,
                 version="8.19.0", distribution=None, root=True,
                 largest=None, password=None, api_key=None, port=0):
        self.random = random.Random(seed)
        self.request = request or {}
        self.item = item or {}
        self.refuse = refuse
        self.version = version
        self.distribution = distribution
        self.root = root        # whether GET / is answered
        self.largest = largest  # bytes of a request; more is a 413
        self.password = password
        self.api_key = api_key
        self.index = {}         # (index, id): (version, source)
        self.templates = {}     # path: body
        self.wildcard = True    # whether that type is known
        self.requests = 0
        self.faults = {}
        self.bad = []           # what no client should have sent
        self.lock = threading.Lock()
        self.applied = threading.Condition(self.lock)
        self.server = Server(("127.0.0.1", port), Handler)
        self.server.peer = self
        self.question = {}      # faults of _search and _count
        self.understands = True
        self.page = None        # hits that an answer may have
        self.questions = []     # the bodies of those that were answered
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

    def digest(self):
        """Of all that is stored, whatever the order it came in."""
        h = hashlib.sha256()
        with self.lock:
            for (index, id_), (_, source) in sorted(self.index.items()):
                h.update(f"{index}\0{id_}\0".encode() + source + b"\0")
        return h.hexdigest()

    def wait_for(self, n, timeout=30):
        """Until n documents are stored."""
        with self.applied:
            return self.applied.wait_for(lambda: len(self.index) >= n, timeout)

    def draw(self, table):
        for name, p in table.items():
            if self.random.random() < p:
                self.faults[name] = self.faults.get(name, 0) + 1
                return name
        return None

    def apply(self, action, source):
        """The result of one action, as in the answer's items."""
        (op, what), = action.items()
        key = what["_index"], what["_id"]
        fault = self.draw(self.item)
        status = fault or (self.refuse and self.refuse(source)) or None
        if (what.get("_type") is not None) != self.version.startswith("6."):
            status = 400
        if status:
            return {op: {"_id": key[1], "status": status, "error": {
                "type": "a_fault", "reason": f"it is told to say {status}"}}}
        version = what.get("version", 1)
        old = self.index.get(key)
        if old and (op == "create" or old[0] > version):
            return {op: {"_id": key[1], "status": 409, "error": {
                "type": "version_conflict_engine_exception",
                "reason": "it is there already"}}}
        self.index[key] = version, source
        return {op: {"_id": key[1], "status": 200 if old else 201}}

    def matching(self, pattern, query):
        """Index, id, source and document of the hits."""
        prefix = pattern.rstrip("*")
        for (index, id_), (_, source) in sorted(self.index.items()):
            d = json.loads(source)
            if index.startswith(prefix) and in_range(d, query):
                yield index, id_, source, d

    def search(self, pattern, body):
        hits = []
        for index, id_, source, d in self.matching(pattern, body["query"]):
            keys = [field(d, *name) for name in body["sort"]]
            if keys > body.get("search_after", []):
                hits.append((keys, index, id_, source))
        hits.sort()
        return hits[:body["size"]]

    def bulk(self, body):
        lines = body.split(b"\n")
        if lines.pop() != b"" or len(lines) % 2:
            self.bad.append("a body that is no pairs of lines")
        items = []
        for action, source in zip(lines[::2], lines[1::2]):
            json.loads(source)
            items.append(self.apply(json.loads(action), source))
        self.applied.notify_all()
        return items


def field(document, name):
    for part in name.split("."):
        document = document.get(part) if document else None
    return document


def in_range(document, query):
    for one in query["bool"]["filter"]:
        for name, limits in one.get("range", {}).items():
            v = field(document, name)
            if v < limits.get("gte", v) or v >= limits.get("lt", v + 1):
                return False
    return True


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body, headers=(), length=None):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(length or len(data)))
        self.end_headers()
        self.wfile.write(data)

    def hang_up(self):
        """A reset, not an end."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                   struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def allowed(self):
        peer = self.server.peer
        said = self.headers.get("Authorization", "")
        import base64
        want = None
        if peer.api_key:
            want = "ApiKey " + peer.api_key
        elif peer.password:
            want = "Basic " + base64.b64encode(peer.password.encode()).decode()
        if want and said != want:
            self.answer(401, {"error": {"type": "security_exception",
                                        "reason": "who are you?"}})
            return False
        return True

    def do_GET(self):
        peer = self.server.peer
        if not self.allowed():
            return
        if self.path == "/" and peer.root:
            version = {"number": peer.version}
            if peer.distribution:
                version["distribution"] = peer.distribution
            self.answer(200, {"version": version})
        elif self.path.startswith("/_nodes/_local"):
            self.answer(200, {"nodes": {"x": {"version": peer.version}}})
        else:
            self.answer(405, {"error": "no handler"})

    def do_PUT(self):
        peer = self.server.peer
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if not self.allowed():
            return
        legacy = self.path == "/_template/telltale"
        old = peer.version.startswith(("6.", "7.2"))
        form = json.loads(body)
        if not legacy and self.path != "/_index_template/telltale":
            peer.bad.append(self.path)
        if old and not legacy:
            self.answer(405, {"error": "no handler"})
        elif b'"wildcard"' in body and not peer.wildcard:
            self.answer(400, {"error": {"type": "mapper_parsing_exception",
                                        "reason": "no such type"}})
        elif legacy and ("doc" in form["mappings"]) != \
                peer.version.startswith("6."):
            self.answer(400, {"error": {"type": "mapper_parsing_exception",
                                        "reason": "types"}})
        else:
            peer.templates[self.path] = form
            self.answer(200, {"acknowledged": True})

    def do_DELETE(self):
        peer = self.server.peer
        if self.allowed():
            there = peer.templates.pop(self.path, None)
            self.answer(200 if there else 404, {"acknowledged": bool(there)})

    def ask(self, pattern, what):
        """_search or _count."""
        peer = self.server.peer
        with peer.lock:
            fault = peer.draw(peer.question)
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self.allowed():
            return
        if fault == "reset":
            self.hang_up()
        elif fault == "busy":
            self.answer(429, b"busy", [("Retry-After", "0")])
        elif fault == "unavailable":
            self.answer(503, b"later")
        elif fault == "garbage":
            self.answer(200, b"<html>ok</html>")
        elif not peer.understands and any(
                "range" not in q for q in body["query"]["bool"]["filter"]):
            self.answer(400, {"error": {"type": "query_shard_exception",
                                        "reason": "nested too deeply"}})
        else:
            with peer.lock:
                peer.questions.append(body)
            self.found(pattern, what, body, fault)

    def found(self, pattern, what, body, fault):
        peer = self.server.peer
        shards = {"total": 2, "successful": 2, "failed": 0}
        if fault == "shard":
            shards = {"total": 2, "successful": 1, "failed": 1}
        if what == "_count":
            n = len(list(peer.matching(pattern, body["query"])))
            self.answer(200, {"count": 0 if fault else n, "_shards": shards,
                              "timed_out": fault == "late"})
            return
        hits = peer.search(pattern, body)
        if fault:
            hits = hits[:1]
        # The source is the very bytes, as in the real one.
        text = b",".join(
            json.dumps({"_index": i, "_id": id_, "sort": keys})[:-1].encode() +
            b',"_source":' + source + b"}" for keys, i, id_, source in hits)
        text = json.dumps({"timed_out": fault == "late", "_shards": shards}
                          )[:-1].encode() + \
            b',"hits":{"hits":[' + text + b"]}}"
        if peer.page and len(hits) > peer.page:
            text += b" " * (16 << 20)
        self.answer(200, text)

    def do_POST(self):
        peer = self.server.peer
        path = self.path.split("?")[0].strip("/").split("/")
        if path[-1] in ("_search", "_count"):
            self.ask(path[0], path[-1])
            return
        with peer.lock:
            peer.requests += 1
            fault = peer.draw(peer.request)
        if fault == "refuse_connection":
            self.hang_up()
            return
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        if not self.allowed():
            return
        if self.headers["Content-Type"] != "application/x-ndjson" or \
                not self.path.startswith("/_bulk"):
            peer.bad.append(f"{self.path} {self.headers['Content-Type']}")
        if peer.largest and len(body) > peer.largest:
            self.answer(413, {"error": {"type": "too_large",
                                        "reason": "that is too much"}})
        elif fault == "reset":
            self.hang_up()
        elif fault == "busy":
            self.answer(429, b"busy", [("Retry-After", "0")])
        elif fault == "unavailable":
            self.answer(503, b"later")
        else:
            with peer.lock:
                items = peer.bulk(body)
            self.reply(fault, items)

    def reply(self, fault, items):
        if fault == "wrong_count":
            items = items[:-1]
        text = json.dumps({"took": 1, "errors": any(
            "error" in r for i in items for r in i.values()),
            "items": items}).encode()
        if fault == "applied_reset":
            self.hang_up()
        elif fault == "gateway":
            self.answer(504, b"it took too long")
        elif fault == "garbage":
            self.answer(200, b"<html>ok</html>")
        elif fault == "truncated":
            self.answer(200, text[:len(text) // 2], length=len(text))
            self.hang_up()
        elif fault == "oversized":
            self.answer(200, text + b" " * (16 << 20))
        else:
            self.answer(200, text)
