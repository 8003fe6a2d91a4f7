/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of dialects.  A row: what it is called, what it is, its pattern,
 * how it writes the time, and the functions that cut it by hand.
 *
 * The patterns describe exactly what the hand-written functions accept; both
 * are run over real and mutated lines, and must give equal records.  They are
 * possessive wherever a part cannot give back, so that no line costs more than
 * a pass or two; "[^q]*+(?:e[^q]*+)*+" is a sixth faster than "(?:[^q]++|e)*+".
 *
 * A row with `gate` is too irregular for groups: its pattern says whether a
 * line may be of this dialect, and the function still does the cutting.
 */
#include "ingest/dialect.h"

#include "ingest/message.h"

/* A quoted text that ends where a blank or nothing follows. */
#define QUOTED(group)                                                          \
	"\"(" group "[^\"\\\\]*+(?:(?:\\\\.|\"(?! |\\z))[^\"\\\\]*+)*+)\""

/* [host ]peer ident user [time] "request" status bytes */
#define CLF(sep)                                                               \
	"(?s)^(?<first>[^ \\[\"|]{1,255}+) "                                   \
	"(?:(?!-)(?=[0-9A-Fa-f]*+[.:][0-9A-Fa-f.:]*+ - )"                      \
	"(?<peer>[^ \\[\"|]{1,255}+) )?+"                                      \
	"(?:- - |[^\\[\"|]{2,256}+(?<= ))\\["                                  \
	"(?<time>../.../...." sep "..:..:..(?: .{5}(?=\\]))?)\\] "             \
	"(?|\"(?<request>[^\"\\\\]*+(?:(?:\\\\.|"                              \
	"\"(?! (?:[0-9]++|-)(?: |\\z)))[^\"\\\\]*+)*+)\" "                     \
	"(?<status>[0-9]++|-)(?= |\\z)|"                                       \
	"\"(?<request>(?:[^\"\\\\]++|\\\\.)*+)\" (?<status>[^ ]++)) "          \
	"(?<bytes>[0-9]++|-)"

#define CLF_AGENT " " QUOTED("?<referer>") " " QUOTED("?<agent>")

#define INGRESS(seconds, upstream)                                             \
	" [0-9]++ (" seconds "[0-9]++\\.[0-9]++) "                             \
	"\\[[^\\]]*+\\] \\[[^\\]]*+\\] "                                       \
	"(?:[^ ,]++, )*+(" upstream "[^ ,]++)(?= |\\z)"

#define TRAEFIK(backend, ms)                                                   \
	" (?:[0-9]++|-) " QUOTED("?:") " " QUOTED(backend) " (" ms             \
							   "[0-9]++)ms\\z"

#define SECONDS "-?[0-9]++(?:\\.[0-9]++)?"

/* What both generations of balancers write behind the time. */
#define BALANCER(rest)                                                         \
	" [^ \"]++ (?<peer>[^ \"]++) (?<target>[^ \"]++)"                      \
	" (?<duration_s>" SECONDS ") (?<duration_s2>" SECONDS ")"              \
	" (?<duration_s3>" SECONDS ") (?<status>[0-9]++|-)"                    \
	" (?:[0-9]++|-) (?:[0-9]++|-) (?<bytes>[0-9]++|-)"                     \
	"(?:\\z| \"(?<request>(?:[^\"]++|\"(?! \"|\\z))*+)\""                  \
	"(?:\\z| \"(?<agent>(?:[^\"]++|\"(?!\\z| [^ \"]++ "                    \
	"(?:-|TLS[^ \"]*+|SSL[^ \"]*+)(?: |\\z)))*+)\""                        \
	"(?:\\z| [^ \"]++ [^ \"]++" rest ")))"

#define ISO_TIME "(?<time>[^ \"]{4}-[^ \"]{2}-[^ \"]{2}T[^ \"]{9,24})(?= )"

#define DASHED(group) "(?:" QUOTED(group) "|-)"

#define MILLIS "[0-9]++(?:\\.[0-9]++)?"
#define METHOD_URL                                                             \
	"(?<method>GET|HEAD|POST|PUT|DELETE|PATCH|OPTIONS) (?<url>/[^ ]*+)"

#define COL "\\t[^\\t]*+"
#define COL_AS(group) "\\t(?<" group ">[^\\t]*+)"

/* clang-format off */
#define EXTENDED \
	CLF_AGENT "(?!" INGRESS("?:", "?:") "|" TRAEFIK("?:", "?:") ")" \
	"(?: (?<duration_s>[0-9]++\\.[0-9]++)\\z|(?<more> [^\"].*+)\\z)"

#define ALB \
	"(?s)^(?:https?|h2|grpcs|wss?) " ISO_TIME \
	BALANCER("(?: [^ \"]++ \"(?<trace>[^\"]*+)\")?")

