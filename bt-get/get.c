#include "get.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define SAVE_US (5 * BT_LOOP_SECOND)
#define SYNC_US (30 * BT_LOOP_SECOND)	  /* what a power cut may cost */
#define LONELY_US (60 * BT_LOOP_SECOND)	  /* cli.md: once a minute */
#define STAY_US (60 * BT_LOOP_SECOND)	  /* for those who need us */
#define STAY_IDLE_US (5 * BT_LOOP_SECOND) /* and take nothing */
#define SEQUENTIAL_LEN (32u << 20)	  /* bytes that order may lag */

static struct get *
get_of(struct bt_member *m)
{
	return (struct get *)(void *)m;
}

static bool
is_stream(const struct get_conf *conf)
{
	return conf->out != NULL && strcmp(conf->out, "-") == 0;
}

/* -o FILE: its folder holds the state. -o -: any folder that has room. */
char *
get_root(const struct get_conf *conf)
{
	const char *tmp;

	if (conf->out == NULL)
		return bt_mem_strdup(conf->dir == NULL ? "." : conf->dir);
	if (is_stream(conf)) {
		tmp = getenv("TMPDIR");
		return bt_mem_strdup(conf->dir != NULL ? conf->dir
				     : tmp != NULL     ? tmp
						       : "/var/tmp");
	}
	return bt_str_folder(conf->out);
}

static int
open_files(struct get *g, struct bt_err *err)
{
	struct bt_files_conf fc = { .layout = g->m.layout,
		.root = g->conf->root,
		.mode = BT_FILES_WRITE,
		.selected = &g->selected,
		.opened = g->m.session->opened };
	const char *out = g->conf->out;

	if (is_stream(g->conf))
		fc.anonymous = true;
	else if (out != NULL) {
		if (g->selected.set != 1)
			return bt_err_set(err, BT_EUSAGE,
			    "-o names one file and %u are wanted: choose one "
			    "with -s, or a folder with -d",
			    g->selected.set);
		fc.only_path = out;
		fc.only = bt_bits_next(&g->selected, 0);
	}
	return bt_files_open(&g->m.files, &fc, err);
}

/* What the files have of the disk over what is in them: of a try before. */
static uint64_t
reserved(const struct get *g, uint64_t have)
{
	struct bt_files_stat st;
	struct bt_err ignored = BT_ERR_INIT;
	uint64_t sum = 0;

	for (uint32_t i = 0; i < g->m.layout->files->n; i++)
		if (bt_bits_has(&g->selected, i) &&
		    bt_files_stat(g->m.files, i, &st, &ignored) == 0)
			sum += st.allocated;
	return sum > have ? sum - have : 0;
}

static int
check_space(const struct get *g, struct bt_err *err)
{
	uint64_t need = 0, have = 0, there;
	char a[BT_OUT_SIZE_LEN], b[BT_OUT_SIZE_LEN];

	for (uint32_t i = bt_bits_next(&g->want, 0); i < g->want.n;
	     i = bt_bits_next(&g->want, i + 1))
		*(bt_bits_has(&g->m.have, i) ? &have : &need) +=
		    bt_layout_piece_size(g->m.layout, i);
	if (need == 0)
		return 0;
	if (bt_files_space(g->m.files, &there, err) == -1)
		return -1;
	if (need > there && need - there > reserved(g, have))
		return bt_err_set(err, BT_EFILE,
		    "no space in '%s' for '%s': %s needed, %s free",
		    g->conf->root, g->m.layout->name, bt_out_size(a, need),
		    bt_out_size(b, there));
	return 0;
}

static int
begin_output(struct get *g, struct bt_err *err)
{
	const char *out = g->conf->out;

	if (is_stream(g->conf)) {
		g->stream = stream_new(g, err);
		return g->stream == NULL ? -1 : 0;
	}
	return bt_resume_open(&g->resume, g->conf->root, g->m.layout,
	    out == NULL ? NULL : bt_str_leaf(out), err);
}

