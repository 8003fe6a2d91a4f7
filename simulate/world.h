/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The world of one run.
 *
 * A workshop is data: services have routes, a route has a script of ops.  A
 * request is a script being run: it arrives at a task, waits for one of its
 * workers, and goes from op to op; work and calls take time, which is an event
 * on a heap.  A call is a request of its own, whose parent waits.  Events are
 * taken in order of (time, number), so everything printed is in order of time.
 *
 * Incidents act at few places: on a request when a worker takes it (delay,
 * answer), on calls of AWS (throttle), on what arrives (traffic), on tasks
 * (deployments, silence).  See incidents.c.
 */
#ifndef SIMULATE_WORLD_H
#define SIMULATE_WORLD_H

#include "core/arena.h"
#include "core/mem.h"
#include "core/str.h"
#include "core/when.h"
#include "simulate/output.h"
#include "simulate/chance.h"
#include "simulate/simulate.h"

enum dialect {
	DIALECT_WERKZEUG,       /* 2.0 and later, with its colours */
	DIALECT_WERKZEUG_TWICE, /* and again through a root handler */
	DIALECT_WERKZEUG_INFO,  /* 0.12 through logging.basicConfig */
	DIALECT_GUNICORN,
	DIALECT_COMBINED, /* morgan */
	DIALECT_COMMON,
	DIALECT_NGINX, /* main: the forwarded address behind all */
	DIALECT_RACK,
	DIALECT_KOA,
	DIALECTS
};

/* How a program's own lines look. */
enum say_shape {
	SAY_PLAIN,
	SAY_FLASK,     /* [time,ms] LEVEL in module: text */
	SAY_FLASK_OLD, /* four lines, the text between dashes */
	SAY_GUNICORN,  /* [time zone] [pid] [LEVEL] text */
};

enum say_level { LEVEL_INFO, LEVEL_WARNING, LEVEL_ERROR };

enum op_kind {
	OP_END,
	OP_SAY,      /* print text */
	OP_WORK,     /* compute; a subsegment when it has a text */
	OP_CALL,     /* another service, through the balancer */
	OP_AWS,      /* DynamoDB: text is the operation */
	OP_CHAOS,    /* the Like service's chaos mode: it draws */
	OP_CHAOS_ON, /* and complains of being on */
};

struct op {
	enum op_kind kind;
	int us;             /* median of WORK and AWS */
	int service, route; /* whom to CALL */
	const char *text;   /* see above; CALL: the capturing function */
	int line;           /* SAY_FLASK_OLD: of the source */
	enum say_level level;
	bool masked;    /* CALL: a failure does not become the caller's */
	bool well_only; /* SAY: only when the last call went well */
};

/* Rows of a script; a text of SAY that is "$" is the last call's status. */
#define SAY(words)                                                             \
	{                                                                      \
		.kind = OP_SAY, .text = (words)                                \
	}
#define SAY_AT(n, words)                                                       \
	{                                                                      \
		.kind = OP_SAY, .text = (words), .line = (n)                   \
	}
#define WORK(median_us)                                                        \
	{                                                                      \
		.kind = OP_WORK, .us = (median_us)                             \
	}
#define CALL(s, r)                                                             \
	{                                                                      \
		.kind = OP_CALL, .service = (s), .route = (r)                  \
	}
#define CALL_MASKED(s, r)                                                      \
	{                                                                      \
		.kind = OP_CALL, .service = (s), .route = (r), .masked = true  \
	}
#define AWS(name, median_us)                                                   \
	{                                                                      \
		.kind = OP_AWS, .text = (name), .us = (median_us)              \
	}
#define END                                                                    \
	{                                                                      \
		.kind = OP_END                                                 \
	}

struct route {
	const char *method;
	const char *path;  /* '#' an id, '%' a number, of this request */
	const char *shown; /* the route's template, as findings name it */
	int weight;        /* of clients' requests; 0: only called */
	int status, bytes; /* of the usual answer */
	const struct op *ops;
};

/* Health checks: one timer from each prober, or two of a kubelet. */
struct probing {
	int route;
	int interval_s[2];
	bool kubelet; /* of the node that the task is on; else the balancer's
			 two nodes */
	bool traced;
};

enum sdk { SDK_NONE, SDK_PYTHON, SDK_NODE };

struct service {
	const char *name;   /* as findings name it */
	const char *group;  /* log group */
	const char *stream; /* prefix of the task's id; "": the id alone */
	const char *module; /* in the program's own lines */
	enum dialect dialect;
	enum say_shape say;
	enum sdk sdk;
	bool plugins; /* EC2 and ECS tell where it runs */
	bool patched; /* its calls are subsegments */
	bool wrapped; /* Container Insights: lines are JSON */
	int tasks, workers;
	struct probing probing;
	const struct route *routes;
	int n_routes;
	const char *const *start; /* lines of a start; NULL ends; '@' address,
				     '#' a debugger's PIN */
	const char *const *stop;
	const char *const *failure; /* of an answer 500; '@' the path */
	bool failure_after;         /* behind the access line */
	const char *host;           /* others call it so */
};

