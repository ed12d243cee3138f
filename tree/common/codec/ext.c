#include "codec/ext.h"

#include "codec/bencode.h"

static int
put_id(struct bt_buf *out, const char *name, uint8_t id)
{
	if (id == 0)
		return 0;
	if (bt_ben_put_cstr(out, name) == -1)
		return -1;
	return bt_ben_put_int(out, id);
}

static int
put_number(struct bt_buf *out, const char *key, int64_t v)
{
	if (bt_ben_put_cstr(out, key) == -1)
		return -1;
	return bt_ben_put_int(out, v);
}

static int
put_bytes(struct bt_buf *out, const char *key, struct bt_str v)
{
	if (bt_ben_put_cstr(out, key) == -1)
		return -1;
	return bt_ben_put_str(out, v);
}

static int
put_ids(struct bt_buf *out, const struct bt_ext_handshake *h)
{
	if (bt_ben_put_cstr(out, "m") == -1 || bt_ben_put_char(out, 'd') == -1)
		return -1;
	if (put_id(out, "lt_donthave", h->id_donthave) == -1 ||
	    put_id(out, "upload_only", h->id_upload_only) == -1 ||
	    put_id(out, "ut_metadata", h->id_metadata) == -1 ||
	    put_id(out, "ut_pex", h->id_pex) == -1)
		return -1;
	return bt_ben_put_char(out, 'e');
}

static int
put_all(struct bt_buf *out, const struct bt_ext_handshake *h)
{
	struct bt_str ip = { h->yourip.ip, h->yourip.family == 4 ? 4 : 16 };

	if (bt_ben_put_char(out, 'd') == -1 || put_ids(out, h) == -1)
		return -1;
	if (h->metadata_size != 0 &&
	    put_number(out, "metadata_size", h->metadata_size) == -1)
		return -1;
	if (h->port != 0 && put_number(out, "p", h->port) == -1)
		return -1;
	if (h->reqq != 0 && put_number(out, "reqq", h->reqq) == -1)
		return -1;
	if (h->upload_only >= 0 &&
	    put_number(out, "upload_only", h->upload_only != 0) == -1)
		return -1;
	if (h->client.n != 0 && put_bytes(out, "v", h->client) == -1)
		return -1;
	if (h->yourip.family != 0 && put_bytes(out, "yourip", ip) == -1)
		return -1;
	return bt_ben_put_char(out, 'e');
}

int
bt_ext_handshake_put(struct bt_buf *out, const struct bt_ext_handshake *h)
{
	size_t before = out->n;

	if (put_all(out, h) == 0)
		return 0;
	out->n = before;
	return -1;
}

/* A number of the dictionary that lies in 1 .. max, or 0. */
static uint32_t
number_of(const struct bt_ben *dict, const char *key, uint32_t max)
{
	struct bt_ben v = bt_ben_get_type(dict, key, BT_BEN_INT);

	if (v.type == BT_BEN_NONE || v.num < 1 || v.num > max)
		return 0;
	return (uint32_t)v.num;
}

static struct bt_addr
ip_of(const struct bt_ben *dict, const char *key)
{
	struct bt_ben v = bt_ben_get_type(dict, key, BT_BEN_STR);

	if (v.str.n == 4)
		return bt_addr_v4(v.str.p, 0);
	if (v.str.n == 16)
		return bt_addr_v6(v.str.p, 0);
	return (struct bt_addr){ 0 };
}

int
bt_ext_handshake_parse(
    struct bt_str in, struct bt_ext_handshake *h, struct bt_err *err)
{
	struct bt_ext_handshake got = { .upload_only = -1 };
	struct bt_ben top, m, v;
	struct bt_err why;
	unsigned oddities = 0;

	if (in.n > BT_EXT_HANDSHAKE_MAX)
		return bt_err_set(err, BT_ELIMIT,
		    "extension handshake is larger than %u bytes",
		    BT_EXT_HANDSHAKE_MAX);
	if (bt_ben_check(in, &top, &oddities, &why) == -1)
		return bt_err_set(err, BT_ENET,
		    "malformed extension handshake: %s", why.text);
	if (top.type != BT_BEN_DICT)
		return bt_err_set(err, BT_ENET,
		    "malformed extension handshake: not a dictionary");
	m = bt_ben_get_type(&top, "m", BT_BEN_DICT);
	if (m.type == BT_BEN_DICT) {
		got.id_donthave = (uint8_t)number_of(&m, "lt_donthave", 255);
		got.id_upload_only = (uint8_t)number_of(&m, "upload_only", 255);
		got.id_metadata = (uint8_t)number_of(&m, "ut_metadata", 255);
		got.id_pex = (uint8_t)number_of(&m, "ut_pex", 255);
	}
	got.metadata_size = number_of(&top, "metadata_size", UINT32_MAX);
	got.port = (uint16_t)number_of(&top, "p", UINT16_MAX);
	got.reqq = number_of(&top, "reqq", UINT32_MAX);
	v = bt_ben_get_type(&top, "upload_only", BT_BEN_INT);
	if (v.type == BT_BEN_INT)
		got.upload_only = v.num != 0;
	got.client = bt_ben_get_type(&top, "v", BT_BEN_STR).str;
	got.yourip = ip_of(&top, "yourip");
	*h = got;
	return 0;
}