int
get_open(struct bt_member *m, struct bt_err *err)
{
	struct get *g = get_of(m);

	g->conf = m->session->tool;
	bt_bits_init(&g->want, g->m.layout->pieces);
	bt_bits_init(&g->told, g->m.layout->files->n);
	if (select_files(g, err) == -1)
		return -1;
	for (uint32_t i = 0; i < g->m.layout->files->n; i++)
		if (bt_bits_has(&g->selected, i))
			bt_layout_mark_file(g->m.layout, i, &g->want);
	if (open_files(g, err) == -1)
		return -1;
	bt_sandbox_settle(&g->conf->box); /* the folder is there by now */
	if (begin_output(g, err) == -1 || place_check(g, err) == -1 ||
	    check_space(g, err) == -1)
		return -1;
	g->is_whole = !bt_bits_any_not_in(&g->want, &g->m.have);
	g->saved_pieces = g->m.have.set;
	if (!g->is_whole || g->conf->seed) {
		if (!g->conf->cli->json)
			place_print_all(g);
		return 0;
	}
	m->state = BT_MEMBER_ENDED;
	if (g->conf->cli->json)
		events_start(g, NULL);
	place_print_all(g);
	if (g->conf->cli->json)
		events_done(g);
	return 0;
}

void
get_join(struct bt_member *m, struct bt_client *c)
{
	struct get *g = get_of(m);
	struct bt_swarm_conf sc = { .want = &g->want,
		.finish = g->stream == NULL };

	if (g->conf->sequential || g->stream != NULL)
		sc.sequential = SEQUENTIAL_LEN / g->m.layout->piece_length + 4;
	if (g->conf->cli->json) {
		events_start(g, c);
		place_print_all(g);
	}
	bt_member_join(m, c, &sc);
	if (g->stream != NULL)
		stream_go_on(g->stream);
}

/* at_rest: all jobs have ended, so it is worth saying though nothing is new. */
static void
save(struct get *g, bool at_rest)
{
	const struct bt_bits *have = bt_swarm_have(g->m.swarm);
	struct bt_err err = BT_ERR_INIT;

	if (g->resume == NULL || (!at_rest && have->set == g->saved_pieces))
		return;
	if (bt_resume_save(g->resume, g->m.files, have, at_rest, &err) == 0) {
		g->saved_pieces = have->set;
		g->is_unsaved = false;
	} else if (!g->is_unsaved) {
		bt_cli_warn(g->conf->cli, "%s", err.text);
		g->is_unsaved = true;
	}
}

bool
get_is_done(const struct get *g)
{
	return g->is_whole && (g->stream == NULL || stream_is_done(g->stream));
}

bool
get_is_held(const struct get *g)
{
	return g->stream != NULL && stream_is_busy(g->stream);
}

void
get_leave_if_free(struct get *g)
{
	if (get_is_done(g) && !g->conf->seed && !bt_swarm_is_needed(g->m.swarm))
		bt_member_stop(&g->m, NULL);
}

/*
 * Leaving with the only copy of a piece would strand those who download beside
 * us: stay until they have it, as long as they take it, for a minute at most.
 */
static void
end_staying(struct get *g, const struct bt_torrent_stats *st, int64_t now)
{
	if (!get_is_done(g))
		return;
	if (g->whole_since == 0) {
		g->whole_since = g->taken_at = now;
		bt_log_put(&g->conf->cli->log, BT_LOG_INFO,
		    "'%s' is whole; staying while others need what only we "
		    "have",
		    g->m.layout->name);
	}
	if (st->up != g->taken) {
		g->taken = st->up;
		g->taken_at = now;
	}
	if (now - g->whole_since >= STAY_US ||
	    now - g->taken_at >= STAY_IDLE_US ||
	    !bt_swarm_is_needed(g->m.swarm))
		bt_member_stop(&g->m, NULL);
}

void
get_effect(struct bt_member *m, const struct bt_effect *fx)
{
	struct get *g = get_of(m);

	if (g->conf->cli->json)
		events_effect(g, fx);
	if (fx->kind == BT_FX_PIECE && g->stream != NULL &&
	    m->state == BT_MEMBER_RUNNING)
		stream_go_on(g->stream);
	else if (fx->kind == BT_FX_FILE)
		place_print(g, fx->index);
	else if (fx->kind == BT_FX_DONE) {
		g->is_whole = true;
		if (g->conf->cli->json)
			events_done(g);
		get_leave_if_free(g);
	}
}

