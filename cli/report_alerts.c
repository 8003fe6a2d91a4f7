/* SPDX-License-Identifier: Apache-2.0 */
/* What became of the alerts, as two equations. */
#include "cli/alerting.h"
#include "cli/report.h"

/* " + 3 refused" */
static void
put_term(struct buf *b, const char *between, uint64_t n, const char *word)
{
	buf_cat(b, between);
	buf_u64(b, n);
	buf_char(b, ' ');
	buf_cat(b, word);
}

static void
put_messages(struct pen *p, const struct alerting_counts *n)
{
	const uint64_t sum = n->published + n->there + n->refused + n->unsent;
	struct buf b = { 0 };

	term_text(&b, str_of(n->topic), p->term->utf8);
	buf_cat(&b, ": ");
	report_plural(&b, n->messages, "message", "messages");
	put_term(&b, " = ", n->published, "published");
	put_term(&b, " + ", n->there, "published before");
	put_term(&b, " + ", n->refused, "refused");
	put_term(&b, " + ", n->unsent, "not sent");
	buf_cat(&b, sum == n->messages ? ": balances" : ": DOES NOT BALANCE");
	pen_to(p, 2);
	pen_wrap(p, n->refused + n->unsent > 0 ? RED : GREEN, buf_view(&b), 2);
	if (n->doubtful > 0) {
		buf_reset(&b);
		buf_u64(&b, n->doubtful);
		buf_cat(&b, " of them perhaps for the second time: a run "
			    "before ended without their answer");
		pen_to(p, 4);
		pen_wrap(p, PLAIN, buf_view(&b), 4);
	}
	buf_fini(&b);
}

void
report_alerts(struct pen *p, const struct alerting_counts *n)
{
	struct buf b = { 0 };

	buf_cat(&b, "alerts: ");
	report_plural(&b, n->findings, "finding", "findings");
	put_term(&b, " = ", n->told, "told");
	put_term(&b, " + ", n->below, "below the severity");
	put_term(&b, " + ", n->cooling, "back while cooling down");
	put_term(&b, " + ", n->limited, "over the limit of a minute");
	pen_to(p, 2);
	pen_wrap(p, PLAIN, buf_view(&b), 2);
	buf_fini(&b);
	if (n->topic)
		put_messages(p, n);
}
