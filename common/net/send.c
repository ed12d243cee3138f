#include "net/client_priv.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/rd.h"

/*
 * One batch: what is to be sent lies in the staging buffer as it goes on the
 * wire, or, where the page cache has the blocks, in the client's pipe, and only
 * the rest in staging. Both are the loop's: what the socket did not take is read
 * or lent again.
 */
struct batch {
	uint8_t *p;
	size_t n; /* bytes that may be sent */
	struct iovec iov[BT_TX_BLOCKS_MAX];
	struct part { /* where a block's bytes go */
		const struct bt_tx_block *block;
		size_t at;     /* in staging: of the data, after the header */
		uint32_t from; /* first byte of the block that is sent */
		size_t begin;  /* in staging: of the whole part */
	} parts[BT_TX_BLOCKS_MAX];
	unsigned nparts;
	bool lends;   /* it may be: not to this machine, see disk/pipe.h */
	bool is_lent; /* it is in the pipe */
};

/* Lending costs a few calls whatever it lends: not worth it for a block or so. */
#define LENT_FROM 4u
#define BATCH_LEAST ((size_t)4 * BT_BLOCK_LEN)

static size_t
put_header(uint8_t *to, const struct bt_tx_block *b)
{
	struct bt_wire_msg m = {
		.id = BT_PIECE, .index = b->piece, .begin = b->begin
	};
	uint8_t head[BT_WIRE_HEAD_MAX];
	size_t n = bt_wire_encode_head(head, &m, b->length), from;

	assert(n == BT_TX_HEADER);
	from = b->skip < n ? b->skip : n;
	memcpy(to, head + from, n - from);
	return n - from;
}

/* Lay out headers and gaps for as many blocks as the batch takes. */
static void
lay_out(struct batch *b, const struct bt_tx *tx, size_t most)
{
	const struct bt_tx_block *block;
	struct part *part;
	bool head_done = false;
	size_t n;
	unsigned i;

	for (i = 0; i <= tx->nblocks; i++) {
		block = i < tx->nblocks ? &tx->blocks[i] : NULL;
		if (!head_done && (block == NULL || block->skip == 0)) {
			n = STAGING_LEN - b->n;
			if (n > tx->head.n)
				n = tx->head.n;
			if (n > 0)
				memcpy(b->p + b->n, tx->head.p, n);
			b->n += n;
			if (n < tx->head.n)
				break; /* blocks follow when all of it went */
			head_done = true;
		}
		if (block == NULL || (b->nparts > 0 && b->n >= most) ||
		    STAGING_LEN - b->n < BT_TX_HEADER ||
		    block->length > STAGING_LEN - b->n - BT_TX_HEADER)
			break;
		part = &b->parts[b->nparts++];
		part->block = block;
		part->begin = b->n;
		b->n += put_header(b->p + b->n, block);
		part->at = b->n;
		part->from =
		    block->skip > BT_TX_HEADER ? block->skip - BT_TX_HEADER : 0;
		b->n += block->length - part->from;
	}
}

static uint64_t
content_at(const struct bt_swarm *s, const struct part *part)
{
	return bt_layout_offset(
		   s->layout, part->block->piece, part->block->begin) +
	       part->from;
}

static size_t
part_len(const struct part *part)
{
	return part->block->length - part->from;
}

/* The block as a worker has read it for us already, or NULL. */
static const uint8_t *
find_cold(const struct bt_conn *conn, const struct part *part)
{
	const struct bt_job *job = conn->cold;
	uint64_t at = content_at(conn->swarm, part) - part->from;
	unsigned i;

	if (job == NULL || conn->cold_out || job->status != BT_DISK_OK)
		return NULL;
	for (i = 0; i < job->nreads; i++)
		if (job->reads[i].offset == at &&
		    job->reads[i].n == part->block->length)
			return job->reads[i].to;
	return NULL;
}

static bool
take_cold(const struct bt_conn *conn, const struct part *part, uint8_t *to)
{
	const uint8_t *block = find_cold(conn, part);

	if (block == NULL)
		return false;
	memcpy(to, block + part->from, part_len(part));
	return true;
}

