/*
 * rate - how fast bytes flow, and how fast they may.
 *
 * A meter keeps a window of slots and answers in bytes a second. A bucket lets
 * through what a limit allows: exact over time, never more than a burst ahead.
 * Who waits for it and comes late, since the machine was busy, finds what was
 * due meanwhile, up to a quarter of a second's; who did not wait finds a burst.
 * Times are microseconds of a monotonic clock that the caller reads.
 * Pure.
 *
 * Used by  core/peer, core/choker, net/client, cli's progress through client
 * Tests    tests/unit/test_rate.c
 */
#ifndef BT_CORE_RATE_H
#define BT_CORE_RATE_H

#include <stdbool.h>
#include <stdint.h>

#define BT_MSEC(n)	((int64_t)(n) * 1000)
#define BT_SEC(n)	((int64_t)(n) * 1000000)
#define BT_NEVER	INT64_MAX

#define BT_METER_SLOTS	20u

struct bt_meter {		/* zero is a valid start */
	uint64_t slot[BT_METER_SLOTS];	/* bytes */
	int64_t slot_us;	/* length of a slot */
	int64_t first;		/* when counting began */
	int64_t epoch;		/* number of the newest slot */
	uint64_t sum;		/* bytes in the window */
	uint64_t total;		/* bytes ever */
};

void	bt_meter_init(struct bt_meter *m, int64_t window_us, int64_t now);
void	bt_meter_add(struct bt_meter *m, uint64_t bytes, int64_t now);
/* Bytes a second over the window, or over the time since it began. */
uint64_t	bt_meter_bps(struct bt_meter *m, int64_t now);

struct bt_bucket {
	uint64_t limit_bps;	/* 0: no limit */
	uint64_t burst;		/* bytes */
	int64_t filled;		/* bytes there; negative after an overdraft */
	int64_t at;		/* when it was last filled */
	uint64_t carry;		/* bytes * 10^6 not yet given */
	uint64_t spare;		/* given back beyond the burst */
	bool awaited;		/* since it was last looked at */
};

void	bt_bucket_init(struct bt_bucket *b, uint64_t limit_bps, int64_t now);
/* How many bytes may go now; UINT64_MAX without a limit. */
uint64_t	bt_bucket_may(struct bt_bucket *b, int64_t now);
void	bt_bucket_take(struct bt_bucket *b, uint64_t bytes);
/* They did not go after all. */
void	bt_bucket_give(struct bt_bucket *b, uint64_t bytes);
/* When `want` bytes (capped at the burst) may go: now or later. */
int64_t	bt_bucket_when(const struct bt_bucket *b, uint64_t want, int64_t now);
/* The same, and the caller waits for it. */
int64_t	bt_bucket_wait(struct bt_bucket *b, uint64_t want, int64_t now);
/*
 * What is worth a turn of one of many: some 8 ms of the limit, so that turns
 * are short and few. UINT64_MAX without a limit.
 */
uint64_t	bt_bucket_turn(const struct bt_bucket *b);

#endif
