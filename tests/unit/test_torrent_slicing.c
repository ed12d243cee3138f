#include "torrent_rig.h"

#include "codec/ext.h"

#define BLOCK BT_BLOCK_LEN

/* A stream that a peer sends, grown by hand. */
struct stream {
	uint8_t *p;
	size_t n;
};

static void
put(struct stream *s, const void *bytes, size_t n)
{
	s->p = bt_mem_resize(s->p, s->n + n, 1);
	memcpy(s->p + s->n, bytes, n);
	s->n += n;
}
#define PUT(s, lit) put((s), lit, sizeof(lit) - 1)

static void
put_hello(struct stream *s, bool fast, bool ext)
{
	uint8_t h[68] = "\023BitTorrent protocol";

	h[25] = ext ? 0x10 : 0;
	h[27] = fast ? 0x04 : 0;
	memset(h + 28, 0xaa, 20);
	memset(h + 48, 'x', 20);
	put(s, h, sizeof(h));
}

static void
put_block(struct stream *s, const struct rig *r, uint32_t piece, uint32_t begin,
    uint32_t len)
{
	uint8_t head[13];

	bt_put_be32(head, 9 + len);
	head[4] = 7;
	bt_put_be32(head + 5, piece);
	bt_put_be32(head + 9, begin);
	put(s, head, 13);
	put(s, r->content + bt_layout_offset(r->l, piece, begin), len);
}

/* Feed the stream in slices of 1 .. most bytes, drawn from seed. */
static void
feed(struct rig *r, struct rig_peer *p, const struct stream *s, uint32_t most,
    uint64_t seed)
{
	struct bt_rng rng;
	size_t at = 0, n;

	bt_rng_seed(&rng, seed);
	while (at < s->n && !p->closed) {
		n = seed == 0 ? most : 1 + bt_rng_below(&rng, most);
		if (n > s->n - at)
			n = s->n - at;
		rig_raw(r, p, s->p + at, n);
		at += n;
	}
}

#define SIZE (40u * BLOCK + 77)
#define PIECE (4u * BLOCK)

static struct rig *
bench(void)
{
	struct rig *r = rig_new(SIZE, PIECE, false, NULL);

	r->hold_jobs = true;
	return r;
}

/*
 * Record what a peer says that answers the first requests: the requests of a
 * seeded torrent are the same each time.
 */
static void
record(struct stream *s, unsigned blocks)
{
	struct rig *r = bench();
	struct rig_peer *p = rig_accept(r, 1);
	struct rig_said m;
	size_t from = 0;

	put_hello(s, true, true);
	PUT(s, "\0\0\0\040\024\0d1:md11:upload_onlyi3ee1:pi7ee");
	PUT(s, "\0\0\0\0");	       /* keep-alive */
	PUT(s, "\0\0\0\3\5\xff\xc0");  /* bitfield */
	PUT(s, "\0\0\0\5\4\0\0\0\12"); /* have 10 */
	PUT(s, "\0\0\0\6\143hello");   /* unknown id 99 */
	PUT(s, "\0\0\0\1\2"
	       "\0\0\0\3\11\x1a\xe1");			 /* interested, port */
	PUT(s, "\0\0\0\5\21\0\0\0\2");			 /* allowed fast */
	PUT(s, "\0\0\0\1\1");				 /* unchoke */
	PUT(s, "\0\0\0\15\6\0\0\0\1\0\0\0\0\0\0\100\0"); /* request */
	rig_raw(r, p, s->p, s->n);
	rig_hear_hello(r, p);
	from = s->n;
	while (blocks > 0 && rig_hear(r, p, &m)) {
		if (m.id != 6)
			continue;
		put_block(s, r, m.index, m.begin, m.length);
		blocks--;
		if (blocks == 3) /* one that nobody asked for */
			put_block(s, r, 10, 0, 77);
		rig_raw(r, p, s->p + from, s->n - from);
		from = s->n;
	}
	assert_int_equal(blocks, 0);
	PUT(s, "\0\0\0\1\0\0\0\0\1\3"); /* choke, not interested */
	rig_free(r);
}

static void
compare(struct rig *a, struct rig_peer *pa, struct rig *b, struct rig_peer *pb)
{
	struct bt_torrent_stats sa, sb;

	rig_step(a);
	rig_step(b);
	sa = bt_torrent_stats(a->t, a->now);
	sb = bt_torrent_stats(b->t, b->now);
	assert_int_equal(sa.down, sb.down);
	assert_int_equal(sa.wasted, sb.wasted);
	assert_int_equal(sa.size_have, sb.size_have);
	assert_int_equal(sa.peers, sb.peers);
	assert_int_equal(sa.memory, sb.memory);
	assert_int_equal(sa.jobs, sb.jobs);
	assert_int_equal(pa->closed, pb->closed);
	if (pa->closed)
		assert_string_equal(pa->why, pb->why);
	assert_int_equal(pa->nout, pb->nout);
	assert_memory_equal(pa->out, pb->out, pa->nout);
	assert_int_equal(a->nlog, b->nlog);
	for (unsigned i = 0; i < a->nlog; i++) {
		assert_int_equal(a->log[i].kind, b->log[i].kind);
		assert_int_equal(a->log[i].index, b->log[i].index);
	}
	assert_int_equal(a->njobs, b->njobs);
	for (unsigned i = 0; i < a->njobs; i++) {
		assert_int_equal(a->jobs[i].job.piece, b->jobs[i].job.piece);
		assert_memory_equal(a->jobs[i].job.data, b->jobs[i].job.data,
		    a->jobs[i].job.length);
	}
}

