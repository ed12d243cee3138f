/*
 * scraper - asks many trackers about many torrents, side by side.
 *
 * The rules
 * 1. Questions are grouped by tracker: 74 torrents in one UDP packet (BEP 15),
 *    40 in one HTTP request (a URL of some 3 KB).
 * 2. Each pair of tracker and torrent is answered by one row or is part of one
 *    failure. A torrent that the tracker does not name has nobody; of a batch
 *    it is asked again alone first, for trackers that answer only one.
 * 3. A UDP tracker that cannot be reached over IPv4 is tried over IPv6.
 * 4. At most 32 questions are out, and 4 at one tracker.
 * Touches: sockets (through net/asker).
 *
 * Speaks   BEP 15, 48
 * Used by  bt-scrape
 * Tests    tests/e2e/bt-scrape.bats
 */
#ifndef BT_NET_SCRAPER_H
#define BT_NET_SCRAPER_H

#include "net/asker.h"

#define BT_SCRAPER_UDP_BATCH	74u	/* BT_UDP_SCRAPE_MAX */
#define BT_SCRAPER_HTTP_BATCH	40u
#define BT_SCRAPER_OUT_MAX	32u
#define BT_SCRAPER_TRACKER_MAX	4u

struct bt_scraper;

struct bt_scraper_conf {
	struct bt_asker *asker;	/* borrowed for life */
	struct bt_loop *loop;	/* borrowed for life */
	int64_t timeout_us;	/* of one question */
	/* Called from the loop; none may free the scraper but on_done. */
	void (*on_row)(void *arg, const char *url,
	    const struct bt_scrape_row *row);
	void (*on_failed)(void *arg, const char *url, size_t torrents,
	    const struct bt_err *err);
	void (*on_done)(void *arg);	/* all is answered */
	void *arg;
};

/* gives */
struct bt_scraper	*bt_scraper_new(const struct bt_scraper_conf *conf);
void	bt_scraper_free(struct bt_scraper *s);
/* Before the start: ask this tracker about this torrent, once. */
void	bt_scraper_add(struct bt_scraper *s, const char *url,
	    const uint8_t info_hash[20]);
/* From the loop's next iteration on. */
void	bt_scraper_start(struct bt_scraper *s);

#endif
