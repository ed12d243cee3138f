#include "session/member.h"

#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "cli/signal.h"
#include "disk/verify.h"
#include "session/session.h"

static void
keep_trackers(struct bt_member *m, const struct bt_meta *meta)
{
	m->ntrackers = meta->ntrackers;
	m->trackers = bt_mem_array(m->ntrackers, sizeof(*m->trackers));
	for (uint32_t i = 0; i < m->ntrackers; i++)
		m->trackers[i] = (struct bt_member_tracker){
			bt_str_dup(meta->trackers[i].url),
			meta->trackers[i].tier
		};
}

static void
drop_trackers(struct bt_member *m)
{
	for (uint32_t i = 0; i < m->ntrackers; i++)
		bt_mem_free(m->trackers[i].url);
	bt_mem_free(m->trackers);
	m->trackers = NULL;
	m->ntrackers = 0;
}

int
bt_member_read(struct bt_member *m, struct bt_input *in, struct bt_err *err)
{
	struct bt_buf bytes = { .p = NULL };
	struct bt_meta meta;
	int rc;

	rc = bt_input_torrent(in, m->operand, &bytes, err);
	if (rc == 0 && bt_meta_parse(bt_buf_str(&bytes), &meta, err) == -1)
		rc = bt_err_prefix(err, "cannot read '%s'", m->operand);
	if (rc == 0 && !meta.has_v1) {
		bt_meta_fini(&meta);
		rc = bt_err_set(err, BT_EINPUT,
		    "cannot transfer '%s': it is a v2-only torrent, and only "
		    "v1 and hybrid ones are transferred",
		    m->operand);
	}
	if (rc == 0) {
		m->layout = bt_layout_new(&meta);
		bt_bits_init(&m->have, m->layout->pieces);
		keep_trackers(m, &meta);
		bt_meta_fini(&meta);
	}
	bt_buf_fini(&bytes);
	return rc;
}

void
bt_member_fini(struct bt_member *m)
{
	bt_files_close(m->files);
	bt_bits_fini(&m->have);
	bt_layout_free(m->layout);
	drop_trackers(m);
}

struct checking {
	struct bt_member *m;
	const char *what;
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
	c->done += bt_layout_piece_size(c->m->layout, piece);
	bt_progress_draw(
	    &c->m->session->cli->bar, now_us(), c->done, c->total, c->what);
	return bt_signal_caught() == 0;
}

int
bt_member_verify(struct bt_member *m, const struct bt_bits *which,
    const char *what, struct bt_bits *good, struct bt_err *err)
{
	struct checking c = { .m = m, .what = what, .total = m->layout->size };
	struct bt_verify_progress progress = { on_checked, &c };
	int rc;

	if (which != NULL) {
		c.total = 0;
		for (uint32_t i = bt_bits_next(which, 0); i < which->n;
		     i = bt_bits_next(which, i + 1))
			c.total += bt_layout_piece_size(m->layout, i);
	}
	rc = bt_verify_run(m->files, m->layout, which, 0, &progress, good, err);
	bt_progress_clear(&m->session->cli->bar);
	return rc;
}

static void
on_effect(void *arg, const struct bt_effect *fx)
{
	struct bt_member *m = arg;

	m->session->ops->effect(m, fx);
}

static void
on_failed(void *arg, const struct bt_err *err)
{
	bt_member_stop(arg, err);
}

static void
on_stopped(void *arg)
{
	struct bt_member *m = arg;

	m->state = BT_MEMBER_ENDED;
	bt_session_on_ended(m->session, m);
}

/* One that was given before is no fault: the torrent may have it too. */
static void
add_trackers(struct bt_member *m)
{
	const struct bt_netopts *o = m->session->net;
	uint32_t tier = 0;

	if (o->no_tracker)
		return;
	for (size_t i = 0; i < o->ntrackers; i++)
		bt_swarm_tracker(m->swarm, bt_str_of(o->trackers[i]), tier++);
	for (uint32_t i = 0; i < m->ntrackers; i++)
		bt_swarm_tracker(m->swarm, bt_str_of(m->trackers[i].url),
		    tier + m->trackers[i].tier);
}

void
bt_member_join(
    struct bt_member *m, struct bt_client *c, const struct bt_swarm_conf *sc)
{
	const struct bt_netopts *o = m->session->net;
	struct bt_swarm_conf conf = *sc;

	conf.layout = m->layout;
	conf.files = m->files;
	conf.have = &m->have;
	conf.memory = o->memory;
	conf.slots = o->slots;
	conf.down_bps = o->down_each_bps;
	conf.up_bps = o->up_each_bps;
	if (o->peers_max != 0)
		conf.peers_max = o->peers_max;
	conf.told =
	    (struct bt_swarm_told){ on_effect, on_failed, on_stopped, m };
	m->swarm = bt_client_add(c, &conf);
	add_trackers(m);
	drop_trackers(m);
	bt_swarm_peers(m->swarm, o->peers, o->npeers);
	m->state = BT_MEMBER_RUNNING;
	bt_swarm_start(m->swarm);
}

void
bt_member_stop(struct bt_member *m, const struct bt_err *err)
{
	if (err != NULL)
		bt_session_fail(m->session, m, err);
	if (m->state != BT_MEMBER_RUNNING)
		return;
	m->state = BT_MEMBER_STOPPING;
	bt_swarm_stop(m->swarm);
}

void
bt_member_event(const struct bt_member *m, struct bt_json *j, const char *event)
{
	char hex[41];

	bt_json_event(j, &m->session->cli->out, event);
	bt_str_hex((struct bt_str){ m->layout->info_hash, 20 }, hex);
	bt_json_cstr(j, "info_hash", hex);
}
