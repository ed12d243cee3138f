#include "core/spoil.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "core/requests.h"
#include "core/roster.h"
#include "core/torrent_priv.h"

#define WHY "it spoiled a piece"

static size_t
bytes_of(const struct bt_spoil_record *r)
{
	return (size_t)r->nblocks * (sizeof(*r->digests) + sizeof(*r->giver)) +
	       r->ngivers * sizeof(*r->givers);
}

static void
forget(struct bt_spoil *s, uint32_t i)
{
	struct bt_spoil_record *r = &s->rec[i];

	s->bytes -= bytes_of(r);
	s->waiting -= r->waiting;
	bt_mem_free(r->digests);
	bt_mem_free(r->giver);
	bt_mem_free(r->givers);
	memmove(r, r + 1, (s->n - i - 1) * sizeof(*r));
	s->n--;
}

void
bt_spoil_fini(struct bt_spoil *s)
{
	while (s->n > 0)
		forget(s, s->n - 1);
	bt_mem_free(s->rec);
}

bool
bt_spoil_has(const struct bt_spoil *s, uint32_t piece)
{
	for (uint32_t i = 0; i < s->n; i++)
		if (s->rec[i].piece == piece)
			return true;
	return false;
}

static void
remember(struct bt_spoil *s, const struct bt_piece *pc, const uint64_t *digests)
{
	struct bt_spoil_record r = { .piece = pc->index,
		.nblocks = pc->nblocks,
		.ngivers = pc->ngivers };

	if (bytes_of(&r) > BT_SPOIL_BYTES)
		return;
	while (s->n > 0 && (s->n == BT_SPOIL_MAX ||
			       s->bytes > BT_SPOIL_BYTES - bytes_of(&r)))
		forget(s, 0);
	r.digests = bt_mem_dup(digests, r.nblocks * sizeof(*r.digests));
	r.givers = bt_mem_dup(pc->givers, r.ngivers * sizeof(*r.givers));
	r.giver = bt_mem_array(r.nblocks, sizeof(*r.giver));
	for (uint32_t i = 0; i < r.nblocks; i++)
		r.giver[i] = pc->blocks[i].giver;
	r.waiting = true;
	if (s->rec == NULL)
		s->rec = bt_mem_array(BT_SPOIL_MAX, sizeof(*s->rec));
	s->rec[s->n++] = r;
	s->waiting++;
	s->bytes += bytes_of(&r);
}

/* The piece has an owner, or goes on without: its records wait no more. */
static void
set_waiting(struct bt_spoil *s, uint32_t piece, bool waiting)
{
	for (uint32_t i = 0; i < s->n; i++) {
		if (s->rec[i].piece != piece || s->rec[i].waiting == waiting)
			continue;
		s->rec[i].waiting = waiting;
		if (waiting)
			s->waiting++;
		else
			s->waiting--;
	}
}

void
bt_spoil_on_bad(struct bt_torrent *t, const struct bt_piece *pc,
    const uint64_t *digests, int64_t now)
{
	assert(pc->ngivers > 0);
	bt_log_put(t->conf.log, BT_LOG_INFO,
	    "piece %u came from %u peers and is wrong", pc->index + 1,
	    pc->ngivers);
	set_waiting(&t->spoil, pc->index, true);
	if (pc->ngivers == 1)
		bt_roster_ban(t, &pc->givers[0], WHY, now);
	else if (digests != NULL)
		remember(&t->spoil, pc, digests);
}

/* Ban whoever gave a block that differs. */
static void
judge(struct bt_torrent *t, const struct bt_spoil_record *r,
    const uint64_t *digests, int64_t now)
{
	const struct bt_addr *who;

	for (uint32_t i = 0; i < r->nblocks; i++) {
		who = &r->givers[r->giver[i]];
		if (r->digests[i] != digests[i] &&
		    !bt_candidates_is_banned(t->cands, who))
			bt_roster_ban(t, who, WHY, now);
	}
}

void
bt_spoil_on_good(
    struct bt_torrent *t, uint32_t piece, const uint64_t *digests, int64_t now)
{
	struct bt_spoil *s = &t->spoil;
	uint32_t i = 0;

	while (i < s->n) {
		if (s->rec[i].piece != piece) {
			i++;
			continue;
		}
		if (digests != NULL)
			judge(t, &s->rec[i], digests, now);
		forget(s, i);
	}
}

/* Give piece to p alone if nobody else has a part in it. */
static bool
give(struct bt_torrent *t, struct bt_peer *p, uint32_t piece, int64_t now)
{
	struct bt_piece *pc = bt_pieces_find(t, piece);

	if (pc == NULL) {
		if (!bt_pieces_may_begin(t, true) ||
		    !bt_picker_start(t->picker, piece, BT_PICK_NOBODY))
			return false;
		bt_pieces_begin(t, piece, now);
		pc = bt_pieces_find(t, piece);
	}
	if (pc->held > 0 || pc->asked > 0 || pc->owner != BT_PICK_NOBODY)
		return true; /* it went on without */
	bt_pieces_own(t, pc, p->index);
	return true;
}

static bool
can_own(const struct bt_torrent *t, const struct bt_peer *p, uint32_t piece)
{
	return p != NULL && !p->dead && p->state == BT_PEER_READY &&
	       !p->choking && !p->snubbed && p->down > 0 &&
	       bt_bits_has(bt_torrent_peer_have(t, p), piece);
}

static bool
is_waiting(const struct bt_spoil *s, uint32_t piece)
{
	for (uint32_t i = 0; i < s->n; i++)
		if (s->rec[i].piece == piece && s->rec[i].waiting)
			return true;
	return false;
}

/* Rule 2: not `but`, and not from one who only promises to the next. */
static void
assign(struct bt_torrent *t, uint32_t piece, const struct bt_peer *but,
    int64_t now)
{
	struct bt_peer *best = NULL, *p;

	if (!is_waiting(&t->spoil, piece))
		return;
	for (uint32_t i = 0; i < t->npeers; i++) {
		p = t->peers[i];
		if (p != but && can_own(t, p, piece) &&
		    (best == NULL || p->down > best->down))
			best = p;
	}
	if (best != NULL && give(t, best, piece, now))
		set_waiting(&t->spoil, piece, false);
}

void
bt_spoil_assign(struct bt_torrent *t, uint32_t piece, int64_t now)
{
	assign(t, piece, NULL, now);
}

void
bt_spoil_offer(struct bt_torrent *t, struct bt_peer *p, int64_t now)
{
	struct bt_spoil *s = &t->spoil;
	uint32_t i = 0, piece;

	if (s->waiting == 0 || p->snubbed)
		return;
	while (i < s->n) {
		piece = s->rec[i].piece;
		if (s->rec[i].waiting &&
		    bt_bits_has(bt_torrent_peer_have(t, p), piece) &&
		    give(t, p, piece, now)) {
			set_waiting(s, piece, false);
			return; /* one at a time */
		}
		i++;
	}
}

void
bt_spoil_disown(struct bt_torrent *t, const struct bt_peer *p)
{
	struct bt_pieces *s = &t->pieces;
	struct bt_piece *pc;

	for (uint32_t i = 0; i < s->n && s->owned > 0; i++) {
		pc = s->list[i];
		if (pc->owner != p->index)
			continue;
		bt_pieces_own(t, pc, BT_PICK_NOBODY);
		if (pc->held > 0)
			continue;
		set_waiting(&t->spoil, pc->index, true);
		if (pc->asked == 0)
			assign(t, pc->index, p, pc->last_at);
	}
}
