/*
 * value - the numbers, sizes, times and ranges that people type.
 *
 * The whole text must be the value: no blanks, no sign, nothing after it.
 * Whatever does not fit its type is refused, never wrapped. Errors are
 * BT_EUSAGE and quote the text; each returns 0 or -1.
 * Touches: nothing.
 *
 * Used by  cli/options (which adds the option's name), bt-get, bt-make
 * Tests    tests/unit/test_cli_value.c
 */
#ifndef BT_CLI_VALUE_H
#define BT_CLI_VALUE_H

#include <stdint.h>

#include "base/err.h"

/* Bytes: "4096", "4K", "4KiB", "1.5M", ... up to P; binary, either case. */
int	bt_value_size(const char *s, uint64_t *bytes, struct bt_err *err);

/* Microseconds: "90", "1.5h", "30s", "2m", "1d"; seconds when no letter. */
int	bt_value_time(const char *s, uint64_t *us, struct bt_err *err);

/* A decimal number, min <= n <= max. */
int	bt_value_count(const char *s, uint64_t min, uint64_t max, uint64_t *n,
	    struct bt_err *err);

/* "1", "1.5", "0.25": thousandths, so that ratios compare exactly. */
int	bt_value_ratio(const char *s, uint64_t *thousandths,
	    struct bt_err *err);

/*
 * "1-3,8,10-": take the first range off *s. "10-" ends at UINT64_MAX. Returns
 * 1 with 1 <= *from <= *to, 0 at the end, or -1.
 */
int	bt_value_next_range(const char **s, uint64_t *from, uint64_t *to,
	    struct bt_err *err);

#endif
