#include "connid.h"

#include <string.h>

#include "base/hash.h"
#include "base/rd.h"

#define SLOT_BITS UINT64_C(3)
#define SLOTS_OLD 2u /* an id of the slot before the last still holds */

static uint64_t
id_of(const uint8_t secret[16], const struct bt_addr *from, uint64_t slot)
{
	uint8_t in[1 + 16 + 8];
	uint64_t hash;

	in[0] = from->family;
	memcpy(in + 1, from->ip, 16);
	bt_put_be64(in + 17, slot);
	hash = bt_hash_sip(secret, (struct bt_str){ in, sizeof(in) });
	return (hash & ~SLOT_BITS) | (slot & SLOT_BITS);
}

uint64_t
bt_connid_make(
    const uint8_t secret[16], const struct bt_addr *from, uint64_t now_ms)
{
	return id_of(secret, from, now_ms / BT_CONNID_SLOT_MS);
}

bool
bt_connid_is_good(const uint8_t secret[16], const struct bt_addr *from,
    uint64_t now_ms, uint64_t id)
{
	uint64_t slot = now_ms / BT_CONNID_SLOT_MS, age;

	age = (slot - id) & SLOT_BITS;
	return age <= SLOTS_OLD && id == id_of(secret, from, slot - age);
}
