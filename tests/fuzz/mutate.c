/*
 * mutate - real torrents with faults, through bt-info's own entry.
 *
 *	mutate COUNT SEED TORRENT...	each goes through a way of showing it and
 *					through --lint; ends with "passed: COUNT"
 *	mutate -w FOLDER COUNT SEED TORRENT...	writes them there instead
 *
 * A mutation knows where values begin and end, so that most keep their form and
 * many are still torrents. What must hold for each: a result of 0, or a
 * sentence of a kind that exits 3; what cannot be shown has a lint error; it
 * ends within a minute. The same SEED gives the same mutations, and the one
 * that is tried lies in a file, which stays when it fails.
 */
#include <assert.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/rng.h"
#include "codec/bencode.h"
#include "fuzz.h"
#include "info.h"
#include "job.h"

#define VALUES_MAX 4096
#define SIZE_MAX_HERE (1u << 20)
#define PATIENCE_S 60

struct value {
	size_t at, n;
	bool is_key;
};

struct mutant {
	struct bt_rng rng;
	struct bt_buf buf, next;
	struct value values[VALUES_MAX];
	size_t nvalues;
};

static const struct bt_tool tool = { .name = "mutate",
	.args = "",
	.purpose = "",
	.opts = (const struct bt_opt[]){ { 0 } },
	.json = "objects",
	.examples = "" };

static uint32_t
pick(struct mutant *m, uint32_t n)
{
	return bt_rng_below(&m->rng, n);
}

static void
find_values(struct mutant *m, struct bt_str in, size_t base, unsigned depth)
{
	struct bt_ben v = bt_ben_at(in), item;
	struct bt_ben_iter it = { 0 };
	struct bt_str key;
	size_t was = 1;

	if (v.type == BT_BEN_NONE || m->nvalues == VALUES_MAX || depth == 12)
		return;
	m->values[m->nvalues++] = (struct value){ base, v.raw.n, false };
	while (bt_ben_next(&v, &it, &item)) {
		find_values(m, item.raw, base + was, depth + 1);
		was = it.at;
	}
	for (was = 1; bt_ben_next_key(&v, &it, &key, &item); was = it.at) {
		size_t at = (size_t)(item.raw.p - in.p);

		if (m->nvalues < VALUES_MAX)
			m->values[m->nvalues++] =
			    (struct value){ base + was, at - was, true };
		find_values(m, item.raw, base + at, depth + 1);
	}
}

/* Something that a value can be replaced by. */
static void
put_any(struct mutant *m, struct bt_buf *to)
{
	static const char *const texts[] = { "..", "", ".", "a/b", "/x", "CON",
		"x", "y", "length", "\xff\xfe", "a\nb", "\xc3\xa9", "p", "l",
		"http://h/", "udp://h:1/", "http://[::1", "name", "path" };
	static const int64_t numbers[] = { 0, 1, 2, 3, -1, 20, 16383, 16384,
		16385, 32768, 65536, 1 << 20, INT32_MAX, UINT32_MAX,
		(int64_t)1 << 40, (int64_t)1 << 61, (int64_t)1 << 62, INT64_MAX,
		INT64_MIN };

	switch (pick(m, 8)) {
	case 0:
		bt_buf_puts(to, "le");
		break;
	case 1:
		bt_buf_puts(to, "de");
		break;
	case 2:
	case 3:
	case 4:
		bt_ben_put_cstr(
		    to, texts[pick(m, sizeof(texts) / sizeof(texts[0]))]);
		break;
	default:
		bt_ben_put_int(
		    to, numbers[pick(m, sizeof(numbers) / sizeof(numbers[0]))]);
	}
}

/* A string of the same or another length, a number near by, or anything. */
static void
put_changed(struct mutant *m, struct bt_str old, struct bt_buf *to)
{
	struct bt_ben v = bt_ben_at(old);
	uint8_t *copy;
	size_t n;

	if (v.type == BT_BEN_INT && pick(m, 2) == 0) {
		bt_ben_put_int(to, (int64_t)((uint64_t)v.num + pick(m, 5) - 2));
		return;
	}
	if (v.type != BT_BEN_STR || v.str.n == 0 || pick(m, 4) == 0) {
		put_any(m, to);
		return;
	}
	copy = bt_mem_dup(v.str.p, v.str.n);
	n = pick(m, 4) == 0 ? pick(m, (uint32_t)v.str.n + 1) : v.str.n;
	copy[pick(m, (uint32_t)v.str.n)] = (uint8_t)pick(m, 256);
	bt_ben_put_str(to, (struct bt_str){ copy, n });
	bt_mem_free(copy);
}

