#include "net/announcer.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "codec/url.h"
#include "net/coin.h"
#include "net/peernames.h"
#include "net/trackers.h"

#define PATIENCE_US (15 * BT_LOOP_SECOND) /* rule 1 */
/* Who has been silent for so long is not waited for when we end. */
#define PENDING_US (5 * BT_LOOP_SECOND)
#define INTERVAL_US (1800 * BT_LOOP_SECOND) /* where a tracker names none */
#define DAY_S 86400u		     /* more than that a tracker cannot mean */
#define STEP_US (5 * BT_LOOP_SECOND) /* rule 4 */
#define STEPS_MAX 8u
#define CONTENT_US (60 * BT_LOOP_SECOND) /* rule 4: then steps begin anew */
/*
 * Programs of one swarm are often begun together, the tracker among them: until
 * one has answered the trackers are tried again after 1, 2, 4, 8 s, which is
 * sooner than core/tiers would.
 */
#define EAGER_MAX 4u

enum phase { IDLE, RUNNING, STOPPING, STOPPED };

struct bt_announcer {
	struct bt_announcer_conf conf;
	uint32_t key;
	struct bt_trackers trackers;
	struct bt_peernames names;

	enum phase phase;
	struct bt_loop_timer *timer;	/* the next round; the end of a stop */
	struct bt_loop_timer *patience; /* with the current tracker */
	struct bt_loop_timer *urgent;	/* events that wait for no interval */
	struct bt_tracker *current;	/* whose answer decides this round */
	bool answered;			/* this round was */
	bool ever_answered;
	unsigned eager;
	bool was_incomplete, asked_figures;

	int64_t last, interval, min_interval, next;
	int64_t regular; /* wait from last to next, by rule 8; 0: not yet */
	bool wanted;
	unsigned step;
	int64_t seeds, leechers;
	struct bt_err *err; /* why the last one failed; NULL: none did yet */
	bool has_err;	    /* the current tracker failed over one family */
};

static void ask_next(struct bt_announcer *a);
static void stop_step(struct bt_announcer *a);
static void on_leg(
    void *arg, const struct bt_announce_reply *r, const struct bt_err *err);

static int64_t
now_of(const struct bt_announcer *a)
{
	return bt_loop_now(a->conf.loop);
}

/* A kilobyte that a torrent without trouble does not need. */
static void
note_err(struct bt_announcer *a, const struct bt_err *err)
{
	if (a->err == NULL)
		a->err = bt_mem_zero(1, sizeof(*a->err));
	*a->err = *err;
}

static bool
ask_leg(struct bt_tracker_leg *leg, enum bt_event event)
{
	struct bt_tracker *t = leg->tracker;
	struct bt_announcer *a = t->owner;
	struct bt_announcer_figures f = { 0 };
	struct bt_announce q = { .port = a->conf.port,
		.event = event,
		.key = a->key,
		.has_key = true,
		.compact = true };
	struct bt_err err = BT_ERR_INIT;

	a->conf.figures(a->conf.arg, &f);
	if (!a->asked_figures)
		a->was_incomplete = f.left > 0;
	a->asked_figures = true;
	if (f.peers_suffice)
		a->wanted = false;
	memcpy(q.info_hash, a->conf.info_hash, sizeof(q.info_hash));
	memcpy(q.peer_id, a->conf.peer_id, sizeof(q.peer_id));
	q.uploaded = f.uploaded;
	q.downloaded = f.downloaded;
	q.left = f.left;
	q.numwant = f.peers_suffice || event == BT_EVENT_STOPPED
			? 0
			: BT_ANNOUNCER_NUMWANT;
	if (t->trackerid != NULL)
		q.trackerid = bt_str_of(t->trackerid);
	leg->event = event;
	leg->question = bt_asker_announce(
	    a->conf.asker, t->url, leg->family, &q, on_leg, leg, &err);
	if (leg->question != NULL)
		return true;
	note_err(a, &err);
	bt_trackers_complain(t, a->conf.log, err.text);
	return false;
}

/* Ask over each family that is not being asked yet; how many were. */
static unsigned
ask_tracker(struct bt_tracker *t)
{
	struct bt_announcer *a = t->owner;
	unsigned asked = 0;

	for (int i = 0; i < 2; i++) {
		struct bt_tracker_leg *leg = &t->legs[i];

		if (leg->question == NULL &&
		    bt_asker_can(a->conf.asker, t->url, leg->family) &&
		    ask_leg(leg, bt_trackers_event(leg)))
			asked++;
	}
	return asked;
}

static void
set_next(struct bt_announcer *a, int64_t when)
{
	a->next = when;
	bt_loop_timer_at(a->timer, when);
}

