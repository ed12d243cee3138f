#include "disk/resume.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/rd.h"
#include "disk/files_priv.h"
#include "disk/holes.h"
#include "disk/names.h"
#include "disk/sealed.h"
#include "disk/slurp.h"

/*
 * The state file, numbers big-endian:
 *
 *	"bt-state" version(4)=2 info-hash(20) size(8) pieces(4) files(4)
 *	boot(16) saved_ns(8) have bits((pieces + 7) / 8) safe bits(the same)
 *	files times: state(1) size(8) mtime_ns(8) safe_ns(8)
 *	SHA-1 of all before(20)
 *
 * boot is the kernel's boot id (all ones: not known, and like no other), or
 * zeros, the clean mark: what was written is on the disk for certain. A kill
 * leaves the page cache whole, so state is believed within one boot. After a
 * power cut a file may have its size and time and yet not its bytes: then only
 * those pieces are believed that were had when the last sync began, safe, if the
 * file's time lies between what it was then, safe_ns, and what our own last
 * writes can have made it.
 */
#define SETTLE_S 2     /* more than a finished job waits to be known of */
#define UNSETTLED 0xff /* in place of a file's state: not vouched for */
#define MAGIC "bt-state"
#define VERSION 2u
#define BOOT_LEN 16u
#define HEAD_LEN (8u + 4u + 20u + 8u + 4u + 4u + BOOT_LEN + 8u)
#define FILE_LEN (1u + 8u + 8u + 8u)
#define NS INT64_C(1000000000)
#define BOOT_ID "/proc/sys/kernel/random/boot_id"

enum trust { NOT_AT_ALL, IF_SAFE, FULLY };

/* A file as it last was. */
struct seen {
	uint64_t size;
	int64_t mtime_ns;
	uint8_t state; /* enum bt_files_state */
};

struct bt_resume {
	const struct bt_layout *layout;
	char *path;	/* of the state */
	char *new_path; /* of the state that is being written */
	char *lock_path;
	int lock;
	/*
	 * Of each file. What does not change is not written: the pages of a
	 * million files that nobody wants are zeros and take no memory.
	 */
	struct seen *seen;
	int64_t *safe_ns, *syncing_ns; /* times when a sync began */
	struct bt_bits safe, syncing;  /* pieces on the disk; and soon */
	uint8_t boot[BOOT_LEN];	       /* of this boot; zeros if not known */
};

/* The boot id is text of a UUID; zeros: it cannot be read. */
static void
read_boot(uint8_t boot[BOOT_LEN])
{
	struct bt_err ignored = BT_ERR_INIT;
	struct bt_buf text;
	char hex[2 * BOOT_LEN];
	size_t n = 0;

	memset(boot, 0, BOOT_LEN);
	bt_buf_init(&text, 64);
	if (bt_slurp_file(BOOT_ID, &text, &ignored) == 0) {
		for (size_t i = 0; i < text.n && n < sizeof(hex); i++)
			if (text.p[i] != '-')
				hex[n++] = (char)text.p[i];
		if (n < sizeof(hex) ||
		    bt_str_unhex((struct bt_str){ (uint8_t *)hex, n }, boot,
			BOOT_LEN) == -1)
			memset(boot, 0, BOOT_LEN);
	}
	bt_buf_fini(&text);
}

static bool
is_zero(const uint8_t boot[BOOT_LEN])
{
	static const uint8_t zeros[BOOT_LEN];

	return memcmp(boot, zeros, BOOT_LEN) == 0;
}

/* Does the lock file that fd has open still have its name? */
static bool
is_named(int fd, const char *path)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && lstat(path, &b) == 0 &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/*
 * Who ends removes the file while it holds the lock, so a lock got on a file
 * without a name locks nothing: then again. Somebody else's progress ends the
 * loop, or the lock is got.
 */
static int
take_lock(
    struct bt_resume *r, const char *root, const char *leaf, struct bt_err *err)
{
	struct stat st;

