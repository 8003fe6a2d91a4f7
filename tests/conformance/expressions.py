# SPDX-License-Identifier: Apache-2.0
"""Random traces, and random filter expressions that find some of them.

Seeded: the same seed gives the same archive and the same questions.
"""
import json
import random

NAMES = ["shop", "like service", "db*", "a?b", "o'hare", "größe\\", "cart"]
USERS = ["alice", "bob", "", "o\"k"]
URLS = ["http://shop.example/cart", "http://shop.example/cart/7?x=%_*",
        "/a\\b?c", "https://ö.example/", "/" + "long/" * 500]
METHODS = ["GET", "POST", "DELETE"]
AGENTS = ["curl/8", "Mozilla/5.0 (*)", "ELB-HealthChecker/2.0"]
KEYS = ["room", "k.ey", "Größe"]
VALUES = ["blue", "", "*", 3, 3.5, -1, 29.0, 1e3, True, False]
CODES = [200, 201, 301, 404, 429, 500, 503]
START = 1795244400


class World:
    def __init__(self, seed, traces=160):
        self.rng = random.Random(seed)
        self.n = traces

    def one(self, values):
        return self.rng.choice(values)

    def chance(self, p):
        return self.rng.random() < p

    # --- traces ---------------------------------------------------------

    def hex(self, n):
        return "".join(self.one("0123456789abcdef") for _ in range(n))

    def http(self, node, code):
        request = {"method": self.one(METHODS), "url": self.one(URLS)}
        if self.chance(0.5):
            request["user_agent"] = self.one(AGENTS)
        if self.chance(0.5):
            request["client_ip"] = self.one(["198.51.100.7", "::1"])
        node["http"] = {"request": request, "response": {"status": code}}
        if code == 429:
            node["throttle"] = node["error"] = True
        elif code >= 500:
            node["fault"] = True
            if self.chance(0.7):
                node["cause"] = {"exceptions": [
                    {"id": self.hex(16), "type": self.one(["Err*", "Bad"]),
                     "message": self.one(["no 'x'", "", "say \"no\""])}]}
        elif code >= 400:
            node["error"] = True

    def extras(self, node):
        if self.chance(0.5):
            node["annotations"] = {
                k: self.one(VALUES) for k in KEYS if self.chance(0.6)}

    def subsegments(self, node, start, end, depth):
        calls = []
        for _ in range(self.rng.randrange(3)):
            a, b = sorted(self.rng.uniform(start, end) for _ in range(2))
            sub = {"id": self.hex(16), "name": self.one(NAMES),
                   "start_time": a, "end_time": b}
            if self.chance(0.6):
                sub["namespace"] = self.one(["remote", "aws"])
                self.http(sub, self.one(CODES))
                calls.append(sub)
            self.extras(sub)
            if depth < 2:
                calls += self.subsegments(sub, a, b, depth + 1)
            node.setdefault("subsegments", []).append(sub)
        return calls

    def trace(self):
        at = START + self.rng.randrange(3600) + self.rng.random()
        trace_id = f"1-{int(at):08x}-{self.hex(24)}"
        yield from self.segment(trace_id, None, at,
                                at + self.one([0.01, 0.5, 1, 2.5, 9]), 0)

    def segment(self, trace_id, parent, start, end, depth):
        s = {"trace_id": trace_id, "id": self.hex(16),
             "name": self.one(NAMES), "start_time": start}
        if parent:
            s["parent_id"] = parent
        if self.chance(0.05):
            s["in_progress"] = True
        else:
            s["end_time"] = end
        if self.chance(0.9):
            self.http(s, self.one(CODES))
        if self.chance(0.4):
            s["user"] = self.one(USERS)
        if self.chance(0.4):
            s["origin"] = self.one(["AWS::ECS::Container",
                                    "AWS::EC2::Instance"])
            s["aws"] = {"account_id": self.one(["111122223333", "4444"]),
                        "ec2": {"instance_id": self.one(["i-1", "i-2"]),
                                "availability_zone": self.one(
                                    ["eu-west-1a", "eu-west-1b"])}}
        self.extras(s)
        for call in self.subsegments(s, start, end, 0):
            if depth < 2 and self.chance(0.5):
                yield from self.segment(trace_id, call["id"],
                                        call["start_time"],
                                        call["end_time"], depth + 1)
        yield s

    def large(self):
        """More nested objects than a server allows a document by default."""
        trace_id, root = f"1-{START:08x}-{self.hex(24)}", self.hex(16)
        for i in range(6000):
            s = {"trace_id": trace_id, "id": f"{i:016x}", "name": "leaf",
                 "parent_id": root, "start_time": START, "end_time": START + 1}
            if i == 0:
                s |= {"id": root, "name": "large"}
                del s["parent_id"]
            yield s

    def archive(self):
        for s in self.large():
            yield json.dumps(s) + "\n"
        for _ in range(self.n):
            for s in self.trace():
                yield json.dumps(s, ensure_ascii=self.chance(0.5)) + "\n"

    # --- expressions ----------------------------------------------------

    def quoted(self, text):
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

    def text(self, name, values):
        op = self.one(["=", "!=", "CONTAINS", "BEGINSWITH", "ENDSWITH"])
        value = self.one(values)
        if op not in "!=" and self.chance(0.6):
            at = self.rng.randrange(len(value) + 1)
            value = value[at:at + 1 + self.rng.randrange(6)]
        return f"{name} {op} {self.quoted(value[:300])}"

    def number(self, name, values):
        return f"{name} {self.one(['=', '!=', '<', '<=', '>', '>='])} " \
               f"{self.one(values)}"

    def annotation(self):
        key = f"annotation[{self.one(KEYS)}]"
        value = self.one(VALUES)
        if self.chance(0.2):
            return key
        if isinstance(value, bool):
            return f"{key} {self.one(['=', '!='])} {str(value).lower()}"
        if isinstance(value, str):
            return self.text(key, [value])
        return self.number(key, [value])

    def test(self, places):
        kind = self.rng.randrange(6)
        if kind == 0:
            return self.one(["ok", "error", "fault", "throttle", "partial"])
        if kind == 1:
            return self.number(self.one(["responsetime", "duration"]),
                               [0, 0.01, 0.5, 1, 2.5, 9, 1000])
        if kind == 2:
            return self.number("http.status", CODES)
        if kind == 3:
            return self.annotation()
        name, values = self.one(
            [("http.url", URLS), ("http.method", METHODS),
             ("http.useragent", AGENTS), ("http.clientip", ["198.51.100.7"]),
             ("user", ["alice", "bob"]), ("instance.id", ["i-1", "i-3"]),
             ("availabilityzone", ["eu-west-1a"])] + places)
        return self.text(name, values)

    def node(self):
        kind = self.rng.randrange(4)
        name = self.quoted(self.one(NAMES))
        if kind == 0:
            return ""
        if kind == 1:
            kind = self.one(["AWS::ECS::Container", "client", "remote"])
            return f'id(name: {name}, type: "{kind}")'
        return name

    def term(self, depth):
        kind = self.rng.randrange(9)
        if kind == 0 and depth < 3:
            return f"({self.expression(depth + 1)})"
        if kind in (1, 2):
            block = ""
            if self.chance(0.7):
                block = " { " + self.block([("name", NAMES)]) + " }"
            return f"service({self.node()}){block}"
        if kind == 3:
            block = " { " + self.block([]) + " }" if self.chance(0.6) else ""
            return f"edge({self.node() or self.quoted(NAMES[0])}, " \
                   f"{self.node() or self.quoted(NAMES[1])}){block}"
        if kind == 4:
            of = self.one(["fault", "error", "responsetime"])
            test = self.one(["first", "last", "index = 0", "index > 0",
                             self.text("name", NAMES), ""])
            return f"rootcause.{of}.{self.one(['service', 'entity'])} " \
                   f"{{ {test or 'last'} }}"
        return self.test([])

    def joined(self, terms):
        return f" {self.one(['AND', 'OR'])} ".join(
            ("!" if self.chance(0.2) else "") + t for t in terms)

    def block(self, places):
        return self.joined([self.test(places)
                            for _ in range(1 + self.rng.randrange(2))])

    def expression(self, depth=0):
        return self.joined([self.term(depth)
                            for _ in range(1 + self.rng.randrange(3))])
