#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Makes build/venv, a Python of its own with what tests/conformance needs and
# Debian's packages do not have in the version that is wanted:
#
#	tools/venv.sh
#
# botocore	AWS's own client library: its service models say what a body
#		of X-Ray's API must look like, and its signer what a signature
#		of ours must be.
# moto, boto3	AWS's services as a server, and a client of them: what is
#		published there is read back.
#
# Needs network once; removing build/ takes it away.  Without it the tests of
# tests/conformance are skipped, and say so.
set -eu
cd "$(dirname "$0")/.."
if build/venv/bin/python3 -c 'import boto3, botocore, moto.server' 2>/dev/null; then
	exit 0
fi
echo "venv: installing botocore, boto3 and moto into build/venv"
python3 -m venv build/venv
build/venv/bin/pip install --quiet --disable-pip-version-check \
    botocore boto3 'moto[server]'
