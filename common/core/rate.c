#include "core/rate.h"

#include <assert.h>
#include <string.h>

#define SECOND_US UINT64_C(1000000)
/* Beyond any link; times 10^6 it still fits 64 bits. */
#define LIMIT_MAX UINT64_C(10000000000000)
/*
 * A burst is 50 ms of the limit, which a caller that comes late can make up
 * for, but no less than a block with its header (BEP 3: 2^14 + 13).
 */
#define BURSTS_A_SECOND 20u
#define BURST_MIN UINT64_C(16397)
/* What a waiting caller that comes late can make up for: 250 ms. */
#define LATES_A_SECOND 4u
/* What is given back is kept up to a second's worth, or so many bursts. */
#define SPARE_BURSTS 4u
#define TURNS_A_SECOND 128u
#define TURN_MIN UINT64_C(4096)
#define TURN_MAX (UINT64_C(256) << 10) /* one large read or send */
/* What a meter measures that nobody began. */
#define WINDOW_US BT_SEC(20)
#define OVERDRAFT_MAX (INT64_C(1) << 62)

void
bt_meter_init(struct bt_meter *m, int64_t window_us, int64_t now)
{
	assert(window_us >= (int64_t)BT_METER_SLOTS);
	memset(m, 0, sizeof(*m));
	m->slot_us = window_us / BT_METER_SLOTS;
	m->first = now;
	m->epoch = now / m->slot_us;
}

/* Bring the newest slot up to now, forgetting what fell out of the window. */
static void
advance(struct bt_meter *m, int64_t now)
{
	int64_t epoch;
	uint64_t *slot;

	if (m->slot_us == 0)
		bt_meter_init(m, WINDOW_US, now);
	epoch = now / m->slot_us;
	if (epoch - m->epoch >= (int64_t)BT_METER_SLOTS) {
		memset(m->slot, 0, sizeof(m->slot));
		m->sum = 0;
		m->epoch = epoch;
	}
	while (m->epoch < epoch) {
		m->epoch++;
		slot = &m->slot[(uint64_t)m->epoch % BT_METER_SLOTS];
		m->sum -= *slot;
		*slot = 0;
	}
}

void
bt_meter_add(struct bt_meter *m, uint64_t bytes, int64_t now)
{
	advance(m, now);
	m->slot[(uint64_t)m->epoch % BT_METER_SLOTS] += bytes;
	m->sum += bytes;
	m->total += bytes;
}

/*
 * The time that the slots stand for: whole ones and the newest so far. At least
 * a slot, so that a first packet is not taken for an enormous rate.
 */
uint64_t
bt_meter_bps(struct bt_meter *m, int64_t now)
{
	int64_t from;
	uint64_t span;

	advance(m, now);
	from = (m->epoch - (int64_t)BT_METER_SLOTS + 1) * m->slot_us;
	if (from < m->first)
		from = m->first;
	span = (uint64_t)(now - from > m->slot_us ? now - from : m->slot_us);
	return m->sum / span * SECOND_US + m->sum % span * SECOND_US / span;
}

void
bt_bucket_init(struct bt_bucket *b, uint64_t limit_bps, int64_t now)
{
	memset(b, 0, sizeof(*b));
	b->limit_bps = limit_bps < LIMIT_MAX ? limit_bps : LIMIT_MAX;
	b->burst = b->limit_bps / BURSTS_A_SECOND;
	if (b->burst < BURST_MIN)
		b->burst = BURST_MIN;
	b->at = now;
}

static void
fill(struct bt_bucket *b, int64_t now)
{
	uint64_t room, gain, sec, us, most = b->burst;

	if (now <= b->at)
		return;
	if (b->awaited && b->limit_bps / LATES_A_SECOND > most)
		most = b->limit_bps / LATES_A_SECOND;
	b->awaited = false;
	sec = (uint64_t)(now - b->at) / SECOND_US;
	us = (uint64_t)(now - b->at) % SECOND_US;
	b->at = now;
	room = b->filled < (int64_t)most ? (uint64_t)((int64_t)most - b->filled)
					 : 0;
	if (sec <= room / b->limit_bps) {
		us = us * b->limit_bps + b->carry;
		gain = sec * b->limit_bps + us / SECOND_US;
		b->carry = us % SECOND_US;
		if (gain < room) {
			b->filled += (int64_t)gain;
			return;
		}
	}
	b->filled = (int64_t)most;
	b->carry = 0;
}

uint64_t
bt_bucket_may(struct bt_bucket *b, int64_t now)
{
	if (b->limit_bps == 0)
		return UINT64_MAX;
	fill(b, now);
	return (b->filled > 0 ? (uint64_t)b->filled : 0) + b->spare;
}

void
bt_bucket_take(struct bt_bucket *b, uint64_t bytes)
{
	if (b->limit_bps == 0)
		return;
	assert(bytes <= (uint64_t)OVERDRAFT_MAX);
	if (b->filled < (int64_t)bytes) { /* what was given back, at last */
		uint64_t n = bytes < b->spare ? bytes : b->spare;

		b->spare -= n;
		bytes -= n;
	}
	b->filled -= (int64_t)bytes;
	if (b->filled < -OVERDRAFT_MAX)
		b->filled = -OVERDRAFT_MAX;
}

void
bt_bucket_give(struct bt_bucket *b, uint64_t bytes)
{
	uint64_t most = SPARE_BURSTS * b->burst;

	if (b->limit_bps == 0)
		return;
	assert(bytes <= b->burst);
	if (most < b->limit_bps)
		most = b->limit_bps;
	if (b->filled < (int64_t)b->burst)
		b->filled += (int64_t)bytes;
	else
		b->spare = b->spare + bytes < most ? b->spare + bytes : most;
}

int64_t
bt_bucket_when(const struct bt_bucket *b, uint64_t want, int64_t now)
{
	uint64_t lack, sec, us, rest;
	int64_t at;

	if (b->limit_bps == 0)
		return now;
	if (want > b->burst)
		want = b->burst;
	if (b->filled >= (int64_t)want || b->spare >= want)
		return now;
	lack = (uint64_t)((int64_t)want - b->filled);
	sec = lack / b->limit_bps;
	rest = lack % b->limit_bps * SECOND_US;
	if (rest == 0) { /* borrow a second to take the carry from */
		sec--;
		rest = b->limit_bps * SECOND_US;
	}
	rest -= b->carry; /* under 10^6, and rest is at least that */
	if (sec > (uint64_t)(BT_NEVER / 4) / SECOND_US)
		return BT_NEVER;
	us = (rest + b->limit_bps - 1) / b->limit_bps;
	at = b->at + (int64_t)(sec * SECOND_US + us);
	return at > now ? at : now;
}

int64_t
bt_bucket_wait(struct bt_bucket *b, uint64_t want, int64_t now)
{
	b->awaited = true;
	return bt_bucket_when(b, want, now);
}

uint64_t
bt_bucket_turn(const struct bt_bucket *b)
{
	uint64_t n = b->limit_bps / TURNS_A_SECOND;

	if (b->limit_bps == 0)
		return UINT64_MAX;
	if (n < TURN_MIN)
		n = TURN_MIN;
	return n > TURN_MAX ? TURN_MAX : n;
}
