/*
 * evil - scripted hosts that speak raw wire bytes, and not as they should.
 *
 * Nothing of core/ is in them. What each kind does is a row of one table, in
 * traits.c; they dial, are dialled, and dial again.
 */
#ifndef SIM_EVIL_H
#define SIM_EVIL_H

#include "net.h"

struct sim_trait {
	const char *name;
	const char *what;	/* for a person */
	enum { TELLS_ALL, TELLS_HAVE_ALL, TELLS_HAVES, TELLS_LAZILY,
	    TELLS_NOTHING, TELLS_SHORT, TELLS_LONG, TELLS_SPARE,
	    TELLS_TWICE } tells;
	bool fast;		/* offers BEP 6 */
	bool unchokes;
	enum { GIVES_NOTHING, GIVES_BLOCKS, GIVES_TWICE, GIVES_UNASKED,
	    GIVES_REJECTS } gives;
	unsigned lies;		/* of 1000 blocks */
	unsigned quits;		/* after so many blocks, in the midst of one */
	bool teases;		/* chokes and unchokes each few seconds */
	enum { ASKS_NOTHING, ASKS_SOME, ASKS_CHOKED, ASKS_FLOOD,
	    ASKS_WEIRD, ASKS_OUTSIDE } asks;
	enum { SAYS_SENSE, SAYS_NOTHING, SAYS_NOISE, SAYS_TOO_LONG,
	    SAYS_OTHER_HASH, SAYS_FAST_UNASKED } says;
	bool is_deaf;		/* reads nothing */
	bool must_end;		/* no honest host may keep it */
};

extern const struct sim_trait sim_traits[];
extern const unsigned sim_ntraits;

/* A host of that kind; its link may be set before its birth. */
struct sim_host	*sim_evil_new(struct sim *s, const struct sim_trait *t);

#endif