/* A power cut takes what is not on the disk: not more than from one to the next. */
static void
sync_some(struct get *g, int64_t now)
{
	const struct bt_bits *have = bt_swarm_have(g->m.swarm);
	struct bt_err err = BT_ERR_INIT;

	if (g->synced_at == 0)
		g->synced_at = now;
	if (g->resume == NULL || g->is_syncing || g->is_whole ||
	    have->set == g->synced_pieces || now - g->synced_at < SYNC_US)
		return;
	g->synced_at = now;
	if (bt_resume_sync_begin(g->resume, g->m.files, have, &err) == -1)
		return; /* a save will say it */
	g->synced_pieces = have->set;
	g->is_syncing = true;
	bt_swarm_sync(g->m.swarm);
}

void
get_synced(struct bt_member *m, const struct bt_err *err)
{
	struct get *g = get_of(m);

	g->is_syncing = false;
	bt_resume_sync_end(g->resume, err == NULL);
	if (err != NULL)
		bt_member_stop(m, err);
	else
		g->saved_pieces = 0; /* the next save is to tell of it */
}

/* With the clean mark: whatever happens to the machine, all of it is believed. */
void
get_ended(struct bt_member *m)
{
	struct get *g = get_of(m);
	struct bt_err err = BT_ERR_INIT;

	if (g->resume != NULL && !g->is_whole &&
	    bt_files_sync(m->files, &err) == -1)
		bt_cli_warn(g->conf->cli, "%s", err.text);
	save(g, true);
}

static void
end_seeding(struct get *g, const struct bt_torrent_stats *st, int64_t now)
{
	const struct get_conf *conf = g->conf;

	if (g->whole_since == 0)
		g->whole_since = now;
	if (conf->seed_us != 0 &&
	    (uint64_t)(now - g->whole_since) >= conf->seed_us)
		bt_member_stop(&g->m, NULL);
	else if (conf->seed_ratio != 0 &&
		 (double)st->up * 1000 >=
		     (double)st->size_wanted * (double)conf->seed_ratio)
		bt_member_stop(&g->m, NULL);
}

static void
say_lonely(struct get *g, const struct bt_torrent_stats *st, int64_t now)
{
	struct bt_announcer_state as;

	if (st->peers > 0 || g->lonely_since == 0) {
		g->lonely_since = now;
		return;
	}
	if (now - g->lonely_since < LONELY_US)
		return;
	g->lonely_since = now;
	bt_swarm_trackers(g->m.swarm, &as);
	bt_cli_warn(g->conf->cli,
	    "nobody is there for '%s' (%u trackers known); still trying",
	    g->m.layout->name, as.trackers);
}

void
get_tick(struct bt_member *m, const struct bt_torrent_stats *st, int64_t now)
{
	struct get *g = get_of(m);

	if (g->saved_at == 0 || now - g->saved_at >= SAVE_US) {
		g->saved_at = now;
		save(g, false);
	}
	sync_some(g, now);
	if (g->is_whole && g->conf->seed)
		end_seeding(g, st, now);
	else if (g->is_whole)
		end_staying(g, st, now);
	else
		say_lonely(g, st, now);
}

bool
get_fini(struct bt_member *m)
{
	struct get *g = get_of(m);

	/* A write that nobody reads still uses the files; it ends with us. */
	if (g->stream != NULL && stream_is_busy(g->stream))
		return false;
	stream_free(g->stream);
	if (g->is_whole && g->m.files != NULL) {
		bt_files_drop_side(g->m.files);
		if (g->resume != NULL)
			bt_resume_remove(g->resume);
	}
	bt_resume_close(g->resume);
	bt_bits_fini(&g->want);
	bt_bits_fini(&g->told);
	bt_bits_fini(&g->selected);
	return true;
}
