/*
 * The check: is a tracker alive and right, over each family that it has?
 *
 * An announce, a scrape that must count it, and `stopped`, each of them timed.
 * All is well if all of them are: a failure is no less one for what went well.
 */
#include <string.h>

#include "base/mem.h"
#include "cli/json.h"
#include "cli/signal.h"
#include "codec/url.h"
#include "net/coin.h"
#include "net/dns.h"
#include "scrape.h"

#define PORTS 1000u /* from the one that peers are told on */

#define STOP_US (3 * BT_LOOP_SECOND) /* cli.md */

enum step { LOOKING_UP, ANNOUNCING, SCRAPING, STOPPING, OVER };

struct probe { /* of a tracker over one family */
	struct check *owner;
	struct target *target;
	uint8_t family;
	enum step step;
	int64_t since;	 /* when the step began */
	char *trackerid; /* or NULL */
	struct bt_asker_question *question;
	struct bt_loop_timer *timer;
};

/*
 * Each URL has a peer of its own: several may lead to one tracker, where one's
 * stopped would take away whom another's scrape is to count.
 */
struct target {
	struct check *owner;
	struct target *next;
	uint8_t peer_id[20];
	uint32_t key;
	uint16_t port;
	const struct torrent *torrent;
	const char *url;
	struct bt_dns_query *query;  /* which families has its host? */
	struct bt_loop_timer *timer; /* for that */
	struct probe probes[2];	     /* IPv4, IPv6 */
};

struct check {
	struct job *job;
	struct bt_loop *loop;
	struct bt_asker *asker;
	struct target *targets, **tail;
	unsigned ntargets;
	bool ending; /* a signal came, or stdout is closed: ask no more */
};

static void go_on(struct probe *p, enum step step);

static const char *
step_name(enum step step)
{
	static const char *const names[] = {
		[ANNOUNCING] = "announce",
		[SCRAPING] = "scrape",
		[STOPPING] = "stopped",
	};

	return names[step];
}

static void
stop_if_over(struct check *k)
{
	for (const struct target *t = k->targets; t != NULL; t = t->next)
		if (t->probes[0].step != OVER || t->probes[1].step != OVER)
			return;
	bt_loop_stop(k->loop);
}

/*
 * Ask no more; who may have heard of us is told that we are gone. `but` goes on
 * by itself: it is in the middle of an answer.
 */
static void
end(struct check *k, const struct probe *but)
{
	struct probe *p;

	if (k->ending)
		return;
	k->ending = true;
	for (struct target *t = k->targets; t != NULL; t = t->next) {
		bt_dns_cancel(t->query);
		t->query = NULL;
		bt_loop_timer_off(t->timer);
		for (int i = 0; i < 2; i++) {
			p = &t->probes[i];
			if (p == but)
				continue;
			bt_asker_cancel(p->question);
			p->question = NULL;
			if (p->step != OVER)
				go_on(
				    p, p->step == LOOKING_UP ? OVER : STOPPING);
		}
	}
	stop_if_over(k);
}

/* The step went well. */
static void
print_well(struct probe *p)
{
	struct job *job = p->owner->job;
	int64_t us = bt_loop_now(p->owner->loop) - p->since;
	struct bt_json j;

	if (job->cli.json) {
		bt_json_begin(&j, &job->cli.out);
		bt_json_cstr(&j, "tracker", p->target->url);
		bt_json_cstr(&j, "request", step_name(p->step));
		bt_json_int(&j, "family", p->family);
		bt_json_int(&j, "microseconds", us);
		bt_json_end(&j);
	} else {
		bt_out_printf(&job->cli.out, "%s\tIPv%u\t%lld.%03lld\t",
		    step_name(p->step), p->family, (long long)(us / 1000),
		    (long long)(us % 1000));
		bt_out_name(&job->cli.out, bt_str_of(p->target->url));
		bt_out_printf(&job->cli.out, "\n");
	}
	if (bt_out_flush(&job->cli.out) == -1)
		end(p->owner, p);
}

/* After a signal, or with stdout closed, there is nobody to be told. */
static void
fail(struct probe *p, const struct bt_err *why)
{
	struct bt_err err = *why;

	if (p->owner->ending)
		return;
	bt_err_prefix(&err, "%s over IPv%u", step_name(p->step), p->family);
	scrape_failed(p->owner->job, p->target->url, &err);
}

/* What was said is no answer of a tracker that is right. */
static void
fail_wrong(struct probe *p, const char *what)
{
	struct bt_err err = BT_ERR_INIT;

	bt_err_set(&err, BT_ENET, "tracker '%s' %s", p->target->url, what);
	fail(p, &err);
}

static void
late(const struct target *t, struct bt_err *err)
{
	bt_err_set(err, BT_ETIMEOUT, "cannot reach '%s': no answer within %d s",
	    t->url, (int)(t->owner->job->timeout_us / BT_LOOP_SECOND));
}

