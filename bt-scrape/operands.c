/*
 * What is asked about, and whom: operands, and the lines of standard input.
 */
#include <string.h>

#include "base/mem.h"
#include "codec/metainfo.h"
#include "codec/url.h"
#include "scrape.h"

/* More of an array whose count is small: operands and their trackers. */
#define GROW(array, n) \
	((array) = bt_mem_resize((array), (n) + 1, sizeof(*(array))))

void
scrape_add_hash(struct job *job, const uint8_t hash[20])
{
	struct torrent t = { .size = 1 };

	memcpy(t.info_hash, hash, 20);
	GROW(job->torrents, job->ntorrents);
	job->torrents[job->ntorrents++] = t;
}

void
scrape_add_tracker(struct job *job, const char *url)
{
	GROW(job->trackers, job->ntrackers);
	job->trackers[job->ntrackers++] = bt_mem_strdup(url);
}

static bool
ends_with(struct bt_str s, struct bt_str tail)
{
	return s.n >= tail.n &&
	       bt_str_eq(bt_str_sub(s, s.n - tail.n, s.n), tail);
}

/*
 * An http URL is a tracker's if its path ends in announce... or scrape..., as
 * BEP 48 has it; else a torrent is fetched from there.
 */
static bool
is_tracker(const char *operand)
{
	struct bt_err ignored = BT_ERR_INIT;
	struct bt_str last;
	struct bt_url u;
	size_t at;

	if (strncmp(operand, "udp://", 6) == 0)
		return true;
	if (bt_url_parse(bt_str_of(operand), &u, &ignored) == -1)
		return false;
	for (at = u.path.n; at > 0 && u.path.p[at - 1] != '/'; at--)
		;
	last = bt_str_sub(u.path, at, u.path.n);
	return (bt_str_starts(last, STR("announce")) ||
		   bt_str_starts(last, STR("scrape"))) &&
	       !ends_with(last, STR(".torrent"));
}

static int
take_torrent(struct job *job, struct bt_str bytes, struct bt_err *err)
{
	struct torrent t = { 0 };
	struct bt_meta meta;

	if (bt_meta_parse(bytes, &meta, err) == -1)
		return -1;
	memcpy(t.info_hash, bt_meta_wire_hash(&meta), 20);
	t.size = meta.size;
	for (uint32_t i = 0; i < meta.ntrackers; i++) {
		GROW(t.trackers, t.ntrackers);
		t.trackers[t.ntrackers++] = bt_str_dup(meta.trackers[i].url);
	}
	bt_meta_fini(&meta);
	GROW(job->torrents, job->ntorrents);
	job->torrents[job->ntorrents++] = t;
	return 0;
}

/* What is said by one word: a tracker, or where a torrent is. */
static int
take_word(struct job *job, struct bt_input *input, const char *word,
    struct bt_err *err)
{
	struct bt_buf bytes;
	struct bt_url u;
	int rc;

	if (is_tracker(word)) {
		if (bt_url_parse(bt_str_of(word), &u, err) == -1)
			return -1;
		scrape_add_tracker(job, word);
		return 0;
	}
	rc = bt_input_torrent(input, word, &bytes, err);
	if (rc == 0) {
		rc = take_torrent(job, bt_buf_str(&bytes), err);
		if (rc == -1)
			bt_err_prefix(err, "'%s'", word);
	}
	bt_buf_fini(&bytes);
	return rc;
}

/* A line of standard input: an info-hash, or what an operand may be but `-`. */
static int
take_line(struct job *job, struct bt_input *input, struct bt_str line,
    struct bt_err *err)
{
	uint8_t hash[20];
	char *word;
	int rc;

	if (bt_str_unhex(line, hash, 20) == 0) {
		scrape_add_hash(job, hash);
		return 0;
	}
	word = bt_str_dup(line);
	rc = take_word(job, input, word, err);
	bt_mem_free(word);
	return rc;
}

/*
 * Text that says what to ask about, and not a torrent: that begins with a 'd',
 * a length and a colon, and its hashes have bytes that no text has.
 */
static bool
is_lines(struct bt_str s)
{
	size_t at = 1;

	for (size_t i = 0; i < s.n; i++)
		if ((s.p[i] < ' ' && s.p[i] != '\n' && s.p[i] != '\r') ||
		    s.p[i] == 0x7f)
			return false;
	while (at < s.n && s.p[at] >= '0' && s.p[at] <= '9')
		at++;
	return s.p[0] != 'd' || at == 1 || at == s.n || s.p[at] != ':';
}

static void
take_lines(struct job *job, struct bt_input *input, struct bt_str text)
{
	struct bt_err err = BT_ERR_INIT;
	struct bt_str line;
	size_t at;

	while (text.n > 0) {
		at = bt_str_find(text, '\n');
		line = bt_str_sub(text, 0, at);
		text = bt_str_sub(text, at < text.n ? at + 1 : at, text.n);
		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		if (line.n > 0 && take_line(job, input, line, &err) == -1)
			bt_cli_fail(&job->cli, &err);
	}
}

void
scrape_take_operand(
    struct job *job, struct bt_input *input, const char *operand)
{
	struct bt_err err = BT_ERR_INIT;
	struct bt_buf bytes;
	int rc = 0;

	if (strcmp(operand, "-") != 0) {
		if (take_word(job, input, operand, &err) == -1)
			bt_cli_fail(&job->cli, &err);
		return;
	}
	rc = bt_input_torrent(input, operand, &bytes, &err);
	if (rc == 0 && is_lines(bt_buf_str(&bytes)))
		take_lines(job, input, bt_buf_str(&bytes));
	else if (rc == 0) {
		rc = take_torrent(job, bt_buf_str(&bytes), &err);
		if (rc == -1)
			bt_err_prefix(&err, "'%s'", operand);
	}
	if (rc == -1)
		bt_cli_fail(&job->cli, &err);
	bt_buf_fini(&bytes);
}

void
scrape_free(struct job *job)
{
	for (size_t i = 0; i < job->ntorrents; i++) {
		for (size_t k = 0; k < job->torrents[i].ntrackers; k++)
			bt_mem_free(job->torrents[i].trackers[k]);
		bt_mem_free(job->torrents[i].trackers);
	}
	for (size_t i = 0; i < job->ntrackers; i++)
		bt_mem_free(job->trackers[i]);
	bt_mem_free(job->torrents);
	bt_mem_free(job->trackers);
}
