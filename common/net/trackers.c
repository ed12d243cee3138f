#include "net/trackers.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "codec/url.h"
#include "net/coin.h"

#define HOLD_US (15 * BT_LOOP_SECOND)
#define HOLD_SHIFT_MAX 7u /* 32 min, about what core/tiers waits at most */

void
bt_trackers_init(struct bt_trackers *s)
{
	*s = (struct bt_trackers){ .seed = bt_coin_u64() };
	s->tiers = bt_tiers_new(s->seed);
}

void
bt_trackers_fini(struct bt_trackers *s)
{
	struct bt_tracker *t;

	for (size_t i = 0; i < s->n; i++) {
		t = s->list[i];
		bt_asker_cancel(t->legs[0].question);
		bt_asker_cancel(t->legs[1].question);
		bt_mem_free(t->url);
		bt_mem_free(t->trackerid);
		bt_mem_free(t->complaint);
		bt_mem_free(t);
	}
	bt_mem_free(s->list);
	bt_tiers_free(s->tiers);
}

struct bt_tracker *
bt_trackers_add(
    struct bt_trackers *s, struct bt_str url, uint32_t tier, void *owner)
{
	struct bt_err ignored = BT_ERR_INIT;
	struct bt_tracker *t;
	struct bt_url u;
	int rc;

	rc = bt_url_parse(url, &u, &ignored);
	assert(rc == 0);
	if (!bt_tiers_add(s->tiers, url, tier))
		return NULL;
	t = bt_mem_zero(1, sizeof(*t));
	t->owner = owner;
	t->url = bt_str_dup(url);
	t->tier = tier;
	for (int i = 0; i < 2; i++) {
		t->legs[i].tracker = t;
		t->legs[i].family = i == 0 ? 4 : 6;
	}
	s->list = bt_mem_resize(s->list, s->n + 1, sizeof(struct bt_tracker *));
	s->list[s->n++] = t;
	return t;
}

void
bt_trackers_forget(struct bt_trackers *s)
{
	bt_tiers_free(s->tiers);
	s->tiers = bt_tiers_new(s->seed);
	for (size_t i = 0; i < s->n; i++)
		bt_tiers_add(
		    s->tiers, bt_str_of(s->list[i]->url), s->list[i]->tier);
}

struct bt_tracker *
bt_trackers_pick(struct bt_trackers *s, int64_t now, int64_t *when)
{
	uint32_t id = bt_tiers_pick(s->tiers, now, when);

	for (size_t i = 0; id != UINT32_MAX && i < s->n; i++)
		if (strcmp(s->list[i]->url, bt_tiers_url(s->tiers, id)) == 0)
			return s->list[i];
	return NULL;
}

static uint32_t
id_of(const struct bt_trackers *s, const struct bt_tracker *t)
{
	uint32_t id = 0;

	while (strcmp(bt_tiers_url(s->tiers, id), t->url) != 0)
		id++;
	return id;
}

void
bt_trackers_ok(struct bt_trackers *s, const struct bt_tracker *t)
{
	bt_tiers_ok(s->tiers, id_of(s, t));
}

void
bt_trackers_failed(
    struct bt_trackers *s, const struct bt_tracker *t, int64_t now)
{
	bt_tiers_failed(s->tiers, id_of(s, t), now);
}

struct bt_tracker_leg *
bt_trackers_leg(const struct bt_trackers *s, size_t i)
{
	return i / 2 < s->n ? &s->list[i / 2]->legs[i % 2] : NULL;
}

void
bt_trackers_complain(
    struct bt_tracker *t, const struct bt_log *log, const char *text)
{
	if (t->complaint != NULL && strcmp(t->complaint, text) == 0)
		return;
	bt_trackers_praise(t);
	t->complaint = bt_mem_strdup(text);
	bt_log_put(log, BT_LOG_WARN, "%s", text);
}

void
bt_trackers_praise(struct bt_tracker *t)
{
	bt_mem_free(t->complaint);
	t->complaint = NULL;
}

void
bt_trackers_hold(
    struct bt_tracker *t, const struct bt_announce_reply *r, int64_t now)
{
	unsigned n = t->refusals;

	if (t->refusals < HOLD_SHIFT_MAX)
		t->refusals++;
	if (r != NULL && r->retry_min < 0)
		t->hold = INT64_MAX;
	else if (r != NULL && r->retry_min > 0)
		t->hold = now + r->retry_min * 60 * BT_LOOP_SECOND;
	else
		t->hold = now + (HOLD_US << n);
}

enum bt_event
bt_trackers_event(const struct bt_tracker_leg *leg)
{
	if (!leg->heard)
		return BT_EVENT_STARTED;
	return leg->completed_due ? BT_EVENT_COMPLETED : BT_EVENT_NONE;
}
