/* SPDX-License-Identifier: Apache-2.0 */
/* One finding an incident. */
#include <criterion/criterion.h>
#include <string.h>

#include "analyzers/fold.h"
#include "judge_help.h"

/* Half an hour in which clients and probes are answered well, then ten minutes
 * in which both get 503; `clients` of the first kind a cell. */
static struct run
outage(unsigned clients, unsigned probable)
{
	struct run run = run_start(NULL);

	for (int at = 0; at < 240; at++) {
		bool down = at >= 180;
		struct cell c = { .n = clients + probable, .probes = 2 };

		c.status[down ? 5 : 2] = clients + probable;
		c.probable.n = probable;
		c.probable.failed = down ? probable : 0;
		c.probes_bad = down ? 2 : 0;
		run_cell(&run, at, METHOD_GET, c);
	}
	run_end(&run);
	return run;
}

Test(fold, probes_that_fail_with_the_clients_are_told_with_them)
{
	struct run run = outage(3, 0);

	cr_assert_eq(run.out.n, 2);
	findings_fold(&run.out);
	cr_assert_eq(run.out.n, 1);
	cr_expect_str_eq(run.out.v[0].rule, "server-error");
	cr_expect_eq(run.out.v[0].severity, SEVERITY_CRITICAL);
	cr_expect_str_eq(run.out.v[0].along, "health checks");
	cr_expect_eq(run.out.v[0].along_bad, 120);
	cr_expect_eq(run.out.v[0].along_total, 120);
	run_fini(&run);
}

Test(fold, what_more_of_fail_is_what_is_told)
{
	struct run run = outage(1, 0);

	findings_fold(&run.out);
	cr_assert_eq(run.out.n, 1);
	cr_expect_str_eq(run.out.v[0].rule, "target-health");
	cr_expect_str_eq(run.out.v[0].along, "requests of clients");
	cr_expect_eq(run.out.v[0].along_bad, 60);
	run_fini(&run);
}

Test(fold, probable_probes_are_a_matter_of_target_health_alone)
{
	struct run run = outage(0, 2);

	cr_assert_eq(run.out.n, 1);
	cr_expect_str_eq(run.out.v[0].rule, "target-health");
	findings_fold(&run.out);
	cr_assert_eq(run.out.n, 1);
	cr_expect_null(run.out.v[0].along);
	run_fini(&run);
}

Test(fold, what_is_apart_in_time_stays_apart)
{
	struct run run = outage(3, 0);

	for (size_t i = 0; i < run.out.n; i++) {
		if (strcmp(run.out.v[i].rule, "target-health") != 0)
			continue;
		run.out.v[i].start_ns += 3600 * NS_PER_SEC;
		run.out.v[i].end_ns += 3600 * NS_PER_SEC;
	}
	findings_fold(&run.out);
	cr_expect_eq(run.out.n, 2);
	run_fini(&run);
}
