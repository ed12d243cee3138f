#include "obey.h"

#include <string.h>

#include "base/mem.h"
#include "disk.h"

#define REPLY_US BT_MSEC(100) /* of the tracker */

static struct sim_slot *
slot_at(struct sim_host *h, uint64_t slot, const char *what)
{
	struct sim_shell *sh = h->shell;
	uint32_t i = (uint32_t)slot;

	if (i < sh->nat && sh->at[i].open && sh->at[i].slot == slot)
		return &sh->at[i];
	sim_fail(h->sim, h, "%s names slot %llx, which is not open", what,
	    (unsigned long long)slot);
	return NULL;
}

void
sim_obey_open(
    struct sim_host *h, uint64_t slot, struct sim_end *e, bool accepted)
{
	struct sim_shell *sh = h->shell;
	uint32_t i = (uint32_t)slot, n = sh->nat;
	struct sim_tap *tap = e->own;

	if (i >= n) {
		sh->nat = i + 16;
		sh->at = bt_mem_resize(sh->at, sh->nat, sizeof(*sh->at));
		memset(sh->at + n, 0, (sh->nat - n) * sizeof(*sh->at));
	}
	if (sh->at[i].open || sh->at[i].slot == slot)
		sim_fail(h->sim, h, "slot %llx is opened twice",
		    (unsigned long long)slot);
	sh->at[i] = (struct sim_slot){ slot, e, true };
	if (tap == NULL)
		tap = e->own = sim_tap_new(e);
	tap->slot = slot;
	tap->accepted = accepted;
}

/* Between two honest hosts no fault is found but these. */
static bool
is_fair(const char *why)
{
	static const char *const fair[] = { ("neither needs anything of the "
					     "other"),
		"the connection ended", "it could not be reached",
		"connecting timed out", "it is connected already",
		"it is ourselves", "the torrent is stopped",
		"no handshake came in time", "it has been silent for too long",
		"it has taken nothing for too long",
		"its rest of a block cannot be read",
		"it is asked anew what it has" };

	for (size_t i = 0; i < sizeof(fair) / sizeof(fair[0]); i++)
		if (strcmp(why, fair[i]) == 0)
			return true;
	return false;
}

void
sim_obey_told(struct sim_end *e, bool told)
{
	struct sim_tap *tap = e->own;

	if (tap->told == told)
		return;
	tap->told = told;
	if (told)
		TAILQ_INSERT_TAIL(&e->host->shell->told, e, told);
	else
		TAILQ_REMOVE(&e->host->shell->told, e, told);
}

/* The end is no more; the core knows, or is told. */
void
sim_obey_end(struct sim_end *e)
{
	sim_obey_told(e, false);
	sim_tap_end(e);
	sim_tap_free(e->own);
	e->own = NULL;
	sim_net_close(e);
}

static void
obey_close(struct sim_host *h, const struct bt_effect *fx)
{
	struct sim_slot *at = slot_at(h, fx->slot, "a close");
	struct sim_end *e;

	if (at == NULL)
		return;
	e = at->end;
	at->open = false;
	sim_log(h->sim, h, fx->why, fx->slot, e->peer->host->id);
	if (e->peer->host->shell != NULL && !is_fair(fx->why))
		sim_fail(h->sim, h, "blames host %u, which is honest: %s",
		    e->peer->host->id, fx->why);
	sim_obey_end(e);
}

static void
obey_ban(struct sim_host *h, const struct bt_effect *fx)
{
	struct sim_host *who = sim_world_at(h->sim, &fx->addr);

	sim_log(h->sim, h, "bans", who->id, 0);
	if (!bt_bits_has(&h->shell->hurt, who->id))
		sim_fail(h->sim, h, "bans host %u, which spoiled nothing of it",
		    who->id);
	bt_bits_put(&h->shell->banned, who->id);
}