static void
on_late(void *arg)
{
	struct probe *p = arg;
	struct bt_err err = BT_ERR_INIT;

	bt_asker_cancel(p->question);
	p->question = NULL;
	late(p->target, &err);
	fail(p, &err);
	/* it may have heard of us */
	go_on(p, p->step == SCRAPING ? STOPPING : OVER);
}

static void
on_scraped(void *arg, const struct bt_scrape_row *rows, size_t n,
    const struct bt_err *err)
{
	struct probe *p = arg;
	uint64_t peers = 0;

	p->question = NULL;
	for (size_t i = 0; i < n && err == NULL; i++)
		if (memcmp(rows[i].info_hash, p->target->torrent->info_hash,
			20) == 0)
			peers = (uint64_t)rows[i].complete + rows[i].incomplete;
	if (err != NULL)
		fail(p, err);
	else if (peers == 0)
		fail_wrong(p, "does not count who has announced");
	else
		print_well(p);
	go_on(p, STOPPING);
}

static void
on_announced(
    void *arg, const struct bt_announce_reply *r, const struct bt_err *err)
{
	struct probe *p = arg;

	p->question = NULL;
	if (err != NULL) {
		fail(p, err);
		go_on(p, OVER);
		return;
	}
	if (r->trackerid.n > 0 && p->trackerid == NULL)
		p->trackerid = bt_str_dup(r->trackerid);
	if (r->warning.n > 0)
		bt_log_put(&p->owner->job->cli.log, BT_LOG_WARN,
		    "tracker '%s' warns: %.*s", p->target->url,
		    (int)r->warning.n, (const char *)r->warning.p);
	if (p->step == ANNOUNCING && r->interval == 0)
		fail_wrong(p, "names no interval");
	else
		print_well(p);
	go_on(p, p->step == ANNOUNCING ? SCRAPING : OVER);
}

static void
announce(struct probe *p, struct bt_err *err)
{
	const struct check *k = p->owner;
	struct bt_announce q = { .port = p->target->port,
		.left = p->target->torrent->size,
		.event =
		    p->step == STOPPING ? BT_EVENT_STOPPED : BT_EVENT_STARTED,
		.key = p->target->key,
		.has_key = true,
		.numwant = p->step == STOPPING ? 0 : k->job->numwant,
		.compact = true };

	memcpy(q.info_hash, p->target->torrent->info_hash, 20);
	memcpy(q.peer_id, p->target->peer_id, 20);
	if (p->trackerid != NULL)
		q.trackerid = bt_str_of(p->trackerid);
	p->question = bt_asker_announce(
	    k->asker, p->target->url, p->family, &q, on_announced, p, err);
}

/* BEP 48 names no scrape address for some. */
static bool
can_be_scraped(const char *url)
{
	struct bt_buf scrape;
	bool can;

	bt_buf_init(&scrape, BT_URL_MAX + 1);
	can = bt_url_scrape(bt_str_of(url), &scrape) == 0;
	bt_buf_fini(&scrape);
	return can;
}

static void
go_on(struct probe *p, enum step step)
{
	struct check *k = p->owner;
	struct bt_err err = BT_ERR_INIT;

	if (step == SCRAPING && !can_be_scraped(p->target->url)) {
		bt_log_put(&k->job->cli.log, BT_LOG_INFO,
		    "'%s' has no scrape address", p->target->url);
		step = STOPPING;
	}
	if (k->ending && step < STOPPING)
		step = STOPPING;
	p->step = step;
	p->since = bt_loop_now(k->loop);
	bt_loop_timer_off(p->timer);
	if (step == OVER) {
		stop_if_over(k);
		return;
	}
	if (step == SCRAPING)
		p->question =
		    bt_asker_scrape(k->asker, p->target->url, p->family,
			&p->target->torrent->info_hash, 1, on_scraped, p, &err);
	else
		announce(p, &err);
	bt_loop_timer_in(p->timer, k->ending ? STOP_US : k->job->timeout_us);
	if (p->question == NULL) {
		fail(p, &err);
		go_on(p, OVER);
	}
}

/* Begin over those families that the host has and that may be asked over. */
static void
begin(struct target *t, bool has4, bool has6, const char *why)
{
	const bool has[2] = { has4, has6 };
	struct bt_err err = BT_ERR_INIT;
	bool any = false;

	for (int i = 0; i < 2; i++)
		if (has[i] &&
		    bt_asker_can(t->owner->asker, t->url, i == 0 ? 4 : 6)) {
			any = true;
			t->probes[i].step = ANNOUNCING;
		} else
			t->probes[i].step = OVER;
	if (!any) {
		bt_err_set(&err, BT_ENET, "cannot reach '%s': %s", t->url, why);
		scrape_failed(t->owner->job, t->url, &err);
	}
	for (int i = 0; i < 2; i++)
		if (t->probes[i].step == ANNOUNCING)
			go_on(&t->probes[i], ANNOUNCING);
	stop_if_over(t->owner);
}

