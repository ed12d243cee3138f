/* Content that comes end to end through stdin. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "check.h"
#include "cli/signal.h"

#define CHUNK (1u << 20) /* bytes read at a time */

struct stream {
	struct check *c;
	struct bt_hash *hash;
	uint8_t *chunk;
	bool ended;
};

/* Up to want bytes; 0 at the end, -1 for an error or a signal. */
static ssize_t
read_some(struct stream *s, size_t want, struct bt_err *err)
{
	ssize_t n;

	do
		n = read(STDIN_FILENO, s->chunk, want < CHUNK ? want : CHUNK);
	while (n == -1 && errno == EINTR && bt_signal_caught() == 0);
	if (n == -1)
		return bt_err_sys(err, "cannot read standard input");
	return n;
}

/* Hash n zeros: padding is not in the stream. */
static void
add_padding(struct stream *s, uint64_t n)
{
	size_t part;

	memset(s->chunk, 0, n < CHUNK ? (size_t)n : CHUNK);
	for (; n > 0; n -= part) {
		part = n < CHUNK ? (size_t)n : CHUNK;
		bt_hash_add(s->hash, s->chunk, part);
	}
}

/* Hash the part of a file that span names. */
static int
add_span(
    struct stream *s, const struct bt_layout_span *span, struct bt_err *err)
{
	struct check *c = s->c;
	const struct bt_layout_file *f = &c->layout->files[span->file];
	uint64_t left;
	ssize_t n;

	if ((f->attr & BT_META_PAD) != 0) {
		add_padding(s, span->n);
		return 0;
	}
	for (left = span->n; left > 0 && !s->ended; left -= (uint64_t)n) {
		n = read_some(s, left < CHUNK ? (size_t)left : CHUNK, err);
		if (n == -1)
			return -1;
		s->ended = n == 0;
		bt_hash_add(s->hash, s->chunk, (size_t)n);
		if (!check_progress(c, (uint64_t)n))
			return bt_err_set(err, BT_EANSWER, "stopped");
	}
	if (left > 0 && c->verdicts[span->file] == WHOLE)
		c->verdicts[span->file] =
		    span->at == 0 && left == span->n ? MISSING : SHORT;
	return 0;
}

static int
check_piece(struct stream *s, uint32_t piece, struct bt_err *err)
{
	const struct bt_layout *l = s->c->layout;
	struct bt_layout_walk w = { .offset = bt_layout_offset(l, piece, 0),
		.left = bt_layout_piece_size(l, piece) };
	struct bt_layout_span span;
	uint8_t digest[BT_SHA1_LEN];

	while (bt_layout_next_span(l, &w, &span))
		if (add_span(s, &span, err) == -1)
			return -1;
	bt_hash_end(s->hash, digest);
	if (!s->ended &&
	    memcmp(digest, bt_layout_hash(l, piece), sizeof(digest)) == 0)
		bt_bits_put(&s->c->good, piece);
	return 0;
}

int
check_stream(struct check *c, struct bt_err *err)
{
	struct stream s = { .c = c };
	ssize_t n = 0;
	int rc = 0;

	s.hash = bt_hash_new(BT_HASH_SHA1);
	s.chunk = bt_mem_alloc(CHUNK);
	for (uint32_t i = 0; i < c->layout->pieces && rc == 0; i++)
		rc = check_piece(&s, i, err);
	if (rc == 0 && !s.ended) {
		n = read_some(&s, 1, err);
		rc = n == -1 ? -1 : 0;
		c->trailing = n > 0;
	}
	bt_mem_free(s.chunk);
	bt_hash_free(s.hash);
	return rc;
}