	for (;;) {
		r->lock = open(r->lock_path,
		    O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK |
			O_NOCTTY,
		    0666);
		if (r->lock == -1)
			return bt_err_sys(
			    err, "cannot open '%s'", r->lock_path);
		if (fstat(r->lock, &st) == -1 || !S_ISREG(st.st_mode))
			return bt_err_set(err, BT_EFILE,
			    "cannot lock '%s': not a regular file",
			    r->lock_path);
		if (flock(r->lock, LOCK_EX | LOCK_NB) == -1) {
			if (errno == EWOULDBLOCK)
				return bt_err_set(err, BT_EFILE,
				    "'%s' is being downloaded into '%s' "
				    "already",
				    leaf == NULL ? r->layout->name : leaf,
				    root);
			return bt_err_sys(
			    err, "cannot lock '%s'", r->lock_path);
		}
		if (is_named(r->lock, r->lock_path))
			return 0;
		close(r->lock);
	}
}

static void
free_resume(struct bt_resume *r)
{
	if (r->lock != -1)
		close(r->lock);
	bt_mem_free(r->path);
	bt_mem_free(r->new_path);
	bt_mem_free(r->lock_path);
	bt_mem_free(r->seen);
	bt_mem_free(r->safe_ns);
	bt_mem_free(r->syncing_ns);
	bt_bits_fini(&r->safe);
	bt_bits_fini(&r->syncing);
	bt_mem_free(r);
}

int
bt_resume_open(struct bt_resume **out, const char *root,
    const struct bt_layout *layout, const char *leaf, struct bt_err *err)
{
	struct bt_resume *r = bt_mem_zero(1, sizeof(*r));
	char *name = bt_names_hidden(layout, leaf, "bt");
	char *fresh = bt_names_hidden(layout, leaf, "new");
	char *lock = bt_names_lock(layout, leaf);
	struct stat st;
	int rc = 0;

	r->layout = layout;
	r->lock = -1;
	r->path = bt_mem_printf("%s/%s", root, name);
	r->new_path = bt_mem_printf("%s/%s", root, fresh);
	r->lock_path = bt_mem_printf("%s/%s", root, lock);
	r->seen = bt_mem_zero(layout->files->n, sizeof(*r->seen));
	r->safe_ns = bt_mem_zero(layout->files->n, sizeof(*r->safe_ns));
	r->syncing_ns = bt_mem_zero(layout->files->n, sizeof(*r->syncing_ns));
	bt_bits_init(&r->safe, layout->pieces);
	bt_bits_init(&r->syncing, layout->pieces);
	bt_mem_free(name);
	bt_mem_free(fresh);
	bt_mem_free(lock);
	read_boot(r->boot);
	if (lstat(r->path, &st) == 0 && !S_ISREG(st.st_mode))
		rc = bt_err_set(err, BT_EFILE,
		    "cannot keep state in '%s': not a regular file", r->path);
	if (rc == 0)
		rc = take_lock(r, root, leaf, err);
	if (rc == -1) {
		free_resume(r);
		return -1;
	}
	*out = r;
	return 0;
}

void
bt_resume_close(struct bt_resume *r)
{
	if (r == NULL)
		return;
	unlink(r->lock_path); /* while it is ours */
	free_resume(r);
}

void
bt_resume_remove(struct bt_resume *r)
{
	unlink(r->path); /* there may be none */
	unlink(r->new_path);
}

static uint64_t
state_len(const struct bt_layout *l)
{
	return HEAD_LEN + 2 * bt_bits_bytes(l->pieces) +
	       (uint64_t)l->files->n * FILE_LEN + BT_SHA1_LEN;
}

static int64_t
clock_ns(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_REALTIME, &now) == -1)
		return 0;
	return (int64_t)now.tv_sec * NS + now.tv_nsec;
}

