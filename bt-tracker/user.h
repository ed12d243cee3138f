/*
 * user - whom the tracker serves as, once its ports are bound.
 *
 * The rules
 * 1. What needs a privilege is done before: ports below 1024. All files are
 *    opened after, so what is opened, saved and read again on SIGHUP is what
 *    that user may, and what it may not is known at the start.
 * 2. All of it goes: user, group, the other groups, and capabilities, also where
 *    we are that user already. That none can be had again is checked.
 * 3. Before any thread is there.
 * Touches: the process, the user database.
 *
 * Used by  bt-tracker/main.c
 * Tests    tests/e2e/bt-tracker-user.bats
 */
#ifndef BT_TRACKER_USER_H
#define BT_TRACKER_USER_H

#include <sys/types.h>

#include "base/err.h"

#define BT_USER_NAME_MAX	64u

struct bt_user {
	char name[BT_USER_NAME_MAX];	/* as given; empty: stay who we are */
	char login[BT_USER_NAME_MAX];	/* whom groups list */
	uid_t uid;
	gid_t gid;
};

/*
 * NAME or NAME:GROUP, numbers too; without a group the user's own. BT_EUSAGE
 * for one that is not there, and for root. 0 or -1.
 */
int	bt_user_find(struct bt_user *u, const char *what, struct bt_err *err);
/* BT_EFILE where we may not, or remain in root's group. 0 or -1. */
int	bt_user_become(const struct bt_user *u, struct bt_err *err);

#endif
