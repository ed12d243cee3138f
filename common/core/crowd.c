#include "core/crowd.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/rd.h"
#include "core/roster.h"
#include "core/torrent_priv.h"

struct place {
	uint64_t home; /* an IPv4 address, or the /64 of an IPv6 one */
	struct bt_peer *p;
};

static uint64_t
home_of(const struct bt_addr *a)
{
	return a->family == 4 ? bt_be32(a->ip) : bt_be64(a->ip);
}

static int
by_home(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->p->addr.family != y->p->addr.family)
		return x->p->addr.family - y->p->addr.family;
	return (x->home > y->home) - (x->home < y->home);
}

/* Rule 2: is p less of a loss than q? */
static bool
is_less(const struct bt_peer *p, const struct bt_peer *q)
{
	uint64_t a = p->down + p->up, b = q->down + q->up;

	return a != b ? a < b : p->since > q->since;
}

/* Connections that begin at from in the sorted list and have one home. */
static uint32_t
run_at(const struct place *list, uint32_t n, uint32_t from)
{
	uint32_t to = from + 1;

	while (to < n && by_home(&list[from], &list[to]) == 0)
		to++;
	return to - from;
}

static struct bt_peer *
who_goes(const struct place *list, uint32_t n, const struct bt_addr *newcomer)
{
	uint32_t own = 0, most = 0, first = 0, run;
	struct bt_peer *goes;

	for (uint32_t i = 0; i < n; i += run) {
		run = run_at(list, n, i);
		if (list[i].home == home_of(newcomer) &&
		    list[i].p->addr.family == newcomer->family)
			own = run;
		if (run > most) {
			most = run;
			first = i;
		}
	}
	if (most < BT_CROWD_LEAST || most < own + 2)
		return NULL;
	goes = list[first].p;
	for (uint32_t i = first + 1; i < first + most; i++)
		if (is_less(list[i].p, goes))
			goes = list[i].p;
	return goes;
}

bool
bt_crowd_make_room(
    struct bt_torrent *t, const struct bt_addr *from, int64_t now)
{
	struct place *list = bt_mem_array(t->npeers, sizeof(*list));
	struct bt_peer *goes = NULL;
	uint32_t n = 0;

	for (uint32_t i = 0; i < t->npeers; i++)
		if (t->peers[i] != NULL && !t->peers[i]->dead)
			list[n++] = (struct place){ home_of(&t->peers[i]->addr),
				t->peers[i] };
	if (n > 1) {
		qsort(list, n, sizeof(*list), by_home);
		goes = who_goes(list, n, from);
	}
	bt_mem_free(list);
	if (goes == NULL)
		return false;
	bt_roster_close(
	    t, goes, BT_CAND_CLOSED, "it makes room for others", now);
	return true;
}

uint32_t
bt_crowd_size(const struct bt_torrent *t)
{
	return t->live;
}
