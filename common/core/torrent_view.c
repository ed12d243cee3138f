#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "core/requests.h"
#include "core/torrent_priv.h"

static bool
is_ready(const struct bt_peer *p)
{
	return p != NULL && !p->dead && p->state == BT_PEER_READY;
}

struct bt_torrent_stats
bt_torrent_stats(struct bt_torrent *t, int64_t now)
{
	struct bt_torrent_stats s = {
		.size_wanted = t->size_wanted,
		.size_have = t->size_have,
		.size_left = t->layout->size - t->size_had,
		.down = t->down,
		.up = t->up,
		.wasted = t->wasted,
		.down_bps = bt_meter_bps(&t->down_meter, now),
		.up_bps = bt_meter_bps(&t->up_meter, now),
		.peers = t->ready,
		.dialable = bt_candidates_count(t->cands),
		.pieces_have = t->have.set,
		.jobs = t->pieces.jobs_out,
		.memory = t->pieces.in_use,
		.is_done = t->missing == 0,
	};
	const struct bt_peer *p;

	for (uint32_t i = 0; i < t->npeers; i++) {
		p = t->peers[i];
		if (!is_ready(p))
			continue;
		s.seeds += bt_bits_is_full(bt_torrent_peer_have(t, p));
		s.choking += p->am_interested && p->choking;
		s.late += p->am_interested && !p->choking && p->nreqs > 0;
	}
	return s;
}

const struct bt_bits *
bt_torrent_have(const struct bt_torrent *t)
{
	return &t->have;
}

bool
bt_torrent_peer(
    struct bt_torrent *t, uint32_t i, struct bt_peer_info *out, int64_t now)
{
	struct bt_peer *p = NULL;

	for (uint32_t at = 0; at < t->npeers && p == NULL; at++)
		if (is_ready(t->peers[at]) && i-- == 0)
			p = t->peers[at];
	if (p == NULL)
		return false;
	*out = (struct bt_peer_info){
		.slot = p->slot,
		.addr = p->addr,
		.client = bt_str_of(p->client == NULL ? "" : p->client),
		.down = p->down,
		.up = p->up,
		.down_bps = bt_meter_bps(&p->down_meter, now),
		.up_bps = bt_meter_bps(&p->up_meter, now),
		.pieces = bt_torrent_peer_have(t, p)->set,
		.outgoing = p->outgoing,
		.am_choking = p->am_choking,
		.am_interested = p->am_interested,
		.is_choking = p->choking,
		.is_interested = p->interested,
	};
	memcpy(out->peer_id, p->id, sizeof(out->peer_id));
	return true;
}

/*
 * Those who are still downloading, and those who came as seeds, stay; others
 * that are whole may leave as soon as we may. What only we and the leaving have
 * is lost to those who need it when we go.
 */
bool
bt_torrent_is_needed(const struct bt_torrent *t)
{
	size_t n = bt_bits_bytes(t->layout->pieces);
	uint8_t *stays = bt_mem_zero(n, 1);
	const struct bt_bits *has;
	const struct bt_peer *p;
	bool is_wanted = false, is_last = false;

	for (uint32_t i = 0; i < t->npeers; i++) {
		p = t->peers[i];
		if (!is_ready(p))
			continue;
		has = bt_torrent_peer_have(t, p);
		if (bt_bits_is_full(has) && !p->came_whole)
			continue;
		if (!bt_bits_is_full(has) && !p->upload_only)
			is_wanted = true;
		for (size_t j = 0; j < n && has->set > 0; j++)
			stays[j] |= has->p[j];
	}
	for (size_t j = 0; is_wanted && !is_last && j < n; j++)
		is_last = (t->have.p[j] & ~stays[j]) != 0;
	bt_mem_free(stays);
	return is_last;
}

/* What a peer says of itself agrees with what it holds. */
static bool
is_peer_sound(const struct bt_torrent *t, const struct bt_peer *p)
{
	const struct bt_bits *has = bt_torrent_peer_have(t, p);
	uint32_t wants = 0, owed = 0, dups = 0;
	const struct bt_request *r;

	for (uint32_t i = 0; i < t->layout->pieces; i++)
		wants += bt_bits_has(has, i) && bt_torrent_wants(t, i);
	if (wants != p->wants || p->am_interested != (p->wants > 0))
		return false;
	for (uint32_t i = 0; i < p->nreqs; i++) {
		r = &p->reqs[p->reqs_from + i];
		for (uint32_t j = i + 1; j < p->nreqs; j++)
			if (r[j - i].piece == r->piece &&
			    r[j - i].block == r->block)
				return false; /* asked twice */
		owed += !r->freed;
		dups += !r->freed && r->dup;
	}
	if (p->choking && !p->fast && p->rx != BT_RX_BLOCK && p->nreqs > 0)
		return false; /* asked of a choker */
	return owed == p->nowed && dups == p->ndups &&
	       p->nreqs <= BT_TORRENT_ASK_MAX && p->nasks <= BT_TORRENT_REQQ;
}

