#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Our bodies of X-Ray's API against botocore's service model, and against the
real answers in the corpus: rebuilt from their own documents."""
import glob
import json
import os
import sys

try:
    import botocore
except ImportError:
    VENV = "build/venv/bin/python3"
    if os.path.exists(VENV) and not os.environ.get("IN_VENV"):
        os.environ["IN_VENV"] = "1"
        os.execv(VENV, [VENV, *sys.argv])
    print("1..0 # skip needs botocore: tools/venv.sh installs it (network)")
    sys.exit(0)

import botocore.loaders
import botocore.model
import botocore.parsers
import botocore.validate

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "e2e"))
from tap import (CORPUS, done, folder, need_corpus, ok, same,  # noqa: E402
                 telltale, write)

need_corpus()
XRAY = os.path.join(CORPUS, "xray")
DEMO = "demo/like-service"
MODEL = botocore.model.ServiceModel(
    botocore.loaders.Loader().load_service_model("xray", "service-2"), "xray")
WORK = folder()


def unknown(value, shape, where=""):
    """Members that the model does not know, and null where it has none."""
    if value is None:
        return [f"{where}: null"]
    if shape.type_name == "structure":
        bad = [f"{where}.{k}" for k in value if k not in shape.members]
        for k, member in shape.members.items():
            if k in value:
                bad += unknown(value[k], member, f"{where}.{k}")
        return bad
    if shape.type_name == "list":
        return [b for i, v in enumerate(value)
                for b in unknown(v, shape.member, f"{where}[{i}]")]
    if shape.type_name == "map":
        return [b for k, v in value.items()
                for b in unknown(v, shape.value, f"{where}[{k}]")]
    return []


def conforms(operation, body, claim):
    """Parses and validates it as a client does; the parsed answer."""
    shape = MODEL.operation_model(operation).output_shape
    parser = botocore.parsers.create_parser("rest-json")
    parsed = parser.parse({"status_code": 200, "headers": {}, "body": body},
                          shape)
    parsed.pop("ResponseMetadata", None)
    report = botocore.validate.ParamValidator().validate(parsed, shape)
    bad = unknown(json.loads(body), shape)
    ok(not report.has_errors() and not bad, f"{operation}: {claim}",
       report.generate_report() + "\n".join(bad))
    return parsed


def documents(answer):
    return [json.loads(s["Document"]) for t in answer["Traces"]
            for s in t["Segments"]]


def load(name):
    with open(os.path.join(XRAY, name), encoding="utf-8") as f:
        return json.load(f)


# Every trace of the corpus and of the demo, and the graphs of both.
sources = sorted(glob.glob(XRAY + "/*.json")) + [DEMO]
ids = set()
for source in sources:
    r = telltale("map", "--json", source)
    conforms("GetServiceGraph", r.out, os.path.basename(source))
graph = json.loads(telltale("map", "--json", os.path.join(
    XRAY, "iatk-trace-with-links.json")).out)
links = [e for s in graph["Services"] for e in s["Edges"]
         if e.get("EdgeType") == "link"]
same([[h["Count"] for h in e["ReceivedEventAgeHistogram"]] for e in links],
     [[1]], "GetServiceGraph: the corpus' link")
for source in [XRAY, DEMO]:
    for line in telltale("trace", "00000000", source).err.split("nearest: "):
        ids.update((source, i.strip()) for i in line.split(",")
                   if i.strip().startswith("1-"))
for name in ("guide-batch-get-traces.response.json",
             "awscli-batch-get-traces.response.json"):
    ids.update((XRAY, t["Id"]) for t in load(name)["Traces"])
ok(len(ids) >= 6, "there are traces to look at", ids)
for source, trace in sorted(ids):
    conforms("BatchGetTraces", telltale("trace", "--json", trace, source).out,
             trace)
    conforms("GetTraceSummaries",
             telltale("trace", "--summary", trace, source).out, trace)
    conforms("GetTraceGraph",
             telltale("map", "--json", "--trace", trace, source).out, trace)
conforms("GetTimeSeriesServiceStatistics",
         telltale("map", "--series", "60s", DEMO).out, "clients")
series = conforms("GetTimeSeriesServiceStatistics",
                  telltale("map", "--series", "5m", "--node", "like service",
                           DEMO).out, "a service")
steps = series["TimeSeriesServiceStatistics"]
ok(all((a["Timestamp"] - b["Timestamp"]).total_seconds() == 300
       for a, b in zip(steps, steps[1:])),
   "time series: newest first, without a gap", steps[:3])

# What AWS answered, from its own documents without what it inferred.
for name in ("guide-batch-get-traces.response.json",
             "awscli-batch-get-traces.response.json"):
    real = load(name)
    sent = [d for d in documents(real) if not d.get("inferred")]
    path = write(os.path.join(WORK, name + ".ndjson"),
                 "".join(json.dumps(d) + "\n" for d in sent))
    for trace in real["Traces"]:
        ours = json.loads(telltale("trace", "--json", trace["Id"], path).out)
        same(ours["Traces"][0]["Duration"], trace["Duration"],
             f"{name}: the duration")
        want = sorted((d for d in documents({"Traces": [trace]})),
                      key=lambda d: (d["start_time"], d["name"],
                                     not d.get("inferred")))
        got = sorted(documents(ours),
                     key=lambda d: (d["start_time"], d["name"],
                                    not d.get("inferred")))
        for d in got + want:
            if d.get("inferred"):
                d.pop("id")
        same(got, want, f"{name}: the documents, inferred ones rebuilt")

# The summary of the guide's trace.
real = load("guide-get-trace-summaries.response.json")
trace = load("guide-batch-get-traces.response.json")["Traces"][0]
want = next(s for s in real["TraceSummaries"] if s["Id"] == trace["Id"])
got = json.loads(telltale(
    "trace", "--summary", trace["Id"],
    os.path.join(XRAY, "guide-batch-get-traces.response.json")).out)
got = got["TraceSummaries"][0]
for key in ("Id", "Duration", "ResponseTime", "HasFault", "HasError",
            "HasThrottle"):
    same(got[key], want[key], f"the guide's summary: {key}")
# The guide masks the client's address in one of the two answers.
same({k: v for k, v in got["Http"].items() if k != "ClientIp"},
     {k: v for k, v in want["Http"].items() if k != "ClientIp"},
     "the guide's summary: Http")
same({k: [v["AnnotationValue"] for v in vs]
      for k, vs in got["Annotations"].items()},
     {k: [v["AnnotationValue"] for v in vs]
      for k, vs in want["Annotations"].items()},
     "the guide's summary: Annotations")
same([u["UserName"] for u in got["Users"]],
     [u["UserName"] for u in want["Users"]], "the guide's summary: Users")

# A subsegment sent apart comes back inside its segment.
TRACE = "1-5f84c7a1-0123456789abcdef01234567"
apart = [
    {"name": "front", "id": "1" * 16, "trace_id": TRACE, "start_time": 1.0,
     "end_time": 9.0, "subsegments": [
         {"name": "a", "id": "2" * 16, "start_time": 2.0, "end_time": 3.0}]},
    {"name": "late", "id": "3" * 16, "trace_id": TRACE, "type": "subsegment",
     "parent_id": "2" * 16, "start_time": 2.5, "end_time": 2.75,
     "namespace": "remote", "metadata": {"x": {"y": [1, 2]}}},
]
path = write(os.path.join(WORK, "apart.ndjson"),
             "".join(json.dumps(d) + "\n" for d in reversed(apart)))
got = documents(json.loads(telltale("trace", "--json", TRACE, path).out))
whole = next(d for d in got if d["name"] == "front")
inner = whole["subsegments"][0]["subsegments"]
same(inner, [{"name": "late", "id": "3" * 16, "start_time": 2.5,
              "end_time": 2.75, "namespace": "remote",
              "metadata": {"x": {"y": [1, 2]}}}],
     "a subsegment sent apart is folded in, with all it has")
inferred = [d for d in got if d.get("inferred")]
same([(d["name"], d["parent_id"], d["start_time"]) for d in inferred],
     [("late", "3" * 16, 2.5)], "and its callee is inferred")

done()
