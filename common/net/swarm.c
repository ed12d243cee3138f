#include "net/client_priv.h"

#include <assert.h>

#include "base/mem.h"
#include "net/coin.h"

#define PEERS_DEFAULT 200u /* one torrent's connections */
#define DIALS_MAX 30u	   /* under way at once: some home routers' limit */
#define CROWD 16u	   /* torrents of which the next announces apart */

static void on_tick(void *arg);
static void on_peers(void *arg, const struct bt_addr *a, size_t n);
static void on_announcer_stopped(void *arg);
static void figures(void *arg, struct bt_announcer_figures *out);

static struct bt_torrent *
torrent_new(struct bt_swarm *s, const struct bt_swarm_conf *conf)
{
	struct bt_client *c = s->client;
	struct bt_torrent_conf tc = { .layout = conf->layout,
		.seed = bt_coin_u64(),
		.memory = conf->memory,
		.peers_max = conf->peers_max,
		.dials_max = DIALS_MAX,
		.slots = conf->slots,
		.up_limit_bps =
		    conf->up_bps != 0 ? conf->up_bps : c->conf.up_bps,
		.port = bt_tcp_listen_port(c->listener),
		.client = "bt-tools 0.1.0",
		.log = c->conf.log };
	struct bt_torrent *t;

	tc.down_limit_bps = c->conf.down_bps;
	if (conf->down_bps != 0 &&
	    (tc.down_limit_bps == 0 || conf->down_bps < tc.down_limit_bps))
		tc.down_limit_bps = conf->down_bps;
	if (tc.peers_max == 0)
		tc.peers_max = PEERS_DEFAULT;
	for (size_t i = 0; i < sizeof(tc.peer_id); i++)
		tc.peer_id[i] = s->peer_id[i];
	t = bt_torrent_new(&tc, bt_loop_now(c->conf.loop));
	if (conf->want != NULL)
		bt_torrent_set_wanted(t, conf->want);
	if (conf->have != NULL)
		bt_torrent_set_have(t, conf->have);
	bt_torrent_set_sequential(t, conf->sequential);
	return t;
}

static struct bt_announcer *
announcer_new(struct bt_swarm *s)
{
	struct bt_announcer_conf ac = { .asker = s->client->asker,
		.loop = s->client->conf.loop,
		.port = bt_tcp_listen_port(s->client->listener),
		.crowd = bt_htab_count(s->client->swarms) >= CROWD,
		.log = s->client->conf.log,
		.figures = figures,
		.on_peers = on_peers,
		.on_stopped = on_announcer_stopped,
		.arg = s };

	for (size_t i = 0; i < 20; i++) {
		ac.info_hash[i] = s->layout->info_hash[i];
		ac.peer_id[i] = s->peer_id[i];
	}
	return bt_announcer_new(&ac);
}

struct bt_swarm *
bt_client_add(struct bt_client *c, const struct bt_swarm_conf *conf)
{
	struct bt_swarm *s = bt_mem_zero(1, sizeof(*s)), *was;
	int64_t now = bt_loop_now(c->conf.loop);

	s->client = c;
	s->layout = conf->layout;
	s->files = conf->files;
	s->told = conf->told;
	s->finish = conf->finish;
	TAILQ_INIT(&s->senders);
	bt_bucket_init(&s->up, conf->up_bps, now);
	bt_bucket_init(&s->down, conf->down_bps, now);
	bt_coin_peer_id(s->peer_id);
	s->tick = bt_loop_timer_new(c->conf.loop, on_tick, s);
	s->torrent = torrent_new(s, conf);
	s->announcer = announcer_new(s);
	was = bt_htab_put(c->swarms, s->layout->info_hash, s);
	assert(was == NULL);
	return s;
}

void
bt_swarm_free(struct bt_swarm *s)
{
	if (s == NULL)
		return;
	assert(s->jobs == 0);
	assert(!s->draining);
	for (uint32_t i = 0; i < s->nconns; i++)
		if (s->conns[i] != NULL)
			bt_conn_free(s->conns[i]);
	bt_htab_del(s->client->swarms, s->layout->info_hash);
	bt_announcer_free(s->announcer);
	bt_torrent_free(s->torrent);
	bt_loop_timer_free(s->tick);
	bt_mem_free(s->conns);
	bt_mem_free(s);
}

bool
bt_swarm_tracker(struct bt_swarm *s, struct bt_str url, uint32_t tier)
{
	return bt_announcer_add(s->announcer, url, tier);
}

