/* The facts of a torrent under the names that -p and --json give them. */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "cli/json.h"
#include "info.h"

enum field {
	NAME,
	INFO_HASH,
	INFO_HASH_V2,
	META_VERSION,
	SIZE,
	PIECE_LENGTH,
	PIECES,
	PRIVATE,
	SOURCE,
	COMMENT,
	CREATED_BY,
	CREATION_DATE,
	TRACKERS,
	WEB_SEEDS,
	NODES,
	PEERS,
	MAGNET,
	FILES,
	TORRENT_SIZE,
	NFIELDS
};

enum kind { TEXT, NUMBER, BYTES, DATE, FLAG, LIST };

static const struct {
	const char *name;
	enum kind kind;
} fields[NFIELDS] = {
	[NAME] = { "name", TEXT },
	[INFO_HASH] = { "info_hash", TEXT },
	[INFO_HASH_V2] = { "info_hash_v2", TEXT },
	[META_VERSION] = { "meta_version", TEXT },
	[SIZE] = { "size", BYTES },
	[PIECE_LENGTH] = { "piece_length", BYTES },
	[PIECES] = { "pieces", NUMBER },
	[PRIVATE] = { "private", FLAG },
	[SOURCE] = { "source", TEXT },
	[COMMENT] = { "comment", TEXT },
	[CREATED_BY] = { "created_by", TEXT },
	[CREATION_DATE] = { "creation_date", DATE },
	[TRACKERS] = { "trackers", LIST },
	[WEB_SEEDS] = { "web_seeds", LIST },
	[NODES] = { "nodes", LIST },
	[PEERS] = { "peers", LIST },
	[MAGNET] = { "magnet", TEXT },
	[FILES] = { "files", LIST },
	[TORRENT_SIZE] = { "torrent_size", BYTES },
};

bool
info_is_listed(const struct info *in, uint32_t file)
{
	return (in->meta.files->at[file].attr & BT_META_PAD) == 0;
}

void
info_field_names(struct bt_buf *to)
{
	for (int i = 0; i < NFIELDS; i++)
		bt_buf_printf(to, "%s%s", i == 0 ? "" : ", ", fields[i].name);
}

size_t
info_field_count(void)
{
	return NFIELDS;
}

int
info_field_find(const char *name)
{
	for (int i = 0; i < NFIELDS; i++)
		if (strcmp(fields[i].name, name) == 0)
			return i;
	return -1;
}

/* A TEXT field; empty is absent. */
static struct bt_str
text_of(const struct info *in, int field)
{
	switch (field) {
	case NAME:
		return in->meta.name;
	case INFO_HASH:
		return bt_str_of(in->hash);
	case INFO_HASH_V2:
		return bt_str_of(in->hash_v2);
	case META_VERSION:
		if (in->meta.has_v1 && in->meta.has_v2)
			return STR("hybrid");
		return in->meta.has_v2 ? STR("2") : STR("1");
	case SOURCE:
		return in->meta.source;
	case COMMENT:
		return in->meta.comment;
	case CREATED_BY:
		return in->meta.created_by;
	default:
		assert(field == MAGNET);
		return bt_buf_str(&in->magnet);
	}
}

/* Any other field that is not a list; -1 is absent. */
static int64_t
number_of(const struct info *in, int field)
{
	if (in->link != NULL)
		return field == SIZE ? in->link->size : -1;
	switch (field) {
	case SIZE:
		return (int64_t)bt_meta_payload(&in->meta);
	case PIECE_LENGTH:
		return in->meta.piece_length;
	case PIECES:
		return in->meta.pieces;
	case PRIVATE:
		return in->meta.private_;
	case CREATION_DATE:
		return in->meta.creation_date;
	default:
		assert(field == TORRENT_SIZE);
		return (int64_t)in->meta.raw.n;
	}
}

static size_t
list_count(const struct info *in, int field)
{
	switch (field) {
	case TRACKERS:
		return in->meta.ntrackers;
	case WEB_SEEDS:
		return in->meta.nweb_seeds;
	case NODES:
		return in->meta.nnodes;
	case PEERS:
		return in->link != NULL ? in->link->peers.n : 0;
	default:
		assert(field == FILES);
		return in->meta.files->n;
	}
}

/* Item i of a list as text, valid until the next call; false: left out. */
static bool
list_item(const struct info *in, int field, size_t i, struct bt_buf *scratch,
    struct bt_str *item)
{
	const struct bt_meta_node *node;
	bool v6;

	switch (field) {
	case TRACKERS:
		*item = in->meta.trackers[i].url;
		return true;
	case WEB_SEEDS:
		*item = in->meta.web_seeds[i];
		return true;
	case PEERS:
		*item = in->link->peers.items[i];
		return true;
	case NODES:
		node = &in->meta.nodes[i];
		v6 = bt_str_find(node->host, ':') < node->host.n;
		bt_buf_clear(scratch);
		bt_buf_puts(scratch, v6 ? "[" : "");
		bt_buf_add(scratch, node->host);
		bt_buf_printf(scratch, "%s:%u", v6 ? "]" : "", node->port);
		*item = bt_buf_str(scratch);
		return true;
	default:
		assert(field == FILES);
		*item = bt_filetab_get(in->meta.files, (uint32_t)i).path;
		return info_is_listed(in, (uint32_t)i);
	}
}

