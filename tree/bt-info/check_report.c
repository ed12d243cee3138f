/* From pieces and sizes to a verdict for each file, and how it is told. */
#include <inttypes.h>

#include "check.h"
#include "cli/json.h"

static const char *const names[] = {
	[WHOLE] = "whole",
	[BAD] = "bad",
	[MISSING] = "missing",
	[SHORT] = "short",
	[LONG] = "long",
	[UNPROVEN] = "unproven",
};

static bool
is_checked(const struct bt_layout_file *f)
{
	return (f->attr & (BT_META_PAD | BT_META_LINK)) == 0;
}

/* Give BAD and UNPROVEN to files whose size alone looked right. */
static void
settle(struct check *c)
{
	const struct bt_layout *l = c->layout;
	const struct bt_layout_file *f;
	struct bt_bits explained;
	uint32_t p;

	bt_bits_init(&explained, l->pieces);
	for (uint32_t i = 0; i < l->nfiles; i++)
		if ((c->verdicts[i] == MISSING || c->verdicts[i] == SHORT) &&
		    l->files[i].size > 0)
			bt_layout_mark_file(l, i, &explained);
	for (uint32_t i = 0; i < l->nfiles; i++) {
		f = &l->files[i];
		if (!is_checked(f) || f->size == 0 ||
		    c->verdicts[i] == MISSING || c->verdicts[i] == SHORT)
			continue;
		p = bt_bits_next_clear(&c->good, f->first);
		if (p <= f->last && c->verdicts[i] == WHOLE)
			c->verdicts[i] = UNPROVEN;
		while (p <= f->last && bt_bits_has(&explained, p))
			p = bt_bits_next_clear(&c->good, p + 1);
		if (p <= f->last)
			c->verdicts[i] = BAD;
	}
	bt_bits_fini(&explained);
}

static size_t
count_faulty(const struct check *c)
{
	size_t n = 0;

	for (uint32_t i = 0; i < c->layout->nfiles; i++)
		n +=
		    is_checked(&c->layout->files[i]) && c->verdicts[i] != WHOLE;
	return n;
}

/* "3-5,9": the pieces that are not good, counted from 0 as in BEP 3. */
static void
print_bad_pieces(const struct check *c, struct bt_out *o)
{
	uint32_t from, to, n = c->layout->pieces;
	const char *comma = "";

	bt_out_printf(o, o->tty ? "%-15s " : "%s\t", "bad_pieces");
	from = bt_bits_next_clear(&c->good, 0);
	for (; from < n; from = bt_bits_next_clear(&c->good, to)) {
		to = bt_bits_next(&c->good, from);
		bt_out_printf(o, "%s%" PRIu32, comma, from);
		if (to - from > 1)
			bt_out_printf(o, "-%" PRIu32, to - 1);
		comma = ",";
	}
	bt_out_printf(o, "\n");
}

static void
print_lines(const struct check *c, bool whole)
{
	struct bt_out *o = &c->cli->out;

	for (uint32_t i = 0; i < c->layout->nfiles; i++)
		if (is_checked(&c->layout->files[i]) && c->verdicts[i] != WHOLE)
			bt_out_field(o, names[c->verdicts[i]],
			    c->in->meta.files[i].path);
	if (c->good.set < c->layout->pieces)
		print_bad_pieces(c, o);
	bt_out_field_num(o, "pieces", c->layout->pieces);
	bt_out_field_num(o, "good_pieces", c->good.set);
	bt_out_field(o, "whole", whole ? STR("yes") : STR("no"));
}

static void
print_json(const struct check *c, bool whole)
{
	const struct bt_meta_file *f = c->in->meta.files;
	struct bt_json j;
	int64_t index = 1;

	bt_json_begin(&j, &c->cli->out);
	bt_json_str(&j, "name", c->in->meta.name);
	bt_json_cstr(&j, "info_hash", c->in->hash);
	bt_json_bool(&j, "whole", whole);
	bt_json_int(&j, "pieces", c->layout->pieces);
	bt_json_int(&j, "good_pieces", c->good.set);
	bt_json_open(&j, "bad_pieces", '[');
	for (uint32_t p = bt_bits_next_clear(&c->good, 0);
	     p < c->layout->pieces; p = bt_bits_next_clear(&c->good, p + 1))
		bt_json_int(&j, NULL, p);
	bt_json_close(&j);
	bt_json_open(&j, "files", '[');
	for (uint32_t i = 0; i < c->layout->nfiles; i++, f++) {
		if (!info_is_listed(f))
			continue;
		bt_json_open(&j, NULL, '{');
		bt_json_int(&j, "index", index++);
		bt_json_str(&j, "path", f->path);
		bt_json_int(&j, "size", (int64_t)f->size);
		bt_json_cstr(&j, "verdict", names[c->verdicts[i]]);
		bt_json_close(&j);
	}
	bt_json_end(&j);
}

int
check_report(struct check *c, const char *path, struct bt_err *err)
{
	uint32_t bad = c->layout->pieces - c->good.set;
	size_t faulty;
	bool whole;

	settle(c);
	faulty = count_faulty(c);
	whole = bad == 0 && faulty == 0 && !c->trailing;
	if (c->cli->json)
		print_json(c, whole);
	else if (!c->cli->quiet)
		print_lines(c, whole);
	if (whole)
		return 0;
	if (bad == 0 && faulty == 0)
		return bt_err_set(err, BT_EMISMATCH,
		    "standard input goes on after the content of '%s'",
		    c->in->operand);
	return bt_err_set(err, BT_EMISMATCH,
	    "'%s' does not match '%s': "
	    "%" PRIu32 " of %" PRIu32 " pieces and %zu of %zu files are not "
	    "right",
	    path, c->in->operand, bad, c->layout->pieces, faulty,
	    c->in->listed);
}