void
bt_swarm_peers(struct bt_swarm *s, const struct bt_addr *a, size_t n)
{
	bt_torrent_add_peers(
	    s->torrent, a, n, true, bt_loop_now(s->client->conf.loop));
	if (s->is_running)
		bt_swarm_step(s);
}

void
bt_swarm_start(struct bt_swarm *s)
{
	s->is_running = true;
	bt_announcer_start(s->announcer);
	bt_loop_timer_in(s->tick, 0);
}

static bool
is_over(const struct bt_swarm *s)
{
	return s->stopping && s->jobs == 0 && s->announcer_ended &&
	       !s->told_stopped;
}

static void
tell_if_stopped(struct bt_swarm *s)
{
	if (!is_over(s))
		return;
	s->told_stopped = true;
	if (s->told.stopped != NULL)
		s->told.stopped(s->told.arg);
}

void
bt_swarm_stop(struct bt_swarm *s)
{
	if (s->stopping)
		return;
	s->stopping = true;
	s->is_running = false;
	s->announcer_ended = bt_announcer_stop(s->announcer);
	bt_torrent_stop(s->torrent, bt_loop_now(s->client->conf.loop));
	/* The timer's step obeys the closes; we may be within a callback. */
	bt_loop_timer_in(s->tick, 0);
}

struct bt_conn *
bt_swarm_conn(const struct bt_swarm *s, uint64_t slot)
{
	uint32_t i = (uint32_t)slot;

	if (i >= s->nconns || s->conns[i] == NULL || s->conns[i]->slot != slot)
		return NULL;
	return s->conns[i];
}

void
bt_swarm_link(struct bt_swarm *s, struct bt_conn *conn)
{
	uint32_t i = (uint32_t)conn->slot, n = s->nconns;

	if (i >= n) {
		n = n == 0 ? 16 : n * 2;
		if (n <= i)
			n = i + 1;
		s->conns = bt_mem_resize(s->conns, n, sizeof(*s->conns));
		while (s->nconns < n)
			s->conns[s->nconns++] = NULL;
	}
	assert(s->conns[i] == NULL);
	s->conns[i] = conn;
	conn->swarm = s;
}

static void
fail(struct bt_swarm *s, const struct bt_err *err)
{
	if (s->failed)
		return;
	s->failed = true;
	s->told.failed(s->told.arg, err);
}

static void
put_job(struct bt_swarm *s, enum bt_job_kind kind, const struct bt_effect *fx)
{
	struct bt_job *job = bt_job_new(kind, s->files, s->layout);

	job->disk = fx->job;
	job->arg = s;
	s->jobs++;
	bt_pool_put(s->client->pool, &job->pool);
}

void
bt_swarm_sync(struct bt_swarm *s)
{
	struct bt_job *job = bt_job_new(BT_JOB_SYNC, s->files, s->layout);

	job->arg = s;
	s->jobs++;
	bt_pool_put(s->client->pool, &job->pool);
}

void
bt_swarm_on_job(struct bt_swarm *s, struct bt_job *job)
{
	struct bt_disk_result r;

	s->jobs--;
	if (job->kind == BT_JOB_READ) {
		bt_send_on_cold(s, job);
	} else if (job->kind == BT_JOB_SYNC) {
		s->told.synced(s->told.arg,
		    job->status == BT_DISK_ERROR ? &job->err : NULL);
		bt_job_free(job);
	} else {
		r = bt_job_result(job);
		if (job->status == BT_DISK_ERROR)
			fail(s, &job->err);
		bt_torrent_on_disk(
		    s->torrent, &r, bt_loop_now(s->client->conf.loop));
		bt_job_free(job);
	}
}

static void
finish_file(struct bt_swarm *s, const struct bt_effect *fx)
{
	struct bt_err err = BT_ERR_INIT;

	if (s->finish && bt_files_finish(s->files, fx->index, &err) == -1) {
		fail(s, &err);
		return;
	}
	s->told.effect(s->told.arg, fx);
}

static void
close_conn(struct bt_swarm *s, const struct bt_effect *fx)
{
	struct bt_conn *conn = bt_swarm_conn(s, fx->slot);
	char text[BT_ADDR_TEXT_MAX];

	if (conn == NULL)
		return;
	bt_log_put(s->client->conf.log, BT_LOG_INFO, "closed %s: %s",
	    bt_addr_text(&conn->addr, text), fx->why);
	bt_conn_free(conn);
}

