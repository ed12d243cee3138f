/*
 * The announce: who has it, ADDR:PORT a line, leaving no trace.
 *
 * A tracker is asked over one family after the other, and told `stopped` before
 * the next: so it does not tell us of ourselves.
 */
#include <string.h>

#include "base/htab.h"
#include "base/mem.h"
#include "cli/json.h"
#include "cli/signal.h"
#include "net/coin.h"
#include "net/dns.h"
#include "scrape.h"

#define STOP_US (3 * BT_LOOP_SECOND) /* cli.md */
/* a family that is silent keeps the other one waiting so long */
#define TURN_US (2 * BT_LOOP_SECOND)
#define PEER_KEY 19 /* family, address, port */

enum step { WAITING, ASKED, STOPPING, OVER };

struct leg {
	struct talk *talk;
	uint8_t family;
	enum step step;
	struct bt_asker_question *question;
};

struct talk { /* about one torrent with one tracker */
	struct announce *owner;
	struct talk *next;
	const struct torrent *torrent;
	const char *url;
	struct leg legs[2];
	struct bt_loop_timer *turn;
	char *trackerid; /* or NULL */
	bool answered, told;
	struct bt_err err;
};

struct name { /* a peer whose address is looked up */
	struct announce *owner;
	struct name *next;
	struct bt_dns_query *query;
};

struct announce {
	struct job *job;
	struct bt_loop *loop;
	struct bt_asker *asker;
	uint8_t peer_id[20];
	uint32_t key;
	struct talk *talks;
	struct name *names;
	size_t looked_up; /* names that are not resolved yet */
	struct bt_htab *seen;
	struct bt_loop_timer *timer; /* the end of waiting */
	bool ending;
	bool unread; /* nobody reads what we print */
};

static void go_on(struct talk *t);
static void end_asking(struct announce *a);

static void
print_peers(struct announce *a, const struct bt_addr *peers, size_t n)
{
	struct bt_out *o = &a->job->cli.out;
	char text[BT_ADDR_TEXT_MAX];
	uint8_t key[PEER_KEY] = { 0 };

	for (size_t i = 0; i < n; i++) {
		key[0] = peers[i].family;
		bt_addr_pack(&peers[i], key + 1);
		if (bt_htab_put(a->seen, key, a) == NULL)
			bt_out_printf(o, "%s\n", bt_addr_text(&peers[i], text));
		memset(key, 0, sizeof(key));
	}
	if (bt_out_flush(o) == -1)
		a->unread = true;
}

static void
count_or_null(struct bt_json *j, const char *key, int64_t v)
{
	if (v < 0)
		bt_json_null(j, key);
	else
		bt_json_int(j, key, v);
}

static void
print_json(struct announce *a, const struct leg *leg,
    const struct bt_announce_reply *r)
{
	struct bt_out *o = &a->job->cli.out;
	char hex[41], text[BT_ADDR_TEXT_MAX];
	struct bt_json j;

	bt_str_hex((struct bt_str){ leg->talk->torrent->info_hash, 20 }, hex);
	bt_json_begin(&j, o);
	bt_json_cstr(&j, "info_hash", hex);
	bt_json_cstr(&j, "tracker", leg->talk->url);
	bt_json_int(&j, "family", leg->family);
	bt_json_int(&j, "interval", r->interval);
	bt_json_int(&j, "min_interval", r->min_interval);
	count_or_null(&j, "seeders", r->complete);
	count_or_null(&j, "leechers", r->incomplete);
	if (r->external.family == 0)
		bt_json_null(&j, "external_ip");
	else
		bt_json_cstr(
		    &j, "external_ip", bt_addr_ip_text(&r->external, text));
	if (r->warning.n == 0)
		bt_json_null(&j, "warning");
	else
		bt_json_str(&j, "warning", r->warning);
	bt_json_open(&j, "peers", '[');
	for (uint32_t i = 0; i < r->npeers; i++)
		bt_json_cstr(&j, NULL, bt_addr_text(&r->peers[i], text));
	bt_json_close(&j);
	if (bt_json_end(&j) == -1)
		a->unread = true;
}

/* All is said and done. */
static bool
is_over(const struct announce *a)
{
	if (a->looked_up > 0)
		return false;
	for (const struct talk *t = a->talks; t != NULL; t = t->next)
		if (t->legs[0].step != OVER || t->legs[1].step != OVER)
			return false;
	return true;
}

static void
stop_if_over(struct announce *a)
{
	if (is_over(a))
		bt_loop_stop(a->loop);
}

static void
on_name(void *arg, const struct bt_addr *addrs, size_t n, const char *why)
{
	struct name *name = arg;
	struct announce *a = name->owner;

	(void)why;
	name->query = NULL;
	a->looked_up--;
	print_peers(a, addrs, n);
	if (a->unread && !a->ending)
		end_asking(a);
	stop_if_over(a);
}