/*
 * Read parts[first..] from the page cache, blocks that follow each other in the
 * content in one call. Returns how many parts were read whole: the next is not
 * in memory, or cannot be read, which a worker says in words.
 */
static unsigned
read_parts(struct bt_conn *conn, struct batch *b)
{
	struct bt_swarm *s = conn->swarm;
	unsigned i = 0, n;
	uint64_t at, next;
	ssize_t got;
	size_t want;

	while (i < b->nparts) {
		if (take_cold(conn, &b->parts[i], b->p + b->parts[i].at)) {
			i++;
			continue;
		}
		at = next = content_at(s, &b->parts[i]);
		for (n = 0, want = 0; i + n < b->nparts &&
				      content_at(s, &b->parts[i + n]) == next;
		     n++) {
			b->iov[n].iov_base = b->p + b->parts[i + n].at;
			b->iov[n].iov_len = part_len(&b->parts[i + n]);
			want += b->iov[n].iov_len;
			next += b->iov[n].iov_len;
		}
		got = bt_files_read_now(s->files, at, b->iov, (int)n);
		if (got == (ssize_t)want) {
			i += n;
			continue;
		}
		for (; n > 0 && got >= (ssize_t)part_len(&b->parts[i]); n--)
			got -= (ssize_t)part_len(&b->parts[i++]);
		break;
	}
	return i;
}

/* What goes between part i-1 and the bytes of part i; i == nparts: the end. */
static struct bt_str
before_part(const struct batch *b, unsigned i)
{
	size_t from =
		   i == 0 ? 0 : b->parts[i - 1].at + part_len(&b->parts[i - 1]),
	       to = i == b->nparts ? b->n : b->parts[i].at;

	return (struct bt_str){ b->p + from, to - from };
}

/* All of the batch into the pipe; false: it is to be read, or some of it. */
static bool
lend_parts(struct bt_conn *conn, const struct batch *b)
{
	struct bt_pipe_part run[BT_TX_BLOCKS_MAX];
	struct bt_pipe *pipe = conn->client->pipe;
	struct bt_swarm *s = conn->swarm;
	uint64_t at, next;
	unsigned i = 0, n;
	bool ok = b->lends && conn->cold == NULL && b->nparts >= LENT_FROM;

	while (ok && i < b->nparts) {
		at = next = content_at(s, &b->parts[i]);
		for (n = 0; i + n < b->nparts &&
			    content_at(s, &b->parts[i + n]) == next;
		     n++) {
			run[n].head = before_part(b, i + n);
			run[n].n = part_len(&b->parts[i + n]);
			next += run[n].n;
		}
		ok = bt_pipe_lend(pipe, s->files, at, run, n);
		i += n;
	}
	ok = ok && bt_pipe_put(pipe, before_part(b, b->nparts));
	if (!ok && b->lends)
		bt_pipe_empty(pipe);
	return ok;
}

/* Let a worker read the blocks from parts[first] on; we go on without. */
static void
read_cold(struct bt_conn *conn, const struct batch *b, unsigned first)
{
	struct bt_swarm *s = conn->swarm;
	struct bt_job *job = bt_job_new(BT_JOB_READ, s->files, s->layout);
	size_t sum = 0, at = 0;
	uint8_t *data;
	unsigned i;

	for (i = first; i < b->nparts; i++)
		sum += b->parts[i].block->length;
	data = bt_mem_pages(sum);
	for (i = first; i < b->nparts; i++) {
		struct bt_job_read *r = &job->reads[job->nreads++];

		r->offset = content_at(s, &b->parts[i]) - b->parts[i].from;
		r->n = b->parts[i].block->length;
		r->to = data + at;
		at += r->n;
	}
	job->arg = s;
	job->owner = conn->slot;
	job->disk.piece = b->parts[first].block->piece;
	conn->cold = job;
	conn->cold_out = true;
	s->jobs++;
	bt_pool_put(s->client->pool, &job->pool);
}

static void
free_cold(struct bt_job *job)
{
	bt_mem_free(job->reads[0].to);
	bt_job_free(job);
}

void
bt_send_drop(struct bt_conn *conn)
{
	if (conn->cold == NULL || conn->cold_out)
		return;
	free_cold(conn->cold);
	conn->cold = NULL;
}

