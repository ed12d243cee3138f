#include "seed.h"

#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "cli/json.h"
#include "cli/signal.h"
#include "disk/verify.h"

struct checking {
	struct seed *s;
	uint64_t done; /* bytes */
	uint32_t bad, first_bad;
};

static void
begin(struct bt_json *j, const struct seed *s, const char *event)
{
	char hex[41];

	bt_json_event(j, &s->conf->cli->out, event);
	bt_str_hex((struct bt_str){ s->layout->info_hash, 20 }, hex);
	bt_json_cstr(j, "info_hash", hex);
}

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

	if (!good && (c->bad++ == 0 || piece < c->first_bad))
		c->first_bad = piece;
	c->done += bt_layout_piece_size(c->s->layout, piece);
	bt_progress_draw(&c->s->conf->cli->bar, now_us(), c->done,
	    c->s->layout->size, "checking");
	return bt_signal_caught() == 0;
}

/* The first file that is not there as the torrent says explains most. */
static int
check_sizes(struct seed *s, struct bt_err *err)
{
	struct bt_files_stat st;
	char *path;
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < s->layout->nfiles; i++) {
		const struct bt_layout_file *f = &s->layout->files[i];

		if (f->attr & BT_META_PAD)
			continue;
		if (bt_files_stat(s->files, i, &st, err) == -1)
			return -1;
		if (st.state == BT_FILE_FINAL && st.size == f->size)
			continue;
		path = bt_files_path(s->files, i);
		if (st.state != BT_FILE_FINAL)
			rc = bt_err_set(err,
			    s->layout->single ? BT_EFILE : BT_EMISMATCH,
			    "'%s' is missing", path);
		else
			rc = bt_err_set(err, BT_EMISMATCH,
			    "'%s' has %llu bytes and the torrent says %llu",
			    path, (unsigned long long)st.size,
			    (unsigned long long)f->size);
		bt_mem_free(path);
	}
	return rc;
}

static int
check(struct seed *s, struct bt_err *err)
{
	struct checking c = { .s = s };
	struct bt_verify_progress progress = { on_checked, &c };
	int rc;

	if (check_sizes(s, err) == -1)
		return -1;
	if (s->conf->no_check) {
		bt_bits_fill(&s->have, true);
		return 0;
	}
	rc = bt_verify_run(
	    s->files, s->layout, NULL, 0, &progress, &s->have, err);
	bt_progress_clear(&s->conf->cli->bar);
	if (rc == 0 && !bt_bits_is_full(&s->have))
		rc = bt_err_set(err, BT_EMISMATCH,
		    "content of '%s' does not match the torrent: %u of %u "
		    "pieces are wrong, the first is %u",
		    s->layout->name, c.bad, s->layout->pieces, c.first_bad + 1);
	return rc;
}

int
seed_open(struct seed *s, struct bt_input *in, const char *operand,
    struct bt_err *err)
{
	const struct seed_conf *conf = s->conf;
	struct bt_files_conf fc = { .mode = BT_FILES_READ };

	if (bt_input_torrent(in, operand, &s->bytes, err) == -1)
		return -1;
	if (bt_meta_parse(bt_buf_str(&s->bytes), &s->meta, err) == -1)
		return bt_err_prefix(err, "cannot read '%s'", operand);
	s->layout = bt_layout_new(&s->meta);
	bt_bits_init(&s->have, s->layout->pieces);
	fc.layout = s->layout;
	fc.root = conf->dir == NULL ? "." : conf->dir;
	fc.content = conf->path;
	if (bt_files_open(&s->files, &fc, err) == -1)
		return -1;
	return check(s, err);
}

void
seed_free(struct seed *s)
{
	if (s->swarm != NULL)
		bt_swarm_free(s->swarm);
	bt_files_close(s->files);
	bt_bits_fini(&s->have);
	bt_layout_free(s->layout);
	bt_meta_fini(&s->meta);
	bt_buf_fini(&s->bytes);
}

static void
on_effect(void *arg, const struct bt_effect *fx)
{
	struct seed *s = arg;
	struct bt_json j;
	char text[BT_ADDR_TEXT_MAX];

	if (fx->kind != BT_FX_PEER || !s->conf->cli->json)
		return;
	begin(&j, s, "peer");
	bt_json_cstr(&j, "address", bt_addr_text(&fx->addr, text));
	bt_json_cstr(&j, "state", "connected");
	bt_json_end(&j);
}

