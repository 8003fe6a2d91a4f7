/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Criterion's tests without Criterion's runner, for the thread sanitizer: the
 * runner wants shared memory at addresses where that one keeps its shadow, and
 * does not start.  Here each test is a forked child.
 *
 * These functions come before those of libcriterion, which is linked for the
 * rest (formatting).  Knows init, fini, signal, exit_code and disabled of a
 * test; writes TAP to the file of --tap=FILE; has no filter.
 */
#include <criterion/criterion.h>
#include <criterion/event.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The linker's names for the section that Test() fills. */
extern struct criterion_test *__start_cr_tst[];
extern struct criterion_test *__stop_cr_tst[];

static const struct criterion_test *now;
static bool failed;

void
criterion_internal_test_setup(void)
{
	if (now->data->init)
		now->data->init();
}

void
criterion_internal_test_main(void (*test)(void))
{
	test();
}

void
criterion_internal_test_teardown(void)
{
	if (now->data->fini)
		now->data->fini();
}

void
criterion_send_assert(struct criterion_assert_stats *a)
{
	failed = failed || !a->passed;
	fprintf(stderr, "%s/%s: %s:%u: %s\n", now->category, now->name, a->file,
	    a->line, a->message);
}

void
cri_asserts_passed_incr(void)
{
}

void
criterion_continue_test(void)
{
}

void
criterion_abort_test(void)
{
	_exit(99);
}

static bool
passes(const struct criterion_test *t)
{
	int status = 0;
	pid_t child;

	fflush(NULL);
	child = fork();
	if (child == 0) {
		now = t;
		t->test();
		exit(failed ? 99 : 0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return false;
	if (t->data->signal)
		return WIFSIGNALED(status) &&
		       WTERMSIG(status) == t->data->signal;
	return WIFEXITED(status) && WEXITSTATUS(status) == t->data->exit_code;
}

int
main(int argc, char **argv)
{
	static const char option[] = "--tap=";
	FILE *tap = stdout;
	int n = 0;
	int bad = 0;

	if (argc > 1 && strncmp(argv[1], option, strlen(option)) == 0)
		tap = fopen(argv[1] + strlen(option), "w");
	if (!tap)
		return 3;
	for (struct criterion_test **t = __start_cr_tst; t < __stop_cr_tst;
	     t++) {
		bool skip;
		bool ok;

		if (!*t)
			continue; /* padding of the section */
		skip = (*t)->data->disabled;
		ok = skip || passes(*t);
		bad += !ok;
		fprintf(tap, "%sok %d - %s/%s%s\n", ok ? "" : "not ", ++n,
		    (*t)->category, (*t)->name, skip ? " # skip disabled" : "");
	}
	fprintf(tap, "1..%d\n", n);
	fclose(tap);
	return bad > 0;
}
