#include "net/scraper.h"

#include <string.h>

#include "base/mem.h"

struct target { /* a tracker and what it is asked about */
	struct target *next;
	char *url;
	bool is_udp;
	uint8_t (*hashes)[20];
	size_t n, asked;
	uint8_t (*alone)[20]; /* to be asked again, one by one */
	size_t nalone;
	unsigned out;
};

struct batch { /* one question that is out */
	struct bt_scraper *owner;
	struct batch *next, **link;
	struct target *target;
	uint8_t hashes[BT_SCRAPER_UDP_BATCH][20];
	size_t n;
	uint8_t family;
	struct bt_asker_question *question;
	struct bt_loop_timer *timer;
};

struct bt_scraper {
	struct bt_scraper_conf conf;
	struct target *targets, **tail;
	struct batch *batches;
	unsigned out;
	struct bt_loop_timer *timer; /* to go on from the loop */
};

static void on_answer(void *arg, const struct bt_scrape_row *rows, size_t n,
    const struct bt_err *err);

static void
release(struct batch *b)
{
	*b->link = b->next;
	if (b->next != NULL)
		b->next->link = b->link;
	b->target->out--;
	b->owner->out--;
	bt_asker_cancel(b->question);
	bt_loop_timer_free(b->timer);
	bt_loop_timer_in(b->owner->timer, 0);
	bt_mem_free(b);
}

static void
fail(struct batch *b, const struct bt_err *err)
{
	struct bt_scraper *s = b->owner;
	const char *url = b->target->url;
	size_t n = b->n;

	release(b);
	s->conf.on_failed(s->conf.arg, url, n, err);
}

static void
on_late(void *arg)
{
	struct batch *b = arg;
	struct bt_err err = BT_ERR_INIT;

	bt_err_set(&err, BT_ETIMEOUT,
	    "cannot reach '%s': no answer within %d s", b->target->url,
	    (int)(b->owner->conf.timeout_us / BT_LOOP_SECOND));
	fail(b, &err);
}

/* Ask, or fail at once for a URL that cannot be asked. */
static void
ask(struct batch *b)
{
	struct bt_scraper *s = b->owner;
	struct bt_err err = BT_ERR_INIT;

	b->question = bt_asker_scrape(s->conf.asker, b->target->url, b->family,
	    (const uint8_t(*)[20])(uintptr_t)b->hashes, b->n, on_answer, b,
	    &err);
	if (b->question == NULL)
		fail(b, &err);
}

/* Rule 3. */
static bool
tries_again(struct batch *b, const struct bt_err *err)
{
	struct bt_asker *asker = b->owner->conf.asker;

	if (err->kind != BT_ENET || b->family != 4 ||
	    !bt_asker_can(asker, b->target->url, 6))
		return false;
	b->family = 6;
	ask(b);
	return true;
}

static void
ask_alone(struct target *t, const uint8_t hash[20])
{
	t->alone = bt_mem_resize(t->alone, t->nalone + 1, 20);
	memcpy(t->alone[t->nalone++], hash, 20);
}

/* What the rows say of one torrent; false if they do not name it. */
static bool
find_row(const struct bt_scrape_row *rows, size_t n, const uint8_t hash[20],
    struct bt_scrape_row *out)
{
	for (size_t i = 0; i < n; i++) {
		if (memcmp(rows[i].info_hash, hash, 20) == 0) {
			*out = rows[i];
			return true;
		}
	}
	*out = (struct bt_scrape_row){ 0 };
	memcpy(out->info_hash, hash, 20);
	return false;
}

static void
on_answer(void *arg, const struct bt_scrape_row *rows, size_t n,
    const struct bt_err *err)
{
	struct batch *b = arg;
	struct bt_scraper *s = b->owner;
	struct bt_scrape_row row;

	b->question = NULL;
	if (err != NULL) {
		if (!tries_again(b, err))
			fail(b, err);
		return;
	}
	for (size_t i = 0; i < b->n; i++) {
		if (!find_row(rows, n, b->hashes[i], &row) && b->n > 1)
			ask_alone(b->target, b->hashes[i]);
		else
			s->conf.on_row(s->conf.arg, b->target->url, &row);
	}
	release(b);
}

