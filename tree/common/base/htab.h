/*
 * htab - a table from short byte keys to pointers.
 *
 * Open addressing with linear probing, grown at 3/4 full, keyed with SipHash
 * under a key given at birth so that strangers cannot choose collisions.
 * Keys are copied and have one length for the whole table. Values are borrowed.
 * Pure.
 *
 * Used by  core/candidates, bt-tracker/store, net
 * Tests    tests/unit/test_htab.c
 */
#ifndef BT_BASE_HTAB_H
#define BT_BASE_HTAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bt_htab;

/* gives; key_len 1..64 bytes */
struct bt_htab	*bt_htab_new(size_t key_len, const uint8_t sip_key[16]);
void	bt_htab_free(struct bt_htab *t);	/* values are not freed */
size_t	bt_htab_count(const struct bt_htab *t);
void	*bt_htab_get(const struct bt_htab *t, const void *key);	/* or NULL */
/* Put value (not NULL); gives the value it replaced, or NULL. */
void	*bt_htab_put(struct bt_htab *t, const void *key, void *value);
/* Remove; gives the value that was there, or NULL. */
void	*bt_htab_del(struct bt_htab *t, const void *key);
/*
 * Walk: start with *at = 0; false at the end. Deleting the entry that was just
 * returned is allowed only through bt_htab_del after the walk has ended.
 */
bool	bt_htab_next(const struct bt_htab *t, size_t *at, const void **key,
	    void **value);

#endif
