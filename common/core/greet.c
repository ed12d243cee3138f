#include "core/greet.h"

#include <assert.h>
#include <string.h>

#include "base/hash.h"
#include "base/rd.h"
#include "codec/ext.h"
#include "core/messages.h"
#include "core/outbox.h"
#include "core/roster.h"
#include "core/torrent_priv.h"

#define HASH_END 48u /* bytes of a handshake up to the info-hash's end */

void
bt_greet_send(struct bt_torrent *t, struct bt_peer *p)
{
	uint8_t out[BT_HANDSHAKE_LEN];

	assert(!p->greeted);
	p->greeted = true;
	bt_handshake_put(out, t->layout->info_hash, t->conf.peer_id);
	bt_outbox_put_raw(t, p, (struct bt_str){ out, sizeof(out) });
}

/* Exactly one of these is to follow the handshake (BEP 6), or BEP 3's. */
static void
send_have(struct bt_torrent *t, struct bt_peer *p)
{
	struct bt_bits offered;

	if (p->fast && bt_bits_is_full(&t->have) && t->lost.set == 0) {
		bt_outbox_put(t, p, BT_HAVE_ALL, 0, 0, 0);
		return;
	}
	if (t->have.set == t->lost.set) {
		if (p->fast)
			bt_outbox_put(t, p, BT_HAVE_NONE, 0, 0, 0);
		return;
	}
	if (t->lost.set == 0) {
		bt_outbox_put_body(t, p, BT_BITFIELD, bt_bits_str(&t->have));
		return;
	}
	bt_bits_init(&offered, t->have.n);
	bt_bits_copy(&offered, &t->have);
	for (uint32_t i = bt_bits_next(&t->lost, 0); i < t->lost.n;
	     i = bt_bits_next(&t->lost, i + 1))
		bt_bits_drop(&offered, i);
	bt_outbox_put_body(t, p, BT_BITFIELD, bt_bits_str(&offered));
	bt_bits_fini(&offered);
}

static void
send_extension_handshake(struct bt_torrent *t, struct bt_peer *p)
{
	struct bt_ext_handshake h = {
		.client =
		    bt_str_of(t->conf.client == NULL ? "" : t->conf.client),
		.port = t->conf.port,
		.reqq = BT_TORRENT_REQQ,
		.upload_only = t->missing == 0 ? 1 : -1,
		.yourip = p->addr,
		.id_upload_only = BT_EXT_ID_UPLOAD_ONLY,
		.id_donthave = BT_EXT_ID_DONTHAVE,
	};
	struct bt_buf b;
	int rc;

	h.yourip.port = 0;
	bt_buf_init(&b, BT_EXT_HANDSHAKE_MAX);
	rc = bt_buf_putc(&b, 0); /* BEP 10: 0 is the handshake */
	if (rc == 0)
		rc = bt_ext_handshake_put(&b, &h);
	assert(rc == 0); /* a few short fields */
	bt_outbox_put_body(t, p, BT_EXTENDED, bt_buf_str(&b));
	bt_buf_fini(&b);
}

/*
 * Two connections to one peer: p is the newer. Returns true if p stays. When
 * the two crossed each other, both sides must choose the same one.
 */
static bool
settle_twin(
    struct bt_torrent *t, struct bt_peer *p, struct bt_peer *q, int64_t now)
{
	bool crossed =
	    p->outgoing != q->outgoing && now - q->since < BT_GREET_CROSSED_US;
	bool keep_ours = memcmp(t->conf.peer_id, p->id, 20) > 0;
	struct bt_peer *goes = p, *stays = q;

	if (crossed && p->outgoing == keep_ours) {
		goes = q;
		stays = p;
	}
	if (stays->dial.family == 0) { /* so that it is not dialled again */
		stays->dial = goes->dial;
		goes->dial.family = 0;
	}
	bt_roster_close(
	    t, goes, BT_CAND_FAILED, "it is connected already", now);
	return goes == q;
}

static bool
is_single(struct bt_torrent *t, struct bt_peer *p, int64_t now)
{
	struct bt_peer *q;

	for (uint32_t i = 0; i < t->npeers; i++) {
		q = t->peers[i];
		if (q == NULL || q == p || q->dead ||
		    q->state != BT_PEER_READY || memcmp(q->id, p->id, 20) != 0)
			continue;
		if (!settle_twin(t, p, q, now))
			return false;
	}
	return true;
}