void
bt_send_on_cold(struct bt_swarm *s, struct bt_job *job)
{
	struct bt_conn *conn = bt_swarm_conn(s, job->owner);

	if (conn == NULL || conn->cold != job) {
		free_cold(job);
		return;
	}
	conn->cold_out = false;
	if (job->status != BT_DISK_OK) {
		bt_log_put(s->client->conf.log, BT_LOG_WARN,
		    "cannot upload piece %u: %s", job->disk.piece,
		    job->err.text);
		bt_torrent_on_unreadable(s->torrent, job->disk.piece,
		    bt_loop_now(s->client->conf.loop));
		bt_send_drop(conn);
	}
	bt_send_run(conn);
}

/* What a worker has read goes when no block of it is among the next. */
static void
drop_stale(struct bt_conn *conn, const struct batch *b)
{
	unsigned i = 0;

	while (i < b->nparts && find_cold(conn, &b->parts[i]) == NULL)
		i++;
	if (i == b->nparts)
		bt_send_drop(conn);
}

/*
 * Fill the pipe or the staging buffer; b->n is what may be sent of it. False
 * when nothing can be sent now: a worker reads.
 */
static bool
fill(struct bt_conn *conn, const struct bt_tx *tx, size_t most, struct batch *b)
{
	unsigned whole;

	b->p = conn->client->staging + BT_MEM_CLEAR;
	b->n = 0;
	b->nparts = 0;
	lay_out(b, tx, most);
	drop_stale(conn, b);
	b->is_lent = lend_parts(conn, b);
	if (b->is_lent)
		return true;
	whole = read_parts(conn, b);
	if (whole == b->nparts)
		return true;
	b->n = b->parts[whole].begin;
	bt_send_drop(conn);
	if (conn->cold == NULL)
		read_cold(conn, b, whole);
	return b->n > 0;
}

static void
wait_for_room(struct bt_conn *conn)
{
	conn->blocked = true;
	bt_conn_watch(conn, BT_LOOP_WRITE, 0);
}

/* n bytes went, or -1; want were to go. False when the connection is over. */
static bool
account(struct bt_conn *conn, ssize_t went, size_t want, int64_t now)
{
	if (went == -1 && errno != EAGAIN && errno != EINTR) {
		bt_torrent_on_closed(conn->swarm->torrent, conn->slot, now);
		return false;
	}
	if (went == -1)
		went = 0;
	bt_bucket_take(&conn->client->up, (uint64_t)went);
	bt_bucket_take(&conn->swarm->up, (uint64_t)went);
	bt_torrent_tx_done(conn->swarm->torrent, conn->slot, (size_t)went, now);
	if ((size_t)went != want)
		wait_for_room(conn);
	return true;
}

/*
 * One batch of block bytes up to about `most`. Returns what went; 0 is the end:
 * nothing to send, a full socket, or blocks that a worker must read first.
 */
static size_t
send_batch(struct bt_conn *conn, size_t limit)
{
	struct bt_client *c = conn->client;
	struct bt_torrent *t = conn->swarm->torrent;
	int64_t now = bt_loop_now(c->conf.loop);
	struct bt_tx tx;
	struct batch b;
	struct bt_str out;
	ssize_t went;
	size_t want, most;

	if (!bt_torrent_tx(t, conn->slot, &tx, now)) {
		bt_send_drop(conn);
		return 0;
	}
	b.lends = tx.nblocks >= LENT_FROM && c->pipe != NULL &&
		  !bt_tcp_is_near(conn->fd);
	most = b.lends ? bt_tcp_room(conn->fd) : limit;
	if (most == 0) {
		bt_torrent_tx_done(t, conn->slot, 0, now);
		wait_for_room(conn);
		return 0;
	}
	most = most < limit ? most : limit;
	if (!fill(conn, &tx, most < conn->batch ? most : conn->batch, &b)) {
		bt_torrent_tx_done(t, conn->slot, 0, now);
		return 0;
	}
	want = b.n < limit ? b.n : limit;
	out = (struct bt_str){ b.p, want };
	went = b.is_lent ? bt_pipe_send(c->pipe, conn->fd, want)
			 : bt_tcp_send(conn->fd, &out, 1);
	if (!account(conn, went, want, now))
		return 0;
	/* It may take less than it has room for: tcp_notsent_lowat. */
	if (!conn->blocked)
		conn->batch =
		    conn->batch < BATCH_LEN / 2 ? 2 * conn->batch : BATCH_LEN;
	else
		conn->batch =
		    went < (ssize_t)BATCH_LEAST ? BATCH_LEAST : (size_t)went;
	return conn->blocked ? 0 : (size_t)went;
}

