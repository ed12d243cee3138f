/*
 * scrape - how many have it, in HTTP form, for both sides.
 *
 * Pure. Views point into the input.
 *
 * Speaks   BEP 48, BEP 21 (downloaders; those who do not say it have none
 *          paused)
 * Used by  net/scraper, bt-scrape, bt-tracker
 * Tests    tests/unit/test_scrape.c, tests/fuzz/fuzz_scrape.c
 */
#ifndef BT_CODEC_SCRAPE_H
#define BT_CODEC_SCRAPE_H

#include "base/buf.h"
#include "base/err.h"

#define BT_SCRAPE_REPLY_MAX	(4u << 20)	/* bytes of a body */

struct bt_scrape_row {
	uint8_t info_hash[20];
	uint32_t complete;	/* seeders */
	uint32_t incomplete;	/* leechers */
	uint32_t downloaded;	/* completions */
	uint32_t downloaders;	/* of the incomplete, without partial seeds */
};

/*
 * Append base, a scrape URL, with info_hash parameters added; with n 0 as it
 * is. BT_ELIMIT when it does not fit out's ceiling.
 */
int	bt_scrape_url(struct bt_buf *out, struct bt_str base,
	    const uint8_t (*hashes)[20], size_t n, struct bt_err *err);
/*
 * Read a body: rows beyond max are passed over; *n is how many were read. A
 * `failure reason` is BT_EREFUSED with its text; what is not a reply is
 * BT_ENET.
 */
int	bt_scrape_reply_parse(struct bt_str body, struct bt_scrape_row *rows,
	    size_t max, size_t *n, struct bt_err *err);
/*
 * The tracker's side: the info_hash parameters of a query, those beyond max
 * passed over. BT_EINPUT when one is not 20 bytes.
 */
int	bt_scrape_query_parse(struct bt_str query, uint8_t (*hashes)[20],
	    size_t max, size_t *n, struct bt_err *err);
/* Write a body; rows must be sorted by hash and unique. 0, or -1: no room. */
int	bt_scrape_answer_put(struct bt_buf *out,
	    const struct bt_scrape_row *rows, size_t n);

/*
 * The same by hand: a body is "d5:filesd", rows in order, "ee". A row is less
 * than 200 bytes.
 */
int	bt_scrape_row_put(struct bt_buf *out, const struct bt_scrape_row *row);

#endif
