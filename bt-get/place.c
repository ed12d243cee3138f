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
#include "cli/signal.h"
#include "disk/verify.h"
#include "get.h"

#include <time.h>

struct checking {
	struct get *g;
	uint64_t done, total; /* bytes */
};

static uint64_t
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static bool
on_checked(void *arg, uint32_t piece, bool good)
{
	struct checking *c = arg;

	(void)good;
	c->done += bt_layout_piece_size(c->g->layout, piece);
	bt_progress_draw(&c->g->conf->cli->bar, now_us(), c->done, c->total,
	    "checking what is there");
	return bt_signal_caught() == 0;
}

static int
hash_there(struct get *g, const struct bt_bits *check, struct bt_err *err)
{
	struct checking c = { .g = g };
	struct bt_verify_progress progress = { on_checked, &c };
	struct bt_bits good;
	uint32_t i;
	int rc;

	for (i = bt_bits_next(check, 0); i < check->n;
	     i = bt_bits_next(check, i + 1))
		c.total += bt_layout_piece_size(g->layout, i);
	bt_bits_init(&good, g->layout->pieces);
	rc =
	    bt_verify_run(g->files, g->layout, check, 0, &progress, &good, err);
	for (i = bt_bits_next(&good, 0); i < good.n;
	     i = bt_bits_next(&good, i + 1))
		bt_bits_put(&g->have, i);
	bt_bits_fini(&good);
	bt_progress_clear(&g->conf->cli->bar);
	return rc;
}

/* Are all files that hold bytes of this piece there? */
static bool
can_judge(struct get *g, uint32_t piece, const bool *there)
{
	struct bt_layout_walk w = { .offset =
					bt_layout_offset(g->layout, piece, 0),
		.left = bt_layout_piece_size(g->layout, piece) };
	struct bt_layout_span s;

	while (bt_layout_next_span(g->layout, &w, &s))
		if (!there[s.file] &&
		    !(g->layout->files[s.file].attr & BT_META_PAD))
			return false;
	return true;
}

static bool
has_file(const struct get *g, uint32_t file)
{
	const struct bt_layout_file *f = &g->layout->files[file];

	if (f->size == 0)
		return true;
	return bt_bits_next_clear(&g->have, f->first) > f->last;
}

/* Rules 1 and 3 for a final file that is not whole. */
static int
judge(struct get *g, uint32_t file, const struct bt_files_stat *st,
    const bool *there, struct bt_err *err)
{
	const struct bt_layout_file *f = &g->layout->files[file];
	bool wrong = st->size != f->size;
	char *path;

	for (uint32_t i = f->first; !wrong && i <= f->last; i++)
		wrong = !bt_bits_has(&g->have, i) && can_judge(g, i, there);
	if (!wrong)
		return 0;
	if (g->conf->force)
		return bt_files_adopt(g->files, file, err);
	path = bt_files_path(g->files, file);
	bt_err_set(err, BT_EFILE,
	    "'%s' exists with other content (-f adopts it)", path);
	bt_mem_free(path);
	return -1;
}

static int
judge_all(struct get *g, struct bt_err *err)
{
	uint32_t n = g->layout->nfiles;
	struct bt_files_stat *st = bt_mem_zero(n, sizeof(*st));
	bool *there = bt_mem_zero(n, sizeof(*there));
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < n; i++) {
		rc = bt_files_stat(g->files, i, &st[i], err);
		there[i] = rc == 0 && st[i].state == BT_FILE_FINAL;
	}
	for (uint32_t i = 0; rc == 0 && i < n; i++) {
		if (st[i].state != BT_FILE_FINAL ||
		    !bt_bits_has(&g->selected, i) ||
		    (has_file(g, i) && st[i].size == g->layout->files[i].size))
			continue;
		rc = judge(g, i, &st[i], there, err);
	}
	bt_mem_free(st);
	bt_mem_free(there);
	return rc;
}

void
place_print(struct get *g, uint32_t file)
{
	struct bt_cli *cli = g->conf->cli;
	char *path;

	if (!bt_bits_has(&g->selected, file) || !bt_bits_put(&g->told, file))
		return;
	if (cli->json) {
		events_file(g, file);
		return;
	}
	if (g->stream != NULL)
		return;
	path = bt_files_path(g->files, file);
	if (g->conf->nul)
		bt_out_raw(&cli->out, (struct bt_str){ (const uint8_t *)path,
					  bt_str_of(path).n + 1 });
	else {
		bt_out_name(&cli->out, bt_str_of(path));
		bt_out_printf(&cli->out, "\n");
	}
	bt_out_flush(&cli->out);
	bt_mem_free(path);
}

/* A file that became whole just before a kill still has its .part name. */
static int
finish_whole(struct get *g, struct bt_err *err)
{
	for (uint32_t i = 0; i < g->layout->nfiles; i++) {
		if (!bt_bits_has(&g->selected, i) || !has_file(g, i))
			continue;
		if (bt_files_finish(g->files, i, err) == -1)
			return -1;
		place_print(g, i);
	}
	return 0;
}

int
place_check(struct get *g, struct bt_err *err)
{
	struct bt_bits check;
	int rc = 0;

	bt_bits_init(&check, g->layout->pieces);
	if (g->resume != NULL)
		rc = bt_resume_load(g->resume, g->files, &g->have, &check, err);
	if (rc == 0 && check.set > 0)
		rc = hash_there(g, &check, err);
	if (rc == 0 && g->resume != NULL)
		rc = judge_all(g, err);
	if (rc == 0)
		rc = bt_files_make_empty(g->files, err);
	if (rc == 0)
		rc = finish_whole(g, err);
	bt_bits_fini(&check);
	return rc;
}
