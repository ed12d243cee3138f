#include "talk.h"

#include <string.h>

#include "obey.h"

#define SCRATCH KIB(64)
#define OUT_MAX KIB(256) /* of a send buffer: then the socket is full */

/* What of block b goes after its first `skip` bytes, at most `most` bytes. */
static size_t
put_block(struct sim_end *e, const struct bt_tx_block *b, size_t most)
{
	struct bt_wire_msg m = {
		.id = BT_PIECE, .index = b->piece, .begin = b->begin
	};
	const struct sim_content *c = &e->host->sim->content;
	struct sim_shell *sh = e->host->shell;
	uint8_t head[BT_WIRE_HEAD_MAX];
	size_t n = 0, rest, skip = b->skip;

	if (!bt_bits_has(&sh->disk, b->piece))
		sim_fail(e->host->sim, e->host,
		    "sends of piece %u, which it "
		    "lacks",
		    b->piece);
	if (skip == 0)
		sim_tap_block(e, b->piece, b->begin, b->length);
	if (skip < BT_TX_HEADER) {
		(void)bt_wire_encode_head(head, &m, b->length);
		n = BT_TX_HEADER - skip;
		n = n < most ? n : most;
		sim_net_put(e, head + skip, n);
		skip += n;
	}
	if (n == most)
		return n;
	rest = BT_TX_HEADER + b->length - skip;
	rest = rest < most - n ? rest : most - n;
	sim_net_put(e,
	    c->bytes + bt_layout_offset(c->layout, b->piece, b->begin) +
		(skip - BT_TX_HEADER),
	    rest);
	sh->up += rest;
	return n + rest;
}

/* Control messages go into the socket at once, so that the tap sees them. */
void
sim_talk_flush(struct sim_end *e)
{
	struct sim_host *h = e->host;
	struct bt_torrent *t = h->shell->t;
	struct sim_tap *tap = e->own;
	struct bt_tx tx;
	size_t n, room;

	for (;;) {
		e->has_more = false;
		if (!bt_torrent_tx(t, tap->slot, &tx, h->sim->now)) {
			sim_obey_told(e, false);
			return;
		}
		e->has_more = tx.nblocks > 0;
		room = e->out_n < OUT_MAX ? OUT_MAX - e->out_n : 0;
		if (tx.head.n == 0 || room == 0)
			break;
		n = 0;
		if (tx.nblocks > 0 && tx.blocks[0].skip > 0)
			n = put_block(e, &tx.blocks[0], SIZE_MAX);
		tx.head.n = tx.head.n < room ? tx.head.n : room;
		sim_tap_out(e, tx.head);
		sim_net_put(e, tx.head.p, tx.head.n);
		bt_torrent_tx_done(t, tap->slot, n + tx.head.n, h->sim->now);
	}
	bt_torrent_tx_done(t, tap->slot, 0, h->sim->now);
	sim_net_line(e);
}

/* Give the core n bytes, now where it wants them, now from elsewhere. */
static void
give(struct sim_end *e, struct bt_str in)
{
	struct sim_host *h = e->host;
	struct sim_shell *sh = h->shell;
	struct sim_tap *tap = e->own;
	uint8_t scratch[SCRATCH];
	struct bt_lend to;
	uint64_t slot = tap->slot;
	size_t n, k;

	if (sh->rx_calls++ % 7 == 0 || !tap->in.shaken) {
		bt_torrent_rx_bytes(sh->t, slot, in, h->sim->now);
		return;
	}
	while (in.n > 0) {
		bt_torrent_rx_space(sh->t, slot,
		    (struct bt_place){ scratch, sizeof(scratch) },
		    sizeof(scratch), &to);
		n = 0;
		for (unsigned i = 0; i < to.n && n < in.n; i++) {
			k = in.n - n < to.places[i].n ? in.n - n
						      : to.places[i].n;
			memcpy(to.places[i].p, in.p + n, k);
			n += k;
		}
		if (n == 0)
			return; /* the core has closed it */
		bt_torrent_rx(sh->t, slot, &to, n, h->sim->now);
		in = bt_str_sub(in, n, in.n);
	}
}

/* Nothing but bytes of a block, which is not whole: nothing is decided. */
static bool
is_mid_block(const struct sim_reader *r, size_t n)
{
	return r->shaken && r->in_body && r->msg.id == BT_PIECE &&
	       sim_reader_partial(r) >= n;
}

