#include "user.h"

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"
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
	const char *login;
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
	login = p != NULL ? p->pw_name : u->name;
	if (strlen(login) >= sizeof(u->login))
		return bt_err_set(
		    err, BT_EUSAGE, "'%s' is too long for a user", login);
	memcpy(u->login, login, strlen(login) + 1);
	if (colon != NULL && find_group(u, colon + 1, err) == -1)
		return -1;
	if (u->uid == 0 || u->gid == 0)
		return bt_err_set(
		    err, BT_EUSAGE, "'%s' is root, and gives up nothing", what);
	return 0;
}

/* 1: root's is among the other groups; -1: errno. */
static int
has_group_0(void)
{
	gid_t *list;
	int n, found = 0;

	n = getgroups(0, NULL);
	if (n <= 0)
		return n;
	list = bt_mem_array((size_t)n, sizeof(*list));
	n = getgroups(n, list);
	for (int i = 0; i < n; i++)
		found |= list[i] == 0;
	bt_mem_free(list);
	return n == -1 ? -1 : found;
}

/* Those that a change of user does not take: given from outside, or kept. */
static int
drop_capabilities(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

	/* a kernel without ambient ones has none to clear */
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return (int)syscall(SYS_capset, &head, none);
}

int
bt_user_become(const struct bt_user *u, struct bt_err *err)
{
	bool same;
	int root;

	if (u->name[0] == '\0')
		return 0;
	same = getuid() == u->uid && geteuid() == u->uid &&
	       getgid() == u->gid && getegid() == u->gid;
	/* who is that user already may not be allowed to: then we look below */
	if ((initgroups(u->login, u->gid) == -1 && !same) ||
	    setresgid(u->gid, u->gid, u->gid) == -1 ||
	    setresuid(u->uid, u->uid, u->uid) == -1 ||
	    drop_capabilities() == -1 || (root = has_group_0()) == -1)
		return bt_err_sys(err, "cannot become user '%s'", u->name);
	if (root == 1)
		return bt_err_set(err, BT_EFILE,
		    "cannot become user '%s': it is in root's group", u->name);
	/* rule 2: no way back */
	if (setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0)
		return bt_err_set(
		    err, BT_EFILE, "cannot become user '%s' for good", u->name);
	return 0;
}