/* Every tracker failed lately. */
static void
on_exhausted(struct bt_announcer *a, int64_t when)
{
	int64_t now = now_of(a);

	if (!a->ever_answered && a->eager < EAGER_MAX) {
		set_next(a, now + (BT_LOOP_SECOND << a->eager++));
		bt_trackers_forget(&a->trackers);
		return;
	}
	if (when < now + BT_LOOP_SECOND)
		when = now + BT_LOOP_SECOND;
	set_next(a, when);
}

/* Ask the next tracker that may be asked now. */
static void
ask_next(struct bt_announcer *a)
{
	int64_t now = now_of(a), when = now;
	struct bt_tracker *t;

	a->has_err = false;
	for (size_t i = 0; i <= a->trackers.n; i++) {
		t = bt_trackers_pick(&a->trackers, now, &when);
		if (t == NULL)
			break;
		if (t->hold <= now && ask_tracker(t) > 0) {
			a->current = t;
			bt_loop_timer_in(a->patience, PATIENCE_US);
			return;
		}
		/* held off, or still being tried */
		bt_trackers_failed(&a->trackers, t, now);
	}
	on_exhausted(a, when);
}

static void
begin_round(struct bt_announcer *a)
{
	a->answered = false;
	if (a->wanted && a->step < STEPS_MAX)
		a->step++;
	ask_next(a);
}

static void
pass_over(struct bt_tracker *t)
{
	struct bt_announcer *a = t->owner;

	bt_loop_timer_off(a->patience);
	a->current = NULL;
	bt_trackers_failed(&a->trackers, t, now_of(a));
	ask_next(a);
}

/* It may have waited for its turn, or does so still. */
static int64_t
patience_ends(const struct bt_tracker *t)
{
	int64_t first = INT64_MAX, since;

	for (int i = 0; i < 2; i++) {
		if (t->legs[i].question == NULL)
			continue;
		if (!bt_asker_is_asked(t->legs[i].question, &since))
			since = now_of(t->owner);
		if (since < first)
			first = since;
	}
	return first == INT64_MAX ? 0 : first + PATIENCE_US;
}

/* A tracker is silent: it is tried on, and the next one is asked. */
static void
on_patience(void *arg)
{
	struct bt_announcer *a = arg;
	struct bt_tracker *t = a->current;
	struct bt_err err = BT_ERR_INIT;
	int64_t end;

	if (t == NULL)
		return;
	end = patience_ends(t);
	if (end > now_of(a)) {
		bt_loop_timer_at(a->patience, end);
		return;
	}
	bt_err_set(&err, BT_ETIMEOUT,
	    "cannot reach '%s': no answer within 15 s", t->url);
	note_err(a, &err);
	bt_trackers_complain(t, a->conf.log, err.text);
	pass_over(t);
}

/*
 * Rule 8: what was begun together shall not come together for ever. The first
 * wait is cut by up to half, later ones by little.
 */
static int64_t
spread(struct bt_announcer *a, int64_t wait)
{
	int64_t least = wait - (a->regular != 0 ? wait / 16 : wait / 2);

	if (!a->conf.crowd)
		return wait;
	if (least < a->min_interval)
		least = a->min_interval;
	if (least < wait)
		wait -= (int64_t)(bt_coin_u64() % (uint64_t)(wait - least));
	return wait;
}

/* Rules 3 and 4: when to announce next. */
static void
schedule(struct bt_announcer *a)
{
	int64_t wait = a->regular, step = STEP_US << a->step;

	if (a->wanted && step < wait)
		wait = step > a->min_interval ? step : a->min_interval;
	set_next(a, a->last + wait);
}

void
bt_announcer_want_peers(struct bt_announcer *a)
{
	if (a->wanted || a->phase != RUNNING)
		return;
	a->wanted = true;
	if (!a->answered)
		return;
	if (now_of(a) - a->last > (STEP_US << a->step) + CONTENT_US)
		a->step = 0;
	schedule(a);
}

static void
on_named(void *arg, const struct bt_addr *addrs, size_t n)
{
	struct bt_announcer *a = arg;

	if (a->phase == RUNNING)
		a->conf.on_peers(a->conf.arg, addrs, n);
}

static int64_t
seconds_us(uint32_t seconds)
{
	return (seconds < DAY_S ? seconds : DAY_S) * BT_LOOP_SECOND;
}

