/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The manual page, in mdoc, out of the table of keywords and the examples.
 * docs/telltale-filter.7 is what this prints; a test holds it to that.
 */
#include "query/fields.h"
#include "query/query.h"

const struct query_example query_examples[] = {
	{ "service(\"like service\") { responsetime > 1 OR error } AND "
	  "http.method = \"POST\"",
	    "POST requests in which the like service took longer than a "
	    "second or answered with an error" },
	{ "http.url CONTAINS \"/api/game/\" AND responsetime >= 5",
	    "Slow requests of one part of an API" },
	{ "ok !partial duration <3",
	    "Short, complete and successful traces; AND may be left out" },
	{ "service() { fault }",
	    "A fault anywhere on the service map, handled or not" },
	{ "(fault OR error) AND !service(\"api.example.com\")",
	    "Failures that one service has no part in" },
	{ "edge(\"api.example.com\", \"backend.example.com\") { throttle }",
	    "Calls from one service to another that were throttled" },
	{ "service(id(name: \"random-name\", type: \"AWS::Lambda::Function\"))",
	    "A node by name and type, where two nodes have the same name" },
	{ "annotation.age > 29 AND annotation[aws.local.operation] = "
	  "\"GET /owners/*/lastname\"",
	    "Annotations; a key with dots stands in brackets, and a star is "
	    "a star" },
	{ "!annotation.gameid", "Traces without that annotation" },
	{ "user = \"alice\" AND !(user = \"bob\")",
	    "Traces of alice that have nothing of bob" },
	{ "rootcause.fault.entity { last and name = \"deserialize\" }",
	    "Faults that began in a subsegment of that name" },
	{ "rootcause.responsetime.entity { remote and coverage > 0.7 }",
	    "Traces that spent most of their time in one remote call" },
	{ "rootcause.json = #[{ \"Services\": [ { \"Name\": \"api\" }, "
	  "{ \"Name\": \"db\" } ] }]",
	    "Traces with a root cause that leads from api to db" },
	{ "group.name = \"high_response_time\" AND user = \"alice\"",
	    "What a named expression says, and more" },
	{ NULL, NULL },
};

/* Text that roff takes for text. */
static void
put_text(struct buf *b, const char *text)
{
	if (*text == '.' || *text == '\'')
		buf_cat(b, "\\&");
	for (; *text; text++) {
		if (*text == '\\')
			buf_cat(b, "\\e");
		else
			buf_char(b, *text);
	}
	buf_char(b, '\n');
}

/* A sentence of help, in lines that are not too long. */
static void
put_wrapped(struct buf *b, struct str text)
{
	size_t column = 0;
	struct str word;

	while (text.n) {
		if (!str_cut(&text, ' ', &word)) {
			word = text;
			text = str_from(text, text.n);
		}
		if (column > 0 && column + word.n > 76) {
			buf_char(b, '\n');
			column = 0;
		}
		if (column > 0)
			buf_char(b, ' ');
		buf_str(b, word);
		column += word.n + 1;
	}
}

static void
put_lines(struct buf *b, const char *const *lines)
{
	for (; *lines; lines++) {
		buf_cat(b, *lines);
		buf_char(b, '\n');
	}
}

static const char *const head[] = {
	".\\\" SPDX-License-Identifier: Apache-2.0",
	".\\\" Generated from query/fields.c by query/manual.c; change those.",
	".Dd November 30, 2026",
	".Dt TELLTALE-FILTER 7",
	".Os",
	".Sh NAME",
	".Nm telltale-filter",
	".Nd the filter language for traces",
	".Sh DESCRIPTION",
	"A filter expression says which traces are wanted.",
	"The language is the one of AWS X-Ray.",
	"It is the same over archives, the local store and Elasticsearch.",
	".Pp",
	"An expression is made of conditions, joined by",
	".Ic AND ,",
	".Ic OR ,",
	".Ic \\&!",
	"or",
	".Ic NOT ,",
	"and parentheses.",
	".Ic \\&!",
	"binds tightest, then",
	".Ic AND ,",
	"then",
	".Ic OR .",
	"Two conditions beside each other are joined by",
	".Ic AND .",
	"An empty expression matches every trace.",
	"Keywords and operators may be written in any case;",
	"strings and annotation keys are compared exactly.",
	".Pp",
	"A condition is one of",
	".Bl -tag -width Ds",
	".It Ar keyword",
	"A boolean is true; a number, a text or an annotation is there.",
	".It Ar boolean Cm = | != Cm true | false",
	".It Ar number Cm = | != | < | <= | > | >= Ar value",
	"Times are in seconds.",
	".It Ar text Cm = | != | CONTAINS | BEGINSWITH | ENDSWITH Qq Ar value",
	".It Ic annotation . Ns Ar key | Ic annotation Ns \\&[ Ns Ar key ]",
	"compared like a number, a text or a boolean, as the value is written;",
	"an annotation of another type does not match.",
	"The first form takes letters, digits and underscores.",
	".It Ic service Ns \\&( Ns Ar node Ns \\&) { Ar conditions No }",
	"One segment of such a node satisfies all the conditions.",
	"Without",
	".Ar node :",
	"of any node.",
	"The braces may be left out.",
	".It Ic edge Ns \\&( Ns Ar caller , callee ) { Ar conditions No }",
	"One call from the one to the other satisfies them,",
	"as the caller saw it.",
	".It Ic rootcause . Ns Ar cause . Ns Ar list { Ar conditions No }",
	"One element of the list satisfies them.",
	".It Ic rootcause.json Cm = | != No # Ns Ar list",
	"Some root cause has the members of one in the JSON list,",
	"which is in the form of the X-Ray API.",
	"Lists in it must be of the same length.",
	".It Ic group.name | group.arn Cm = | != Qq Ar value",
	"The expression of that group.",
	".El",
	".Pp",
	"A",
	".Ar node",
	"is a name in quotes, or",
	".Ic id Ns \\&( Ns Ic name : Ar string ,",
	".Ic type : Ar string , Ic account.id : Ar string )",
	"with one to three of these.",
	".Sh KEYWORDS",
	NULL,
};

