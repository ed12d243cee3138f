/*
 * lint - everything that is wrong or unwise in a torrent, each by a stable id.
 *
 * 1. An error breaks what the BEPs demand, or keeps readers from the content or
 *    from agreeing about it; a warning is unwise and works. An id is always the
 *    one or the other, and is never given another meaning.
 * 2. Whatever bt_meta_parse() refuses has at least one error here, but for being
 *    larger than BT_META_BYTES_MAX.
 * 3. It goes on after a finding wherever what follows still means something. Only
 *    malformed bencoding ends it.
 * 4. Of one id BT_LINT_EACH_MAX findings are told; the others are counted.
 * Pure.
 *
 * Speaks   BEP 3, 5 (nodes), 12, 17, 19, 27, 47, 52
 * Used by  bt-info
 * Tests    tests/e2e/lint.bats (each id), tests/unit/test_lint.c (hostile ones),
 *          tests/fuzz/fuzz_lint.c (rule 2)
 */
#ifndef BT_CODEC_LINT_H
#define BT_CODEC_LINT_H

#include "base/str.h"

#define BT_LINT_EACH_MAX	100u	/* a person reads no more of a kind */

struct bt_lint_rule {
	const char *id;		/* "path-traversal"; NULL ends the table */
	bool is_error;
	const char *what;	/* what it is about, in a line */
};
extern const struct bt_lint_rule bt_lint_rules[];

struct bt_lint_finding {
	const struct bt_lint_rule *rule;
	size_t at;		/* offset of the byte where it is */
	const char *where;	/* "info.files[0].path[1]", from 0; "" is all */
	const char *text;	/* a sentence: lower case, no full stop */
};

struct bt_lint_totals {
	uint64_t errors, warnings;
	uint64_t untold;	/* of these, by rule 4 */
};

/*
 * Look at a torrent's bytes, whatever they are. found is called for each
 * finding, whose strings are valid for the call.
 */
void	bt_lint_run(struct bt_str in,
	    void (*found)(void *arg, const struct bt_lint_finding *f),
	    void *arg, struct bt_lint_totals *totals);

#endif
