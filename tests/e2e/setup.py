#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tools/setup.sh without root prints what to run, and that can be run."""
import os
import subprocess
import tap
from tap import ok, same

SETUP = os.path.abspath("tools/setup.sh")
if subprocess.run(["sh", "-c", "command -v dpkg-query"], check=False,
                  stdout=subprocess.DEVNULL).returncode:
    print("1..0 # skip needs dpkg, which is not here")
    raise SystemExit

# A machine of this kind with nothing installed, and nobody's account.
bin_ = tap.folder()
for name, body in (("dpkg-query", "exit 1"), ("id", "echo 65534"),
                   ("apt-get", 'echo "apt-get $*" >&2; exit 9')):
    tap.write(f"{bin_}/{name}", f"#!/bin/sh\n{body}\n")
    os.chmod(f"{bin_}/{name}", 0o755)
path = {**os.environ, "PATH": f"{bin_}:{os.environ['PATH']}"}

with open("/etc/os-release", encoding="utf-8") as f:
    bookworm = "VERSION_CODENAME=bookworm" in f.read()
for level in ("build", "check", "lint"):
    r = subprocess.run(["tools/setup.sh", level], env=path, check=False,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    said = r.stderr.decode().splitlines()
    run = [line.strip() for line in said if line.startswith("    ")]
    same(r.returncode, 1, f"{level}: fails")
    same(run[:2], [f"{SETUP} {level}", "apt-get update"],
         f"{level}: itself, by its whole path, and what it does")
    words = run[2].split() if len(run) == 3 else []
    same(words[:3], ["apt-get", "install", "--no-install-recommends"],
         f"{level}: one line installs")
    listed = [line.split()[0] for line in r.stdout.decode().splitlines()
              if line.startswith("    ")]
    missing = [p for p in listed if p not in words]
    same(missing, ["libyyjson-dev"] if bookworm else [],
         f"{level}: the line names all that this system's source has")
    same(any("libyyjson-dev of Debian 13" in line for line in said), bookworm,
         f"{level}: where the other one comes from is said")
    ok("apt-get -" not in r.stderr.decode(), f"{level}: nothing was tried")
tap.done()
