#include "base/mem.h"
#include "get.h"

void
events_start(const struct get *g, const struct bt_client *c)
{
	struct bt_json j;
	char text[BT_ADDR_TEXT_MAX];
	struct bt_addr a;

	bt_member_event(&g->m, &j, "start");
	bt_json_cstr(&j, "name", g->m.layout->name);
	bt_json_int(&j, "size", (int64_t)g->m.layout->size);
	bt_json_int(&j, "pieces", g->m.layout->pieces);
	bt_json_int(&j, "have", g->m.have.set);
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
	struct bt_torrent_stats st = bt_swarm_stats(g->m.swarm);
	uint64_t left = st.size_wanted - st.size_have;
	struct bt_json j;

	bt_member_event(&g->m, &j, "progress");
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
		bt_member_event(&g->m, &j, "piece");
		bt_json_int(&j, "index", fx->index);
		bt_json_end(&j);
	} else if (fx->kind == BT_FX_PEER || fx->kind == BT_FX_BAN) {
		bt_member_event(&g->m, &j, "peer");
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
	char *path = bt_files_path(g->m.files, file);
	struct bt_json j;

	bt_member_event(&g->m, &j, "file");
	bt_json_str(&j, "path", bt_str_of(path));
	bt_json_int(
	    &j, "size", (int64_t)bt_filetab_size(g->m.layout->files, file));
	bt_json_end(&j);
	bt_mem_free(path);
}

void
events_done(struct get *g)
{
	struct bt_torrent_stats st = { .down = 0 };
	struct bt_json j;

	if (g->m.swarm != NULL)
		st = bt_swarm_stats(g->m.swarm);
	bt_member_event(&g->m, &j, "done");
	bt_json_int(&j, "down", (int64_t)st.down);
	bt_json_int(&j, "up", (int64_t)st.up);
	bt_json_int(&j, "wasted", (int64_t)st.wasted);
	bt_json_end(&j);
}

void
events_stalled(const struct get *g)
{
	struct bt_json j;

	bt_member_event(&g->m, &j, "stalled");
	bt_json_end(&j);
}
