#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A short, repeatable run of fuzz targets: all of tests/fuzz, or those named.
#
#	FUZZ_RUNS=10000 tools/fuzz.sh [fuzz_NAME]...
#
# Of each target: tests/fuzz/NAME.c, its seeds in tests/fuzz/corpus/NAME/,
# its words in tests/fuzz/NAME.dict if there, more of libFuzzer's options in
# tests/fuzz/NAME.options if there.  What fails is kept in build/fuzz/found/.
# The last line is the sum: N passed, N failed, N skipped.
set -u
cd "$(dirname "$0")/.." || exit 3

runs=${FUZZ_RUNS:-10000}
bin=build/fuzz/tests/fuzz
found=build/fuzz/found
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' HUP INT TERM

# Equal addresses make equal runs: libFuzzer hashes some.
still=()
! setarch -R true 2>/dev/null || still=(setarch -R)

fuzz()
{
	local name=$1 args=() seeds=tests/fuzz/corpus/$1
	if [ -z "$(ls "$seeds" 2>/dev/null)" ]; then
		echo "no seeds in $seeds"
		return 1
	fi
	mkdir -p "$work/$name" "$found"
	[ ! -f "tests/fuzz/$name.dict" ] ||
		args+=("-dict=tests/fuzz/$name.dict")
	[ ! -f "tests/fuzz/$name.options" ] ||
		mapfile -t -O ${#args[@]} args <"tests/fuzz/$name.options"
	# New inputs go into the first folder; the seeds stay as they are.
	"${still[@]}" "$bin/$name" -seed=1 -runs="$runs" -reload=0 \
	    -max_len=65536 -rss_limit_mb=2048 -timeout=20 \
	    -artifact_prefix="$found/$name-" -print_final_stats=1 \
	    "${args[@]}" "$work/$name" "$seeds" 2>&1 </dev/null
}

if [ $# = 0 ]; then
	for source in tests/fuzz/fuzz_*.c; do
		[ ! -f "$source" ] || set -- "$@" "$(basename "$source" .c)"
	done
fi
if [ $# = 0 ]; then
	echo "fuzz FAILED: no target in tests/fuzz"
	echo "0 passed, 1 failed, 0 skipped"
	exit 1
fi
parallel=(-j "$(nproc)")
[[ ${MAKEFLAGS:-} != *jobserver* ]] || parallel=()
make --no-print-directory -s "${parallel[@]}" FLAVOUR=fuzz fuzzers || exit 1

passed=0
failed=0
for name; do
	SECONDS=0
	if fuzz "$name" >"$work/log"; then
		passed=$((passed + 1))
		echo "$name ok, $runs runs, $SECONDS s," \
		    "$(sed -n 's/.* cov: \([0-9]*\) .*/\1 edges/p' \
		        "$work/log" | tail -n 1)"
	else
		failed=$((failed + 1))
		echo "$name FAILED, $SECONDS s; what it took is in $found:"
		grep -v '^#[0-9]' "$work/log" | tail -n 40 | sed 's/^/  | /'
	fi
done
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]