#define CLOUDFRONT \
	"(?s)^(?<time>[0-9][^\\t]{2}[0-9]-[^\\t]{2}-[^\\t]{2}\\t[^\\t]{8})" \
	COL COL_AS("bytes") COL_AS("peer") COL_AS("method") COL_AS("host") \
	COL_AS("url") COL_AS("status") COL_AS("referer") COL_AS("agent") \
	COL_AS("query") "(?:" COL "(?:" COL "(?:" COL "(?:" COL_AS("vhost") \
	"(?:" COL "(?:" COL "(?:" COL_AS("duration_s") "(?:" \
	COL_AS("forwarded") "(?:\\t.*+)?)?)?)?)?)?)?)?)?\\z"

#define S3 \
	"(?s)^[^ \"\\[]++ [^ \"\\[]++ \\[(?<time>.{26})\\] " \
	"(?<peer>[^ \"]++) [^ \"]++ [^ \"]++ " \
	"(?=[A-Z0-9_.])[A-Z0-9_]++\\.[A-Z0-9_.]++ [^ \"]++ " \
	DASHED("?<request>") " (?<status>[0-9]++|-) [^ \"]++ " \
	"(?<bytes>[0-9]++|-) (?:[0-9]++|-) (?<duration_ms>[0-9]++|-) " \
	"(?:[0-9]++|-) " DASHED("?<referer>") " " DASHED("?<agent>") \
	"(?:\\z| [^ \"]++(?: [^ \"]++ [^ \"]++ [^ \"]++ [^ \"]++ " \
	"(?<host>[^ \"]++)(?= |\\z)|(?= |\\z)))"

#define MORGAN_TINY \
	"^" METHOD_URL " (?<status>[0-9]++|-) (?<bytes>[0-9]++|-) - " \
	"(?<duration_ms>" MILLIS "|-) ms\\z"

#define MORGAN_DEV \
	"^" METHOD_URL " (?<status>[0-9]++|-) (?<duration_ms>" MILLIS "|-) " \
	"ms - (?<bytes>[0-9]++|-)\\z"

#define UWSGI \
	"(?s)^\\[pid: [0-9]++\\|app: [^|\\]]++\\|req: [^\\]]++\\] " \
	"(?<peer>[^ ]*+) \\([^)]*+\\) \\{[^}]*+\\} " \
	"\\[(?<time>[^\\]]{24})\\] (?<method>[^ ]++) " \
	"(?<url>(?:[^ ]++| (?!=> generated ))*+) => generated " \
	"(?<bytes>[0-9]++) bytes in " \
	"(?:(?<duration_ms>[0-9]++) msecs|(?<duration_us>[0-9]++) micros)" \
	"(?: via [a-z]++\\(\\))? \\(HTTP/[0-9.]++ (?<status>[0-9]++)\\)"

#define HAPROXY \
	"(?s)^(?<peer>[^ \"\\[]++) " \
	"\\[(?<time>[^\\]]{2}/[^\\]]{3}/[^\\]]{4}:[^\\]]{8}\\.[^\\]]{3})\\] " \
	"[^ \"]++ (?<target>[^ \"]++) (?:-?[0-9]++/){4}" \
	"\\+?(?<duration_ms>[0-9]++) (?:-1|(?<status>[0-9]++)) " \
	"\\+?(?<bytes>[0-9]++) [^\"]*+(?<= )\"(?<request>.*)\"\\z"

#define ENVOY \
	"(?s)^\\[(?<time>[^\\]]*+)\\] " QUOTED("?<request>") \
	" (?<status>[0-9]++|-) [^ \"]++ (?:[0-9]++|-) " \
	"(?<bytes>[0-9]++|-) (?<duration_ms>[0-9]++|-) (?:[0-9]++|-) " \
	QUOTED("?<forwarded>") " " QUOTED("?<agent>") " " QUOTED("?:") " " \
	QUOTED("?<host>") " " QUOTED("?<target>") "\\z"