/* The first time that it has all that it wants. */
void
sim_obey_have(struct sim_host *h)
{
	struct sim_shell *sh = h->shell;

	if (sh->done_at != 0 || bt_bits_any_not_in(&sh->want, &sh->disk))
		return;
	sh->done_at = h->sim->now;
	if (sh->is_stranded) /* what was missing came from an evil one */
		h->sim->stranded--;
	else
		h->sim->unfinished -= sh->must_finish;
	sh->is_stranded = false;
}

bool
sim_obey_has_file(const struct sim_host *h, uint32_t i)
{
	const struct bt_layout *l = h->sim->content.layout;

	return bt_filetab_size(l->files, i) > 0 &&
	       (l->files->at[i].attr & BT_META_PAD) == 0 &&
	       bt_bits_next_clear(&h->shell->disk, bt_layout_first(l, i)) >
		   bt_layout_last(l, i);
}

static void
obey_file(struct sim_host *h, uint32_t i)
{
	struct bt_bits *told = &h->shell->told_files;

	sim_log(h->sim, h, "file", i, 0);
	if (i >= told->n || !sim_obey_has_file(h, i))
		sim_fail(h->sim, h, "says file %u is here", i);
	else if (!bt_bits_put(told, i))
		sim_fail(h->sim, h, "says twice that file %u is here", i);
}

static void
obey_done(struct sim_host *h)
{
	struct sim_shell *sh = h->shell;
	struct sim *s = h->sim;

	sim_log(s, h, "done", sh->disk.set, 0);
	if (sh->told_done)
		sim_fail(s, h, "is done twice");
	sh->told_done = true;
	if (bt_bits_any_not_in(&sh->want, &sh->disk))
		sim_fail(s, h, "is done and lacks what it wants");
	sim_obey_have(h);
	if (sh->leaves_us >= 0)
		sim_shell_leave(h, sh->leaves_us);
}

static void
on_reply(struct sim *s, void *what, uint64_t arg)
{
	struct sim_host *h = what;
	struct bt_addr got[200];
	unsigned n;

	if (s->is_over || !h->up || h->life != arg)
		return;
	n = sim_world_announce(h, got, h->shell->numwant);
	sim_log(s, h, "peers", n, 0);
	bt_torrent_add_peers(h->shell->t, got, n, false, s->now);
	sim_shell_step(h);
}

static void
on_interval(struct sim *s, void *what, uint64_t arg)
{
	struct sim_host *h = what;

	if (s->is_over || !h->up || h->life != arg)
		return;
	on_reply(s, what, arg);
	sim_world_after(s, h->shell->announce_us, on_interval, h, h->life);
}

void
sim_obey_announces(struct sim_host *h)
{
	sim_world_after(h->sim, REPLY_US, on_interval, h, h->life);
}

void
sim_obey(struct sim_host *h, const struct bt_effect *fx)
{
	struct sim_slot *at;
	struct sim *s = h->sim;

	switch (fx->kind) {
	case BT_FX_CONNECT:
		sim_obey_open(h, fx->slot, sim_net_dial(h, &fx->addr), false);
		break;
	case BT_FX_CLOSE:
		obey_close(h, fx);
		break;
	case BT_FX_SEND:
		at = slot_at(h, fx->slot, "a send");
		if (at != NULL)
			sim_obey_told(at->end, true);
		break;
	case BT_FX_STORE:
	case BT_FX_WRITE:
	case BT_FX_VERIFY:
		sim_disk_put(h, fx);
		break;
	case BT_FX_PEER:
		(void)slot_at(h, fx->slot, "a handshake");
		break;
	case BT_FX_PIECE:
		sim_log(s, h, "piece", fx->index, 0);
		if (!bt_bits_has(&h->shell->disk, fx->index))
			sim_fail(s, h, "says piece %u is here", fx->index);
		break;
	case BT_FX_FILE:
		obey_file(h, fx->index);
		break;
	case BT_FX_DONE:
		obey_done(h);
		break;
	case BT_FX_BAN:
		obey_ban(h, fx);
		break;
	case BT_FX_ANNOUNCE:
		sim_world_after(s, REPLY_US, on_reply, h, h->life);
		break;
	}
}
