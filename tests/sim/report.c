#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "shell.h"

static int
compare(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

void
sim_report_take(struct sim *s, struct sim_report *r)
{
	int64_t *times = bt_mem_array(s->nhosts, sizeof(*times));
	uint8_t digest[BT_SHA1_LEN];
	const struct sim_shell *sh;
	unsigned n = 0;

	for (unsigned i = 0; i < s->nhosts; i++) {
		sh = s->hosts[i]->shell;
		if (sh == NULL)
			continue;
		r->down += sh->down_all;
		r->wasted += sh->wasted_all;
		if (!sh->must_finish) {
			r->seeded += sh->up_all;
			continue;
		}
		r->peers++;
		if (sh->rides) {
			r->finished += sh->done_at > 0;
			if (sh->done_at - sh->born_at > r->riders)
				r->riders = sh->done_at - sh->born_at;
			continue;
		}
		if (sh->done_at > 0)
			times[n++] = sh->done_at - sh->born_at;
	}
	r->finished += n;
	if (n > 0) {
		qsort(times, n, sizeof(*times), compare);
		r->first = times[0];
		r->median = times[n / 2];
		r->last = times[n - 1];
		r->end = s->finished - s->began;
	}
	bt_mem_free(times);
	bt_hash_end(s->digest, digest);
	bt_str_hex((struct bt_str){ digest, sizeof(digest) }, r->digest);
	r->wall = (double)clock() / CLOCKS_PER_SEC;
}

static double
copies(const struct sim *s, const struct sim_report *r)
{
	return (double)r->seeded / (double)s->content.layout->size;
}

static double
waste(const struct sim_report *r)
{
	return r->down > 0 ? 1000.0 * (double)r->wasted / (double)r->down : 0;
}

static double
ratio(const struct sim *s, int64_t us)
{
	return (double)us / (double)s->ideal_us;
}

bool
sim_report_judge(struct sim *s, const struct sim_report *r)
{
	if (s->ratio_max > 0 && ratio(s, r->last) * 100 > s->ratio_max)
		sim_fail(s, NULL,
		    "the last finishes after %.2f of the ideal "
		    "time, more than %.2f",
		    ratio(s, r->last), s->ratio_max / 100.0);
	if (s->copies_max > 0 && copies(s, r) * 100 > s->copies_max)
		sim_fail(s, NULL, "the seed sends %.2f copies, more than %.2f",
		    copies(s, r), s->copies_max / 100.0);
	if (r->riders * 100 < r->last * (int64_t)s->riders_min)
		sim_fail(s, NULL, "those who give nothing take only %.2f s",
		    (double)r->riders / 1e6);
	if (s->waste_max > 0 && waste(r) > s->waste_max)
		sim_fail(s, NULL, "%.1f of 1000 bytes are wasted, more than %u",
		    waste(r), s->waste_max);
	return !s->failed;
}

void
sim_report_print(const struct sim *s, const struct sim_report *r)
{
	printf("%-9s seed %llu: %u of %u in %.2f s (first %.2f, median %.2f)",
	    s->name, (unsigned long long)s->seed, r->finished, r->peers,
	    (double)r->last / 1e6, (double)r->first / 1e6,
	    (double)r->median / 1e6);
	if (s->quiet_at > 0)
		printf(", %u hosts, %u pieces, %s%u stranded, %u disks failed, "
		       "%.2f of the bound",
		    s->nhosts, s->content.layout->pieces,
		    s->orphaned ? "orphaned, " : "", s->stranded, s->broken,
		    (double)r->end / (double)s->limit_us);
	if (s->ideal_us > 0)
		printf(", %.2f of ideal (median %.2f)", ratio(s, r->last),
		    ratio(s, r->median));
	if (r->riders > 0)
		printf(", riders %.2f s", (double)r->riders / 1e6);
	printf(", %.2f copies, %.1f%% waste; %.1f s, %llu events, %.12s\n",
	    copies(s, r), waste(r) / 10, r->wall, (unsigned long long)s->events,
	    r->digest);
}