static void
look_up(struct announce *a, const struct bt_peer_name *peer)
{
	struct name *name;

	name = bt_mem_zero(1, sizeof(*name));
	name->owner = a;
	name->next = a->names;
	a->names = name;
	a->looked_up++;
	name->query = bt_dns_resolve(
	    bt_asker_dns(a->asker), peer->host, peer->port, 0, on_name, name);
}

static void
on_peers(struct leg *leg, const struct bt_announce_reply *r)
{
	struct talk *t = leg->talk;
	struct announce *a = t->owner;

	a->job->answers++;
	t->answered = true;
	if (r->trackerid.n > 0) {
		bt_mem_free(t->trackerid);
		t->trackerid = bt_str_dup(r->trackerid);
	}
	if (a->job->cli.json) {
		print_json(a, leg, r);
		return;
	}
	if (r->warning.n > 0)
		bt_log_put(&a->job->cli.log, BT_LOG_WARN,
		    "tracker '%s' warns: %.*s", t->url, (int)r->warning.n,
		    (const char *)r->warning.p);
	print_peers(a, r->peers, r->npeers);
	for (uint32_t i = 0; i < r->nnames; i++)
		look_up(a, &r->names[i]);
}

static void on_answer(
    void *arg, const struct bt_announce_reply *r, const struct bt_err *err);

/* -1 with err for a URL that cannot be asked. */
static int
ask(struct leg *leg, enum bt_event event, struct bt_err *err)
{
	struct talk *t = leg->talk;
	struct announce *a = t->owner;
	const struct job *job = a->job;
	struct bt_announce q = { .port = job->port,
		.left = job->has_left ? job->left : t->torrent->size,
		.event = event,
		.key = a->key,
		.has_key = true,
		.numwant = event == BT_EVENT_STOPPED ? 0 : job->numwant,
		.compact = true };

	memcpy(q.info_hash, t->torrent->info_hash, 20);
	memcpy(q.peer_id, a->peer_id, 20);
	if (t->trackerid != NULL)
		q.trackerid = bt_str_of(t->trackerid);
	leg->question = bt_asker_announce(
	    a->asker, t->url, leg->family, &q, on_answer, leg, err);
	return leg->question == NULL ? -1 : 0;
}

static void
leg_failed(struct leg *leg, const struct bt_err *err)
{
	struct talk *t = leg->talk;

	leg->step = OVER;
	/* of two reasons the first, unless it is a word of the tracker's */
	if (t->err.kind == BT_ENONE || err->kind == BT_EREFUSED)
		t->err = *err;
}

static void
on_answer(
    void *arg, const struct bt_announce_reply *r, const struct bt_err *err)
{
	struct leg *leg = arg;
	struct announce *a = leg->talk->owner;
	struct bt_err ignored = BT_ERR_INIT;

	leg->question = NULL;
	if (leg->step == STOPPING) {
		leg->step = OVER;
	} else if (err != NULL) {
		leg_failed(leg, err);
	} else {
		on_peers(leg, r);
		leg->step = OVER;
		if (!a->job->has_event &&
		    ask(leg, BT_EVENT_STOPPED, &ignored) == 0)
			leg->step = STOPPING;
	}
	if (a->unread && !a->ending)
		end_asking(a);
	else
		go_on(leg->talk);
}

static void
start(struct leg *leg)
{
	struct announce *a = leg->talk->owner;
	const char *url = leg->talk->url;
	struct bt_err err = BT_ERR_INIT;

	leg->step = ASKED;
	/* if neither family can be asked over, asking says why */
	if (!bt_asker_can(a->asker, url, leg->family) &&
	    bt_asker_can(a->asker, url, leg->family == 4 ? 6 : 4))
		leg->step = OVER;
	else if (ask(leg, a->job->has_event ? a->job->event : BT_EVENT_NONE,
		     &err) == -1)
		leg_failed(leg, &err);
}

/* The next family's turn, or the end of the talk. */
static void
go_on(struct talk *t)
{
	struct announce *a = t->owner;

	for (int i = 0; i < 2; i++) {
		if (t->legs[i].step == WAITING) {
			if (a->ending)
				t->legs[i].step = OVER;
			else
				start(&t->legs[i]);
		}
		if (t->legs[i].step != OVER) {
			bt_loop_timer_in(t->turn, TURN_US);
			return;
		}
	}
	bt_loop_timer_off(t->turn);
	if (!t->answered && !t->told && t->err.kind != BT_ENONE)
		scrape_failed(a->job, t->url, &t->err);
	t->told = true;
	stop_if_over(a);
}

