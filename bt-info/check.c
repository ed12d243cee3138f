#include "check.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/signal.h"
#include "disk/verify_stream.h"

static bool
on_piece(void *arg, uint32_t piece, bool good)
{
	struct check *c = arg;
	struct timespec now;

	c->done += bt_layout_piece_size(c->layout, piece);
	check_on_piece(c, piece, good);
	clock_gettime(CLOCK_MONOTONIC, &now);
	bt_progress_draw(&c->cli->bar,
	    (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000,
	    c->done, c->layout->size, NULL);
	c->stopped |= c->fail_fast && !good;
	return bt_signal_caught() == 0 && !c->stopped;
}

/* What the sizes alone say of each file. */
static int
look_at_sizes(struct check *c, struct bt_files *files, struct bt_err *err)
{
	struct bt_file f;
	struct bt_files_stat st;

	for (uint32_t i = 0; i < c->layout->files->n; i++) {
		f = bt_filetab_get(c->layout->files, i);
		if ((f.attr & (BT_META_PAD | BT_META_LINK)) != 0)
			continue;
		if (bt_files_stat(files, i, &st, err) == -1)
			return -1;
		if (st.state != BT_FILE_FINAL)
			c->verdicts[i] = MISSING;
		else if (st.size != f.size)
			c->verdicts[i] = st.size < f.size ? SHORT : LONG;
		c->stopped |= c->fail_fast && c->verdicts[i] != WHOLE;
	}
	check_on_sizes(c);
	return 0;
}

/* PATH must be there, and be what the torrent holds: a file or a folder. */
static int
check_kind(const struct check *c, const char *path, struct bt_err *err)
{
	struct stat st;

	if (stat(path, &st) == -1)
		return bt_err_sys(err, "cannot open '%s'", path);
	if (c->layout->single && S_ISDIR(st.st_mode))
		return bt_err_set(err, BT_EMISMATCH,
		    "'%s' is a folder, and "
		    "'%s' is of one file",
		    path, c->in->operand);
	if (!c->layout->single && !S_ISDIR(st.st_mode))
		return bt_err_set(err, BT_EMISMATCH,
		    "'%s' is no folder, and "
		    "'%s' is of a folder",
		    path, c->in->operand);
	return 0;
}

static int
check_path(struct check *c, const char *path, struct bt_err *err)
{
	struct bt_files_conf conf = {
		.layout = c->layout,
		.root = ".",
		.content = path,
		.mode = BT_FILES_READ,
	};
	struct bt_verify_progress progress = { on_piece, c };
	struct bt_files *files;
	int rc;

	if (check_kind(c, path, err) == -1)
		return -1;
	if (bt_files_open(&files, &conf, err) == -1)
		return -1;
	rc = look_at_sizes(c, files, err);
	if (rc == 0 && !c->stopped) {
		rc = bt_verify_meta(files, c->layout, &c->in->meta, 0,
		    &progress, &c->good, err);
		rc = c->stopped ? 0 : rc;
	}
	bt_files_close(files);
	return rc;
}

/* The files end to end on stdin: what did not come is missing or short. */
static int
check_stdin(struct check *c, struct bt_err *err)
{
	struct bt_verify_progress progress = { on_piece, c };
	struct bt_file f;
	uint64_t came;
	int rc;

	if (c->in->meta.has_v1)
		rc = bt_verify_stream(STDIN_FILENO, "standard input", c->layout,
		    0, &progress, &c->good, &came, err);
	else
		rc = bt_verify_stream_v2(STDIN_FILENO, "standard input",
		    c->layout, &c->in->meta, &progress, &c->good, &came, err);
	if (c->stopped)
		return 0;
	if (rc == -1)
		return -1;
	for (uint32_t i = 0; i < c->layout->files->n; i++) {
		f = bt_filetab_get(c->layout->files, i);
		if (came < f.offset + f.size)
			c->verdicts[i] = came <= f.offset ? MISSING : SHORT;
	}
	c->trailing = came > c->layout->size;
	check_on_sizes(c);
	return 0;
}

static void
init(struct check *c)
{
	const struct bt_layout *l = c->layout;
	uint32_t n = 0;

	c->verdicts = bt_mem_zero(l->files->n, sizeof(*c->verdicts));
	c->left = bt_mem_zero(l->files->n, sizeof(*c->left));
	c->index = bt_mem_zero(l->files->n, sizeof(*c->index));
	for (uint32_t i = 0; i < l->files->n; i++) {
		if (info_is_listed(c->in, i))
			c->index[i] = ++n;
		c->left[i] =
		    bt_filetab_size(l->files, i) == 0
			? 0
			: bt_layout_last(l, i) - bt_layout_first(l, i) + 1;
	}
	bt_bits_init(&c->good, l->pieces);
	bt_bits_init(&c->bad, l->pieces);
	bt_bits_init(&c->explained, l->pieces);
	bt_bits_init(&c->told, l->files->n);
}

int
info_check(const struct info *in, const char *path, bool fail_fast,
    struct bt_cli *cli, struct bt_err *err)
{
	struct check c = { .in = in, .cli = cli, .fail_fast = fail_fast };
	int rc;

	c.layout = bt_layout_new(&in->meta);
	init(&c);
	if (strcmp(path, "-") == 0)
		rc = check_stdin(&c, err);
	else
		rc = check_path(&c, path, err);
	bt_progress_clear(&cli->bar);
	if (rc == 0)
		rc = check_report(&c, path, err);
	bt_bits_fini(&c.told);
	bt_bits_fini(&c.explained);
	bt_bits_fini(&c.bad);
	bt_bits_fini(&c.good);
	bt_mem_free(c.index);
	bt_mem_free(c.left);
	bt_mem_free(c.verdicts);
	bt_layout_free(c.layout);
	return rc;
}
