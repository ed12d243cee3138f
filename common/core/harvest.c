#include "core/harvest.h"

#include <assert.h>

#include "base/mem.h"
#include "core/messages.h"
#include "core/outbox.h"
#include "core/requests.h"
#include "core/roster.h"
#include "core/torrent_priv.h"

static bool
counts(const struct bt_layout *l, uint32_t file)
{
	return bt_filetab_size(l->files, file) > 0 &&
	       (l->files->at[file].attr & BT_META_PAD) == 0;
}

void
bt_harvest_count(struct bt_torrent *t)
{
	const struct bt_layout *l = t->layout;
	uint32_t size, end;

	t->missing = 0;
	t->size_wanted = t->size_have = t->size_had = 0;
	for (uint32_t i = 0; i < l->pieces; i++) {
		size = bt_layout_piece_size(l, i);
		if (bt_bits_has(&t->have, i))
			t->size_had += size;
		if (!bt_bits_has(&t->wanted, i))
			continue;
		t->size_wanted += size;
		if (bt_bits_has(&t->have, i))
			t->size_have += size;
		else
			t->missing++;
	}
	for (uint32_t i = 0; i < l->files->n; i++) {
		t->file_left[i] = 0;
		if (!counts(l, i))
			continue;
		end = bt_layout_last(l, i) + 1;
		for (uint32_t j = bt_layout_first(l, i);
		     (j = bt_bits_next_clear_until(&t->have, j, end)) < end;
		     j++)
			t->file_left[i]++;
	}
}

/* Files that the piece made whole. */
static void
tell_files(struct bt_torrent *t, uint32_t piece)
{
	const struct bt_layout *l = t->layout;
	uint64_t at = bt_layout_offset(l, piece, 0);
	uint64_t end = at + bt_layout_piece_size(l, piece);

	for (uint32_t i = bt_filetab_find(l->files, at);
	     i < l->files->n && l->files->at[i].offset < end; i++) {
		if (!counts(l, i))
			continue;
		assert(t->file_left[i] > 0);
		if (--t->file_left[i] == 0)
			bt_effects_push(
			    &t->fx, &(struct bt_effect){
					.kind = BT_FX_FILE, .index = i });
	}
}

/*
 * Who lacks it may want it: at once, if that may make it ask, or ask for it.
 * One that waits for a slot anyway hears of it with what comes next, within a
 * second. So does a seed: what it hands out to whom follows from who has what
 * (core/advice).
 */
static void
tell_have(struct bt_torrent *t, struct bt_peer *p, uint32_t piece)
{
	const struct bt_bits *has = bt_torrent_peer_have(t, p);

	if (!bt_bits_has(has, piece))
		bt_outbox_put_have(
		    t, p, piece, !p->am_choking || !p->interested);
	else if (bt_bits_is_full(has))
		bt_outbox_put_have(t, p, piece, false);
}

static void
tell_peers(struct bt_torrent *t, uint32_t piece, int64_t now)
{
	struct bt_peer *p;

	for (uint32_t i = 0; i < t->npeers; i++) {
		p = t->peers[i];
		if (p == NULL || p->dead || p->state != BT_PEER_READY)
			continue;
		tell_have(t, p, piece);
		if (!p->dead)
			bt_messages_on_our_piece(t, p, piece, now);
	}
}

static void
tell_done(struct bt_torrent *t, int64_t now)
{
	struct bt_peer *p;
	uint8_t body[2];

	bt_effects_push(&t->fx, &(struct bt_effect){ .kind = BT_FX_DONE });
	for (uint32_t i = 0; i < t->npeers; i++) {
		p = t->peers[i];
		if (p == NULL || p->dead || p->state != BT_PEER_READY)
			continue;
		body[0] = p->id_upload_only;
		body[1] = 1;
		if (p->id_upload_only != 0)
			bt_outbox_put_body(t, p, BT_EXTENDED,
			    (struct bt_str){ body, sizeof(body) });
		bt_roster_part_if_useless(t, p, now);
	}
	t->choke_due = true; /* seeds choke by other rules */
}

void
bt_harvest_piece(struct bt_torrent *t, uint32_t piece, int64_t now)
{
	uint32_t size = bt_layout_piece_size(t->layout, piece);
	bool was_wanted = bt_bits_has(&t->wanted, piece), news;

	news = bt_bits_put(&t->have, piece);
	assert(news);
	bt_picker_done(t->picker, piece);
	t->harvested += size;
	t->size_had += size;
	if (was_wanted) {
		t->size_have += size;
		t->missing--;
	}
	bt_effects_push(
	    &t->fx, &(struct bt_effect){ .kind = BT_FX_PIECE, .index = piece });
	tell_files(t, piece);
	tell_peers(t, piece, now);
	if (t->in_order) /* the window may have moved for those who wait */
		bt_requests_wake(t, now);
	if (was_wanted && t->missing == 0)
		tell_done(t, now);
}
