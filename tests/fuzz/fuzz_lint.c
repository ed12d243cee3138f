/*
 * Any bytes: each finding lies in the input and says something; and whatever
 * the parser refuses has an error (rule 2 of codec/lint.h).
 */
#include <assert.h>
#include <string.h>

#include "codec/lint.h"
#include "codec/metainfo.h"
#include "fuzz.h"

struct seen {
	size_t n;
	uint64_t errors, warnings;
};

static void
on_finding(void *arg, const struct bt_lint_finding *f)
{
	struct seen *s = arg;

	assert(f->at <= s->n);
	assert(f->text[0] != '\0');
	assert(bt_str_is_utf8(bt_str_of(f->where)));
	assert(strlen(f->rule->id) > 0);
	if (f->rule->is_error)
		s->errors++;
	else
		s->warnings++;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct bt_str in = { p, n };
	struct bt_err err = BT_ERR_INIT;
	struct seen seen = { .n = n };
	struct bt_lint_totals t;
	struct bt_meta m;

	bt_lint_run(in, on_finding, &seen, &t);
	assert(seen.errors + seen.warnings + t.untold == t.errors + t.warnings);
	assert(seen.errors <= t.errors && seen.warnings <= t.warnings);
	if (bt_meta_parse(in, &m, &err) == 0)
		bt_meta_fini(&m);
	else
		assert(t.errors > 0);
	return 0;
}
