/*
 * candidates - addresses of peers that we might dial, and those we must not.
 *
 * The rules
 * 1. An address is known once. At most max are kept; when full, failed ones go
 *    first, then those of rule 6, then the newcomer is dropped.
 * 2. Peers given by hand (--peer) come first and are never forgotten.
 * 3. Whoever failed, or left within a minute of our dial, waits 5, 10, 20 ...
 *    s, at most 10 min, before the next dial; others wait 5 s.
 * 4. A banned IP is never given, whatever its port; bans are kept in order and
 *    at most BT_CAND_BANS_MAX.
 * 5. Ourselves, once found out, are never given again.
 * 6. A peer that needs nothing of us while we need nothing of it (seed and
 *    seed) is not dialled again.
 * 7. Whom we left to hear anew what it has is ready at once.
 * Those equally ready come in random order. All costs O(log n), a ban O(n).
 * Pure.
 *
 * Used by  core/torrent
 * Tests    tests/unit/test_candidates.c
 */
#ifndef BT_CORE_CANDIDATES_H
#define BT_CORE_CANDIDATES_H

#include "base/addr.h"
#include "base/rng.h"

#define BT_CAND_MAX	2000u	/* some 60 bytes each: 120 KB a torrent */
#define BT_CAND_BANS_MAX	1000u

struct bt_candidates;

enum bt_cand_end {		/* how a connection ended */
	BT_CAND_FAILED,		/* not reached, or no handshake */
	BT_CAND_CLOSED,		/* it was a peer for a while */
	BT_CAND_USELESS,	/* nothing to give each other: rule 6 */
	BT_CAND_ANEW,		/* rule 7 */
	BT_CAND_SELF		/* rule 5 */
};

struct bt_candidates	*bt_candidates_new(uint32_t max, uint64_t seed);
void	bt_candidates_free(struct bt_candidates *c);
/* True if it was news. Undialable addresses are refused. */
bool	bt_candidates_add(struct bt_candidates *c, const struct bt_addr *a,
	    bool by_hand);
/* Who is next, without a change. */
bool	bt_candidates_peek(const struct bt_candidates *c, int64_t now,
	    struct bt_addr *out);
/* The next to dial now; it counts as connected until _end() tells otherwise. */
bool	bt_candidates_next(struct bt_candidates *c, int64_t now,
	    struct bt_addr *out);
/*
 * A peer dialled us and told its listening address: do not dial it too. Each
 * such call, like each address given, is answered by one _end().
 */
void	bt_candidates_connected(struct bt_candidates *c,
	    const struct bt_addr *a);
void	bt_candidates_end(struct bt_candidates *c, const struct bt_addr *a,
	    enum bt_cand_end how, int64_t now);
void	bt_candidates_ban(struct bt_candidates *c, const struct bt_addr *a);
bool	bt_candidates_is_banned(const struct bt_candidates *c,
	    const struct bt_addr *a);
/* When the next one is ready: now or earlier, or BT_NEVER (core/rate.h). */
int64_t	bt_candidates_when(const struct bt_candidates *c);
uint32_t	bt_candidates_count(const struct bt_candidates *c);	/* dialable */

#endif
