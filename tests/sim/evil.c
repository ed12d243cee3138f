#include "evil.h"

#include <string.h>

#include "base/mem.h"
#include "base/rd.h"
#include "reader.h"

#define QUEUE_MAX 600u	   /* requests that it remembers */
#define DIALS 8u	   /* others that it calls on */
#define KEPT_US BT_SEC(60) /* how long it may stay once it has erred */

struct want {
	uint32_t piece, begin, length;
};

struct sim_evil {
	const struct sim_trait *trait;
	uint8_t peer_id[20];
};

struct talk {
	struct sim_reader in;
	bool greeted, choking, choked; /* choking: we; choked: it us */
	struct want *queue;
	unsigned nqueue;
	unsigned given;
	int64_t erred_at; /* first did what nobody may; 0: not yet */
};

static const struct sim_trait *
trait(const struct sim_end *e)
{
	return e->host->evil->trait;
}

static void
err(struct sim_end *e)
{
	struct talk *k = e->own;

	if (k->erred_at == 0)
		k->erred_at = e->host->sim->now;
}

static void
say(struct sim_end *e, unsigned id, uint32_t a, uint32_t b, uint32_t c)
{
	struct bt_wire_msg m = {
		.id = id, .index = a, .begin = b, .length = c
	};
	uint8_t head[BT_WIRE_HEAD_MAX];

	sim_net_put(e, head, bt_wire_encode_head(head, &m, 0));
}

static void
say_bits(struct sim_end *e, const struct bt_bits *bits, int more, bool spare)
{
	size_t n = bt_bits_bytes(bits->n) + (size_t)more;
	struct bt_wire_msg m = { .id = BT_BITFIELD };
	uint8_t head[BT_WIRE_HEAD_MAX], *body = bt_mem_zero(n + 1, 1);

	memcpy(body, bits->p,
	    bt_bits_bytes(bits->n) < n ? bt_bits_bytes(bits->n) : n);
	if (spare)
		body[n - 1] |= 1;
	sim_net_put(e, head, bt_wire_encode_head(head, &m, (uint32_t)n));
	sim_net_put(e, body, n);
	bt_mem_free(body);
}

static void
tell(struct sim_end *e)
{
	uint32_t pieces = e->host->sim->content.layout->pieces;
	struct bt_bits bits;

	bt_bits_init(&bits, pieces);
	bt_bits_fill(&bits, true);
	switch (trait(e)->tells) {
	case TELLS_HAVE_ALL:
		say(e, BT_HAVE_ALL, 0, 0, 0);
		break;
	case TELLS_LAZILY:
		for (uint32_t i = 0; i < pieces; i += 7)
			bt_bits_drop(&bits, i);
		say_bits(e, &bits, 0, false);
		for (uint32_t i = 0; i < pieces; i += 7)
			say(e, BT_HAVE, i, 0, 0);
		break;
	case TELLS_HAVES:
		for (uint32_t i = 0; i < pieces; i++)
			say(e, BT_HAVE, i, 0, 0);
		break;
	case TELLS_NOTHING:
		if (trait(e)->fast)
			say(e, BT_HAVE_NONE, 0, 0, 0);
		break;
	case TELLS_SHORT:
		say_bits(e, &bits, -1, false);
		break;
	case TELLS_LONG:
		say_bits(e, &bits, 1, false);
		break;
	case TELLS_SPARE:
		say_bits(e, &bits, 0, true);
		break;
	case TELLS_TWICE:
		say_bits(e, &bits, 0, false);
		/* FALLTHROUGH */
	case TELLS_ALL:
		say_bits(e, &bits, 0, false);
		break;
	}
	bt_bits_fini(&bits);
}

static void
greet(struct sim_end *e)
{
	struct sim *s = e->host->sim;
	const struct sim_trait *t = trait(e);
	struct talk *k = e->own;
	uint8_t hello[BT_HANDSHAKE_LEN], hash[20], noise[100];

	k->greeted = true;
	if (t->asks == ASKS_NOTHING && t->gives != GIVES_UNASKED &&
	    (t->tells != TELLS_SPARE || s->content.layout->pieces % 8 != 0))
		err(e); /* by what it says now, or does not say */
	if (t->says == SAYS_NOTHING)
		return;
	memcpy(hash, s->content.layout->info_hash, sizeof(hash));
	hash[7] ^= t->says == SAYS_OTHER_HASH;
	bt_handshake_put(hello, hash, e->host->evil->peer_id);
	memset(hello + 20, 0, 8);
	if (t->fast)
		hello[27] |= 0x04; /* BEP 6 */
	sim_net_put(e, hello, sizeof(hello));
	tell(e);
	k->choking = !t->unchokes;
	if (t->unchokes)
		say(e, BT_UNCHOKE, 0, 0, 0);
	if (t->asks != ASKS_NOTHING && t->asks != ASKS_CHOKED)
		say(e, BT_INTERESTED, 0, 0, 0);
	if (t->says == SAYS_NOISE) {
		bt_rng_fill(&s->rng, noise, sizeof(noise));
		sim_net_put(e, noise, sizeof(noise));
	} else if (t->says == SAYS_TOO_LONG) {
		sim_net_put(e, "\x40\0\0\1\x14", 5);
	} else if (t->says == SAYS_FAST_UNASKED) {
		say(e, BT_SUGGEST, 0, 0, 0);
	}
}

