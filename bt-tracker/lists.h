/*
 * lists - what an operator lists in a file: torrents, clients, keys.
 *
 * The rules
 * 1. A line is one entry. Blanks around it do not count, and neither does what
 *    stands after a '#' at its beginning or after a blank. Empty lines are fine,
 *    LF and CRLF end one, and the last one needs no end.
 * 2. A torrent is its info-hash in 40 hex digits of either case.
 * 3. A client is the first 1 to 20 bytes of its peer id, such as "-XL"; %NN is
 *    the byte with that hex number.
 * 4. A key is 1 to 64 letters, digits, '-' and '_', which no URL escapes.
 * 5. One line that is none of that spoils the list. Twice the same is once.
 * A list does not change after it is made, so any thread may look it up.
 * Pure.
 *
 * Used by  bt-tracker/gate.c
 * Tests    tests/unit/test_tracker_lists.c
 */
#ifndef BT_TRACKER_LISTS_H
#define BT_TRACKER_LISTS_H

#include "base/err.h"
#include "base/str.h"

#define BT_LISTS_KEY_MAX	64u	/* bytes, more than any tracker uses */

enum bt_lists_kind {
	BT_LISTS_TORRENTS,
	BT_LISTS_CLIENTS,
	BT_LISTS_KEYS
};

struct bt_list;

/*
 * gives *out. secret: 16 random bytes, so that nobody can choose what collides.
 * BT_EINPUT names the file and the line. 0 or -1.
 */
int	bt_lists_parse(struct bt_list **out, enum bt_lists_kind kind,
	    const uint8_t secret[16], const char *name, struct bt_str text,
	    struct bt_err *err);
void	bt_lists_free(struct bt_list *l);
size_t	bt_lists_count(const struct bt_list *l);

/* Each of a list of that kind. */
bool	bt_lists_has_torrent(const struct bt_list *l,
	    const uint8_t info_hash[20]);
bool	bt_lists_has_client(const struct bt_list *l, const uint8_t peer_id[20]);
bool	bt_lists_has_key(const struct bt_list *l, struct bt_str key);

#endif
