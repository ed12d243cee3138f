/*
 * scrape - what bt-scrape's parts share: the job, and its two ways to ask.
 *
 * Used by  main.c, ask.c (scrapes), announce.c (announces)
 */
#ifndef BT_SCRAPE_SCRAPE_H
#define BT_SCRAPE_SCRAPE_H

#include "cli/options.h"
#include "net/scraper.h"

struct torrent {
	uint8_t info_hash[20];
	uint64_t size;		/* bytes; 1 if only the hash is known */
	char **trackers;	/* its own */
	size_t ntrackers;
};

struct job {
	struct bt_cli cli;
	struct bt_asker_conf net;
	int64_t timeout_us;
	struct torrent *torrents;
	size_t ntorrents;
	char **trackers;	/* given by hand: for every torrent */
	size_t ntrackers;

	bool announce;
	bool has_event;
	enum bt_event event;
	bool has_left;
	uint64_t left;
	uint16_t port;
	int32_t numwant;

	size_t answers;		/* questions that were answered */
};

/* Ask, print the answers as they come, and return when all is done. */
void	scrape_ask(struct job *job);
void	scrape_announce(struct job *job);

/* Trackers of a torrent, its own before those given by hand; NULL at the end. */
const char	*scrape_tracker(const struct job *job,
	    const struct torrent *t, size_t i);
/* A tracker failed: say so in the way that was asked for. */
void	scrape_failed(struct job *job, const char *url,
	    const struct bt_err *err);

#endif