static void
obey(struct bt_swarm *s, const struct bt_effect *fx)
{
	struct bt_conn *conn;

	switch (fx->kind) {
	case BT_FX_CONNECT:
		bt_conn_dial(s, fx->slot, &fx->addr);
		break;
	case BT_FX_CLOSE:
		close_conn(s, fx);
		s->told.effect(s->told.arg, fx);
		break;
	case BT_FX_SEND:
		conn = bt_swarm_conn(s, fx->slot);
		if (conn != NULL && !conn->wants_send) {
			conn->wants_send = true;
			TAILQ_INSERT_TAIL(&s->senders, conn, sender);
		}
		break;
	case BT_FX_STORE:
		put_job(s, BT_JOB_STORE, fx);
		break;
	case BT_FX_WRITE:
		put_job(s, BT_JOB_WRITE, fx);
		break;
	case BT_FX_VERIFY:
		put_job(s, BT_JOB_VERIFY, fx);
		break;
	case BT_FX_ANNOUNCE:
		bt_announcer_want_peers(s->announcer);
		break;
	case BT_FX_FILE:
		finish_file(s, fx);
		break;
	case BT_FX_DONE:
		if (bt_torrent_stats(
			s->torrent, bt_loop_now(s->client->conf.loop))
			.size_left == 0)
			bt_announcer_completed(s->announcer);
		s->told.effect(s->told.arg, fx);
		break;
	case BT_FX_PEER:
	case BT_FX_PIECE:
	case BT_FX_BAN:
		s->told.effect(s->told.arg, fx);
		break;
	}
}

/*
 * Effects first, then those who have something to send, then time; each may
 * bring more of the others, so on until the core is quiet. Called from within
 * (a callback of ours) it leaves the work to the call that is under way.
 */
void
bt_swarm_step(struct bt_swarm *s)
{
	struct bt_client *c = s->client;
	struct bt_effect fx;
	struct bt_conn *conn;
	int64_t when;

	if (s->draining)
		return;
	s->draining = true;
	for (;;) {
		while (bt_torrent_next_effect(s->torrent, &fx))
			obey(s, &fx);
		conn = TAILQ_FIRST(&s->senders);
		if (conn != NULL) {
			TAILQ_REMOVE(&s->senders, conn, sender);
			conn->wants_send = false;
			bt_send_run(conn);
			continue;
		}
		when = bt_torrent_tick(s->torrent, bt_loop_now(c->conf.loop));
		if (!bt_torrent_next_effect(s->torrent, &fx))
			break;
		obey(s, &fx);
	}
	s->draining = false;
	if (is_over(s))
		bt_loop_timer_in(s->tick, 0);
	else if (when == BT_NEVER)
		bt_loop_timer_off(s->tick);
	else
		bt_loop_timer_at(s->tick, when);
	if (c->nup > 0)
		bt_send_pump(c);
}

static void
on_tick(void *arg)
{
	struct bt_swarm *s = arg;

	bt_swarm_step(s);
	tell_if_stopped(s);
}

static void
on_peers(void *arg, const struct bt_addr *a, size_t n)
{
	struct bt_swarm *s = arg;

	bt_torrent_add_peers(
	    s->torrent, a, n, false, bt_loop_now(s->client->conf.loop));
	bt_swarm_step(s);
}

static void
on_announcer_stopped(void *arg)
{
	struct bt_swarm *s = arg;

	s->announcer_ended = true;
	bt_loop_timer_in(s->tick, 0);
}

static void
figures(void *arg, struct bt_announcer_figures *out)
{
	struct bt_swarm *s = arg;
	struct bt_torrent_stats st =
	    bt_torrent_stats(s->torrent, bt_loop_now(s->client->conf.loop));

	out->uploaded = st.up;
	out->downloaded = st.down;
	out->left = st.size_left;
	out->peers_suffice = st.dialable > 2 * PEERS_DEFAULT;
}

struct bt_torrent_stats
bt_swarm_stats(struct bt_swarm *s)
{
	return bt_torrent_stats(s->torrent, bt_loop_now(s->client->conf.loop));
}

const struct bt_bits *
bt_swarm_have(const struct bt_swarm *s)
{
	return bt_torrent_have(s->torrent);
}

bool
bt_swarm_is_needed(const struct bt_swarm *s)
{
	return bt_torrent_is_needed(s->torrent);
}

void
bt_swarm_horizon(struct bt_swarm *s, uint32_t limit)
{
	bt_torrent_set_horizon(s->torrent, limit);
	bt_swarm_step(s);
}

void
bt_swarm_trackers(const struct bt_swarm *s, struct bt_announcer_state *out)
{
	bt_announcer_state(s->announcer, out);
}
