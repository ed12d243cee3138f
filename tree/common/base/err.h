/*
 * err - what went wrong, whose fault it is, in one sentence for a person.
 *
 * 1. Sentences are lower case without a full stop: failure first, subject
 *    quoted, reason last ("cannot open 'x': No such file or directory").
 * 2. A struct bt_err is untouched on success and is never NULL.
 * 3. Nothing is printed where it arises; cli/exit maps a kind to a status.
 * Control bytes in the text are written \xNN, so that a name from outside
 * never reaches a terminal raw.
 * Pure.
 *
 * Used by  everything
 * Tests    tests/unit/test_err.c
 */
#ifndef BT_BASE_ERR_H
#define BT_BASE_ERR_H

#include <stdarg.h>

enum bt_err_kind {
	BT_ENONE = 0,
	BT_EANSWER,	/* the answer is no: exit 1 */
	BT_EUSAGE,	/* the user's command line: exit 2 */
	BT_EINPUT,	/* bad input: not a torrent, a malformed URL: exit 3 */
	BT_ELIMIT,	/* too big for us: exit 3 */
	BT_ENET,	/* could not be reached, bound or understood: exit 4 */
	BT_EREFUSED,	/* the tracker said no (failure reason): exit 5 */
	BT_ETIMEOUT,	/* exit 6 */
	BT_EFILE,	/* local files: exit 7 */
	BT_EMISMATCH	/* content does not match the torrent: exit 8 */
};

#define BT_ERR_TEXT_MAX	1024	/* bytes, with the NUL; longer is cut */

struct bt_err {
	enum bt_err_kind kind;
	char text[BT_ERR_TEXT_MAX];
};

#define BT_ERR_INIT	{ BT_ENONE, "" }

/* Set kind and text. Always returns -1, so a failure line is the return. */
int	bt_err_set(struct bt_err *err, enum bt_err_kind kind, const char *fmt,
	    ...) __attribute__((format(printf, 3, 4)));
int	bt_err_vset(struct bt_err *err, enum bt_err_kind kind, const char *fmt,
	    va_list ap) __attribute__((format(printf, 3, 0)));

/* The same with kind BT_EFILE and ": <errno spelled>" appended. */
int	bt_err_sys(struct bt_err *err, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));

/* The same for another kind and a given errno value. */
int	bt_err_code(struct bt_err *err, enum bt_err_kind kind, int code,
	    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Put "text: " before what is there. Returns -1. */
int	bt_err_prefix(struct bt_err *err, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));

#endif
