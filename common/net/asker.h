/*
 * asker - one question to one tracker, by whatever its URL says.
 *
 * Announce or scrape, http, https or udp, over one address family. It keeps one
 * HTTP client, one UDP client and one resolver for all who ask, each made when
 * it is first needed. It knows no policy: what to ask, of whom and when is
 * net/announcer's and net/scraper's.
 * 1. Each question is answered by exactly one callback, never before the asking
 *    call returned, and none after bt_asker_cancel().
 * 2. Of many questions to one tracker few are asked at a time (net/turns).
 * 3. Trackers cannot exhaust us: replies, redirects and waits are bounded.
 * Touches: sockets (through httpc, udp, dns).
 *
 * Speaks   BEP 3, 7, 15, 23, 41, 48
 * Used by  net/announcer, net/scraper, bt-scrape
 * Tests    tests/e2e/announce.bats
 */
#ifndef BT_NET_ASKER_H
#define BT_NET_ASKER_H

#include "base/log.h"
#include "codec/announce.h"
#include "codec/scrape.h"
#include "net/loop.h"

struct bt_asker;
struct bt_dns;
struct bt_asker_question;

struct bt_asker_conf {
	struct bt_loop *loop;	/* borrowed for life */
	bool ipv4, ipv6;	/* families to ask over; at least one */
	struct bt_addr bind;	/* source address, or family 0 */
	bool insecure;		/* do not verify certificates */
	int64_t timeout_us;	/* of one HTTP question; 0: 30 s */
	const struct bt_log *log;	/* may be NULL; borrowed */
};

/* gives */
struct bt_asker	*bt_asker_new(const struct bt_asker_conf *conf);
/* Questions still open get no answer. */
void	bt_asker_free(struct bt_asker *k);

/*
 * Is there any sense in asking this tracker over this family (4 or 6): is the
 * family on, and is the host not a literal of the other one?
 */
bool	bt_asker_can(const struct bt_asker *k, const char *url,
	    uint8_t family);

/*
 * Announce. The callback borrows its arguments; r is NULL if it failed. A
 * refusal is BT_EREFUSED, with r set where the tracker said when to retry. No
 * peers are asked for a stopped event. UDP goes on as BEP 15 says, for hours
 * if need be; whoever is in a hurry cancels. NULL, and no callback, for a URL
 * that cannot be asked.
 */
struct bt_asker_question	*bt_asker_announce(struct bt_asker *k,
	    const char *url, uint8_t family, const struct bt_announce *a,
	    void (*done)(void *arg, const struct bt_announce_reply *r,
	    const struct bt_err *err), void *arg, struct bt_err *err);

/* Scrape by the tracker's announce URL (BEP 48) or scrape URL. */
struct bt_asker_question	*bt_asker_scrape(struct bt_asker *k,
	    const char *url, uint8_t family, const uint8_t (*hashes)[20],
	    size_t n, void (*done)(void *arg, const struct bt_scrape_row *rows,
	    size_t nrows, const struct bt_err *err), void *arg,
	    struct bt_err *err);

/* Was it asked, and since when, or does it wait for its turn? */
bool	bt_asker_is_asked(const struct bt_asker_question *q, int64_t *since);
/* NULL is fine. */
void	bt_asker_cancel(struct bt_asker_question *q);

/* The resolver that it shares. */
struct bt_dns	*bt_asker_dns(struct bt_asker *k);

#endif
