/*
 * place - what of a torrent is on disk already, before the network is asked.
 *
 * 1. A file under its final name is the user's. If its bytes are right it counts
 *    as downloaded; if not, it is an error and untouched, unless -f adopts it.
 * 2. What the state vouches for is believed; what is there besides is hashed.
 * 3. A piece that lies also in files that are not there cannot be judged, so it
 *    does not speak against a file.
 */
#include "base/mem.h"
#include "get.h"

static int
hash_there(struct get *g, const struct bt_bits *check, struct bt_err *err)
{
	struct bt_bits good;
	uint32_t i;
	int rc;

	bt_bits_init(&good, g->m.layout->pieces);
	rc = bt_member_verify(
	    &g->m, check, "checking what is there", &good, err);
	for (i = bt_bits_next(&good, 0); i < good.n;
	     i = bt_bits_next(&good, i + 1))
		bt_bits_put(&g->m.have, i);
	bt_bits_fini(&good);
	return rc;
}

/* What is asked of a final file that is not whole. */
struct trial {
	struct bt_bits there; /* final files */
	struct bt_bits odd;   /* those of another size */
	uint32_t piece;	      /* asked about last; files that share it follow */
	bool can_judge;	      /* what the answer was */
};

static bool
are_all_there(const struct get *g, uint32_t piece, const struct bt_bits *there)
{
	struct bt_layout_walk w = { .offset =
					bt_layout_offset(g->m.layout, piece, 0),
		.left = bt_layout_piece_size(g->m.layout, piece) };
	struct bt_layout_span s;

	while (bt_layout_next_span(g->m.layout, &w, &s))
		if (!bt_bits_has(there, s.file) &&
		    !(g->m.layout->files->at[s.file].attr & BT_META_PAD))
			return false;
	return true;
}

static bool
has_file(const struct get *g, uint32_t file)
{
	const struct bt_layout *l = g->m.layout;
	uint32_t end;

	if (bt_filetab_size(l->files, file) == 0)
		return true;
	end = bt_layout_last(l, file) + 1;
	return bt_bits_next_clear_until(
		   &g->m.have, bt_layout_first(l, file), end) == end;
}

/* Are all files that hold bytes of this piece there? */
static bool
can_judge(const struct get *g, struct trial *t, uint32_t piece)
{
	if (t->piece != piece) {
		t->piece = piece;
		t->can_judge = are_all_there(g, piece, &t->there);
	}
	return t->can_judge;
}

/* Rules 1 and 3 for a final file that is not whole. */
static int
judge(struct get *g, struct trial *t, uint32_t file, struct bt_err *err)
{
	const struct bt_layout *l = g->m.layout;
	bool wrong = bt_bits_has(&t->odd, file);
	uint32_t i, last;
	char *path;

	if (!wrong) {
		last = bt_layout_last(l, file);
		for (i = bt_layout_first(l, file); !wrong && i <= last; i++)
			wrong =
			    !bt_bits_has(&g->m.have, i) && can_judge(g, t, i);
	}
	if (!wrong)
		return 0;
	if (g->conf->force)
		return bt_files_adopt(g->m.files, file, err);
	path = bt_files_path(g->m.files, file);
	bt_err_set(err, BT_EFILE,
	    "'%s' exists with other content (-f adopts it)", path);
	bt_mem_free(path);
	return -1;
}

/* Of a million files that nobody chose none is judged. */
static bool
matters(const struct get *g, uint32_t file)
{
	const struct bt_layout *l = g->m.layout;

	return bt_bits_has(&g->selected, file) ||
	       (bt_filetab_size(l->files, file) > 0 &&
		   (bt_bits_has(&g->want, bt_layout_first(l, file)) ||
		       bt_bits_has(&g->want, bt_layout_last(l, file))));
}

static int
judge_all(struct get *g, struct bt_err *err)
{
	const struct bt_filetab *files = g->m.layout->files;
	struct trial t = { .piece = UINT32_MAX };
	struct bt_files_stat st;
	uint32_t i;
	int rc = 0;

	bt_bits_init(&t.there, files->n);
	bt_bits_init(&t.odd, files->n);
	for (i = 0; rc == 0 && i < files->n; i++) {
		if (!matters(g, i))
			continue;
		rc = bt_files_stat(g->m.files, i, &st, err);
		if (rc == -1 || st.state != BT_FILE_FINAL)
			continue;
		bt_bits_put(&t.there, i);
		if (st.size != bt_filetab_size(files, i))
			bt_bits_put(&t.odd, i);
	}
	for (i = bt_bits_next(&t.there, 0); rc == 0 && i < t.there.n;
	     i = bt_bits_next(&t.there, i + 1))
		if (bt_bits_has(&g->selected, i) &&
		    (bt_bits_has(&t.odd, i) || !has_file(g, i)))
			rc = judge(g, &t, i, err);
	bt_bits_fini(&t.odd);
	bt_bits_fini(&t.there);
	return rc;
}

void
place_print(struct get *g, uint32_t file)
{
	struct bt_out *out = &g->conf->cli->out;
	char *path;

	if (!bt_bits_has(&g->selected, file) || !bt_bits_put(&g->told, file))
		return;
	if (g->conf->cli->json) {
		events_file(g, file);
		return;
	}
	if (g->stream != NULL)
		return;
	path = bt_files_path(g->m.files, file);
	if (g->conf->nul)
		bt_out_raw(out, (struct bt_str){ (const uint8_t *)path,
				    bt_str_of(path).n + 1 });
	else {
		bt_out_name(out, bt_str_of(path));
		bt_out_printf(out, "\n");
	}
	bt_out_flush(out);
	bt_mem_free(path);
}

void
place_print_all(struct get *g)
{
	for (uint32_t i = 0; i < g->m.layout->files->n; i++)
		if (has_file(g, i))
			place_print(g, i);
}

/* A file that became whole just before a kill still has its .part name. */
static int
finish_whole(struct get *g, struct bt_err *err)
{
	for (uint32_t i = 0; i < g->m.layout->files->n; i++) {
		if (!bt_bits_has(&g->selected, i) || !has_file(g, i))
			continue;
		if (bt_files_finish(g->m.files, i, err) == -1)
			return -1;
	}
	return 0;
}

int
place_check(struct get *g, struct bt_err *err)
{
	struct bt_bits check;
	int rc = 0;

	bt_bits_init(&check, g->m.layout->pieces);
	if (g->resume != NULL)
		rc = bt_resume_load(
		    g->resume, g->m.files, &g->m.have, &check, err);
	if (rc == 0 && check.set > 0)
		rc = hash_there(g, &check, err);
	if (rc == 0 && g->resume != NULL)
		rc = judge_all(g, err);
	if (rc == 0)
		rc = bt_files_make_empty(g->m.files, err);
	if (rc == 0)
		rc = finish_whole(g, err);
	bt_bits_fini(&check);
	return rc;
}