struct point {
	int service, route;
};

struct workshop {
	const char *name, *help;
	const struct service *services;
	int n_services;
	struct point main,
	    dependency;   /* what incidents strike; route -1: none */
	struct point aws; /* whose table is throttled */
	int front;        /* the service that gets what no rule knows */
	int64_t rate_micro;
	const char *host; /* the balancer's */
	const char *nodes[2];
	const char *const *ids; /* for '#'; NULL ends */
	const char *broken_id;
	const char *const *agents;
	bool bursts;     /* SNS at :00 and :30 instead of clients */
	bool repeated;   /* services are copied to as many as asked for */
	bool daily;      /* load follows the day */
	bool access_log; /* the balancer's own log is kept */
};
extern const struct workshop workshop_like;
extern const struct workshop workshop_interstella;
extern const struct workshop workshop_eks_shop;
extern const struct workshop workshop_threads;
extern const struct workshop workshop_fleet;

/* workshops.c: all; NULL ends. */
const struct workshop *const *workshops(void);
extern const char *const workshop_agents[]; /* of browsers */

enum effect {
	EFFECT_NONE,
	EFFECT_DELAY,
	EFFECT_STATUS,
	EFFECT_THROTTLE,
	EFFECT_MASK,  /* the dependency fails, the client sees 200 */
	EFFECT_CHAOS, /* the workshop's own switch */
	EFFECT_HANG,
	EFFECT_LEAVE,  /* a task of several is taken out */
	EFFECT_LOSE,   /* lines of all programs do not arrive */
	EFFECT_SERIAL, /* one request at a time */
	EFFECT_SCAN,
	EFFECT_HAMMER,
	EFFECT_SURGE,
	EFFECT_RHYTHM,
	EFFECT_ROOT,
	EFFECT_POLL,
	EFFECT_WORDS,
};

enum where { AT_MAIN, AT_DEPENDENCY, AT_AWS, AT_PROBES, AT_SERVICE };

struct incident_kind {
	const char *name, *help;
	const char *rule; /* that should find it; NULL: a decoy */
	enum effect effect;
	enum where where;
	uint32_t share_ppm; /* of the requests there */
	int delay_ms, spread_ms;
	int permille; /* of the route's own work, instead of delay_ms */
	bool ramp;    /* from nothing to all over its span */
	int status;
	int clients, paths, every_ms; /* traffic */
	bool deploy, one_task;        /* comes and goes with new tasks */
	const char *cause; /* a line the program prints where it struck */
	const char *only;  /* the one workshop that has it */
	int span_s;        /* unless said otherwise; 0: to the end */
};
extern const struct incident_kind incident_table[];
extern const int incident_count;

/* What it struck; chaos mode's 404s are counted apart. */
enum { STRUCK_MAIN, STRUCK_MISSING, STRUCK };
struct struck {
	uint64_t n;
	int64_t first, last; /* times of records */
};

struct incident {
	const struct incident_kind *kind;
	int64_t start, end;
	struct point at;
	struct chance chance;
	uint64_t total; /* requests that it might have struck */
	struct struck struck[STRUCK];
};

enum { PARTS = 6, PATH_MAX_SIM = 112 };

/* A subsegment in the making. */
struct part {
	const struct op *op;
	uint64_t id;
	int64_t start, end;
	int status;
	int retries;
	bool refused; /* no answer at all */
};

enum verdict { VERDICT_CLIENT, VERDICT_PROBE, VERDICT_CASCADE };

struct task;

struct request {
	struct request *parent, *next;
	struct task *task;
	const struct service *service;
	const struct route *route; /* NULL: no such route */
	const struct op *op;
	struct incident *hit;
	struct chance chance;
	int64_t sent, begun, extra_ns; /* extra: to be added to the work */
	uint64_t trace[2];             /* the id's 96 bits; [0] has 32 */
	int64_t trace_s;
	uint64_t id, parent_id;
	int status, bytes;
	enum verdict verdict;
	bool sampled, decided, masked, doomed, failed, copied;
	bool direct;     /* not through the balancer */
	uint32_t peer;   /* IPv4 */
	uint32_t client; /* IPv4 of who asked first */
	const char *method, *agent;
	int path_n;
	int n_parts;
	struct part parts[PARTS];
	char path[PATH_MAX_SIM];
};

struct task {
	const struct service *service;
	int number;       /* of the service's slot */
	uint64_t ordinal; /* among all tasks */
	uint32_t ip, host_ip;
	char id[33];
	char container[65];
	bool up, hung, down, handler; /* handler: logging has a root handler */
	int busy;
	struct request *head, *tail;
	int queued;
	struct incident *incident; /* it was deployed with */
	int64_t sampled_s;         /* the reservoir's last second */
	size_t stream;
	int failed_probes;
	struct buf wrap; /* Container Insights: what follows the line */
};

/* The tasks of a service that requests are sent to, in turn. */
struct pool {
	struct task **v;
	size_t n, cap, turn;
};

