#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The checks of the sources, one line a part:
#
#	tools/lint.sh [PART]...     all, or the named ones
#	tools/lint.sh fmt           format the sources instead
#	tools/lint.sh --self-test   plants a fault a check and wants it found
#
# The last line is the sum: N passed, N failed, N skipped.
# shellcheck disable=SC2016 # the quoted $ are awk's and the inner shell's
set -u
export LC_ALL=C

here=$(cd "$(dirname "$0")" && pwd)
cd "${LINT_ROOT:-$here/..}" || exit 3

rooms='core query ingest analyzers store sinks pipeline simulate cli'
flags='-D_GNU_SOURCE -I.'
parts='format tidy cppcheck limits layers banned clocks conditionals heads
makefile shell man'

# Functions: lines, complexity (a switch counts once: it is a table; a unit
# test may try what it likes), nesting.
max_lines=80 max_complexity=15 max_nesting=4
max_file=700 max_makefile=150

# Files below the folders $2... whose names match $1.
files()
{
	local name=$1 dir dirs=()
	shift
	for dir; do
		[ ! -d "$dir" ] || dirs+=("$dir")
	done
	[ ${#dirs[@]} = 0 ] || find "${dirs[@]}" -name "$name" -type f | sort
}

# shellcheck disable=SC2086 # a list of folders
product()
{
	files '*.[ch]' $rooms
}

# shellcheck disable=SC2086
sources()
{
	files '*.[ch]' $rooms tests bench
}

# The text of C source files without comments and string contents, each line
# as FILE:LINE:TEXT.
code()
{
	local f
	while read -r f; do
		gcc -fpreprocessed -dD -E -w -x c "$f" 2>/dev/null | awk -v f="$f" '
		/^# [0-9]+ "/ { n = $2 - 1; next }
		{
			n++
			gsub(/"([^"\\]|\\.)*"/, "\"\"")
			gsub(/\047([^\047\\]|\\.)+\047/, "0")
			print f ":" n ":" $0
		}'
	done
}

# Fails when there is input, which it shows.
none()
{
	! grep .
}

# Of the versions that there are, formats differ; ours is 14's.
clang_format()
{
	local cf
	cf=$(command -v clang-format-14 || command -v clang-format) || return 1
	case $("$cf" --version) in
	*'version 14.'*) echo "$cf" ;;
	*) return 1 ;;
	esac
}

part_format()
{
	local cf
	if ! cf=$(clang_format); then
		echo "SKIP: clang-format 14 decides, and is not here"
		return
	fi
	sources | xargs -r "$cf" --dry-run -Werror 2>&1 | none
}

# shellcheck disable=SC2086
part_tidy()
{
	files '*.c' $rooms tests/fuzz |
		xargs -r -P "$(nproc)" -I{} "$here/tidy.sh" {} -std=c11 $flags
}

# shellcheck disable=SC2086
part_cppcheck()
{
	local dirs=() d
	for d in $rooms; do
		[ ! -d "$d" ] || dirs+=("$d")
	done
	cppcheck -q -j "$(nproc)" --enable=warning,performance,portability \
	    --std=c11 --inline-suppr \
	    --suppressions-list="$here/cppcheck.txt" \
	    --error-exitcode=1 $flags "${dirs[@]}" 2>&1
}

part_limits()
{
	# shellcheck disable=SC2086
	files '*.c' $rooms tests bench | xargs -r pmccabe |
		awk -F'\t' -v lines=$max_lines -v complexity=$max_complexity '
	$5 > lines { print $6 ": " $5 " lines, not " lines }
	$1 > complexity && $6 !~ /^tests\/unit/ { print $6 ": complexity " $1 ", not " complexity }' |
		none
	local rc=$?
	# A statement stands one tab in at nesting 0; continuations add blanks.
	sources | xargs -r awk -v nesting=$max_nesting -v lines=$max_file '
	match($0, /^\t+/) && RLENGTH > nesting + 1 &&
	    substr($0, RLENGTH + 1, 1) ~ /[a-zA-Z_*(}]/ {
		print FILENAME ":" FNR ": nested deeper than " nesting
	}
	FNR == lines + 1 {
		print FILENAME ": longer than " lines " lines"
	}' | none && return $rc
}

part_layers()
{
	"$here/layers.sh"
}

