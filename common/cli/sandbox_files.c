/*
 * sandbox_files - which files may be opened: a Landlock ruleset.
 *
 * A rule names a file or folder by an open descriptor. What cannot be opened
 * gets no rule: whoever needs it then says best what is wrong with it.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "cli/sandbox_priv.h"

#define READ (BT_LANDLOCK_READ_FILE | BT_LANDLOCK_READ_DIR)
#define REPLACE                                          \
	(BT_LANDLOCK_WRITE_FILE | BT_LANDLOCK_TRUNCATE | \
	    BT_LANDLOCK_MAKE_REG | BT_LANDLOCK_REMOVE_FILE)
/* what a rule for something other than a folder may hold */
#define OF_FILE                                            \
	(BT_LANDLOCK_EXECUTE | BT_LANDLOCK_WRITE_FILE |    \
	    BT_LANDLOCK_READ_FILE | BT_LANDLOCK_TRUNCATE | \
	    BT_LANDLOCK_IOCTL_DEV)

/* Libraries, also those loaded later; OpenSSL's settings; how many cores. */
static const char *const common[] = { "/usr", "/lib", "/lib32", "/lib64",
	"/nix/store", "/gnu/store", "/etc/ld.so.cache", "/etc/ssl",
	"/etc/localtime", "/dev/null", "/dev/urandom", "/proc/stat",
	"/sys/devices/system/cpu", "/proc/sys/kernel/random" };
static const char *const common_env[] = { "OPENSSL_CONF", "OPENSSL_MODULES" };

/* A resolver's files, where /etc only links to them, and certificates. */
static const char *const network[] = { "/etc", "/etc/resolv.conf",
	"/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager",
	"/var/lib/ca-certificates" };
static const char *const network_env[] = { "SSL_CERT_FILE", "SSL_CERT_DIR" };

struct ruleset {
	int fd;
	uint64_t handled; /* rights that it is about */
	bool lacks;	  /* a rule, for want of a descriptor */
};

static void
add_fd(struct ruleset *set, int fd, uint64_t rights)
{
	struct bt_landlock_beneath rule = { .fd = fd };
	struct stat st;

	if (fstat(fd, &st) == -1)
		return;
	rule.rights = rights & set->handled;
	if (!S_ISDIR(st.st_mode))
		rule.rights &= OF_FILE;
	/* refused for pipes of /proc/self/fd, which need none */
	(void)syscall(
	    SYS_landlock_add_rule, set->fd, BT_LANDLOCK_BENEATH, &rule, 0);
}

/* False: it is not there. */
static bool
add(struct ruleset *set, const char *path, uint64_t rights)
{
	int fd = open(path, O_PATH | O_CLOEXEC);

	if (fd == -1) {
		set->lacks = set->lacks || errno == EMFILE || errno == ENFILE;
		return errno != ENOENT;
	}
	add_fd(set, fd, rights);
	close(fd);
	return true;
}

static void
add_all(struct ruleset *set, const char *const *paths, size_t n)
{
	for (size_t i = 0; i < n; i++)
		add(set, paths[i], READ);
}

static void
add_env(struct ruleset *set, const char *const *names, size_t n)
{
	const char *value;
	struct bt_str rest, one;
	char *path;

	for (size_t i = 0; i < n; i++) {
		if ((value = getenv(names[i])) == NULL)
			continue;
		add(set, value, READ);
		/* OpenSSL takes a list of folders */
		for (rest = bt_str_of(value); rest.n > 0;
		     rest =
			 bt_str_sub(rest, one.n + (one.n < rest.n), rest.n)) {
			one = bt_str_sub(rest, 0, bt_str_find(rest, ':'));
			path = bt_str_dup(one);
			add(set, path, READ);
			bt_mem_free(path);
		}
	}
}

/* The folder that path lies in, by its text. */
static bool
add_folder_of(struct ruleset *set, const char *path, uint64_t rights)
{
	size_t n = strlen(path);
	char *folder;
	bool there;

	while (n > 0 && path[n - 1] == '/')
		n--;
	while (n > 0 && path[n - 1] != '/')
		n--;
	folder =
	    n == 0 ? bt_mem_strdup(".") : bt_mem_printf("%.*s", (int)n, path);
	there = add(set, folder, rights);
	bt_mem_free(folder);
	return there;
}

/* The folder of what path links to; its own where it is no link. */
static void
add_folder_behind(struct ruleset *set, const char *path, uint64_t rights)
{
	char real[PATH_MAX];

	add_folder_of(set, realpath(path, real) != NULL ? real : path, rights);
}

static void
add_output(struct ruleset *set, const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		add(set, path, BT_LANDLOCK_WRITE_FILE); /* a device, a pipe */
	else
		add_folder_of(set, path, REPLACE);
}

