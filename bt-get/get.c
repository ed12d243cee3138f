#include "get.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define SAVE_US (5 * BT_LOOP_SECOND)
#define LONELY_US (60 * BT_LOOP_SECOND)	  /* cli.md: once a minute */
#define STAY_US (60 * BT_LOOP_SECOND)	  /* for those who need us */
#define STAY_IDLE_US (5 * BT_LOOP_SECOND) /* and take nothing */
#define SEQUENTIAL_LEN (32u << 20)	  /* bytes that order may lag */

static void on_effect(void *arg, const struct bt_effect *fx);
static void on_failed(void *arg, const struct bt_err *err);
static void on_stopped(void *arg);

/* -o FILE: its folder holds the state. -o -: any folder that has room. */
static void
choose_root(struct get *g)
{
	const struct get_conf *conf = g->conf;
	const char *slash, *tmp;

	if (conf->out == NULL)
		g->root = bt_mem_strdup(conf->dir == NULL ? "." : conf->dir);
	else if (strcmp(conf->out, "-") == 0) {
		tmp = getenv("TMPDIR");
		g->root = bt_mem_strdup(conf->dir != NULL ? conf->dir
					: tmp != NULL	  ? tmp
							  : "/var/tmp");
	} else if ((slash = strrchr(conf->out, '/')) == NULL)
		g->root = bt_mem_strdup(".");
	else
		g->root =
		    bt_str_dup((struct bt_str){ (const uint8_t *)conf->out,
			slash == conf->out ? 1 : (size_t)(slash - conf->out) });
}

static int
open_files(struct get *g, struct bt_err *err)
{
	struct bt_files_conf fc = { .layout = g->layout,
		.root = g->root,
		.mode = BT_FILES_WRITE,
		.selected = &g->selected };
	const char *out = g->conf->out;

	if (out != NULL && strcmp(out, "-") == 0)
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
	return bt_files_open(&g->files, &fc, err);
}

static int
check_space(const struct get *g, struct bt_err *err)
{
	uint64_t need = 0, there;
	char a[BT_OUT_SIZE_LEN], b[BT_OUT_SIZE_LEN];

	for (uint32_t i = bt_bits_next(&g->want, 0); i < g->want.n;
	     i = bt_bits_next(&g->want, i + 1))
		if (!bt_bits_has(&g->have, i))
			need += bt_layout_piece_size(g->layout, i);
	if (need == 0)
		return 0;
	if (bt_files_space(g->files, &there, err) == -1)
		return -1;
	if (need > there)
		return bt_err_set(err, BT_EFILE,
		    "no space in '%s' for '%s': %s needed, %s free", g->root,
		    g->layout->name, bt_out_size(a, need),
		    bt_out_size(b, there));
	return 0;
}

int
get_open(
    struct get *g, struct bt_input *in, const char *operand, struct bt_err *err)
{
	if (bt_input_torrent(in, operand, &g->bytes, err) == -1)
		return -1;
	if (bt_meta_parse(bt_buf_str(&g->bytes), &g->meta, err) == -1)
		return bt_err_prefix(err, "cannot read '%s'", operand);
	g->layout = bt_layout_new(&g->meta);
	bt_bits_init(&g->have, g->layout->pieces);
	bt_bits_init(&g->want, g->layout->pieces);
	bt_bits_init(&g->told, g->layout->nfiles);
	if (select_files(g, err) == -1)
		return -1;
	for (uint32_t i = 0; i < g->layout->nfiles; i++)
		if (bt_bits_has(&g->selected, i))
			bt_layout_mark_file(g->layout, i, &g->want);
	choose_root(g);
	if (open_files(g, err) == -1)
		return -1;
	if (g->conf->out == NULL || strcmp(g->conf->out, "-") != 0) {
		if (bt_resume_open(&g->resume, g->root, g->layout, err) == -1)
			return -1;
	} else
		g->stream = stream_new(g);
	if (place_check(g, err) == -1 || check_space(g, err) == -1)
		return -1;
	g->is_whole = !bt_bits_any_not_in(&g->want, &g->have);
	g->saved_pieces = g->have.set;
	return 0;
}

bool
get_needs_network(const struct get *g)
{
	return !g->is_whole || g->conf->seed;
}

static void
add_trackers(struct get *g)
{
	uint32_t tier = 0;

	if (g->conf->no_tracker)
		return;
	for (size_t i = 0; i < g->conf->ntrackers; i++)
		if (!bt_swarm_tracker(
			g->swarm, bt_str_of(g->conf->trackers[i]), tier++))
			bt_cli_warn(g->conf->cli,
			    "tracker '%s' is not used: it is given twice or "
			    "is not an http, https or udp URL",
			    g->conf->trackers[i]);
	for (uint32_t i = 0; i < g->meta.ntrackers; i++)
		bt_swarm_tracker(g->swarm, g->meta.trackers[i].url,
		    tier + g->meta.trackers[i].tier);
}