/* The stream as one, and in many other ways, must come to the same. */
static void
all_slicings_agree(const struct stream *s)
{
	static const struct {
		uint32_t most;
		uint64_t seed;
	} ways[] = { { 1, 0 }, { 2, 0 }, { 13, 0 }, { 1460, 0 }, { 16384, 0 },
		{ 16397, 0 }, { 3, 1 }, { 100, 2 }, { 5000, 3 }, { 40000, 4 },
		{ 40000, 5 }, { 17, 6 } };

	for (unsigned i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		struct rig *a = bench(), *b = bench();
		struct rig_peer *pa = rig_accept(a, 1), *pb = rig_accept(b, 1);

		rig_raw(a, pa, s->p, s->n);
		feed(b, pb, s, ways[i].most, ways[i].seed);
		compare(a, pa, b, pb);
		rig_free(a);
		rig_free(b);
	}
}

static void
a_download_is_the_same_in_any_segments(void **state)
{
	struct stream s = { NULL, 0 };

	(void)state;
	record(&s, 24);
	assert_true(s.n > 24 * BLOCK);
	all_slicings_agree(&s);
	bt_mem_free(s.p);
}

/* Any flip of a byte may end the connection, but at the same byte and way. */
static void
a_corrupted_stream_is_the_same_in_any_segments(void **state)
{
	struct stream s = { NULL, 0 };
	struct bt_rng rng;
	size_t at;

	(void)state;
	record(&s, 6);
	bt_rng_seed(&rng, 5);
	for (unsigned i = 0; i < 60; i++) {
		struct rig *a = bench(), *b = bench();
		struct rig_peer *pa = rig_accept(a, 1), *pb = rig_accept(b, 1);
		uint8_t was;

		at = 48 + bt_rng_below(&rng, i % 2 == 0 ? 220 : s.n - 48);
		was = s.p[at];
		s.p[at] ^= (uint8_t)(1 + bt_rng_below(&rng, 255));
		rig_raw(a, pa, s.p, s.n);
		feed(b, pb, &s, 7, i);
		compare(a, pa, b, pb);
		s.p[at] = was;
		rig_free(a);
		rig_free(b);
	}
	bt_mem_free(s.p);
}

/* Bytes handed over by an acceptor mean what received ones do. */
static void
bytes_read_ahead_are_the_same_as_received_ones(void **state)
{
	struct stream s = { NULL, 0 };
	struct rig *a = bench(), *b = bench();
	struct rig_peer *pa = rig_accept(a, 1), *pb = rig_accept(b, 1);

	(void)state;
	record(&s, 9);
	rig_raw(a, pa, s.p, s.n);
	bt_torrent_rx_bytes(
	    b->t, pb->slot, (struct bt_str){ s.p, 40000 }, b->now);
	rig_raw(b, pb, s.p + 40000, s.n - 40000);
	compare(a, pa, b, pb);
	rig_free(a);
	rig_free(b);
	bt_mem_free(s.p);
}

/* The rest of a block is received where it belongs, without a copy. */
static void
a_blocks_own_place_is_lent_first(void **state)
{
	struct stream s = { NULL, 0 };
	struct rig *r = bench();
	struct rig_peer *p = rig_accept(r, 1);
	struct bt_place scratch = { r->scratch, RIG_SCRATCH };
	struct bt_lend to;

	(void)state;
	record(&s, 1);
	rig_raw(r, p, s.p, s.n - 10 - BLOCK + 100); /* the head and 100 bytes */
	bt_torrent_rx_space(r->t, p->slot, scratch, RIG_SCRATCH, &to);
	assert_true(to.n >= 2);
	assert_int_equal(to.places[0].n, BLOCK - 100);
	assert_ptr_not_equal(to.places[0].p, r->scratch);
	assert_ptr_equal(to.places[to.n - 1].p, r->scratch);
	rig_free(r);
	bt_mem_free(s.p);
}

/* How many bytes of the message it takes to end the connection; 0: never. */
static size_t
fatal_at(const void *bytes, size_t n, bool fast)
{
	struct rig *r = rig_new(SIZE, PIECE, false, NULL);
	struct rig_peer *p = rig_peer(r, 1, fast);
	size_t at = 0;

	while (at < n && !p->closed)
		rig_raw(r, p, (const uint8_t *)bytes + at++, 1);
	at = p->closed ? at : 0;
	rig_free(r);
	return at;
}
#define FATAL(lit) fatal_at(lit, sizeof(lit) - 1, true)

