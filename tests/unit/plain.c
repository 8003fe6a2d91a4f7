/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Criterion's tests without Criterion's runner, for the thread sanitizer: the
 * runner wants shared memory at addresses where that one keeps its shadow, and
 * does not start.  Here each test is a forked child.
 *
 * These functions come before those of libcriterion, which is linked for the
 * rest (formatting).  Knows init, fini, signal, exit_code and disabled of a
 * test, init and fini of its suite; writes TAP to the file of --tap=FILE; has
 * no filter.  Threads are the pipeline's alone, and so are the tests here.
 */
#include <criterion/criterion.h>
#include <criterion/event.h>
#include <criterion/logging.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The linker's names for the sections that Test() and TestSuite() fill. */
extern struct criterion_test *__start_cr_tst[];
extern struct criterion_test *__stop_cr_tst[];
extern struct criterion_suite *__start_cr_sts[] __attribute__((weak));
extern struct criterion_suite *__stop_cr_sts[] __attribute__((weak));

static const struct criterion_test *now;
static bool failed;

/* NULL: the suite was only named. */
static const struct criterion_test_extra_data *
suite_data(const char *name)
{
	for (struct criterion_suite **s = __start_cr_sts; s < __stop_cr_sts;
	     s++)
		if (*s && strcmp((*s)->name, name) == 0)
			return (*s)->data;
	return NULL;
}

void
criterion_internal_test_setup(void)
{
	const struct criterion_test_extra_data *suite =
	    suite_data(now->category);

	if (suite && suite->init)
		suite->init();
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
	const struct criterion_test_extra_data *suite =
	    suite_data(now->category);

	if (now->data->fini)
		now->data->fini();
	if (suite && suite->fini)
		suite->fini();
}

void
criterion_send_assert(struct criterion_assert_stats *a)
{
	failed = failed || !a->passed;
	fprintf(stderr, "%s/%s: %s:%u: %s\n", now->category, now->name, a->file,
	    a->line, a->message);
}

void
cr_log(enum criterion_severity severity, const char *msg, ...)
{
	va_list args;

	(void)severity;
	va_start(args, msg);
	vfprintf(stderr, msg, args);
	va_end(args);
	fputc('\n', stderr);
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

struct job {
	const struct criterion_test *test;
	pid_t child; /* 0: disabled; -1: could not be started */
	int status;
};

static pid_t
start(const struct criterion_test *t)
{
	pid_t child;

	fflush(NULL);
	child = fork();
	if (child == 0) {
		now = t;
		t->test();
		exit(failed ? 99 : 0);
	}
	return child;
}

/* Waits for any of the children. */
static void
reap(struct job *jobs, size_t n)
{
	int status = 0;
	pid_t child = wait(&status);

	for (size_t i = 0; i < n; i++)
		if (jobs[i].child > 0 && jobs[i].child == child)
			jobs[i].status = status;
}

static bool
passed(const struct job *j)
{
	const struct criterion_test_extra_data *data = j->test->data;

	if (j->child < 0)
		return false;
	if (data->signal)
		return WIFSIGNALED(j->status) &&
		       WTERMSIG(j->status) == data->signal;
	return WIFEXITED(j->status) &&
	       WEXITSTATUS(j->status) == data->exit_code;
}

/* All tests, as many at a time as there are processors. */
static size_t
run(struct job *jobs)
{
	long most = sysconf(_SC_NPROCESSORS_ONLN);
	long running = 0;
	size_t n = 0;

	for (struct criterion_test **t = __start_cr_tst; t < __stop_cr_tst;
	     t++) {
		if (!*t)
			continue; /* padding of the section */
		jobs[n].test = *t;
		if (running > 0 && running >= most) {
			reap(jobs, n);
			running--;
		}
		if (!(*t)->data->disabled) {
			jobs[n].child = start(*t);
			running += jobs[n].child > 0;
		}
		n++;
	}
	for (; running > 0; running--)
		reap(jobs, n);
	return n;
}

int
main(int argc, char **argv)
{
	static const char option[] = "--tap=";
	FILE *tap = stdout;
	struct job *jobs =
	    calloc((size_t)(__stop_cr_tst - __start_cr_tst), sizeof(*jobs));
	int bad = 0;

	if (argc > 1 && strncmp(argv[1], option, strlen(option)) == 0)
		tap = fopen(argv[1] + strlen(option), "w");
	if (!tap || !jobs)
		return 3;
	size_t n = run(jobs);

	for (size_t i = 0; i < n; i++) {
		const struct criterion_test *t = jobs[i].test;
		bool skip = jobs[i].child == 0;
		bool ok = skip || passed(&jobs[i]);

		bad += !ok;
		fprintf(tap, "%sok %zu - %s/%s%s\n", ok ? "" : "not ", i + 1,
		    t->category, t->name, skip ? " # skip disabled" : "");
	}
	fprintf(tap, "1..%zu\n", n);
	fclose(tap);
	free(jobs);
	return bad > 0;
}