/* What a good answer says of times and of the swarm. */
static void
note_answer(struct bt_tracker_leg *leg, const struct bt_announce_reply *r)
{
	struct bt_tracker *t = leg->tracker;
	struct bt_announcer *a = t->owner;
	bool first = !a->answered;
	int64_t interval, least = seconds_us(r->min_interval);

	interval = r->interval == 0 ? INTERVAL_US : seconds_us(r->interval);
	if (least > interval) /* it asks for us sooner itself */
		least = interval;
	if (first || interval < a->interval)
		a->interval = interval;
	if (first || least > a->min_interval)
		a->min_interval = least;
	if (first || r->complete > a->seeds)
		a->seeds = r->complete;
	if (first || r->incomplete > a->leechers)
		a->leechers = r->incomplete;
	if (r->npeers + r->nnames > 0)
		a->wanted = false;
	if (r->trackerid.n > 0) {
		bt_mem_free(t->trackerid);
		t->trackerid = bt_str_dup(r->trackerid);
	}
	if (first) {
		a->regular = spread(a, a->interval);
	} else if (a->regular > a->interval) {
		a->regular = a->interval;
	}
	a->last = now_of(a);
	a->answered = a->ever_answered = true;
	bt_mem_free(a->err);
	a->err = NULL;
	t->hold = 0;
	t->refusals = 0;
}

static void
log_answer(struct bt_tracker *t, const struct bt_announce_reply *r)
{
	struct bt_announcer *a = t->owner;
	char warning[256], text[512];

	if (r->warning.n == 0) {
		bt_trackers_praise(t);
		return;
	}
	bt_str_printable(r->warning, warning, sizeof(warning));
	snprintf(
	    text, sizeof(text), "tracker '%.200s' warns: %s", t->url, warning);
	bt_trackers_complain(t, a->conf.log, text);
}

static void
on_ok(struct bt_tracker_leg *leg, const struct bt_announce_reply *r)
{
	struct bt_tracker *t = leg->tracker;
	struct bt_announcer *a = t->owner;

	leg->heard = true;
	if (leg->event == BT_EVENT_COMPLETED)
		leg->completed_due = false;
	log_answer(t, r);
	if (!a->answered) {
		bt_loop_timer_off(a->patience);
		a->current = NULL;
		bt_trackers_ok(&a->trackers, t);
	}
	note_answer(leg, r);
	schedule(a);
	if (leg->completed_due)
		bt_loop_timer_in(a->urgent, 0);
	for (uint32_t i = 0; i < r->nnames; i++)
		bt_peernames_resolve(&a->names, &r->names[i]);
	if (r->npeers > 0)
		a->conf.on_peers(a->conf.arg, r->peers, r->npeers);
}

static void
on_failed(struct bt_tracker_leg *leg, const struct bt_announce_reply *r,
    const struct bt_err *err)
{
	struct bt_tracker *t = leg->tracker;
	struct bt_announcer *a = t->owner;
	bool others =
	    t->legs[0].question != NULL || t->legs[1].question != NULL;

	if (err->kind == BT_EREFUSED)
		bt_trackers_hold(t, r, now_of(a));
	bt_log_put(a->conf.log, BT_LOG_DEBUG, "%s", err->text);
	if (t != a->current) /* passed over, or the other family answered */
		return;
	/* of two reasons the first, unless it is a word of the tracker's */
	if (!a->has_err || err->kind == BT_EREFUSED)
		note_err(a, err);
	a->has_err = true;
	if (others)
		return;
	bt_trackers_complain(t, a->conf.log, a->err->text);
	pass_over(t);
}

static void
on_leg(void *arg, const struct bt_announce_reply *r, const struct bt_err *err)
{
	struct bt_tracker_leg *leg = arg;
	struct bt_announcer *a = leg->tracker->owner;

	leg->question = NULL;
	if (a->phase == STOPPING) {
		if (err == NULL)
			leg->heard = true;
		if (err != NULL || leg->event == BT_EVENT_COMPLETED)
			leg->completed_due = false;
		stop_step(a);
	} else if (err == NULL)
		on_ok(leg, r);
	else
		on_failed(leg, r, err);
}

static void
on_timer(void *arg)
{
	struct bt_announcer *a = arg;

	if (a->phase == RUNNING) {
		begin_round(a);
		return;
	}
	/* a stop has taken long enough */
	for (size_t i = 0; bt_trackers_leg(&a->trackers, i) != NULL; i++) {
		bt_asker_cancel(bt_trackers_leg(&a->trackers, i)->question);
		bt_trackers_leg(&a->trackers, i)->question = NULL;
		bt_trackers_leg(&a->trackers, i)->told = true;
	}
	stop_step(a);
}

static void
on_urgent(void *arg)
{
	struct bt_announcer *a = arg;
	struct bt_tracker_leg *leg;

	if (a->phase == STOPPING) {
		stop_step(a);
		return;
	}
	for (size_t i = 0; (leg = bt_trackers_leg(&a->trackers, i)) != NULL;
	     i++)
		if (leg->completed_due && leg->heard && leg->question == NULL)
			ask_leg(leg, BT_EVENT_COMPLETED);
}

