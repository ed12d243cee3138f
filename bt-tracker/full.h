/*
 * full - a scrape of all torrents, told by a thread of its own.
 *
 * The rules
 * 1. One at a time: whoever asks meanwhile is told to come later.
 * 2. Its memory does not grow with the torrents: in each pass over all of them
 *    it keeps those that come next in the order of their hashes, a bounded
 *    number, and sends them.
 * 3. So the keys are sorted and each is there once. Who is in it all along is
 *    told of; counts are those of the moment.
 * 4. The store is looked at a little at a time, with pauses, and the workers
 *    never wait for it: the connection is taken from them.
 * 5. What the other side does not take within the time-out ends it, and so does
 *    taking the whole, but for one time-out, at less than 64 KB/s.
 * Touches: threads, sockets, locks.
 *
 * Speaks   BEP 48
 * Used by  bt-tracker/http.c, bt-tracker/reply.c, bt-tracker/main.c
 * Tests    tests/e2e/bt-tracker-full.bats
 */
#ifndef BT_TRACKER_FULL_H
#define BT_TRACKER_FULL_H

#include "quota.h"
#include "service.h"
#include "tls.h"

struct bt_full;

/* gives *out; borrows all, which outlives it. 0 or -1. */
int	bt_full_new(struct bt_full **out, struct bt_service *s,
	    struct bt_quota *quota, uint64_t timeout_ms, struct bt_err *err);
/* Ends what is under way. NULL is fine. */
void	bt_full_free(struct bt_full *f);

/* Is it free? Then it is taken, until it is given back or has begun. */
bool	bt_full_reserve(struct bt_full *f);
void	bt_full_release(struct bt_full *f);
/*
 * Answer, after the head that was sent, and close. Takes fd and tls, which may
 * be NULL; `from` entered the quota, and leaves it here.
 */
void	bt_full_begin(struct bt_full *f, int fd, struct bt_tls_conn *tls,
	    const struct bt_addr *from);

#endif
