/*
 * json - one JSON object a line, written as it is told.
 *
 * 1. Written in the order of the calls and kept nowhere, so a torrent of a
 *    million files costs no memory.
 * 2. A string's bytes that are not UTF-8 become the four characters \xNN in
 *    the string (so "\\xff" in the JSON text), which keeps the JSON valid.
 * 3. key is NULL inside an array and never NULL inside an object.
 * 4. An absent fact is null, never a missing key.
 * jansson writes the values; what opens, closes and parts them is here.
 * Touches: the bt_out it was given.
 *
 *	bt_json_event(&j, &cli.out, "piece");
 *	bt_json_int(&j, "index", 17);
 *	bt_json_end(&j);
 *
 * Used by  bt-info, bt-get, bt-seed, bt-scrape, bt-tracker
 * Tests    tests/unit/test_cli_json.c
 */
#ifndef BT_CLI_JSON_H
#define BT_CLI_JSON_H

#include "base/err.h"
#include "cli/out.h"

#define BT_JSON_DEPTH_MAX 16	/* containers open at once; ours nest 3 deep */

struct bt_json {
	struct bt_out *out;
	unsigned depth;
	char closer[BT_JSON_DEPTH_MAX];	/* '}' or ']', innermost last */
	bool first;		/* nothing written yet in the innermost */
};

/* Open the object of a line. */
void	bt_json_begin(struct bt_json *j, struct bt_out *out);
/* The same with "event" and "time" (seconds since the epoch) in it. */
void	bt_json_event(struct bt_json *j, struct bt_out *out,
	    const char *event);
/* Close what is open, end the line and flush it. -1 if writing failed. */
int	bt_json_end(struct bt_json *j);

/* Open an object ('{') or an array ('[') inside; close the innermost. */
void	bt_json_open(struct bt_json *j, const char *key, char what);
void	bt_json_close(struct bt_json *j);

void	bt_json_str(struct bt_json *j, const char *key, struct bt_str s);
void	bt_json_cstr(struct bt_json *j, const char *key, const char *s);
void	bt_json_int(struct bt_json *j, const char *key, int64_t v);
void	bt_json_real(struct bt_json *j, const char *key, double v);
void	bt_json_bool(struct bt_json *j, const char *key, bool v);
void	bt_json_null(struct bt_json *j, const char *key);
/* "class": "net", "message": "cannot reach ...". */
void	bt_json_err(struct bt_json *j, const struct bt_err *err);

#endif