/* One fault of the form, beneath all values. */
static void
break_bytes(struct mutant *m)
{
	struct bt_buf *b = &m->buf;

	if (b->n == 0)
		return;
	switch (pick(m, 3)) {
	case 0:
		b->p[pick(m, (uint32_t)b->n)] = (uint8_t)pick(m, 256);
		break;
	case 1:
		b->n = pick(m, (uint32_t)b->n + 1);
		break;
	default:
		bt_buf_putc(b, "e0:d"[pick(m, 4)]);
	}
}

/* The bytes before, something else in place of from .. to, the bytes behind. */
static void
splice(struct mutant *m, size_t from, size_t to, const struct bt_str parts[2])
{
	struct bt_str was = bt_buf_str(&m->buf);
	struct bt_buf swap;

	bt_buf_clear(&m->next);
	bt_buf_add(&m->next, bt_str_sub(was, 0, from));
	bt_buf_add(&m->next, parts[0]);
	bt_buf_add(&m->next, parts[1]);
	bt_buf_add(&m->next, bt_str_sub(was, to, was.n));
	swap = m->buf;
	m->buf = m->next;
	m->next = swap;
}

static void
mutate_value(struct mutant *m)
{
	struct bt_str whole = bt_buf_str(&m->buf), parts[2] = { { NULL, 0 } };
	struct value v, other;
	struct bt_buf made;

	m->nvalues = 0;
	find_values(m, whole, 0, 0);
	if (m->nvalues < 2) {
		break_bytes(m);
		return;
	}
	v = m->values[1 + pick(m, (uint32_t)m->nvalues - 1)];
	other = m->values[1 + pick(m, (uint32_t)m->nvalues - 1)];
	bt_buf_init(&made, SIZE_MAX_HERE);
	switch (pick(m, 8)) {
	case 0: /* gone */
		break;
	case 1: /* twice */
		parts[0] = parts[1] = bt_str_sub(whole, v.at, v.at + v.n);
		break;
	case 2: /* another's */
		parts[0] = bt_str_sub(whole, other.at, other.at + other.n);
		break;
	case 3: /* beside it */
		parts[0] = bt_str_sub(whole, v.at, v.at + v.n);
		parts[1] = bt_str_sub(whole, other.at, other.at + other.n);
		break;
	default:
		put_changed(m, bt_str_sub(whole, v.at, v.at + v.n), &made);
		parts[0] = bt_buf_str(&made);
	}
	if (v.n + parts[0].n + parts[1].n < SIZE_MAX_HERE - whole.n)
		splice(m, v.at, v.at + v.n, parts);
	bt_buf_fini(&made);
}

static void
make(struct mutant *m, struct bt_str seed)
{
	uint32_t n = 1 + pick(m, 3);

	bt_buf_clear(&m->buf);
	bt_buf_add(&m->buf, seed);
	for (uint32_t i = 0; i < n; i++)
		if (pick(m, 10) == 0)
			break_bytes(m);
		else
			mutate_value(m);
}

/* What a tool would say of it: -1 is a sentence of a kind that exits 3. */
static int
run(struct job *job, enum job_mode mode, struct bt_str in)
{
	struct bt_err e = BT_ERR_INIT;
	int rc;

	job->mode = mode;
	rc = job_run_bytes(job, "x", in, &e);
	if (rc == 0) {
		assert(e.kind == BT_ENONE);
		return 0;
	}
	assert(e.kind == BT_EINPUT || e.kind == BT_ELIMIT);
	assert(e.text[0] != '\0');
	assert(is_harmless(e.text));
	return -1;
}

/* Where the mutation that is tried lies. */
static struct {
	char path[4096];
	int fd;
} kept;

static void
keep_begin(const char *seed)
{
	const char *dir = getenv("TMPDIR");

	snprintf(kept.path, sizeof(kept.path), "%s/mutation.XXXXXX",
	    dir == NULL ? "/tmp" : dir);
	kept.fd = mkstemp(kept.path);
	if (kept.fd == -1)
		err(1, "cannot make '%s'", kept.path);
	printf("seed %s; what fails stays in '%s'\n", seed, kept.path);
	fflush(stdout);
}

