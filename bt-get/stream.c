/*
 * stream - verified content in order to stdout, with back-pressure.
 *
 * A thread of its own writes, since a reader may be slow for hours and a loop
 * or a hashing worker must not wait for it. Pieces beyond a window from what
 * was written are not begun, so a slow reader slows the download.
 */
#include <errno.h>
#include <unistd.h>

#include "base/mem.h"
#include "disk/jobs.h"
#include "get.h"

#define CHUNK (256u << 10) /* read and written at once */

struct stream {
	struct bt_pool_job job; /* first; one run at a time */
	struct get *g;
	struct bt_pool *pool;
	struct bt_loop_watch *watch;
	uint32_t file;	 /* the next selected file */
	uint64_t at;	 /* in the whole content */
	uint64_t n;	 /* bytes the job writes from there */
	uint64_t window; /* bytes ahead of `at` */
	bool busy, done;
	int code;	   /* errno of a failed write, or 0 */
	struct bt_err err; /* or of a failed read */
	uint8_t *chunk;
};

static void
run(struct bt_pool_job *job)
{
	struct stream *s = (struct stream *)(void *)job;
	uint64_t at = s->at, left = s->n;
	size_t n, out;
	ssize_t went;

	while (left > 0) {
		n = left < CHUNK ? (size_t)left : CHUNK;
		if (bt_files_read(s->g->m.files, at, s->chunk, n, &s->err) ==
		    -1)
			return;
		for (out = 0; out < n; out += (size_t)went) {
			went = write(STDOUT_FILENO, s->chunk + out, n - out);
			if (went == -1 && errno != EINTR) {
				s->code = errno;
				return;
			}
			if (went == -1)
				went = 0;
		}
		at += n;
		left -= n;
	}
}

/* Skip to the first selected byte at or after s->at; false at the end. */
static bool
seek(struct stream *s)
{
	const struct bt_layout *l = s->g->m.layout;
	struct bt_file f;

	for (; s->file < l->files->n; s->file++) {
		f = bt_filetab_get(l->files, s->file);
		if (!bt_bits_has(&s->g->selected, s->file) || f.size == 0 ||
		    f.offset + f.size <= s->at)
			continue; /* an empty one is in no piece */
		if (s->at < f.offset)
			s->at = f.offset;
		return true;
	}
	return false;
}

void
stream_go_on(struct stream *s)
{
	const struct bt_layout *l = s->g->m.layout;
	struct bt_file f;
	uint64_t end, limit;
	uint32_t piece;

	if (s->busy || s->done)
		return;
	if (!seek(s)) {
		s->done = true;
		return;
	}
	limit = (s->at + s->window) / l->piece_length + 1;
	bt_swarm_horizon(
	    s->g->m.swarm, limit > UINT32_MAX ? UINT32_MAX : (uint32_t)limit);
	piece = (uint32_t)(s->at / l->piece_length);
	if (!bt_bits_has(bt_swarm_have(s->g->m.swarm), piece))
		return;
	f = bt_filetab_get(l->files, s->file);
	end = (uint64_t)(piece + 1) * l->piece_length;
	if (end > f.offset + f.size)
		end = f.offset + f.size;
	s->n = end - s->at;
	s->busy = true;
	bt_pool_put(s->pool, &s->job);
}

static void
on_written(void *arg, unsigned what)
{
	struct stream *s = arg;
	struct get *g = s->g;

	(void)what;
	if (bt_pool_done(s->pool) == NULL)
		return;
	s->busy = false;
	if (s->err.kind != BT_ENONE) {
		bt_member_stop(&g->m, &s->err);
		return;
	}
	if (s->code != 0) {
		/* bt_cli_end() says it, or ends by SIGPIPE for EPIPE. */
		bt_out_on_error(&g->conf->cli->out, s->code);
		bt_member_stop(&g->m, NULL);
		return;
	}
	s->at += s->n;
	if (g->m.state != BT_MEMBER_RUNNING)
		return;
	stream_go_on(s);
	get_leave_if_free(g);
}

struct stream *
stream_new(struct get *g, struct bt_err *err)
{
	struct stream *s = bt_mem_zero(1, sizeof(*s));

	s->g = g;
	s->job.run = run;
	s->window = g->conf->net.memory / 2;
	if (s->window < 4 * (uint64_t)g->m.layout->piece_length)
		s->window = 4 * (uint64_t)g->m.layout->piece_length;
	s->pool = bt_pool_new(1, err);
	if (s->pool == NULL) {
		bt_mem_free(s);
		return NULL;
	}
	s->chunk = bt_mem_pages(CHUNK);
	s->watch = bt_loop_watch_new(
	    g->m.session->loop, bt_pool_fd(s->pool), on_written, s);
	bt_loop_watch_set(s->watch, BT_LOOP_READ);
	return s;
}

void
stream_free(struct stream *s)
{
	if (s == NULL)
		return;
	bt_loop_watch_free(s->watch);
	bt_pool_free(s->pool);
	bt_mem_free(s->chunk);
	bt_mem_free(s);
}

bool
stream_is_busy(const struct stream *s)
{
	return s->busy;
}

bool
stream_is_done(const struct stream *s)
{
	return s->done;
}
