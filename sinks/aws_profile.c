/* SPDX-License-Identifier: Apache-2.0 */
/* See the header. */
#include "sinks/aws_profile.h"

#include <stddef.h>

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Without a comment, and without blanks around. */
static struct str
bare(struct str line)
{
	for (size_t i = 0; i < line.n; i++)
		if ((line.p[i] == '#' || line.p[i] == ';') &&
		    (i == 0 || is_blank(line.p[i - 1])))
			line = str_sub(line, 0, i);
	return str_trim(line);
}

/* [name]; false: the line is no section's. */
static bool
section_of(struct str line, struct str *name)
{
	if (line.n < 2 || line.p[0] != '[' || line.p[line.n - 1] != ']')
		return false;
	*name = str_trim(str_sub(line, 1, line.n - 2));
	return true;
}

static bool
is_profile(struct str name, enum aws_file file, struct str profile)
{
	struct str word;

	if (file == AWS_FILE_CONFIG && str_cut(&name, ' ', &word)) {
		if (!str_eq(word, STR("profile")))
			return false;
		name = str_trim(name);
	} else if (file == AWS_FILE_CONFIG && !str_eq(name, STR("default"))) {
		return false;
	}
	return str_eq(name, profile);
}

/* The next line; false: there is none. */
static bool
next_line(struct str *text, struct str *line)
{
	if (text->n == 0)
		return false;
	if (str_cut(text, '\n', line))
		return true;
	*line = *text;
	*text = (struct str){ NULL, 0 };
	return true;
}

bool
aws_profile_get(struct str text, enum aws_file file, struct str profile,
    const char *key, struct str *value)
{
	struct str line, name;
	bool in = false, found = false;

	while (next_line(&text, &line)) {
		if (line.n > 0 && is_blank(line.p[0]))
			continue;
		line = bare(line);
		if (section_of(line, &name)) {
			in = is_profile(name, file, profile);
			continue;
		}
		if (!in || !str_cut(&line, '=', &name) ||
		    !str_eq(str_trim(name), str_of(key)))
			continue;
		line = str_trim(line);
		if (line.n > 0) {
			*value = line;
			found = true;
		}
	}
	return found;
}

bool
aws_profile_has(struct str text, enum aws_file file, struct str profile)
{
	struct str line, name;

	while (next_line(&text, &line))
		if (section_of(bare(line), &name) &&
		    is_profile(name, file, profile))
			return true;
	return false;
}
