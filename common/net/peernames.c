#include "net/peernames.h"

#include "base/mem.h"

struct bt_peername {
	struct bt_peernames *owner;
	struct bt_peername *next, **link;
	struct bt_dns_query *query;
};

static void
on_name(void *arg, const struct bt_addr *addrs, size_t n, const char *why)
{
	struct bt_peername *name = arg;
	struct bt_peernames *s = name->owner;

	(void)why;
	*name->link = name->next;
	if (name->next != NULL)
		name->next->link = name->link;
	s->n--;
	bt_mem_free(name);
	if (n > 0)
		s->found(s->arg, addrs, n);
}

void
bt_peernames_resolve(struct bt_peernames *s, const struct bt_peer_name *peer)
{
	struct bt_peername *name;

	if (s->n == BT_PEERNAMES_MAX)
		return;
	name = bt_mem_zero(1, sizeof(*name));
	name->owner = s;
	name->next = s->first;
	name->link = &s->first;
	if (name->next != NULL)
		name->next->link = &name->next;
	s->first = name;
	s->n++;
	name->query =
	    bt_dns_resolve(s->dns, peer->host, peer->port, 0, on_name, name);
}

void
bt_peernames_fini(struct bt_peernames *s)
{
	struct bt_peername *name;

	while ((name = s->first) != NULL) {
		s->first = name->next;
		bt_dns_cancel(name->query);
		bt_mem_free(name);
	}
}
