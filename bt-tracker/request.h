/*
 * request - the head of an HTTP request: bytes in, struct out.
 *
 * 1. Lines end in CRLF or LF, and empty ones before a request are passed over.
 * 2. What is wrong is refused at the line that shows it; what is not whole yet
 *    at BT_REQUEST_MAX bytes.
 * 3. Requests with a body, folded or nameless header lines, control bytes and
 *    spaces in the target are refused: nothing that could be read in two ways.
 * 4. What a proxy adds is kept for bt-tracker/proxy.c to judge.
 * Views point into the input.
 * Pure.
 *
 * Speaks   RFC 9112 (requests without content)
 * Used by  bt-tracker/http.c
 * Tests    tests/unit/test_tracker_request.c, tests/fuzz/fuzz_request.c
 */
#ifndef BT_TRACKER_REQUEST_H
#define BT_TRACKER_REQUEST_H

#include <sys/types.h>

#include "base/str.h"

/* A scrape of 110 torrents, every byte of their hashes escaped, fits. */
#define BT_REQUEST_MAX	8192u

enum bt_method { BT_METHOD_GET, BT_METHOD_HEAD, BT_METHOD_OTHER };

/* Lines of X-Forwarded-For and Forwarded; who sends more is refused. */
#define BT_REQUEST_VIA_MAX	8u

struct bt_request_via {
	bool standard;		/* Forwarded; else X-Forwarded-For */
	struct bt_str value;
};

struct bt_request {
	enum bt_method method;
	struct bt_str path;	/* as written, without scheme and host */
	struct bt_str query;	/* after '?', may be empty */
	bool keep;		/* the connection is to stay open */
	bool forwarded;		/* it bears the mark of a proxy */
	struct bt_request_via via[BT_REQUEST_VIA_MAX];
	unsigned nvia;
	int status;		/* of a refusal: 400, 405, 413, 431, 505 */
};

/*
 * Read the first request in `in`. Returns the bytes it took, 0 when more are
 * needed, or -1 with r->status alone set: the connection is of no more use.
 */
ssize_t	bt_request_parse(struct bt_str in, struct bt_request *r);

#endif
