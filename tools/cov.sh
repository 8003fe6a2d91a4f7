#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Which share of the lines the tests ran, by file: tools/cov.sh build/cov
# after `make FLAVOUR=cov test`.  `make cov` does both.
set -eu
cd "$(dirname "$0")/.."

build=${1:-build/cov}
find "$build" -path "$build/tests" -prune -o -name '*.gcda' -print | sort |
	xargs -r gcov -n 2>/dev/null | awk '
/^File / { gsub(/\047/, ""); file = $2 }
/^Lines executed:/ && file ~ /^[a-z]+\/.*\.[ch]$/ {
	split($0, part, /[:% ]+/)
	lines[file] = part[5] + 0
	ran[file] = part[3] / 100 * part[5]
	file = ""
}
END {
	for (file in lines) {
		printf "%-32s %5.1f %% of %4d lines\n", file,
		    lines[file] ? 100 * ran[file] / lines[file] : 100,
		    lines[file] | "sort"
		all += lines[file]
		all_ran += ran[file]
	}
	close("sort")
	if (all)
		printf "%-32s %5.1f %% of %4d lines\n", "all",
		    100 * all_ran / all, all
	exit !all
}'