static void
each_item(const struct info *in, struct bt_out *o, int field, const char *label)
{
	struct bt_buf scratch;
	struct bt_str item;

	bt_buf_init(&scratch, in->meta.raw.n + 16);
	for (size_t i = 0; i < list_count(in, field); i++) {
		if (!list_item(in, field, i, &scratch, &item))
			continue;
		if (label != NULL) {
			bt_out_field(o, label, item);
			continue;
		}
		bt_out_name(o, item);
		bt_out_raw(o, STR("\n"));
	}
	bt_buf_fini(&scratch);
}

void
info_print_field(const struct info *in, struct bt_out *o, int field)
{
	int64_t n;

	switch (fields[field].kind) {
	case LIST:
		each_item(in, o, field, NULL);
		return;
	case TEXT:
		bt_out_name(o, text_of(in, field));
		break;
	case FLAG:
		n = number_of(in, field);
		bt_out_printf(o, "%s", n == -1 ? "" : n != 0 ? "yes" : "no");
		break;
	default:
		n = number_of(in, field);
		if (n != -1)
			bt_out_printf(o, "%" PRId64, n);
	}
	bt_out_raw(o, STR("\n"));
}

static void
show_field(const struct info *in, struct bt_out *o, int field)
{
	const char *label = fields[field].name;
	struct bt_str text;
	int64_t n;

	if (fields[field].kind == TEXT) {
		text = text_of(in, field);
		if (text.n > 0)
			bt_out_field(o, label, text);
		return;
	}
	if (fields[field].kind == LIST) {
		if (field != FILES)
			each_item(in, o, field, label);
		else if (in->link == NULL)
			bt_out_field_num(o, label, in->listed);
		return;
	}
	n = number_of(in, field);
	if (n == -1)
		return;
	switch (fields[field].kind) {
	case FLAG:
		bt_out_field(o, label, n != 0 ? STR("yes") : STR("no"));
		return;
	case BYTES:
		bt_out_field_size(o, label, (uint64_t)n);
		return;
	case DATE:
		bt_out_field_date(o, label, n);
		return;
	default:
		bt_out_field_num(o, label, (uint64_t)n);
	}
}

void
info_show(const struct info *in, struct bt_out *o)
{
	for (int i = 0; i < NFIELDS; i++)
		show_field(in, o, i);
}

static void
json_files(const struct info *in, struct bt_json *j)
{
	struct bt_file f;
	int64_t index = 1;

	for (uint32_t i = 0; i < in->meta.files->n; i++) {
		if (!info_is_listed(in, i))
			continue;
		f = bt_filetab_get(in->meta.files, i);
		bt_json_open(j, NULL, '{');
		bt_json_int(j, "index", index++);
		bt_json_str(j, "path", f.path);
		bt_json_int(j, "size", (int64_t)f.size);
		bt_json_int(j, "offset", (int64_t)f.offset);
		bt_json_close(j);
	}
}

/* An array of tiers, each an array of URLs. */
static void
json_trackers(const struct info *in, struct bt_json *j)
{
	const struct bt_meta_tracker *t = in->meta.trackers;
	size_t n = in->meta.ntrackers;

	for (size_t i = 0; i < n; i++) {
		if (i == 0 || t[i].tier != t[i - 1].tier)
			bt_json_open(j, NULL, '[');
		bt_json_str(j, NULL, t[i].url);
		if (i + 1 == n || t[i].tier != t[i + 1].tier)
			bt_json_close(j);
	}
}

static void
json_list(const struct info *in, struct bt_json *j, int field)
{
	struct bt_buf scratch;
	struct bt_str item;

	bt_json_open(j, fields[field].name, '[');
	if (field == FILES) {
		json_files(in, j);
	} else if (field == TRACKERS) {
		json_trackers(in, j);
	} else {
		bt_buf_init(&scratch, in->meta.raw.n + 16);
		for (size_t i = 0; i < list_count(in, field); i++)
			if (list_item(in, field, i, &scratch, &item))
				bt_json_str(j, NULL, item);
		bt_buf_fini(&scratch);
	}
	bt_json_close(j);
}

static void
json_text(const struct info *in, struct bt_json *j, int field)
{
	struct bt_str text = text_of(in, field);

	if (text.n > 0)
		bt_json_str(j, fields[field].name, text);
	else
		bt_json_null(j, fields[field].name);
}

void
info_json_hashes(const struct info *in, struct bt_json *j)
{
	json_text(in, j, INFO_HASH);
	json_text(in, j, INFO_HASH_V2);
}

void
info_json(const struct info *in, struct bt_out *o)
{
	struct bt_json j;
	int64_t n;

	bt_json_begin(&j, o);
	for (int i = 0; i < NFIELDS; i++) {
		const char *key = fields[i].name;

		switch (fields[i].kind) {
		case LIST:
			json_list(in, &j, i);
			continue;
		case TEXT:
			json_text(in, &j, i);
			continue;
		case FLAG:
			n = number_of(in, i);
			if (n != -1)
				bt_json_bool(&j, key, n != 0);
			else
				bt_json_null(&j, key);
			continue;
		default:
			n = number_of(in, i);
			if (n != -1)
				bt_json_int(&j, key, n);
			else
				bt_json_null(&j, key);
		}
	}
	bt_json_end(&j);
}
