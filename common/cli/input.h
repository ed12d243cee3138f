/*
 * input - a TORRENT operand: a path, `-`, or an http(s) URL.
 *
 * 1. `-` is stdin and may be given once; the second is BT_EUSAGE.
 * 2. A URL goes through the function that main.c hands in (net/fetch), since
 *    cli may not name net; without one a URL is BT_EUSAGE.
 * 3. `magnet:` is BT_EINPUT in a sentence of its own.
 * 4. A missing file is BT_EFILE; a directory, an empty file, or more than
 *    BT_META_BYTES_MAX bytes are BT_EINPUT or BT_ELIMIT.
 * A path that looks like a URL is reached as ./http:... . cli may name neither
 * disk nor net, so main.c hands both functions in:
 *
 *	struct bt_input in = { .read = bt_slurp_fd, .fetch = fetch };
 *
 * Touches: files, stdin.
 *
 * Used by  bt-info, bt-get, bt-seed, bt-scrape
 * Tests    tests/unit/test_cli_input.c, tests/e2e/bt-info.bats
 */
#ifndef BT_CLI_INPUT_H
#define BT_CLI_INPUT_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

struct bt_input {
	/* Add all that fd holds to out; disk/slurp's bt_slurp_fd. */
	int (*read)(int fd, const char *name, struct bt_buf *out,
	    struct bt_err *err);
	/* Add the body behind url to out; 0 or -1. NULL: no URLs here. */
	int (*fetch)(void *arg, const char *url, struct bt_buf *out,
	    struct bt_err *err);
	void *arg;		/* for fetch */
	bool stdin_taken;	/* also set by a tool that reads stdin itself */
};

/*
 * Read a torrent's bytes into out, which this initializes whatever happens;
 * the caller ends it with bt_buf_fini(). The bytes are not looked at beyond
 * being there. 0 or -1.
 */
int	bt_input_torrent(struct bt_input *in, const char *operand,
	    struct bt_buf *out, struct bt_err *err);

/* Does it name what is elsewhere, to be fetched? */
bool	bt_input_is_url(const char *operand);

/* Take stdin for something else; -1 (BT_EUSAGE) if it is taken already. */
int	bt_input_take_stdin(struct bt_input *in, struct bt_err *err);

#endif