static void
put_head(const struct bt_resume *r, struct bt_files *files, struct bt_sealed *s)
{
	static const uint8_t synced[BOOT_LEN];
	const struct bt_layout *l = r->layout;
	uint8_t unknown[BOOT_LEN];
	const uint8_t *boot = is_zero(r->boot) ? unknown : r->boot;
	struct bt_buf b;

	bt_buf_init(&b, HEAD_LEN);
	memset(unknown, 0xff, BOOT_LEN);
	bt_buf_puts(&b, MAGIC);
	bt_buf_be32(&b, VERSION);
	bt_buf_add(&b, (struct bt_str){ l->info_hash, sizeof(l->info_hash) });
	bt_buf_be64(&b, l->size);
	bt_buf_be32(&b, l->pieces);
	bt_buf_be32(&b, l->files->n);
	bt_buf_add(
	    &b, (struct bt_str){
		    bt_files_is_synced(files) ? synced : boot, BOOT_LEN });
	bt_buf_be64(&b, (uint64_t)clock_ns());
	assert(b.n == b.max);
	bt_sealed_put(s, bt_buf_str(&b));
	bt_buf_fini(&b);
}

static void
set_ns(int64_t *to, int64_t ns)
{
	if (*to != ns)
		*to = ns;
}

static int
look_at_file(struct bt_resume *r, struct bt_files *files, uint32_t file,
    struct bt_err *err)
{
	struct seen *s = &r->seen[file];
	struct bt_files_stat st;

	if (bt_files_stat(files, file, &st, err) == -1)
		return -1;
	if (s->state != (uint8_t)st.state || s->size != st.size ||
	    s->mtime_ns != st.mtime_ns)
		*s = (struct seen){ st.size, st.mtime_ns, (uint8_t)st.state };
	return 0;
}

/* State, size and time of each file: asked again only where it was written. */
static int
look_at_files(struct bt_resume *r, struct bt_files *files, struct bt_err *err)
{
	uint32_t n = r->layout->files->n;
	bool side = bt_files_has_changed(files, n, false);

	for (uint32_t i = 0; i < n; i++)
		if (bt_files_has_changed(files, i, side) &&
		    look_at_file(r, files, i, err) == -1)
			return -1;
	return 0;
}

static void
put_file(
    const struct bt_resume *r, uint32_t i, int64_t settled, struct bt_sealed *s)
{
	const struct seen *f = &r->seen[i];
	uint8_t b[FILE_LEN];

	b[0] = f->mtime_ns > settled ? UNSETTLED : f->state;
	bt_put_be64(b + 1, f->size);
	bt_put_be64(b + 9, (uint64_t)f->mtime_ns);
	bt_put_be64(b + 17, (uint64_t)r->safe_ns[i]);
	bt_sealed_put(s, (struct bt_str){ b, sizeof(b) });
}

/* A file written after this has no time to be vouched for (rule 3). */
static int64_t
settled_before(bool at_rest)
{
	return at_rest ? INT64_MAX : clock_ns() - SETTLE_S * NS;
}

/*
 * Without a sync: what a power cut leaves of it fails its digest, and then the
 * content is hashed. The temporary's name is ours alone while we have the lock,
 * so that one left by a kill is found and goes.
 */
int
bt_resume_save(struct bt_resume *r, struct bt_files *files,
    const struct bt_bits *have, bool at_rest, struct bt_err *err)
{
	int64_t settled = settled_before(at_rest);
	struct bt_sealed *s;

	assert(have->n == r->layout->pieces);
	if (look_at_files(r, files, err) == -1)
		return -1;
	unlink(r->new_path); /* most often there is none */
	if (bt_sealed_create(&s, r->new_path, err) == -1)
		return -1;
	put_head(r, files, s);
	bt_sealed_put(
	    s, bt_bits_str(bt_files_has_lost(files) ? &r->safe : have));
	bt_sealed_put(s, bt_bits_str(&r->safe));
	for (uint32_t i = 0; i < r->layout->files->n; i++)
		put_file(r, i, settled, s);
	if (bt_sealed_end(s, err) == -1)
		return -1;
	if (rename(r->new_path, r->path) == -1)
		return bt_err_sys(err, "cannot write '%s'", r->path);
	return 0;
}