static void
shake(struct bt_torrent *t, struct bt_peer *p, const struct bt_handshake *h,
    int64_t now)
{
	memcpy(p->id, h->peer_id, sizeof(p->id));
	if (memcmp(p->id, t->conf.peer_id, sizeof(p->id)) == 0) {
		if (p->outgoing)
			bt_roster_close(
			    t, p, BT_CAND_SELF, "it is ourselves", now);
		else /* the dialling end finds out by our handshake */
			p->state = BT_PEER_MUTE;
		return;
	}
	if (!is_single(t, p, now))
		return;
	p->fast = BT_RESERVED_FAST(h->reserved) != 0;
	p->ext = BT_RESERVED_EXT(h->reserved) != 0;
	p->state = BT_PEER_READY;
	p->since = now;
	p->rx = BT_RX_HEAD;
	p->npart = 0;
	t->ready++;
	t->rivals_stale = true;
	bt_effects_push(
	    &t->fx, &(struct bt_effect){
			.kind = BT_FX_PEER, .slot = p->slot, .addr = p->addr });
	send_have(t, p);
	if (p->ext)
		send_extension_handshake(t, p);
}

void
bt_greet_on_bytes(struct bt_torrent *t, struct bt_peer *p, int64_t now)
{
	struct bt_handshake h;
	ssize_t n;

	n = bt_handshake_parse((struct bt_str){ p->part, p->npart }, &h);
	if (n < 0) {
		bt_roster_blame(t, p, "it does not speak BitTorrent", now);
		return;
	}
	if (p->npart < HASH_END)
		return;
	if (memcmp(p->part + HASH_END - 20, t->layout->info_hash, 20) != 0) {
		bt_roster_blame(
		    t, p, "its handshake is for another torrent", now);
		return;
	}
	if (!p->greeted)
		bt_greet_send(t, p);
	if (n > 0 && !p->dead)
		shake(t, p, &h, now);
}

void
bt_greet_fast_set(const uint8_t ip[4], const uint8_t info_hash[20],
    uint32_t pieces, unsigned k, uint32_t *out)
{
	uint8_t x[24], digest[BT_SHA1_LEN];
	size_t len = sizeof(x);
	unsigned n = 0, j;
	uint32_t index;

	assert(k <= pieces);
	memcpy(x, ip, 3); /* BEP 6 (1): 0xFFFFFF00 & ip */
	x[3] = 0;
	memcpy(x + 4, info_hash, 20);
	while (n < k) {
		bt_hash_sha1((struct bt_str){ x, len }, digest);
		memcpy(x, digest, sizeof(digest));
		len = sizeof(digest);
		for (unsigned i = 0; i < 5 && n < k; i++) {
			index = bt_be32(digest + (size_t)i * 4) % pieces;
			for (j = 0; j < n && out[j] != index; j++)
				;
			if (j == n)
				out[n++] = index;
		}
	}
}

/* BEP 6 gives one set to a network; one connection of it may have it. */
static bool
is_set_out(const struct bt_torrent *t, const struct bt_peer *p)
{
	const struct bt_peer *q;

	for (uint32_t i = 0; i < t->npeers; i++) {
		q = t->peers[i];
		if (q != NULL && !q->dead && q->nfast_out > 0 &&
		    memcmp(q->addr.ip, p->addr.ip, 3) == 0)
			return true;
	}
	return false;
}

void
bt_greet_allow_fast(struct bt_torrent *t, struct bt_peer *p)
{
	uint32_t k = BT_GREET_FAST_BYTES / t->layout->piece_length;

	if (!p->fast || p->addr.family != 4 || p->nfast_out > 0 ||
	    bt_torrent_peer_have(t, p)->set >= BT_GREET_FAST_MAX ||
	    is_set_out(t, p))
		return;
	if (k > BT_GREET_FAST_MAX)
		k = BT_GREET_FAST_MAX;
	if (k > t->layout->pieces / BT_GREET_FAST_SHARE)
		k = t->layout->pieces / BT_GREET_FAST_SHARE;
	bt_greet_fast_set(p->addr.ip, t->layout->info_hash, t->layout->pieces,
	    k, p->fast_out);
	p->nfast_out = k;
	p->fast_left = (uint64_t)k * t->layout->piece_length;
	for (unsigned i = 0; i < k && !p->dead; i++)
		bt_outbox_put(t, p, BT_ALLOWED_FAST, p->fast_out[i], 0, 0);
}
