/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Templates from the set of masked texts, after Brain (Yu, He, Chen, Wu: Brain:
 * Log Parsing with Bidirectional Parallel Tree, IEEE TSC 2023), which looks at
 * all texts at once instead of one after the other.
 *
 * Texts of one number of words are looked at together.  A word's frequency is
 * how many of them have it at that place.  The words of one text fall into
 * classes of equal frequency; the words that a template consists of have the
 * frequency of the template and are the largest class, values have others:
 *
 *	session  opened  for  user  root        12 12 12 30  3
 *	session  opened  for  user  cyrus       12 12 12 30  9
 *	session  closed  for  user  root        ...
 *
 * (a) The largest class (of equals the more frequent; a class below half of the
 *     greatest frequency does not count unless there is no other) is the text's
 *     root.  Texts with one root are a group.
 * (b) Places whose words are more frequent than the root's: one word in the
 *     whole group is part of the template, several are values.
 * (c) Of the other places the one with the fewest different words is taken, and
 *     again: one word is part of the template; up to BRANCHES divide the group,
 *     each part going on by itself; more are values, and so are the rest.
 *
 * What is left of a group is its template: the words that are the same, <*> for
 * the rest, several in a row being one.  Texts of any length that come out the
 * same are one template, which unites lists of different lengths.
 *
 * Frequencies are of different texts, not of messages, so that a value that
 * comes often looks like a value.  All of it is a function of the set.
 *
 * Bounds.  Beyond TEMPLATE_MASKED texts the half with the greater hashes goes,
 * and again: which texts are left depends on the set alone.  Memory at most
 * 1 KiB a text, 16 MiB.  Time is n·log n a place and level.
 */
#include "analyzers/template.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/mem.h"

enum {
	BRANCHES = 4,
	MEMO = 4096, /* messages remembered, a power of two */
};

/* A masked text. */
struct text {
	uint64_t key;
	char *masked;
	size_t masked_n;
	char *example;
	size_t example_n;
	uint32_t template;
	uint32_t n_words;
	const uint64_t *words; /* hashes, while settling */
};

struct found {
	uint64_t key;
	struct str text;
	struct str example;
};

struct templates {
	struct text *texts;
	size_t n, cap;
	uint32_t *slots; /* open addressing: index + 1 */
	size_t n_slots;
	unsigned level; /* keys below 2^(64 - level) are kept */
	bool settled;
	struct found *found; /* by text; [0] is "other" */
	uint32_t n_found;
	char **owned; /* the templates' texts */
	size_t n_owned, cap_owned;
	uint64_t left_out;
	struct buf masking;
	struct memo { /* by message: the same one again */
		uint64_t message, key;
		bool set;
	} memo[MEMO];
};

/* One settling: the texts of one length, and their words' frequencies. */
struct place_word {
	uint64_t key; /* of place and word; 0: free */
	uint32_t n;
};

struct settling {
	struct templates *t;
	uint64_t *words;
	struct place_word *seen;
	size_t n_seen; /* slots, a power of two */
	struct buf text;
};

/* A text in a group, by the group's root. */
struct member {
	uint64_t root;
	uint32_t frequency; /* of the root */
	struct text *text;
};

/* A group on its way, and which places of it are values. */
struct group {
	struct member *v;
	size_t n;
	bool done[TEMPLATE_WORDS];
	bool value[TEMPLATE_WORDS];
};

struct templates *
templates_new(void)
{
	struct templates *t = xcalloc(1, sizeof *t);

	t->n_slots = 1024;
	t->slots = xcalloc(t->n_slots, sizeof *t->slots);
	return t;
}

static void
text_fini(struct text *x)
{
	free(x->masked);
	free(x->example);
}

void
templates_free(struct templates *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->n; i++)
		text_fini(&t->texts[i]);
	for (size_t i = 0; i < t->n_owned; i++)
		free(t->owned[i]);
	free(t->owned);
	free(t->texts);
	free(t->slots);
	free(t->found);
	buf_fini(&t->masking);
	free(t);
}

static char *
bytes_dup(struct str s)
{
	char *p = xcalloc(s.n + 1, 1);

	if (s.n > 0)
		memcpy(p, s.p, s.n);
	return p;
}

/* The slot of a key, or the free one where it belongs. */
static uint32_t *
slot_of(const struct templates *t, uint64_t key)
{
	size_t i = (size_t)key & (t->n_slots - 1);

	while (t->slots[i] && t->texts[t->slots[i] - 1].key != key)
		i = (i + 1) & (t->n_slots - 1);
	return &t->slots[i];
}

