#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The arrows between the rooms point one way: checks every #include of the
# sources below the working directory against the two tables here.  Prints
# what is wrong, one a line, and fails.
set -u
export LC_ALL=C

# A room, and the rooms that it may include beside itself; with a slash: that
# header only (documents say what the cells decided, X-Ray's answers what a trace
# and the graph hold, and nothing else of them).
rooms='
core
query      core
ingest     core
analyzers  query core
store      query core
sinks      store core analyzers/alerts.h analyzers/cells.h analyzers/graph.h ingest/assemble.h query/view.h
pipeline   ingest analyzers query store sinks core
simulate   core
cli        simulate pipeline ingest analyzers query store sinks core
'

# A header that is not the C library's, and the files that may include it.
foreign='
yyjson.h         core/json.c
pcre2.h          core/regex.c
xxhash.h         core/hash.c
curl/curl.h      core/http.c
zlib.h           ingest/inflate_zlib.c core/pack_zlib.c core/unpack.c core/gzip.c
isa-l.h          ingest/inflate_isal.c core/pack_isal.c
sqlite3.h        store/*.c
librdkafka/*     ingest/kafka.c sinks/kafka.c
yaml.h           pipeline/*.c
microhttpd.h     cli/serve.c
'

# The C library's and the kernel's.
ours='assert|complex|ctype|dirent|dlfcn|endian|errno|fcntl|fenv|float|fnmatch|
getopt|glob|inttypes|iso646|langinfo|limits|locale|malloc|math|netdb|poll|
pthread|regex|sched|search|semaphore|setjmp|signal|stdalign|stdarg|stdatomic|
stdbool|stddef|stdint|stdio|stdlib|stdnoreturn|string|strings|termios|threads|
time|unistd|wchar|wctype|(arpa|linux|net|netinet|sys)/[a-z_]+|immintrin|
emmintrin'
ours=$(echo "$ours" | tr -d '\n')

# The words behind $1 in the table $2.
row()
{
	awk -v key="$1" '$1 == key { $1 = ""; print }' <<<"$2"
}

bad()
{
	echo "$1:$2: $3"
	status=1
}

# $1:$2 includes the header $3 of this repository.
check_ours()
{
	local from=${1%%/*} to=${3%%/*} may
	[ -f "$3" ] || bad "$1" "$2" "no $3 from the root"
	[ "$from" != "$to" ] || return
	for may in $(row "$from" "$rooms"); do
		[ "$may" != "$to" ] && [ "$may" != "$3" ] || return
	done
	bad "$1" "$2" "$from/ may not include $to/"
}

# $1:$2 includes <$3>.
check_foreign()
{
	local header files file
	[[ $3 =~ ^($ours)\.h$ ]] && return
	while read -r header files; do
		# shellcheck disable=SC2053 # the table holds patterns
		[[ -n $header && $3 == $header ]] || continue
		for file in $files; do
			# shellcheck disable=SC2053
			[[ $1 != $file ]] || return
		done
		bad "$1" "$2" "<$3> belongs in $files"
		return
	done <<<"$foreign"
	bad "$1" "$2" "<$3> is in no table of tools/layers.sh"
}

set -f
status=0
while read -r room _; do
	[ -d "${room:-no}" ] || continue
	while IFS=: read -r file line text; do
		if [[ $text =~ \#[[:space:]]*include[[:space:]]*\"([^\"]*)\" ]]
		then
			check_ours "$file" "$line" "${BASH_REMATCH[1]}"
		elif [[ $text =~ \#[[:space:]]*include[[:space:]]*\<([^\>]*)\> ]]
		then
			check_foreign "$file" "$line" "${BASH_REMATCH[1]}"
		else
			bad "$file" "$line" "an include that is neither"
		fi
	done < <(grep -rnE --include='*.[ch]' '^[[:space:]]*#[[:space:]]*include' \
	    "$room")
done <<<"$rooms"
exit "$status"
