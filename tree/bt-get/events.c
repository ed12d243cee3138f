#include <string.h>

#include "base/mem.h"
#include "cli/json.h"
#include "get.h"

static void
begin(struct bt_json *j, const struct get *g, const char *event)
{
	char hex[41];

	bt_json_event(j, &g->conf->cli->out, event);
	bt_str_hex((struct bt_str){ g->layout->info_hash, 20 }, hex);
	bt_json_cstr(j, "info_hash", hex);
}

void
events_start(const struct get *g, const struct bt_client *c)
{
	struct bt_json j;
	char text[BT_ADDR_TEXT_MAX];
	struct bt_addr a;

	begin(&j, g, "start");
	bt_json_cstr(&j, "name", g->layout->name);
	bt_json_int(&j, "size", (int64_t)g->layout->size);
	bt_json_int(&j, "pieces", g->layout->pieces);
	bt_json_int(&j, "have", g->have.set);
	if (c != NULL) {
		a = bt_client_addr(c);
		bt_json_cstr(&j, "address", bt_addr_text(&a, text));
	} else
		bt_json_null(&j, "address");
	bt_json_end(&j);
}

void
events_progress(struct get *g)
{
	struct bt_torrent_stats st = bt_swarm_stats(g->swarm);
	uint64_t left = st.size_wanted - st.size_have;
	struct bt_json j;

	begin(&j, g, "progress");
	bt_json_int(&j, "done", (int64_t)st.size_have);
	bt_json_int(&j, "total", (int64_t)st.size_wanted);
	bt_json_int(&j, "down", (int64_t)st.down);
	bt_json_int(&j, "up", (int64_t)st.up);
	bt_json_int(&j, "down_bps", (int64_t)st.down_bps);
	bt_json_int(&j, "up_bps", (int64_t)st.up_bps);
	bt_json_int(&j, "wasted", (int64_t)st.wasted);
	bt_json_int(&j, "peers", st.peers);
	bt_json_int(&j, "seeds", st.seeds);
	if (left == 0)
		bt_json_int(&j, "eta", 0);
	else if (st.down_bps == 0)
		bt_json_null(&j, "eta");
	else
		bt_json_int(&j, "eta", (int64_t)(left / st.down_bps + 1));
	bt_json_end(&j);
}

void
events_effect(const struct get *g, const struct bt_effect *fx)
{
	struct bt_json j;
	char text[BT_ADDR_TEXT_MAX];

	if (fx->kind == BT_FX_PIECE) {
		begin(&j, g, "piece");
		bt_json_int(&j, "index", fx->index);
		bt_json_end(&j);
	} else if (fx->kind == BT_FX_PEER || fx->kind == BT_FX_BAN) {
		begin(&j, g, "peer");
		bt_json_cstr(&j, "address", bt_addr_text(&fx->addr, text));
		bt_json_cstr(&j, "state",
		    fx->kind == BT_FX_PEER ? "connected" : "banned");
		bt_json_cstr(&j, "why", fx->why == NULL ? "" : fx->why);
		bt_json_end(&j);
	}
}

void
events_file(const struct get *g, uint32_t file)
{
	char *path = bt_files_path(g->files, file);
	struct bt_json j;

	begin(&j, g, "file");
	bt_json_str(&j, "path", bt_str_of(path));
	bt_json_int(&j, "size", (int64_t)g->layout->files[file].size);
	bt_json_end(&j);
	bt_mem_free(path);
}

void
events_done(struct get *g)
{
	struct bt_torrent_stats st = { .down = 0 };
	struct bt_json j;

	if (g->swarm != NULL)
		st = bt_swarm_stats(g->swarm);
	begin(&j, g, "done");
	bt_json_int(&j, "down", (int64_t)st.down);
	bt_json_int(&j, "up", (int64_t)st.up);
	bt_json_int(&j, "wasted", (int64_t)st.wasted);
	bt_json_end(&j);
}

void
events_plain(const struct get *g, const char *event)
{
	struct bt_json j;

	begin(&j, g, event);
	bt_json_end(&j);
}

void
events_error(const struct get *g, const struct bt_err *err)
{
	struct bt_json j;

	if (g->layout != NULL)
		begin(&j, g, "error");
	else
		bt_json_event(&j, &g->conf->cli->out, "error");
	bt_json_err(&j, err);
	bt_json_end(&j);
}
