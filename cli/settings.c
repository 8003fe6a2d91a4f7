/* SPDX-License-Identifier: Apache-2.0 */
/* See the header. */
#include "cli/settings.h"

#include <stdlib.h>

#include "core/mem.h"

static const struct opt_list nothing;

static const struct opt_list *
list(const struct opt_list *given)
{
	return given ? given : &nothing;
}

static struct str *
strings(const struct opt_list *l)
{
	struct str *v = xcalloc(l->n + 1, sizeof *v);

	for (size_t i = 0; i < l->n; i++)
		v[i] = str_of(l->v[i]);
	return v;
}

/* What the file says, and the options that go before it. */
static int
set_thresholds(struct settings *s, const char *file, struct replay_options *o,
    struct err *err)
{
	struct thresholds *t = &o->judge.thresholds;
	const char *only = t->only;
	int64_t slow_ns = t->slow_ns;

	s->config_bad = true;
	opt_defaults(config_alerts_rows, &s->config.alerts);
	if (file && config_read(&s->config, file, err) != 0)
		return -1;
	*t = s->config.thresholds;
	t->only = only;
	t->slow_ns = slow_ns;
	if (thresholds_settle(t, err) != 0)
		return -1;
	s->config_bad = false;
	return 0;
}

static int
set_names(struct settings *s, const struct opt_list *l,
    struct replay_options *o, struct err *err)
{
	s->names = xcalloc(l->n + s->config.n_names + 1, sizeof *s->names);
	for (size_t i = 0; i < l->n; i++) {
		struct str name = str_of(l->v[i]);
		struct str group = { NULL, 0 };
		bool cut = str_cut(&name, '=', &group);

		if (!cut || group.n == 0 || name.n == 0)
			return err_set(err,
			    "--service-name: '%s' is not GROUP=NAME", l->v[i]);
		s->names[i] =
		    (struct service_name){ .group = group, .name = name };
	}
	for (size_t i = 0; i < s->config.n_names; i++)
		s->names[l->n + i] = s->config.names[i];
	o->names = s->names;
	o->n_names = l->n + s->config.n_names;
	return 0;
}

/* Of either list the option's, else the file's. */
static void
set_probes(struct settings *s, const struct settings_given *given,
    struct probe_settings *p)
{
	s->agents = strings(list(given->agents));
	s->paths = strings(list(given->paths));
	p->agents = s->agents;
	p->n_agents = list(given->agents)->n;
	p->paths = s->paths;
	p->n_paths = list(given->paths)->n;
	if (p->n_agents == 0) {
		p->agents = s->config.agents.v;
		p->n_agents = s->config.agents.n;
	}
	if (p->n_paths == 0) {
		p->paths = s->config.paths.v;
		p->n_paths = s->config.paths.n;
	}
}

int
settings_read(struct settings *s, const struct settings_given *given,
    struct replay_options *o, struct err *err)
{
	if (set_thresholds(s, given->config, o, err) != 0 ||
	    set_names(s, list(given->names), o, err) != 0)
		return -1;
	set_probes(s, given, &o->probe);
	return 0;
}

void
settings_fini(struct settings *s)
{
	free(s->agents);
	free(s->paths);
	free(s->names);
	config_fini(&s->config);
}
