/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of workshops.
 */
#include "simulate/world.h"

static const struct workshop *const table[] = {
	&workshop_like,
	&workshop_interstella,
	&workshop_eks_shop,
	&workshop_threads,
	&workshop_fleet,
	NULL,
};

const char *const workshop_agents[] = {
	"Mozilla/5.0 (X11; Linux x86_64; rv:63.0) Gecko/20100101 Firefox/63.0",
	("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, "
	 "like Gecko) Chrome/70.0.3538.110 Safari/537.36"),
	("Mozilla/5.0 (iPhone; CPU iPhone OS 12_1 like Mac OS X) "
	 "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.0 Mobile/15E148 "
	 "Safari/604.1"),
	("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_1) AppleWebKit/605.1.15 "
	 "(KHTML, like Gecko) Version/12.0.1 Safari/605.1.15"),
	NULL,
};

const struct workshop *const *
workshops(void)
{
	return table;
}

const struct simulate_row *
simulate_workshops(void)
{
	static struct simulate_row rows[sizeof table / sizeof table[0]];

	for (size_t i = 0; table[i]; i++)
		rows[i] =
		    (struct simulate_row){ table[i]->name, table[i]->help };
	return rows;
}