enum source_kind {
	SOURCE_CLIENTS,
	SOURCE_BURST,
	SOURCE_PROBE,
	SOURCE_SCAN,
	SOURCE_HAMMER,
	SOURCE_ROOT,
	SOURCE_POLL,
	SOURCE_WORDS,
};

struct source {
	enum source_kind kind;
	struct task *task; /* PROBE */
	struct incident *incident;
	struct chance chance;
	uint64_t made;
	int64_t base; /* PROBE: its own clock, without jitter */
	int64_t period;
	uint32_t peer;
};

enum event_kind {
	EVENT_SOURCE,
	EVENT_ARRIVE,
	EVENT_STEP,
	EVENT_LATE, /* what it called did not answer */
	EVENT_TASK_START,
	EVENT_TASK_UP,
	EVENT_TASK_DOWN,
	EVENT_TASK_GONE,
	EVENT_TASK_HANG,
};

struct event {
	int64_t at;
	uint64_t order;
	enum event_kind kind;
	union {
		struct source *source;
		struct request *request;
		struct task *task;
	} of;
};

struct heap {
	struct event *v;
	size_t n, cap;
	uint64_t order;
};

/* What a client may ask for. */
struct choice {
	uint16_t service, route;
};

/* What labels count of a service. */
struct service_counts {
	uint64_t requests, probes, cascade, not_found, errors, slow, segments;
};

struct world {
	const struct workshop *workshop;
	const struct simulate_options *options;
	struct choice *choices; /* of a client, each as often as it weighs */
	uint32_t n_choices;
	struct service *services;
	int n_services;
	struct service_counts *counts;
	struct task **tasks; /* all that ever were */
	size_t n_tasks, cap_tasks;
	struct pool *pools; /* a service */
	uint32_t nodes[2], n_agents, n_ids;
	struct source **sources;
	size_t n_sources, cap_sources;
	struct incident *incidents;
	size_t n_incidents;
	int64_t struck_from, struck_until; /* some incident is on */
	int64_t now, start, end;
	int64_t rate_micro;
	struct heap heap;
	struct request *free;
	struct arena requests, names; /* names: of a fleet's services */
	struct output *out;
	size_t balancer; /* stream of its access log */
	struct simulate_totals totals;
	struct buf text; /* of one line or document */
	struct buf label;
};

/* engine.c */
void world_push(struct world *w, int64_t at, struct event e);
struct request *request_new(struct world *w);
/* Arrives, now, at r->task or, when that is NULL, where the balancer sends. */
void request_send(struct world *w, struct request *r);
/* No program ever answers it: the caller, or the balancer, does so after a
 * time. */
void request_lost(struct world *w, struct request *r, int status,
    int64_t after_ns);
void world_run(struct world *w);

/* incidents.c */
int incidents_read(struct world *w, struct err *err);
/* On a request that a worker has taken. */
void incidents_strike(struct world *w, struct request *r);
/* The request's record is written. */
void incident_saw(struct incident *i, const struct request *r, int64_t at);
/* Of the throttled table: extra time, retries and whether they ran out. */
bool incident_throttle(struct world *w, struct request *r, struct part *p,
    int64_t *ns);
/* A client's request that asks for what its service cannot do. */
bool incident_dooms(struct world *w, const struct request *r);
/* Whether what is printed now is lost. */
bool incidents_lose(const struct world *w);
/* Clients' load and work, in thousandths of the usual. */
int64_t incidents_load(const struct world *w);
int64_t incidents_burden(const struct world *w);
/* False: it is not on at that time. */
bool incident_on(const struct incident *i, int64_t at);

/* traffic.c */
void traffic_begin(struct world *w);
void traffic_probe(struct world *w, struct task *t);
void traffic_fire(struct world *w, struct source *s);
/* Writes the path of a route with ids drawn. */
void traffic_path(const struct world *w, struct request *r,
    const struct route *route);
/* The peer that a program sees of what came through the balancer. */
uint32_t traffic_node(const struct world *w, struct chance *r);

/* tasks.c */
void tasks_begin(struct world *w);
void task_event(struct world *w, enum event_kind kind, struct task *t);
/* NULL: there is none to send to. */
struct task *task_pick(struct world *w, int service);

/* print.c */
void print_access(struct world *w, struct request *r);
void print_say(struct world *w, struct task *t, enum say_level level, int line,
    const char *text);
/* One raw line of a program's; '@' stands for `at`, '#' for a PIN. */
void print_line(struct world *w, struct task *t, const char *text,
    struct str at);
void print_balancer(struct world *w, const struct request *r);
void put_ip(struct buf *b, uint32_t ip);
uint32_t ip_of(const char *text);

/* segment.c */
void segment_write(struct world *w, struct request *r);
void put_trace_id(struct buf *b, const struct request *r);
void put_hex(struct buf *b, uint64_t v, int digits);

/* labels.c */
void label_request(struct world *w, const struct request *r, size_t stream,
    uint64_t line);
void label_segment(struct world *w, const struct request *r, uint64_t line);
void labels_write(struct world *w);

#endif
