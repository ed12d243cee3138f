/*
 * scrape - what bt-scrape's parts share: the job, and its three ways to ask.
 *
 * Used by  main.c, operands.c (what is asked about), ask.c (scrapes),
 *          announce.c (announces), check.c (both, of trackers)
 */
#ifndef BT_SCRAPE_SCRAPE_H
#define BT_SCRAPE_SCRAPE_H

#include "cli/input.h"
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

	bool announce, check;
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
void	scrape_check(struct job *job);

/* One more torrent of which only the hash is known, or tracker by hand. */
void	scrape_add_hash(struct job *job, const uint8_t hash[20]);
void	scrape_add_tracker(struct job *job, const char *url);
/*
 * Take an operand, or the lines of one that is `-`; what is wrong with it is
 * said, and its status kept.
 */
void	scrape_take_operand(struct job *job, struct bt_input *input,
	    const char *operand);
void	scrape_free(struct job *job);

/* Trackers of a torrent, its own before those given by hand; NULL at the end. */
const char	*scrape_tracker(const struct job *job,
	    const struct torrent *t, size_t i);
/* A tracker failed: say so in the way that was asked for. */
void	scrape_failed(struct job *job, const char *url,
	    const struct bt_err *err);

#endif