/* The first family has been silent for a while: ask over both. */
static void
on_turn(void *arg)
{
	struct talk *t = arg;

	if (t->legs[1].step == WAITING && !t->owner->ending)
		start(&t->legs[1]);
	if (t->legs[0].step == OVER || t->legs[1].step == OVER)
		go_on(t);
}

/* Wait for no more answers; what was asked in vain has failed. */
static void
end_asking(struct announce *a)
{
	struct bt_err err = BT_ERR_INIT;

	a->ending = true;
	bt_loop_timer_in(a->timer, STOP_US);
	for (struct name *name = a->names; name != NULL; name = name->next) {
		bt_dns_cancel(name->query);
		name->query = NULL;
	}
	a->looked_up = 0;
	for (struct talk *t = a->talks; t != NULL; t = t->next) {
		bt_err_set(&err, BT_ETIMEOUT,
		    "cannot reach '%s': no answer within %d s", t->url,
		    (int)(a->job->timeout_us / BT_LOOP_SECOND));
		for (int i = 0; i < 2; i++) {
			if (t->legs[i].step != ASKED)
				continue;
			bt_asker_cancel(t->legs[i].question);
			t->legs[i].question = NULL;
			leg_failed(&t->legs[i], &err);
		}
		if (a->job->cli.signal != 0 || a->unread)
			t->told = true;
		go_on(t);
	}
}

static void
on_late(void *arg)
{
	struct announce *a = arg;

	if (a->ending)
		bt_loop_stop(a->loop);
	else
		end_asking(a);
}

static void
on_signal(void *arg, int signo)
{
	struct announce *a = arg;

	bt_signal_came(signo);
	a->job->cli.signal = signo;
	if (!a->ending)
		end_asking(a);
}

static void
add_talk(struct announce *a, const struct torrent *torrent, const char *url)
{
	struct talk *t;

	for (t = a->talks; t != NULL; t = t->next)
		if (strcmp(t->url, url) == 0 &&
		    memcmp(t->torrent->info_hash, torrent->info_hash, 20) == 0)
			return;
	t = bt_mem_zero(1, sizeof(*t));
	t->owner = a;
	t->torrent = torrent;
	t->url = url;
	t->turn = bt_loop_timer_new(a->loop, on_turn, t);
	for (int i = 0; i < 2; i++) {
		t->legs[i].talk = t;
		t->legs[i].family = i == 0 ? 4 : 6;
	}
	t->next = a->talks;
	a->talks = t;
}

static void
release(struct announce *a)
{
	struct talk *t;
	struct name *name;

	while ((t = a->talks) != NULL) {
		a->talks = t->next;
		bt_asker_cancel(t->legs[0].question);
		bt_asker_cancel(t->legs[1].question);
		bt_loop_timer_free(t->turn);
		bt_mem_free(t->trackerid);
		bt_mem_free(t);
	}
	while ((name = a->names) != NULL) {
		a->names = name->next;
		bt_dns_cancel(name->query);
		bt_mem_free(name);
	}
	bt_htab_free(a->seen);
	bt_loop_timer_free(a->timer);
	bt_asker_free(a->asker);
	bt_loop_free(a->loop);
}

static void
on_begin(void *arg)
{
	struct announce *a = arg;

	bt_loop_timer_in(a->timer, a->job->timeout_us);
	for (struct talk *t = a->talks; t != NULL; t = t->next)
		go_on(t);
	stop_if_over(a);
}

void
scrape_announce(struct job *job)
{
	struct announce a = { .job = job, .key = bt_coin_u32() };
	struct bt_err err = BT_ERR_INIT;
	struct bt_loop_timer *begin;
	uint8_t sip[16];
	const char *url;

	if (bt_loop_new(&a.loop, &err) == -1) {
		bt_cli_fail(&job->cli, &err);
		return;
	}
	bt_loop_on_signal(a.loop, on_signal, &a);
	bt_coin_peer_id(a.peer_id);
	bt_coin_fill(sip, sizeof(sip));
	a.seen = bt_htab_new(PEER_KEY, sip);
	job->net.loop = a.loop;
	a.asker = bt_asker_new(&job->net);
	a.timer = bt_loop_timer_new(a.loop, on_late, &a);
	for (size_t i = 0; i < job->ntorrents; i++)
		for (size_t n = 0;
		     (url = scrape_tracker(job, &job->torrents[i], n)) != NULL;
		     n++)
			add_talk(&a, &job->torrents[i], url);
	begin = bt_loop_timer_new(a.loop, on_begin, &a);
	bt_loop_timer_in(begin, 0);
	bt_loop_run(a.loop);
	bt_loop_timer_free(begin);
	release(&a);
}