static void
reindex(struct templates *t, size_t n_slots)
{
	free(t->slots);
	t->n_slots = n_slots;
	t->slots = xcalloc(n_slots, sizeof *t->slots);
	for (size_t i = 0; i < t->n; i++)
		*slot_of(t, t->texts[i].key) = (uint32_t)i + 1;
}

static bool
is_kept(const struct templates *t, uint64_t key)
{
	return t->level == 0 || key >> (64 - t->level) == 0;
}

/* One text too many: half of the keys go, by chance more than once. */
static void
raise_level(struct templates *t)
{
	while (t->n > TEMPLATE_MASKED) {
		size_t kept = 0;

		t->level++;
		for (size_t i = 0; i < t->n; i++) {
			if (is_kept(t, t->texts[i].key)) {
				t->texts[kept++] = t->texts[i];
				continue;
			}
			t->left_out++;
			text_fini(&t->texts[i]);
		}
		t->n = kept;
	}
	reindex(t, t->n_slots);
}

/* The message that sorts first stands for the text. */
static void
note_example(struct text *x, struct str message)
{
	struct str have = { x->example, x->example_n };

	if (x->example && str_cmp(have, message) <= 0)
		return;
	free(x->example);
	x->example = bytes_dup(message);
	x->example_n = message.n;
}

static uint64_t
add(struct templates *t, struct str head)
{
	uint32_t *slot;
	uint64_t key;

	buf_reset(&t->masking);
	template_mask(&t->masking, head);
	key = hash64(buf_view(&t->masking));
	if (!is_kept(t, key)) {
		t->left_out++;
		return key;
	}
	slot = slot_of(t, key);
	if (!*slot) {
		t->texts = xgrow(t->texts, t->n + 1, &t->cap, sizeof *t->texts);
		t->texts[t->n] = (struct text){ .key = key,
			.masked = bytes_dup(buf_view(&t->masking)),
			.masked_n = t->masking.n };
		*slot = (uint32_t)++t->n;
	}
	note_example(&t->texts[*slot - 1], head);
	if (t->n > TEMPLATE_MASKED)
		raise_level(t);
	else if (t->n * 2 > t->n_slots)
		reindex(t, t->n_slots * 2);
	return key;
}

uint64_t
templates_add(struct templates *t, struct str message)
{
	struct str head = str_sub(str_trim(message), 0, TEMPLATE_BYTES);
	uint64_t hash = hash64(head);
	struct memo *m = &t->memo[hash & (MEMO - 1)];

	assert(!t->settled);
	if (!m->set || m->message != hash) {
		*m = (struct memo){ hash, add(t, head), true };
		return m->key;
	}
	t->left_out += !is_kept(t, m->key);
	return m->key;
}

/* The words' hashes of a text; returns how many there are. */
static uint32_t
hash_words(struct str rest, uint64_t *words)
{
	struct str word;
	uint32_t n = 0;
	bool more = rest.n > 0;

	while (more && n < TEMPLATE_WORDS) {
		more = str_cut(&rest, ' ', &word);
		if (!more)
			word = rest;
		/* The last bit says that there is a mask in it. */
		words[n++] = hash64(word) << 1 | (str_find(word, '<') < word.n);
	}
	return n;
}

static uint32_t *
frequency(const struct settling *s, size_t place, uint64_t word)
{
	uint64_t key = hash64_mix(word, place) | 1;
	size_t i = (size_t)(key >> 1) & (s->n_seen - 1);

	while (s->seen[i].key && s->seen[i].key != key)
		i = (i + 1) & (s->n_seen - 1);
	s->seen[i].key = key;
	return &s->seen[i].n;
}

/* How often each word stands at its place among the n texts. */
static void
count_words(struct settling *s, const struct member *m, size_t n)
{
	uint32_t words = m[0].text->n_words;

	s->n_seen = 64;
	while (s->n_seen < n * words * 2)
		s->n_seen *= 2;
	free(s->seen);
	s->seen = xcalloc(s->n_seen, sizeof *s->seen);
	for (size_t i = 0; i < n; i++)
		for (uint32_t w = 0; w < words; w++)
			++*frequency(s, w, m[i].text->words[w]);
}

/* (a): the frequency of the class that is the text's root. */
static uint32_t
root_frequency(const uint32_t *of, uint32_t n)
{
	uint32_t most = 0;
	uint32_t best = 0;
	uint32_t best_size = 0;

	for (uint32_t i = 0; i < n; i++)
		most = of[i] > most ? of[i] : most;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t size = 0;

		if (of[i] * 2 < most)
			continue;
		for (uint32_t k = 0; k < n; k++)
			size += of[k] == of[i];
		if (size > best_size || (size == best_size && of[i] > best)) {
			best = of[i];
			best_size = size;
		}
	}
	return best;
}

