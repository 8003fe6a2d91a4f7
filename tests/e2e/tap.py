# SPDX-License-Identifier: Apache-2.0
"""What the end-to-end tests share: TAP, running the program, shared data."""
import json
import os
import subprocess
import sys
import tempfile

TELLTALE = os.environ.get("TELLTALE", "build/release/telltale")
CORPUS = os.path.normpath("../shared/corpus")
_state = {"n": 0, "failed": 0}


def ok(condition, claim, detail=""):
    """One claim; the detail is shown when it does not hold."""
    _state["n"] += 1
    print(f"{'ok' if condition else 'not ok'} {_state['n']} - {claim}")
    if not condition:
        _state["failed"] += 1
        for line in str(detail).splitlines()[:20]:
            print(f"# {line[:300]}")
    sys.stdout.flush()
    return bool(condition)


def same(got, want, claim):
    return ok(got == want, claim, f"got:  {got!r}\nwant: {want!r}")


def skip(claim, why):
    _state["n"] += 1
    print(f"ok {_state['n']} - {claim} # skip {why}")


def done():
    print(f"1..{_state['n']}")
    sys.exit(1 if _state["failed"] else 0)


def need_corpus():
    """Leaves when the shared corpus is not there, as in a user's checkout."""
    if not os.path.isdir(CORPUS):
        print(f"1..0 # skip needs {CORPUS}, which is not here")
        sys.exit(0)


class Result:
    def __init__(self, done):
        self.status = done.returncode
        self.out = done.stdout
        self.err = done.stderr.decode("utf-8", "replace")

    @property
    def text(self):
        return self.out.decode("utf-8", "replace")

    def json(self):
        return json.loads(self.out)


def telltale(*args, stdin=b"", env=None, cwd=None, timeout=120):
    whole = dict(os.environ, **(env or {}))
    return Result(subprocess.run(
        [os.path.abspath(TELLTALE), *map(str, args)], input=stdin,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=whole, cwd=cwd,
        timeout=timeout))


# Forks from a small process: the largest memory of a child is at least what
# its parent had when it forked.
_MEASURE = """
import json, os, sys, time
t = time.monotonic()
pid = os.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
_, status, usage = os.wait4(pid, 0)
os.write(3, json.dumps([os.waitstatus_to_exitcode(status),
    time.monotonic() - t, usage.ru_maxrss / 1024]).encode())
"""


def measured(*args, stdin=None, env=None):
    """(status, stdout, stderr, seconds, MiB at most) of one run."""
    with tempfile.TemporaryFile() as note:
        def third():
            os.dup2(note.fileno(), 3)
        r = subprocess.run(
            [sys.executable, "-S", "-I", "-c", _MEASURE,
             os.path.abspath(TELLTALE), *map(str, args)],
            stdin=stdin or subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env={**os.environ, **(env or {})},
            preexec_fn=third, pass_fds=(3,))
        note.seek(0)
        status, seconds, mib = json.loads(note.read() or b"[-1, 0, 0]")
    return status, r.stdout, r.stderr.decode(), seconds, mib


def replay(*args, **more):
    """Replays with --json; the document, or the result's words when it fails."""
    r = telltale("replay", "--json", *args, **more)
    try:
        return r.json()
    except ValueError:
        raise SystemExit(f"replay {args}: status {r.status}: {r.err}")


def folder():
    return tempfile.mkdtemp(dir=os.environ.get("TMPDIR"))


def write(path, data):
    if isinstance(data, str):
        data = data.encode()
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "wb") as f:
        f.write(data)
    return path


def ndjson(path):
    with open(path, "rb") as f:
        return [json.loads(line) for line in f]
