#include "cli/sandbox.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/buf.h"
#include "base/mem.h"
#include "cli/input.h"
#include "cli/sandbox_priv.h"

#define SAYS_MAX 512 /* bytes of the note at -v */

static void
add(struct bt_sandbox *box, const char *path, enum bt_sandbox_kind kind)
{
	if (path == NULL)
		return;
	/* stdin and stdout are open; a folder may have that name */
	if ((kind == BT_SANDBOX_OPERAND || kind == BT_SANDBOX_OUTPUT ||
		kind == BT_SANDBOX_LOG) &&
	    strcmp(path, "-") == 0)
		return;
	if ((box->npaths & (box->npaths - 1)) == 0) /* 0, or a power of two */
		box->paths = bt_mem_resize(box->paths,
		    box->npaths == 0 ? 1 : box->npaths * 2,
		    sizeof(*box->paths));
	box->paths[box->npaths++] = (struct bt_sandbox_path){ path, kind };
}

void
bt_sandbox_read(struct bt_sandbox *box, const char *path)
{
	add(box, path, BT_SANDBOX_READ);
}

void
bt_sandbox_operands(struct bt_sandbox *box, char *const *operands)
{
	for (; *operands != NULL; operands++)
		if (bt_input_is_url(*operands))
			box->sockets = BT_SANDBOX_SOCKETS;
		else
			add(box, *operands, BT_SANDBOX_OPERAND);
}

void
bt_sandbox_reread(struct bt_sandbox *box, const char *path)
{
	add(box, path, BT_SANDBOX_REREAD);
}

void
bt_sandbox_write(struct bt_sandbox *box, const char *folder)
{
	add(box, folder, BT_SANDBOX_WRITE);
}

void
bt_sandbox_output(struct bt_sandbox *box, const char *path)
{
	add(box, path, BT_SANDBOX_OUTPUT);
}

void
bt_sandbox_state(struct bt_sandbox *box, const char *path)
{
	add(box, path, BT_SANDBOX_STATE);
}

void
bt_sandbox_log(struct bt_sandbox *box, const char *path)
{
	add(box, path, BT_SANDBOX_LOG);
}

/* "Landlock ABI 6: write 'copy'", where it can be written at all. */
static void
say_files(const struct bt_sandbox *box, int abi, char *says, size_t n)
{
	const char *verb = ": write";
	size_t at;

	if (abi < 1) {
		snprintf(says, n, "no Landlock (%s)",
		    abi == 0 ? "this kernel has none" : strerror(errno));
		return;
	}
	at = (size_t)snprintf(says, n, "Landlock ABI %d", abi);
	for (size_t i = 0; i < box->npaths && at < n; i++) {
		if (box->paths[i].kind < BT_SANDBOX_WRITE)
			continue;
		at += (size_t)snprintf(
		    says + at, n - at, "%s '%s'", verb, box->paths[i].path);
		verb = ",";
	}
	if (at < n && verb[0] == ':')
		snprintf(says + at, n - at, ": write nothing");
}

static void
say_calls(enum bt_sandbox_sockets sockets, int calls, char *says, size_t n)
{
	static const char *const kinds[] = {
		[BT_SANDBOX_NO_SOCKETS] = ", no sockets",
		[BT_SANDBOX_OPEN_SOCKETS] = ", no new sockets",
		[BT_SANDBOX_SOCKETS] = "",
	};

	if (calls > 0)
		snprintf(says, n, "seccomp: %d calls refused%s", calls,
		    kinds[sockets]);
	else
		snprintf(says, n, "no seccomp (%s)",
		    calls == 0 ? "a sanitizer is at work" : strerror(errno));
}

void
bt_sandbox_enter(struct bt_sandbox *box, struct bt_cli *cli)
{
	char files[SAYS_MAX], calls[80];

	box->is_off = cli->no_sandbox;
	if (box->is_off) {
		bt_log_put(
		    &cli->log, BT_LOG_INFO, "sandbox: none (--no-sandbox)");
		return;
	}
	/* both others need it where we are not root */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1) {
		bt_log_put(&cli->log, BT_LOG_INFO,
		    "sandbox: none (no_new_privs: %s)", strerror(errno));
		box->is_off = true;
		return;
	}
	say_files(box, bt_sandbox_files(box, false), files, sizeof(files));
	say_calls(
	    box->sockets, bt_sandbox_calls(box->sockets), calls, sizeof(calls));
	bt_log_put(&cli->log, BT_LOG_INFO, "sandbox: %s; %s", files, calls);
}

void
bt_sandbox_settle(struct bt_sandbox *box)
{
	/* should it fail, what is wider holds */
	if (!box->is_off && box->is_wide)
		(void)bt_sandbox_files(box, true);
}

void
bt_sandbox_narrow(struct bt_sandbox *box, const char *path)
{
	struct bt_sandbox_path *last = NULL;

	for (size_t i = 0; i < box->npaths; i++)
		if (box->paths[i].kind == BT_SANDBOX_READ)
			last = &box->paths[i];
	assert(last != NULL);
	last->path = path;
	box->is_wide = true;
	bt_sandbox_settle(box);
}

void
bt_sandbox_fini(struct bt_sandbox *box)
{
	bt_mem_free(box->paths);
	box->paths = NULL;
	box->npaths = 0;
}
