#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Does each check of lint.sh find what it is for?  Plants one fault after the
# other into a small tree that is clean, and wants the part named to fail with
# the words named.  TAP.
set -u
here=$(cd "$(dirname "$0")" && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
n=0
status=0

clean()
{
	rm -rf "${tree:?}"/*
	mkdir -p "$tree"/{core,query,sinks,tools,docs,tests}
	cp "$here/../.clang-format" "$here/../.clang-tidy" "$tree"
	echo 'all:' >"$tree/Makefile"
	printf '#!/bin/sh\necho fine\n' >"$tree/tools/fine.sh"
	cat >"$tree/docs/fine.1" <<-'END'
	.Dd November 30, 2026
	.Dt FINE 1
	.Os
	.Sh NAME
	.Nm fine
	.Nd is fine
	END
	header core/fine.h 'int fine(int n);'
	c_file core/fine.c <<-'END'
	#include "core/fine.h"

	int
	fine(int n)
	{
	@if (n == 1)
	@@return 2; /* not strcpy(), nor #if */
	@return n;
	}
	END
	header query/fine.h 'int query(int n);'
}

# $1: a header's path, $2: its text
header()
{
	local guard
	guard=$(tr 'a-z/.' 'A-Z__' <<<"$1")
	printf '%s\n' '/* SPDX-License-Identifier: Apache-2.0 */' \
	    '/*' ' * A fine header.' ' */' "#ifndef $guard" \
	    "#define $guard" '' "$2" '' '#endif' >"$tree/$1"
}

# $1: a C file's path; its text from stdin, @ for a tab
c_file()
{
	{
		printf '%s\n' '/* SPDX-License-Identifier: Apache-2.0 */' \
		    '/*' ' * A fine file.' ' */'
		tr '@' '\t'
	} >"$tree/$1"
}

# A statement or two in a function of core/bad.c.
body()
{
	c_file core/bad.c <<-END
	#include "core/fine.h"

	#include <stdio.h>
	#include <stdlib.h>
	#include <string.h>
	#include <time.h>

	int
	fine(int n)
	{
	$1
	}
	END
}

say()
{
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		sed 's/^/# /' "$tree/out"
		status=1
	fi
}

# $1: the part, $2: words of its complaint, $3: the claim; then clean again
finds()
{
	local rc=1
	if ! LINT_ROOT=$tree "$here/lint.sh" "$1" >"$tree/out" 2>&1 &&
	    grep -q -- "$2" "$tree/out"; then
		rc=0
	fi
	say "$rc" "$1 finds $3"
	clean
}

clean
LINT_ROOT=$tree "$here/lint.sh" >"$tree/out" 2>&1
say $? "the clean tree is clean"

body '@  return n;'
finds format clang-format-violations 'a wrong indentation'
body '@int *p = NULL;

@if (n > 3)
@@return *p;
@return n;'
finds tidy NullDereference 'a null pointer used'
body '@if (n > 3)
@@return 1;
@else
@@return n;'
finds tidy else-after-return 'an else after return'
c_file core/bad.c <<'END'
int bad(int a, int b, int c, int d, int e, int f, int g);

int
bad(int a, int b, int c, int d, int e, int f, int g)
{
@return a + b + c + d + e + f + g;
}
END
finds tidy function-size 'seven parameters'
body '@char a[4];

@a[n & 3] = 0;
@a[4] = 1;
@return a[0];'
finds cppcheck arrayIndexOutOfBounds 'a write out of bounds'
body "$(yes '@n += 2;' | head -n 85)
@return n;"
finds limits 'lines, not' 'a long function'
body "$(yes '@if (n == 7)
@@n++;' | head -n 40)
@return n;"
finds limits complexity 'a tangled function'
body '@while (n > 1) {
@@while (n > 2) {
@@@while (n > 3) {
@@@@while (n > 4) {
@@@@@while (n > 5)
@@@@@@n--;
@@@@}
@@@}
@@}
@}
@return n;'
finds limits nested 'deep nesting'
body "$(yes '/* long */' | head -n 800)"
finds limits 'longer than' 'a long file'
c_file core/bad.c <<<'#include "query/fine.h"'
finds layers 'core/ may not include query/' 'an arrow against the table'
c_file query/bad.c <<<'#include <yyjson.h>'
finds layers 'belongs in core/json.c' "another's library"
c_file query/bad.c <<<'#include <openssl/md5.h>'
finds layers 'in no table' 'an unknown library'
c_file query/bad.c <<<'#include "fine.h"'
finds layers 'from the root' 'an include that names no room'
for call in 'strcpy(a, b)' 'sprintf(a, b)' 'atoi(a)' 'strtok(a, b)' \
    'localtime(0)' 'rand()' 'alloca(n)'; do
	body "@return (int)$call;"
	finds banned "banned: .*${call%%(*}" "a call of ${call%%(*}"
done
body '@if ((n = fine(2)))
@@return 1;
@return n;'
finds banned 'assignment in a condition' 'an assignment in an if'
body '@while ((n = fine(2)) > 0) {
@@n++;
@}
@return n;'
finds banned 'assignment in a condition' 'an assignment in a while'
c_file core/bad.c <<<'typedef struct bad bad_t;'
finds banned typedef 'a typedef for a struct'
body '@return (int)time(NULL);'
finds clocks time 'a clock'
c_file core/bad.c <<<'#ifdef TEST
#endif'
finds conditionals 'no conditional' 'an #ifdef'
sed -i s/CORE_FINE_H/FINE_H/ "$tree/core/fine.h"
finds conditionals 'the guard is CORE_FINE_H' 'a guard by another name'
sed -i 1d "$tree/core/fine.c"
finds heads licence 'a missing licence line'
sed -i 2,4d "$tree/core/fine.c"
finds heads 'head comment' 'a missing head comment'
yes '#' | head -n 151 >"$tree/Makefile"
finds makefile 'not 150' 'a long Makefile'
# shellcheck disable=SC2016 # the fault
printf '#!/bin/sh\ncd $1\n' >"$tree/tools/bad.sh"
finds shell SC2 'an unquoted variable'
sed -i '/Dt/d' "$tree/docs/fine.1"
finds man fine.1 'a manual page without a title'

echo "1..$n"
exit "$status"