static const char *const behind_keywords[] = {
	".Pp",
	"Outside of braces a keyword is about the trace:",
	"its root segment for what a request has, all of it for",
	".Ic duration ,",
	".Ic partial ,",
	".Ic inferred ,",
	".Ic throttle",
	"and the annotations.",
	"So",
	".Ic error",
	"does not find an error that was handled;",
	".Ic service() { error }",
	"does.",
	".Sh VALUES",
	"A string stands in double quotes.",
	"In it,",
	".Ql \\e",
	"begins an escape of JSON:",
	"\\e\\(dq \\e\\e \\e/ \\eb \\ef \\en \\er \\et \\euXXXX.",
	"A number is written as in JSON, without a unit.",
	".Pp",
	"A comparison with a value that is not there is false,",
	"also with",
	".Ic != ;",
	"negated, it is true.",
	"Where a trace has several values, one that satisfies the comparison",
	"is enough.",
	".Sh LIMITS",
	NULL,
};

static const char *const behind_examples[] = {
	".Sh DIAGNOSTICS",
	"An expression that is not one is shown with a caret below the place,",
	"what was expected there, and the nearest keyword:",
	".Bd -literal -offset indent",
	"Invalid filter expression: unknown keyword http.status_code; did you",
	"mean http.status? at character 1",
	"  http.status_code >= 500",
	"  ^^^^^^^^^^^^^^^^",
	".Ed",
	".Sh SEE ALSO",
	".Xr telltale 1",
	NULL,
};

static const char *
type_name(enum query_type type)
{
	switch (type) {
	case QUERY_BOOL:
		return "boolean";
	case QUERY_NUMBER:
		return "number";
	case QUERY_TEXT:
		return "text";
	case QUERY_ANNOTATION:
		return "any type";
	case QUERY_SERVICE:
	case QUERY_EDGE:
	case QUERY_GROUP:
	case QUERY_CAUSE:
	case QUERY_CAUSE_JSON:
		break;
	}
	return "condition";
}

static void
put_keywords(struct buf *b)
{
	buf_cat(b, ".Bl -tag -width Ds\n");
	for (const struct query_field *f = query_fields; f->name; f++) {
		buf_printf(b, ".It Ic %s Pq %s\n", f->name, type_name(f->type));
		put_wrapped(b, str_of(f->help));
		buf_printf(b, ".\nUsed %s.\n", query_scope_name(f->where));
	}
	buf_cat(b, ".El\n");
}

static void
put_limits(struct buf *b)
{
	buf_printf(b,
	    "An expression has at most %d bytes, brackets and groups are "
	    "nested at most\n%d deep, and with its groups it has at most %d "
	    "terms.\n",
	    QUERY_BYTES_MAX, QUERY_DEPTH_MAX, QUERY_NODES_MAX);
}

static void
put_examples(struct buf *b)
{
	buf_cat(b, ".Sh EXAMPLES\n");
	for (const struct query_example *e = query_examples; e->expression;
	     e++) {
		if (e != query_examples)
			buf_cat(b, ".Pp\n");
		put_wrapped(b, str_of(e->help));
		buf_cat(b, ":\n.Bd -literal -offset indent\n");
		put_text(b, e->expression);
		buf_cat(b, ".Ed\n");
	}
}

void
query_manual(struct buf *b)
{
	put_lines(b, head);
	put_keywords(b);
	put_lines(b, behind_keywords);
	put_limits(b);
	put_examples(b);
	put_lines(b, behind_examples);
}
