/*
 * Any bytes as an extension handshake: views lie inside, what was read is
 * written in a form that reads the same and is written the same again.
 */
#include <assert.h>

#include "codec/bencode.h"
#include "codec/ext.h"
#include "fuzz.h"

static void
check_equal(const struct bt_ext_handshake *a, const struct bt_ext_handshake *b)
{
	assert(bt_str_eq(a->client, b->client));
	assert(a->port == b->port);
	assert(a->reqq == b->reqq);
	assert(a->upload_only == b->upload_only);
	assert(bt_addr_eq(&a->yourip, &b->yourip));
	assert(a->id_upload_only == b->id_upload_only);
	assert(a->id_metadata == b->id_metadata);
	assert(a->id_pex == b->id_pex);
	assert(a->id_donthave == b->id_donthave);
	assert(a->metadata_size == b->metadata_size);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct bt_ext_handshake h, again;
	struct bt_err err = BT_ERR_INIT;
	struct bt_str in = { p, n };
	struct bt_buf out, twice;
	struct bt_ben v;
	int rc;

	if (bt_ext_handshake_parse(in, &h, &err) == -1) {
		assert(err.kind == BT_ENET || err.kind == BT_ELIMIT);
		return 0;
	}
	assert(is_inside(in, h.client));
	assert(h.upload_only >= -1 && h.upload_only <= 1);
	bt_buf_init(&out, n + 256);
	bt_buf_init(&twice, n + 256);
	rc = bt_ext_handshake_put(&out, &h);
	assert(rc == 0);
	rc = bt_ben_check(bt_buf_str(&out), &v, NULL, &err);
	assert(rc == 0);
	rc = bt_ext_handshake_parse(bt_buf_str(&out), &again, &err);
	assert(rc == 0);
	check_equal(&h, &again);
	rc = bt_ext_handshake_put(&twice, &again);
	assert(rc == 0);
	assert(bt_str_eq(bt_buf_str(&out), bt_buf_str(&twice)));
	bt_buf_fini(&out);
	bt_buf_fini(&twice);
	return 0;
}