/* A request of the kind that it likes. */
static void
ask(struct sim_end *e)
{
	struct sim *s = e->host->sim;
	const struct bt_layout *l = s->content.layout;
	uint32_t piece = bt_rng_below(&s->rng, l->pieces);

	switch (trait(e)->asks) {
	case ASKS_NOTHING:
		break;
	case ASKS_SOME:
	case ASKS_CHOKED:
	case ASKS_FLOOD:
		say(e, BT_REQUEST, piece, 0, bt_layout_block_size(l, piece, 0));
		break;
	case ASKS_WEIRD:
		switch (bt_rng_below(&s->rng, 4)) {
		case 0:
			say(e, BT_REQUEST, piece, 7, 100);
			break;
		case 1:
			say(e, BT_REQUEST, piece, UINT32_MAX - 10, 100);
			break;
		case 2:
			say(e, BT_REQUEST, piece, 0, BT_REQUEST_MAX + 1);
			break;
		default:
			say(e, BT_CANCEL, piece, l->piece_length, 1);
			break;
		}
		break;
	case ASKS_OUTSIDE:
		err(e);
		say(e, BT_REQUEST, l->pieces + piece, 0, BT_BLOCK_LEN);
		break;
	}
}

static void
send_block(struct sim_end *e, const struct want *w)
{
	struct sim *s = e->host->sim;
	const struct bt_layout *l = s->content.layout;
	struct bt_wire_msg m = {
		.id = BT_PIECE, .index = w->piece, .begin = w->begin
	};
	uint8_t head[BT_WIRE_HEAD_MAX], *block;
	uint32_t mark;

	if (!bt_layout_has_range(l, w->piece, w->begin, w->length))
		return;
	block = bt_mem_dup(
	    s->content.bytes + bt_layout_offset(l, w->piece, w->begin),
	    w->length);
	if (sim_chance(s, trait(e)->lies) && w->length >= sizeof(mark)) {
		memcpy(&mark, block, sizeof(mark)); /* read by disk.c */
		mark ^= e->host->id + 1;
		memcpy(block, &mark, sizeof(mark));
	}
	sim_net_put(e, head, bt_wire_encode_head(head, &m, w->length));
	sim_net_put(e, block, w->length);
	bt_mem_free(block);
}

static void
end_of(struct sim_end *e)
{
	struct talk *k = e->own;

	if (k != NULL) {
		sim_reader_fini(&k->in);
		bt_mem_free(k->queue);
		bt_mem_free(k);
	}
	e->own = NULL;
	sim_net_close(e);
}

/* The next block that was asked for goes into the socket. */
static void
pull(struct sim_end *e)
{
	const struct sim_trait *t = trait(e);
	struct talk *k = e->own;
	struct want w;

	e->has_more = false;
	if (k == NULL || k->nqueue == 0) {
		if (k != NULL && t->quits > 0 && k->given >= t->quits)
			end_of(e);
		return;
	}
	w = k->queue[0];
	memmove(k->queue, k->queue + 1, --k->nqueue * sizeof(w));
	e->has_more = k->nqueue > 0;
	k->given++;
	if (t->quits > 0 && k->given > t->quits) {
		end_of(e);
		return;
	}
	send_block(e, &w);
	if (t->quits > 0 && k->given == t->quits) {
		e->out_n /= 2;
		e->has_more = true; /* so that it is pulled again, and ends */
	}
	if (t->gives == GIVES_TWICE)
		send_block(e, &w);
}

static void
on_request(struct sim_end *e, const struct bt_wire_msg *m)
{
	const struct sim_trait *t = trait(e);
	struct talk *k = e->own;

	if (t->gives == GIVES_REJECTS)
		say(e, BT_REJECT, m->index, m->begin, m->length);
	if (t->gives == GIVES_NOTHING || t->gives == GIVES_REJECTS ||
	    k->choking || k->nqueue == QUEUE_MAX)
		return;
	if (k->queue == NULL)
		k->queue = bt_mem_array(QUEUE_MAX, sizeof(*k->queue));
	k->queue[k->nqueue++] = (struct want){ m->index, m->begin, m->length };
	e->has_more = true;
	sim_net_line(e);
}

static void
on_cancel(struct sim_end *e, const struct bt_wire_msg *m)
{
	struct talk *k = e->own;
	struct want *w;

	for (unsigned i = 0; i < k->nqueue; i++) {
		w = &k->queue[i];
		if (w->piece != m->index || w->begin != m->begin)
			continue;
		memmove(w, w + 1, (--k->nqueue - i) * sizeof(*w));
		if (trait(e)->fast)
			say(e, BT_REJECT, m->index, m->begin, m->length);
		return;
	}
}