int
bt_resume_sync_begin(struct bt_resume *r, struct bt_files *files,
    const struct bt_bits *have, struct bt_err *err)
{
	if (look_at_files(r, files, err) == -1)
		return -1;
	for (uint32_t i = 0; i < r->layout->files->n; i++)
		set_ns(&r->syncing_ns[i], r->seen[i].mtime_ns);
	bt_bits_copy(&r->syncing, have);
	return 0;
}

void
bt_resume_sync_end(struct bt_resume *r, bool ok)
{
	if (!ok)
		return;
	for (uint32_t i = 0; i < r->layout->files->n; i++)
		set_ns(&r->safe_ns[i], r->syncing_ns[i]);
	bt_bits_copy(&r->safe, &r->syncing);
}

/* A state file that is ours, sound and to be believed. */
struct state {
	struct bt_sealed *file; /* at the next file's times */
	bool cut;		/* of another boot and without the clean mark */
	int64_t saved_ns;
};

/* The have bits or, where they are in doubt, the safe ones; the same for safe. */
static bool
take_bits(struct bt_resume *r, const struct state *s, bool is_clean,
    struct bt_bits *have)
{
	size_t n = bt_bits_bytes(r->layout->pieces);
	uint8_t *p = bt_mem_alloc(2 * n);
	struct bt_str bits = { p, n }, safe = { p + n, n };
	bool ok;

	ok = bt_sealed_take(s->file, p, 2 * n) &&
	     bt_bits_load(have, s->cut ? safe : bits) == 0 &&
	     bt_bits_load(&r->safe, is_clean ? bits : safe) == 0;
	bt_mem_free(p);
	return ok;
}

/* Rule 5. Everything but the times, which any value may be. */
static bool
parse_state(struct bt_resume *r, struct state *s, struct bt_bits *have)
{
	const struct bt_layout *l = r->layout;
	uint8_t head[HEAD_LEN], boot[BOOT_LEN];
	struct bt_rd rd = bt_rd_of((struct bt_str){ head, sizeof(head) });

	s->file = bt_sealed_open(r->path, state_len(l));
	if (s->file == NULL || !bt_sealed_take(s->file, head, sizeof(head)))
		return false;
	if (!bt_str_eq(bt_rd_take(&rd, strlen(MAGIC)), STR(MAGIC)) ||
	    bt_rd_be32(&rd) != VERSION ||
	    !bt_str_eq(bt_rd_take(&rd, sizeof(l->info_hash)),
		(struct bt_str){ l->info_hash, sizeof(l->info_hash) }) ||
	    bt_rd_be64(&rd) != l->size || bt_rd_be32(&rd) != l->pieces ||
	    bt_rd_be32(&rd) != l->files->n)
		return false;
	bt_rd_copy(&rd, boot, sizeof(boot));
	s->cut = !is_zero(boot) && memcmp(boot, r->boot, sizeof(boot)) != 0;
	s->saved_ns = (int64_t)bt_rd_be64(&rd);
	return take_bits(r, s, is_zero(boot), have);
}

/*
 * What the next file's times say of it: all that the state has of it is there;
 * or what is safe, and the rest is to be hashed; or nothing. Renamed since then,
 * it is the same file.
 */
static enum trust
judge_file(struct bt_resume *r, struct state *s, uint32_t file)
{
	const struct seen *now = &r->seen[file];
	uint8_t times[FILE_LEN] = { 0 }, was;
	bool ok = bt_sealed_take(s->file, times, sizeof(times));
	uint64_t size = bt_be64(times + 1);
	int64_t mtime = (int64_t)bt_be64(times + 9);
	int64_t safe = (int64_t)bt_be64(times + 17);

	if (!ok || now->state == BT_FILE_ABSENT)
		return NOT_AT_ALL;
	was = times[0];
	set_ns(&r->safe_ns[file], safe);
	if (s->cut)
		return safe != 0 && safe <= now->mtime_ns &&
			       now->mtime_ns / NS <=
				   s->saved_ns / NS + BT_RESUME_LATE_S
			   ? IF_SAFE
			   : NOT_AT_ALL;
	if (was == BT_FILE_PART && now->state == BT_FILE_FINAL)
		was = BT_FILE_FINAL;
	return was == now->state && size == now->size && mtime == now->mtime_ns
		   ? FULLY
		   : NOT_AT_ALL;
}

