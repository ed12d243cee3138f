#include "gauge.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "shell.h"

struct tally {
	uint64_t seeds, leeches; /* bytes that went */
	uint64_t seeds_may, leeches_may;
	unsigned idle;	   /* leeches with a free uplink, of these: */
	unsigned unwanted; /* nobody is interested in it */
	unsigned shut;	   /* it unchokes none of those who are */
	unsigned unasked;  /* nobody that it unchokes asks */
	unsigned starved;  /* leeches that all whom they want choke */
	unsigned n, done;
	unsigned unchoked, conns;
};

static int
compare(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void
look(struct tally *t, struct sim_host *h)
{
	struct sim_shell *sh = h->shell;
	struct bt_peer_info p;
	unsigned interested = 0, unchoked = 0, wanted = 0, open = 0, i;

	for (i = 0; bt_torrent_peer(sh->t, i, &p, h->sim->now); i++) {
		interested += p.is_interested;
		unchoked += p.is_interested && !p.am_choking;
		wanted += p.am_interested;
		open += p.am_interested && !p.is_choking;
	}
	t->conns += i;
	t->unchoked += unchoked;
	t->starved += wanted > 0 && open == 0;
	if (h->up_free > h->sim->now)
		return;
	t->idle++;
	if (interested == 0)
		t->unwanted++;
	else if (unchoked == 0)
		t->shut++;
	else
		t->unasked++;
}

static double
percent(uint64_t part, uint64_t all)
{
	return all == 0 ? 0 : 100.0 * (double)part / (double)all;
}

static void
row(struct sim *s, void *what, uint64_t every)
{
	uint32_t *had = bt_mem_array(s->nhosts, sizeof(*had));
	struct tally t = { 0 };
	struct sim_host *h;

	if (s->is_over) {
		bt_mem_free(had);
		return;
	}
	for (unsigned i = 0; i < s->nhosts; i++) {
		h = s->hosts[i];
		if (h->shell == NULL || !h->up)
			continue;
		if (!h->shell->must_finish) {
			t.seeds += h->sent;
			t.seeds_may += h->up_bps * every / 1000000;
		} else {
			t.leeches += h->sent;
			t.leeches_may += h->up_bps * every / 1000000;
			t.done += bt_bits_is_full(&h->shell->disk);
			had[t.n++] = h->shell->disk.set;
			look(&t, h);
		}
		h->sent = 0;
	}
	qsort(had, t.n, sizeof(*had), compare);
	if (t.n > 0)
		printf("%8.2f s  up %5.1f%%  seed %5.1f%%  had %u/%u/%u  "
		       "done %u  idle %u (unwanted %u, shut %u, unasked %u)  "
		       "starved %u  unchoked %.1f of %.1f\n",
		    (double)(s->now - s->began) / 1e6,
		    percent(t.leeches, t.leeches_may),
		    percent(t.seeds, t.seeds_may), had[0], had[t.n / 2],
		    had[t.n - 1], t.done, t.idle, t.unwanted, t.shut, t.unasked,
		    t.starved, (double)t.unchoked / t.n, (double)t.conns / t.n);
	bt_mem_free(had);
	sim_world_after(s, (int64_t)every, row, what, every);
}

void
sim_gauge_begin(struct sim *s, int64_t every_us)
{
	sim_world_after(s, every_us, row, NULL, (uint64_t)every_us);
}