/* Every block is asked as often as its piece says, and once until endgame. */
static bool
are_requests_sound(const struct bt_torrent *t)
{
	const struct bt_pieces *s = &t->pieces;
	const struct bt_request *r;
	const struct bt_peer *p;
	uint32_t *asked = bt_mem_zero(s->n, sizeof(*asked));
	uint32_t owed = 0;
	bool sound = true;

	for (uint32_t i = 0; i < t->npeers; i++) {
		p = t->peers[i];
		for (uint32_t j = 0; p != NULL && j < p->nreqs; j++) {
			r = &p->reqs[p->reqs_from + j];
			if (r->freed)
				continue;
			owed++;
			if (s->by_index == NULL ||
			    s->by_index[r->piece] == NULL ||
			    s->by_index[r->piece]->blocks[r->block].held)
				sound = false;
			else
				asked[s->by_index[r->piece]->at]++;
		}
	}
	for (uint32_t i = 0; i < s->n; i++)
		sound = sound && asked[i] == s->list[i]->asked;
	bt_mem_free(asked);
	return sound && owed == t->owed;
}

static bool
asks_first(const struct bt_peer *p, const struct bt_request *like)
{
	const struct bt_request *r;

	for (uint32_t i = 0; p != NULL && i < p->nreqs; i++) {
		r = &p->reqs[p->reqs_from + i];
		if (r->piece == like->piece && r->block == like->block &&
		    !r->freed && !r->dup)
			return true;
	}
	return false;
}

/* No block is asked twice as if it were for the first time. */
static bool
is_asked_once(const struct bt_torrent *t)
{
	const struct bt_request *r;
	const struct bt_peer *p;

	for (uint32_t i = 0; i < t->npeers; i++) {
		p = t->peers[i];
		for (uint32_t j = 0; p != NULL && j < p->nreqs; j++) {
			r = &p->reqs[p->reqs_from + j];
			if (r->freed || r->dup)
				continue;
			for (uint32_t k = i + 1; k < t->npeers; k++)
				if (asks_first(t->peers[k], r))
					return false;
		}
	}
	return true;
}

/* Each byte that came is in a good piece, a begun one, coming, or wasted. */
static bool
are_bytes_counted_once(const struct bt_torrent *t)
{
	uint64_t sum = t->harvested + t->wasted;
	const struct bt_piece *pc;

	for (uint32_t i = 0; i < t->pieces.n; i++) {
		pc = t->pieces.list[i];
		for (uint32_t j = 0; j < pc->nblocks; j++)
			if (pc->blocks[j].held)
				sum += bt_layout_block_size(
				    t->layout, pc->index, j);
	}
	for (uint32_t i = 0; i < t->npeers; i++)
		if (t->peers[i] != NULL && !t->peers[i]->dead &&
		    t->peers[i]->rx == BT_RX_BLOCK)
			sum += t->peers[i]->rx_got;
	return sum == t->down;
}

static bool
are_counts_sound(const struct bt_torrent *t)
{
	uint32_t live = 0, dialling = 0, ready = 0, unchoked = 0, missing = 0;
	const struct bt_peer *p;

	for (uint32_t i = 0; i < t->npeers; i++) {
		p = t->peers[i];
		if (p == NULL || p->dead)
			continue;
		live++;
		dialling += p->state == BT_PEER_DIALLING;
		ready += p->state == BT_PEER_READY;
		unchoked += !p->am_choking;
	}
	for (uint32_t i = 0; i < t->layout->pieces; i++)
		missing += bt_torrent_wants(t, i);
	return live == t->live && dialling == t->dialling &&
	       ready == t->ready && unchoked == t->unchoked &&
	       missing == t->missing && t->live <= t->conf.peers_max;
}

bool
bt_torrent_check(const struct bt_torrent *t)
{
	for (uint32_t i = 0; i < t->npeers; i++)
		if (is_ready(t->peers[i]) && !is_peer_sound(t, t->peers[i]))
			return false;
	return are_counts_sound(t) && are_requests_sound(t) &&
	       is_asked_once(t) && are_bytes_counted_once(t) &&
	       bt_pieces_check(t) && bt_picker_check(t->picker);
}
