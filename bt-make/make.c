#include "make.h"

#include <sys/stat.h>

#include <assert.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/signal.h"
#include "codec/metainfo.h"
#include "disk/author.h"
#include "disk/verify_stream.h"
#include "reuse.h"
#include "stream.h"

bool
make_progress(void *arg, uint64_t done)
{
	struct job *job = arg;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	bt_progress_draw(&job->cli.bar,
	    (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000, done,
	    job->total, NULL);
	return bt_signal_caught() == 0;
}

/* How much is left in a plain file on stdin; 0 if it is none, or a pipe. */
static uint64_t
size_of_stdin(void)
{
	struct stat st;
	off_t at = lseek(STDIN_FILENO, 0, SEEK_CUR);

	if (at == -1 || fstat(STDIN_FILENO, &st) == -1 ||
	    !S_ISREG(st.st_mode) || st.st_size < at)
		return 0;
	return (uint64_t)(st.st_size - at);
}

/* Fill s by whichever reader fits: the piece length is known, or is not yet. */
static int
hash_stdin(struct job *job, struct stream *s, struct bt_err *err)
{
	uint64_t size = size_of_stdin();
	int rc;

	*s = (struct stream){ .v1 = job->v1,
		.v2 = job->v2,
		.piece_length = job->meta.piece_length };
	job->total = size;
	if (s->piece_length == 0 && size != 0)
		s->piece_length = bt_metawrite_piece_length(size);
	if (s->v2 || s->piece_length == 0) {
		rc = stream_hash(s, STDIN_FILENO, make_progress, job, err);
	} else {
		bt_buf_init(&s->roots, 0);
		bt_buf_init(&s->hashes, BT_META_BYTES_MAX);
		rc = bt_verify_author_fd(STDIN_FILENO, "standard input",
		    s->piece_length, 0, make_progress, job, &s->hashes,
		    &s->size, err);
		if (rc == -1)
			bt_buf_fini(&s->hashes);
	}
	if (rc == 0 && size != 0 && s->size != size) {
		bt_buf_fini(&s->hashes);
		bt_buf_fini(&s->roots);
		rc = bt_err_set(err, BT_EFILE,
		    "standard input changed its size while it was read");
	}
	return rc;
}

int
make_of_stdin(struct job *job, struct bt_err *err)
{
	struct bt_metawrite_file file = { { NULL, 0 }, 0 };
	struct bt_metawrite *w = &job->meta;
	struct stream s;
	int rc;

	if (hash_stdin(job, &s, err) == -1)
		return -1;
	file.size = s.size;
	w->files = &file;
	w->nfiles = 1;
	w->single = true;
	w->piece_length = s.piece_length;
	w->piece_hashes = bt_buf_str(&s.hashes);
	w->roots = job->v2 ? s.roots.p : NULL;
	if (s.size == 0)
		rc = bt_err_set(err, BT_EINPUT,
		    "standard input has nothing to share in it");
	else
		rc = give_new(job, err);
	bt_buf_fini(&s.hashes);
	bt_buf_fini(&s.roots);
	return rc;
}

/* r is what --reuse reads, or NULL. */
static int
hash_content(struct job *job, const struct content *c, struct reuse *r,
    struct bt_err *err)
{
	struct bt_metawrite *w = &job->meta;
	uint64_t pieces;
	uint8_t *sha1 = NULL, *roots = NULL;
	struct bt_author a = { .files = c->sources,
		.n = c->nfiles,
		.piece_length = w->piece_length,
		.progress = make_progress,
		.arg = job };
	int rc;

	pieces = bt_author_pieces(a.files, a.n, a.piece_length, job->v2);
	if (pieces >
	    BT_META_BYTES_MAX / (job->v1 ? BT_SHA1_LEN : BT_SHA256_LEN))
		return bt_err_set(err, BT_ELIMIT,
		    "too many pieces of %u bytes for one torrent: give a "
		    "larger -l",
		    w->piece_length);
	if (job->v1)
		a.sha1 = sha1 = bt_mem_array(pieces, BT_SHA1_LEN);
	if (job->v2)
		a.roots = roots = bt_mem_array(pieces, BT_SHA256_LEN);
	if (r != NULL && pieces < UINT32_MAX) {
		reuse_take(r, c, pieces, sha1, roots);
		a.which = &r->left;
		job->total = r->left_bytes;
	}
	rc = bt_author_run(&a, err);
	if (rc == 0) {
		w->piece_hashes =
		    (struct bt_str){ sha1, job->v1 ? pieces * BT_SHA1_LEN : 0 };
		w->roots = roots;
		rc = give_new(job, err);
	}
	bt_mem_free(sha1);
	bt_mem_free(roots);
	return rc;
}

static int
hash_with_old(struct job *job, const struct content *c, struct bt_err *err)
{
	struct bt_metawrite *w = &job->meta;
	struct reuse r;
	int rc;

	rc = reuse_open(&r, job->reuse, err);
	if (rc == 0 && w->piece_length != r.old.piece_length)
		rc = bt_err_set(err, BT_EINPUT,
		    "cannot reuse '%s': its pieces are of %u bytes, and these "
		    "of %u: give -l %u",
		    job->reuse, r.old.piece_length, w->piece_length,
		    r.old.piece_length);
	/* of a file and of a folder: nothing is taken, whatever they are called */
	if (rc == 0 && c->single == r.old.single &&
	    !bt_str_eq(w->name, r.old.name))
		rc = bt_err_set(err, BT_EINPUT,
		    "cannot reuse '%s': it is of another name", job->reuse);
	if (rc == 0)
		rc = hash_content(job, c, &r, err);
	reuse_fini(&r);
	return rc;
}

int
make_of_path(struct job *job, const char *path, struct bt_err *err)
{
	struct bt_metawrite *w = &job->meta;
	struct content c;
	int rc = 0;

	job->scan.by_component = job->v2;
	if (content_scan(&c, path, &job->scan, err) == -1)
		return -1;
	if (c.passed_over > 0)
		bt_cli_warn(&job->cli,
		    "left out of '%s': %zu that are links or special files",
		    path, c.passed_over);
	if (w->name.n == 0)
		w->name = bt_str_of(c.name);
	if (w->piece_length == 0)
		w->piece_length = bt_metawrite_piece_length(c.size);
	w->files = c.files;
	w->nfiles = c.nfiles;
	w->single = c.single;
	job->total = c.size;
	if (!bt_meta_is_safe_name(w->name))
		rc = bt_err_set(err, BT_EUSAGE,
		    "'%s' has no name of its own: give -n NAME", path);
	else if (job->dry_run)
		give_plan(job, &c);
	else if (job->reuse != NULL)
		rc = hash_with_old(job, &c, err);
	else
		rc = hash_content(job, &c, NULL, err);
	content_fini(&c);
	return rc;
}