/* Truncating is no part of adding to it. */
static void
add_log(struct ruleset *set, const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		add(set, path, BT_LANDLOCK_WRITE_FILE); /* a device, a pipe */
	else
		add_folder_behind(
		    set, path, BT_LANDLOCK_WRITE_FILE | BT_LANDLOCK_MAKE_REG);
}

static void
add_path(struct bt_sandbox *box, struct ruleset *set,
    const struct bt_sandbox_path *p)
{
	switch (p->kind) {
	case BT_SANDBOX_READ:
	case BT_SANDBOX_OPERAND:
		add(set, p->path, READ);
		break;
	case BT_SANDBOX_REREAD:
		add_folder_of(set, p->path, READ);
		add_folder_behind(set, p->path, READ);
		break;
	case BT_SANDBOX_WRITE:
		if (!add(set, p->path, READ | REPLACE | BT_LANDLOCK_MAKE_DIR) &&
		    add_folder_of(
			set, p->path, READ | REPLACE | BT_LANDLOCK_MAKE_DIR))
			box->is_wide = true;
		break;
	case BT_SANDBOX_OUTPUT:
		add_output(set, p->path);
		break;
	case BT_SANDBOX_STATE:
		add_folder_behind(set, p->path, READ | REPLACE);
		break;
	case BT_SANDBOX_LOG:
		add_log(set, p->path);
		break;
	}
}

/*
 * The inodes of /proc/PID are made anew when they were forgotten, and a rule is
 * about one inode; so the folder is held open for good.
 */
static void
add_self(struct ruleset *set)
{
	int fd = open("/proc/self", O_PATH | O_CLOEXEC);

	if (fd != -1)
		add_fd(set, fd, READ);
}

static void
add_rules(struct bt_sandbox *box, struct ruleset *set, bool settling)
{
	add_all(set, common, sizeof(common) / sizeof(common[0]));
	add_env(set, common_env, sizeof(common_env) / sizeof(common_env[0]));
	add_self(set);
	if (box->sockets == BT_SANDBOX_SOCKETS) {
		add_all(set, network, sizeof(network) / sizeof(network[0]));
		add_env(set, network_env,
		    sizeof(network_env) / sizeof(network_env[0]));
	}
	for (size_t i = 0; i < box->npaths; i++)
		if (!settling || box->paths[i].kind != BT_SANDBOX_OPERAND)
			add_path(box, set, &box->paths[i]);
}

/* What this kernel can hold us to. Returns the size of what it is told. */
static size_t
choose(const struct bt_sandbox *box, int abi, struct bt_landlock_ruleset *set)
{
	const char *notify = getenv("NOTIFY_SOCKET");

	*set = (struct bt_landlock_ruleset){ .fs = BT_LANDLOCK_REFER - 1 };
	if (abi >= 2)
		set->fs |= BT_LANDLOCK_REFER;
	if (abi >= 3)
		set->fs |= BT_LANDLOCK_TRUNCATE;
	if (abi >= 5)
		set->fs |= BT_LANDLOCK_IOCTL_DEV;
	if (abi < 4)
		return sizeof(set->fs);
	/* what listens already goes on; nothing new is bound or dialled */
	if (box->sockets != BT_SANDBOX_SOCKETS)
		set->net = BT_LANDLOCK_NET;
	if (abi < 6)
		return sizeof(set->fs) + sizeof(set->net);
	set->scoped = BT_LANDLOCK_SIGNAL;
	if (notify == NULL || notify[0] != '@')
		set->scoped |= BT_LANDLOCK_ABSTRACT;
	return sizeof(*set);
}

int
bt_sandbox_files(struct bt_sandbox *box, bool settling)
{
	struct bt_landlock_ruleset attr;
	struct ruleset set;
	size_t n;
	long abi, rc;
	int code;

	abi =
	    syscall(SYS_landlock_create_ruleset, NULL, 0, BT_LANDLOCK_VERSION);
	if (abi < 1)
		return errno == ENOSYS || errno == EOPNOTSUPP ? 0 : -1;
	n = choose(box, (int)abi, &attr);
	set.handled = attr.fs;
	set.fd = (int)syscall(SYS_landlock_create_ruleset, &attr, n, 0);
	if (set.fd == -1)
		return -1;
	box->is_wide = false;
	set.lacks = false;
	add_rules(box, &set, settling);
	/* what a missing rule would forbid is not to be told as a wrong right */
	rc = set.lacks ? -1 : syscall(SYS_landlock_restrict_self, set.fd, 0);
	code = set.lacks ? EMFILE : errno;
	close(set.fd);
	errno = code;
	return rc == -1 ? -1 : (int)abi;
}
