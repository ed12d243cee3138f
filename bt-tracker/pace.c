#include "pace.h"

#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/rd.h"

#define PLACES 4096u	/* 64 KB for each worker; a power of two */
#define LET_OFF_MS 1000 /* rule 3 */

struct place {
	uint64_t who; /* a keyed hash, or 0 */
	uint64_t until_ms;
};

struct bt_pace {
	uint8_t secret[16];
	struct place places[PLACES];
};

struct bt_pace *
bt_pace_new(const uint8_t secret[16])
{
	struct bt_pace *p = bt_mem_zero(1, sizeof(*p));

	memcpy(p->secret, secret, sizeof(p->secret));
	return p;
}

void
bt_pace_free(struct bt_pace *p)
{
	bt_mem_free(p);
}

static uint64_t
hash_of(const struct bt_pace *p, const struct bt_pace_who *who)
{
	uint8_t text[20 + 4 + 1 + 18] = { 0 };

	memcpy(text, who->info_hash, 20);
	bt_put_be32(text + 20, who->key);
	text[24] = who->peer.family;
	bt_addr_pack(&who->peer, text + 25);
	return bt_hash_sip(p->secret, (struct bt_str){ text, sizeof(text) });
}

uint32_t
bt_pace_came(struct bt_pace *p, const struct bt_pace_who *who, uint64_t now_ms,
    uint32_t wait_s)
{
	uint64_t hash = hash_of(p, who), left_ms = 0;
	struct place *place = &p->places[hash & (PLACES - 1)];

	if (place->who == hash && place->until_ms > now_ms + LET_OFF_MS)
		left_ms = place->until_ms - now_ms;
	place->who = hash;
	place->until_ms = now_ms + (uint64_t)wait_s * 1000;
	return (uint32_t)((left_ms + 999) / 1000);
}
