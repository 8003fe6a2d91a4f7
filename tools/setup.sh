#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Installs what Telltale needs, on Debian 12 and 13 and Ubuntu 24.04:
#
#	tools/setup.sh [build|check|lint|clang|bench|all]
#
# Says what it installs and why before it does.  Needs no terminal, may be run
# again at any time, does nothing when all is there, and leaves no package
# source behind.  Without root or network it prints what to run, and fails.
set -eu
export LC_ALL=C DEBIAN_FRONTEND=noninteractive

level=${1:-build}
tmp=

# Which levels want it, the package, and why.
table()
{
	cat <<-'END'
	build,check,lint,clang,bench gcc              the C compiler
	build,check,lint,clang,bench libc6-dev        headers of the C library
	build,check,lint,clang,bench make             runs the build
	build,check,lint,clang,bench libpcre2-dev     regular expressions
	build,check,lint,clang,bench zlib1g-dev       gzip, and its check sums
	build,check,lint,clang,bench libisal-dev      gzip at twice the speed
	build,check,lint,clang,bench libxxhash-dev    hashes and document ids
	build,check,lint,clang,bench libsqlite3-dev   the local store
	build,check,lint,clang,bench libyyjson-dev    JSON
	build,check,lint,clang,bench libyaml-dev      the configuration
	build,check,lint,clang,bench libcurl4-openssl-dev HTTP and TLS
	check,lint,clang             libcriterion-dev the unit tests' framework
	check,lint,clang,bench       python3          end-to-end tests, test data
	check,lint,clang             graphviz         draws what map --dot prints
	check,lint,clang,bench       jq               reads our JSON from outside
	check,lint,clang             sqlite3          reads our store from outside
	check,lint                   mandoc           reads our manual pages
	lint                         clang-format     the format of the sources
	lint                         clang-tidy       static analysis
	lint                         cppcheck         static analysis
	lint                         pmccabe          length and complexity
	lint                         shellcheck       checks the scripts
	clang                        clang            the second compiler; fuzzing
	bench                        mawk             a yardstick: awk
	bench                        goaccess         a yardstick: access logs
	END
	# Fuzzing and clang's sanitizers need the run-time of that very clang.
	if command -v clang >/dev/null; then
		echo "clang libclang-rt-$(clang -dumpversion |
		    cut -d. -f1)-dev run-time of clang's sanitizers"
	fi
}

wanted()
{
	table | while read -r levels package why; do
		case ,$levels, in
		*,"$level",*) echo "$package $why" ;;
		*) [ "$level" != all ] || echo "$package $why" ;;
		esac
	done
}

missing()
{
	wanted | while read -r package why; do
		state=$(dpkg-query -W -f='${db:Status-Status}' \
		    "$package" 2>/dev/null) || state=
		[ "$state" = installed ] || echo "$package $why"
	done
}

say()
{
	echo "setup: $*"
}

bookworm()
{
	grep -q '^VERSION_CODENAME=bookworm' /etc/os-release
}

# The missing packages that this machine's own source has, if it is Debian's.
own()
{
	missing | cut -d' ' -f1 | while read -r package; do
		[ "$package" = libyyjson-dev ] && bookworm || echo "$package"
	done
}

by_hand()
{
	say "$1" >&2
	cat >&2 <<-END
	setup: run this as root, on a machine that reaches its package source:

	    $(realpath "$0") $level

	setup: which comes down to

	    apt-get update
	    apt-get install --no-install-recommends $(own | paste -sd' ' -)

	END
	if [ "$(own)" != "$(missing | cut -d' ' -f1)" ]; then
		say "and to libyyjson0 and libyyjson-dev of Debian 13, which" \
		    "Debian 12 has not and the script takes from there" >&2
	fi
	exit 1
}

# Up to three times: mirrors and locks come back.
try()
{
	for pause in 2 5 0; do
		if "$@" >"$tmp/log" 2>&1; then
			return 0
		fi
		[ "$pause" = 0 ] || sleep "$pause"
	done
	tail -n 15 "$tmp/log" >&2
	return 1
}

apt()
{
	try apt-get -q -y -o Acquire::Retries=1 -o DPkg::Lock::Timeout=300 \
	    -o APT::Update::Error-Mode=any "$@"
}

