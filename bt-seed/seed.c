#include "seed.h"

#include "base/mem.h"

#define SEED_PEERS 1000u /* it has much to give, and asks for nothing */

static struct seed *
seed_of(struct bt_member *m)
{
	return (struct seed *)(void *)m;
}

/* The first file that is not there as the torrent says explains most. */
static int
check_sizes(struct bt_member *m, struct bt_err *err)
{
	struct bt_files_stat st;
	char *path;
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < m->layout->files->n; i++) {
		const struct bt_file f = bt_filetab_get(m->layout->files, i);

		if (f.attr & BT_META_PAD)
			continue;
		if (bt_files_stat(m->files, i, &st, err) == -1)
			return -1;
		if (st.state == BT_FILE_FINAL && st.size == f.size)
			continue;
		path = bt_files_path(m->files, i);
		if (st.state != BT_FILE_FINAL)
			rc = bt_err_set(err,
			    m->layout->single ? BT_EFILE : BT_EMISMATCH,
			    "'%s' is missing", path);
		else
			rc = bt_err_set(err, BT_EMISMATCH,
			    "'%s' has %llu bytes and the torrent says %llu",
			    path, (unsigned long long)st.size,
			    (unsigned long long)f.size);
		bt_mem_free(path);
	}
	return rc;
}

static int
check(struct bt_member *m, struct bt_err *err)
{
	uint32_t first;

	if (bt_member_verify(m, NULL, "checking", &m->have, err) == -1)
		return -1;
	if (bt_bits_is_full(&m->have))
		return 0;
	first = bt_bits_next_clear(&m->have, 0);
	return bt_err_set(err, BT_EMISMATCH,
	    "content of '%s' does not match the torrent: %u of %u pieces are "
	    "wrong, the first is %u",
	    m->layout->name, m->layout->pieces - m->have.set, m->layout->pieces,
	    first);
}

int
seed_open(struct bt_member *m, struct bt_err *err)
{
	struct seed *s = seed_of(m);
	struct seed_conf *conf = m->session->tool;
	struct bt_files_conf fc = { .layout = m->layout,
		.root = conf->dir == NULL ? "." : conf->dir,
		.content = conf->path,
		.mode = BT_FILES_READ,
		.opened = m->session->opened };

	s->conf = conf;
	/* one torrent, and by now it is known what it calls its content */
	if (conf->dir == NULL && conf->path == NULL)
		bt_sandbox_narrow(&conf->box, m->layout->name);
	if (bt_files_open(&m->files, &fc, err) == -1 ||
	    check_sizes(m, err) == -1)
		return -1;
	if (!conf->no_check)
		return check(m, err);
	bt_bits_fill(&m->have, true);
	return 0;
}

static void
say_ready(struct bt_member *m, struct bt_client *c)
{
	struct bt_out *out = &m->session->cli->out;
	struct bt_addr a = bt_client_addr(c);
	struct bt_json j;
	char text[BT_ADDR_TEXT_MAX], hex[41];

	bt_addr_text(&a, text);
	if (m->session->cli->json) {
		bt_member_event(m, &j, "ready");
		bt_json_cstr(&j, "name", m->layout->name);
		bt_json_cstr(&j, "address", text);
		bt_json_end(&j);
		return;
	}
	bt_str_hex((struct bt_str){ m->layout->info_hash, 20 }, hex);
	bt_out_printf(out, "ready\t%s\t%s\n", hex, text);
	bt_out_flush(out);
}

void
seed_join(struct bt_member *m, struct bt_client *c)
{
	struct bt_swarm_conf sc = { .peers_max = SEED_PEERS };

	seed_of(m)->busy_at = m->session->begun;
	bt_member_join(m, c, &sc);
	say_ready(m, c);
}

void
seed_effect(struct bt_member *m, const struct bt_effect *fx)
{
	struct bt_json j;
	char text[BT_ADDR_TEXT_MAX];

	if (fx->kind != BT_FX_PEER || !m->session->cli->json)
		return;
	bt_member_event(m, &j, "peer");
	bt_json_cstr(&j, "address", bt_addr_text(&fx->addr, text));
	bt_json_cstr(&j, "state", "connected");
	bt_json_end(&j);
}

void
seed_tick(struct bt_member *m, const struct bt_torrent_stats *st, int64_t now)
{
	struct seed *s = seed_of(m);
	const struct seed_conf *conf = s->conf;
	int64_t begun = m->session->begun;

	if (st->up != s->up) {
		s->up = st->up;
		s->busy_at = now;
	}
	if ((conf->until_us != 0 &&
		(uint64_t)(now - begun) >= conf->until_us) ||
	    (conf->idle_us != 0 &&
		(uint64_t)(now - s->busy_at) >= conf->idle_us) ||
	    (conf->until_ratio != 0 && st->up > 0 &&
		(double)st->up * 1000 >=
		    (double)m->layout->size * (double)conf->until_ratio))
		bt_member_stop(m, NULL);
}

void
seed_ended(struct bt_member *m)
{
	struct bt_torrent_stats st = bt_swarm_stats(m->swarm);
	struct bt_json j;

	if (!m->session->cli->json)
		return;
	bt_member_event(m, &j, "done");
	bt_json_int(&j, "up", (int64_t)st.up);
	bt_json_end(&j);
}

bool
seed_fini(struct bt_member *m)
{
	(void)m; /* all that it has is its member's */
	return true;
}