void
bt_announcer_completed(struct bt_announcer *a)
{
	struct bt_tracker_leg *leg;

	if (!a->was_incomplete || a->phase != RUNNING)
		return;
	a->was_incomplete = false;
	for (size_t i = 0; (leg = bt_trackers_leg(&a->trackers, i)) != NULL;
	     i++)
		leg->completed_due = leg->heard || leg->question != NULL;
	bt_loop_timer_in(a->urgent, 0);
}

/* Is this leg worth waiting for at the end: was it asked a moment ago? */
static bool
is_pending(const struct bt_tracker_leg *leg)
{
	const struct bt_announcer *a = leg->tracker->owner;
	int64_t since;

	return leg->question != NULL &&
	       bt_asker_is_asked(leg->question, &since) &&
	       now_of(a) - since < PENDING_US;
}

/* Tell `stopped` to each that is free to hear it; ends when all did. */
static void
stop_step(struct bt_announcer *a)
{
	struct bt_tracker_leg *leg;
	bool busy = false;

	for (size_t i = 0; (leg = bt_trackers_leg(&a->trackers, i)) != NULL;
	     i++) {
		if (leg->question == NULL && leg->heard && !leg->told) {
			leg->told = !leg->completed_due;
			if (!ask_leg(leg, leg->told ? BT_EVENT_STOPPED
						    : BT_EVENT_COMPLETED))
				leg->told = true;
		}
		busy = busy || leg->question != NULL;
	}
	if (busy)
		return;
	a->phase = STOPPED;
	bt_loop_timer_off(a->timer);
	a->conf.on_stopped(a->conf.arg);
}

bool
bt_announcer_stop(struct bt_announcer *a)
{
	struct bt_tracker_leg *leg;
	bool someone = false;

	if (a->phase != RUNNING) {
		a->phase = STOPPED;
		return true;
	}
	bt_loop_timer_off(a->patience);
	a->next = 0;
	for (size_t i = 0; (leg = bt_trackers_leg(&a->trackers, i)) != NULL;
	     i++) {
		if (!is_pending(leg)) {
			bt_asker_cancel(leg->question);
			leg->question = NULL;
		}
		someone = someone || leg->heard || leg->question != NULL;
	}
	a->phase = someone ? STOPPING : STOPPED;
	if (!someone) {
		bt_loop_timer_off(a->timer);
		return true;
	}
	bt_loop_timer_in(a->timer, BT_ANNOUNCER_STOP_US);
	bt_loop_timer_in(a->urgent, 0);
	return false;
}

struct bt_announcer *
bt_announcer_new(const struct bt_announcer_conf *conf)
{
	struct bt_announcer *a;

	a = bt_mem_zero(1, sizeof(*a));
	a->conf = *conf;
	a->key = bt_coin_u32();
	bt_trackers_init(&a->trackers);
	a->names = (struct bt_peernames){
		.dns = bt_asker_dns(conf->asker), .found = on_named, .arg = a
	};
	a->seeds = a->leechers = -1;
	a->timer = bt_loop_timer_new(conf->loop, on_timer, a);
	a->patience = bt_loop_timer_new(conf->loop, on_patience, a);
	a->urgent = bt_loop_timer_new(conf->loop, on_urgent, a);
	return a;
}

void
bt_announcer_free(struct bt_announcer *a)
{
	if (a == NULL)
		return;
	bt_trackers_fini(&a->trackers);
	bt_peernames_fini(&a->names);
	bt_loop_timer_free(a->timer);
	bt_loop_timer_free(a->patience);
	bt_loop_timer_free(a->urgent);
	bt_mem_free(a->err);
	bt_mem_free(a);
}

bool
bt_announcer_add(struct bt_announcer *a, struct bt_str url, uint32_t tier)
{
	struct bt_err err = BT_ERR_INIT;
	struct bt_url u;

	if (bt_url_parse(url, &u, &err) == -1) {
		bt_log_put(a->conf.log, BT_LOG_WARN, "%s", err.text);
		return false;
	}
	return bt_trackers_add(&a->trackers, url, tier, a) != NULL;
}

void
bt_announcer_start(struct bt_announcer *a)
{
	if (a->phase != IDLE)
		return;
	a->phase = RUNNING;
	if (a->trackers.n > 0)
		set_next(a, now_of(a));
}

void
bt_announcer_state(const struct bt_announcer *a, struct bt_announcer_state *out)
{
	out->trackers = (unsigned)a->trackers.n;
	out->answered = a->answered;
	out->next = a->next;
	out->seeds = a->seeds;
	out->leechers = a->leechers;
	out->err.kind = BT_ENONE;
	if (a->err != NULL)
		out->err = *a->err;
}
