#include "disk.h"

#include <string.h>

#include "base/mem.h"

struct sim_job {
	struct sim_host *host; /* NULL: it has ended already */
	enum bt_effect_kind kind;
	struct bt_disk_job job;
	TAILQ_ENTRY(sim_job) all;
};

static uint64_t
digest_of(const uint8_t *p, size_t n)
{
	uint8_t whole[BT_SHA1_LEN];
	uint64_t first;

	bt_hash_sha1((struct bt_str){ p, n }, whole);
	memcpy(&first, whole, sizeof(first));
	return first;
}

/* Each block's digest; gives. */
static uint64_t *
digests_of(const struct bt_layout *l, uint32_t piece, const uint8_t *p)
{
	uint32_t n = bt_layout_blocks(l, piece);
	uint64_t *out = bt_mem_array(n, sizeof(*out));

	for (uint32_t i = 0; i < n; i++)
		out[i] = digest_of(p + (size_t)i * BT_BLOCK_LEN,
		    bt_layout_block_size(l, piece, i));
	return out;
}

/*
 * A liar marks the blocks that it spoils with its number: see evil.c. A wrong
 * block without the mark was spoiled by the core.
 */
static void
find_culprits(struct sim_host *h, uint32_t piece, const uint8_t *p)
{
	const struct sim_content *c = &h->sim->content;
	uint32_t n = bt_layout_blocks(c->layout, piece), mark[2];
	const uint8_t *right = c->bytes + bt_layout_offset(c->layout, piece, 0);

	for (uint32_t i = 0; i < n;
	     i++, p += BT_BLOCK_LEN, right += BT_BLOCK_LEN) {
		if (memcmp(p, right,
			bt_layout_block_size(c->layout, piece, i)) == 0)
			continue;
		memcpy(mark, p, 4);
		memcpy(mark + 1, right, 4);
		mark[0] ^= mark[1];
		if (mark[0] < 1 || mark[0] > h->sim->nhosts)
			sim_fail(h->sim, h,
			    "has block %u of piece %u wrong, "
			    "which came right",
			    i, piece);
		else
			bt_bits_put(&h->shell->hurt, mark[0] - 1);
	}
}

static enum bt_disk_status
hash(struct sim_host *h, uint32_t piece, const uint8_t *p)
{
	const struct bt_layout *l = h->sim->content.layout;
	uint32_t size = bt_layout_piece_size(l, piece);
	uint8_t got[BT_SHA1_LEN];

	if (p != NULL)
		bt_hash_sha1((struct bt_str){ p, size }, got);
	if (p == NULL || memcmp(got, bt_layout_hash(l, piece), 20) != 0) {
		if (p == NULL)
			sim_fail(h->sim, h,
			    "verifies piece %u, which was not "
			    "written",
			    piece);
		else
			find_culprits(h, piece, p);
		sim_tap_lost(h, piece);
		return BT_DISK_MISMATCH;
	}
	if (bt_bits_has(&h->shell->disk, piece))
		sim_fail(h->sim, h, "stores piece %u twice", piece);
	sim_tap_verified(h, piece);
	h->shell->gained += size;
	return BT_DISK_OK;
}

static void
write_part(struct sim_host *h, const struct bt_disk_job *job)
{
	struct sim_shell *sh = h->shell;

	if (sh->pages[job->piece] == NULL)
		sh->pages[job->piece] =
		    bt_mem_zero(1, h->sim->content.layout->piece_length);
	memcpy(sh->pages[job->piece] + job->begin, job->data, job->length);
}

/* A disk that has failed goes on failing until its host is born again. */
static bool
is_failing(struct sim_shell *sh)
{
	if (sh->fails_after > 0 && --sh->fails_after == 0)
		sh->disk_failed = true;
	return sh->disk_failed;
}

/* Do it and tell the core. */
static void
finish(struct sim_job *j)
{
	struct sim_host *h = j->host;
	struct sim_shell *sh = h->shell;
	struct bt_disk_result r = { .id = j->job.id, .status = BT_DISK_OK };
	const uint8_t *p = j->job.data;
	uint64_t *digests = NULL;

	if (is_failing(sh)) {
		r.status = BT_DISK_ERROR;
		if (j->kind != BT_FX_WRITE)
			sim_tap_lost(h, j->job.piece);
	} else if (j->kind == BT_FX_WRITE) {
		write_part(h, &j->job);
	} else {
		if (j->kind == BT_FX_VERIFY)
			p = sh->pages[j->job.piece];
		r.status = hash(h, j->job.piece, p);
		if (p != NULL && (r.status != BT_DISK_OK || j->job.digests))
			digests =
			    digests_of(h->sim->content.layout, j->job.piece, p);
		r.digests = digests;
	}
	TAILQ_REMOVE(&sh->jobs, j, all);
	sh->njobs--;
	j->host = NULL;
	sim_log(h->sim, h, "disk", j->job.piece, r.status);
	bt_torrent_on_disk(sh->t, &r, h->sim->now);
	bt_mem_free(digests);
	if (j->kind == BT_FX_VERIFY) {
		bt_mem_free(sh->pages[j->job.piece]);
		sh->pages[j->job.piece] = NULL;
	}
}

static void
on_time(struct sim *s, void *what, uint64_t arg)
{
	struct sim_job *j = what;
	struct sim_host *h = j->host;

	(void)arg;
	if (!s->is_over && h != NULL) {
		finish(j);
		sim_shell_step(h);
		if (h->shell->disk_failed)
			sim_shell_leave(h, 0);
	}
	bt_mem_free(j);
}

void
sim_disk_put(struct sim_host *h, const struct bt_effect *fx)
{
	struct sim_shell *sh = h->shell;
	struct sim *s = h->sim;
	struct sim_job *j = bt_mem_zero(1, sizeof(*j));

	j->host = h;
	j->kind = fx->kind;
	j->job = fx->job;
	TAILQ_INSERT_TAIL(&sh->jobs, j, all);
	sh->njobs++;
	if (sh->disk_free < s->now)
		sh->disk_free = s->now;
	sh->disk_free +=
	    (int64_t)(fx->job.length * UINT64_C(1000000) / sh->disk_bps);
	sim_heap_put(&s->heap,
	    sh->disk_free + sh->disk_us +
		(int64_t)sim_between(s, 0, (uint64_t)sh->disk_jitter_us),
	    on_time, j, 0);
}

void
sim_disk_end_all(struct sim_host *h)
{
	struct sim_job *j;

	while ((j = TAILQ_FIRST(&h->shell->jobs)) != NULL)
		finish(j);
}

void
sim_disk_free(struct sim_host *h)
{
	struct sim_shell *sh = h->shell;

	for (uint32_t i = 0; i < h->sim->content.layout->pieces; i++)
		bt_mem_free(sh->pages[i]);
	bt_mem_free(sh->pages);
}
