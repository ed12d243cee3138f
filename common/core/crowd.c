#include "core/crowd.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/rd.h"
#include "core/roster.h"
#include "core/torrent_priv.h"

struct place {
	struct bt_crowd home;
	struct bt_peer *p;
};

static struct bt_crowd
home_of(const struct bt_addr *a)
{
	return (struct bt_crowd){
		.net = a->family == 4 ? bt_be32(a->ip) : bt_be64(a->ip),
		.family = a->family,
	};
}

static int
compare(const struct bt_crowd *x, const struct bt_crowd *y)
{
	if (x->family != y->family)
		return x->family - y->family;
	return (x->net > y->net) - (x->net < y->net);
}

static int
by_home(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return compare(&x->home, &y->home);
}

/* Rule 2: is p less of a loss than q? */
static bool
is_less(const struct bt_peer *p, const struct bt_peer *q)
{
	uint64_t a = p->down + p->up, b = q->down + q->up;

	return a != b ? a < b : p->since > q->since;
}

/* Rule 3. */
static void
find_crowd(struct bt_torrent *t, int64_t now)
{
	struct place *list = bt_mem_array(t->npeers, sizeof(*list));
	uint32_t n = 0, from = 0, most = BT_CROWD_LEAST - 1;

	for (uint32_t i = 0; i < t->npeers; i++)
		if (t->peers[i] != NULL && !t->peers[i]->dead)
			list[n++] = (struct place){ home_of(&t->peers[i]->addr),
				t->peers[i] };
	if (n > 1)
		qsort(list, n, sizeof(*list), by_home);
	t->crowd = (struct bt_crowd){ .family = 0 };
	for (uint32_t i = 0; i < n; i++) {
		if (by_home(&list[from], &list[i]) != 0)
			from = i;
		if (i + 1 - from > most) {
			most = i + 1 - from;
			t->crowd = list[i].home;
		}
	}
	bt_mem_free(list);
	t->crowd_until = now + BT_CROWD_LOOK_US;
}

/* NULL: nobody. */
static struct bt_peer *
who_goes(struct bt_torrent *t, const struct bt_addr *from, int64_t now)
{
	struct bt_crowd own = home_of(from), home;
	struct bt_peer *goes = NULL, *p;
	uint32_t nown = 0, ncrowd = 0;

	if (now >= t->crowd_until)
		find_crowd(t, now);
	if (t->crowd.family == 0)
		return NULL;
	for (uint32_t i = 0; i < t->npeers; i++) {
		p = t->peers[i];
		if (p == NULL || p->dead)
			continue;
		home = home_of(&p->addr);
		nown += compare(&home, &own) == 0;
		if (compare(&home, &t->crowd) != 0)
			continue;
		ncrowd++;
		if (goes == NULL || is_less(p, goes))
			goes = p;
	}
	return ncrowd < BT_CROWD_LEAST || ncrowd < nown + 2 ? NULL : goes;
}

bool
bt_crowd_make_room(
    struct bt_torrent *t, const struct bt_addr *from, int64_t now)
{
	struct bt_peer *goes = who_goes(t, from, now);

	if (goes == NULL)
		return false;
	bt_roster_close(
	    t, goes, BT_CAND_CLOSED, "it makes room for others", now);
	return true;
}

bool
bt_crowd_would_accept(
    struct bt_torrent *t, const struct bt_addr *from, int64_t now)
{
	return !t->stopped && !t->broken &&
	       !bt_candidates_is_banned(t->cands, from) &&
	       (!bt_crowd_is_full(t) || who_goes(t, from, now) != NULL);
}

bool
bt_crowd_is_full(const struct bt_torrent *t)
{
	return t->live >= t->conf.peers_max;
}

uint32_t
bt_crowd_size(const struct bt_torrent *t)
{
	return t->live;
}
