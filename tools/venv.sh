#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Makes build/venv, a Python of its own with what tests/conformance needs and
# Debian's packages do not have in the version that is wanted:
#
#	tools/venv.sh
#
# botocore	AWS's own client library: its service models say what a body
#		of X-Ray's API must look like.
#
# Needs network once; removing build/ takes it away.  Without it the tests of
# tests/conformance are skipped, and say so.
set -eu
cd "$(dirname "$0")/.."
if build/venv/bin/python3 -c 'import botocore' 2>/dev/null; then
	exit 0
fi
echo "venv: installing botocore into build/venv"
python3 -m venv build/venv
build/venv/bin/pip install --quiet --disable-pip-version-check botocore