static bool
is_limited(const struct bt_conn *conn)
{
	return conn->client->up.limit_bps != 0 ||
	       conn->swarm->up.limit_bps != 0;
}

static void
wait_for_turn(struct bt_conn *conn, bool first)
{
	struct bt_client *c = conn->client;

	if (conn->in_up && !first)
		return;
	if (conn->in_up)
		TAILQ_REMOVE(&c->up_line, conn, up);
	else
		c->nup++;
	conn->in_up = true;
	if (first)
		TAILQ_INSERT_HEAD(&c->up_line, conn, up);
	else
		TAILQ_INSERT_TAIL(&c->up_line, conn, up);
}

/*
 * Control messages wait for no turn and no worker: they are short, and what
 * they ask and tell keeps the links of others busy. Those behind the rest of a
 * block make it the next to go. Then blocks wait.
 */
static void
send_control(struct bt_conn *conn)
{
	struct bt_torrent *t = conn->swarm->torrent;
	int64_t now = bt_loop_now(conn->client->conf.loop);
	struct bt_tx tx;
	bool is_begun;

	while (!conn->blocked && bt_torrent_tx(t, conn->slot, &tx, now)) {
		is_begun = tx.nblocks > 0 && tx.blocks[0].skip > 0;
		if (tx.head.n == 0 || is_begun) {
			bt_torrent_tx_done(t, conn->slot, 0, now);
			if (!conn->cold_out)
				wait_for_turn(conn, tx.head.n > 0);
			return;
		}
		if (!account(conn, bt_tcp_send(conn->fd, &tx.head, 1),
			tx.head.n, now))
			return;
	}
}

/*
 * The core may have closed this peer within: the conn lives until its BT_FX_
 * CLOSE is obeyed by bt_swarm_step(), which is not called from here.
 */
void
bt_send_run(struct bt_conn *conn)
{
	size_t sum = 0, n;

	if (conn->state != CONN_PEER || conn->blocked)
		return;
	if (is_limited(conn) || conn->cold_out) {
		send_control(conn);
		return;
	}
	do {
		n = send_batch(conn, SIZE_MAX);
		sum += n;
	} while (n > 0 && !conn->cold_out && sum < EVENT_BYTES);
	/* There is more, but others wait too: go on in the next iteration. */
	if (n > 0 && !conn->cold_out)
		wait_for_room(conn);
}

/* By turns, as in bt_conn_pump_down(). */
void
bt_send_pump(struct bt_client *c)
{
	struct bt_conn *conn;
	struct bt_swarm *s;
	int64_t now = bt_loop_now(c->conf.loop), when, first = BT_NEVER;
	uint64_t turn;
	unsigned idle = 0;

	if (c->pumping)
		return;
	c->pumping = true;
	while (idle < c->nup && (conn = TAILQ_FIRST(&c->up_line)) != NULL) {
		s = conn->swarm;
		turn = bt_conn_turn(&c->up, &s->up);
		if (bt_bucket_may(&c->up, now) < turn) {
			first = bt_bucket_wait(&c->up, turn, now);
			break;
		}
		TAILQ_REMOVE(&c->up_line, conn, up);
		conn->in_up = false;
		c->nup--;
		if (bt_bucket_may(&s->up, now) < turn) {
			wait_for_turn(conn, false);
			idle++;
			when = bt_bucket_wait(&s->up, turn, now);
			if (when < first)
				first = when;
			continue;
		}
		if (!conn->blocked && !conn->cold_out &&
		    send_batch(conn, turn) > 0)
			wait_for_turn(conn, false);
		bt_swarm_step(s);
		idle = 0;
	}
	c->pumping = false;
	if (first != BT_NEVER)
		bt_loop_timer_at(c->up_timer, first);
}
