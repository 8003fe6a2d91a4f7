#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Measures how fast telltale is beside the usual tools, in one run, and checks
# that the answers are equal.
#
#	bench/run.sh [-record]     writes the tables of bench/RESULTS.md
#
#	BENCH_MB=300     megabytes of each kind of access lines
#	BENCH_RUNS=7     times that every command runs; the least time counts
#	BENCH_DIR        build/bench: the data, made once for a size
set -eu
cd "$(dirname "$0")/.."

mb=${BENCH_MB:-300}
dir=${BENCH_DIR:-build/bench}
cc=${CC:-cc}

mkdir -p "$dir"
$cc -O2 -o "$dir/gen" bench/gen.c -lz
$cc -O2 -o "$dir/yyjson_loop" bench/yyjson_loop.c -lyyjson
$cc -O2 -std=c11 -D_GNU_SOURCE -o "$dir/bulk_mock" bench/bulk_mock.c -lyyjson
$cc -O2 -std=c11 -D_GNU_SOURCE -o "$dir/bulk_loop" bench/bulk_loop.c
bench/rsyslog.sh "$dir/rsyslog"
made="$mb $(cksum <bench/gen.c)"
if [ "$(cat "$dir/made" 2>/dev/null)" != "$made" ]; then
	echo "making $mb MB of each kind in $dir" >&2
	rm -rf "$dir/data" "$dir/made"
	mkdir -p "$dir/data"
	"$dir/gen" "$dir/data" "$mb" $((mb * 1000))
	echo "$made" >"$dir/made"
fi
# Without ISA-L: for the row of zlib and PCRE2 only.
make -s FLAVOUR=noisal SETUP=true all
# Of an archive what is needed is linked, and nothing else's libraries.
rm -f "$dir/parts.a"
tr ' ' '\n' <build/release/objects | grep -E '^build/release/(core|query|store)/' |
	xargs gcc-ar rcs "$dir/parts.a"
$cc -O3 -flto=auto -std=c11 -D_GNU_SOURCE -I. -o "$dir/bench_query" \
	bench/bench_query.c "$dir/parts.a" -lyyjson -lpcre2-8 -lxxhash -lz -lm
libs=$(tr ' ' '\n' <build/release/objects | grep '^-l' | tr '\n' ' ')
# shellcheck disable=SC2086 # a list of libraries
$cc -O3 -flto=auto -std=c11 -D_GNU_SOURCE -I. -o "$dir/bench_store" \
	bench/bench_store.c "$dir/parts.a" $libs
BENCH_DIR=$dir BENCH_RUNS=${BENCH_RUNS:-7} exec python3 bench/measure.py "$@"
