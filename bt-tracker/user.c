#include "user.h"

#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"

/* A number that an id may be; the largest one is none. */
static bool
read_id(const char *text, uint32_t *id)
{
	uint64_t v;

	if (bt_str_u64(bt_str_of(text), &v) == -1 || v >= UINT32_MAX)
		return false;
	*id = (uint32_t)v;
	return true;
}

static int
find_group(struct bt_user *u, const char *name, struct bt_err *err)
{
	const struct group *g = getgrnam(name);
	uint32_t id;

	if (g != NULL)
		u->gid = g->gr_gid;
	else if (read_id(name, &id))
		u->gid = id;
	else
		return bt_err_set(
		    err, BT_EUSAGE, "there is no group '%s'", name);
	return 0;
}

int
bt_user_find(struct bt_user *u, const char *what, struct bt_err *err)
{
	const struct passwd *p;
	char *colon;
	uint32_t id;

	if (strlen(what) >= sizeof(u->name))
		return bt_err_set(
		    err, BT_EUSAGE, "'%s' is too long for a user", what);
	memcpy(u->name, what, strlen(what) + 1);
	colon = strchr(u->name, ':');
	if (colon != NULL)
		*colon = '\0';
	p = getpwnam(u->name);
	if (p == NULL && read_id(u->name, &id)) {
		p = getpwuid(id);
		u->uid = id;
		if (p == NULL && colon == NULL)
			return bt_err_set(err, BT_EUSAGE,
			    "user '%s' has no group: say '%s:GROUP'", what,
			    what);
	} else if (p == NULL)
		return bt_err_set(
		    err, BT_EUSAGE, "there is no user '%s'", u->name);
	if (p != NULL) {
		u->uid = p->pw_uid;
		u->gid = p->pw_gid;
	}
	if (colon != NULL && find_group(u, colon + 1, err) == -1)
		return -1;
	if (u->uid == 0 || u->gid == 0)
		return bt_err_set(
		    err, BT_EUSAGE, "'%s' is root, and gives up nothing", what);
	return 0;
}

int
bt_user_become(const struct bt_user *u, struct bt_err *err)
{
	if (u->name[0] == '\0' ||
	    (getuid() == u->uid && geteuid() == u->uid && getgid() == u->gid &&
		getegid() == u->gid))
		return 0;
	if (initgroups(u->name, u->gid) == -1 ||
	    setresgid(u->gid, u->gid, u->gid) == -1 ||
	    setresuid(u->uid, u->uid, u->uid) == -1)
		return bt_err_sys(err, "cannot become user '%s'", u->name);
	/* rule 2: no way back */
	if (setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0)
		return bt_err_set(
		    err, BT_EFILE, "cannot become user '%s' for good", u->name);
	return 0;
}
