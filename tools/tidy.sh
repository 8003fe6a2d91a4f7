#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# clang-tidy of one file, and its words; asked again about the same file,
# headers (the system's too), rules and flags, it says what it said before.
#
#	tools/tidy.sh FILE.c FLAG...
#
# One file a process: clang-tidy 14 mixes the va_lists of several up.
set -u

file=$1
shift
said=build/lint/tidy/$file

# The paths that one function is followed along: a third of the default finds
# the same in our sources, in less than half the time.
nodes=75000

# The name of all that the outcome depends on.
key()
{
	local rule read
	rule=$(gcc -M "$@" "$file" 2>/dev/null) || return
	read -ra read < <(tr -d '\\\n' <<<"${rule#*:}")
	{
		echo "$@"
		clang-tidy --version
		cat "$0" .clang-tidy "${read[@]}"
	} | sha256sum
}

key=$(key "$@")
if [ -z "$key" ] || [ "$(head -n 1 "$said" 2>/dev/null)" != "$key" ]; then
	mkdir -p "${said%/*}"
	words=$(clang-tidy --quiet "$file" -- "$@" -Xclang -analyzer-config \
	    -Xclang max-nodes=$nodes 2>/dev/null)
	status=$?
	printf '%s\n' "$key" "$status" "$words" >"$said.$$"
	mv "$said.$$" "$said"
fi
tail -n +3 "$said" | grep .
exit "$(sed -n 2p "$said")"
