#include "core/ahead.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "core/inbox.h"
#include "core/pieces.h"
#include "core/torrent_priv.h"

static void
add(struct bt_lend *out, enum bt_lend_kind kind, uint8_t *at, size_t n)
{
	assert(out->n < BT_LEND_PLACES);
	out->kinds[out->n] = kind;
	out->places[out->n++] = (struct bt_place){ at, n };
}

/* Bytes of the next head that are not here yet; 0 if it cannot be a block's. */
static size_t
head_left(const struct bt_peer *p)
{
	if (p->rx == BT_RX_BLOCK)
		return BT_TX_HEADER;
	if (p->rx != BT_RX_HEAD || p->npart >= BT_TX_HEADER ||
	    (p->npart > 4 && p->part[4] != BT_PIECE))
		return 0;
	return BT_TX_HEADER - p->npart;
}

static bool
is_coming_in(const struct bt_peer *p, const struct bt_request *r)
{
	return p->rx == BT_RX_BLOCK && p->rx_piece == r->piece &&
	       p->rx_block == r->block;
}

/* Rule 1: heads and blocks in `left` bytes, of which some stay for scratch. */
static size_t
foresee(
    struct bt_torrent *t, struct bt_peer *p, size_t left, struct bt_lend *out)
{
	size_t head = head_left(p), len, sum = 0;
	unsigned k = 0;

	for (uint32_t i = 0; i < p->nreqs && k < p->foreseen && head > 0; i++) {
		const struct bt_request *r = &p->reqs[p->reqs_from + i];
		struct bt_pick b = { r->piece, r->block };
		uint8_t *at;

		if (is_coming_in(p, r))
			continue;
		len = bt_layout_block_size(t->layout, b.piece, b.block);
		if (r->cancelled || head + len >= left - sum)
			break;
		at = bt_pieces_lend(t, p, b, &out->fresh[k]);
		if (at == NULL)
			break;
		out->pieces[k] = b.piece;
		add(out, BT_LEND_HEAD, out->heads[k++], head);
		add(out, BT_LEND_BLOCK, at, len);
		sum += head + len;
		head = BT_TX_HEADER;
	}
	out->nahead = k;
	return sum;
}

void
bt_ahead_lend(struct bt_torrent *t, struct bt_peer *p, struct bt_place scratch,
    size_t most, struct bt_lend *out)
{
	size_t left = scratch.n < most ? scratch.n : most, rest;
	uint8_t *at;

	out->n = out->nahead = 0;
	assert(left > 0);
	if (p->rx == BT_RX_BLOCK) {
		at = bt_pieces_place(t, p);
		rest = p->rx_len - p->rx_got;
		if (at != NULL && rest >= left) {
			add(out, BT_LEND_BLOCK, at, left);
			return;
		}
		if (at != NULL) {
			add(out, BT_LEND_BLOCK, at, rest);
			left -= rest;
		}
	}
	/* what is read past has no place, and nothing behind it */
	if (p->state == BT_PEER_READY && (p->rx == BT_RX_HEAD || out->n == 1))
		left -= foresee(t, p, left, out);
	add(out, BT_LEND_SCRATCH, scratch.p, left);
}

/* Rule 3: places[i] and what is behind it hold n bytes of something else. */
static void
misfit(struct bt_torrent *t, struct bt_peer *p, const struct bt_lend *lend,
    unsigned i, size_t n, int64_t now)
{
	uint8_t *bytes = bt_mem_alloc(n);
	size_t sum = 0, k;

	for (; sum < n; i++) {
		k = lend->places[i].n < n - sum ? lend->places[i].n : n - sum;
		memcpy(bytes + sum, lend->places[i].p, k);
		sum += k;
	}
	p->foreseen = p->foreseen > 1 ? p->foreseen / 2 : 1;
	bt_inbox_feed(t, p, (struct bt_str){ bytes, n }, now);
	bt_mem_free(bytes);
}

static bool
is_expected(const struct bt_torrent *t, const struct bt_peer *p,
    const struct bt_place *place)
{
	return p->rx == BT_RX_BLOCK && bt_pieces_place(t, p) == place->p &&
	       p->rx_len - p->rx_got >= place->n;
}

static void
take(struct bt_torrent *t, struct bt_peer *p, const struct bt_lend *lend,
    size_t n, int64_t now)
{
	const struct bt_place *place;
	size_t k;

	for (unsigned i = 0; n > 0 && !p->dead; i++, n -= k) {
		assert(i < lend->n);
		place = &lend->places[i];
		k = place->n < n ? place->n : n;
		if (lend->kinds[i] != BT_LEND_BLOCK)
			bt_inbox_feed(
			    t, p, (struct bt_str){ place->p, k }, now);
		else if (is_expected(t, p, place))
			bt_inbox_placed(t, p, k, now);
		else {
			misfit(t, p, lend, i, n, now);
			return;
		}
	}
	if (p->foreseen < BT_LEND_AHEAD)
		p->foreseen++;
}

void
bt_ahead_take(struct bt_torrent *t, struct bt_peer *p,
    const struct bt_lend *lend, size_t n, int64_t now)
{
	take(t, p, lend, n, now);
	for (unsigned i = 0; i < lend->nahead; i++)
		if (lend->fresh[i])
			bt_pieces_unlend(t, lend->pieces[i]);
}
