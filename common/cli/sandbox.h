/*
 * sandbox - a tool gives up what it has no more need of.
 *
 * Called once options are read and before a stranger's byte is: from then on
 * 1. it gains no rights by running a program (no_new_privs), and runs none;
 * 2. it opens only the files it was told to name here, and what every program
 *    needs (libraries; with sockets also /etc and the resolver's files), and
 *    writes, makes, renames and removes only where it said (Landlock);
 * 3. system calls that none of the tools has a use for are refused with EPERM,
 *    sockets it has no use for with EACCES (a seccomp filter, sandbox_calls.c).
 * All threads that begin later are held too; descriptors that are open stay.
 * A kernel that lacks some of it (Landlock grew by versions; it may be off)
 * gives what it has, and -v says what holds. --no-sandbox: nothing of it.
 * Landlock rules hold for the files of now: a file that is replaced later is
 * reached only by a rule for its folder.
 * Touches: the process.
 *
 * Used by  every main.c
 * Tests    tests/unit/test_cli_sandbox.c, test_cli_sandbox_calls.c,
 *          test_cli_sandbox_kernels.c; tests/e2e/sandbox.bats
 */
#ifndef BT_CLI_SANDBOX_H
#define BT_CLI_SANDBOX_H

#include "cli/options.h"

enum bt_sandbox_sockets {
	BT_SANDBOX_NO_SOCKETS,
	/* no more than are open, but for AF_UNIX: a service manager is told */
	BT_SANDBOX_OPEN_SOCKETS,
	BT_SANDBOX_SOCKETS	/* IPv4, IPv6, and what a resolver asks by */
};

/* All zero is: no file, no socket. */
struct bt_sandbox {
	enum bt_sandbox_sockets sockets;
	struct bt_sandbox_path *paths;
	size_t npaths;
	bool is_wide;	/* a folder was not there yet: bt_sandbox_settle() */
	bool is_off;	/* --no-sandbox */
};

/* The strings are borrowed until bt_sandbox_fini(). NULL is fine. */
/* A file, or a folder and all in it. */
void	bt_sandbox_read(struct bt_sandbox *box, const char *path);
/* TORRENT operands, up to NULL: files are read; a URL needs sockets. */
void	bt_sandbox_operands(struct bt_sandbox *box, char *const *operands);
/*
 * A file that may be another by the time it is read again: its folder, and the
 * folder of what it links to.
 */
void	bt_sandbox_reread(struct bt_sandbox *box, const char *path);
/* All in this folder, which may be made by then. */
void	bt_sandbox_write(struct bt_sandbox *box, const char *folder);
/* A file that is written beside its name and then renamed. */
void	bt_sandbox_output(struct bt_sandbox *box, const char *path);
/* The same, of a file that is read too, and whose links are followed. */
void	bt_sandbox_state(struct bt_sandbox *box, const char *path);
/*
 * A file that is open and is only added to, and may be opened anew: it and files
 * in the folder of what it links to are written and made there, not read, not
 * removed and not renamed.
 */
void	bt_sandbox_log(struct bt_sandbox *box, const char *path);

/* Enter it. Before any thread is there. */
void	bt_sandbox_enter(struct bt_sandbox *box, struct bt_cli *cli);
/*
 * A folder to write to that was not there is made by now: what may be written
 * is that folder, no longer the one that it was made in. From the same thread,
 * while no other is there.
 */
void	bt_sandbox_settle(struct bt_sandbox *box);
/*
 * Of what was given to bt_sandbox_read() last only path is read from now on.
 * Under the same conditions.
 */
void	bt_sandbox_narrow(struct bt_sandbox *box, const char *path);
/* Frees box's own; the sandbox stays. */
void	bt_sandbox_fini(struct bt_sandbox *box);

#endif