static void
on_failed(void *arg, const struct bt_err *err)
{
	seed_stop(arg, err);
}

static void
say_end(struct seed *s)
{
	struct bt_torrent_stats st = bt_swarm_stats(s->swarm);
	struct bt_json j;

	begin(&j, s, "done");
	bt_json_int(&j, "up", (int64_t)st.up);
	bt_json_end(&j);
}

static void
on_stopped(void *arg)
{
	struct seed *s = arg;

	if (s->conf->cli->json)
		say_end(s);
	s->state = SEED_ENDED;
	s->ended(s->arg, s);
}

static void
say_ready(struct seed *s, struct bt_client *c)
{
	struct bt_cli *cli = s->conf->cli;
	struct bt_addr a = bt_client_addr(c);
	struct bt_json j;
	char text[BT_ADDR_TEXT_MAX], hex[41];

	bt_addr_text(&a, text);
	if (cli->json) {
		begin(&j, s, "ready");
		bt_json_cstr(&j, "name", s->layout->name);
		bt_json_cstr(&j, "address", text);
		bt_json_end(&j);
		return;
	}
	bt_str_hex((struct bt_str){ s->layout->info_hash, 20 }, hex);
	bt_out_printf(&cli->out, "ready\t%s\t%s\n", hex, text);
	bt_out_flush(&cli->out);
}

static void
add_trackers(struct seed *s)
{
	uint32_t tier = 0;

	if (s->conf->no_tracker)
		return;
	for (size_t i = 0; i < s->conf->ntrackers; i++)
		if (!bt_swarm_tracker(
			s->swarm, bt_str_of(s->conf->trackers[i]), tier++))
			bt_cli_warn(s->conf->cli,
			    "tracker '%s' is not used: it is given twice or "
			    "is not an http, https or udp URL",
			    s->conf->trackers[i]);
	for (uint32_t i = 0; i < s->meta.ntrackers; i++)
		bt_swarm_tracker(s->swarm, s->meta.trackers[i].url,
		    tier + s->meta.trackers[i].tier);
}

void
seed_start(struct seed *s, struct bt_client *c)
{
	struct bt_swarm_conf sc = { .layout = s->layout,
		.files = s->files,
		.have = &s->have,
		.memory = s->conf->memory,
		.peers_max = s->conf->peers_max,
		.slots = s->conf->slots,
		.up_bps = s->conf->up_bps,
		.told = { on_effect, on_failed, on_stopped, s } };

	s->swarm = bt_client_add(c, &sc);
	add_trackers(s);
	bt_swarm_peers(s->swarm, s->conf->peers, s->conf->npeers);
	s->state = SEED_RUNNING;
	bt_swarm_start(s->swarm);
	say_ready(s, c);
}

void
seed_stop(struct seed *s, const struct bt_err *err)
{
	struct bt_json j;

	if (err != NULL) {
		bt_cli_fail(s->conf->cli, err);
		if (s->conf->cli->json) {
			begin(&j, s, "error");
			bt_json_err(&j, err);
			bt_json_end(&j);
		}
	}
	if (s->state != SEED_RUNNING)
		return;
	s->state = SEED_STOPPING;
	bt_swarm_stop(s->swarm);
}

void
seed_tick(struct seed *s, int64_t now)
{
	const struct seed_conf *conf = s->conf;
	struct bt_torrent_stats st;

	if (s->state != SEED_RUNNING)
		return;
	st = bt_swarm_stats(s->swarm);
	if (s->begun == 0)
		s->begun = s->busy_at = now;
	if (st.up != s->up) {
		s->up = st.up;
		s->busy_at = now;
	}
	if ((conf->until_us != 0 &&
		(uint64_t)(now - s->begun) >= conf->until_us) ||
	    (conf->idle_us != 0 &&
		(uint64_t)(now - s->busy_at) >= conf->idle_us) ||
	    (conf->until_ratio != 0 && st.up > 0 &&
		(double)st.up * 1000 >=
		    (double)s->layout->size * (double)conf->until_ratio))
		seed_stop(s, NULL);
}
