#include "session/session.h"

#include "base/hash.h"
#include "base/htab.h"
#include "base/mem.h"
#include "cli/signal.h"
#include "disk/opened.h"
#include "disk/slurp.h"
#include "net/coin.h"

#define CONNS_DEFAULT 1000u /* of all torrents together */

void
bt_session_init(struct bt_session *s)
{
	bool v4 = bt_netopts_ipv4(s->net), v6 = bt_netopts_ipv6(s->net);

	s->fetch = (struct bt_fetch_conf){ .family = !v6   ? 4
						     : !v4 ? 6
							   : 0,
		.bind = s->net->bind,
		.insecure = s->net->insecure };
	s->in = (struct bt_input){
		.read = bt_slurp_fd, .fetch = bt_fetch_url, .arg = &s->fetch
	};
}

void
bt_session_fail(
    struct bt_session *s, const struct bt_member *m, const struct bt_err *err)
{
	struct bt_json j;

	bt_cli_fail(s->cli, err);
	if (!s->cli->json)
		return;
	if (m != NULL && m->layout != NULL)
		bt_member_event(m, &j, "error");
	else
		bt_json_event(&j, &s->cli->out, "error");
	bt_json_err(&j, err);
	bt_json_end(&j);
}

void
bt_session_stop(struct bt_session *s, const struct bt_err *err)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->members[i]->state != BT_MEMBER_RUNNING)
			continue;
		bt_member_stop(s->members[i], err);
		err = NULL;
	}
}

static void
on_signal(void *arg, int signo)
{
	struct bt_session *s = arg;

	bt_signal_came(signo);
	s->cli->signal = signo;
	bt_session_stop(s, NULL);
}

void
bt_session_on_ended(struct bt_session *s, struct bt_member *m)
{
	s->ops->ended(m);
	if (--s->running == 0)
		bt_loop_stop(s->loop);
}

static void
on_tick(void *arg)
{
	struct bt_session *s = arg;
	struct bt_session_sums sums = { .done = 0 };
	struct bt_torrent_stats st;
	int64_t now = bt_loop_now(s->loop);

	for (size_t i = 0; i < s->n; i++) {
		struct bt_member *m = s->members[i];

		if (m->state != BT_MEMBER_RUNNING)
			continue;
		st = bt_swarm_stats(m->swarm);
		sums.done += st.size_have;
		sums.total += st.size_wanted;
		sums.down += st.down;
		sums.up += st.up;
		sums.up_bps += st.up_bps;
		sums.peers += st.peers;
		s->ops->tick(m, &st, now);
	}
	s->ops->show(s, &sums, now);
	if (bt_out_flush(&s->cli->out) == -1)
		bt_session_stop(s, NULL); /* bt_cli_end() ends us as it must */
	bt_loop_timer_in(s->tick, s->ops->tick_us);
}

/* A swarm is known to its peers by its info-hash alone. */
static int
refuse_second(struct bt_htab *known, struct bt_member *m, struct bt_err *err)
{
	struct bt_member *other = bt_htab_get(known, m->layout->info_hash);

	if (other != NULL)
		return bt_err_set(err, BT_EUSAGE,
		    "'%s' is the torrent that '%s' is", m->operand,
		    other->operand);
	bt_htab_put(known, m->layout->info_hash, m);
	return 0;
}

static void
read_all(struct bt_session *s, char **operands)
{
	struct bt_err err = BT_ERR_INIT;
	struct bt_htab *known;
	uint8_t key[16];

	bt_coin_fill(key, sizeof(key));
	known = bt_htab_new(BT_SHA1_LEN, key);
	for (size_t i = 0; i < s->n; i++) {
		struct bt_member *m = bt_mem_zero(1, s->ops->member_size);

		m->session = s;
		m->operand = operands[i];
		s->members[i] = m;
	}
	for (size_t i = 0; i < s->n; i++) {
		struct bt_member *m = s->members[i];

		if (bt_member_read(m, &s->in, &err) == 0 &&
		    refuse_second(known, m, &err) == 0)
			continue;
		m->state = BT_MEMBER_ENDED;
		bt_session_fail(s, m, &err);
	}
	bt_htab_free(known);
}

/* Returns how many want the network. */
static size_t
open_all(struct bt_session *s)
{
	struct bt_err err = BT_ERR_INIT;
	size_t n = 0;

	bt_signal_catch();
	for (size_t i = 0; i < s->n && bt_signal_caught() == 0; i++) {
		struct bt_member *m = s->members[i];

		if (m->state == BT_MEMBER_ENDED)
			continue;
		if (s->ops->open(m, &err) == -1) {
			m->state = BT_MEMBER_ENDED;
			if (bt_signal_caught() == 0)
				bt_session_fail(s, m, &err);
		} else if (m->state == BT_MEMBER_IDLE)
			n++;
	}
	return n;
}

static int
begin_client(struct bt_session *s, struct bt_err *err)
{
	const struct bt_netopts *o = s->net;
	struct bt_client_conf conf = { .loop = s->loop,
		.ipv4 = bt_netopts_ipv4(o),
		.ipv6 = bt_netopts_ipv6(o),
		.bind = o->bind,
		.port = o->port,
		.or_any = o->or_any,
		.down_bps = o->down_bps,
		.up_bps = o->up_bps,
		.peers_max = o->peers_max != 0 ? o->peers_max : CONNS_DEFAULT,
		.insecure = o->insecure,
		.log = &s->cli->log };

	return bt_client_new(&s->client, &conf, err);
}

static void
run_loop(struct bt_session *s)
{
	s->begun = bt_loop_now(s->loop);
	s->tick = bt_loop_timer_new(s->loop, on_tick, s);
	for (size_t i = 0; i < s->n; i++) {
		if (s->members[i]->state == BT_MEMBER_ENDED)
			continue;
		s->running++;
		s->ops->join(s->members[i], s->client);
	}
	bt_loop_timer_in(s->tick, s->ops->tick_us);
	bt_loop_run(s->loop);
	bt_progress_clear(&s->cli->bar);
}

static void
free_all(struct bt_session *s)
{
	bool all = true;

	for (size_t i = 0; i < s->n; i++) {
		struct bt_member *m = s->members[i];

		if (m->swarm != NULL)
			bt_swarm_free(m->swarm);
		m->swarm = NULL;
		if (!s->ops->fini(m)) {
			all = false;
			continue;
		}
		bt_member_fini(m);
		bt_mem_free(m);
	}
	if (all)
		bt_opened_free(s->opened);
	bt_mem_free(s->members);
	bt_client_free(s->client);
	bt_loop_timer_free(s->tick);
	bt_loop_free(s->loop);
}

void
bt_session_run(struct bt_session *s, char **operands, size_t n)
{
	struct bt_err err = BT_ERR_INIT;
	size_t wanting;

	s->n = n;
	s->members = bt_mem_zero(n, sizeof(*s->members));
	s->opened = bt_opened_new(0);
	read_all(s, operands);
	/* before content takes the descriptors that it needs */
	if (bt_loop_new(&s->loop, &err) == -1) {
		bt_session_fail(s, NULL, &err);
		free_all(s);
		return;
	}
	wanting = open_all(s);
	if (wanting > 0 && bt_signal_caught() == 0) {
		if (begin_client(s, &err) == -1)
			bt_session_fail(s, NULL, &err);
		else {
			bt_loop_on_signal(s->loop, on_signal, s);
			if (bt_signal_caught() == 0)
				run_loop(s);
		}
	}
	if (s->cli->signal == 0)
		s->cli->signal = bt_signal_caught();
	free_all(s);
}