/* Pieces that a selected file touches: no other can be in the side file. */
static void
mark_selected(const struct bt_layout *l, const struct bt_files *files,
    struct bt_bits *wanted)
{
	for (uint32_t i = 0; i < l->files->n; i++)
		if (bt_files_is_selected(files, i))
			bt_layout_mark_file(l, i, wanted);
}

/* Is what file has of a piece within what is there of it? */
static bool
is_within(const struct bt_resume *r, uint32_t file, uint32_t piece)
{
	const struct bt_file f = bt_filetab_get(r->layout->files, file);
	uint64_t end = bt_layout_offset(r->layout, piece, 0) +
		       bt_layout_piece_size(r->layout, piece);

	if (end > f.offset + f.size)
		end = f.offset + f.size;
	if (r->seen[file].state != BT_FILE_SIDE)
		end -= f.offset;
	return end <= r->seen[file].size;
}

/*
 * Rule 3 for a file that differs from what state says of it; or rule 2, for
 * one of which all is doubted but what is safe.
 */
static void
doubt(const struct bt_resume *r, uint32_t file, enum trust trust,
    const struct bt_bits *wanted, struct bt_bits *have, struct bt_bits *check)
{
	uint32_t last = bt_layout_last(r->layout, file);
	uint8_t now = r->seen[file].state;

	for (uint32_t i = bt_layout_first(r->layout, file); i <= last; i++) {
		if (trust == IF_SAFE && bt_bits_has(&r->safe, i) &&
		    is_within(r, file, i))
			continue;
		bt_bits_drop(have, i);
		if (now == BT_FILE_PART || now == BT_FILE_FINAL ||
		    (now == BT_FILE_SIDE && bt_bits_has(wanted, i)))
			bt_bits_put(check, i);
	}
}

static int
compare_files(struct bt_resume *r, struct bt_files *files, struct state *s,
    struct bt_bits *have, struct bt_bits *check, struct bt_err *err)
{
	const struct bt_layout *l = r->layout;
	struct bt_bits wanted, doubted;
	enum trust trust;
	int rc = 0;

	bt_bits_init(&wanted, l->pieces);
	bt_bits_init(&doubted, l->files->n);
	mark_selected(l, files, &wanted);
	for (uint32_t i = 0; i < l->files->n && rc == 0; i++) {
		rc = look_at_file(r, files, i, err);
		trust = s == NULL ? NOT_AT_ALL : judge_file(r, s, i);
		if (rc == -1 || trust == FULLY ||
		    bt_filetab_size(l->files, i) == 0 ||
		    (l->files->at[i].attr & BT_META_PAD) != 0)
			continue;
		doubt(r, i, trust, &wanted, have, check);
		if (r->seen[i].state != BT_FILE_ABSENT)
			bt_bits_put(&doubted, i);
	}
	/* after all is marked, or a later file would mark it again */
	if (rc == 0)
		bt_holes_skip(l, files, &doubted, check);
	bt_bits_fini(&doubted);
	bt_bits_fini(&wanted);
	return rc;
}

int
bt_resume_load(struct bt_resume *r, struct bt_files *files,
    struct bt_bits *have, struct bt_bits *check, struct bt_err *err)
{
	struct state s;
	bool ok;
	int rc;

	assert(have->n == r->layout->pieces);
	assert(check->n == r->layout->pieces);
	bt_bits_fill(have, false);
	bt_bits_fill(check, false);
	ok = parse_state(r, &s, have); /* no state is no error */
	if (!ok) {
		bt_bits_fill(have, false);
		bt_bits_fill(&r->safe, false);
	}
	rc = compare_files(r, files, ok ? &s : NULL, have, check, err);
	for (uint32_t i = bt_bits_next(&r->safe, 0); i < r->safe.n;
	     i = bt_bits_next(&r->safe, i + 1))
		if (!bt_bits_has(have, i))
			bt_bits_drop(&r->safe, i);
	bt_sealed_close(s.file);
	return rc;
}
