#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs all tests of one build: the unit tests, and every executable script in
# tests/golden, tests/e2e and tests/conformance.
#
#	BUILD=build/release tests/run.sh [unit|golden|e2e|conformance|PATH]...
#
# A script finds the program in $TELLTALE, the build's folder in $BUILD, an
# empty folder of its own in $TMPDIR, and the repository as working directory.
# It speaks TAP: a plan "1..N", "ok N - claim", "not ok N - claim", "ok N -
# claim # skip reason", or "1..0 # skip reason" for all of it.  It has failed
# when it says so, ends with an error, has no plan or another number of tests
# than planned, or takes longer than TEST_TIMEOUT seconds (300).
#
# What a sanitizer reports in any process is a failure, whoever looks away: a
# leak in a test of Criterion's, a child whose status a script ignores.
#
# One line a script; of a failed one the "not ok" lines, what was said of them,
# and the last of its output; the last line is the sum: N passed, N failed, N
# skipped.
set -u
cd "$(dirname "$0")/.." || exit 3

BUILD=$(realpath "${BUILD:-build/release}")
TELLTALE=$BUILD/telltale
export BUILD TELLTALE LC_ALL=C.UTF-8
limit=${TEST_TIMEOUT:-300}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' HUP INT TERM

# Reads TAP: prints "passed failed skipped", and behind it why the script as a
# whole is not believed, if so.  $1: its exit status.
count()
{
	awk -v rc="$1" '
	/^1\.\.[0-9]+/ {
		planned = 1
		plan = substr($1, 4) + 0
		all_skipped = plan == 0 && tolower($0) ~ /# *skip/
	}
	/^not ok/ && tolower($0) ~ /# *todo/ { skipped++; next }
	/^not ok/ { failed++ }
	/^ok/ { if (tolower($0) ~ /# *skip/) skipped++; else passed++ }
	END {
		ran = passed + failed + skipped
		if (all_skipped && ran == 0 && rc == 0)
			skipped = 1
		else if (rc == 124 || rc == 137)
			why = "took too long"
		else if (!planned)
			why = "no plan (status " rc ")"
		else if (ran == 0)
			why = "ran no test (status " rc ")"
		else if (ran != plan)
			why = "planned " plan ", ran " ran " (status " rc ")"
		else if (rc != 0 && failed == 0)
			why = "status " rc
		if (why != "")
			failed++
		printf "%d %d %d %s\n", passed, failed, skipped, why
	}'
}

# $1: what ran, $2: its output with the TAP, $3: status, $4: where words are
report()
{
	local passed failed skipped why
	read -r passed failed skipped why < <(count "$3" <"$2")
	if grep -qsE 'SUMMARY: |runtime error: ' "$(sanitizer "$1")".*; then
		failed=$((failed + 1))
		why="a sanitizer's report${why:+; $why}"
	fi
	echo "$passed $failed $skipped" >>"$work/sums"
	{
		printf '%-44s %4d ok' "$1" "$passed"
		[ "$failed" = 0 ] || printf ', %d FAILED' "$failed"
		[ "$skipped" = 0 ] || printf ', %d skipped' "$skipped"
		printf '%s\n' "${why:+: $why}"
		grep -iE '^(ok|1\.\.0).*# *skip|^not ok.*# *todo' "$2" |
			sed "s|^|  skipped in $1: |"
		if [ "$failed" != 0 ]; then
			awk '/^(not )?ok|^1\.\./ { bad = /^not/ } bad' "$2" |
				head -n 60 | cut -c1-400 | sed 's/^/  /'
			head -qn 25 "$(sanitizer "$1")".* 2>/dev/null |
				head -n 60 | sed 's/^/  ! /'
			echo "  --- the end of its output:"
			tail -n 25 "$4" | cut -c1-400 | sed 's/^/  | /'
		fi
	} >"$work/line.$BASHPID"
	# One write a script, although several run.
	flock "$work/sums" cat "$work/line.$BASHPID"
}

# Where the sanitizers write about $1, a file a process.
sanitizer()
{
	echo "$work/sanitizer-${1//\//-}"
}

# Runs "$2"... for the test $1, the sanitizers' options set.
run()
{
	local log
	log=allocator_may_return_null=1:log_path=$(sanitizer "$1")
	shift
	ASAN_OPTIONS=$log${ASAN_OPTIONS:+:$ASAN_OPTIONS} \
	    UBSAN_OPTIONS=${log#*:}:print_stacktrace=1${UBSAN_OPTIONS:+:$UBSAN_OPTIONS} \
	    TSAN_OPTIONS=$log${TSAN_OPTIONS:+:$TSAN_OPTIONS} \
	    timeout -k 5 "$limit" "$@" </dev/null
}

run_unit()
{
	[ -n "$(ls tests/unit/*/*.c 2>/dev/null)" ] || return 0
	mkdir "$work/unit"
	TMPDIR=$work/unit run tests/unit "$BUILD/unit" \
	    --tap="$work/unit.tap" >"$work/unit.out" 2>&1
	local rc=$?
	[ -f "$work/unit.tap" ] || : >"$work/unit.tap"
	# Criterion says 1 for failed tests, which its TAP has too.
	report tests/unit "$work/unit.tap" "$rc" "$work/unit.out"
}

run_script()
{
	local out=$work/${1//\//,}.out
	local dir=$work/${1//\//,}.d
	mkdir "$dir"
	TMPDIR=$dir run "$1" "./$1" >"$out" 2>&1
	report "$1" "$out" "$?" "$out"
	chmod -R u+rwx "$dir" 2>/dev/null
	rm -rf "$dir"
}

scripts()
{
	find "$@" -type f \( -name '*.sh' -o -name '*.py' \) -perm -u+x \
	    2>/dev/null | sort
}

: >"$work/sums"
[ $# != 0 ] || set -- unit golden e2e conformance
for what; do
	case $what in
	unit) run_unit ;;
	golden | e2e | conformance) scripts "tests/$what" >>"$work/todo" ;;
	*) echo "$what" >>"$work/todo" ;;
	esac
done
if [ -s "$work/todo" ]; then
	if [ ! -x "$TELLTALE" ]; then
		echo "tests/run.sh: no program $TELLTALE: run make" >&2
		exit 3
	fi
	export work limit
	export -f run_script run sanitizer report count
	# shellcheck disable=SC2016 # the inner shell expands it
	xargs -a "$work/todo" -d '\n' -n 1 -P "${TEST_JOBS:-$(nproc)}" \
	    bash -c 'run_script "$0"'
fi

awk '{ p += $1; f += $2; s += $3 }
END {
	printf "%d passed, %d failed, %d skipped\n", p, f, s
	exit f > 0 || p + s == 0
}' "$work/sums"