/* name, help, pattern, clock, flags, head, parse, gate */
#define ROWS(ROW) \
	ROW("werkzeug", "Flask's and Werkzeug's development server", \
	    CLF(" ") "\\z", CLOCK_CLF, 0, clf_head, clf_werkzeug, false) \
	ROW("combined", "Apache and nginx combined, gunicorn, morgan combined", \
	    CLF("[: ]") CLF_AGENT "\\z", \
	    CLOCK_CLF, 0, clf_head, clf_combined, false) \
	ROW("common", "Apache common, morgan common", \
	    CLF(":") "\\z", CLOCK_CLF, 0, clf_head, clf_common, false) \
	ROW("nginx", "nginx main: combined, X-Forwarded-For, further fields", \
	    CLF("[: ]") CLF_AGENT " " QUOTED("?<forwarded>") "(?<more>.*+)\\z", \
	    CLOCK_CLF, 0, clf_head, clf_nginx, false) \
	ROW("ingress", "ingress-nginx: request time and upstreams", \
	    CLF("[: ]") CLF_AGENT INGRESS("?<duration_s>", "?<target>"), \
	    CLOCK_CLF, 0, clf_head, clf_ingress, false) \
	ROW("traefik", "Traefik's common log format: router, backend, time", \
	    CLF("[: ]") CLF_AGENT TRAEFIK("?<target>", "?<duration_ms>"), \
	    CLOCK_CLF, DIALECT_STARTS, clf_head, clf_traefik, false) \
	ROW("extended", "combined and further fields that are not quoted", \
	    CLF("[: ]") EXTENDED, CLOCK_CLF, 0, clf_head, clf_extended, false) \
	ROW("rack", "Rack's common logger, Sinatra: seconds at the end", \
	    CLF("[: ]") " (?<duration_s>[0-9]++\\.[0-9]++)\\z", \
	    CLOCK_CLF, 0, clf_head, clf_rack, false) \
	ROW("finagle", "finagle: milliseconds and agent", \
	    CLF("[: ]") " (?<duration_ms>[0-9]++) " QUOTED("?<agent>") "\\z", \
	    CLOCK_CLF, 0, clf_head, clf_finagle, false) \
	ROW("alb", "Application Load Balancer, all generations", \
	    ALB, CLOCK_ISO, 0, NULL, aws_alb, false) \
	ROW("elb", "Classic Load Balancer", \
	    "(?s)^(?=[0-9])" ISO_TIME BALANCER("") "\\z", \
	    CLOCK_ISO, DIALECT_STARTS, NULL, aws_elb, false) \
	ROW("cloudfront", "CloudFront standard log, with or without #Fields", \
	    CLOUDFRONT, CLOCK_W3C, DIALECT_ENCODED | DIALECT_ZERO, NULL, \
	    w3c_cloudfront, false) \
	ROW("s3", "S3 server access log, all generations", \
	    S3, CLOCK_CLF, DIALECT_STARTS, NULL, aws_s3, false) \
	ROW("koa", "koa sample services: method, path, milliseconds", \
	    "^" METHOD_URL " - (?<duration_ms>" MILLIS ")(?:ms)?\\z", \
	    CLOCK_NONE, 0, NULL, app_koa, false) \
	ROW("morgan-tiny", "morgan tiny", \
	    MORGAN_TINY, CLOCK_NONE, 0, NULL, app_morgan_tiny, false) \
	ROW("morgan-dev", "morgan dev", \
	    MORGAN_DEV, CLOCK_NONE, 0, NULL, app_morgan_dev, false) \
	ROW("uwsgi", "uWSGI's request line", \
	    UWSGI, CLOCK_CTIME, DIALECT_STARTS, NULL, app_uwsgi, false) \
	ROW("haproxy", "HAProxy's HTTP log", \
	    HAPROXY, CLOCK_CLF, DIALECT_STARTS, NULL, app_haproxy, false) \
	ROW("envoy", "Envoy's default access log", \
	    ENVOY, CLOCK_ISO, DIALECT_STARTS | DIALECT_ZERO, NULL, \
	    app_envoy, false) \
	ROW("json", "JSON access lines: zap, logrus, pino, Envoy, Traefik, ...", \
	    "(?s)^\\s*+\\{.*\\}\\s*+\\z", \
	    CLOCK_ANY, DIALECT_ZERO, NULL, json_access, true)
/* clang-format on */

#define AS_DIALECT(name, help, pattern, clock, flags, head, parse, gate)       \
	{ name, help, pattern, clock, flags, head, parse, gate },
#define AS_INFO(name, help, pattern, clock, flags, head, parse, gate)          \
	{ name, help, pattern },

static const struct dialect table[] = {
	ROWS(AS_DIALECT){ NULL, NULL, NULL, CLOCK_NONE, 0, NULL, NULL, false },
};

static const struct dialect_info infos[] = {
	ROWS(AS_INFO){ NULL, NULL, NULL },
};

const struct dialect *
dialect_table(void)
{
	return table;
}

const struct dialect_info *
message_dialects(void)
{
	return infos;
}

static const struct str none = { NULL, 0 };

/*
 * Member by member: a whole struct of this size would be cleared by "rep
 * stos", which takes longer than to cut a line.
 */
static void
request_clear(struct request *q)
{
	q->end_ns = WHEN_NONE;
	q->duration_ns = -1;
	q->bytes = -1;
	q->status = 0;
	q->method = METHOD_NONE;
	q->grain = GRAIN_FINE;
	q->method_text = none;
	q->url = none;
	q->path = none;
	q->host = none;
	q->peer = none;
	q->forwarded = none;
	q->agent = none;
	q->referer = none;
	q->trace_id = none;
	q->target = none;
}

void
scan_clear(struct scan *s)
{
	request_clear(s->q);
	s->rest = s->line;
	s->request = none;
	s->first = none;
	s->query = none;
	s->vhost = none;
	s->time = none;
	s->status = none;
	s->bytes = none;
	s->duration[0] = none;
	s->duration[1] = none;
	s->duration[2] = none;
	s->more = none;
	s->unit = UNIT_NONE;
	s->starts = false;
}

void
record_clear(struct record *r)
{
	r->kind = RECORD_LOG;
	r->event = NULL;
	r->ts_ns = WHEN_NONE;
	r->dialect = NULL;
	r->prefixed = false;
	r->joined = false;
	r->frame = false;
	r->line = none;
	r->log.level = none;
	r->log.logger = none;
	r->log.text = none;
	r->segment.has_http = false;
}
