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
is_checked(const struct check *c, uint32_t file)
{
	return (c->layout->files->at[file].attr &
		   (BT_META_PAD | BT_META_LINK)) == 0;
}

/* Give BAD or UNPROVEN to a file whose size alone looked right. */
static void
settle(struct check *c, uint32_t file)
{
	const struct bt_layout *l = c->layout;
	enum verdict *v = &c->verdicts[file];
	uint32_t p, end;

	if (bt_filetab_size(l->files, file) == 0 || *v == MISSING ||
	    *v == SHORT)
		return;
	end = bt_layout_last(l, file) + 1;
	p = bt_bits_next_until(&c->bad, bt_layout_first(l, file), end);
	if (p < end && *v == WHOLE)
		*v = UNPROVEN;
	while (p < end && bt_bits_has(&c->explained, p))
		p = bt_bits_next_until(&c->bad, p + 1, end);
	if (p < end)
		*v = BAD;
}

static void
json_bad_pieces(
    const struct check *c, struct bt_json *j, uint32_t from, uint32_t to)
{
	bt_json_open(j, "bad_pieces", '[');
	for (uint32_t p = bt_bits_next_until(&c->bad, from, to); p < to;
	     p = bt_bits_next_until(&c->bad, p + 1, to))
		bt_json_int(j, NULL, p);
	bt_json_close(j);
}

/* The line of one file, once. */
static void
tell_file(struct check *c, uint32_t file)
{
	const struct bt_layout *l = c->layout;
	struct bt_file f = bt_filetab_get(l->files, file);
	struct bt_json j;

	if (!c->cli->json || !info_is_listed(c->in, file) ||
	    !bt_bits_put(&c->told, file))
		return;
	settle(c, file);
	bt_json_event(&j, &c->cli->out, "file");
	bt_json_int(&j, "index", (int64_t)c->index[file]);
	bt_json_str(&j, "path", f.path);
	bt_json_int(&j, "size", (int64_t)f.size);
	bt_json_cstr(&j, "verdict", names[c->verdicts[file]]);
	json_bad_pieces(c, &j, f.size == 0 ? 1 : bt_layout_first(l, file),
	    f.size == 0 ? 0 : bt_layout_last(l, file) + 1);
	bt_json_end(&j);
}

/* Is nothing left to learn that could change the verdict? */
static bool
is_final(const struct check *c, uint32_t file)
{
	const struct bt_layout *l = c->layout;
	uint32_t end;

	if (c->left[file] > 0)
		return false;
	if (c->is_sized)
		return true;
	if (bt_filetab_size(l->files, file) == 0)
		return false;
	end = bt_layout_last(l, file) + 1;
	return bt_bits_next_until(&c->bad, bt_layout_first(l, file), end) ==
	       end;
}

void
check_on_sizes(struct check *c)
{
	c->is_sized = true;
	for (uint32_t i = 0; i < c->layout->files->n; i++)
		if ((c->verdicts[i] == MISSING || c->verdicts[i] == SHORT) &&
		    bt_filetab_size(c->layout->files, i) > 0)
			bt_layout_mark_file(c->layout, i, &c->explained);
	for (uint32_t i = 0; i < c->layout->files->n && !c->stopped; i++)
		if (is_final(c, i))
			tell_file(c, i);
}

void
check_on_piece(struct check *c, uint32_t piece, bool good)
{
	const struct bt_layout *l = c->layout;
	uint64_t from = bt_layout_offset(l, piece, 0);
	uint64_t to = from + bt_layout_piece_size(l, piece);
	uint32_t i = bt_filetab_find(l->files, from);

	if (!good)
		bt_bits_put(&c->bad, piece);
	for (; i < l->files->n && l->files->at[i].offset < to; i++) {
		if (bt_filetab_size(l->files, i) == 0)
			continue;
		c->left[i]--;
		if (is_final(c, i))
			tell_file(c, i);
	}
}

static size_t
count_faulty(const struct check *c)
{
	size_t n = 0;

	for (uint32_t i = 0; i < c->layout->files->n; i++)
		n += is_checked(c, i) && c->verdicts[i] != WHOLE;
	return n;
}

/* "3-5,9": the pieces that are not good, counted from 0 as in BEP 3. */
static void
print_bad_pieces(const struct check *c, struct bt_out *o)
{
	uint32_t from, to, n = c->layout->pieces;
	const char *comma = "";

	bt_out_printf(o, o->tty ? "%-15s " : "%s\t", "bad_pieces");
	from = bt_bits_next(&c->bad, 0);
	for (; from < n; from = bt_bits_next(&c->bad, to)) {
		to = bt_bits_next_clear(&c->bad, from);
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

	for (uint32_t i = 0; i < c->layout->files->n; i++)
		if (is_checked(c, i) && c->verdicts[i] != WHOLE)
			bt_out_field(o, names[c->verdicts[i]],
			    bt_filetab_get(c->layout->files, i).path);
	if (c->bad.set > 0)
		print_bad_pieces(c, o);
	bt_out_field_num(o, "pieces", c->layout->pieces);
	bt_out_field_num(o, "good_pieces", c->good.set);
	bt_out_field(o, "whole", whole ? STR("yes") : STR("no"));
}

/* What is not told yet, and the sum of it. */
static void
print_json(struct check *c, bool whole)
{
	struct bt_json j;

	for (uint32_t i = 0; i < c->layout->files->n; i++)
		if (!c->stopped || c->verdicts[i] != WHOLE)
			tell_file(c, i);
	bt_json_event(&j, &c->cli->out, "done");
	bt_json_str(&j, "name", c->in->meta.name);
	info_json_hashes(c->in, &j);
	bt_json_bool(&j, "whole", whole);
	bt_json_int(&j, "pieces", c->layout->pieces);
	bt_json_int(&j, "good_pieces", c->good.set);
	json_bad_pieces(c, &j, 0, c->layout->pieces);
	bt_json_end(&j);
}

int
check_report(struct check *c, const char *path, struct bt_err *err)
{
	uint32_t p = 0, n = c->layout->pieces, bad;
	size_t faulty;
	bool whole;

	/* on stdin, pieces that did not come were never told of */
	for (; !c->stopped && (p = bt_bits_next_clear(&c->good, p)) < n; p++)
		bt_bits_put(&c->bad, p);
	for (uint32_t i = 0; i < c->layout->files->n; i++)
		settle(c, i);
	bad = c->bad.set;
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
