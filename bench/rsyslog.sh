#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Unpacks Debian's rsyslog, which sends to Elasticsearch, below a folder, and
# installs nothing: a second daemon for the system's log is nobody's wish.
#
#	bench/rsyslog.sh FOLDER
#
# Where that cannot be (no Debian, no network) it says so, and the row is left
# out.
set -eu

dir=$1
packages='rsyslog rsyslog-elasticsearch libestr0 libfastjson4 liblognorm5'

[ ! -x "$dir/usr/sbin/rsyslogd" ] || exit 0
rm -rf "$dir"
mkdir -p "$dir/debs"
# shellcheck disable=SC2086 # a list of words
if ! (cd "$dir/debs" && apt-get -q download $packages) >"$dir/log" 2>&1; then
	echo "no rsyslog to compare with: $(tail -n 1 "$dir/log")" >&2
	exit 0
fi
for deb in "$dir"/debs/*.deb; do
	dpkg -x "$deb" "$dir"
done
rm -r "$dir/debs"