void
get_start(struct get *g, struct bt_client *c)
{
	const struct get_conf *conf = g->conf;
	struct bt_swarm_conf sc = { .layout = g->layout,
		.files = g->files,
		.have = &g->have,
		.want = &g->want,
		.memory = conf->memory,
		.peers_max = conf->peers_max,
		.slots = conf->slots,
		.down_bps = conf->down_bps,
		.up_bps = conf->up_bps,
		.finish = g->stream == NULL,
		.told = { on_effect, on_failed, on_stopped, g } };

	if (conf->sequential || g->stream != NULL)
		sc.sequential = SEQUENTIAL_LEN / g->layout->piece_length + 4;
	g->swarm = bt_client_add(c, &sc);
	add_trackers(g);
	bt_swarm_peers(g->swarm, conf->peers, conf->npeers);
	g->state = GET_RUNNING;
	if (conf->cli->json)
		events_start(g, c);
	if (g->stream != NULL)
		stream_go_on(g->stream);
	bt_swarm_start(g->swarm);
}

static void
save(struct get *g)
{
	const struct bt_bits *have = bt_swarm_have(g->swarm);
	struct bt_err err = BT_ERR_INIT;

	if (g->resume == NULL || have->set == g->saved_pieces)
		return;
	if (bt_resume_save(g->resume, g->files, have, &err) == -1)
		bt_cli_warn(g->conf->cli, "%s", err.text);
	g->saved_pieces = have->set;
}

void
get_stop(struct get *g, const struct bt_err *err)
{
	if (err != NULL) {
		bt_cli_fail(g->conf->cli, err);
		if (g->conf->cli->json)
			events_error(g, err);
	}
	if (g->state != GET_RUNNING)
		return;
	g->state = GET_STOPPING;
	bt_swarm_stop(g->swarm);
}

static void
on_done(struct get *g)
{
	g->is_whole = true;
	if (g->conf->cli->json)
		events_done(g);
	if (!g->conf->seed &&
	    (g->stream == NULL || stream_is_done(g->stream)) &&
	    !bt_swarm_is_needed(g->swarm))
		get_stop(g, NULL);
}

/*
 * Leaving with the only copy of a piece would strand those who download beside
 * us: stay until they have it, as long as they take it, for a minute at most.
 */
static void
end_staying(struct get *g, const struct bt_torrent_stats *st, int64_t now)
{
	if (g->stream != NULL && !stream_is_done(g->stream))
		return;
	if (g->whole_since == 0) {
		g->whole_since = g->taken_at = now;
		bt_log_put(&g->conf->cli->log, BT_LOG_INFO,
		    "'%s' is whole; staying while others need what only we "
		    "have",
		    g->layout->name);
	}
	if (st->up != g->taken) {
		g->taken = st->up;
		g->taken_at = now;
	}
	if (now - g->whole_since >= STAY_US ||
	    now - g->taken_at >= STAY_IDLE_US || !bt_swarm_is_needed(g->swarm))
		get_stop(g, NULL);
}

static void
on_effect(void *arg, const struct bt_effect *fx)
{
	struct get *g = arg;

	if (g->conf->cli->json)
		events_effect(g, fx);
	if (fx->kind == BT_FX_PIECE && g->stream != NULL &&
	    g->state == GET_RUNNING)
		stream_go_on(g->stream);
	else if (fx->kind == BT_FX_FILE)
		place_print(g, fx->index);
	else if (fx->kind == BT_FX_DONE)
		on_done(g);
}

static void
on_failed(void *arg, const struct bt_err *err)
{
	get_stop(arg, err);
}

static void
on_stopped(void *arg)
{
	struct get *g = arg;

	save(g);
	g->state = GET_ENDED;
	g->ended(g->arg, g);
}

static void
end_seeding(struct get *g, const struct bt_torrent_stats *st, int64_t now)
{
	const struct get_conf *conf = g->conf;

	if (g->whole_since == 0)
		g->whole_since = now;
	if (conf->seed_us != 0 &&
	    (uint64_t)(now - g->whole_since) >= conf->seed_us)
		get_stop(g, NULL);
	else if (conf->seed_ratio != 0 &&
		 (double)st->up * 1000 >=
		     (double)st->size_wanted * (double)conf->seed_ratio)
		get_stop(g, NULL);
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
	bt_swarm_trackers(g->swarm, &as);
	bt_cli_warn(g->conf->cli,
	    "nobody is there for '%s' (%u trackers known); still trying",
	    g->layout->name, as.trackers);
}

void
get_tick(struct get *g, int64_t now)
{
	struct bt_torrent_stats st;

	if (g->state != GET_RUNNING)
		return;
	st = bt_swarm_stats(g->swarm);
	if (g->saved_at == 0 || now - g->saved_at >= SAVE_US) {
		g->saved_at = now;
		save(g);
	}
	if (g->is_whole && g->conf->seed)
		end_seeding(g, &st, now);
	else if (g->is_whole)
		end_staying(g, &st, now);
	else
		say_lonely(g, &st, now);
}

void
get_free(struct get *g)
{
	if (g->swarm != NULL)
		bt_swarm_free(g->swarm);
	/* A write that nobody reads still uses the files; both end with us. */
	if (g->stream != NULL && stream_is_busy(g->stream))
		return;
	stream_free(g->stream);
	if (g->is_whole && g->files != NULL) {
		bt_files_drop_side(g->files);
		if (g->resume != NULL)
			bt_resume_remove(g->resume);
	}
	if (g->resume != NULL)
		bt_resume_close(g->resume);
	bt_files_close(g->files);
	bt_bits_fini(&g->have);
	bt_bits_fini(&g->want);
	bt_bits_fini(&g->told);
	bt_bits_fini(&g->selected);
	bt_layout_free(g->layout);
	bt_meta_fini(&g->meta);
	bt_buf_fini(&g->bytes);
	bt_mem_free(g->root);
}
