/*
 * gate - who is let in: the lists that hold now, read again while we serve.
 *
 * The rules
 * 1. A torrent that --deny lists is refused, and so is one that --allow, where
 *    it is given, does not; a client that --deny-client lists too.
 * 2. With --keys a request without a listed key is refused. Its path is
 *    /KEY/announce or /KEY/scrape; UDP says it in BEP 41's URLData, which a
 *    scrape has no room for.
 * 3. What is read again holds from the next event on. A file that cannot be
 *    read leaves its list as it was.
 * A lookup takes no lock: each worker holds the lists that it looks into, and
 * changes them between two events, when the gate says that there are others.
 * The last holder frees a list.
 * Touches: files, locks.
 *
 * Speaks   BEP 41 (the path)
 * Used by  bt-tracker/service.c, bt-tracker/reply.c, bt-tracker/udp.c, main.c
 * Tests    tests/e2e/bt-tracker-lists.bats
 */
#ifndef BT_TRACKER_GATE_H
#define BT_TRACKER_GATE_H

#include "lists.h"

enum bt_gate_list {
	BT_GATE_ALLOW,
	BT_GATE_DENY,
	BT_GATE_DENY_CLIENT,
	BT_GATE_KEYS,
	BT_GATE_COUNT
};

struct bt_gate;

/*
 * gives *out; borrows paths, NULL where there is no such list. secret: 16
 * random bytes. BT_EFILE or BT_EINPUT. 0 or -1.
 */
int	bt_gate_new(struct bt_gate **out, const char *const paths[],
	    const uint8_t secret[16], struct bt_err *err);
/* After all passes are given back. NULL is fine. */
void	bt_gate_free(struct bt_gate *g);
/* Read one list again that has a path. 0, or -1 and all is as before. */
int	bt_gate_reload(struct bt_gate *g, enum bt_gate_list which,
	    struct bt_err *err);
size_t	bt_gate_entries(struct bt_gate *g, enum bt_gate_list which);

/* What one worker holds. Without a gate it lets all in. */
struct bt_gate_pass {
	struct bt_gate *gate;
	unsigned version;
	struct bt_gate_held *held[BT_GATE_COUNT];
};
void	bt_gate_pass_init(struct bt_gate_pass *p, struct bt_gate *g);
void	bt_gate_pass_fini(struct bt_gate_pass *p);
/* Hold what holds now. One load where nothing changed. */
void	bt_gate_pass_renew(struct bt_gate_pass *p);

bool	bt_gate_lets_torrent(const struct bt_gate_pass *p,
	    const uint8_t info_hash[20]);
bool	bt_gate_lets_client(const struct bt_gate_pass *p,
	    const uint8_t peer_id[20]);
/* Whether keys are asked for. */
bool	bt_gate_is_keyed(const struct bt_gate_pass *p);
/*
 * Take the key off a path, if keys are asked for and there is one: "/k/scrape"
 * becomes "/scrape". False without the right one.
 */
bool	bt_gate_take_key(const struct bt_gate_pass *p, struct bt_str *path);

#endif
