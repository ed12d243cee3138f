/*
 * Any bytes: a link that is read names a torrent, and its texts are no longer
 * than it is.
 */
#include <assert.h>

#include "codec/magnetread.h"
#include "fuzz.h"

static void
check_list(const struct bt_magnetread_list *l, size_t n)
{
	assert(l->n <= BT_MAGNETREAD_LIST_MAX);
	for (size_t i = 0; i < l->n; i++)
		assert(l->items[i].n > 0 && l->items[i].n < n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct bt_str in = { p, n };
	struct bt_err err = BT_ERR_INIT;
	struct bt_magnetread m;

	if (bt_magnetread_parse(in, &m, &err) == -1) {
		assert(err.kind == BT_EINPUT || err.kind == BT_ELIMIT);
		assert(err.text[0] != '\0');
		return 0;
	}
	assert(bt_magnetread_is(in));
	assert(m.has_v1 || m.has_v2);
	assert(m.size >= -1);
	assert(m.name.n < n && m.select.n < n);
	check_list(&m.trackers, n);
	check_list(&m.web_seeds, n);
	check_list(&m.peers, n);
	bt_magnetread_fini(&m);
	return 0;
}