part_banned()
{
	local names='strcpy|strcat|strncpy|sprintf|vsprintf|strtok|gets|
	atoi|atol|atoll|atof|gmtime|localtime|ctime|asctime|rand|srand|random|
	alloca|strdupa|tmpnam|mktemp|system|popen'
	names=$(echo "$names" | tr -d '\n\t ')
	sources | code | awk -v names="$names" '
	{
		text = $0
		sub(/^[^:]*:[0-9]+:/, "", text)
		where = substr($0, 1, length($0) - length(text))
	}
	match(text, "(^|[^a-zA-Z0-9_.>])(" names ") *[(]") {
		print where " banned: " substr(text, RSTART, RLENGTH) ")"
	}
	text ~ /^typedef struct/ { print where " no typedef for a struct" }
	text ~ /^[ \t]*(if|while|[}] while) [(].*[^=!<>]=[^=]/ {
		print where " assignment in a condition"
	}' | none
}

# Law 1: no clock where findings are made.
part_clocks()
{
	files '*.[ch]' core query ingest analyzers store | code | grep -E \
	    '[^a-zA-Z0-9_](time|clock|clock_gettime|gettimeofday) *\(' | none
}

# A header is guarded by its path; no other #if.
part_conditionals()
{
	sources | xargs -r awk '
	FNR == 1 {
		guard = name = toupper(FILENAME)
		sub(/.*\//, "", name)
		gsub(/[^A-Z0-9]/, "_", guard)
		gsub(/[^A-Z0-9]/, "_", name)
		want = FILENAME ~ /\.h$/ ? 1 : 0
	}
	/^[ \t]*#[ \t]*(if|ifdef|elif|else)([^a-z]|$)/ {
		print FILENAME ":" FNR ": no conditional but the guard"
	}
	/^[ \t]*#[ \t]*ifndef/ {
		# In the tests the name of the file will do.
		ok = guard == $2
		if (FILENAME ~ /^tests\//) {
			ok = $2 ~ "^TESTS_" && $2 ~ name "$"
		}
		if (!want || !ok)
			print FILENAME ":" FNR ": the guard is " guard
		want = 0
	}' | none
}

part_heads()
{
	sources | xargs -r awk '
	FNR == 1 && $0 != "/* SPDX-License-Identifier: Apache-2.0 */" {
		print FILENAME ": the first line is not the licence line"
	}
	FNR == 2 && !/^\/\*/ && FILENAME !~ /^tests\/unit/ {
		print FILENAME ": no head comment"
	}' | none
}

part_makefile()
{
	awk -v n=$max_makefile 'END {
		if (NR > n)
			print "Makefile: " NR " lines, not " n
	}' Makefile | none
}

part_shell()
{
	{
		find tools tests bench .ci -name '*.sh' -type f 2>/dev/null
		[ ! -f .ci/run ] || echo .ci/run
	} | sort | xargs -r shellcheck
}

part_man()
{
	files '*.[1-8]' docs | xargs -r mandoc -Tlint -W warning
}

# shellcheck disable=SC2086
fmt()
{
	local cf
	if ! cf=$(clang_format); then
		echo "lint: clang-format 14 decides, and is not here" >&2
		exit 1
	fi
	sources | xargs -r "$cf" -i
}

run()
{
	local part out rc passed=0 failed=0 skipped=0
	for part; do
		SECONDS=0
		if ! declare -F "part_$part" >/dev/null; then
			echo "lint: no part '$part'; there are: $parts" >&2
			exit 2
		fi
		out=$("part_$part" 2>&1)
		rc=$?
		if [[ $rc = 0 && $out = SKIP:* ]]; then
			skipped=$((skipped + 1))
			echo "lint $part skipped$(echo "${out#SKIP}" | head -n 1)"
		elif [ "$rc" = 0 ]; then
			passed=$((passed + 1))
			echo "lint $part ok, $SECONDS s"
		else
			failed=$((failed + 1))
			echo "lint $part FAILED, $SECONDS s:"
			head -n 60 <<<"$out" | sed 's/^/  /'
		fi
	done
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" = 0 ]
}

case ${1:-} in
fmt) fmt ;;
--self-test) exec "$here/lint-self-test.sh" ;;
'') xargs -a <(echo "$parts") "$here/lint.sh" ;;
*) run "$@" ;;
esac