packaged()
{
	apt-cache policy "$1" | grep -q 'Candidate: [0-9]'
}

# This machine's own source of Debian 12, the suite changed to Debian 13, into
# the folder $1: the first one that has bookworm's main.
trixie_source()
{
	for f in /etc/apt/sources.list.d/*.sources; do
		[ -r "$f" ] || continue
		awk -v RS= -v FS='\n' '
		/(^|\n)Enabled: *no/ { next }
		/(^|\n)Types:[^\n]*deb( |\n|$)/ &&
		    /(^|\n)Suites:([^\n]* )?bookworm( |\n|$)/ &&
		    /(^|\n)Components:[^\n]* main( |\n|$)/ {
			for (i = 1; i <= NF; i++) {
				sub(/^Types:.*/, "Types: deb", $i)
				sub(/^Suites:.*/, "Suites: trixie", $i)
				sub(/^Components:.*/, "Components: main", $i)
				print $i
			}
			exit
		}' "$f" >"$1/trixie.sources"
		[ ! -s "$1/trixie.sources" ] || return 0
	done
	rm -f "$1/trixie.sources"
	for f in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
		[ -r "$f" ] || continue
		sed -n -E 's/^(deb ((\[[^]]*\]) )?[^ ]+) bookworm .*main.*/\1 trixie main/p' \
		    "$f" | head -n 1 >"$1/trixie.list"
		[ ! -s "$1/trixie.list" ] || return 0
	done
	return 1
}

# Debian 12 has no yyjson.  Debian 13's needs libc 2.14 and nothing else.
yyjson_of_trixie()
{
	say "Debian 12 has no yyjson: taking libyyjson0 and libyyjson-dev," \
	    "and nothing else, from Debian 13 (no source is left behind)"
	mkdir -p "$tmp/sources" "$tmp/lists/partial" \
	    "$tmp/cache/archives/partial" "$tmp/debs"
	trixie_source "$tmp/sources" ||
		by_hand "found no source of Debian 12 to take Debian 13's from"
	set -- -o Dir::Etc::SourceList=/dev/null \
	    -o Dir::Etc::SourceParts="$tmp/sources" \
	    -o Dir::State::Lists="$tmp/lists" -o Dir::Cache="$tmp/cache" \
	    -o APT::Sandbox::User=root
	apt "$@" update || by_hand "Debian 13's package lists do not load"
	(cd "$tmp/debs" && apt "$@" download libyyjson0 libyyjson-dev) ||
		by_hand "libyyjson does not download"
	try dpkg -i "$tmp"/debs/*.deb || by_hand "libyyjson does not install"
}

install_missing()
{
	say "for '$level' this installs:"
	missing | while read -r package why; do
		printf '    %-20s %s\n' "$package" "$why"
	done
	[ "$(id -u)" = 0 ] || by_hand "only root can install packages"
	apt update || say "not all package lists load: going on with what is there"
	packages=
	for package in $(missing | cut -d' ' -f1); do
		if packaged "$package"; then
			packages="$packages $package"
		elif [ "$package" = libisal-dev ]; then
			say "no ISA-L for this machine: zlib inflates"
		elif [ "$package" = libyyjson-dev ] && bookworm; then
			yyjson_of_trixie
		else
			by_hand "no source of this machine has $package"
		fi
	done
	[ -n "$packages" ] || return 0
	# shellcheck disable=SC2086 # a list of words
	apt install --no-install-recommends $packages ||
		by_hand "apt-get install failed"
}

case $level in
build | check | lint | clang | bench | all) ;;
*)
	echo "usage: $0 [build|check|lint|clang|bench|all]" >&2
	exit 2
	;;
esac
if ! command -v dpkg-query >/dev/null; then
	say "no dpkg here: make sure that these, or their like, are there:"
	wanted
	exit 0
fi
[ -n "$(missing)" ] || exit 0
if [ "$(id -u)" = 0 ]; then
	# `make -j check clang` asks twice at once.
	exec 9>/run/lock/telltale-setup
	flock 9
	[ -n "$(missing)" ] || exit 0
fi
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
install_missing
# The second time round for what depends on the version of the first.
case $(missing) in
'' | libisal-dev*) ;;
*) install_missing ;;
esac
say "all for '$level' is there"