/* A crash in whatever way, that of a sanitizer too, finds the bytes there. */
static void
keep(struct bt_str in)
{
	if (pwrite(kept.fd, in.p, in.n, 0) != (ssize_t)in.n ||
	    ftruncate(kept.fd, (off_t)in.n) == -1)
		err(1, "cannot write '%s'", kept.path);
}

/* Does it still show? An input is a block of its own exact size. */
static bool
try(struct job jobs[2], struct mutant *m, uint32_t turn)
{
	static const enum job_mode modes[] = { SHOW, PRINT, LIST, TREE };
	struct bt_str in = bt_buf_str(&m->buf);
	uint8_t *exact = bt_mem_dup(in.p, in.n);
	int rc, lint;

	keep(in);
	in.p = exact;
	alarm(PATIENCE_S);
	rc = run(&jobs[turn % 2], modes[turn / 2 % 4], in);
	lint = run(&jobs[turn / 2 % 2], LINT, in);
	assert(rc == 0 || lint == -1);
	bt_mem_free(exact);
	return rc == 0;
}

static void
start_job(struct job *job, FILE *out, bool json)
{
	static char name[] = "mutate", option[] = "--json";
	static char *args[] = { name, option, NULL };

	args[1] = json ? option : NULL;
	bt_cli_start(&job->cli, &tool, json ? 2 : 1, args);
	while (bt_cli_next(&job->cli) != -1)
		continue;
	bt_out_init(&job->cli.out, out);
	job->cli.quiet = false;
	job->nfields = info_field_count();
	job->fields = bt_mem_array(job->nfields, sizeof(*job->fields));
	for (size_t i = 0; i < job->nfields; i++)
		job->fields[i] = (int)i;
}

static void
read_seed(const char *path, struct bt_buf *to)
{
	FILE *f = fopen(path, "rb");
	uint8_t *p;
	size_t n;

	if (f == NULL)
		err(1, "cannot open '%s'", path);
	bt_buf_init(to, SIZE_MAX_HERE);
	p = bt_buf_room(to, SIZE_MAX_HERE);
	n = fread(p, 1, SIZE_MAX_HERE, f);
	fclose(f);
	if (n == 0 || n > SIZE_MAX_HERE / 8)
		errx(1, "'%s' is empty or too large", path);
	to->n = n;
}

static void
write_out(const char *folder, uint32_t i, struct bt_str in)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%06u.torrent", folder, i);
	f = fopen(path, "wb");
	if (f == NULL || fwrite(in.p, 1, in.n, f) != in.n || fclose(f) != 0)
		err(1, "cannot write '%s'", path);
}

int
main(int argc, char **argv)
{
	static struct mutant m;
	static struct job jobs[2];
	struct bt_buf seeds[64];
	const char *folder = NULL;
	uint32_t count, parsed = 0, n = 0;
	FILE *null = fopen("/dev/null", "w");

	if (argc > 2 && strcmp(argv[1], "-w") == 0) {
		folder = argv[2];
		argv += 2;
		argc -= 2;
	}
	if (argc < 4 || null == NULL)
		errx(2, "usage: mutate [-w FOLDER] COUNT SEED TORRENT...");
	count = (uint32_t)strtoul(argv[1], NULL, 10);
	bt_rng_seed(&m.rng, strtoull(argv[2], NULL, 10));
	for (; n < 64 && argv[3 + n] != NULL; n++)
		read_seed(argv[3 + n], &seeds[n]);
	bt_buf_init(&m.buf, SIZE_MAX_HERE);
	bt_buf_init(&m.next, SIZE_MAX_HERE);
	start_job(&jobs[0], null, false);
	start_job(&jobs[1], null, true);
	if (folder == NULL)
		keep_begin(argv[2]);
	for (uint32_t i = 0; i < count; i++) {
		make(&m, bt_buf_str(&seeds[i % n]));
		if (folder != NULL)
			write_out(folder, i, bt_buf_str(&m.buf));
		else
			parsed += try(jobs, &m, i / n);
	}
	for (uint32_t i = 0; i < n; i++)
		bt_buf_fini(&seeds[i]);
	if (folder == NULL) {
		unlink(kept.path);
		printf(
		    "%u of %u mutations are torrents still\n", parsed, count);
		if (parsed < count / 10)
			errx(1, "fewer than a tenth are torrents");
		printf("passed: %u\n", count);
	}
	return 0;
}
