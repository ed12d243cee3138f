#include "hasher.h"

#include <errno.h>
#include <string.h>

#include "rig.h"

void
hasher_init(struct hasher *h, const char *name)
{
	errno = 0;
	if (strcmp(name, "openssl") != 0 && strcmp(name, "lanes") != 0)
		rig_fail("neither openssl nor lanes: '%s'", name);
	h->name = name;
	h->is_lanes = strcmp(name, "lanes") == 0;
	bt_lanes_init(&h->lanes);
}

void
hasher_run(
    const struct hasher *h, const struct bt_str *in, unsigned n, uint8_t *out)
{
	unsigned i;

	if (h->is_lanes) {
		bt_lanes_whole(&h->lanes, BT_HASH_SHA1, in, n, out);
		return;
	}
	for (i = 0; i < n; i++)
		bt_hash_sha1(in[i], out + (size_t)i * BT_SHA1_LEN);
}