static void
a_length_that_no_message_has_ends_it_at_its_first_bytes(void **state)
{
	(void)state;
	assert_int_equal(FATAL("\xff\xff\xff\xff"), 1); /* 4 GiB */
	assert_int_equal(FATAL("\0\x20\0\0\5"), 2);	/* 2 MiB */
	/* a piece message of more than 128 KiB */
	assert_int_equal(FATAL("\0\2\0\12\7\0\0\0\0\0\0\0\0"), 13);
	assert_int_equal(FATAL("\0\0\0\4\5abc"), 5); /* bitfield: 2 bytes */
	assert_int_equal(FATAL("\0\0\0\2\5x"), 5);
	assert_int_equal(FATAL("\0\0\0\3\5\xff\xff"), 7); /* spare bits */
	assert_int_equal(FATAL("\0\0\0\3\5\xff\xe0"), 0); /* eleven pieces */
	assert_int_equal(FATAL("\0\0\0\2\0x"), 5);    /* choke with a body */
	assert_int_equal(FATAL("\0\0\0\4\4abc"), 5);  /* short have */
	assert_int_equal(FATAL("\0\1\0\5\024\0"), 5); /* extended > 64 KiB */
	assert_int_equal(FATAL("\0\0\0\1\024"), 5);   /* without its id */
}

static void
an_unknown_message_of_a_mebibyte_is_read_past(void **state)
{
	struct rig *r = rig_new(SIZE, PIECE, false, NULL);
	struct rig_peer *p = rig_peer(r, 1, false);
	uint8_t *b = bt_mem_zero(1, 1u << 20);

	(void)state;
	bt_put_be32(b, 1u << 20);
	b[4] = 200;
	rig_raw(r, p, b, 1u << 20);
	RAW(r, p, "\0\0\0\0"); /* its last four bytes */
	MSG(r, p, 4, 1);
	assert_false(p->closed);
	assert_int_equal(rig_count(r, p, 2), 1);
	bt_mem_free(b);
	rig_free(r);
}

static void
an_extended_message_of_a_stranger_is_read_past(void **state)
{
	struct rig *r = rig_new(SIZE, PIECE, false, NULL);
	struct rig_peer *p = rig_peer(r, 1, false); /* does not speak BEP 10 */

	(void)state;
	RAW(r, p, "\0\0\0\4\024\0xx");
	assert_false(p->closed);
	MSG(r, p, 4, 1);
	assert_int_equal(rig_count(r, p, 2), 1);
	rig_free(r);
}

static uint32_t
has_pieces(struct rig *r, uint32_t peer)
{
	struct bt_peer_info info;

	assert_true(bt_torrent_peer(r->t, peer, &info, r->now));
	return info.pieces;
}

/* aria2 1.36 tells of what it got meanwhile by another bitfield. */
static void
a_bitfield_after_other_messages_is_as_good_as_haves(void **state)
{
	struct rig *r = rig_new(SIZE, PIECE, false, NULL);
	struct rig_peer *p = rig_peer(r, 1, false), *q = rig_peer(r, 2, false);

	(void)state;
	MSG0(r, p, 2); /* interested first: real clients do so */
	RAW(r, p, "\0\0\0\3\5\xff\xe0");
	assert_false(p->closed);
	assert_int_equal(rig_count(r, p, 2), 1);
	RAW(r, p, "\0\0\0\3\5\xff\xe0");
	assert_false(p->closed);
	MSG(r, q, 4, 0);
	RAW(r, q, "\0\0\0\3\5\xff\x00"); /* not the first one twice */
	assert_false(q->closed);
	assert_int_equal(has_pieces(r, 1), 8);
	RAW(r, q, "\0\0\0\3\5\x00\x20"); /* what it had it has */
	assert_int_equal(has_pieces(r, 1), 9);
	RAW(r, q, "\0\0\0\3\5\xff\xff"); /* spare bits */
	assert_true(q->closed);
	rig_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_download_is_the_same_in_any_segments),
		cmocka_unit_test(
		    a_corrupted_stream_is_the_same_in_any_segments),
		cmocka_unit_test(
		    bytes_read_ahead_are_the_same_as_received_ones),
		cmocka_unit_test(a_blocks_own_place_is_lent_first),
		cmocka_unit_test(
		    a_length_that_no_message_has_ends_it_at_its_first_bytes),
		cmocka_unit_test(an_unknown_message_of_a_mebibyte_is_read_past),
		cmocka_unit_test(
		    an_extended_message_of_a_stranger_is_read_past),
		cmocka_unit_test(
		    a_bitfield_after_other_messages_is_as_good_as_haves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
