/*
 * netopts - the options of tools that take part in swarms.
 *
 * Where to listen, whom to ask and whom to dial, and how much to use. Each
 * stands once: a tool has BT_NETOPTS in its table of options, hands what it does
 * not know itself to bt_netopts_take(), and bt_netopts_check() looks at the
 * whole.
 * Touches: nothing but the command line.
 *
 * Used by  bt-get, bt-seed
 * Tests    tests/e2e/bt-get.bats, tests/e2e/bt-seed.bats
 */
#ifndef BT_SESSION_NETOPTS_H
#define BT_SESSION_NETOPTS_H

#include "base/addr.h"
#include "cli/options.h"

enum {
	BT_NETOPTS_NO_TRACKER = 400,	/* tools count from 256 */
	BT_NETOPTS_PEER,
	BT_NETOPTS_PORT,
	BT_NETOPTS_BIND,
	BT_NETOPTS_LIMIT_UP,
	BT_NETOPTS_LIMIT_UP_EACH,
	BT_NETOPTS_SLOTS,
	BT_NETOPTS_MAX_PEERS,
	BT_NETOPTS_MEMORY,
	BT_NETOPTS_INSECURE
};

/* Rows of a table of options; peers_max is the default, in a string. */
#define BT_NETOPTS(peers_max)						\
	{ 'a', "announce", "URL",					\
	    "ask this tracker too, first; repeatable" },		\
	{ BT_NETOPTS_NO_TRACKER, "no-tracker", NULL,			\
	    "ask no tracker" },						\
	{ BT_NETOPTS_PEER, "peer", "ADDR:PORT",				\
	    "a peer to dial; repeatable" },				\
	{ BT_NETOPTS_PORT, "port", "PORT",				\
	    "listen on PORT (6881, else any free one); 0: any" },	\
	{ BT_NETOPTS_BIND, "bind", "ADDR",				\
	    "use only this local address" },				\
	{ '4', "ipv4", NULL, "use IPv4 only" },				\
	{ '6', "ipv6", NULL, "use IPv6 only" },				\
	{ BT_NETOPTS_LIMIT_UP, "limit-up", "SIZE",			\
	    "send SIZE a second at most" },				\
	{ BT_NETOPTS_LIMIT_UP_EACH, "limit-up-each", "SIZE",		\
	    "send SIZE a second at most for each torrent" },		\
	{ BT_NETOPTS_SLOTS, "slots", "N",				\
	    "upload to N peers at once (as fits)" },			\
	{ BT_NETOPTS_MAX_PEERS, "max-peers", "N",			\
	    "connections at most (" peers_max ")" },			\
	{ BT_NETOPTS_MEMORY, "memory", "SIZE",				\
	    "ceiling of piece buffers (64M)" },				\
	{ BT_NETOPTS_INSECURE, "insecure", NULL,			\
	    "do not verify trackers' certificates" }

struct bt_netopts {
	bool only4, only6;	/* -4, -6; both: both */
	struct bt_addr bind;	/* family 0: any */
	uint16_t port;
	bool or_any;		/* where port is taken, any free one */
	uint64_t down_bps, up_bps;	/* over all; 0: no limit */
	uint64_t down_each_bps, up_each_bps;	/* of each torrent */
	uint32_t peers_max;	/* 0: as the tool has it */
	unsigned slots;		/* 0: as the link has room */
	size_t memory;
	bool insecure, no_tracker;
	const char **trackers;	/* -a, a tier each; the strings are argv's */
	size_t ntrackers;
	struct bt_addr *peers;
	size_t npeers;
};

void	bt_netopts_init(struct bt_netopts *o);
void	bt_netopts_fini(struct bt_netopts *o);
/* The current option is ch: take it. A wrong argument is exit 2. */
void	bt_netopts_take(struct bt_netopts *o, struct bt_cli *cli, int ch);
/* ADDR:PORT; BT_EUSAGE or BT_ELIMIT. 0 or -1. */
int	bt_netopts_add_peer(struct bt_netopts *o, struct bt_str s,
	    struct bt_err *err);
/* All options were taken: do they fit together? 0 or -1. */
int	bt_netopts_check(const struct bt_netopts *o, struct bt_err *err);

/* The families to use. */
bool	bt_netopts_ipv4(const struct bt_netopts *o);
bool	bt_netopts_ipv6(const struct bt_netopts *o);

#endif