static void
on_bytes(struct sim_end *e, struct bt_str in)
{
	struct talk *k = e->own;
	enum sim_read what;

	e->state = SIM_OPEN;
	if (k == NULL) {
		k = e->own = bt_mem_zero(1, sizeof(*k));
		k->choked = true;
	}
	while (in.n > 0 && e->state == SIM_OPEN) {
		in = bt_str_sub(in, sim_reader_take(&k->in, in, &what), in.n);
		if (what == SIM_READ_HANDSHAKE && !k->greeted)
			greet(e);
		if (what != SIM_READ_MESSAGE)
			continue;
		if (k->in.msg.id == BT_REQUEST)
			on_request(e, &k->in.msg);
		else if (k->in.msg.id == BT_CANCEL)
			on_cancel(e, &k->in.msg);
		else if (k->in.msg.id == BT_UNCHOKE)
			k->choked = false;
		else if (k->in.msg.id == BT_CHOKE)
			k->choked = true;
	}
}

static void
on_connected(struct sim_end *e)
{
	struct talk *k = bt_mem_zero(1, sizeof(*k));

	e->own = k;
	k->choked = true;
	e->is_deaf = trait(e)->is_deaf;
	greet(e);
}

static void
change_mind(struct sim_end *e)
{
	struct talk *k = e->own;

	k->choking = !k->choking;
	say(e, k->choking ? BT_CHOKE : BT_UNCHOKE, 0, 0, 0);
	while (k->choking && k->nqueue > 0) {
		struct want *w = &k->queue[--k->nqueue];

		if (trait(e)->fast)
			say(e, BT_REJECT, w->piece, w->begin, w->length);
	}
	e->has_more = k->nqueue > 0;
}

/* Once a second, each connection does its mischief. */
static void
pester(struct sim_end *e)
{
	struct sim *s = e->host->sim;
	const struct sim_trait *t = trait(e);
	struct talk *k = e->own;
	uint32_t piece = bt_rng_below(&s->rng, s->content.layout->pieces);

	if (k == NULL || !k->greeted || e->out_n > KIB(256))
		return;
	if (t->teases && sim_chance(s, 300))
		change_mind(e);
	if (t->gives == GIVES_UNASKED) {
		err(e);
		send_block(e, &(struct want){ piece, 0, 100 });
	}
	if (t->asks == ASKS_CHOKED && k->choked)
		err(e);
	if (t->asks == ASKS_FLOOD || t->asks == ASKS_CHOKED)
		for (unsigned i = 0; i < 500; i++)
			ask(e);
	else if (t->asks == ASKS_WEIRD || !k->choked)
		for (unsigned i = 0; i < 5; i++)
			ask(e);
}

static bool
has_called(const struct sim_host *h, const struct sim_host *other)
{
	const struct sim_end *e;

	TAILQ_FOREACH(e, &h->ends, all)
	if (e->peer->host == other)
		return true;
	return false;
}

static void
on_second(struct sim *s, void *what, uint64_t arg)
{
	struct sim_host *h = what, *other;
	struct sim_end *e, *next;
	unsigned n = 0;

	if (s->is_over || h->life != arg)
		return;
	for (e = TAILQ_FIRST(&h->ends); e != NULL; e = next) {
		next = TAILQ_NEXT(e, all);
		n++;
		pester(e);
	}
	for (unsigned i = 0; i < 2 && n < DIALS; i++) {
		other = s->hosts[bt_rng_below(&s->rng, s->nhosts)];
		if (other->shell == NULL || !other->listens ||
		    has_called(h, other))
			continue;
		sim_net_dial(h, &other->addr);
		n++;
	}
	sim_world_after(s, BT_SEC(1), on_second, h, h->life);
}

static void
on_born(struct sim_host *h)
{
	struct bt_addr none[1];

	bt_rng_fill(&h->sim->rng, h->evil->peer_id, sizeof(h->evil->peer_id));
	(void)sim_world_announce(h, none, 0);
	sim_world_after(h->sim, BT_SEC(1), on_second, h, h->life);
}

static void
on_died(struct sim_host *h)
{
	struct sim_end *e;
	struct talk *k;

	TAILQ_FOREACH(e, &h->ends, all)
	{
		k = e->own;
		if (k == NULL)
			continue;
		if (h->sim->is_judging && trait(e)->must_end &&
		    k->erred_at > 0 && e->state == SIM_OPEN &&
		    e->peer->state == SIM_OPEN &&
		    h->sim->now - sim_net_heard(e, k->erred_at) > KEPT_US)
			sim_fail(h->sim, e->peer->host,
			    "still keeps host %u (%s)", h->id, trait(e)->what);
		sim_reader_fini(&k->in);
		bt_mem_free(k->queue);
		bt_mem_free(k);
		e->own = NULL;
	}
}

static const struct sim_ops evil_ops = { .born = on_born,
	.connected = on_connected,
	.bytes = on_bytes,
	.closed = end_of,
	.pull = pull,
	.died = on_died };

struct sim_host *
sim_evil_new(struct sim *s, const struct sim_trait *t)
{
	struct sim_host *h = sim_world_host(s, &evil_ops);

	h->evil = bt_mem_zero(1, sizeof(*h->evil));
	h->evil->trait = t;
	return h;
}