/* The next batch of a target; false if nothing is left of it. */
static bool
fill(struct batch *b, struct target *t)
{
	size_t most = t->is_udp ? BT_SCRAPER_UDP_BATCH : BT_SCRAPER_HTTP_BATCH;

	if (t->asked < t->n) {
		b->n = t->n - t->asked < most ? t->n - t->asked : most;
		memcpy(b->hashes, t->hashes[t->asked], b->n * 20);
		t->asked += b->n;
	} else if (t->nalone > 0) {
		b->n = 1;
		memcpy(b->hashes, t->alone[--t->nalone], 20);
	} else
		return false;
	return true;
}

static bool
begin(struct bt_scraper *s, struct target *t)
{
	struct batch *b;

	b = bt_mem_zero(1, sizeof(*b));
	if (!fill(b, t)) {
		bt_mem_free(b);
		return false;
	}
	b->owner = s;
	b->target = t;
	b->family = 0;
	if (t->is_udp)
		b->family = bt_asker_can(s->conf.asker, t->url, 4) ? 4 : 6;
	b->next = s->batches;
	b->link = &s->batches;
	if (b->next != NULL)
		b->next->link = &b->next;
	s->batches = b;
	s->out++;
	t->out++;
	b->timer = bt_loop_timer_new(s->conf.loop, on_late, b);
	bt_loop_timer_in(b->timer, s->conf.timeout_us);
	ask(b);
	return true;
}

/* Round and round the trackers, so that none waits for another's many. */
static void
go_on(void *arg)
{
	struct bt_scraper *s = arg;
	bool begun;

	do {
		begun = false;
		for (struct target *t = s->targets; t != NULL; t = t->next)
			if (t->out < BT_SCRAPER_TRACKER_MAX &&
			    s->out < BT_SCRAPER_OUT_MAX && begin(s, t))
				begun = true;
	} while (begun);
	if (s->out > 0)
		return;
	bt_loop_timer_off(s->timer);
	s->conf.on_done(s->conf.arg);
}

struct bt_scraper *
bt_scraper_new(const struct bt_scraper_conf *conf)
{
	struct bt_scraper *s;

	s = bt_mem_zero(1, sizeof(*s));
	s->conf = *conf;
	s->tail = &s->targets;
	s->timer = bt_loop_timer_new(conf->loop, go_on, s);
	return s;
}

void
bt_scraper_free(struct bt_scraper *s)
{
	struct target *t;

	if (s == NULL)
		return;
	while (s->batches != NULL)
		release(s->batches);
	while ((t = s->targets) != NULL) {
		s->targets = t->next;
		bt_mem_free(t->url);
		bt_mem_free(t->hashes);
		bt_mem_free(t->alone);
		bt_mem_free(t);
	}
	bt_loop_timer_free(s->timer);
	bt_mem_free(s);
}

static struct target *
target_of(struct bt_scraper *s, const char *url)
{
	struct target *t;

	for (t = s->targets; t != NULL; t = t->next)
		if (strcmp(t->url, url) == 0)
			return t;
	t = bt_mem_zero(1, sizeof(*t));
	t->url = bt_mem_strdup(url);
	t->is_udp = strncasecmp(url, "udp://", 6) == 0;
	*s->tail = t;
	s->tail = &t->next;
	return t;
}

void
bt_scraper_add(
    struct bt_scraper *s, const char *url, const uint8_t info_hash[20])
{
	struct target *t = target_of(s, url);

	for (size_t i = 0; i < t->n; i++)
		if (memcmp(t->hashes[i], info_hash, 20) == 0)
			return;
	t->hashes = bt_mem_resize(t->hashes, t->n + 1, 20);
	memcpy(t->hashes[t->n++], info_hash, 20);
}

void
bt_scraper_start(struct bt_scraper *s)
{
	bt_loop_timer_in(s->timer, 0);
}
