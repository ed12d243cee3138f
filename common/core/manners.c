#include "core/manners.h"

#include "core/inbox.h"
#include "core/roster.h"
#include "core/torrent_priv.h"

void
bt_manners_note(struct bt_torrent *t, struct bt_peer *p, enum bt_oddity odd,
    const char *what)
{
	char text[BT_ADDR_TEXT_MAX];

	if (p->dead || (p->odd & 1u << odd) != 0)
		return;
	p->odd |= 1u << odd;
	bt_log_put(t->conf.log, BT_LOG_INFO, "%s: %s",
	    bt_addr_text(&p->addr, text), what);
}

static void
charge(struct bt_torrent *t, struct bt_peer *p, int64_t us, int64_t now)
{
	if (p->idle_talk < now)
		p->idle_talk = now;
	p->idle_talk += us;
	if (p->idle_talk - now > BT_MANNERS_BURST_US)
		bt_roster_blame(
		    t, p, "it says nothing new, again and again", now);
}

void
bt_manners_idle(
    struct bt_torrent *t, struct bt_peer *p, uint32_t bytes, int64_t now)
{
	charge(t, p, BT_MANNERS_IDLE_US * (1 + bytes / 1024), now);
}

void
bt_manners_work(struct bt_torrent *t, struct bt_peer *p, int64_t now)
{
	charge(t, p, BT_MANNERS_WORK_US, now);
}

void
bt_manners_unmatched(
    struct bt_torrent *t, struct bt_peer *p, const char *what, int64_t now)
{
	if (p->late_ok > 0)
		p->late_ok--;
	else if (++p->unasked > BT_INBOX_UNASKED_MAX)
		bt_roster_blame(t, p, what, now);
	else
		bt_manners_note(t, p, BT_ODD_UNASKED, what);
}
