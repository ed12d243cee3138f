#include "session/netopts.h"

#include <string.h>

#include "base/mem.h"
#include "codec/url.h"

#define PORT 6881 /* BEP 3: the first that clients try */
#define MEMORY (64u << 20)
#define PEERS_MAX 10000u  /* addresses given by hand */
#define CONNS_MAX 100000u /* more than a process has descriptors for */

void
bt_netopts_init(struct bt_netopts *o)
{
	memset(o, 0, sizeof(*o));
	o->port = PORT;
	o->or_any = true;
	o->memory = MEMORY;
}

void
bt_netopts_fini(struct bt_netopts *o)
{
	bt_mem_free(o->trackers);
	bt_mem_free(o->peers);
}

int
bt_netopts_add_peer(struct bt_netopts *o, struct bt_str s, struct bt_err *err)
{
	struct bt_addr a;

	if (bt_addr_parse(s, &a) == -1 || !bt_addr_is_dialable(&a))
		return bt_err_set(err, BT_EUSAGE,
		    "'%.*s' is not a peer's ADDR:PORT", (int)s.n,
		    (const char *)s.p);
	if (o->npeers == PEERS_MAX)
		return bt_err_set(
		    err, BT_ELIMIT, "more than %u peers are given", PEERS_MAX);
	o->peers = bt_mem_resize(o->peers, o->npeers + 1, sizeof(*o->peers));
	o->peers[o->npeers++] = a;
	return 0;
}

static void
take_peer(struct bt_netopts *o, struct bt_cli *cli)
{
	struct bt_err err = BT_ERR_INIT;

	if (bt_netopts_add_peer(o, bt_str_of(cli->arg), &err) == -1)
		bt_cli_misuse(cli, "%s", err.text);
}

static void
take_bind(struct bt_netopts *o, struct bt_cli *cli)
{
	if (bt_addr_parse_ip(bt_str_of(cli->arg), &o->bind) == -1)
		bt_cli_misuse(
		    cli, "'%s' is not an IP address to bind to", cli->arg);
}

static void
take_tracker(struct bt_netopts *o, const char *url)
{
	o->trackers =
	    bt_mem_resize(o->trackers, o->ntrackers + 1, sizeof(*o->trackers));
	o->trackers[o->ntrackers++] = url;
}

static void
take_amount(struct bt_netopts *o, struct bt_cli *cli, int ch)
{
	switch (ch) {
	case BT_NETOPTS_PORT:
		o->port = (uint16_t)bt_cli_count(cli, 0, 65535);
		o->or_any = false;
		break;
	case BT_NETOPTS_LIMIT_UP:
		o->up_bps = bt_cli_size(cli, 1024, UINT64_MAX / 2);
		break;
	case BT_NETOPTS_LIMIT_UP_EACH:
		o->up_each_bps = bt_cli_size(cli, 1024, UINT64_MAX / 2);
		break;
	case BT_NETOPTS_SLOTS:
		o->slots = (unsigned)bt_cli_count(cli, 1, 1024);
		break;
	case BT_NETOPTS_MAX_PEERS:
		o->peers_max = (uint32_t)bt_cli_count(cli, 1, CONNS_MAX);
		break;
	case BT_NETOPTS_MEMORY:
		o->memory = bt_cli_size(cli, 1u << 20, SIZE_MAX / 2);
		break;
	}
}

void
bt_netopts_take(struct bt_netopts *o, struct bt_cli *cli, int ch)
{
	switch (ch) {
	case 'a':
		take_tracker(o, cli->arg);
		break;
	case BT_NETOPTS_NO_TRACKER:
		o->no_tracker = true;
		break;
	case BT_NETOPTS_PEER:
		take_peer(o, cli);
		break;
	case BT_NETOPTS_BIND:
		take_bind(o, cli);
		break;
	case '4':
		o->only4 = true;
		break;
	case '6':
		o->only6 = true;
		break;
	case BT_NETOPTS_INSECURE:
		o->insecure = true;
		break;
	default:
		take_amount(o, cli, ch);
	}
}

bool
bt_netopts_ipv4(const struct bt_netopts *o)
{
	return o->only4 || !o->only6;
}

bool
bt_netopts_ipv6(const struct bt_netopts *o)
{
	return o->only6 || !o->only4;
}

int
bt_netopts_check(const struct bt_netopts *o, struct bt_err *err)
{
	struct bt_url url;
	char ip[BT_ADDR_TEXT_MAX];

	if ((o->bind.family == 4 && !bt_netopts_ipv4(o)) ||
	    (o->bind.family == 6 && !bt_netopts_ipv6(o)))
		return bt_err_set(err, BT_EUSAGE,
		    "--bind %s is not of the family that -%c leaves",
		    bt_addr_ip_text(&o->bind, ip), o->only4 ? '4' : '6');
	for (size_t i = 0; i < o->ntrackers; i++)
		if (bt_url_parse(bt_str_of(o->trackers[i]), &url, err) == -1)
			return -1;
	return 0;
}