static void
find_root(const struct settling *s, struct member *m)
{
	uint32_t of[TEMPLATE_WORDS];
	const struct text *x = m->text;

	for (uint32_t w = 0; w < x->n_words; w++)
		of[w] = *frequency(s, w, x->words[w]);
	m->frequency = root_frequency(of, x->n_words);
	m->root = m->frequency;
	for (uint32_t w = 0; w < x->n_words; w++)
		if (of[w] == m->frequency)
			m->root =
			    hash64_mix(hash64_mix(m->root, w), x->words[w]);
}

static int
by_length(const void *pa, const void *pb)
{
	const struct member *a = pa;
	const struct member *b = pb;

	if (a->text->n_words != b->text->n_words)
		return a->text->n_words < b->text->n_words ? -1 : 1;
	return a->text->key < b->text->key ? -1 : a->text->key > b->text->key;
}

static int
by_root(const void *pa, const void *pb)
{
	const struct member *a = pa;
	const struct member *b = pb;

	if (a->root != b->root)
		return a->root < b->root ? -1 : 1;
	return a->text->key < b->text->key ? -1 : a->text->key > b->text->key;
}

static int
by_number(const void *pa, const void *pb)
{
	const uint64_t *a = pa;
	const uint64_t *b = pb;

	return *a < *b ? -1 : *a > *b;
}

/* How many different words a group has at a place; a mask among others counts
 * for more than can be branches. */
static size_t
count_different(const struct group *g, uint32_t place)
{
	uint64_t *words = xcalloc(g->n, sizeof *words);
	size_t different = 1;
	bool mask = false;

	for (size_t i = 0; i < g->n; i++) {
		words[i] = g->v[i].text->words[place];
		mask |= words[i] & 1;
	}
	qsort(words, g->n, sizeof *words, by_number);
	for (size_t i = 1; i < g->n; i++)
		different += words[i] != words[i - 1];
	free(words);
	return mask && different > 1 ? different + BRANCHES : different;
}

/* The group's template, as text. */
static void
put_template(struct buf *out, const struct group *g)
{
	const struct text *x = g->v[0].text;
	struct str rest = { x->masked, x->masked_n };
	struct str word;
	bool was_value = false;

	for (uint32_t w = 0; w < x->n_words; w++) {
		bool value = g->value[w];

		if (!str_cut(&rest, ' ', &word))
			word = rest;
		if (value && was_value)
			continue;
		if (w > 0)
			buf_char(out, ' ');
		buf_str(out, value ? STR("<*>") : word);
		was_value = value;
	}
}

static void
end_group(struct settling *s, const struct group *g)
{
	struct templates *t = s->t;

	buf_reset(&s->text);
	put_template(&s->text, g);
	t->owned =
	    xgrow(t->owned, t->n_owned + 1, &t->cap_owned, sizeof *t->owned);
	t->owned[t->n_owned] = bytes_dup(buf_view(&s->text));
	for (size_t i = 0; i < g->n; i++)
		g->v[i].text->template = (uint32_t)t->n_owned;
	t->n_owned++;
}

/* (b): more frequent than the root, and not the same everywhere. */
static void
mark_frequent(const struct settling *s, struct group *g)
{
	for (uint32_t w = 0; w < g->v[0].text->n_words; w++) {
		bool above = true;

		for (size_t i = 0; i < g->n && above; i++)
			above = *frequency(s, w, g->v[i].text->words[w]) >
				g->v[i].frequency;
		if (!above)
			continue;
		g->done[w] = true;
		g->value[w] = count_different(g, w) > 1;
	}
}

/* (c): the place with the fewest different words; how many those are. */
static size_t
choose_place(struct group *g, uint32_t *place)
{
	size_t fewest = SIZE_MAX;

	for (uint32_t w = 0; w < g->v[0].text->n_words; w++) {
		size_t n;

		if (g->done[w])
			continue;
		n = count_different(g, w);
		g->done[w] = n == 1;
		if (n > 1 && n < fewest) {
			fewest = n;
			*place = w;
		}
	}
	return fewest;
}

/* Each level is done with a place more: at most TEMPLATE_WORDS deep. */
static void
divide(struct settling *s, struct group *g)
{
	uint32_t place = 0;
	size_t different = choose_place(g, &place);
	size_t from = 0;

	if (different > BRANCHES) {
		for (uint32_t w = 0; w < g->v[0].text->n_words; w++)
			g->value[w] |= !g->done[w];
		end_group(s, g);
		return;
	}
	g->done[place] = true;
	for (size_t i = 0; i < g->n; i++)
		g->v[i].root = g->v[i].text->words[place];
	qsort(g->v, g->n, sizeof *g->v, by_root);
	for (size_t i = 1; i <= g->n; i++) {
		struct group part = *g;

		if (i < g->n && g->v[i].root == g->v[from].root)
			continue;
		part.v = &g->v[from];
		part.n = i - from;
		divide(s, &part);
		from = i;
	}
}