static void
feed(struct sim_end *e, struct bt_str in)
{
	struct sim_tap *tap;
	bool was_bad;
	size_t n;

	while (in.n > 0 && e->state != SIM_CLOSED && !e->host->sim->failed) {
		tap = e->own;
		n = sim_tap_in(e, in);
		was_bad = tap->is_bad;
		give(e, bt_str_sub(in, 0, n));
		if (!is_mid_block(&tap->in, n))
			sim_shell_step(e->host);
		in = bt_str_sub(in, n, in.n);
		if (was_bad && e->state != SIM_CLOSED)
			sim_fail(e->host->sim, e->host,
			    "goes on with host %u, "
			    "which sent no message",
			    e->peer->host->id);
	}
}

/* As net/conn does: who calls is heard until its info-hash is there. */
static void
on_hello(struct sim_end *e, struct bt_str in)
{
	struct sim_host *h = e->host;
	struct sim_tap *tap = e->own;
	struct bt_str all;
	struct bt_buf hello;
	uint64_t slot;

	if (tap == NULL)
		tap = e->own = sim_tap_new(e);
	if (bt_buf_add(&tap->hello, in) == -1) {
		sim_obey_end(e);
		return;
	}
	all = bt_buf_str(&tap->hello);
	if (all.n < 48)
		return;
	slot = bt_torrent_on_accepted(h->shell->t, &e->peer->from, h->sim->now);
	if (slot == 0) {
		sim_obey_end(e);
		return;
	}
	e->state = SIM_OPEN;
	sim_obey_open(h, slot, e, true);
	hello = tap->hello;
	tap->hello = (struct bt_buf){ 0 };
	feed(e, all);
	bt_buf_fini(&hello);
}

void
sim_talk_bytes(struct sim_end *e, struct bt_str in)
{
	if (e->state == SIM_STRANGER)
		on_hello(e, in);
	else
		feed(e, in);
}

void
sim_talk_connected(struct sim_end *e)
{
	struct sim_tap *tap = e->own;

	bt_torrent_on_connected(
	    e->host->shell->t, tap->slot, e->host->sim->now);
	sim_shell_step(e->host);
}

void
sim_talk_closed(struct sim_end *e)
{
	struct sim_tap *tap = e->own;

	if (tap == NULL) {
		sim_net_close(e);
		return;
	}
	if (tap->slot == 0) {
		sim_obey_end(e);
		return;
	}
	bt_torrent_on_closed(e->host->shell->t, tap->slot, e->host->sim->now);
	sim_shell_step(e->host);
	if (e->state != SIM_CLOSED)
		sim_fail(e->host->sim, e->host,
		    "does not close a slot that "
		    "ended");
}

/* A piece that rotted is found out when it is to be sent. */
static bool
is_rotten(struct sim_end *e, const struct bt_tx_block *b)
{
	struct sim_shell *sh = e->host->shell;
	struct sim_tap *tap = e->own;

	if (!bt_bits_has(&sh->rotten, b->piece))
		return false;
	bt_torrent_tx_done(sh->t, tap->slot, 0, e->host->sim->now);
	bt_torrent_on_unreadable(sh->t, b->piece, e->host->sim->now);
	sim_shell_step(e->host);
	return true;
}

void
sim_talk_pull(struct sim_end *e)
{
	struct sim_host *h = e->host;
	struct sim_shell *sh = h->shell;
	struct sim_tap *tap = e->own;
	struct bt_tx tx;
	size_t n = 0, most;
	unsigned batch;

	e->has_more = false;
	if (!bt_torrent_tx(sh->t, tap->slot, &tx, h->sim->now))
		return;
	if (tx.head.n > 0) {
		sim_talk_flush(e);
		return;
	}
	batch = sh->batch < tx.nblocks ? sh->batch : tx.nblocks;
	for (unsigned i = 0; i < batch; i++) {
		if (is_rotten(e, &tx.blocks[i]))
			return;
		most = SIZE_MAX;
		if (sh->ragged && i + 1 == batch)
			most = sim_between(h->sim, 1, BT_BLOCK_LEN);
		n += put_block(e, &tx.blocks[i], most);
	}
	bt_torrent_tx_done(sh->t, tap->slot, n, h->sim->now);
	sim_shell_step(h);
}
