/*
 * ways - how blocks of a file may come to a socket, headers before them.
 *
 * Touches: files, sockets.
 *
 * Used by  tests/bench/source
 */
#ifndef BT_BENCH_WAYS_H
#define BT_BENCH_WAYS_H

#include "rig.h"

struct ways {
	const struct rig_torrent *t;	/* borrowed, as is */
	int in;				/* the content */
	const struct way *way;
	uint8_t *staging;		/* copy */
	uint8_t *heads;			/* splice: lent to the socket */
	unsigned next_head;
	int ends[2];			/* splice: a pipe */
};

/* Is it "copy", "sendfile", "splice" or "map"? */
bool	ways_is(const char *name);
void	ways_open(struct ways *w, const char *name, const struct rig_torrent *t,
	    int in);
void	ways_close(struct ways *w);
/* All n <= RIG_BATCH blocks; false: the other side is gone. */
bool	ways_send(struct ways *w, int fd, const struct rig_block *b, unsigned n);

#endif