/* All texts of one length. */
static void
settle_length(struct settling *s, struct member *m, size_t n)
{
	size_t from = 0;

	count_words(s, m, n);
	for (size_t i = 0; i < n; i++)
		find_root(s, &m[i]);
	qsort(m, n, sizeof *m, by_root);
	for (size_t i = 1; i <= n; i++) {
		struct group g = { .v = &m[from], .n = i - from };

		if (i < n && m[i].root == m[from].root)
			continue;
		mark_frequent(s, &g);
		divide(s, &g);
		from = i;
	}
}

static int
by_text(const void *pa, const void *pb)
{
	const struct found *a = pa;
	const struct found *b = pb;

	return str_cmp(a->text, b->text);
}

static int
by_hash(const void *pa, const void *pb)
{
	const struct found *a = pa;
	const struct found *b = pb;

	return a->key < b->key ? -1 : a->key > b->key;
}

/* Different templates by text, those with the least hashes; [0] is "other". */
static void
list_found(struct templates *t)
{
	struct found *all = xcalloc(t->n_owned + 1, sizeof *all);
	size_t n = 0;

	for (size_t i = 0; i < t->n_owned; i++) {
		struct str text = str_of(t->owned[i]);

		all[i] = (struct found){ .key = hash64(text), .text = text };
	}
	if (t->n_owned > 0)
		qsort(all, t->n_owned, sizeof *all, by_hash);
	for (size_t i = 0; i < t->n_owned && n < TEMPLATES_MAX - 1; i++)
		if (n == 0 || all[i].key != all[n - 1].key)
			all[n++] = all[i];
	if (n > 0)
		qsort(all, n, sizeof *all, by_text);
	t->found = xcalloc(n + 1, sizeof *t->found);
	t->found[0] =
	    (struct found){ .text = STR("other"), .example = STR("other") };
	memcpy(t->found + 1, all, n * sizeof *all);
	t->n_found = (uint32_t)n + 1;
	free(all);
}

/* The template with a text; "other" when it is beyond the bound. */
static uint32_t
find_template(const struct templates *t, struct str text)
{
	uint32_t lo = 1;
	uint32_t hi = t->n_found;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (str_cmp(t->found[mid].text, text) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == t->n_found || !str_eq(t->found[lo].text, text))
		return TEMPLATE_OTHER;
	return lo;
}

/* Each text's template by its final number, and the templates' examples. */
static void
number_texts(struct templates *t)
{
	for (size_t i = 0; i < t->n; i++) {
		struct text *x = &t->texts[i];
		struct str example = { x->example, x->example_n };
		struct found *f;

		x->template = find_template(t, str_of(t->owned[x->template]));
		f = &t->found[x->template];
		if (x->template != TEMPLATE_OTHER &&
		    (f->example.n == 0 || str_cmp(example, f->example) < 0))
			f->example = example;
	}
}

void
templates_settle(struct templates *t)
{
	struct settling s = { .t = t,
		.words = xcalloc(t->n * TEMPLATE_WORDS + 1, sizeof *s.words) };
	struct member *m = xcalloc(t->n + 1, sizeof *m);
	uint64_t *next = s.words;
	size_t from = 0;

	assert(!t->settled);
	t->settled = true;
	for (size_t i = 0; i < t->n; i++) {
		struct text *x = &t->texts[i];

		x->n_words =
		    hash_words((struct str){ x->masked, x->masked_n }, next);
		x->words = next;
		next += x->n_words;
		m[i].text = x;
	}
	if (t->n > 0)
		qsort(m, t->n, sizeof *m, by_length);
	for (size_t i = 1; i <= t->n; i++) {
		if (i < t->n && m[i].text->n_words == m[from].text->n_words)
			continue;
		settle_length(&s, &m[from], i - from);
		from = i;
	}
	list_found(t);
	number_texts(t);
	free(m);
	free(s.words);
	free(s.seen);
	buf_fini(&s.text);
}

uint32_t
templates_count(const struct templates *t)
{
	return t->n_found;
}

uint32_t
templates_of(const struct templates *t, uint64_t key)
{
	uint32_t i = *slot_of(t, key);

	assert(t->settled);
	return i ? t->texts[i - 1].template : TEMPLATE_OTHER;
}

struct str
templates_text(const struct templates *t, uint32_t number)
{
	assert(number < t->n_found);
	return t->found[number].text;
}

struct str
templates_example(const struct templates *t, uint32_t number)
{
	assert(number < t->n_found);
	return t->found[number].example;
}

uint64_t
templates_left_out(const struct templates *t)
{
	return t->left_out;
}