static void
on_name(void *arg, const struct bt_addr *addrs, size_t n, const char *why)
{
	struct target *t = arg;
	bool has[2] = { false, false };

	t->query = NULL;
	bt_loop_timer_off(t->timer);
	for (size_t i = 0; i < n; i++)
		has[addrs[i].family == 6] = true;
	begin(t, has[0], has[1],
	    n == 0 ? why : "its host has no address of this family");
}

static void
on_name_late(void *arg)
{
	struct target *t = arg;
	struct bt_err err = BT_ERR_INIT;

	bt_dns_cancel(t->query);
	t->query = NULL;
	late(t, &err);
	scrape_failed(t->owner->job, t->url, &err);
	t->probes[0].step = t->probes[1].step = OVER;
	stop_if_over(t->owner);
}

static void
look_up(struct target *t)
{
	struct bt_err err = BT_ERR_INIT;
	struct bt_addr a;
	struct bt_url u;

	if (bt_url_parse(bt_str_of(t->url), &u, &err) == -1) {
		scrape_failed(t->owner->job, t->url, &err);
		t->probes[0].step = t->probes[1].step = OVER;
		stop_if_over(t->owner);
	} else if (bt_addr_parse_ip(u.host, &a) == 0)
		begin(t, a.family == 4, a.family == 6,
		    "its address is of the other family");
	else {
		t->query = bt_dns_resolve(bt_asker_dns(t->owner->asker), u.host,
		    u.port, 0, on_name, t);
		bt_loop_timer_in(t->timer, t->owner->job->timeout_us);
	}
}

static void
on_begin(void *arg)
{
	struct check *k = arg;

	for (struct target *t = k->targets; t != NULL; t = t->next)
		look_up(t);
}

static void
on_signal(void *arg, int signo)
{
	struct check *k = arg;

	bt_signal_came(signo);
	k->job->cli.signal = signo;
	end(k, NULL);
}

/* Each tracker once, whichever torrents name it. */
static void
add_target(struct check *k, const struct torrent *torrent, const char *url)
{
	struct target *t;

	for (t = k->targets; t != NULL; t = t->next)
		if (strcmp(t->url, url) == 0)
			return;
	t = bt_mem_zero(1, sizeof(*t));
	t->owner = k;
	t->torrent = torrent;
	t->url = url;
	bt_coin_peer_id(t->peer_id);
	t->key = bt_coin_u32();
	t->port = (uint16_t)(k->job->port + k->ntargets++ % PORTS);
	t->timer = bt_loop_timer_new(k->loop, on_name_late, t);
	for (int i = 0; i < 2; i++) {
		t->probes[i].owner = k;
		t->probes[i].target = t;
		t->probes[i].family = i == 0 ? 4 : 6;
		t->probes[i].timer =
		    bt_loop_timer_new(k->loop, on_late, &t->probes[i]);
	}
	*k->tail = t;
	k->tail = &t->next;
}

static void
release(struct check *k)
{
	struct target *t;

	while ((t = k->targets) != NULL) {
		k->targets = t->next;
		bt_dns_cancel(t->query);
		bt_loop_timer_free(t->timer);
		for (int i = 0; i < 2; i++) {
			bt_asker_cancel(t->probes[i].question);
			bt_loop_timer_free(t->probes[i].timer);
			bt_mem_free(t->probes[i].trackerid);
		}
		bt_mem_free(t);
	}
	bt_asker_free(k->asker);
	bt_loop_free(k->loop);
}

void
scrape_check(struct job *job)
{
	struct check k = { .job = job };
	struct bt_err err = BT_ERR_INIT;
	struct bt_loop_timer *begin_timer;
	const char *url;

	if (bt_loop_new(&k.loop, &err) == -1) {
		bt_cli_fail(&job->cli, &err);
		return;
	}
	k.tail = &k.targets;
	bt_loop_on_signal(k.loop, on_signal, &k);
	job->net.loop = k.loop;
	k.asker = bt_asker_new(&job->net);
	for (size_t i = 0; i < job->ntorrents; i++)
		for (size_t n = 0;
		     (url = scrape_tracker(job, &job->torrents[i], n)) != NULL;
		     n++)
			add_target(&k, &job->torrents[i], url);
	begin_timer = bt_loop_timer_new(k.loop, on_begin, &k);
	bt_loop_timer_in(begin_timer, 0);
	if (k.targets != NULL)
		bt_loop_run(k.loop);
	bt_loop_timer_free(begin_timer);
	release(&k);
}
